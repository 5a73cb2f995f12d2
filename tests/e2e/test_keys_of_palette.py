"""The palette opens within the window, and takes nothing of the window with it when it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from shiboken6 import delete, isValid

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.owners import strange_owners
from tests.helpers.window import FIRST_START, ask, play, until

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_a_palette_stays_within_a_low_window(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        for size, scale in (((700, 500), 1.0), ((1000, 700), 2.0)):
            panes.theme.set_scale(scale)
            panes.window.resize(*size)
            application.bindings.search.open_commands()
            palette = application.bindings.search.palette
            assert palette is not None
            await until(lambda palette=palette: len(palette.rows) > 10)
            frame, within = palette.frameGeometry(), panes.window.frameGeometry()
            assert frame.height() > 200
            assert within.contains(frame), (frame, within)
            palette.reject()
        panes.theme.set_scale(1.0)

    play(AppPaths.find(tmp_path / "data"), script)


@pytest.mark.parametrize("keys", [(Qt.Key.Key_P, CONTROL | SHIFT), (Qt.Key.Key_K, CONTROL)])
def test_the_first_screen_stays_in_order_after_a_palette(
    tmp_path: Path, keys: tuple[Qt.Key, Qt.KeyboardModifier]
) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window, search = application.panes.window, application.bindings.search
        editor = application.panes.composer.editor
        await until(lambda: window.findChild(QAbstractButton, "wayInImport_Claude") is not None)
        for width in (1000, 720):
            window.activateWindow()
            await until(window.isActiveWindow)
            editor.setFocus()
            QTest.keyClick(editor, *keys)
            palette = search.palette
            assert palette is not None
            palette.reject()
            await until(lambda palette=palette: not isValid(palette))
            QTest.keyClick(window, Qt.Key.Key_F6)
            window.resize(width, 600)
            found = window.findChildren(QAbstractButton)
            buttons = [each for each in found if each.objectName().startswith("wayInImport")]
            places = {(each.x(), each.y()) for each in buttons}
            assert len(buttons) > 3
            assert len(places) == len(buttons), "each at a place of its own"
        assert strange_owners(window) == []
        await ask(application, "hello")
        assert strange_owners(window) == []

    play(AppPaths.find(tmp_path / "data"), script, FIRST_START)


def test_the_field_that_had_the_focus_may_be_gone_when_the_palette_closes(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window, search = application.panes.window, application.bindings.search
        field = QLineEdit(window)
        field.show()
        window.activateWindow()
        await until(window.isActiveWindow)
        field.setFocus()
        search.open()
        palette = search.palette
        assert palette is not None
        delete(field)
        palette.reject()
        assert search.palette is None

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_chat_that_is_opened_from_the_search_in_a_thread_has_the_focus_in_its_composer(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Hello")
        panes = application.panes
        panes.window.activateWindow()
        await until(panes.window.isActiveWindow)
        panes.commands.trigger("go.find")
        field = panes.transcript.findChild(QLineEdit, "findField")
        await until(field.hasFocus)
        panes.commands.trigger("thread.temporary")
        await until(lambda: not field.isVisible())
        await until(panes.composer.editor.hasFocus)

    play(AppPaths.find(tmp_path / "data"), script)
