"""Every action of the catalogue, given in the chat at the right and in a window of its own: it acts on that chat and on
no other, or, where it is the program's, it is done once. One day gives the actions of a group in one of the two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.command import GROUPS
from chatdesk.ui.dialogs.panel import Panel
from tests.helpers.examples import sample
from tests.helpers.waiting import until_still
from tests.helpers.window import answered, ask, play, until

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.long]

# They belong to the program or to the main window: from another window they bring that to the front.
ONCE: Final = frozenset(
    ("thread.restore", "thread.select_all", "project.switch", "project.new", "project.edit",
     "project.files", "memory.open", "project.share", "project.archive", "project.delete", "tag.manage", "go.filter",
     "view.sidebar", "view.threads",
     "view.archive", "view.trash", "trash.messages", "trash.empty", "view.sort", "view.group", "view.sidebar_wider",
     "view.sidebar_narrower", "app.add_provider", "app.tools", "app.models", "app.import", "app.backup", "app.check",
     "app.quick", "app.settings", "team.settings", "team.join", "app.usage", "app.waiting", "app.limits", "app.help",
     "app.report", "app.shortcuts", "app.updates"),
)  # fmt: skip
# They change how all of the program looks.
EVERYWHERE: Final = frozenset(("view.theme", "view.larger", "view.smaller", "view.reset_size"))
# They need a state that other tests make: an answer that is being written, a call that waits, a workspace.
NOT_NOW: Final = frozenset(
    ("thread.keep", "thread.forget", "thread.mark_read", "thread.restore", "message.stop", "message.approve",
     "message.send_waiting", "message.edit_waiting", "team.invite", "team.sync", "team.details"),
)  # fmt: skip
# They end or replace what this test walks through; ``test_chats_window`` has what opens and closes chats.
ELSEWHERE: Final = frozenset(
    (
        "thread.temporary",
        "thread.open_window",
        "thread.open_beside",
        "view.close_chat",
        "go.chat_left",
        "go.chat_right",
        "app.quit",
        "app.restore",
        "app.repair",
    )
)


@dataclass
class Walk:
    """Three chats with a thread each, and the one that the actions are given in."""

    application: WindowApplication
    chat: PaneBindings
    home: str
    outside: list[str]
    at_rest: frozenset[str]  # the names of the tasks that run while nobody does anything

    @property
    def others(self) -> list[PaneBindings]:
        return [each for each in self.application.chats.shown() if each is not self.chat]

    async def act(self, command_id: str) -> str:
        """Give an action in the chat; return what is wrong with what came of it."""
        before, others = looks_of(self.chat), [looks_of(each) for each in self.others]
        shared = self._shared()
        if not self.chat.panes.registry.trigger(command_id):
            return "it cannot be done"
        try:
            await until(lambda: looks_of(self.chat) != before or self._shared() != shared, within_s=20)
        except TimeoutError:
            return "nothing came of it"
        await until_still(lambda: (looks_of(self.chat), self._shared()), for_s=0.15)
        if command_id in EVERYWHERE or command_id in ONCE:
            return self._wrong_with_once(command_id)
        touched = [each for each, seen in zip(self.others, others, strict=True) if looks_of(each) != seen]
        if touched:
            return "another chat was touched"
        if any(each.parentWidget().window() is not self.chat.panes.window for each in dialogs()):
            return "its dialog is over another window"
        return ""

    def _wrong_with_once(self, command_id: str) -> str:
        if len(dialogs()) > 1:
            return f"it was done {len(dialogs())} times"
        return ""

    def _shared(self) -> tuple[object, ...]:
        """Return what there is once."""
        main, theme = self.application.panes.main_window, self.application.panes.theme
        sidebar = self.application.panes.sidebar
        return (
            QGuiApplication.clipboard().text(), len(self.outside), theme.scale, theme.scheme, visible(main),
            tuple(map(id, dialogs())), QApplication.activePopupWidget(), QApplication.activeWindow(),
            main.place.width, sidebar.view, self.application.bindings.lists.query,
            self.application.bindings.lists.by_project, sidebar.selected_ids(),
        )  # fmt: skip

    def _is_at_rest(self) -> bool:
        """Reject dialogs, those too that come late on a busy machine, and return whether none is open or on its way."""
        for dialog in dialogs():
            dialog.reject()
        return not dialogs() and tasks() <= self.at_rest

    async def come_back(self) -> None:
        """Leave dialogs and menus, and show the chat's thread again."""
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        await until(self._is_at_rest)
        quick = self.application.bindings.quick.window
        if quick is not None:
            quick.hide()
        self.application.panes.sidebar.thread_list.marks.set(())
        if (thread := self.chat.threads.open_thread) is not None and thread.deleted_at is not None:
            self.application.bindings.library.restore((self.home,))
        self.chat.messages.edit.cancel()
        self.chat.panes.composer.clear()
        for each in self.application.chats.shown():
            each.panes.pane.toast.hide()  # it would go by itself in the middle of the next action
        self.chat.panes.window.come_to_front()
        await self.chat.threads.open(self.home)
        self.chat.panes.pane.focus_composer()
        main = self.application.bindings
        await until(lambda: main.active() is self.chat and len(self.chat.panes.transcript.entries) > 1)
        await until_still(
            lambda: ([looks_of(each) for each in self.application.chats.shown()], self._shared()), for_s=0.15
        )


def tasks() -> frozenset[str]:
    """Return the names of what the window does now, such as loading a dialog that is to open."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return frozenset(name for name in names if not name.startswith("Task-"))  # those of asyncio itself


def visible(widget: QWidget) -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (type(each).__name__, each.objectName(), each.text() if isinstance(each, QLabel) else "")
        for each in _visible_below(widget)
    )


def _visible_below(widget: QWidget) -> Iterator[QWidget]:
    for child in widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if child.isVisible():  # else nothing below it is
            yield child
            yield from _visible_below(child)


def dialogs() -> list[Panel]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, Panel) and each.isVisible()]


def looks_of(chat: PaneBindings) -> tuple[object, ...]:
    """Return what a person sees of a chat, as far as actions change it."""
    panes, entries = chat.panes, chat.panes.transcript.entries
    pane, thread, focus = panes.pane, chat.threads.open_thread, panes.window.focusWidget()
    return (
        thread, visible(pane), panes.composer.text(), chat.messages.edit.edited is not None,
        tuple(entry.message for entry in entries), pane.toast.isVisible() and pane.toast.text,
        pane.inspector is not None and pane.inspector.isVisible() and pane.inspector.tab,
        focus if focus is not None and pane.isAncestorOf(focus) else None,
        panes.transcript.current_message_id, chat.search.palette is not None,
    )  # fmt: skip


def _select(walk: Walk) -> None:
    walk.chat.panes.transcript.setFocus()
    walk.chat.panes.transcript.parts.selection.select_all()


async def _two_versions(walk: Walk) -> None:
    chat = walk.chat
    await answered(walk.application, lambda: chat.panes.registry.trigger("message.regenerate"))
    await until(lambda: chat.panes.registry.is_offered("message.previous_version"))


async def _renamed(walk: Walk) -> None:
    walk.chat.undo.rename(walk.home, "called otherwise")
    await until(lambda: walk.chat.threads.open_thread.title == "called otherwise")  # type: ignore[union-attr]


async def _found(walk: Walk) -> None:
    walk.chat.panes.registry.trigger("go.find")
    QTest.keyClicks(walk.chat.panes.window.focusWidget(), "e")
    await until(lambda: walk.chat.panes.transcript.finding.total > 1)


# What has to be so before an action can do anything.
BEFORE: Final[dict[str, Callable[[Walk], object]]] = {
    **dict.fromkeys(
        ("message.copy_markdown", "message.copy_plain", "message.copy_rich", "message.quote", "message.remember"),
        _select,
    ),
    "message.previous_version": _two_versions,
    "edit.undo": _renamed,
    "go.composer": lambda walk: walk.chat.panes.transcript.setFocus(),
    "view.reset_size": lambda walk: walk.chat.panes.theme.set_scale(1.1),
    **dict.fromkeys(("go.find_next", "go.find_previous"), _found),
    **dict.fromkeys(("message.note", "prompt.save"), lambda walk: walk.chat.panes.composer.set_text("something")),
}


@pytest.mark.parametrize(("place", "group"), sample(list(product(("beside", "window"), GROUPS)), len(GROUPS)))
def test_every_action_works_in_every_chat(
    tmp_path: Path, place: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: outside.append(url.toString()) or True)
    monkeypatch.setattr(QFileDialog, "open", lambda _dialog, *_slot: outside.append("file"))
    commands = [each.id for each in CATALOGUE if each.group == group and each.id not in NOT_NOW | ELSEWHERE]
    wrong: dict[str, str] = {}

    async def script(application: WindowApplication) -> None:
        walk = await begin(application, place, outside)
        for command_id in commands:
            await walk.come_back()
            prepare = BEFORE.get(command_id)
            done = None if prepare is None else prepare(walk)
            if isinstance(done, Awaitable):
                await done
            if said := await walk.act(command_id):
                wrong[command_id] = said
        await walk.come_back()

    play(AppPaths.find(tmp_path / "profile"), script)
    assert wrong == {}


async def begin(application: WindowApplication, place: str, outside: list[str]) -> Walk:
    """Open three chats, each on a thread of its own. That of the one to act in is neither the newest nor the oldest."""
    await ask(application, "/demo code")
    found: dict[str, PaneBindings] = {}
    chats = application.chats
    for each, question in zip((place, *{"beside", "window"} - {place}), ("/demo code", "/demo markdown"), strict=True):
        (chats.open_beside if each == "beside" else chats.open_window)(None)
        await until(lambda: application.bindings.active() not in (application.bindings, *found.values()))
        found[each] = application.bindings.active()
        await answered(application, partial(application.bindings.active().commands.ask, question))
    chat = found[place]
    assert chat.threads.thread_id is not None
    await until_still(tasks)
    return Walk(application, chat, chat.threads.thread_id, outside, tasks())
