"""Remembers requests of other programs in the transactions that they write in, so that none is carried out twice.

A record lives in ``meta`` for a day. It holds digests of the caller with its key and of the request, and the ids of the
created rows: no words, and nothing that identifies the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.memory import Memory
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.prompt import Prompt
from chatdesk.core.domain.summary import Summary
from chatdesk.core.domain.thread import Draft, Project, Thread
from chatdesk.core.storage.chat.drafts import get_draft
from chatdesk.core.storage.chat.projects import get_project
from chatdesk.core.storage.chat.summaries import get_summary
from chatdesk.core.storage.chat.tags import get_tag
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import json_value
from chatdesk.core.storage.engine.repeated_request import AlreadyDone, DoneRequest, MadeRow, StaleEdit, WriteGuard
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.library.prompts import get_prompt
from chatdesk.core.storage.memory.memories import get_memory
from chatdesk.core.storage.usage.limits import get_limits

_PREFIX: Final = "request:"
_END: Final = "request;"  # the text after all that begin with the prefix
_KEPT_MS: Final = 24 * 3600 * 1000
_SWEPT_EVERY: Final = 256
_CURRENT: Final[Mapping[str, Callable[[Connection, str], Any]]] = {
    "project": get_project,
    "thread": get_thread,
    "draft": lambda conn, thread_id: get_draft(conn, thread_id) or Draft(thread_id, "", 0, 0),
    "summary": get_summary,
    "tag": get_tag,
    "prompt": get_prompt,
    "memory": get_memory,
    "limits": lambda conn, _id: get_limits(conn),
}
_MADE: Final = (Thread, Message, Project, Prompt, Summary, Memory)


class RequestRepository:
    """Reads records of requests, and makes the guards that write them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._count = 0

    async def find(self, key: str) -> DoneRequest | None:
        """Return the request with this key, if it was carried out within the last day."""
        return await self._db.read(lambda conn: self._find(conn, key))

    def guard(
        self,
        *,
        key: str = "",
        fingerprint: str = "",
        unchanged: tuple[str, str, Callable[[Any], bool]] | None = None,
    ) -> WriteGuard:
        """Return the guard for a request. With a ``key`` its record is written in the same transaction, which raises
        ``AlreadyDone`` if it exists. ``unchanged`` are a kind of thing, an id, and a condition on that thing; if it
        fails, ``StaleEdit`` is raised. A draft has the id of its thread; all limits together are one thing without an
        id."""

        def before(conn: Connection) -> None:
            if key:
                done = self._find(conn, key)
                if done is not None:
                    raise AlreadyDone(done)
            if unchanged is not None:
                kind, id_, is_current = unchanged
                current = _CURRENT[kind](conn, id_)
                if not is_current(current):
                    raise StaleEdit(current)

        def after(conn: Connection, result: Any) -> None:
            if not key:
                return
            now_ms = self._db.origin.now()
            if self._count % _SWEPT_EVERY == 0:
                conn.exec_driver_sql(
                    f"DELETE FROM meta WHERE key >= ? AND key < ? AND {json_value('value', 'at')} < ?",  # noqa: S608
                    (_PREFIX, _END, now_ms - _KEPT_MS),
                )
            self._count += 1
            record = {"at": now_ms, "of": fingerprint, "made": [[each.kind, each.id] for each in _things_in(result)]}
            conn.exec_driver_sql(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (_PREFIX + key, json.dumps(record)),
            )

        return WriteGuard(before, after)

    def _find(self, conn: Connection, key: str) -> DoneRequest | None:
        stored = conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_PREFIX + key,)).scalar()
        if stored is None:
            return None
        record = json.loads(stored)
        if record["at"] < self._db.origin.now() - _KEPT_MS:
            return None
        return DoneRequest(record["of"], tuple(MadeRow(kind, id_) for kind, id_ in record["made"]))


def _things_in(result: Any) -> list[MadeRow]:
    """Return the rows in the result of a transaction: one, or several in a tuple."""
    results = result if isinstance(result, tuple) else (result,)
    return [MadeRow(type(each).__name__.lower(), each.id) for each in results if isinstance(each, _MADE)]
