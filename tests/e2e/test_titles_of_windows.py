"""The title of a window names the thread of its active chat, whatever changes which thread that is or its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


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
