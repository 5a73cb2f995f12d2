"""A team's log as a test writes it, and profiles in memory that take it over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor
from chatdesk.core.domain.sharing.sync_wire import ProjectHead, PulledChange, body_digest
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.sync import sharing
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.projection.projection import project_many
from chatdesk.core.storage.sync.registers import member_of
from tests.helpers import shown_digest
from tests.helpers.store import MovableClock
from tests.helpers.sync_sim.memory_profile import Profile

WORKSPACE = "00000000-0000-7000-8000-000000000001"
ME = "00000000-0000-7000-8000-0000000000aa"
ANN = "00000000-0000-7000-8000-0000000000a1"
BEN = "00000000-0000-7000-8000-0000000000b1"
ANNS = "00000000-0000-7000-8000-0000000000d1"
BENS = "00000000-0000-7000-8000-0000000000d2"
_AUTHORS = {ANNS: ANN, BENS: BEN}
START_MS = 1_800_000_000_000


def _with(row: PulledChange, values: Mapping[str, Any]) -> PulledChange:
    """The same as if the server had taken it with these values."""
    body = values.get("body")
    if "body" in values and (body is None or isinstance(body, str)):
        values = {"digest": body_digest(body), **values}
    return replace(row, **values)


class PulledLog:
    """Changes of one project in the order of the server. What is not said is usual: Ann writes at her only computer."""

    def __init__(self, project_id: str | None = None) -> None:
        self.project_id = project_id or new_id()
        self.rows: list[PulledChange] = []
        self._dseqs: dict[str, int] = {}

    def add(
        self,
        kind: str,
        op: str,
        entity: str,
        body: Any = None,
        *,
        reg: str = "content",
        device: str = ANNS,
        dseq: int | None = None,
        parents: Sequence[str] = (),
        hlc: int | None = None,
        **more: Any,
    ) -> PulledChange:
        """``body``: JSON data, or text as it is."""
        place = self._dseqs.get(device, 0) + 1 if dseq is None else dseq
        self._dseqs[device] = max(place, self._dseqs.get(device, 0))
        at = START_MS + len(self.rows) * 1000
        values: dict[str, Any] = {
            "id": new_id(),
            "seq": len(self.rows) + 1,
            "device": device,
            "dseq": place,
            "author": _AUTHORS.get(device, ANN),
            "kind": kind,
            "op": op,
            "entity": entity,
            "reg": reg,
            "parents": tuple(parents),
            "hlc": (at << 16) if hlc is None else hlc,
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "at": at,
            **more,
        }
        number = sum(row.device == device for row in self.rows) + 1
        row = PulledChange(**{"chain": b"", "digest": body_digest(values["body"]), "number": number, **values})
        if "chain" not in values:
            row = replace(row, chain=row.chain_after(self.rows[-1].chain if self.rows else None))
        self.rows.append(row)
        return row

    def thread(self, title: str = "A thread", **more: Any) -> str:
        thread_id = new_id()
        body = {"title": title, "title_source": "person", "created_at": START_MS, "provider": None, "model": "m"}
        self.add("thread", "new", thread_id, body, **more)
        return thread_id

    def message(
        self,
        thread_id: str,
        parent_id: str | None = None,
        text: str = "hello",
        *,
        role: str = "user",
        more_body: Mapping[str, Any] | None = None,
        message_id: str | None = None,
        **more: Any,
    ) -> str:
        message_id = message_id or new_id()
        self.add("message", "new", message_id, message_body(thread_id, parent_id, text, role, more_body), **more)
        return message_id

    def say_of_the_last(self, **values: Any) -> None:
        """The newest change has these values, whatever they are."""
        row = _with(self.rows.pop(), values)
        self.rows.append(replace(row, chain=_chain_after(row, self.rows[-1].chain if self.rows else None)))

    def say_otherwise(self, **values: Any) -> None:
        """The server holds all of it with these values."""
        rows, self.rows = self.rows, []
        chain: bytes | None = None
        for row in rows:
            changed = _with(row, values)
            chain = changed.chain_after(chain)
            self.rows.append(replace(changed, chain=chain))

    def seen(self) -> dict[str, int]:
        """What somebody covers who has seen all of it."""
        return dict(self._dseqs)

    def delete(self, kind: str, entity: str, *, covers: Mapping[str, int] | None = None, **more: Any) -> PulledChange:
        return self.add(kind, "del", entity, {"covers": dict(self.seen() if covers is None else covers)}, **more)

    def edit(self, kind: str, entity: str, reg: str, body: Any, **more: Any) -> PulledChange:
        return self.add(kind, "edit", entity, body, reg=reg, **more)


def _chain_after(row: PulledChange, chain: bytes | None) -> bytes:
    """None where no server could have made one."""
    try:
        return row.chain_after(chain)
    except (ValueError, TypeError, AttributeError):
        return b""


def message_body(
    thread_id: str, parent_id: str | None, text: str, role: str = "user", more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "thread_id": thread_id,
        "role": role,
        "status": "complete",
        "created_at": START_MS,
        "parts": [{"id": new_id(), "type": "text", "content": {"text": text}}],
        **(more or {}),
    }
    if parent_id is not None:
        body["parent_id"] = parent_id
    return body


class Reader:
    """A profile that has joined. ``joined_seq``: how much was there before."""

    def __init__(self, log: PulledLog, *, joined_seq: int = 0) -> None:
        self.log = log
        self.clock = MovableClock(START_MS + 10_000_000)
        self.profile = Profile(self.clock, workspace_id=WORKSPACE, member_id=ME)
        head = ProjectHead(log.project_id, "admin", "channel", joined_seq)
        self.profile.db.write_now(lambda conn: sharing.adopt(conn, self.profile.db.origin, head, WORKSPACE))

    @property
    def cursor(self) -> Cursor:
        return next(each for each in self.profile.store.cursors() if each.project_id == self.log.project_id)

    def pull(self, rows: Sequence[PulledChange] | None = None, *, page: int = 500) -> list[Applied]:
        """Everything that is new, or these rows."""
        if rows is not None:
            return [self._take(rows)]
        applied = []
        while following := self.log.rows[self.cursor.seq : self.cursor.seq + page]:
            applied.append(self._take(following))
        ended = self.profile.store.make_places(self.log.project_id)
        return applied if ended is None else [*applied, ended]

    def _take(self, rows: Sequence[PulledChange]) -> Applied:
        store = self.profile.store
        page = store.read_page(rows)
        return store.finish_apply(store.start_apply(self.log.project_id, page, after=self.cursor))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.profile.rows(query, *values)

    def one(self, query: str, *values: Any) -> Any:
        """The only value of the only row; None where there is none."""
        rows = self.profile.rows(query, *values)
        assert len(rows) <= 1
        return rows[0][0] if rows else None

    def shown(self, thread_id: str) -> list[str]:
        """Texts on the shown path."""
        query = (
            "SELECT group_concat(json_extract(p.content, '$.text'), '') FROM messages m"
            " LEFT JOIN message_parts p ON p.message_id = m.id WHERE m.thread_id = ? AND m.on_path = 1"
            " AND m.deleted_at IS NULL GROUP BY m.id ORDER BY m.position"
        )
        return [row[0] for row in self.profile.rows(query, thread_id)]

    def digest(self) -> str:
        return self.profile.db.read_now(lambda conn: shown_digest.digest(conn, self.log.project_id))

    def project_again(self) -> None:
        """Update all rows from the log."""
        project_id, db = self.log.project_id, self.profile.db

        def project(conn: Connection) -> None:
            rows = conn.exec_driver_sql(
                "SELECT DISTINCT kind, entity, reg FROM changes WHERE project_id = ? ORDER BY 1, 2, 3", (project_id,)
            )
            registers = [(row[0], row[1], row[2]) for row in rows]
            effects = Effects(me=member_of(driver(conn), project_id), is_quiet=True)
            project_many(conn, db.origin, project_id, registers, effects)

        db.write_now(project)

    def title(self, thread_id: str) -> str:
        return str(self.one("SELECT title FROM threads WHERE id = ?", thread_id))

    def is_hidden(self, entity: str, table: str = "threads") -> bool:
        return self.one(f"SELECT deleted_at FROM {table} WHERE id = ?", entity) is not None

    def close(self) -> None:
        self.profile.db.close()
