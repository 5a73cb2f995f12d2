"""What fails unexpectedly never is over what a person types."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.notice import NoticeDialog
from tests.helpers.window import play, until


def _in_a_slot() -> None:
    QTimer.singleShot(0, lambda: 1 / 0)


def _in_the_loop() -> None:
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)


def _in_a_thread() -> None:
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


@pytest.mark.parametrize("fail", [_in_a_slot, _in_the_loop, _in_a_thread])
def test_typing_goes_on_while_something_fails(tmp_path: Path, fail: Callable[[], None]) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window, editor = application.panes.window, application.panes.composer.editor
        window.activateWindow()
        await until(window.isActiveWindow)
        editor.setFocus()
        QTest.keyClicks(QApplication.focusWidget(), "Half a sen")
        fail()
        note = window.findChild(QLabel, "bannerText")
        await until(note.isVisible)
        assert note.text() == "Something went wrong in ChatDesk. Your messages are kept."
        assert QApplication.focusWidget() is editor
        QTest.keyClicks(QApplication.focusWidget(), "tence")
        assert editor.toPlainText() == "Half a sentence"
        assert window.findChildren(NoticeDialog) == []
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        await until(lambda: application.threads.thread_id is not None)

    paths = AppPaths.find(tmp_path)
    play(paths, script)
    assert len(list(paths.crash_dir.glob("crash-*"))) == 1
