"""How a connection to the profile database is made: pragmas, transactions, permissions.

Python's sqlite3 opens transactions on its own and late, which loses updates; so it is told not to, and SQLAlchemy's
``begin`` event opens them.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from chatdesk.core.storage import search_text

BUSY_TIMEOUT_S = 5.0


def writing_engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    """An engine whose every transaction is ``BEGIN IMMEDIATE``. Only one connection of it may exist at a time: it alone
    writes and checkpoints (SQLite before 3.51.3 can lose data when two connections reset the log).
    """

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")

    return _engine(str(path), prepare, begin="BEGIN IMMEDIATE", uri=False)


def reading_engine(path: Path, *, is_only_user: bool = False) -> Engine:
    """An engine that cannot write. ``is_only_user``: for a directory that cannot be written to, where the files that
    SQLite shares with writers cannot be made.
    """
    option = "immutable=1" if is_only_user else "mode=ro"

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-8000")

    return _engine(f"file:{quote(str(path))}?{option}", prepare, begin="BEGIN", uri=True)


def _engine(target: str, prepare: Any, *, begin: str, uri: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            target,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            uri=uri,
            cached_statements=256,
        )
        try:
            connection.text_factory = _decode
            search_text.register(connection)
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _decode(data: bytes) -> str:
    # One badly stored byte would otherwise make the whole SELECT fail.
    return data.decode("utf-8", "replace")


def make_private_directory(directory: Path) -> None:
    """Create ``directory`` for this user only. One that exists keeps its contents and loses others' rights."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and directory.stat().st_mode & 0o077:
        try:
            directory.chmod(0o700)
        except PermissionError:
            return  # somebody else's directory: its owner decides


def make_private_file(path: Path) -> None:
    """Create ``path`` empty if it is missing, readable by this user only. SQLite gives its log the same rights."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.close(descriptor)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at ``path``: device and inode; None if there is none that can be reached."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)
