"""Regular backups: which are kept, when the next is due, and what a kill or a full disk leaves."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.errors import StorageFull
from chatdesk.core.storage.upkeep import backup_files
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory, KeptBackup, superfluous
from tests.helpers.make_old_database import make

DAY_MS = 24 * 60 * 60 * 1000
NOON = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)  # a Monday


def _backups(directory: Path, *, daily: int = 7, weekly: int = 4) -> BackupDirectory:
    return BackupDirectory(directory / "backups", "chatdesk", daily=daily, weekly=weekly)


def _source(directory: Path) -> sqlite3.Connection:
    path = directory / "chatdesk.db"
    if not path.exists():
        make(path, "0013")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def _opened(backup: Path) -> sqlite3.Connection:
    plain = backup.parent.parent / f"{backup.name}.unpacked"
    backup_files.unpack(backup, plain, is_room=lambda _count: None)
    return sqlite3.connect(plain)


def _numbers(backups: BackupDirectory) -> list[int]:
    return [each.number for each in backups.kept()]


def test_seven_days_and_four_weeks_are_kept(tmp_path: Path) -> None:
    backups = _backups(tmp_path)
    with closing(_source(tmp_path)) as source:
        for day in range(60):
            now = NOON + day * DAY_MS
            assert backups.is_due(now)
            made = backups.add(source, now)
            assert not backups.is_due(now + DAY_MS - 1000)
            assert backups.kept()[-1].path == made
    # Number 1 is a Monday: before the newest seven, the last one of that week and three Sundays.
    assert _numbers(backups) == [35, 42, 49, 53, *range(54, 61)]
    with closing(_opened(backups.kept()[0].path)) as kept:
        assert kept.execute("SELECT count(*) FROM messages").fetchone() == (30,)


def test_a_backup_is_its_owners_only_and_whole(tmp_path: Path) -> None:
    with closing(_source(tmp_path)) as source:
        made = _backups(tmp_path).add(source, NOON)
    assert made.name == "chatdesk-000001-20260302T120000Z.db.gz"
    assert sorted(path.name for path in made.parent.iterdir()) == [made.name, f"{made.name}.files"]
    if os.name == "posix":
        assert made.stat().st_mode & 0o077 == 0
        assert made.parent.stat().st_mode & 0o077 == 0


def test_a_clock_that_jumps_neither_stops_backups_nor_throws_the_new_ones_away(tmp_path: Path) -> None:
    backups = _backups(tmp_path, daily=3, weekly=0)
    year = 365 * DAY_MS
    with closing(_source(tmp_path)) as source:
        for now in (NOON, NOON + year, NOON + year + DAY_MS, NOON + DAY_MS, 0, NOON + 2 * DAY_MS):
            assert backups.is_due(now)
            backups.add(source, now)
    assert _numbers(backups) == [4, 5, 6]


@given(
    st.lists(st.integers(0, 400), max_size=60),
    st.integers(1, 9),
    st.integers(0, 5),
)
def test_the_newest_are_never_given_up_and_never_more_than_wanted_are_kept(
    days: list[int], daily: int, weekly: int
) -> None:
    kept = [KeptBackup(Path(str(n)), n, NOON + day * DAY_MS) for n, day in enumerate(days)]
    given_up = superfluous(kept, daily=daily, weekly=weekly)
    left = [each for each in kept if each not in given_up]
    assert left[-daily:] == kept[-daily:]
    assert len(left) <= daily + weekly
    assert superfluous(left, daily=daily, weekly=weekly) == []


def test_other_files_beside_backups_are_left_alone(tmp_path: Path) -> None:
    backups = _backups(tmp_path, daily=1, weekly=0)
    backups.directory.mkdir()
    strange = ("chatdesk-pre-0002-from-0001.db", "notes.txt", "chatdesk-000001-20269999T120000Z.db", "other-1.db.new")
    for name in strange:
        (backups.directory / name).write_text("kept")
    with closing(_source(tmp_path)) as source:
        backups.add(source, NOON)
        backups.add(source, NOON + DAY_MS)
    assert _numbers(backups) == [2]
    assert all((backups.directory / name).read_text() == "kept" for name in strange)


def test_without_room_nothing_is_begun_and_the_old_backups_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = _backups(tmp_path, daily=1)
    usage = namedtuple("usage", "total used free")
    with closing(_source(tmp_path)) as source:
        backups.add(source, NOON)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1, 1, 1_000_000))
        with pytest.raises(StorageFull, match="backup was not made"):
            backups.add(source, NOON + DAY_MS)
    assert _numbers(backups) == [1]


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs to mount a small disk")
def test_a_disk_that_fills_up_meanwhile_leaves_the_old_backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backups = _backups(tmp_path, daily=1)
    backups.directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", backups.directory], check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        monkeypatch.setattr("chatdesk.core.storage.upkeep.backup_directory._SPARE_BYTES", -(10**9))
        with closing(_source(tmp_path)) as source:
            first = backups.add(source, NOON)
            before = first.read_bytes()
            (backups.directory / "filler").write_bytes(bytes(shutil.disk_usage(backups.directory).free - 8192))
            with pytest.raises(StorageFull):
                backups.add(source, NOON + DAY_MS)
        assert first.read_bytes() == before
        assert {path.name for path in backups.directory.iterdir()} == {first.name, f"{first.name}.files", "filler"}
    finally:
        subprocess.run(["umount", backups.directory], check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("step", ["copying", "syncing", "packing", "listing", "naming"])
def test_a_kill_in_the_middle_leaves_only_good_backups(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = _backups(tmp_path)
    with closing(_source(tmp_path)) as source:
        backups.add(source, NOON)
    places = {
        "copying": "chatdesk.core.storage.engine.backup._verify",
        "syncing": "chatdesk.core.storage.engine.backup.sync_file",
        "packing": "chatdesk.core.storage.upkeep.backup_files._copy",
        "listing": "chatdesk.core.storage.upkeep.backup_files._write_list",
        "naming": "pathlib.Path.replace",
    }
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(places[step], lambda *_arguments: os._exit(9))
        with closing(_source(tmp_path)) as source:
            backups.add(source, NOON + DAY_MS)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert _numbers(backups) == [1]
    assert list(backups.directory.glob(".*.new"))
    with closing(_source(tmp_path)) as source:
        backups.add(source, NOON + DAY_MS)
    assert _numbers(backups) == [1, 2]
    assert not list(backups.directory.glob(".*.new*"))
    for each in backups.kept():
        with closing(_opened(each.path)) as kept:
            assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert kept.execute("SELECT count(*) FROM messages").fetchone() == (30,)


def test_a_backup_is_of_one_moment_while_another_connection_writes(tmp_path: Path) -> None:
    """Every one must be found complete although rows come in between copying and counting."""
    path = tmp_path / "chatdesk.db"
    make(path, "0013")
    backups = _backups(tmp_path)
    is_over = threading.Event()
    written = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode=WAL")
            conn.execute("CREATE TABLE IF NOT EXISTS notes (x)")
            while not is_over.is_set():
                conn.execute("INSERT INTO notes VALUES (zeroblob(4000))")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(20)
        with closing(_source(tmp_path)) as source:
            for day in range(5):
                backups.add(source, NOON + day * DAY_MS)
    finally:
        is_over.set()
        writer.join()
    assert _numbers(backups) == [1, 2, 3, 4, 5]
