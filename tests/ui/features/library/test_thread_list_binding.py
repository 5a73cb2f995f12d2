"""The list of threads while more changes than fit into a frame come, and while a project is being read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.thread import Project, Thread, ThreadPage
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, ProjectChanged, ProjectDeleted, ThreadChanged, ThreadDeleted, ThreadsChanged
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.sidebar.grouping import Folder
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from tests.helpers.waiting import running_tasks, until

_PROJECT = Project("p", "Garden", "", "", None, None, 0, None)


class _Library:
    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked = 0

    @property
    def projects(self) -> _Library:
        """It plays that service, too."""
        return self

    async def get(self, _project_id: str) -> Project:
        self.asked += 1
        await self.go_on.wait()
        return _PROJECT


class _Lists:
    """The binding with its sidebar, and the bus that it hears."""

    def __init__(self, binding: ThreadListBinding, sidebar: Sidebar, events: EventBus) -> None:
        self.binding = binding
        self.sidebar = sidebar
        self.publish = events.publish

    def titles(self, thread_ids: Sequence[str]) -> dict[str, str]:
        return {thread.id: thread.title for thread in self.sidebar.known(thread_ids)}


def _lists(qtbot: QtBot, qapp: QApplication, tasks: AsyncTasks, library: object) -> _Lists:
    sidebar = Sidebar(lambda _cursor, deliver: deliver(ThreadPage((), None)), Theme(qapp, preference="light"))
    qtbot.addWidget(sidebar)
    sidebar.reload()

    events = EventBus()
    threads = SimpleNamespace(set_new_project=lambda _project: None)
    panes = SimpleNamespace(sidebar=sidebar, window=sidebar)
    context = SimpleNamespace(
        panes=panes,
        tasks=tasks,
        open_thread=SimpleNamespace(is_temporary=lambda _thread_id: False),
        settings=None,
        chats=None,
        events=SimpleNamespace(subscribe=lambda _owner, kind, handler: events.subscribe(kind, handler)),
    )
    return _Lists(ThreadListBinding(context, threads, library), sidebar, events)  # type: ignore[arg-type]


async def test_a_thread_that_changes_twice_is_shown_in_its_last_state(qtbot: QtBot, qapp: QApplication) -> None:
    tasks = AsyncTasks(lambda _error: None)
    lists = _lists(qtbot, qapp, tasks, None)
    threads = [Thread(f"t{number}", "p", "", "", None, None, 1, 1000 + number) for number in range(60)]
    lists.publish(ThreadsChanged(tuple(replace(thread, title="before") for thread in threads)))
    await asyncio.sleep(0)
    lists.publish(ThreadsChanged(tuple(replace(thread, title="after") for thread in reversed(threads))))
    lists.publish(ThreadChanged(replace(threads[30], title="last")))
    lists.publish(ThreadDeleted("t40", is_purged=False))
    await until(lambda: not running_tasks("apply changed threads"))
    shown = lists.titles([thread.id for thread in threads])
    assert shown == {f"t{number}": "last" if number == 30 else "after" for number in range(60) if number != 40}
    lists.publish(ThreadsChanged((replace(threads[0], title="once more"),)))
    await until(lambda: lists.titles(["t0"]) == {"t0": "once more"})
    await tasks.close()


async def test_a_project_that_changes_while_it_is_read_is_listed_as_it_is(qtbot: QtBot, qapp: QApplication) -> None:
    tasks = AsyncTasks(lambda _error: None)
    library = _Library()
    lists = _lists(qtbot, qapp, tasks, library)
    binding = lists.binding
    binding.show_project("p")
    await until(lambda: library.asked == 1)
    lists.publish(ProjectChanged(replace(_PROJECT, name="Orchard")))
    library.go_on.set()
    await until(lambda: binding.project is not None)
    assert binding.project is not None
    assert binding.project.name == "Orchard"
    library.go_on.clear()
    binding.show_project("p")
    await until(lambda: library.asked == 2)
    lists.publish(ProjectDeleted(replace(_PROJECT, deleted_at=1)))
    library.go_on.set()
    await until(lambda: binding.project is None)
    await tasks.close()


async def test_a_folder_that_cannot_be_read_says_so(qtbot: QtBot, qapp: QApplication) -> None:
    class Refusing:
        async def list_threads(self, _query: object, **_how: object) -> ThreadPage:
            raise NotPossible("The database is busy.", safe="Nothing was changed.", next_step="Try again.")

    tasks = AsyncTasks(lambda _error: None)
    sidebar = _lists(qtbot, qapp, tasks, Refusing()).sidebar
    sidebar.rows.set_folders([Folder("p", "Garden", 1)])
    sidebar.reload()
    model = sidebar.thread_list.model()
    model.set_folder_open("p", True)
    model.fetch_near(0, 10)
    await until(lambda: "busy" in sidebar.thread_list.empty_text)
    assert not model.is_fetching
    assert not sidebar.notices.retry_button.isHidden()
    await tasks.close()
