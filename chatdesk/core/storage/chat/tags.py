"""Stores tags, which are words that belong to the profile, and which threads have them."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Tag
from chatdesk.core.errors import InvalidTitle, NotFound, NotPossible
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.change_log import Origin, log_change
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, folded, shown_name
from chatdesk.core.storage.engine.rows import TAG_MARK, batches, marks
from chatdesk.core.texts import Text

LONGEST_NAME = 60
_SELECT = (
    "SELECT g.id, g.name, g.created_at, (SELECT count(*) FROM thread_tags j JOIN threads t ON t.id = j.thread_id"
    " WHERE j.tag_id = g.id AND t.deleted_at IS NULL) FROM tags g"
)


class TagRepository:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self) -> tuple[Tag, ...]:
        """Return all tags by name, with how many threads have each."""
        return await self._db.read(
            lambda conn: tuple(sorted(map(_tag, conn.exec_driver_sql(_SELECT)), key=lambda each: name_key(each.name)))
        )

    async def of_threads(self, thread_ids: Sequence[str]) -> dict[str, int]:
        """Return how many of these threads have each tag, by the tag's id."""
        wanted = tuple(checked_id(each) for each in thread_ids)

        def work(conn: Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for _thread_id, tag_id in pairs_of(conn, wanted):
                found[tag_id] = found.get(tag_id, 0) + 1
            return found

        return await self._db.read(work)

    async def rename(self, tag_id: str, name: str) -> tuple[Tag, str]:
        """Rename a tag. Returns the tag, and the name it had. Raises ``NotPossible`` when another tag is called so."""
        wanted, key = checked_id(tag_id), checked_name(name)

        def work(conn: Connection) -> tuple[Tag, str]:
            before = get_tag(conn, wanted)
            other = conn.exec_driver_sql(
                "SELECT 1 FROM tags WHERE name_folded = ? AND id <> ?", (folded(key), wanted)
            ).first()
            if other is not None:
                raise NotPossible(
                    Text("There is a tag “{key}” already.", key=key), next_step=Text("Choose another name.")
                )
            stamp = self._db.origin.stamp()
            conn.execute(
                tables.tags.update()
                .where(tables.tags.c.id == wanted)
                .values(name=key, name_folded=folded(key), **stamp)
            )
            _log(conn, self._db.origin, wanted, "edit", stamp["hlc"], key)
            return get_tag(conn, wanted), before.name

        return await self._db.write(work)


def checked_name(name: str) -> str:
    """Return ``name`` on one line. Raises ``InvalidTitle``."""
    wanted = clean_line(clean(name).replace(TAG_MARK, " ")).lstrip("#").strip()
    if not wanted:
        raise InvalidTitle(Text("A tag needs a name."), safe=Text("Nothing was changed."))
    if len(wanted) > LONGEST_NAME:
        raise InvalidTitle(
            Text("A tag's name has at most {longest_name} characters.", longest_name=str(LONGEST_NAME)),
            safe=Text("Nothing was changed."),
            next_step=Text("Choose a shorter one."),
        )
    return wanted


def _tag(row: Sequence[Any]) -> Tag:
    id_, name, *rest = row
    return Tag(id_, shown_name(name), *rest)


def get_tag(conn: Connection, tag_id: str) -> Tag:
    row = conn.exec_driver_sql(f"{_SELECT} WHERE g.id = ?", (tag_id,)).first()
    if row is None:
        raise NotFound(Text("There is no tag with that id."))
    return _tag(row)


def find_or_plan(conn: Connection, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return ids for these names, and the names of tags that are to be made, by id."""
    ids: list[str] = []
    new: dict[str, str] = {}
    planned: dict[str, str] = {}
    for name in names:
        wanted = checked_name(name)
        key = folded(wanted)
        row = conn.exec_driver_sql("SELECT id FROM tags WHERE name_folded = ?", (key,)).first()
        tag_id = row[0] if row is not None else planned.setdefault(key, new_id())
        if row is None:
            new.setdefault(tag_id, wanted)
        if tag_id not in ids:
            ids.append(tag_id)
    return ids, new


def insert(conn: Connection, origin: Origin, tag_id: str, name: str) -> None:
    """Insert a tag. A tag with this id keeps its name; another tag with this name prevents undoing a deletion."""
    if conn.exec_driver_sql("SELECT 1 FROM tags WHERE id = ?", (tag_id,)).first() is not None:
        return
    if conn.exec_driver_sql("SELECT 1 FROM tags WHERE name_folded = ?", (folded(name),)).first() is not None:
        raise NotPossible(
            Text("There is another tag “{name}” now.", name=name), next_step=Text("Rename that one and try again.")
        )
    stamp = origin.stamp()
    insert_row(conn, tables.tags, id=tag_id, name=name, name_folded=folded(name), created_at=origin.now(), **stamp)
    _log(conn, origin, tag_id, "new", stamp["hlc"], name)


def remove(conn: Connection, origin: Origin, tag_id: str) -> None:
    conn.exec_driver_sql("DELETE FROM tags WHERE id = ?", (tag_id,))
    _log(conn, origin, tag_id, "del", origin.stamp()["hlc"], None)


def pairs_of(conn: Connection, thread_ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return (thread, tag) for every tag of these threads."""
    return {
        (row[0], row[1])
        for batch in batches(thread_ids)
        for row in conn.exec_driver_sql(
            f"SELECT thread_id, tag_id FROM thread_tags WHERE thread_id IN ({marks(batch)})", tuple(batch)
        )
    }


def threads_of(conn: Connection, tag_id: str) -> list[str]:
    return [row[0] for row in conn.exec_driver_sql("SELECT thread_id FROM thread_tags WHERE tag_id = ?", (tag_id,))]


def set_pairs(conn: Connection, added: Sequence[tuple[str, str]], removed: Sequence[tuple[str, str]]) -> None:
    if removed:
        conn.exec_driver_sql("DELETE FROM thread_tags WHERE thread_id = ? AND tag_id = ?", list(removed))
    if added:
        # The tag or thread may have been deleted for good since; the undo skips such pairs.
        conn.exec_driver_sql(
            "INSERT OR IGNORE INTO thread_tags (thread_id, tag_id)"
            " SELECT t.id, g.id FROM threads t, tags g WHERE t.id = ? AND g.id = ?",
            list(added),
        )


def _log(conn: Connection, origin: Origin, tag_id: str, op: str, hlc: int, name: str | None) -> None:
    log_change(
        conn,
        origin,
        project_id=change_log.PROFILE,
        kind="tag",
        op=op,
        entity=tag_id,
        hlc=hlc,
        reg=change_log.CONTENT if op != "edit" else change_log.NAME,
        body=None if name is None else {"name": name},
    )
