"""A real window under fingers: the first touch makes room for them, and swipes move the sidebar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QInputDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import FAST, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _drag(window: QWidget, *places: QPoint) -> None:
    touch = QTest.touchEvent(window, QTest.createTouchDevice(QInputDevice.DeviceType.TouchScreen), False)
    # The loop of the window is not entered again from inside a step of it.
    touch.press(0, places[0]).commit(False)
    for place in places[1:]:
        touch.move(0, place).commit(False)
    touch.release(0, places[-1]).commit(False)


def _across(begin: int, end: int, y: int) -> list[QPoint]:
    return [QPoint(x, y) for x in range(begin, end, 10 if end > begin else -10)]


async def _focused(application: WindowApplication) -> None:
    window = application.panes.main_window
    window.activateWindow()
    await until(lambda: window.isActiveWindow(), within_s=10)


def test_swipes_close_and_open_the_sidebar(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        await _focused(application)
        window, sidebar = application.panes.main_window, application.panes.sidebar
        assert sidebar.isVisible()
        _drag(window, *_across(200, 60, 400))
        await until(lambda: not sidebar.isVisible(), within_s=5)
        _drag(window, *_across(200, 400, 400))  # not from the edge
        _drag(window, *[QPoint(10, y) for y in range(400, 200, -10)])  # not across
        assert not sidebar.isVisible()
        _drag(window, *_across(6, 160, 400))
        await until(sidebar.isVisible)

    play(AppPaths.find(tmp_path / "profile"), script)


@pytest.mark.parametrize(("setting", "before", "after"), [("auto", 28, 44), ("on", 44, 44), ("off", 28, 28)])
def test_there_is_room_for_fingers_as_the_setting_says(tmp_path: Path, setting: str, before: int, after: int) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        await _focused(application)
        panes = application.panes
        assert panes.theme.target_px() == before
        _drag(panes.main_window, *_across(200, 60, 400))
        await until(lambda: panes.theme.target_px() == after)
        settings = application.bindings.settings
        settings.change(replace(settings.current, touch="off"))
        assert panes.theme.target_px() == 28

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, touch=setting))
