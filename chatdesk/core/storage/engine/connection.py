"""Opens connections to a database file: pragmas, transactions, permissions.

Python's sqlite3 opens transactions on its own and late, which loses updates; so it is told not to, and SQLAlchemy's
``begin`` event opens them.

A database file may come from anywhere, and its schema is code: ``connect`` is the only way by which this program opens
one.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.engine import Connection as Connection  # for others: SQL has one gateway
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from chatdesk.core.paths import make_private_folder
from chatdesk.core.storage.engine import schema_guard, search_text
from chatdesk.core.system.ending_signals import interrupt_by

BUSY_TIMEOUT_S = 5.0
# How a file is opened: for writing, creating it if missing; for reading beside writers; for reading in a folder without
# write access.
Mode = Literal["write", "read", "immutable"]
# The columns that hold bytes; a test compares them with the tables.
BINARY_COLUMNS: Final = frozenset(("seal", "digest", "chain", "signs", "vector", "probe"))
# The SQL function that replaces text that is not valid Unicode.
UNICODE_INSTEAD: Final = "unicode_instead"
_OPTIONS: Final[dict[Mode, str]] = {"write": "mode=rwc", "read": "mode=ro", "immutable": "immutable=1"}


_MALFORMED: Final = "malformed database schema"


class _Cursor(sqlite3.Cursor):
    """A cursor that raises an error of the database where the sqlite3 module raises ``UnicodeDecodeError``: SQLite's
    own sentence repeats words of the file's schema, and those of a damaged one may be no text."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        try:
            return super().execute(sql, parameters)
        except UnicodeDecodeError as error:
            raise _database_error(sqlite3.DatabaseError, _MALFORMED, sqlite3.SQLITE_CORRUPT) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        try:
            return super().executemany(sql, parameters)
        except UnicodeDecodeError as error:
            raise _database_error(sqlite3.DatabaseError, _MALFORMED, sqlite3.SQLITE_CORRUPT) from error


class _Connection(sqlite3.Connection):
    """A connection that makes ``_Cursor`` objects."""

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return self.cursor().execute(sql, parameters)  # type: ignore[no-any-return]

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        return self.cursor().executemany(sql, parameters)  # type: ignore[no-any-return]


_open_connections: Final[WeakSet[sqlite3.Connection]] = WeakSet()
_open_lock: Final = threading.Lock()


def _interrupt_all() -> None:
    with _open_lock:
        found = list(_open_connections)
    for conn in found:
        with suppress(sqlite3.ProgrammingError):  # it is closed
            conn.interrupt()


interrupt_by(_interrupt_all)


def _database_error(kind: type[sqlite3.DatabaseError], message: str, code: int) -> sqlite3.DatabaseError:
    error = kind(message)
    error.sqlite_errorcode = code
    return error


def connect(
    path: Path | None, mode: Mode, *, is_shared: bool = False, cached_statements: int = 128, is_raw: bool = False
) -> sqlite3.Connection:
    """Open a file of unknown origin; None: a database in memory. ``is_shared``: threads use it, one at a time.
    ``is_raw``: values are as they are stored, also those that their columns cannot hold.

    What is in its schema runs with the least rights that SQLite knows: triggers and views may not call functions of
    ours or any with side effects, sizes of cells are checked before they are believed, and where Python can ask for it
    (3.12), nothing damages the file by SQL.
    """
    if path is not None and path.exists() and not path.is_file():  # opening a pipe would block
        raise _database_error(sqlite3.OperationalError, "not a file", sqlite3.SQLITE_CANTOPEN)
    target = ":memory:" if path is None else f"file:{quote(str(path))}?{_OPTIONS[mode]}"
    conn = sqlite3.connect(
        target,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=not is_shared,
        uri=path is not None,
        cached_statements=cached_statements,
        factory=_Connection,
        detect_types=0 if is_raw else sqlite3.PARSE_DECLTYPES,
    )
    with _open_lock:
        _open_connections.add(conn)
    try:
        conn.text_factory = _decode
        conn.row_factory = None if is_raw else _readable
        add_functions(conn)
        conn.execute("PRAGMA trusted_schema=OFF")
        conn.execute("PRAGMA cell_size_check=ON")
        set_defensive(conn, is_on=True)
    except BaseException:
        conn.close()
        raise
    return conn


def connect_to_read(path: Path, *, is_shared: bool = False) -> sqlite3.Connection:
    """Open a database for reading, also in a read-only directory. There, its log, if it has one, is not read."""
    conn = connect(path, "read", is_shared=is_shared)
    try:
        conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except BaseException as error:
        conn.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        return connect(path, "immutable", is_shared=is_shared)
    return conn


def driver(conn: Connection) -> sqlite3.Connection:
    """Return the sqlite3 connection below, for many small statements."""
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def fetch_all(conn: Connection, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a statement that reads, for many rows. SQLite's own way to text is the quicker one; it fails
    at a badly stored byte, and then all is read again."""
    raw = driver(conn)
    raw.text_factory = str
    try:
        return raw.execute(statement, values).fetchall()
    except sqlite3.OperationalError:
        raw.text_factory = _decode
        return raw.execute(statement, values).fetchall()
    finally:
        raw.text_factory = _decode


def insert_row(conn: Connection, table: Table, /, **values: Any) -> None:
    """Insert one row. The values are bound, not built into the statement, which takes three times as long."""
    conn.execute(table.insert(), values)


@contextmanager
def trusting(conn: sqlite3.Connection) -> Iterator[None]:
    """Trust the schema within the block: for statements of FTS5 that read through the index's views, which call a
    function of ours, or that repair its own tables."""
    was_trusting = conn.execute("PRAGMA trusted_schema").fetchone()[0]
    set_defensive(conn, is_on=False)
    conn.execute("PRAGMA trusted_schema=ON")
    try:
        yield
    finally:
        conn.execute(f"PRAGMA trusted_schema={was_trusting}")
        set_defensive(conn, is_on=True)


def set_defensive(conn: sqlite3.Connection, *, is_on: bool) -> None:
    """Set whether SQL is kept away from the file's own bookkeeping. Has no effect before Python 3.12."""
    if hasattr(conn, "setconfig"):  # since Python 3.12
        conn.setconfig(getattr(sqlite3, "SQLITE_DBCONFIG_DEFENSIVE"), is_on)  # noqa: B009 - unknown to older stubs


def open_to_write(path: Path, *, foreign_keys: bool = True) -> Connection:
    """Return a connection whose every transaction is ``BEGIN IMMEDIATE``. Only one of a file may be open at a time: it
    alone writes and checkpoints (SQLite before 3.51.3 can lose data when two connections reset the log).

    The triggers of the search index call functions of JSON, which SQLite counts as unsafe; so a schema is trusted here,
    once it was found to be ours to the letter. Raises ``StorageCorrupt`` for any other.
    """

    def prepare(connection: sqlite3.Connection) -> None:
        schema_guard.check(connection)
        connection.execute("PRAGMA trusted_schema=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # overwrites erased text in free pages, too
        connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")

    return _open(path, "write", prepare, begin="BEGIN IMMEDIATE")


@contextmanager
def unused_database(path: Path) -> Iterator[Connection]:
    """Open one transaction in a database that no other connection uses, such as a new one. It writes no log file,
    and foreign keys are not checked."""
    with open_to_write(path, foreign_keys=False) as conn:
        driver(conn).execute("PRAGMA journal_mode=DELETE")
        with conn.begin():
            yield conn


def open_to_read(path: Path, *, is_only_user: bool = False) -> Connection:
    """Return a connection that cannot write. ``is_only_user``: for a directory that cannot be written to, where the
    files that SQLite shares with writers cannot be made."""

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-8000")

    return _open(path, "immutable" if is_only_user else "read", prepare, begin="BEGIN")


def open_image(image: bytes) -> Connection:
    """Return a connection that cannot write, to the bytes that ``sqlite3.Connection.serialize`` gave."""

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.deserialize(image)
        connection.execute("PRAGMA query_only=ON")

    return _open(None, "write", prepare, begin="BEGIN")


def open_in_memory() -> Connection:
    """Return a connection to a new database in memory, which ends with the connection. Nothing reaches a disk, not
    even SQLite's temporary data."""

    def prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA trusted_schema=ON")
        connection.execute("PRAGMA foreign_keys=ON")

    return _open(None, "write", prepare, begin="BEGIN IMMEDIATE")


def _open(path: Path | None, mode: Mode, prepare: Callable[[sqlite3.Connection], None], *, begin: str) -> Connection:
    raw = connect(path, mode, is_shared=True, cached_statements=256)
    try:
        search_text.register(raw)
        prepare(raw)
        _handed.connection, _handed.begin = raw, begin
        return _engine().connect()
    except BaseException:
        raw.close()
        raise


# The connection that the engine takes next on this thread, and the statement that begins its transactions.
_handed: Final = threading.local()


@cache
def _engine() -> Engine:
    """Return the one engine of all databases: SQLAlchemy compiles a statement once for each engine."""
    engine = create_engine("sqlite://", creator=lambda: _handed.__dict__.pop("connection"), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        record.info["begin"] = _handed.begin

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        driver(connection).execute(connection.info["begin"])

    return engine


# SQLite stores any type in any column. Reads convert each value to its declared type, so that one damaged or foreign
# value does not hide all other rows.


def _decode(data: bytes) -> str:
    # One badly stored byte would otherwise make the whole SELECT fail.
    return data.decode("utf-8", "replace")


def add_functions(conn: sqlite3.Connection) -> None:
    """Give a connection the functions that statements of ours call."""
    conn.create_function(UNICODE_INSTEAD, 1, _unicode_instead, deterministic=True)


def _unicode_instead(data: bytes | None) -> str | None:
    """Return a replacement for stored bytes that are not valid Unicode; None if they are valid."""
    text = _decode(data or b"")
    return text if "\ufffd" in text and text.encode() != data else None


def _readable(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row in which bytes that stand in the place of a text are one."""
    if bytes not in map(type, row):
        return row
    return tuple(
        _decode(value) if type(value) is bytes and column[0] not in BINARY_COLUMNS else value
        for column, value in zip(cursor.description, row, strict=True)
    )


def _whole_number(stored: bytes) -> int:
    try:
        return int(stored)
    except ValueError:
        return 0


def _number(stored: bytes) -> float:
    try:
        found = float(stored)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


# By the types that columns of ``tables`` are declared with; for the connections of this module alone.
sqlite3.register_converter("INTEGER", _whole_number)
sqlite3.register_converter("FLOAT", _number)


def make_private_directory(directory: Path) -> None:
    """Create ``directory`` for this user only. One that exists keeps its contents and loses others' rights."""
    make_private_folder(directory)
    if os.name == "posix" and directory.stat().st_mode & 0o077:
        try:
            directory.chmod(0o700)
        except PermissionError:
            return  # the owner of the directory decides


def make_private_file(path: Path) -> None:
    """Create ``path`` empty if it is missing, readable by this user only. SQLite gives its log the same rights."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.close(descriptor)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of the file at ``path``; None if none can be reached."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)
