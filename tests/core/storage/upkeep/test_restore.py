"""Restoring: what is shown before, what is refused, and that a kill leaves the old database or the new one."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import signal
import sqlite3
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.errors import ChatDeskError, ExportFailed, NotFound, SchemaTooNew, StorageCorrupt, StorageFull
from chatdesk.core.storage.engine import pending_restore
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.upkeep import backup_files, restore
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.backup_service import BackupService
from tests.helpers.checks import integrity_check
from tests.helpers.make_old_database import make
from tests.helpers.store import MovableClock, Store

NOW = 1_800_000_000_000
PICTURE = b"bytes of a picture"
SHA = hashlib.sha256(PICTURE).hexdigest()


def _blobs(store: Store) -> Path:
    return store.path.parent / "blobs"


def _service(store: Store) -> BackupService:
    shelf = BackupDirectory(store.path.parent / "backups", "chatdesk", daily=7, weekly=4)
    return BackupService(store.path, shelf, _blobs(store), store.clock)


async def _with_picture(store: Store, *, is_there: bool = True) -> str:
    thread = await store.thread("With a picture")
    question, _ = await store.ask(thread, "look")

    def work(conn: object) -> None:
        part = conn.exec_driver_sql("SELECT id FROM message_parts WHERE message_id = ?", (question,)).scalar()  # type: ignore[attr-defined]
        conn.exec_driver_sql(  # type: ignore[attr-defined]
            "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
            " VALUES ('a', ?, 'image', ?, 'image/png', 18, ?)",
            (part, f"{SHA[:2]}/{SHA}", SHA),
        )

    await store.db.write(work)
    if is_there:
        path = _blobs(store) / SHA[:2] / SHA
        path.parent.mkdir(parents=True)
        path.write_bytes(PICTURE)
    return thread


async def _restored(store: Store, backup: Path) -> Path | None:
    service = _service(store)
    await service.prepare(backup)
    await store.db.close()
    kept = await service.restore_prepared()
    store.reset()
    report = await store.db.open()
    assert report.warning is None
    return kept


async def test_a_zip_holds_database_and_attachments_and_comes_back_elsewhere(
    store: Store, tmp_path: Path, clock: MovableClock
) -> None:
    thread = await _with_picture(store)
    target = tmp_path / "all.zip"
    assert await _service(store).make_zip(target) == ()
    assert target.stat().st_mode & 0o077 == 0
    other = Store(tmp_path / "other" / "chatdesk.db", clock)
    contents = await _service(other).prepare(target)
    assert (contents.threads, contents.messages, contents.missing_files) == (1, 2, 0)
    assert contents.titles == ("With a picture",)
    assert await _service(other).restore_prepared() is None
    other.reset()
    await other.db.open()
    assert await other.shown(thread) == ["look", "answer to look"]
    assert (_blobs(other) / SHA[:2] / SHA).read_bytes() == PICTURE
    await other.db.close()


async def test_the_present_database_is_kept_and_can_be_restored_in_turn(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.ask(thread, "old")
    old = await store.db.back_up(tmp_path / "old.db")
    await store.ask(thread, "new")
    kept = await _restored(store, old)
    assert await store.shown(thread) == ["old", "answer to old"]
    assert kept is not None
    assert kept.name.startswith("before-restore-")
    assert kept in await _service(store).list()
    await _restored(store, kept)
    assert await store.shown(thread) == ["old", "answer to old", "new", "answer to new"]


async def test_what_is_inside_is_shown_and_nothing_changes(store: Store, tmp_path: Path) -> None:
    await _with_picture(store, is_there=False)
    for number in range(7):
        await store.ask(await store.thread(f"Thread {number}"))
    made = await store.db.back_up(tmp_path / "x.db")
    before = sorted(path.name for path in store.path.parent.iterdir())
    contents = await _service(store).inspect_backup(made)
    assert contents.threads == 8
    assert contents.titles == tuple(f"Thread {number}" for number in (6, 5, 4, 3, 2))
    assert contents.missing_files == 1
    assert not contents.is_older_schema
    assert sorted(path.name for path in store.path.parent.iterdir()) == before


async def test_an_older_schema_is_restored_and_upgraded_at_the_next_start(store: Store, tmp_path: Path) -> None:
    make(tmp_path / "old.db", "0013")
    contents = await _service(store).inspect_backup(tmp_path / "old.db")
    assert contents.is_older_schema
    assert contents.messages > 0
    await _service(store).prepare(tmp_path / "old.db")
    await store.db.close()
    await _service(store).restore_prepared()
    store.reset()
    report = await store.db.open()
    assert report.upgraded_from == "0013"  # type: ignore[attr-defined]


async def test_an_invalid_backup_is_refused_and_nothing_changes(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    for number in range(20):
        await store.ask(thread, f"kept {number} " + "x" * 800)
    good = (await store.db.back_up(tmp_path / "good.db")).read_bytes()
    await _service(store).make_zip(tmp_path / "z.zip")
    with zipfile.ZipFile(tmp_path / "other zip", "w") as archive:
        archive.writestr("chatdesk.json", "{}")
    with closing(sqlite3.connect(tmp_path / "foreign")) as conn:
        conn.execute("CREATE TABLE notes (x)")
        conn.commit()
    for kind, data in {
        "text": b"hello",
        "cut gzip": gzip.compress(good)[:-2000],
        "cut zip": (tmp_path / "z.zip").read_bytes()[:-300],
        "other zip": (tmp_path / "other zip").read_bytes(),
        "damaged": good[:8192] + b"\xa5" * (8192 * 3) + good[8192 * 4 :],
        "empty": b"",
        "foreign": (tmp_path / "foreign").read_bytes(),
    }.items():
        (tmp_path / "bad.db").write_bytes(data)
        with pytest.raises(StorageCorrupt):
            await _service(store).prepare(tmp_path / "bad.db")
        assert not pending_restore.ready_path(store.path).exists(), kind
        assert len(await store.shown(thread)) == 40, kind


async def test_a_newer_schema_and_a_missing_file_are_refused(store: Store, tmp_path: Path) -> None:
    made = await store.db.back_up(tmp_path / "x.db")
    with closing(sqlite3.connect(made)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.commit()
    with pytest.raises(SchemaTooNew, match="newer ChatDesk"):
        await _service(store).inspect_backup(made)
    with pytest.raises(NotFound):
        await _service(store).prepare(tmp_path / "none.db")


@pytest.mark.parametrize(
    "version", [None, "", "0", "0000", "-1", "x", "13", "9" * 5, "\u0664\u0664\u0664\u0664", b"\xff"]
)
async def test_only_a_number_above_ours_is_of_a_newer_version(store: Store, tmp_path: Path, version: object) -> None:
    made = await store.db.back_up(tmp_path / "x.db")
    with closing(sqlite3.connect(made)) as conn:
        conn.execute("DELETE FROM alembic_version")
        if version is not None:
            conn.execute("INSERT INTO alembic_version VALUES (?)", (version,))
        conn.commit()
    with pytest.raises(ChatDeskError, match="not a complete backup"):
        await _service(store).inspect_backup(made)


async def test_without_room_nothing_is_begun(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await store.db.back_up(tmp_path / "x.db")
    monkeypatch.setattr("chatdesk.core.storage.upkeep.restore_process._SPARE_BYTES", 10**15)
    with pytest.raises(StorageFull):
        await _service(store).prepare(made)
    assert not pending_restore.ready_path(store.path).exists()


async def test_a_damaged_database_is_kept_as_it_is(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.ask(thread, "old")
    good = await store.db.back_up(tmp_path / "good.db")
    await store.db.close()
    store.path.write_bytes(b"damaged" * 999)
    store.path.with_name("chatdesk.db-wal").write_bytes(b"of another database")
    await _service(store).prepare(good)
    kept = await _service(store).restore_prepared()
    assert kept is not None
    with zipfile.ZipFile(kept) as archive:
        assert archive.read("damaged/chatdesk.db") == b"damaged" * 999
        assert archive.read("damaged/chatdesk.db-wal") == b"of another database"
    store.reset()
    await store.db.open()
    assert await store.shown(thread) == ["old", "answer to old"]


async def test_a_file_of_a_zip_that_is_not_what_its_name_says_is_left_out(store: Store, tmp_path: Path) -> None:
    await _with_picture(store)
    made = tmp_path / "x.zip"
    await _service(store).make_zip(made)
    (_blobs(store) / SHA[:2] / SHA).unlink()
    hostile = tmp_path / "hostile.zip"
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(hostile, "w") as sink:
        sink.writestr("chatdesk.db", source.read("chatdesk.db"))
        sink.writestr(f"blobs/{SHA}", b"something else")
        sink.writestr("blobs/../../../evil", b"x")
        sink.writestr(f"blobs/{'/' * 64}", b"x")
    await _service(store).prepare(hostile)
    assert list(_blobs(store).rglob("*")) == [_blobs(store) / SHA[:2]]
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("damage", ["missing", "changed", "linked"])
async def test_a_zip_names_what_is_not_what_was_saved_and_never_packs_it(
    store: Store, tmp_path: Path, damage: str
) -> None:
    await _with_picture(store)
    blob = _blobs(store) / SHA[:2] / SHA
    blob.unlink()
    (tmp_path / "other").write_bytes(PICTURE)
    if damage == "changed":
        blob.write_bytes(PICTURE[:-1])
    elif damage == "linked":
        blob.symlink_to(tmp_path / "other")
    words = {"missing": "is missing", "changed": "is not what was saved", "linked": "is a link to another file"}
    (sentence,) = await _service(store).make_zip(tmp_path / "x.zip")
    assert sentence.endswith(f"” {words[damage]}.")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.namelist() == ["backup.json", "chatdesk.db"]


async def test_backups_say_which_files_they_name(store: Store) -> None:
    await _with_picture(store)
    service = _service(store)
    shelf = BackupDirectory(service.directory, "chatdesk", daily=1, weekly=0)
    assert await service.named_files() == set()
    with closing(sqlite3.connect(store.path)) as conn:
        made = shelf.add(conn, NOW)
    assert await service.named_files() == {SHA}
    assert made.with_name(f"{made.name}.files").read_text() == f"{SHA}\n"
    await store.db.write(lambda conn: conn.exec_driver_sql("DELETE FROM artifacts"))
    with closing(sqlite3.connect(store.path)) as conn:
        shelf.add(conn, NOW + 86_400_000)
    assert await service.named_files() == set()
    await store.db.back_up(service.directory / "chatdesk-pre-0009-from-0008.db")
    assert await service.named_files() == set()


def test_what_was_prepared_and_not_decided_is_tidied_away(tmp_path: Path) -> None:
    database = tmp_path / "chatdesk.db"
    pending_restore.ready_path(database).write_text("x")
    assert not pending_restore.finish(database)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
async def test_a_kill_leaves_the_old_database_or_the_new_one(store: Store, tmp_path: Path) -> None:
    """At random moments; the next start must find one of the two, whole, and the next kill as well."""
    thread = await store.thread()
    await store.ask(thread, "old")
    first = await store.db.back_up(tmp_path / "first.db")
    for number in range(200):
        await store.ask(thread, f"{number} " + "x" * 300)
    second = await store.db.back_up(tmp_path / "second.db")
    await store.db.close()
    chance = random.Random(5)
    found = set()
    for cycle in range(8):
        child = os.fork()
        if child == 0:
            try:
                wanted = first if cycle % 2 else second
                restore.prepare(wanted, store.path, blobs=_blobs(store))
                restore.replace_database(store.path, backup_dir=tmp_path / "kept", now_ms=NOW + cycle)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0.0, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store.reset()
        report = await store.db.open()
        assert report.warning is None or "older than" not in str(report.warning)
        count = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM messages").scalar())
        found.add(count)
        assert count in (2, 402)
        assert await integrity_check(store.db) == []
        await store.db.close()
        names = {path.name for path in store.path.parent.iterdir()}
        assert not any(name.startswith(("chatdesk.db.restore", "chatdesk.db.restoring")) for name in names)
    await store.db.close()
    store.reset()
    await store.db.open()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("step", range(1, 9))
async def test_a_kill_at_each_step_of_the_exchange_is_finished_or_undone(
    store: Store, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await store.thread()
    await store.ask(thread, "old")
    backup = await store.db.back_up(tmp_path / "b.db")
    await store.ask(thread, "new")
    await store.db.close()
    child = os.fork()
    if child == 0:
        count = 0

        def counted(original: object) -> object:
            def call(*args: object, **kwargs: object) -> object:
                nonlocal count
                count += 1
                if count == step:
                    os._exit(9)
                return original(*args, **kwargs)  # type: ignore[operator]

            return call

        restore.prepare(backup, store.path, blobs=_blobs(store))
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
        pending_restore.commit(store.path)
        os._exit(0)
    os.waitpid(child, 0)
    store.reset()
    await store.db.open()
    assert await store.shown(thread) in (["old", "answer to old"], ["old", "answer to old", "new", "answer to new"])
    assert await integrity_check(store.db) == []


async def test_an_unreadable_place_has_words(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=str(tmp_path / "gone" / "x.zip")):
        await _service(store).make_zip(tmp_path / "gone" / "x.zip")
    assert backup_files.blobs_of_zip(store.path) == {}
    assert isinstance(store.db, Database)
