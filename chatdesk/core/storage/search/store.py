"""Gives access to the search index of one database: reading on a thread of its own, writing through the one writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from chatdesk.core.domain.search import IndexState
from chatdesk.core.storage.engine import other_schemas, search_index
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.search.reader import SearchReader
from chatdesk.core.texts import Text

T = TypeVar("T")

_NEW_SCHEMA = Text("This data belongs to a newer ChatDesk, whose search index this one cannot read.")
_DAMAGED = Text("The search index is damaged and is being rebuilt. Your messages are not affected.")


class SearchStore:
    """The search index of one database, as the search service needs it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.reader = SearchReader(db.path)

    @property
    def is_read_only(self) -> bool:
        return self._db.is_read_only

    async def state(self) -> IndexState:
        """Return how much can be found already."""
        return await self._db.read(lambda conn: state(driver(conn)))

    async def fill_batch(self) -> int | None:
        """Index some of what waits. Returns the percentage that is done, None when nothing is left. Raises
        ``StorageError``."""
        percent = await self._write(search_index.fill_batch)
        if percent is None and await self._db.read(lambda conn: search_index.is_rewritten(driver(conn))):
            await self._empty_log()
        return percent

    async def _empty_log(self) -> None:
        if await self._db.empty_log():
            await self._write(search_index.forget_erased)

    async def mark_damaged(self) -> None:
        """Record that the index is damaged; the next ``fill_batch`` rebuilds it."""
        await self._write(search_index.mark_damaged)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._db.write(lambda conn: work(driver(conn)), is_durable=False)

    async def close(self) -> None:
        await self.reader.close()


def state(conn: sqlite3.Connection) -> IndexState:
    """Return how much can be found already."""
    if not other_schemas.has_search(conn):
        return IndexState(0, _NEW_SCHEMA)
    if search_index.read_meta(conn, search_index.DAMAGED) is not None:
        return IndexState(0, _DAMAGED)
    return IndexState(search_index.percent(conn))
