"""What was deleted is found in the trash: messages, too."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.deleted_messages import DeletedMessagesDialog
from tests.helpers.window import ask, play, until


def open_dialog(application: WindowApplication) -> DeletedMessagesDialog | None:
    found = application.panes.window.findChildren(DeletedMessagesDialog)
    return next((each for each in found if each.isVisible()), None)


def test_a_deleted_message_is_found_in_the_trash_and_comes_back(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "apples and pears")
        panes, first = application.panes, application.threads.thread_id
        await until(lambda: len(panes.transcript.entries) == 2)
        answer = panes.transcript.entries[-1].message.id
        panes.transcript.actionRequested.emit("delete", answer)
        await until(lambda: len(panes.transcript.entries) == 1)
        panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        panes.commands.trigger("view.trash")
        button = panes.sidebar.findChild(QPushButton, "deletedMessagesButton")
        await until(button.isVisible)
        button.click()
        await until(lambda: open_dialog(application) is not None)
        dialog = open_dialog(application)
        assert dialog.list.count() == 1
        assert "Answer in “Apples and pears”" in dialog.list.item(0).text()
        dialog.restore_button.click()
        await until(lambda: application.threads.thread_id == first)
        await until(lambda: any(each.message.id == answer for each in panes.transcript.entries))
        services = await application.services()
        assert await services.library.trash.list_messages() == ()
        panes.commands.trigger("edit.undo")
        await until(lambda: all(each.message.id != answer for each in panes.transcript.entries))
        (found,) = await services.library.trash.list_messages()
        assert (found.message_id, found.thread_id, found.count) == (answer, first, 1)

    play(AppPaths.find(tmp_path / "data"), script)


def test_messages_of_a_deleted_thread_are_not_listed_one_by_one(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "apples")
        panes = application.panes
        services = await application.services()
        await until(lambda: len(panes.transcript.entries) == 2)
        question = panes.transcript.entries[0].message.id
        await services.chat.paths.delete_message(question, with_later=True)
        (found,) = await services.library.trash.list_messages()
        assert (found.message_id, found.count, found.is_question, found.preview) == (question, 2, True, "apples")
        await services.library.delete([application.threads.thread_id])
        assert await services.library.trash.list_messages() == ()
        panes.commands.trigger("trash.messages")
        await until(lambda: open_dialog(application) is not None)
        assert not open_dialog(application).restore_button.isEnabled()
        open_dialog(application).reject()

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_thread_of_the_trash_is_restored_by_the_button_below_the_list(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "apples")
        thread_id = application.threads.thread_id
        assert thread_id is not None
        commands, sidebar = application.panes.commands, application.panes.sidebar
        button = application.panes.window.findChild(QPushButton, "restoreThreadButton")
        assert button is not None and not button.isVisible()
        commands.trigger("thread.delete")
        await until(lambda: application.threads.thread_id is None)
        commands.trigger("view.trash")
        await until(lambda: sidebar.known([thread_id]) and button.isVisible())
        sidebar.thread_list.setFocus()
        QTest.keyClick(sidebar.thread_list, Qt.Key.Key_End)
        await until(button.isEnabled)
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Space)
        await until(lambda: not sidebar.known([thread_id]) and not button.isVisible())
        commands.trigger("view.threads")
        await until(lambda: sidebar.known([thread_id]))

    play(AppPaths.find(tmp_path / "profile"), script)
