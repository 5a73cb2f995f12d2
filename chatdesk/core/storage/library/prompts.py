"""Stores prompts in the database.

They belong to a person and to no project, so that they are stamped like every row but not in the change log, which is
kept by project.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.prompt import (
    MOST_PROMPTS,
    AssistantSetup,
    NewPrompt,
    Prompt,
    PromptHead,
    PromptKind,
    setup_from,
)
from chatdesk.core.errors import NotPossible, PromptNotFound
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.chat.outside_text import record_prompt
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, folded, from_json, to_json
from chatdesk.core.storage.library.removal import IS_STAMPED_BEFORE
from chatdesk.core.texts import Text

_SELECT = "SELECT id, kind, name, text, created_at, updated_at, used_at, use_count, deleted_at, setup FROM prompts"
_HEADS = "SELECT id, kind, name, substr(text, 1, 400), used_at, setup FROM prompts WHERE deleted_at IS NULL"
_STARTERS = "prompts.starters"
_KINDS = frozenset(PromptKind)


class PromptRepository:
    """Reads and writes prompts; each write is one transaction and returns the stored prompt."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def heads(self) -> tuple[PromptHead, ...]:
        """Return the heads of all prompts: those used last first, then the others by name."""

        def work(conn: Connection) -> tuple[PromptHead, ...]:
            heads = [_head(row) for row in conn.exec_driver_sql(_HEADS)]
            return tuple(sorted(heads, key=lambda each: (-(each.used_at or 0), name_key(each.name), each.id)))

        return await self._db.read(work)

    async def all(self) -> tuple[Prompt, ...]:
        """Return all prompts with their whole texts, by name."""
        sql = f"{_SELECT} WHERE deleted_at IS NULL"
        found = await self._db.read(lambda conn: [_prompt(row) for row in conn.exec_driver_sql(sql)])
        return tuple(sorted(found, key=lambda each: (name_key(each.name), each.id)))

    async def get(self, prompt_id: str) -> Prompt:
        """Return a prompt, also one that was deleted. Raises ``PromptNotFound``."""
        wanted = checked_id(prompt_id)
        return await self._db.read(lambda conn: get_prompt(conn, wanted))

    async def add(self, prompts: Sequence[NewPrompt]) -> tuple[Prompt, ...]:
        """Add all of these prompts, or none where that would be too many. Raises ``NotPossible``."""

        def work(conn: Connection) -> tuple[Prompt, ...]:
            return tuple(get_prompt(conn, each) for each in self._insert(conn, prompts))

        return await self._db.write(work)

    async def add_missing(self, prompts: Sequence[NewPrompt]) -> tuple[Prompt, ...]:
        """Add the prompts of a file, except exact duplicates. Returns the added ones."""

        def work(conn: Connection) -> tuple[Prompt, ...]:
            known = {
                tuple(row)
                for row in conn.exec_driver_sql("SELECT kind, name, text FROM prompts WHERE deleted_at IS NULL")
            }
            fresh: dict[tuple[str, str, str], NewPrompt] = {}
            for each in prompts:
                key = (each.kind.value, clean(each.name), clean(each.text))
                if key not in known:
                    fresh[key] = each
            made = self._insert(conn, list(fresh.values()))
            for prompt_id in made:
                record_prompt(conn, prompt_id)
            return tuple(get_prompt(conn, prompt_id) for prompt_id in made)

        return await self._db.write(work)

    async def record_outside_text(self, prompt_id: str) -> None:
        """Record that a prompt has another author: where it is used, standing permissions of tools ask again."""
        wanted = checked_id(prompt_id)
        await self._db.write(lambda conn: record_prompt(conn, wanted))

    async def add_starters(self, starters: Mapping[str, NewPrompt]) -> int:
        """Add the prompts whose keys this database never had: deleted ones do not come back. Returns how many."""
        if await self._db.read(lambda conn: set(starters) <= _known_starters(conn)):
            return 0

        def work(conn: Connection) -> int:
            known = _known_starters(conn)
            fresh = [key for key in starters if key not in known]
            self._insert(conn, [starters[key] for key in fresh])
            conn.exec_driver_sql(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (_STARTERS, json.dumps(sorted(known | set(starters)))),
            )
            return len(fresh)

        return await self._db.write(work)

    async def change(self, prompt_id: str, new: NewPrompt) -> Prompt:
        wanted = checked_id(prompt_id)

        def work(conn: Connection) -> Prompt:
            self._update(conn, [wanted], {**_columns(new), "updated_at": self._db.origin.now()})
            return get_prompt(conn, wanted)

        return await self._db.write(work)

    async def set_deleted(self, prompt_ids: Sequence[str], *, is_deleted: bool) -> None:
        """Delete prompts or bring them back, all or none. Raises ``PromptNotFound`` also if the text of one is deleted
        for good."""
        wanted = [checked_id(each) for each in prompt_ids]

        def work(conn: Connection) -> None:
            if not is_deleted:
                _check_room(conn, len(wanted))
            self._update(conn, wanted, {"deleted_at": self._db.origin.now() if is_deleted else None})

        await self._db.write(work)

    async def record_use(self, prompt_id: str) -> None:
        """Count one use of a prompt. It is not worth waiting for the disk, nor a new stamp."""
        wanted, now = checked_id(prompt_id), self._db.origin.now()
        sql = "UPDATE prompts SET use_count = use_count + 1, used_at = ? WHERE id = ?"
        await self._db.write(lambda conn: conn.exec_driver_sql(sql, (now, wanted)), is_durable=False)

    async def purge_deleted(self, before_ms: int) -> int:
        """Empty prompts that were deleted before a moment; the rows stay, to tell other devices. Returns how many."""
        expired = f"deleted_at < ? AND {IS_STAMPED_BEFORE}"
        values = (before_ms, before_ms, self._db.origin.now())
        count = await self._db.read(
            lambda conn: conn.exec_driver_sql(
                f"SELECT count(*) FROM prompts WHERE {expired} AND name <> ''", values
            ).scalar_one()
        )
        if count:
            sql = f"UPDATE prompts SET name = '', name_folded = '', text = '', setup = '' WHERE {expired}"
            await self._db.write(lambda conn: conn.exec_driver_sql(sql, values))
        return int(count)

    def _insert(self, conn: Connection, prompts: Sequence[NewPrompt]) -> list[str]:
        _check_room(conn, len(prompts))
        now, ids = self._db.origin.now(), [new_id() for _ in prompts]
        for prompt_id, each in zip(ids, prompts, strict=True):
            stamp = self._db.origin.stamp()
            insert_row(conn, tables.prompts, id=prompt_id, **_columns(each), created_at=now, updated_at=now, **stamp)
        return ids

    def _update(self, conn: Connection, prompt_ids: Sequence[str], values: Mapping[str, Any]) -> None:
        columns = tables.prompts.c
        for prompt_id in prompt_ids:
            stamp = self._db.origin.stamp()
            is_there = (columns.id == prompt_id) & (columns.name != "")
            if not conn.execute(tables.prompts.update().where(is_there).values(**values, **stamp)).rowcount:
                raise PromptNotFound


def _columns(new: NewPrompt) -> dict[str, str]:
    name = clean(new.name)
    return {
        "kind": new.kind.value,
        "name": name,
        "name_folded": folded(name),
        "text": clean(new.text),
        "setup": _stored_setup(new),
    }


def _stored_setup(new: NewPrompt) -> str:
    return "" if new.setup is None else to_json(new.setup.as_json())


def _kind(stored: str) -> PromptKind:
    return PromptKind(stored) if stored in _KINDS else PromptKind.TEMPLATE


def _prompt(row: Sequence[Any]) -> Prompt:
    kind = _kind(row[1])
    return replace(Prompt(row[0], kind, *row[2:9]), setup=_setup(kind, row[9]))


def _head(row: Sequence[Any]) -> PromptHead:
    kind = _kind(row[1])
    setup = _setup(kind, row[5])
    return replace(PromptHead(row[0], kind, *row[2:5]), icon="" if setup is None else setup.icon)


def _setup(kind: PromptKind, stored: str) -> AssistantSetup | None:
    return setup_from(from_json(stored)) if kind is PromptKind.ASSISTANT else None


def get_prompt(conn: Connection, prompt_id: str) -> Prompt:
    row = conn.exec_driver_sql(f"{_SELECT} WHERE id = ?", (prompt_id,)).first()
    if row is None:
        raise PromptNotFound
    return _prompt(row)


def _check_room(conn: Connection, count: int) -> None:
    there = conn.exec_driver_sql("SELECT count(*) FROM prompts WHERE deleted_at IS NULL").scalar_one()
    if count and there + count > MOST_PROMPTS:
        raise NotPossible(
            Text("The library holds {most_prompts} prompts at most.", most_prompts=MOST_PROMPTS),
            next_step=Text("Delete some that you do not use."),
        )


def _known_starters(conn: Connection) -> set[str]:
    stored = conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_STARTERS,)).scalar()
    try:
        known = json.loads(stored) if stored else []
    except ValueError:
        return set()
    return {each for each in known if isinstance(each, str)} if isinstance(known, list) else set()
