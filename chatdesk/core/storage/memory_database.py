"""Keeps a profile database in memory, for threads that are stored nowhere."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.clock import Clock
from chatdesk.core.errors import StorageError
from chatdesk.core.storage.engine import high_water, schema_upgrade
from chatdesk.core.storage.engine.connection import driver, open_in_memory
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.failures import translated

T = TypeVar("T")


class MemoryDatabase(Database):
    """A database that lives in memory and ends with ``close``: no file, no log, no mark. One thread reads and writes,
    since there is one connection. It has the schema and the rules of any other."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(Path(":memory:"), clock=clock, backup_dir=Path(":memory:"))
        self._decided = asyncio.Event()
        self._decided.set()

    async def open(self) -> None:
        await self._writer.run(self._open)

    def freeze(self) -> None:
        """Let every write wait from now on; those that were handed over are still carried out."""
        self._decided = asyncio.Event()

    def thaw(self) -> None:
        """Carry out the writes that wait."""
        self._decided.set()

    def retire(self, refusal: StorageError) -> None:
        """Refuse every write from now on, those that wait included."""
        self.is_read_only, self.refusal = True, refusal
        self._decided.set()

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        await self._decided.wait()
        return await super().write(work, is_durable=is_durable)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(self._read, work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        return self._writer.wait_for(self._read, work)

    async def image(self) -> bytes:
        """Return all of the database as SQLite would write it to a file, for ``export_reader.open_reader``."""
        return await self._writer.run(lambda: driver(self._writer.connection).serialize())

    def _open(self) -> None:
        self._writer.connect(open_in_memory)
        conn = self._writer.connection
        with conn.begin():
            schema_upgrade.create(conn)
            self._load_device(conn)

    def _read(self, work: Callable[[Connection], T]) -> T:
        conn = self._writer.connection
        try:
            with conn.begin():
                return work(conn)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise translated(error, self.path) from error

    def _reconnect(self) -> None:
        """Do nothing, because there is nothing to connect to again."""

    def _check_identity(self) -> None:
        """Do nothing: there is no file to exchange."""

    def _find_file(self) -> None:
        """Do nothing: there is no file to move."""

    def _write_mark(self, mark: high_water.HighWater) -> None:
        """Do nothing, because a mark says how far a file had come."""
