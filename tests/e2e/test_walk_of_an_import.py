"""A person brings the export of ChatGPT along, from the first screen and from the menu: by mouse, and by keys alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFileDialog, QLineEdit

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from tests.helpers.export_samples import plain_chatgpt, write_zip
from tests.helpers.walks import Keys, click, click_menu, click_row, dialog, found_in, gone, has_keyboard, texts
from tests.helpers.window import FIRST_START, play, until

_TITLE = "Trams of Lisbon"
_NAME = "chatgpt-export.zip"
_SAMPLE = Path(__file__).parents[1] / "data" / "imports" / "chatgpt.json"
_CONTROL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def export(tmp_path: Path, qapp: QApplication) -> Path:
    """As ChatGPT sends it: the conversations, and files beside them. The folder is where file dialogs begin."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    chooser = QFileDialog()
    chooser.setDirectory(str(folder))  # the next one begins where the last one of this process was
    chooser.deleteLater()
    conversations = [plain_chatgpt("trams", 3, title=_TITLE), *json.loads(_SAMPLE.read_text("utf-8"))]
    entries = {
        "conversations.json": conversations,
        "user.json": {"id": "user-1", "email": "ana@example.org"},
        "message_feedback.json": [],
        "shared_conversations.json": [],
    }
    return write_zip(folder / _NAME, entries)


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path / "profile", {})


async def _is_read(application: WindowApplication) -> None:
    """The imported thread is open, with all its messages, and is in the list."""
    panes = application.panes
    await until(lambda: application.threads.open_thread is not None and application.threads.open_thread.title == _TITLE)
    await until(lambda: len(panes.transcript.entries) == 6)
    entries = panes.transcript.entries
    assert entries[0].message.text == "question 0 words"
    assert entries[5].message.text == "answer 2 words"


async def _rest_by_mouse(application: WindowApplication) -> None:
    """From the dialog on: the file, the import, the report, the thread."""
    panes = application.panes
    importing = await dialog(ImportDialog)
    await click(importing, "Import a file…")
    chooser = await dialog(QFileDialog)
    files = next(each for each in chooser.findChildren(QAbstractItemView, "treeView") if each.isVisible())
    await click_row(files, _NAME)
    await click(chooser, "&Open")
    await gone(QFileDialog)
    await until(lambda: importing.show_button.isVisible())
    assert "3 new threads" in texts(importing)
    await click(importing, "Show threads")
    await gone(ImportDialog)
    await click_row(panes.sidebar.thread_list, _TITLE)
    await _is_read(application)


async def _rest_by_keys(application: WindowApplication, keys: Keys, export: Path) -> None:
    importing = await dialog(ImportDialog)
    await until(lambda: keys.focused is importing.choose_button)
    keys.press(Qt.Key.Key_Return)
    chooser = await dialog(QFileDialog)
    await until(lambda: has_keyboard(chooser) and isinstance(QApplication.focusWidget(), QLineEdit))
    keys.type(str(export))
    keys.press(Qt.Key.Key_Return)
    await gone(QFileDialog)
    await until(lambda: keys.focused is importing.show_button)
    keys.press(Qt.Key.Key_Return)
    await gone(ImportDialog)
    keys.press(Qt.Key.Key_F, _CONTROL | _SHIFT)
    keys.type("trams")
    await found_in(application.panes.sidebar)
    keys.press(Qt.Key.Key_Return)
    await _is_read(application)
    keys.type("And today")
    assert application.panes.composer.text() == "And today", "the next question is typed at once"


@pytest.mark.usefixtures("export")
def test_by_mouse_from_the_first_screen(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        state = application.panes.empty_state
        await until(lambda: state.first_screen is not None and state.first_screen.isVisible())
        await click(state.first_screen, "ChatGPT")
        await _rest_by_mouse(application)

    play(paths, script, FIRST_START)


def test_by_keys_from_the_first_screen(paths: AppPaths, export: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        keys = await Keys.of(panes.window)
        await until(lambda: panes.empty_state.first_screen is not None and keys.focused is panes.composer.editor)
        keys.press(Qt.Key.Key_F6, _SHIFT)
        keys.tab_to("Import from ChatGPT")
        keys.press(Qt.Key.Key_Return)
        await _rest_by_keys(application, keys, export)

    play(paths, script, FIRST_START)


@pytest.mark.usefixtures("export")
def test_by_mouse_from_the_menu(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        await click(panes.header, "More about this thread")
        await click_menu("Import…")
        await _rest_by_mouse(application)

    play(paths, script)


def test_by_keys_from_the_menu(paths: AppPaths, export: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        keys = await Keys.of(panes.window)
        await until(lambda: keys.focused is panes.composer.editor)
        keys.tab_to("More about this thread")
        keys.press(Qt.Key.Key_Return)
        await keys.choose_from_menu("Import…")
        await _rest_by_keys(application, keys, export)

    play(paths, script)


def test_by_keys_from_all_commands(paths: AppPaths, export: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        keys = await Keys.of(panes.window)
        await until(lambda: keys.focused is panes.composer.editor)
        keys.press(Qt.Key.Key_P, _CONTROL | _SHIFT)
        palette = application.bindings.search.palette
        assert palette is not None
        QTest.keyClicks(palette.field, "import")
        await until(lambda: palette.results.is_over and palette.current is not None)
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await _rest_by_keys(application, keys, export)

    play(paths, script)
