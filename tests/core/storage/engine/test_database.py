"""Opening, committing and what must never be taken for an empty profile."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import StreamChunk
from chatdesk.core.errors import (
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageGone,
    StorageMissing,
    StorageReadOnly,
    StorageReplaced,
)
from chatdesk.core.storage.engine import database, failures, high_water, owner_token
from chatdesk.core.storage.engine.connection import driver, open_to_read, open_to_write
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.helpers.checks import integrity_check, quick_check
from tests.helpers.counters import recounted
from tests.helpers.store import PLAN, MovableClock, Store


def _database(path: Path, clock: MovableClock, **options: bool) -> ProfileDatabase:
    return ProfileDatabase(path, clock=clock, backup_dir=path.parent / "backups", **options)


async def _refused(db: Database, error: type[StorageError]) -> StorageError:
    try:
        with pytest.raises(error) as caught:
            await db.open()
        return caught.value
    finally:
        await db.close()


async def test_files_are_for_their_owner_only(store: Store) -> None:
    await store.thread()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir() if path.is_file()}
    assert set(modes) >= {"chatdesk.db", "chatdesk.db-wal", "chatdesk.db-shm", "chatdesk.db.mark"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


async def test_the_writer_is_set_up_as_promised(store: Store) -> None:
    def pragmas(conn: Connection) -> list[object]:
        return [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys", "synchronous")
        ]

    assert await store.db.write(pragmas) == ["wal", 1, 2]
    assert await store.db.write(pragmas, is_durable=False) == ["wal", 1, 1]
    assert await store.db.write(pragmas) == ["wal", 1, 2]


async def test_the_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StorageReadOnly):
        await store.db.read(lambda conn: conn.exec_driver_sql("DELETE FROM threads"))


async def test_statements_are_compiled_once_for_all_databases(store: Store, clock: MovableClock) -> None:
    other = _database(store.path.parent / "other" / "chatdesk.db", clock)
    await other.open()
    reader, writer = await store.db.read(lambda conn: conn.engine), await other.write(lambda conn: conn.engine)
    await other.close()
    assert reader is writer


async def test_read_then_write_is_atomic_between_processes(store: Store, clock: MovableClock) -> None:
    other = _database(store.path, clock)
    await other.open()

    def increment(conn: Connection) -> None:
        value = conn.exec_driver_sql("SELECT value FROM meta WHERE key = 'n'").scalar()
        conn.exec_driver_sql("INSERT OR REPLACE INTO meta VALUES ('n', ?)", (str(int(value or 0) + 1),))

    await asyncio.gather(*(db.write(increment, is_durable=False) for db in (store.db, other) for _ in range(40)))
    await other.close()
    found = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT value FROM meta WHERE key = 'n'").scalar())
    assert found == "80"


async def test_a_failed_write_leaves_nothing_behind(store: Store) -> None:
    def work(conn: Connection) -> None:
        conn.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
        raise LookupError

    with pytest.raises(LookupError):
        await store.db.write(work)
    assert await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM meta").scalar()) == 0


async def test_a_write_is_carried_out_although_its_task_is_cancelled(store: Store) -> None:
    thread = await store.thread()
    task = asyncio.ensure_future(store.messages.add_question(thread, "kept", with_answer=None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.reopen()
    assert await store.shown(thread) == ["kept"]


async def test_a_write_that_was_begun_is_carried_out_before_later_ones(store: Store) -> None:
    def tell(conn: Connection, place: int) -> int:
        conn.exec_driver_sql("INSERT INTO meta (key, value) VALUES (?, ?)", (f"begun {place}", str(place)))
        return place

    held = threading.Event()
    waits = [
        store.db.start_write(lambda conn: held.wait(20) and tell(conn, 1)),
        store.db.start_write(lambda conn: tell(conn, 1)),  # fails: it is there
        store.db.start_write(lambda conn: tell(conn, 2)),
    ]
    held.set()
    keys = await store.db.write(
        lambda conn: conn.exec_driver_sql("SELECT key FROM meta WHERE key LIKE 'begun %' ORDER BY key").scalars().all()
    )
    assert keys == ["begun 1", "begun 2"]
    assert (waits[0](), waits[2]()) == (1, 2)
    with pytest.raises(StorageError):
        waits[1]()


async def test_a_missing_file_where_a_database_was_is_not_replaced(store: Store, clock: MovableClock) -> None:
    await store.db.close()
    for make_empty in (False, True):
        store.path.unlink(missing_ok=True)
        if make_empty:
            store.path.touch()
        await _refused(_database(store.path, clock), StorageMissing)
        assert store.path.exists() == make_empty


async def test_a_damaged_mark_still_tells_that_a_database_was_here(store: Store, clock: MovableClock) -> None:
    await store.db.close()
    store.path.unlink()
    high_water.mark_path(store.path).write_text("{", "utf-8")
    await _refused(_database(store.path, clock), StorageMissing)


async def test_a_log_without_its_database_is_not_a_first_start(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "chatdesk.db"
    path.with_name("chatdesk.db-wal").write_bytes(b"something")
    await _refused(_database(path, clock), StorageMissing)


async def test_a_lost_log_is_reported_until_the_person_was_told(
    store: Store, tmp_path: Path, clock: MovableClock
) -> None:
    thread = await store.thread()
    saved = tmp_path / "saved.db"
    await store.db.back_up(saved)
    await store.ask(thread)
    await store.db.close()
    store.path.write_bytes(saved.read_bytes())
    store.reset()
    report = await store.db.open()
    assert report.warning is not None
    assert "2 messages may be missing" in report.warning
    await store.threads.rename(thread, "Written since")
    assert "2 messages" in (await store.reopen()).warning  # type: ignore[attr-defined]
    store.db.forget_loss()
    await store.threads.rename(thread, "Written later")
    assert (await store.reopen()).warning is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_the_loss_of_a_single_commit_is_noticed(
    store: Store, tmp_path: Path, clock: MovableClock, *, lost: int, read_only: bool
) -> None:
    kept = 2 - lost
    states = tmp_path / "states"
    states.mkdir()
    other = await store.thread("Other")
    for number in range(3):
        for ending in ("", "-wal"):
            path = store.path.with_name(store.path.name + ending)
            (states / f"{number}{ending}").write_bytes(path.read_bytes())
        if number < 2:
            await store.threads.rename(other, f"Other {number}")
    await store.db.close()
    for ending in ("", "-wal"):
        store.path.with_name(store.path.name + ending).write_bytes((states / f"{kept}{ending}").read_bytes())
    again = _database(store.path, clock, read_only=read_only)
    try:
        warning = (await again.open()).warning
    finally:
        await again.close()
    assert (warning is not None) is (lost > 0)
    if warning is not None:
        assert "the last changes may be missing" in warning


@pytest.mark.parametrize("is_copied", [False, True])
async def test_a_file_that_was_moved_away_takes_writes_again_when_it_is_back(store: Store, is_copied: bool) -> None:
    """Also as another file that holds the same, as a drive has that is mounted again."""
    thread = await store.thread("Before")
    if is_copied:
        await store.reopen()
        await store.threads.rename(thread, "In the log")
    moved = store.path.with_name("moved.db")
    store.path.rename(moved)
    for _ in range(2):
        with pytest.raises(StorageGone):
            await store.threads.rename(thread, "lost")
    assert not store.path.exists()
    if is_copied:
        store.path.write_bytes(moved.read_bytes())
    else:
        moved.replace(store.path)
    for title in ("After", "Later"):
        await store.threads.rename(thread, title)
        assert (await store.threads.get(thread)).title == title
    assert await integrity_check(store.db) == []
    report = await store.reopen()
    assert report.warning is None  # type: ignore[attr-defined]
    assert (await store.threads.get(thread)).title == "Later"


@pytest.mark.parametrize("other", ["older", "foreign", "empty"])
async def test_another_file_in_its_place_takes_no_writes(
    store: Store, tmp_path: Path, clock: MovableClock, other: str
) -> None:
    await store.reopen()  # everything so far is in the file itself
    older = store.path.read_bytes()
    thread = await store.thread("Before")
    stranger = Store(tmp_path / "stranger" / "chatdesk.db", clock)
    await stranger.db.open()
    await stranger.db.close()
    content = {"older": older, "foreign": stranger.path.read_bytes(), "empty": b""}[other]
    drive, gone = store.path.parent, tmp_path / "gone"
    drive.rename(gone)
    drive.mkdir()
    store.path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StorageReplaced) as caught:
            await store.threads.rename(thread, "refused")
        assert not isinstance(caught.value, StorageGone)
    assert store.path.read_bytes() == content
    store.path.unlink()
    for beside in drive.iterdir():
        beside.unlink()
    drive.rmdir()
    gone.rename(drive)
    await store.threads.rename(thread, "After")
    assert (await store.threads.get(thread)).title == "After"
    assert await integrity_check(store.db) == []


async def test_what_was_committed_as_the_file_went_is_not_written_twice(store: Store) -> None:
    """Who asked was told that it is not saved, and it is: nothing goes on by itself then."""
    thread = await store.thread("Before")
    moved = store.path.with_name("moved.db")
    statements: list[str] = []

    def trace(statement: str) -> None:
        statements.append(statement)
        if statement == "COMMIT" and any(each.startswith("UPDATE threads") for each in statements):
            store.path.rename(moved)  # after all that is looked at before a commit

    await store.db.write(lambda conn: driver(conn).set_trace_callback(trace))
    with pytest.raises(StorageGone):
        await store.threads.rename(thread, "After")
    moved.replace(store.path)
    with pytest.raises(StorageReplaced):
        await store.threads.rename(thread, "Later")
    await store.reopen()
    assert (await store.threads.get(thread)).title == "After"


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, clock: MovableClock, content: bytes) -> None:
    path = tmp_path / "chatdesk.db"
    path.write_bytes(content)
    await _refused(_database(path, clock), StorageCorrupt)
    assert path.read_bytes() == content


async def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "chatdesk.db"
    path.mkdir()
    await _refused(_database(path, clock), StorageError)
    assert "is a directory" in failures.cannot_open(path).what
    assert "does not exist" in failures.cannot_open(path / "a" / "b.db").what
    assert "can be created" in failures.cannot_open(tmp_path / "b.db").what


async def test_a_reader_sees_what_another_process_writes(store: Store, clock: MovableClock) -> None:
    reader = Store(store.path, clock)
    reader.use(_database(store.path, clock, read_only=True))
    await reader.db.open()
    thread = await store.thread("seen")
    assert (await reader.threads.get(thread)).title == "seen"
    with pytest.raises(StorageError, match="another program"):
        await reader.threads.rename(thread, "x")
    await reader.db.close()
    assert (await store.threads.rename(thread, "still ours")).title == "still ours"


async def test_a_reader_does_not_create_anything(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "none" / "chatdesk.db"
    error = await _refused(_database(path, clock, read_only=True), StorageMissing)
    assert str(path) in error.what
    assert not path.parent.exists()


async def test_a_reader_opens_a_database_that_was_closed(store: Store, clock: MovableClock) -> None:
    await store.thread()
    await store.db.close()
    before = store.path.read_bytes()
    reader = _database(store.path, clock, read_only=True)
    await reader.open()
    assert await quick_check(reader) == []
    await reader.close()
    assert store.path.read_bytes() == before


async def test_turns_of_a_dead_process_are_interrupted_with_their_text(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.start_streaming(answer.id, 1)
    await store.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "so far")])
    report = await store.reopen()
    assert report.recovered_turns == 1  # type: ignore[attr-defined]
    found = await store.messages.get(answer.id)
    assert (found.status, found.text) == (Status.INTERRUPTED, "so far")
    assert await recounted(store.db, thread) == await store.threads.get(thread)
    assert await integrity_check(store.db) == []


async def test_turns_of_a_living_process_are_left_alone(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        token = f"{process.pid}:{owner_token.started(process.pid)}:x"
        assert owner_token.is_alive(token) == sys.platform.startswith("linux")
        process.communicate(b"\n")
    assert not owner_token.is_alive(token)
    assert not owner_token.is_alive(owner_token.make())
    assert not owner_token.is_alive(None)
    assert not owner_token.is_alive("nonsense")


async def test_changed_text_is_found_by_its_digest(store: Store) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET content = replace(content, 'q', 'Q') WHERE message_id = ?", (question,)
        )
    )
    assert await quick_check(store.db) == []
    assert await integrity_check(store.db) == [f"The text of message {question} is not what was saved."]


@contextmanager
def full_disk(largest: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    import resource
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs RLIMIT_FSIZE")
async def test_a_backup_is_whole_and_an_old_one_survives_a_failed_one(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.ask(thread)
    target = tmp_path / "backups" / "one.db"
    await store.db.back_up(target)
    with closing(sqlite3.connect(target)) as conn:
        assert conn.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    before = target.read_bytes()
    with full_disk(50_000), pytest.raises(StorageError):
        await store.db.back_up(target)
    assert target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target]


async def test_badly_stored_bytes_do_not_hide_the_rest(store: Store) -> None:
    thread = await store.thread()
    await store.db.write(
        lambda conn: conn.exec_driver_sql("UPDATE threads SET title = CAST(x'61ff62' AS TEXT), tool_counts = '['")
    )
    assert (await store.threads.get(thread)).title == "a\ufffdb"


async def test_stamps_grow_although_the_clock_was_set_back(store: Store) -> None:
    await store.thread()
    before = store.db.hybrid_clock.next()
    await store.thread()
    store.clock.now -= 365 * 24 * 3600 * 1000
    await store.reopen()
    assert store.db.hybrid_clock.next() > before


async def test_a_closed_database_says_so(store: Store) -> None:
    await store.db.close()
    await store.db.close()
    with pytest.raises(StorageError, match="closed"):
        await store.projects.list()


@pytest.mark.parametrize(
    ("code", "error"),
    [(5, StorageBusy), (8, StorageReadOnly), (1544, StorageReadOnly), (13, StorageFull), (11, StorageCorrupt)],
)
def test_sqlite_codes_become_our_errors(code: int, error: type[StorageError]) -> None:
    original = sqlite3.OperationalError("x")
    original.sqlite_errorcode = code
    assert type(failures.translated(OperationalError("SELECT", {}, original))) is error
    assert type(failures.translated(original)) is error


def test_an_input_output_error_has_its_own_sentence() -> None:
    original = sqlite3.OperationalError("disk I/O error")
    original.sqlite_errorcode = 1034
    assert failures.is_io_error(original)
    assert "disk reported" in failures.translated(original).what
    assert type(failures.translated(OSError(28, "full"))) is StorageFull
    assert type(failures.translated(PermissionError(13, "no"))) is StorageReadOnly


async def test_after_an_input_output_error_the_connection_is_new(store: Store) -> None:
    thread = await store.thread()
    seen: list[object] = []

    def fail(conn: Connection) -> None:
        seen.append(conn)
        original = sqlite3.OperationalError("disk I/O error")
        original.sqlite_errorcode = 778
        raise OperationalError("INSERT", {}, original)

    with pytest.raises(StorageError, match="disk reported"):
        await store.db.write(fail)
    await store.db.write(seen.append)
    assert seen[0] is not seen[1]
    assert (await store.threads.rename(thread, "goes on")).title == "goes on"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs RLIMIT_FSIZE")
async def test_a_full_disk_loses_nothing_that_was_saved(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread, "before")
    with full_disk(300_000):
        with pytest.raises(StorageError):
            await store.messages.add_question(thread, "x" * 900_000, with_answer=None)
        assert await store.shown(thread) == ["before", "answer to before"]
    await store.ask(thread, "after")
    assert (await store.shown(thread))[2] == "after"


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR | (3 << 8), sqlite3.SQLITE_READONLY])
async def test_writing_goes_on_once_the_disk_works_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """While a disk refuses to be written to, SQLite opens a file to read, without a word."""
    refusals = 2

    def open_to_read_for_now(path: Path) -> Connection:
        nonlocal refusals
        refusals -= 1
        return open_to_read(path) if refusals >= 0 else open_to_write(path)

    def fail(_conn: Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    thread = await store.thread()
    assert await store.db.can_write()
    monkeypatch.setattr(database, "open_to_write", open_to_read_for_now)
    with pytest.raises(StorageError):
        await store.db.write(fail)
    assert not await store.db.can_write()
    await store.ask(thread, "precious")
    assert await store.db.can_write()
    assert "precious" in await store.shown(thread)


async def test_it_is_tried_whether_writing_works_again(store: Store) -> None:
    def fill(_conn: Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    assert await store.db.can_write()
    with pytest.raises(StorageError):
        await store.db.write(fill)
    assert await store.db.can_write()
