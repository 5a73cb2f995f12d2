"""The desktop's wish for stillness reaches the theme, at the start and whenever it changes, and the caret."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtDBus import QDBusConnection
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.theme.system_motion import SystemMotion
from tests.helpers.desktop_session import SYSTEM_PYTHON, DesktopSession, what_is_missing
from tests.helpers.window import play

_PORTAL = Path(__file__).with_name("fake_portal.py")


def test_what_the_desktop_says_of_motion_is_followed(qtbot: QtBot, tmp_path: Path) -> None:
    missing = what_is_missing()
    if missing:
        pytest.skip(f"NOT PROVEN HERE: a desktop's settings need apt-get install {' '.join(missing)}")
    with DesktopSession(tmp_path) as desktop:
        portal = desktop.start_talking([SYSTEM_PYTHON, str(_PORTAL)])
        assert portal.stdin is not None
        bus = QDBusConnection.connectToBus(desktop.environment["DBUS_SESSION_BUS_ADDRESS"], "motion")
        try:
            motion = SystemMotion(connection=bus)
            told: list[bool] = []
            motion.changed.connect(told.append)
            with qtbot.waitSignal(motion.changed):
                motion.ask()
            with qtbot.waitSignal(motion.changed):
                portal.stdin.write(b"moving\n")
                portal.stdin.flush()
            with qtbot.waitSignal(motion.changed):
                portal.stdin.write(b"still\n")
                portal.stdin.flush()
            assert told == [True, False, True]
        finally:
            QDBusConnection.disconnectFromBus("motion")


def test_nothing_is_asked_without_a_connection() -> None:
    SystemMotion(connection=QDBusConnection("never connected")).ask()


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(("wanted_ms", "given_ms"), [(1000, 1200), (1600, 1600), (0, 0)])
def test_the_caret_blinks_slowly_or_as_the_system_says(tmp_path: Path, wanted_ms: int, given_ms: int) -> None:
    async def script(_application: WindowApplication) -> None:
        assert QApplication.cursorFlashTime() == given_ms

    QApplication.setCursorFlashTime(wanted_ms)
    try:
        play(AppPaths.find(tmp_path / "profile"), script)
    finally:
        QApplication.setCursorFlashTime(-1)
