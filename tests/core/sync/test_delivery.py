"""What the window is told of pages that came: a few things one by one, many as a whole and seldom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core import events
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_results import Applied
from chatdesk.core.errors import StorageError
from chatdesk.core.events import EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.sync import delivery
from chatdesk.core.sync.delivery import Delivery
from tests.helpers.store import Store
from tests.helpers.waiting import stays, until

OTHER, ME = "member other", "member me"
KINDS = (
    events.MessageAdded,
    events.MessageChanged,
    events.PathChanged,
    events.ThreadCreated,
    events.ThreadChanged,
    events.ThreadDeleted,
    events.ThreadsChanged,
    events.ProjectChanged,
    events.TagsChanged,
    events.ContextChanged,
    events.SharedMessagesArrived,
    events.TeamChanged,
)


class Ends:
    """A profile, and what a delivery told of it."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, Clock())  # type: ignore[arg-type] - only asked for the time
        self.bus = EventBus()
        self.heard: list[Any] = []
        self.refreshed = 0
        self.failure: Exception | None = None
        for kind in KINDS:
            self.bus.subscribe(kind, self.heard.append)

    @property
    def database(self) -> Database:
        return self.store.db

    def begin(self) -> None:
        self.delivery = Delivery(
            Repositories.of(self.database),
            self.bus,
            loop=asyncio.get_running_loop(),
            name_of={OTHER: "Olga", ME: "me"}.__getitem__,
            refresh=self.refresh,
        )

    async def refresh(self) -> None:
        self.refreshed += 1
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    async def told(self, applied: Applied, *, is_catch_up: bool = False) -> list[Any]:
        """Add a page as a thread of sync does, and return all that is published of it."""
        self.heard.clear()
        refreshed = self.refreshed
        await asyncio.to_thread(self.delivery.add, applied, is_catch_up=is_catch_up, me=ME)
        await until(lambda: self.refreshed > refreshed and not any(map(_is_delivery, asyncio.all_tasks())))
        return list(self.heard)

    async def author(self, message_id: str, member: str) -> None:
        await self.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE messages SET author_id = ? WHERE id = ?", (member, message_id))
        )


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    made = Ends(tmp_path / "chatdesk.db")
    await made.database.open()
    made.begin()
    yield made
    await made.delivery.close()
    await made.database.close()


def _is_delivery(task: asyncio.Task[Any]) -> bool:
    return task.get_name() == "publish pulled changes"


def of(kind: type, heard: list[Any]) -> list[Any]:
    return [event for event in heard if isinstance(event, kind)]


async def test_a_new_message_is_added_and_its_author_named(ends: Ends) -> None:
    thread = await ends.store.thread()
    question, answer = await ends.store.ask(thread)
    await ends.author(question, OTHER)
    await ends.author(answer, OTHER)
    heard = await ends.told(Applied(threads=frozenset((thread,)), new_messages=((thread, question), (thread, answer))))
    assert [event.message.id for event in of(events.MessageAdded, heard)] == [question, answer]
    assert [event.thread.id for event in of(events.ThreadChanged, heard)] == [thread]
    [arrived] = of(events.SharedMessagesArrived, heard)
    assert arrived.message_ids == (question, answer)
    assert arrived.authors == ("Olga",)


async def test_words_of_ones_own_from_another_computer_are_no_news(ends: Ends) -> None:
    thread = await ends.store.thread()
    question, _ = await ends.store.ask(thread)
    await ends.author(question, ME)
    heard = await ends.told(Applied(new_messages=((thread, question),)))
    assert of(events.MessageAdded, heard)
    assert not of(events.SharedMessagesArrived, heard)


async def test_another_version_changes_the_shown_one(ends: Ends) -> None:
    thread = await ends.store.thread()
    question, _ = await ends.store.ask(thread)
    version, _, _ = await ends.store.messages.add_question_version(question, "otherwise", None)
    heard = await ends.told(Applied(versions=((thread, version.id),)))
    changed = {event.message.id: event.message.version_count for event in of(events.MessageChanged, heard)}
    assert changed == {question: 2, version.id: 2}
    assert not of(events.MessageAdded, heard)


async def test_threads_that_came_went_and_changed(ends: Ends) -> None:
    new, gone, known = [await ends.store.thread(title) for title in ("new", "gone", "known")]
    await ends.store.library.delete([gone])
    heard = await ends.told(
        Applied(
            threads=frozenset((gone, known, new_id())),
            new_threads=frozenset((new,)),
            paths=frozenset((known,)),
            contexts=frozenset((known,)),
            has_tags=True,
        )
    )
    assert [event.thread.id for event in of(events.ThreadCreated, heard)] == [new]
    assert [event.thread_id for event in of(events.ThreadDeleted, heard)] == [gone]
    assert [event.thread.id for event in of(events.ThreadChanged, heard)] == [known]
    assert of(events.PathChanged, heard) == [events.PathChanged(known, None)]
    assert of(events.ContextChanged, heard) == [events.ContextChanged(known)]
    assert of(events.TagsChanged, heard)


async def test_a_message_that_is_gone_again_is_not_told(ends: Ends) -> None:
    thread = await ends.store.thread()
    heard = await ends.told(Applied(threads=frozenset((thread,)), new_messages=((thread, new_id()),)))
    assert not of(events.MessageAdded, heard)


async def test_projects_are_read_again(ends: Ends) -> None:
    project = await ends.store.projects.default()
    heard = await ends.told(Applied(projects=frozenset((project.id, new_id()))))
    assert [event.project.id for event in of(events.ProjectChanged, heard)] == [project.id]


async def test_much_is_told_as_a_whole_and_at_most_once_a_second(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_CALM_S", 0.4)
    threads = [await ends.store.thread(str(number)) for number in range(25)]
    page = Applied(
        threads=frozenset(threads),
        new_messages=tuple((thread, new_id()) for thread in threads),
        contexts=frozenset(threads[:2]),
        has_tags=True,
    )
    heard = await ends.told(page)
    assert of(events.ThreadsChanged, heard) == [events.ThreadsChanged(None)]
    assert {event.thread_id for event in of(events.PathChanged, heard)} == set(threads)
    assert len(of(events.ContextChanged, heard)) == 2
    assert not of(events.MessageAdded, heard)
    for _ in range(50):
        ends.delivery.add(page, is_catch_up=True, me=ME)
        await asyncio.sleep(0)
    heard = await ends.told(page)
    assert 1 <= len(of(events.ThreadsChanged, heard)) <= 4
    assert ends.refreshed <= 5


async def test_a_first_pull_sends_no_notifications(ends: Ends) -> None:
    thread = await ends.store.thread()
    question, _ = await ends.store.ask(thread)
    await ends.author(question, OTHER)
    heard = await ends.told(Applied(new_messages=((thread, question),)), is_catch_up=True)
    assert not of(events.SharedMessagesArrived, heard)


async def test_a_database_that_fails_once_does_not_end_it(ends: Ends) -> None:
    thread = await ends.store.thread()
    ends.failure = StorageError()
    ends.delivery.add(Applied(threads=frozenset((thread,))), is_catch_up=False, me=ME)
    await until(lambda: ends.failure is None)
    assert of(events.ThreadChanged, await ends.told(Applied(threads=frozenset((thread,)))))


async def test_after_the_end_nothing_is_told(ends: Ends) -> None:
    thread = await ends.store.thread()
    await ends.delivery.close()
    ends.heard.clear()
    ends.delivery.add(Applied(threads=frozenset((thread,))), is_catch_up=False, me=ME)
    await stays(lambda: not ends.heard, for_s=0.05)


async def test_a_note_is_told_also_where_nothing_else_came_of_it(ends: Ends) -> None:
    """Who wrote in a thread that another deleted has it open as before, and is to read why that is."""
    thread = await ends.store.thread()
    heard = await ends.told(Applied(notes=(thread,)))
    assert [type(each) for each in heard] == [events.TeamChanged]
