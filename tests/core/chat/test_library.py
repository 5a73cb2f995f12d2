"""The library: selections change whole or not at all, and every change has its way back."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import GONE, ThreadQuery
from chatdesk.core.errors import (
    ChatDeskError,
    InvalidInput,
    InvalidTitle,
    NotFound,
    NotPossible,
    ProjectNotFound,
    ThreadInTrash,
    ThreadNotFound,
)
from chatdesk.core.events import ProjectDeleted, TagsChanged, ThreadsChanged
from chatdesk.core.ids import new_id
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.upkeep import reachability
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.checks import integrity_check
from tests.helpers.examples import examples


class Library:
    def __init__(self, world: ChatWorld) -> None:
        self.world = world
        self.chat = world.chat
        self.service = LibraryService(repositories=world.repositories, chat=world.chat, bus=world.bus, clock=Clock())

    async def thread(self, title: str = "A thread", project_id: str | None = None) -> str:
        return (await self.chat.create_thread(project_id, title)).thread.id

    async def ids(self, **wanted: object) -> list[str]:
        return list(await self.service.list_ids(ThreadQuery(**wanted)))  # type: ignore[arg-type]

    async def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return await self.world.database.read(
            lambda conn: [tuple(row) for row in conn.exec_driver_sql(statement, values)]
        )

    async def state(self) -> list[list[tuple[object, ...]]]:
        """Everything that a person could tell apart."""
        return [
            await self.sql(
                "SELECT id, project_id, title, archived_at, pinned_at, deleted_at, last_activity_at FROM threads"
                " ORDER BY id"
            ),
            await self.sql(
                "SELECT id, name, colour, provider, model, archived_at, deleted_at, last_chat_at FROM projects"
                " ORDER BY id"
            ),
            await self.sql("SELECT thread_id, tag_id FROM thread_tags ORDER BY thread_id, tag_id"),
        ]


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    async with chat_world(tmp_path) as world:
        yield Library(world)


async def last_chats_are_right(library: Library) -> None:
    wrong = await library.sql(
        "SELECT p.name, p.last_chat_at, (SELECT max(last_activity_at) FROM threads t WHERE t.project_id = p.id"
        " AND t.deleted_at IS NULL) AS counted FROM projects p WHERE p.last_chat_at IS NOT counted"
    )
    assert wrong == []


async def test_a_selection_is_pinned_archived_and_deleted_in_one_step_and_comes_back_as_it_was(
    library: Library,
) -> None:
    ids = [await library.thread(f"Thread {number}") for number in range(5)]
    await library.service.pin(ids[:1])
    service = library.service
    for act in (service.pin, service.archive, service.delete):
        before = await library.state()
        change = await act(ids)
        after = await library.state()
        assert before != after
        await service.undo(change)
        assert await library.state() == before
        await service.redo(change)
        assert await library.state() == after
    assert await library.ids() == []
    assert sorted(await library.ids(scope="trash")) == sorted(ids)


async def test_what_has_a_pin_keeps_its_time_and_nothing_is_told_of_no_change(library: Library) -> None:
    first, second = await library.thread(), await library.thread()
    await library.service.pin([first])
    pinned_at = (await library.chat.get_thread(first)).pinned_at
    change = await library.service.pin([first, second])
    assert list(change.threads) == [second]
    assert (await library.chat.get_thread(first)).pinned_at == pinned_at
    library.world.events.clear()
    assert (await library.service.pin([first, second])).is_empty
    assert library.world.events == []


async def test_when_one_is_gone_nothing_happens_to_any_and_words_say_how_many(library: Library) -> None:
    ids = [await library.thread() for _ in range(3)]
    before = await library.state()
    with pytest.raises(NotPossible, match=r"1 of 4 threads are gone for good\."):
        await library.service.pin([*ids, new_id()])
    with pytest.raises(NotPossible, match="This thread is gone for good"):
        await library.service.delete([new_id()])
    assert await library.state() == before
    await library.service.delete(ids[:1])
    for act in (library.service.pin, library.service.archive):
        with pytest.raises(ThreadInTrash, match="1 of 3 threads is in the trash"):
            await act(ids)
    with pytest.raises(ThreadInTrash):
        await library.service.tag(ids, add=["x"])
    with pytest.raises(InvalidInput):
        await library.service.list_threads(ThreadQuery(), limit=0)


async def test_an_undo_whose_threads_are_gone_for_good_changes_nothing(library: Library) -> None:
    ids = [await library.thread() for _ in range(2)]
    change = await library.service.delete(ids)
    await library.service.trash.delete_for_good(ids[:1])
    with pytest.raises(NotPossible, match="1 of 2"):
        await library.service.undo(change)
    assert await library.ids(scope="trash") == ids[1:]


async def test_threads_move_between_projects_and_new_ones_take_its_model(library: Library) -> None:
    project = await library.service.projects.create(" Work\n", "#0b7a75", provider="scripted", model="large")
    assert (project.name, project.colour) == ("Work", "#0B7A75")
    thread = await library.thread()
    home = (await library.chat.get_thread(thread)).project_id
    change = await library.service.move([thread], project.id)
    assert await library.ids(project_id=project.id) == [thread]
    logged = await library.sql("SELECT project_id FROM changes WHERE entity = ? AND reg = 'lww.project'", thread)
    assert logged == [(home,), (project.id,)]
    await last_chats_are_right(library)
    await library.service.undo(change)
    assert await library.ids(project_id=project.id) == []
    assert (await library.service.move([thread], home)).is_empty
    created = await library.chat.create_thread(project.id, "In it", "hello")
    assert (created.thread.provider, created.thread.model) == ("scripted", "large")
    await library.world.answer_of(created)
    assert library.world.provider.requests[-1].model == "large"
    with pytest.raises(ProjectNotFound):
        await library.service.move([thread], new_id())


async def test_a_project_goes_to_the_trash_with_its_threads_and_comes_back_with_those_only(library: Library) -> None:
    project = await library.service.projects.create("Work", "teal")
    assert project.colour == "#5B7DB1"
    before_that, with_it = [await library.thread(f"T{number}", project.id) for number in range(2)]
    await library.service.delete([before_that])
    state = await library.state()
    change = await library.service.delete_project(project.id)
    assert any(isinstance(event, ProjectDeleted) for event in library.world.events)
    assert [each.id for each in await library.service.projects.list()] != [project.id]
    assert sorted(await library.ids(scope="trash")) == sorted([before_that, with_it])
    with pytest.raises(ProjectNotFound, match="in the trash"):
        await library.service.delete_project(project.id)
    await library.service.undo(change)
    assert await library.state() == state
    await library.service.redo(change)
    await library.service.restore_project(project.id)
    assert await library.state() == state
    assert (await library.service.restore_project(project.id)).is_empty
    counts = await library.service.projects.count(project.id)
    assert (counts.threads, counts.archived, counts.trashed) == (1, 0, 1)


async def test_a_thread_that_is_restored_brings_its_project_back_without_the_others(library: Library) -> None:
    project = await library.service.projects.create("Work", "#112233")
    one, other = [await library.thread(f"T{number}", project.id) for number in range(2)]
    await library.service.delete_project(project.id)
    state = await library.state()
    change = await library.service.restore([one])
    assert await library.ids(project_id=project.id) == [one]
    await last_chats_are_right(library)
    await library.service.undo(change)
    assert await library.state() == state
    await library.service.restore([other])
    assert (await library.service.projects.get(project.id)).deleted_at is None
    await last_chats_are_right(library)


async def test_the_last_project_stays(library: Library) -> None:
    home = (await library.chat.projects.default()).id
    with pytest.raises(NotPossible, match="last project"):
        await library.service.delete_project(home)
    with pytest.raises(NotPossible, match="last project"):
        await library.service.projects.archive(home)
    other = await library.service.projects.create("Other", "#112233")
    assert await library.service.projects.archive(other.id)
    assert not await library.service.projects.archive(other.id)
    with pytest.raises(NotPossible, match="last project"):
        await library.service.delete_project(home)
    await library.service.projects.archive(other.id, is_archived=False)
    await library.service.projects.archive(home)
    assert (await library.chat.projects.default()).id == other.id


async def test_a_project_is_changed_register_by_register(library: Library) -> None:
    project = await library.service.projects.create("Work", "#112233")
    before = await library.service.projects.change(project.id, name="Better", colour="#445566", provider="scripted")
    assert before == {"name": "Work", "colour": "#112233", "provider": None}
    assert await library.service.projects.change(project.id, name="Better") == {}
    registers = await library.sql("SELECT reg FROM changes WHERE entity = ? AND op = 'edit' ORDER BY reg", project.id)
    assert registers == [("lww.colour",), ("lww.model",), ("name",)]
    for name in (" ", "x" * 101):
        with pytest.raises(InvalidTitle):
            await library.service.projects.change(project.id, name=name)


async def test_tags_are_made_found_renamed_and_deleted_with_a_way_back(library: Library) -> None:
    ids = [await library.thread(f"T{number}") for number in range(3)]
    change = await library.service.tag(ids[:2], add=["#Reading", " reading ", "to do"])
    assert (await library.chat.get_thread(ids[0])).tags == ("Reading", "to do")
    reading, todo = await library.service.list_tags()
    assert (reading.name, reading.thread_count, todo.thread_count) == ("Reading", 2, 2)
    assert await library.service.tags_of(ids) == {reading.id: 2, todo.id: 2}
    assert (await library.service.tag(ids[:2], add=["READING"])).is_empty
    taken = await library.service.tag(ids, remove=[todo.id])
    assert await library.ids(tag_id=todo.id) == []
    await library.service.undo(taken)
    assert sorted(await library.ids(tag_id=todo.id)) == sorted(ids[:2])
    assert await library.service.rename_tag(reading.id, "Books") == "Reading"
    with pytest.raises(NotPossible, match="already"):
        await library.service.rename_tag(reading.id, "To Do")
    for name in ("", " # ", "x" * 61):
        with pytest.raises(InvalidTitle):
            await library.service.tag(ids, add=[name])
    gone = await library.service.delete_tag(todo.id)
    assert [tag.name for tag in await library.service.list_tags()] == ["Books"]
    await library.service.undo(gone)
    assert sorted(await library.ids(tag_id=todo.id)) == sorted(ids[:2])
    await library.service.redo(gone)
    await library.service.tag(ids[:1], add=["to do"])
    with pytest.raises(NotPossible, match="another tag"):
        await library.service.undo(gone)
    await library.service.undo(change)
    with pytest.raises(NotFound):
        await library.service.delete_tag(new_id())
    assert any(isinstance(event, TagsChanged) for event in library.world.events)
    assert (await library.sql("SELECT count(*) FROM changes WHERE kind = 'tag'"))[0] == (7,)


@pytest.mark.parametrize("scope", ["active", "archive"])
@pytest.mark.parametrize("order", ["activity", "name"])
async def test_pages_join_without_gap_or_double_in_every_order(library: Library, scope: str, order: str) -> None:
    titles = ["beta", "Alpha", "alpha", "Émile", "zeta: x", "beta"]
    ids = [await library.thread(title) for title in titles]
    await library.service.tag(ids[:3], add=["x"])
    if scope == "archive":
        await library.service.archive(ids)
    for more in ({}, {"tag_id": (await library.service.list_tags())[0].id}):
        query = ThreadQuery(scope=scope, order=order, **more)  # type: ignore[arg-type]
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await library.service.list_threads(query, limit=2, cursor=cursor)
            found += [thread.id for thread in page.threads]
            cursor = page.next_cursor
            if cursor is None:
                break
        wanted = ids[:3] if more else ids
        by_name = sorted(wanted, key=lambda each: (name_key(titles[ids.index(each)]), each))
        assert found == (by_name if order == "name" else wanted[::-1])
        assert await library.service.count_threads(query) == len(wanted)


async def test_a_tag_of_many_threads_is_found_on_the_way_through_the_list(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatdesk.core.storage.chat import thread_lists

    monkeypatch.setattr(thread_lists, "_FEW", 1)
    ids = [await library.thread() for _ in range(4)]
    await library.service.tag(ids[1:3], add=["x"])
    tag = (await library.service.list_tags())[0].id
    assert await library.ids(tag_id=tag) == [ids[2], ids[1]]


async def test_deleting_for_good_is_whole_and_needs_the_trash(library: Library) -> None:
    kept, *doomed = [await library.thread(f"T{number}") for number in range(4)]
    await library.service.delete(doomed)
    before = await library.state()
    with pytest.raises(NotPossible, match="1 of 4 threads are not, or no longer, in the trash"):
        await library.service.trash.delete_for_good([*doomed, kept])
    assert await library.state() == before
    assert await library.service.trash.delete_for_good(doomed[:1]) == 1
    with pytest.raises(ThreadNotFound):
        await library.chat.get_thread(doomed[0])
    assert await library.ids(scope="trash") == doomed[:0:-1]
    await library.service.trash.empty()
    assert await library.ids(scope="trash") == []
    assert await library.service.trash.sweep(trash_days=30) == 3
    assert await library.sql("SELECT id FROM threads") == [(kept,)]
    assert isinstance(library.world.events[-1], ThreadsChanged)


async def test_what_was_given_up_goes_after_a_kill_with_all_its_messages(library: Library) -> None:
    created = await library.chat.create_thread(None, "", "hello")
    await library.world.answer_of(created)
    await library.service.delete([created.thread.id])
    await library.service.trash.empty()
    # As a process leaves it that was killed after some of the rows.
    await library.world.database.write(
        lambda conn: conn.exec_driver_sql("DELETE FROM messages WHERE parent_id IS NOT NULL")
    )
    assert await library.service.trash.sweep(trash_days=30) == 1
    for table in ("threads", "messages", "message_parts"):
        assert await library.sql(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_archived_threads_retire_and_emptied_projects_go(library: Library) -> None:
    project = await library.service.projects.create("Work", "#112233")
    thread = await library.thread("T", project.id)
    await library.service.archive([thread])
    await library.world.database.write(lambda conn: conn.exec_driver_sql("UPDATE threads SET archived_at = 1000"))
    await library.service.trash.sweep(trash_days=30)
    assert await library.ids(scope="archive") == [thread]
    await library.service.trash.sweep(trash_days=30, archive_days=1)
    assert await library.ids(scope="trash") == [thread]
    await last_chats_are_right(library)
    await library.service.delete_project(project.id)
    await library.world.database.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE projects SET deleted_at = 1000, hlc = 1000 << 16 WHERE deleted_at IS NOT NULL"
        )
    )
    await library.service.trash.sweep(trash_days=30)
    assert len(await library.service.projects.list(deleted_too=True)) == 2
    await library.service.trash.empty()
    await library.service.trash.sweep(trash_days=30)
    assert [each.name for each in await library.service.projects.list(deleted_too=True)] == ["Personal"]


async def test_deleting_stops_an_answer_that_is_being_written(library: Library) -> None:
    gate = asyncio.Event()
    library.world.provider.will(gate)
    created = await library.chat.create_thread(None, "", "hello")
    await library.service.delete([created.thread.id])
    assert not library.chat.is_answering(created.thread.id)


async def test_of_very_many_threads_only_the_fact_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatdesk.core.chat import library as module
    from chatdesk.core.chat import trash

    monkeypatch.setattr(module, "MOST_PUBLISHED", 1)
    monkeypatch.setattr(trash, "MOST_PUBLISHED", 1)
    ids = [await library.thread() for _ in range(2)]
    await library.service.delete(ids)
    assert library.world.events[-1] == ThreadsChanged(None)
    await library.service.trash.delete_for_good(ids)
    assert library.world.events[-1] == ThreadsChanged(None)


async def test_a_tag_on_a_missing_thread_is_damage_that_the_check_finds(library: Library) -> None:
    thread = await library.thread()
    await library.service.tag([thread], add=["x"])

    path = library.world.database.path
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("UPDATE thread_tags SET thread_id = ?", (new_id(),))
    found = await integrity_check(library.world.database)
    assert any("thread_tags" in complaint for complaint in found)


_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("pin", "unpin", "archive", "unarchive", "move", "delete", "restore", "tag", "untag"),
                *("project", "unproject", "ask", "new", "undo", "redo", "purge"),
            ]
        ),
        st.integers(0, 30),
    ),
    max_size=14,
)


async def _change(library: Library, done: list[object], name: str, pick: int) -> None:
    service = library.service
    ids = [str(row[0]) for row in await library.sql("SELECT id FROM threads WHERE deleted_at IS NOT 0 ORDER BY id")]
    projects = [each.id for each in await service.projects.list(deleted_too=True)]
    some: Sequence[str] = ids[pick % len(ids) :][: 1 + pick % 3] if ids else ()
    project = projects[pick % len(projects)]
    by_name = {
        "pin": lambda: service.pin(some),
        "unpin": lambda: service.pin(some, is_pinned=False),
        "archive": lambda: service.archive(some),
        "unarchive": lambda: service.archive(some, is_archived=False),
        "move": lambda: service.move(some, project),
        "delete": lambda: service.delete(some),
        "restore": lambda: service.restore(some),
        "tag": lambda: service.tag(some, add=[f"tag {pick % 3}"]),
        "project": lambda: service.delete_project(project),
        "unproject": lambda: service.restore_project(project),
    }
    if name == "new":
        await library.thread(f"T{pick}", project)
    elif name == "ask" and ids:
        await library.world.answer_of(await library.chat.send_message(ids[pick % len(ids)], "hello"))
    elif name == "untag":
        tags = await service.list_tags()
        if tags:
            done.append(await service.delete_tag(tags[pick % len(tags)].id))
    elif name == "undo" and done:
        await service.undo(done[pick % len(done)])  # type: ignore[arg-type]
    elif name == "redo" and done:
        await service.redo(done[pick % len(done)])  # type: ignore[arg-type]
    elif name == "purge" and some:
        await service.trash.delete_for_good(some)
        await service.trash.sweep(trash_days=1)
    elif name in by_name:
        before = await library.state()
        change = await by_name[name]()
        after = await library.state()
        await service.undo(change)
        assert await library.state() == before, name
        await service.redo(change)
        assert await library.state() == after, name
        done.append(change)


async def _run(changes: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with chat_world(Path(folder)) as world:
            library = Library(world)
            other = await library.service.projects.create("Other", "#112233")
            for number in range(4):
                await library.thread(f"T{number}", other.id if number % 2 else None)
            done: list[object] = []
            for name, pick in changes:
                with suppress(ChatDeskError):  # what makes no sense now is refused, and must change nothing
                    await _change(library, done, name, pick)
                await last_chats_are_right(library)
                assert await world.database.read(reachability.unreachable) == [], name
                assert (await library.chat.projects.default()).deleted_at is None, name
            assert await integrity_check(world.database) == []
            assert await library.sql("SELECT 1 FROM threads WHERE deleted_at = ?", GONE) == []


@given(_CHANGES)
@example([("pin", 0), ("project", 0), ("restore", 0), ("restore", 1), ("undo", 2)])
@example([("project", 1), ("unproject", 1), ("new", 1), ("redo", 0)])  # a thread came since
@example([("project", 0), ("undo", 0), ("project", 1), ("redo", 0)])  # the other project is in the trash now
@example([("project", 1), ("purge", 0), ("purge", 0), ("purge", 0), ("undo", 0)])  # the project is gone for good
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
def test_after_any_changes_the_counters_are_right_and_every_one_has_its_way_back(
    changes: list[tuple[str, int]],
) -> None:
    asyncio.run(_run(changes))


async def test_threads_are_counted_by_project_without_those_that_stand_elsewhere(library: Library) -> None:
    service = library.service
    garden = await service.projects.create("Garden", "teal")
    await service.projects.create("Empty", "teal")
    ids = [await library.thread(f"Thread {number}", garden.id) for number in range(7)]
    home = await library.thread("At home")
    await service.pin(ids[:1])
    await service.archive(ids[1:3])
    await service.pin(ids[2:3])
    await service.delete(ids[3:4])
    here = (await library.chat.get_thread(home)).project_id
    assert await service.count_by_project() == {garden.id: 3, here: 1}
    await service.pin([*ids[:3], *ids[4:]])
    assert (await service.count_by_project())[garden.id] == 0
    plans = await library.sql(
        "EXPLAIN QUERY PLAN SELECT project_id, count(*) FROM threads WHERE deleted_at IS NULL AND archived_at IS NULL"
        " GROUP BY project_id"
    )
    assert "INDEX ix_threads_project_recent" in str(plans)
    assert "TEMP B-TREE" not in str(plans)
