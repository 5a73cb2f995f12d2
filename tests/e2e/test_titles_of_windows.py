"""The title of a window names the thread of its active chat, whatever changes which thread that is or its name, and
what a command changes is heard where the focus stays in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")
# Commands one after the other, with what is heard.
HEARD = (
    ("thread.new", "New thread"),
    ("go.next_thread", "pears"),
    ("go.next_thread", "apples"),
    ("go.previous_thread", "pears"),
    ("view.theme", "Dark"),
    ("view.theme", "Light"),
    ("view.larger", "Text size 110%"),
    ("view.reset_size", "Text size 100%"),
    ("view.smaller", "Text size 90%"),
    ("message.note", "Added as a note"),
    ("edit.undo", "This cannot be undone: add note"),
    ("message.copy_last", "Copied"),
    ("thread.copy_link", "Link copied"),
    ("thread.copy", "The thread is in the clipboard"),
    ("message.pin", "Pinned into the context"),
    ("message.regenerate", "has answered"),
    ("message.previous_version", "Version 1 of 2"),
    ("view.sidebar", "The sidebar is hidden"),
    ("view.sidebar", "The sidebar is shown"),
    ("view.sort", "Sorted by name"),
    ("view.sort", "Sorted by last activity"),
    ("view.group", "Grouped by project"),
    ("view.group", "Grouped by date"),
    ("thread.pin", "Pinned"),
    ("thread.open_beside", "pears"),
    ("go.chat_left", "pears"),
    ("go.chat_right", "pears"),
    ("thread.archive", "Archived"),
    ("edit.undo", "Undone: archive thread"),
    ("edit.redo", "Redone: archive thread"),
    ("thread.delete", "Moved to the trash"),
    ("thread.temporary", "Temporary chat"),
    ("thread.new", "New thread"),
    ("thread.temporary", "Temporary chat"),
)


def test_the_main_window_is_named_after_the_thread_of_its_active_chat(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        window = application.panes.main_window

        async def is_named(title: str) -> None:
            await until(lambda: window.windowTitle() == f"{title} – ChatDesk")

        await ask(application, "apples")
        chats = application.chats
        await is_named("apples")
        first = application.threads.thread_id
        assert first is not None
        application.panes.registry.trigger("thread.new")
        await is_named("New thread")
        await ask(application, "pears")
        await is_named("pears")
        chats.open_beside(first)
        await is_named("apples")
        window.pane.focus_composer()
        await is_named("pears")
        chats.shown()[1].panes.pane.focus_composer()
        await is_named("apples")
        chats.shown()[1].panes.header.titleEdited.emit("plums")
        await is_named("plums")
        chats.shown()[1].panes.header.closeRequested.emit()
        await is_named("pears")

    play(AppPaths.find(tmp_path / "profile"), script)


def test_each_change_is_heard(tmp_path: Path) -> None:
    said: list[str] = []

    def listen(event: Any) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            said.append(event.message())

    async def script(application: WindowApplication) -> None:
        await application.services()
        for question in ("apples", "pears"):
            await application.threads.open(None)
            await ask(application, question)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(QAccessible, "isActive", staticmethod(lambda: True))
            patch.setattr(QAccessible, "updateAccessibility", staticmethod(listen))
            for command, words in HEARD:
                if command == "message.note":
                    application.panes.composer.set_text("a note")
                said.clear()
                await until(lambda command=command: application.panes.commands.trigger(command))  # type: ignore[misc]
                await until(lambda words=words: any(words in each for each in said))  # type: ignore[misc]

    play(AppPaths.find(tmp_path / "profile"), script)
