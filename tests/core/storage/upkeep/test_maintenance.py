"""The daily check and backup: what they find, when they run, and that nobody waits for them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.errors import StorageCorrupt, StorageFull, StorageReplaced
from chatdesk.core.storage.engine.connection import connect_to_read
from chatdesk.core.storage.upkeep import backup_files
from chatdesk.core.storage.upkeep import maintenance as maintenance_module
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.maintenance import Maintenance, UpkeepReport
from tests.helpers.store import Store

DAY_MS = 24 * 60 * 60 * 1000


def _backups(store: Store) -> BackupDirectory:
    return BackupDirectory(store.path.parent / "backups", "chatdesk", daily=7, weekly=4)


@pytest.fixture
async def maintenance(store: Store) -> AsyncIterator[Maintenance]:
    keeper = Maintenance(store.path, _backups(store), store.clock)
    yield keeper
    await keeper.close()


async def _fill(store: Store, size: int = 300) -> None:
    thread = await store.thread()
    for number in range(size):
        await store.messages.add_question(thread, f"{number} " + "x" * 500, with_answer=None)


def _damage(path: Path) -> None:
    """Trash a page of the table of parts, as a bad sector would."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page_bytes = conn.execute("PRAGMA page_size").fetchone()[0]
        root = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message_parts'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xa5" * page_bytes)


async def test_a_sound_database_is_checked_and_backed_up_once_a_day(store: Store, maintenance: Maintenance) -> None:
    await _fill(store, 3)
    first = await maintenance.run_due()
    assert first.is_checked
    assert first.problem is None
    assert first.backup is not None
    assert await maintenance.run_due() == UpkeepReport()
    store.clock.now += DAY_MS
    second = await maintenance.run_due()
    assert second.is_checked
    assert second.backup is not None
    assert second.backup != first.backup
    plain = store.path.with_name("unpacked.db")
    backup_files.unpack(second.backup, plain, is_room=lambda _count: None)
    with closing(sqlite3.connect(plain)) as kept:
        assert kept.execute("SELECT count(*) FROM messages").fetchone() == (3,)


async def test_the_check_is_remembered_by_the_next_process_and_its_lost_note_means_one_more(
    store: Store, maintenance: Maintenance
) -> None:
    await maintenance.run_due()
    again = Maintenance(store.path, _backups(store), store.clock)
    assert await again.run_due() == UpkeepReport()
    store.path.with_name("chatdesk.db.checked").write_text("{")
    report = await again.run_due()
    await again.close()
    assert report == UpkeepReport(is_checked=True)


async def test_damage_is_told_with_the_newest_backup_and_is_not_backed_up(
    store: Store, maintenance: Maintenance
) -> None:
    await _fill(store)
    good = (await maintenance.run_due()).backup
    await store.db.close()
    _damage(store.path)
    store.clock.now += DAY_MS
    for _ in range(2):  # it is looked for again until it is gone
        report = await maintenance.run_due()
        assert isinstance(report.problem, StorageCorrupt)
        assert str(good) in report.problem.sentence
        assert report.backup is None
    assert [each.path for each in _backups(store).kept()] == [good]


async def test_damage_without_any_backup_says_so(store: Store, maintenance: Maintenance) -> None:
    await _fill(store)
    await store.db.close()
    _damage(store.path)
    report = await maintenance.run_due()
    assert report.problem is not None
    assert "there is no backup yet" in report.problem.sentence


async def test_a_full_disk_is_told_and_tried_again(
    store: Store, maintenance: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("chatdesk.core.storage.upkeep.backup_directory._SPARE_BYTES", 10**18)
        report = await maintenance.run_due()
    assert isinstance(report.problem, StorageFull)
    assert (await maintenance.run_due()).backup is not None


async def test_an_older_file_in_the_databases_place_does_not_push_out_good_backups(
    store: Store, maintenance: Maintenance, tmp_path: Path
) -> None:
    await store.db.back_up(tmp_path / "old.db")
    await _fill(store, 2)
    await store.db.close()
    store.path.write_bytes((tmp_path / "old.db").read_bytes())
    assert isinstance((await maintenance.run_due()).problem, StorageReplaced)
    assert _backups(store).kept() == []


async def test_a_database_that_went_away_is_a_sentence(store: Store, maintenance: Maintenance) -> None:
    await store.db.close()
    store.path.unlink()
    report = await maintenance.run_due()
    assert report.problem is not None
    assert report.backup is None


async def test_reading_and_writing_go_on_while_it_works(
    store: Store, maintenance: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held up in the middle of a backup, it holds up nobody."""
    import threading

    is_there, may_go = threading.Event(), threading.Event()

    def hold(*_arguments: object) -> None:
        is_there.set()
        assert may_go.wait(20)

    monkeypatch.setattr("chatdesk.core.storage.engine.backup._verify", hold)
    working = asyncio.create_task(maintenance.run_due())
    await asyncio.to_thread(is_there.wait, 20)
    thread = await store.thread("meanwhile")
    await store.ask(thread)
    assert len(await store.shown(thread)) == 2
    may_go.set()
    assert (await working).backup is not None


async def test_closing_breaks_a_check_off_without_a_complaint(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Maintenance(store.path, _backups(store), store.clock)
    closing_now: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    has_begun_closing = threading.Event()

    def close() -> None:
        closing_now.append(loop.create_task(keeper.close()))
        loop.call_soon(has_begun_closing.set)  # after the first step of the task

    def close_meanwhile() -> int:
        if not closing_now:
            loop.call_soon_threadsafe(close)
            has_begun_closing.wait(20)
        return 0

    def connect_and_close(*arguments: Any, **options: Any) -> sqlite3.Connection:
        conn = connect_to_read(*arguments, **options)
        conn.set_progress_handler(close_meanwhile, 1)
        return conn

    await _fill(store)
    monkeypatch.setattr(maintenance_module, "connect_to_read", connect_and_close)
    report = await keeper.run_due()
    await asyncio.gather(*closing_now)
    assert closing_now
    assert report == UpkeepReport()  # neither checked nor a complaint
    assert await keeper.run_due() == UpkeepReport()
