"""A database of a newer version is read by this one, and never written."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import SchemaTooNew, StorageError
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.storage.profile_database import OpenReport, ProfileDatabase
from chatdesk.core.storage.search.store import SearchStore
from chatdesk.core.storage.transfer.export_reader import open_reader
from tests.helpers.newer_database import REVISION, make_newer, sums
from tests.helpers.store import MovableClock, Store


async def _found(store: Store, text: str) -> list[tuple[int, str | None]]:
    service = SearchService(SearchStore(store.db), store.clock)
    try:
        return [(group.count, group.note) async for group in service.search(text, is_typing=False)]
    finally:
        await service.close()


@pytest.fixture
async def newer(store: Store) -> Store:
    """A closed database of a newer version, with a thread and its search index; ``store`` opens it."""
    await store.ask(await store.thread("Herons"), "herons")
    await store.db.close()
    make_newer(store.path)
    store.reset()
    return store


async def test_a_newer_database_is_read_searched_and_exported(newer: Store) -> None:
    report = await newer.db.open()
    assert isinstance(report, OpenReport)
    assert (report.upgraded_from, report.upgraded_to, report.warning) == (None, REVISION, None)
    assert newer.db.is_read_only
    (thread,) = (await newer.library.page(ThreadQuery(), limit=10)).threads
    assert thread.title == "Herons"
    assert await newer.shown(thread.id) == ["herons", "answer to herons"]
    assert (2, None) in await _found(newer, "herons")
    with open_reader(newer.path) as reader:
        assert reader is not None


async def test_every_write_is_refused_with_what_to_do_and_no_byte_changes(newer: Store) -> None:
    before = sums(newer.path)
    await newer.db.open()
    with pytest.raises(SchemaTooNew, match=REVISION) as refused:
        await newer.thread("More")
    assert "can only read" in refused.value.sentence
    assert "Update ChatDesk" in refused.value.sentence
    assert not await newer.db.write_again()
    with pytest.raises(StorageError):
        await newer.db.read(lambda conn: conn.exec_driver_sql("UPDATE threads SET title = 'x'"))
    await newer.db.close()
    assert sums(newer.path) == before


async def test_a_log_that_a_killed_newer_version_left_is_read_and_stays(
    newer: Store, tmp_path: Path, clock: MovableClock
) -> None:
    killed = tmp_path / "killed" / newer.path.name
    killed.parent.mkdir()
    with closing(sqlite3.connect(newer.path)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("UPDATE threads SET title = 'In the log'")
        conn.commit()
        for each in newer.path.parent.glob(f"{newer.path.name}*"):
            shutil.copy(each, killed.parent)
    (killed.parent / f"{killed.name}-shm").unlink(missing_ok=True)
    before = sums(killed)
    assert f"{killed.name}-wal" in before
    left = Store(killed, clock)
    await left.db.open()
    try:
        assert [each.title for each in (await left.library.page(ThreadQuery(), limit=10)).threads] == ["In the log"]
    finally:
        await left.db.close()
    assert sums(killed) == before


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("ALTER TABLE threads DROP COLUMN title_folded", "“threads.title_folded”"),
        ("DROP TABLE drafts", "“drafts”"),
        ("ALTER TABLE drafts RENAME TO drafts_2", "“drafts”"),
    ],
)
async def test_where_something_is_missing_it_is_refused_by_name(
    store: Store, clock: MovableClock, change: str, lacking: str
) -> None:
    await store.ask(await store.thread())
    await store.db.close()
    make_newer(store.path, "DROP TRIGGER moods_noted", *_without_index_of(store.path, "threads"), change)
    before = sums(store.path)
    for read_only in (False, True):
        db = ProfileDatabase(store.path, clock=clock, backup_dir=store.path.parent / "backups", read_only=read_only)
        try:
            with pytest.raises(SchemaTooNew, match=lacking) as refused:
                await db.open()
            assert "It was not touched. Update ChatDesk to open it." in refused.value.sentence
        finally:
            await db.close()
    assert sums(store.path) == before


def _without_index_of(path: Path, table: str) -> list[str]:
    """Return the statements that drop what would keep a column of the table from being dropped."""
    with closing(sqlite3.connect(path)) as conn:
        found = conn.execute(
            "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'index' AND tbl_name = ?"
            " OR type IN ('trigger', 'view'))",
            (table,),
        ).fetchall()
    return [f"DROP {kind} {name}" for kind, name in found]


@pytest.mark.parametrize(
    "changes",
    [
        (
            "DROP TABLE drafts",
            "CREATE VIEW drafts AS SELECT 'a' AS slot, NULL AS thread_id, 'x' AS text, 0 AS cursor, 0 AS updated_at",
        ),
        ("DROP TABLE drafts", "CREATE VIRTUAL TABLE drafts USING fts5(slot, thread_id, text, cursor, updated_at)"),
        (
            "ALTER TABLE drafts DROP COLUMN cursor",
            "ALTER TABLE drafts ADD COLUMN cursor INTEGER GENERATED ALWAYS AS (length(text)) VIRTUAL",
        ),
    ],
    ids=["view", "virtual", "computed"],
)
async def test_code_in_the_place_of_a_table_is_not_read(newer: Store, changes: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(newer.path)) as conn:
        for statement in changes:
            conn.execute(statement)
        conn.commit()
    with pytest.raises(SchemaTooNew, match="drafts"):
        await newer.db.open()


async def test_an_index_of_another_form_leaves_the_rest_to_be_read(newer: Store) -> None:
    with closing(sqlite3.connect(newer.path)) as conn:
        conn.execute("DROP TABLE search_index")
        conn.execute("CREATE VIRTUAL TABLE search_index USING fts5(text, mood, content='')")
        conn.commit()
    await newer.db.open()
    ((count, note),) = await _found(newer, "herons")
    assert (count, note) == (0, "This data belongs to a newer ChatDesk, whose search index this one cannot read.")
    (thread,) = (await newer.library.page(ThreadQuery(), limit=10)).threads
    assert await newer.shown(thread.id) == ["herons", "answer to herons"]
