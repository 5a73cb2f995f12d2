"""A profile whose database is in memory: the real schema, repositories and sync, without threads or files.

Making one takes a millisecond, because it begins as a copy of a template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import recovery
from chatdesk.core.storage.chat.projects import ensure_default_project
from chatdesk.core.storage.engine import schema_upgrade, search_index, search_text, tables
from chatdesk.core.storage.engine.change_log import LogWatch, Origin
from chatdesk.core.storage.engine.connection import add_functions
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync import sharing, team
from chatdesk.core.storage.sync.store import SyncStore

T = TypeVar("T")


class MemoryDatabase:
    """Stands in for ``Database``: the same transactions, at once and in this thread. ``image``: what was there."""

    is_read_only = False

    def __init__(self, clock: Clock, image: bytes | None = None) -> None:
        self.clock = clock
        self.is_busy: Callable[[], bool] = lambda: False
        self.owner_token = new_id()
        self.log_watch = LogWatch()
        self.device_id = ""
        self.hybrid_clock = HybridClock(clock)
        self.raw = _connection(image if image is not None else _template())
        self._connection = _connected(self.raw)
        self.write_now(self._load_device)

    @property
    def origin(self) -> Origin:
        return Origin(self.device_id, self.clock, self.hybrid_clock, self.log_watch)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return self.read_now(work)

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        return self.write_now(work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        with self._connection.begin() as transaction:
            found = work(self._connection)
            transaction.rollback()
        return found

    def write_now(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        try:
            with self._connection.begin():
                result = work(self._connection)
                search_index.drain(self.raw)
        except BaseException:
            self.log_watch.discard()
            raise
        self.log_watch.publish()
        return result

    def start_write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> Callable[[], T]:
        """What it returns is there at once, or, where ``is_busy``, only made when it is waited for."""
        if self.is_busy():
            return lambda: self.write_now(work)
        done: T | None = None
        failure: Exception | None = None
        try:
            done = self.write_now(work)
        except Exception as error:  # noqa: BLE001 - for whoever waits
            failure = error

        def wait() -> T:
            if failure is not None:
                raise failure
            return done  # type: ignore[return-value]  # as the work has it

        return wait

    def image(self) -> bytes:
        """Everything that was committed."""
        return self.raw.serialize()

    def close(self) -> None:
        self._connection.close()

    def _load_device(self, conn: Connection) -> None:
        row = conn.exec_driver_sql("SELECT id, last_hlc FROM devices WHERE is_mine = 1").first()
        if row is None:
            self.device_id = new_id()
            conn.execute(tables.devices.insert().values(id=self.device_id, is_mine=1, created_at=self.clock.now_ms()))
        else:
            self.device_id = row[0]
            self.hybrid_clock = HybridClock(self.clock, last=row[1])
        ensure_default_project(conn, self.origin)
        recovery.recover_turns(conn, self.origin, self.owner_token)


class Profile:
    """One computer's ChatDesk, as far as sync knows it."""

    def __init__(self, clock: Clock, *, workspace_id: str, member_id: str, image: bytes | None = None) -> None:
        self.workspace_id = workspace_id
        self.member_id = member_id
        self.db = MemoryDatabase(clock, image)
        self.repositories = Repositories.of(self.db)  # type: ignore[arg-type]  # it has all that they use
        if image is None:
            workspace = Workspace(
                workspace_id, "Team", ServerAddress("team.example", 5432, "team", "x"), member_id, False, 1
            )
            self.db.write_now(lambda conn: team.add_workspace(conn, workspace))
        self.store = SyncStore(workspace_id, self.db, put_blob=lambda data: "0" * 64)

    def join_again(self) -> bool:
        """What *Connect again* does. Returns whether there was anything to be connected to."""

        def work(conn: Connection) -> bool:
            parked = team.parked(conn)
            for each in parked:
                team.add_workspace(conn, each)
            self.db.device_id = own_device(conn)
            return bool(parked)

        return self.db.write_now(work)

    def share(self, project_id: str, role: TeamRole = TeamRole.OWNER, *, joined_seq: int = 0) -> None:
        """What *Share* does once the server knows the project."""
        channel = f"ch_{project_id}"
        self.db.write_now(
            lambda conn: sharing.start(
                conn, self.db.origin, project_id, self.workspace_id, role, channel, joined_seq=joined_seq
            )
        )

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """A query of a test; whole transactions only."""
        return self.db.raw.execute(query, values).fetchall()


def now(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    work.close()
    message = "it waited"
    raise RuntimeError(message)


def _connection(image: bytes | None) -> sqlite3.Connection:
    raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
    raw.text_factory = lambda data: data.decode("utf-8", "replace")
    search_text.register(raw)
    add_functions(raw)
    if image is not None:
        raw.deserialize(image)
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA journal_mode=MEMORY")
    return raw


@cache
def _template() -> bytes:
    raw = _connection(None)
    with _connected(raw) as conn:
        with conn.begin():
            schema_upgrade.create(conn)
            search_index.drain(raw)
        return raw.serialize()


_waiting: list[sqlite3.Connection] = []


@cache
def _engine() -> Engine:
    """One for all profiles, because statements are compiled once an engine."""
    engine = create_engine("sqlite://", creator=_waiting.pop, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _connected(raw: sqlite3.Connection) -> Connection:
    _waiting.append(raw)
    return _engine().connect()
