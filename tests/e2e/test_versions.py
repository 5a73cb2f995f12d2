"""Versions, branches and undo in the real window."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDialog, QPushButton

from chatdesk.core.chat.undo import Step
from chatdesk.core.errors import StorageFull
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import answered, ask, play, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def _press_undo(application: WindowApplication, key: Qt.Key = Qt.Key.Key_Z) -> None:
    QTest.keyClick(application.panes.composer.editor, key, Qt.KeyboardModifier.ControlModifier)


def _dialog(application: WindowApplication) -> QDialog | None:
    found = application.panes.window.findChildren(QDialog, "deleteMessageDialog")
    return next((dialog for dialog in found if dialog.isVisible()), None)


async def _undo(application: WindowApplication) -> None:
    """Undo the deletion, once it is the last change: it is stored a moment before it can be undone."""
    stack = await application.bindings.undo.stack()
    await until(lambda: isinstance(stack.last_seen_from(application.threads.thread_id), Step))
    application.panes.commands.trigger("edit.undo")


async def _shown(application: WindowApplication, count: int) -> None:
    """Wait until that many messages are on the path."""
    chat = (await application.services()).chat
    thread_id = application.threads.thread_id
    assert thread_id is not None

    async def is_there() -> bool:
        return (await chat.reader.get_thread_messages(thread_id)).total == count

    await until(is_there)


async def _choose(application: WindowApplication, message_id: str, button: str) -> None:
    application.panes.transcript.actionRequested.emit("delete", message_id)
    await until(lambda: _dialog(application) is not None)
    dialog = _dialog(application)
    assert dialog is not None
    dialog.findChild(QPushButton, button).click()
    await until(lambda: _dialog(application) is None)


def test_the_last_message_is_deleted_at_once_and_ctrl_z_brings_it_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        transcript = application.panes.transcript
        await _shown(application, 2)
        transcript.actionRequested.emit("delete", answer.id)
        await _shown(application, 1)
        await until(lambda: application.panes.commands.is_enabled("edit.undo"))
        _press_undo(application)
        await _shown(application, 2)
        await until(lambda: application.panes.commands.is_enabled("edit.redo"))
        _press_undo(application, Qt.Key.Key_Y)
        await _shown(application, 1)

    play(paths, script)


def test_a_message_with_others_after_it_is_deleted_alone_or_with_them(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        await ask(application, "two")
        await _choose(application, first.id, "deleteCancel")
        await _shown(application, 4)
        await _choose(application, first.id, "deleteOnly")
        await _shown(application, 3)
        await _undo(application)
        await _shown(application, 4)
        await _choose(application, first.id, "deleteWithLater")
        await _shown(application, 1)
        await _undo(application)
        await _shown(application, 4)

    play(paths, script)


def test_ctrl_z_belongs_to_the_text_while_there_is_typing_to_undo(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        application.panes.commands.trigger("thread.pin")
        await until(lambda: application.threads.open_thread.pinned_at is not None)
        await until(lambda: application.panes.commands.is_enabled("edit.undo"))
        type_text(application, "x")
        _press_undo(application)
        assert application.panes.composer.text() == ""
        assert application.threads.open_thread.pinned_at is not None
        application.panes.composer.clear()
        _press_undo(application)
        await until(lambda: application.threads.open_thread.pinned_at is None)

    play(paths, script)


def test_a_branch_opens_as_a_thread_of_its_own(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        await ask(application, "two")
        application.panes.transcript.actionRequested.emit("branch", answer.id)
        await until(lambda: application.threads.thread_id not in (None, answer.thread_id))
        assert application.threads.open_thread.title == "hello (branch)"
        await _shown(application, 2)

    play(paths, script)


async def _three_versions(application: WindowApplication) -> list[str]:
    """A first question with three versions, the newest of them shown; their ids, oldest first."""
    chat = (await application.services()).chat
    answer = await ask(application, "one")
    assert answer.parent_id is not None
    for text in ("two", "three"):
        await answered(application, lambda text=text: asyncio.ensure_future(chat.edit_message(answer.parent_id, text)))
    ids = [each.id for each in await chat.reader.list_versions(answer.parent_id)]
    await until(lambda: _texts(application)[:1] == ["three"])
    return ids


def _texts(application: WindowApplication) -> list[str]:
    return [entry.message.text for entry in application.panes.transcript.entries]


def test_quick_presses_go_from_version_to_version(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await _three_versions(application)
        transcript = application.panes.transcript
        transcript.actionRequested.emit("version-previous", ids[2])
        transcript.actionRequested.emit("version-previous", ids[1])
        await until(lambda: _texts(application)[:1] == ["one"])
        chat = (await application.services()).chat

        async def is_there() -> bool:
            return (await chat.reader.get_thread_messages(application.threads.thread_id)).messages[0].id == ids[0]

        await until(is_there)
        transcript.actionRequested.emit("version-previous", ids[0])  # there is none before it
        transcript.actionRequested.emit("version-next", ids[0])
        await until(lambda: _texts(application)[:1] == ["two"])

    play(paths, script)


def test_a_version_that_could_not_be_stored_is_not_left_on_the_screen(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await _three_versions(application)
        chat = (await application.services()).chat
        seen: list[str] = []

        async def fail(_message_id: str) -> None:
            seen.extend(_texts(application)[:1])
            raise StorageFull

        chat.paths.select_version = fail  # type: ignore[method-assign, assignment]
        application.panes.transcript.actionRequested.emit("version-previous", ids[2])
        await until(lambda: seen)
        await until(lambda: _texts(application)[:1] == ["three"])
        assert seen == ["two"]

    play(paths, script)


def test_the_answer_to_the_question_is_remembered_when_asked_to(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        await ask(application, "two")
        application.panes.transcript.actionRequested.emit("delete", first.id)
        await until(lambda: _dialog(application) is not None)
        dialog = _dialog(application)
        assert dialog is not None
        dialog.findChild(QCheckBox, "deleteNotAgain").click()
        dialog.findChild(QPushButton, "deleteWithLater").click()
        await _shown(application, 1)
        await _undo(application)
        await _shown(application, 4)
        application.panes.transcript.actionRequested.emit("delete", first.id)
        await _shown(application, 1)
        assert _dialog(application) is None
        await until(lambda: "delete_messages" in paths.settings_file.read_text(encoding="utf-8"))

    play(paths, script)
