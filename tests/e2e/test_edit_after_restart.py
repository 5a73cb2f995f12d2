"""An edit in progress is an edit again after a restart, with what was typed of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import answered, ask, play, press, type_text, until


@pytest.mark.parametrize("command", ["message.edit_last", "message.edit_answer"])
@pytest.mark.parametrize("typed", ["", " and pears"])
def test_an_edit_comes_back_as_an_edit(tmp_path: Path, command: str, typed: str) -> None:
    paths = AppPaths.find(tmp_path / "data")
    left: list[str] = []

    async def begin(application: WindowApplication) -> None:
        await ask(application, "apples")
        await until(lambda: len(application.panes.transcript.entries) == 2)
        application.panes.commands.trigger(command)
        await until(lambda: application.messages.edit.edited is not None)
        type_text(application, typed)
        edited = application.messages.edit.edited
        assert edited is not None
        left.extend((edited.id, application.panes.composer.text()))

    async def go_on(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.messages.edit.edited is not None)
        edited = application.messages.edit.edited
        assert edited is not None and edited.id == left[0]
        assert application.panes.composer.text() == left[1]
        application.messages.stop()
        await until(lambda: application.panes.composer.text() == "")

    play(paths, begin)
    play(paths, go_on)


def test_what_is_sent_after_the_restart_is_another_version(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "data")

    async def begin(application: WindowApplication) -> None:
        await ask(application, "apples")
        application.panes.commands.trigger("message.edit_last")
        await until(lambda: application.messages.edit.edited is not None)
        type_text(application, " and pears")

    async def go_on(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.messages.edit.edited is not None)
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        services = await application.services()
        thread_id = application.threads.thread_id
        assert thread_id is not None
        page = await services.chat.reader.get_thread_messages(thread_id)
        assert [page.messages[0].text, len(page.messages)] == ["apples and pears", 2]
        assert application.panes.composer.text() == ""

    play(paths, begin)
    play(paths, go_on)
