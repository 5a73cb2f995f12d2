"""A backup is data: whatever was done to one, nothing of it acts, nothing hangs, and what comes back is whole."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sqlite3
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.errors import StorageCorrupt, StorageError
from chatdesk.core.paths import migrations_dir
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.storage.chat.waiting_questions import WaitingQuestionRepository
from chatdesk.core.storage.engine import schema_guard, tables
from chatdesk.core.storage.engine.connection import connect
from chatdesk.core.storage.search.store import SearchStore
from chatdesk.core.storage.sync import team
from chatdesk.core.storage.upkeep import restore_process
from chatdesk.core.storage.upkeep.stored_values import DERIVED
from tests.helpers.checks import integrity_check, search_faults
from tests.helpers.examples import sample
from tests.helpers.hostile_backups import EVIL_HOST, Hostile, all_of_them
from tests.helpers.make_old_database import make
from tests.helpers.store import PLAN, MovableClock, Store

HOSTILE = all_of_them()
SHA = hashlib.sha256(b"x").hexdigest()


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small backup with something in every place that is changed."""

    async def make(folder: Path) -> Path:
        store = Store(folder / "data" / "chatdesk.db", MovableClock())
        await store.db.open()
        try:
            for title in ("One", "Two"):
                thread = await store.thread(title)
                for number in range(3):
                    await store.ask(thread, f"question {number}")
                await store.drafts.save(thread, "unsent", 0)
            return await store.db.back_up(folder / "backup.db")
        finally:
            await store.db.close()

    with ThreadPoolExecutor(1) as pool:  # a loop runs in this thread
        return pool.submit(asyncio.run, make(tmp_path_factory.mktemp("hostile"))).result()


@pytest.fixture(scope="module")
def same_bytes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same bytes at every run, so that the same bits of it are flipped."""
    path = tmp_path_factory.mktemp("sample") / "sample.db"
    make(path, tables.HEAD_REVISION)
    return path


def _read(path: Path, folder: Path) -> restore_process.BackupContents:
    return restore_process.read(
        {
            "backup": str(path),
            "plain": str(folder / "plain.db"),
            "blobs": str(folder / "blobs"),
            "target": str(folder / "restored" / "chatdesk.db"),
            "migrations": str(migrations_dir()),
        }
    )


def test_there_are_a_hundred_of_them() -> None:
    assert len(HOSTILE) >= 100
    assert len({each.name for each in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("hostile", sample(HOSTILE, 45), ids=lambda each: each.name)
async def test_a_changed_backup_is_refused_or_comes_back_as_data(
    backup: Path,
    same_bytes: Path,
    tmp_path: Path,
    clock: MovableClock,
    hostile: Hostile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=400 * 1024 * 1024))
    source = same_bytes if hostile.name.startswith("flipped") else backup
    path = hostile.change(Path(shutil.copy(source, tmp_path / "changed.db")))
    (tmp_path / "restored").mkdir()
    began = time.monotonic()
    contents: restore_process.BackupContents | None = None
    refused: StorageError | None = None
    try:
        contents = _read(path, tmp_path)
    except StorageError as error:
        refused = error
    assert time.monotonic() - began < 30
    if refused is not None:
        assert hostile.named is not None, refused.what
        assert hostile.named == "?" or hostile.named in refused.what
        assert refused.safe == "Nothing was changed."
        return
    assert contents is not None
    assert hostile.named in (None, "?")
    assert not list(tmp_path.glob("blobs/*/*"))
    assert "\x1b" not in "".join((*contents.titles, *contents.workspaces))
    is_damaged = hostile.named == "?"  # rows that point at nothing are found and repaired later
    await _acts_on_nothing(Store(tmp_path / "restored" / "chatdesk.db", clock), is_damaged=is_damaged)


async def _acts_on_nothing(store: Store, *, is_damaged: bool) -> None:
    await store.db.open()
    try:
        waiting = WaitingRepository(store.db)
        assert await waiting.all() == ()
        assert await waiting.unreached() == ()
        assert await WaitingQuestionRepository(store.db).all() == ()
        assert await store.db.read(team.workspaces) == []
        unfinished = "SELECT count(*) FROM messages WHERE status IN ('pending', 'streaming')"
        assert await store.db.read(lambda conn: conn.exec_driver_sql(unfinished).scalar()) == 0
        with closing(connect(store.path, "read")) as conn:
            assert schema_guard.foreign_objects(conn) == []
        damage = [each for each in await integrity_check(store.db) if "text of message" not in each]
        assert is_damaged or damage == []
        thread = await store.thread("New")
        await store.ask(thread, "what is 2 + 2")
        assert await store.shown(thread) == ["what is 2 + 2", "answer to what is 2 + 2"]
    finally:
        await store.db.close()


async def _restored(backup: Path, folder: Path, clock: MovableClock) -> Store:
    (folder / "restored").mkdir()
    _read(backup, folder)
    store = Store(folder / "restored" / "chatdesk.db", clock)
    await store.db.open()
    return store


async def test_answers_that_had_not_ended_end_as_interrupted_with_their_text(
    store: Store, tmp_path: Path, clock: MovableClock
) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "one", with_answer=PLAN)
    assert answer is not None
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE messages SET owner_pid_token = 'waiting:000000' WHERE id = ?", (answer.id,)
        )
    )
    await WaitingRepository(store.db).keep_unreached([answer.id])
    made = await store.db.back_up(tmp_path / "x.db")
    back = await _restored(made, tmp_path, clock)
    try:
        assert (await back.messages.get(answer.id)).status is Status.INTERRUPTED
        assert await WaitingRepository(back.db).unreached() == ()
    finally:
        await back.db.close()


async def test_questions_that_waited_for_an_answer_are_drafts_afterwards(
    store: Store, tmp_path: Path, clock: MovableClock
) -> None:
    with_draft, without = await store.thread(), await store.thread("other")
    await store.drafts.save(with_draft, "typed", 5)
    waiting = WaitingQuestionRepository(store.db)
    for thread, text in ((with_draft, "first"), (with_draft, "second"), (without, "third"), (without, "fourth")):
        await waiting.add(thread, text)
    back = await _restored(await store.db.back_up(tmp_path / "x.db"), tmp_path, clock)
    try:
        assert await WaitingQuestionRepository(back.db).all() == ()
        texts = [await back.drafts.get(thread) for thread in (with_draft, without)]
        assert [draft and draft.text for draft in texts] == ["typed\nfirst\nsecond", "third\nfourth"]
    finally:
        await back.db.close()


async def test_a_workspace_is_parked_until_the_person_joins_again(
    backup: Path, tmp_path: Path, clock: MovableClock
) -> None:
    hostile = next(each for each in HOSTILE if each.name == "a workspace")
    path = hostile.change(Path(shutil.copy(backup, tmp_path / "changed.db")))
    back = await _restored(path, tmp_path, clock)
    try:
        assert await back.db.read(team.workspaces) == []
        (parked,) = await back.db.read(team.parked)
        assert parked.address.host == EVIL_HOST
        assert "\x1b" not in parked.name
        shared = await back.db.read(team.shared_projects)
        assert [each.ended for each in shared] == [None]
        await back.db.write(lambda conn: team.add_workspace(conn, parked))
        assert await back.db.read(team.parked) == []
        assert [each.id for each in await back.db.read(team.workspaces)] == [parked.id]
        await back.db.write(lambda conn: team.leave_workspace(conn, parked.id, 1))
        assert await back.db.read(team.parked) == []
    finally:
        await back.db.close()


async def test_a_process_that_takes_too_long_or_dies_is_a_refusal(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_process, "_LEAST_TIME_S", 0.5)
    for command in (
        [sys.executable, "-c", "import time; time.sleep(60)"],
        [sys.executable, "-c", "import os; os._exit(9)"],
        [sys.executable, "-c", "while True: pass"],
    ):
        began = time.monotonic()
        with pytest.raises(StorageCorrupt, match="more time or memory"):
            restore_process.run(backup, plain=tmp_path / "plain.db", blobs=tmp_path, command=command)
        assert time.monotonic() - began < 30


async def test_a_file_is_taken_from_a_zip_when_a_message_names_it_with_its_size(
    store: Store, tmp_path: Path, clock: MovableClock
) -> None:
    data = b"bytes of a file"
    name = hashlib.sha256(data).hexdigest()
    thread = await store.thread()
    question, _ = await store.ask(thread, "look")

    for size, is_taken in ((len(data) - 1, False), (len(data), True)):
        await store.db.write(
            lambda conn, size=size: conn.exec_driver_sql(  # type: ignore[misc]
                "INSERT OR REPLACE INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
                " SELECT 'a', id, 'file', '', 'text/plain', ?, ? FROM message_parts WHERE message_id = ?",
                (size, name, question),
            )
        )
        made = await store.db.back_up(tmp_path / "x.db")
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.write(made, "chatdesk.db")
            archive.writestr(f"blobs/{name}", data)
        folder = tmp_path / str(size)
        folder.mkdir()
        back = await _restored(tmp_path / "x.zip", folder, clock)
        await back.db.close()
        assert (folder / "blobs" / name[:2] / name).is_file() is is_taken


# What a restore changes on purpose, and what is rebuilt.
_CHANGED = {("messages", "owner_pid_token"), ("messages", "search_n"), ("workspaces", "left_at")}
_CHANGED |= {("knowledge_sources", "is_paused")}


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as conn:
        found = {}
        for (table,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table in DERIVED:
                continue
            columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(each for each in columns if (table, each) not in _CHANGED)
            where = " WHERE key NOT LIKE 'search.%'" if table == "meta" else ""
            found[table] = sorted(conn.execute(f"SELECT {kept} FROM {table}{where}"), key=repr)
        return found


@pytest.mark.parametrize("revision", tables.REVISIONS)
def test_a_backup_of_any_version_gives_back_every_row(tmp_path: Path, revision: str) -> None:
    make(tmp_path / "old.db", revision)
    (tmp_path / "restored").mkdir()
    contents = _read(tmp_path / "old.db", tmp_path)
    assert contents.schema == revision
    restored = tmp_path / "restored" / "chatdesk.db"
    assert _rows(restored) == _rows(tmp_path / "old.db")
    with closing(sqlite3.connect(restored)) as conn, closing(sqlite3.connect(tmp_path / "old.db")) as old:
        objects = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2"
        assert conn.execute(objects).fetchall() == old.execute(objects).fetchall()


_SAMPLES = {"TEXT": "täxt", "INTEGER": 7, "FLOAT": 1.5, "BLOB": b"\x00\xff"}


def test_a_row_of_every_table_comes_back(backup: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(backup, tmp_path / "full.db"))
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        for table in tables.metadata.sorted_tables:
            if table.name in DERIVED or conn.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone():
                continue
            columns = conn.execute(f"PRAGMA table_info({table.name})").fetchall()
            values = [
                f"{SHA[:2]}/{SHA}"
                if row[1] == "path"
                else SHA
                if row[1] == "sha256"
                else "{}"  # other texts are no JSON objects, and are replaced
                if row[4] == "'{}'"
                else _SAMPLES[row[2]]
                for row in columns
            ]
            conn.execute(f"INSERT INTO {table.name} VALUES ({','.join('?' * len(values))})", values)
    before = _rows(path)
    assert all(before.values())
    (tmp_path / "restored").mkdir()
    _read(path, tmp_path)
    assert _rows(tmp_path / "restored" / "chatdesk.db") == before


async def test_everything_can_be_found_again(backup: Path, tmp_path: Path, clock: MovableClock) -> None:
    back = await _restored(backup, tmp_path, clock)
    search = SearchStore(back.db)
    try:
        while await search.fill_batch() is not None:
            continue
        assert await search_faults(back.db) == []
        count = "SELECT count(*) FROM search_index WHERE search_index MATCH 'question'"
        assert await back.db.read(lambda conn: conn.exec_driver_sql(count).scalar()) == 12
        assert await integrity_check(back.db) == []
    finally:
        await search.close()
        await back.db.close()
