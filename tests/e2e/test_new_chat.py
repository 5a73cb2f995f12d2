"""A chat that has no message yet: what it offers, what it says, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.transfer.export_dialog import ExportDialog
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from tests.helpers.asked_team import shown
from tests.helpers.settings_pages import data_page
from tests.helpers.window import ask, play, press, type_text, until

_ABOUT_A_THREAD = ("thread.rename", "thread.pin", "thread.archive", "thread.move", "thread.tags", "thread.delete")


def _menu(application: WindowApplication) -> QMenu:
    """The header's menu, opened by a click."""
    header = application.panes.header
    QTest.mouseClick(header.more_button, Qt.MouseButton.LeftButton)
    menu = application.panes.window.findChild(QMenu, "threadMenu")
    assert menu is not None and menu.isVisible()
    return menu


def _offered(application: WindowApplication) -> set[str]:
    menu = _menu(application)
    names = {action.objectName() for action in menu.actions() if action.isEnabled()}
    menu.close()
    return names


def test_the_menu_of_a_new_chat_offers_only_what_works(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        header = application.panes.header
        assert not _offered(application) & {*_ABOUT_A_THREAD, "thread.erase"}
        assert not header.findChild(QWidget, "renameThreadButton").isVisible()
        await ask(application, "Hello")
        await until(lambda: application.threads.thread_id is not None)
        assert set(_ABOUT_A_THREAD) <= _offered(application)
        assert header.findChild(QWidget, "renameThreadButton").isVisible()
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        assert not _offered(application) & set(_ABOUT_A_THREAD)

    play(AppPaths.find(tmp_path, {}), script)


def test_f2_renames_the_row_of_the_keys_while_a_new_chat_is_open(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Hello")
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        thread_list, window = application.panes.sidebar.thread_list, application.panes.window
        window.activateWindow()
        await until(window.isActiveWindow)
        thread_list.setFocus()
        QTest.keyClick(thread_list, Qt.Key.Key_Down)
        assert application.panes.commands.action("thread.rename").isEnabled()
        application.panes.composer.setFocus()
        assert not application.panes.commands.action("thread.rename").isEnabled()

    play(AppPaths.find(tmp_path, {}), script)


def test_nothing_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        panes = application.panes
        shown = [label.text() for label in panes.empty_state.findChildren(QLabel) if label.isVisible()]
        assert shown == []
        assert panes.sidebar.notices.status.text == "Opening…"
        assert not panes.header.model_picker.isVisible()
        await application.services()
        await until(lambda: panes.sidebar.notices.status.text == "All changes saved")  # once the list is there
        await until(panes.header.model_picker.isVisible)
        press(application, Qt.Key.Key_Escape)

    play(AppPaths.find(tmp_path, {}), script)


def _prompt_dialog(application: WindowApplication) -> SystemPromptDialog | None:
    found = application.panes.window.findChildren(SystemPromptDialog)
    return next((dialog for dialog in found if dialog.isVisible()), None)


def test_a_system_prompt_is_set_before_the_first_message(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        type_text(application, "Half a question")
        menu = _menu(application)
        menu.close()
        next(each for each in menu.actions() if each.objectName() == "thread.system_prompt").trigger()
        await until(lambda: _prompt_dialog(application) is not None)
        dialog = _prompt_dialog(application)
        assert dialog is not None
        assert dialog.thread_button.isVisible()
        QTest.keyClicks(dialog.text_field, "Answer in rhyme.")
        dialog.save_button.click()
        await until(lambda: application.threads.thread_id is not None)
        await until(lambda: _prompt_dialog(application) is None)
        assert application.panes.composer.text() == "Half a question"
        assert application.panes.empty_state.isVisible(), "there is nothing to read yet"
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.threads.open_thread.current_leaf_id is not None)
        thread_id = application.threads.thread_id
        assert thread_id is not None
        thread = await services.chat.get_thread(thread_id)
        assert (thread.system_prompt, thread.title) == ("Answer in rhyme.", "Half a question")
        await until(application.panes.transcript.isVisible)
        assert len((await services.library.list_threads(ThreadQuery())).threads) == 1
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        assert application.panes.composer.text() == ""

    play(AppPaths.find(tmp_path, {}), script)


def test_the_menu_at_the_top_finds_copies_compares_and_imports(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        message = await ask(application, "A question to copy")
        await until(lambda: application.threads.thread_id is not None)
        menu = _menu(application)
        menu.close()
        actions = {action.objectName(): action for action in menu.actions()}
        assert all(actions[name].isEnabled() for name in ("go.find", "thread.copy", "message.compare", "app.import"))
        QGuiApplication.clipboard().clear()
        actions["thread.copy"].trigger()
        await until(lambda: "A question to copy" in QGuiApplication.clipboard().text())
        copied = QGuiApplication.clipboard().text()
        assert message.text in copied
        assert copied.index("A question to copy") < copied.index(message.text)
        actions["app.import"].trigger()
        await until(lambda: application.panes.window.findChild(ImportDialog) is not None)

    play(AppPaths.find(tmp_path, {}), script)


def test_the_page_of_data_imports_and_exports(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.bindings.settings.open("Data and backup")
        page = data_page(await shown(SettingsDialog))
        assert page is not None
        page.findChild(QPushButton, "data_import").click()
        await until(lambda: application.panes.window.findChild(ImportDialog) is not None)
        application.panes.window.findChild(ImportDialog).reject()
        page.findChild(QPushButton, "data_export").click()
        await until(lambda: application.panes.window.findChild(ExportDialog) is not None)

    play(AppPaths.find(tmp_path, {}), script)
