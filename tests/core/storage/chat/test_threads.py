"""The list of threads, their settings, drafts, projects and the trash."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import ThreadQuery, ThreadScope
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.errors import (
    InvalidInput,
    InvalidTitle,
    MessageNotFound,
    NotPossible,
    ProjectNotFound,
    ThreadInTrash,
    ThreadNotFound,
)
from chatdesk.core.ids import new_id
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.chat.thread_lists import sort_key, statement
from chatdesk.core.storage.library.trash_store import TRASH_DAYS
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted
from tests.helpers.make_old_database import make
from tests.helpers.store import PLAN, MovableClock, Store

_DAY_MS = 24 * 3600 * 1000
_ID = new_id()


async def test_pages_of_threads_join_without_gap_or_double(store: Store) -> None:
    ids = [await store.thread(f"Thread {number}") for number in range(11)]
    found: list[str] = []
    cursor = None
    while True:
        page = await store.library.page(ThreadQuery(), limit=4, cursor=cursor)
        found.extend(thread.id for thread in page.threads)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == ids[::-1]


async def test_a_new_message_moves_its_thread_to_the_top(store: Store) -> None:
    first = await store.thread()
    await store.thread()
    await store.ask(first)
    page = await store.library.page(ThreadQuery(), limit=1)
    assert page.threads[0].id == first
    assert (await store.projects.default()).last_chat_at == page.threads[0].last_activity_at


async def test_filters_of_the_list(store: Store) -> None:
    project = (await store.projects.default()).id
    plain, pinned, archived, trashed = [await store.thread(name) for name in ("Straße", "B", "C", "D")]
    await store.library.set_flag([pinned], "pinned_at", 1_800_000_000_000, "pinned")
    await store.library.set_flag([archived], "archived_at", 1_800_000_000_000, "archived")
    await store.library.delete([trashed])

    async def ids(query: ThreadQuery) -> list[str]:
        page = await store.library.page(replace(query, project_id=project), limit=10)
        return [thread.id for thread in page.threads]

    assert await ids(ThreadQuery()) == [pinned, plain]
    assert await ids(ThreadQuery(is_pinned=True)) == [pinned]
    assert await ids(ThreadQuery(is_pinned=False)) == [plain]
    assert await ids(ThreadQuery("archive")) == [archived]
    assert await ids(ThreadQuery("trash")) == [trashed]
    assert await ids(ThreadQuery(text=" STRASSE ")) == [plain]
    assert await ids(ThreadQuery(text='%"')) == []
    assert (await store.library.page(ThreadQuery(project_id=new_id()), limit=10)).threads == ()


_NAMES = ("apfel", "Ähre", "Zebra", "Part 10", "Part 2", "カキ", "か")


@pytest.mark.parametrize("is_upgraded", [False, True])
@pytest.mark.parametrize("has_project", [False, True])
@pytest.mark.parametrize("scope", ["active", "archive"])
async def test_threads_by_title_have_the_order_of_names(
    tmp_path: Path, clock: MovableClock, scope: ThreadScope, has_project: bool, is_upgraded: bool
) -> None:
    path = tmp_path / "chatdesk.db"
    if is_upgraded:
        make(path, "0013", threads=len(_NAMES))
        with closing(sqlite3.connect(path)) as conn, conn:
            for number, name in enumerate(_NAMES):
                conn.execute("UPDATE threads SET title = ? WHERE title = ?", (name, f"Thread {number}"))
    store = Store(path, clock)
    await store.db.open()
    try:
        if not is_upgraded:
            for name in _NAMES:
                await store.threads.rename(await store.thread("Zz"), name)
        if scope == "archive":
            ids = [each.id for each in (await store.library.page(ThreadQuery(), limit=99)).threads]
            await store.library.set_flag(ids, "archived_at", 1_800_000_000_000, "archived")
        project = (await store.projects.default()).id if has_project else None
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await store.library.page(ThreadQuery(scope, project, order="name"), limit=2, cursor=cursor or None)
            found += [each.title for each in page.threads]
            cursor = page.next_cursor
    finally:
        await store.db.close()
    assert found == sorted(_NAMES, key=name_key)


async def test_a_made_up_cursor_is_refused(store: Store) -> None:
    for cursor in ("x", "1:y", f"z:{new_id()}"):
        with pytest.raises(InvalidInput):
            await store.library.page(ThreadQuery(), limit=3, cursor=cursor)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (ThreadQuery(), "ix_threads_recent"),
        (ThreadQuery(is_pinned=False), "ix_threads_recent"),
        (ThreadQuery(project_id=_ID), "ix_threads_project_recent"),
        (ThreadQuery(text="x", project_id=_ID, tag_id=_ID), "ix_threads_project_recent"),
        (ThreadQuery(is_pinned=True), "ix_threads_pinned"),
        (ThreadQuery("archive"), "ix_threads_archived"),
        (ThreadQuery("trash"), "ix_threads_trashed"),
        (ThreadQuery(project_id=_ID, is_pinned=True), "ix_threads_project_pinned"),
        (ThreadQuery("archive", _ID), "ix_threads_project_archived"),
        (ThreadQuery("trash", _ID), "ix_threads_project_trashed"),
        (ThreadQuery(order="name"), "ix_threads_name"),
        (ThreadQuery(project_id=_ID, order="name", text="x"), "ix_threads_project_name"),
        (ThreadQuery("archive", order="name"), "ix_threads_archived_name"),
        (ThreadQuery("archive", _ID, order="name"), "ix_threads_project_archived_name"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_every_list_walks_an_index_without_sorting(
    store: Store, query: ThreadQuery, index: str, is_first: bool
) -> None:
    cursor = None if is_first else f"{new_id()}:{'name' if sort_key(query) == 'title_key' else 5}"
    sql, values = statement(query, cursor)

    def plan(conn: Connection) -> str:
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (*values, 50))
        return "\n".join(row[3] for row in rows)

    found = await store.db.read(plan)
    assert f"{index} " in f"{found.splitlines()[0]} "
    assert "TEMP B-TREE" not in found


_NEWEST = "SELECT max(last_activity_at) FROM threads WHERE project_id = 'x' AND deleted_at IS NULL AND archived_at"
_OLD_TRASH = "SELECT id FROM threads WHERE deleted_at IS NOT NULL AND deleted_at < 5 ORDER BY deleted_at, id LIMIT 9"
_OLD_ARCHIVE = (
    "SELECT id FROM threads WHERE archived_at IS NOT NULL AND deleted_at IS NULL AND archived_at < 5"
    " ORDER BY archived_at LIMIT 9"
)
_LAST_DELETED = "SELECT max(deleted_at) FROM threads WHERE project_id = 'x' AND deleted_at IS NOT NULL"


@pytest.mark.parametrize(
    "sql", [_OLD_TRASH, _OLD_ARCHIVE, f"{_NEWEST} IS NULL", f"{_NEWEST} IS NOT NULL", _LAST_DELETED]
)
async def test_what_looks_for_age_or_the_newest_reads_an_end_of_an_index(store: Store, sql: str) -> None:
    rows = await store.db.read(lambda conn: [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")])
    assert all(row.startswith("SEARCH threads USING") and "INDEX" in row for row in rows)


async def test_pages_of_messages_walk_an_index_without_sorting(store: Store) -> None:
    def plan(conn: Connection) -> str:
        rows = conn.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM messages m WHERE m.thread_id = ? AND m.on_path = 1"
            " AND m.deleted_at IS NULL AND m.position < ? ORDER BY m.position DESC LIMIT 50",
            ("x", 5),
        )
        return "\n".join(row[3] for row in rows)

    found = await store.db.read(plan)
    assert "ix_messages_shown" in found
    assert "TEMP B-TREE" not in found


async def test_renaming_keeps_every_title_in_the_log(store: Store) -> None:
    thread = await store.thread("One")
    assert (await store.threads.rename(thread, "  Two\n ")).title == "Two"
    await store.threads.rename(thread, "Three")
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT id, op, body, parents FROM changes WHERE entity = ? AND reg = 'title' ORDER BY dseq", (thread,)
        ).all()
    )
    assert [json.loads(row[2]) for row in rows] == [
        {"title": "Two", "title_source": "person"},
        {"title": "Three", "title_source": "person"},
    ]
    assert rows[1][3] == f'["{rows[0][0]}"]'
    with pytest.raises(InvalidTitle):
        await store.threads.rename(thread, " \n")


async def test_every_shared_row_has_a_stamp_and_its_device(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread)

    def stamps(conn: Connection) -> list[tuple[int, str]]:
        rows: list[tuple[int, str]] = []
        for table in ("projects", "threads", "messages", "message_parts"):
            rows.extend((row[0], row[1]) for row in conn.exec_driver_sql(f"SELECT hlc, origin_device FROM {table}"))
        return rows

    found = await store.db.read(stamps)
    assert all(hlc > 0 and device == store.db.device_id for hlc, device in found)


async def test_the_log_has_dense_numbers_and_no_message_text(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "xyzzy")
    await store.paths.delete(answer, with_later=False)
    await store.paths.restore(answer)
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql("SELECT dseq, kind, op, body, entity FROM changes ORDER BY dseq").all()
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert [(row[1], row[2]) for row in rows] == [
        ("project", "new"),
        ("thread", "new"),
        ("message", "new"),
        ("message", "new"),
        ("message", "del"),
        ("message", "edit"),
    ]
    assert not any("xyzzy" in (row[3] or "") for row in rows)


async def test_set_model_and_pin_and_archive(store: Store) -> None:
    thread = await store.thread()
    assert (await store.threads.set_model(thread, "p", "m")).model == "m"
    await store.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
    assert (await store.threads.get(thread)).pinned_at == 1_800_000_000_000
    await store.library.set_flag([thread], "pinned_at", None, "pinned")
    await store.library.set_flag([thread], "archived_at", 1_800_000_000_000, "archived")
    changed = await store.threads.get(thread)
    assert (changed.pinned_at, changed.archived_at) == (None, 1_800_000_000_000)


async def test_a_trashed_thread_comes_back_whole(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread)
    assert tuple((await store.library.delete([thread])).threads) == (thread,)
    assert not (await store.library.delete([thread])).threads
    with pytest.raises(ThreadInTrash):
        await store.threads.rename(thread, "no")
    await store.library.restore([thread])
    assert (await store.threads.get(thread)).deleted_at is None
    assert len(await store.shown(thread)) == 2


async def test_the_trash_is_emptied_after_thirty_days(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread)
    await store.drafts.save(thread, "draft", 1)
    await store.library.delete([thread])
    store.clock.now += (TRASH_DAYS - 1) * _DAY_MS
    assert await store.trash.purge_expired() == 0
    store.clock.now += 2 * _DAY_MS
    assert await store.trash.purge_expired() == 1
    with pytest.raises(ThreadNotFound):
        await store.threads.get(thread)
    assert await integrity_check(store.db) == []


async def test_purged_messages_lose_their_text_but_not_their_place(store: Store) -> None:
    thread = await store.thread()
    _, first = await store.ask(thread, "a")
    _, last = await store.ask(thread, "b")
    await store.paths.delete(first, with_later=False)
    await store.paths.delete(last, with_later=False)
    store.clock.now += (TRASH_DAYS + 1) * _DAY_MS
    assert await store.trash.purge_expired() == 2
    assert await store.shown(thread) == ["a", "b"]
    with pytest.raises(NotPossible):
        await store.paths.restore(first)
    with pytest.raises(MessageNotFound):
        await store.messages.get(last)
    await store.ask(thread, "c")
    assert await store.shown(thread) == ["a", "b", "c", "answer to c"]
    assert await recounted(store.db, thread) == await store.threads.get(thread)


async def test_drafts_are_kept_per_thread(store: Store) -> None:
    thread = await store.thread()
    await store.drafts.save(NEW_DRAFT, "new one", 3)
    await store.drafts.save(thread, "half", 4)
    await store.drafts.save(thread, "half a", 6)
    await store.reopen()
    kept = await store.drafts.get(thread)
    assert kept is not None
    assert (kept.text, kept.cursor, kept.thread_id) == ("half a", 6, thread)
    fresh = await store.drafts.get(NEW_DRAFT)
    assert fresh is not None
    assert (fresh.text, fresh.thread_id) == ("new one", None)
    await store.drafts.delete(NEW_DRAFT)
    assert await store.drafts.get(NEW_DRAFT) is None
    with pytest.raises(ThreadNotFound):
        await store.drafts.save(new_id(), "x", 0)


async def test_projects(store: Store) -> None:
    first = await store.projects.default()
    assert first.name == "Personal"
    made = await store.projects.create("Work", "#112233")
    assert await store.projects.get(made.id) == made
    assert await store.projects.list() == (first, made)
    with pytest.raises(ProjectNotFound):
        await store.projects.get(new_id())
    with pytest.raises(InvalidTitle):
        await store.projects.create("  ")
    with pytest.raises(ProjectNotFound):
        await store.threads.create(new_id(), "T", provider=None, model=None)
    assert PLAN.provider == "offline"
