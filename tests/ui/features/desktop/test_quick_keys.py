"""What becomes of the keys that a person set for the quick window, and what the settings say of it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

if not sys.platform.startswith("linux"):
    pytest.skip("portals are Linux'", allow_module_level=True)

from tests.helpers import notification_server

if notification_server.what_is_missing():
    pytest.skip("no dbus-daemon", allow_module_level=True)

from chatdesk.ui.features.desktop.quick_keys import KeysReport, KeysState, QuickKeys
from chatdesk.ui.features.desktop.quick_keys_row import QuickKeysRow
from chatdesk.ui.qt.async_tasks import AsyncTasks
from tests.helpers.portal_server import PortalServer
from tests.helpers.waiting import until

SESSION = "/org/freedesktop/portal/desktop/session/1_2/chatdesk"
CREATED = (0, {"session_handle": ("s", SESSION)})
BOUND = (0, {"shortcuts": ("a(sa{sv})", [("quick-question", {})])})


def fail(error: Exception) -> None:
    raise error


@pytest.fixture
async def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object) -> AsyncIterator[QuickKeys]:
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        tasks = AsyncTasks(fail)
        made = QuickKeys(tasks)
        yield made
        await tasks.close()
        await made.end()


async def test_keys_work_until_they_are_removed(keys: QuickKeys) -> None:
    pressed: list[bool] = []
    keys.pressed.connect(lambda: pressed.append(True))
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus() as server:
        keys.use("Ctrl+Alt+Space")
        await until(lambda: keys.report.state is KeysState.WORKING)
        await server.activate(SESSION, "quick-question")
        await until(lambda: pressed == [True])
        keys.use("Ctrl+Alt+J")
        await until(lambda: len(server.asked("BindShortcuts")) == 2 and keys.report.state is KeysState.WORKING)
        keys.use("")
        await until(lambda: keys.report.state is KeysState.OFF)


async def test_keys_are_asked_for_again_when_the_desktop_lost_them(keys: QuickKeys) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus():
        keys.use("Ctrl+Alt+Space")
        await until(lambda: keys.report.state is KeysState.WORKING)
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus() as again:
        await until(lambda: again.asked("BindShortcuts") and keys.report.state is KeysState.WORKING)


async def test_a_no_is_final_until_the_person_tries_again(keys: QuickKeys) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": (1, {})}).on_bus() as server:
        keys.use("Ctrl+Alt+Space")
        await until(lambda: keys.report.state is KeysState.DENIED)
        assert len(server.asked("BindShortcuts")) == 1
        server.answers["BindShortcuts"] = BOUND
        keys.ask_again()
        await until(lambda: keys.report.state is KeysState.WORKING)


async def test_a_desktop_without_a_way_says_so(keys: QuickKeys) -> None:
    keys.use("Ctrl+Alt+Space")
    await until(lambda: keys.report.state is KeysState.NO_WAY)


async def test_keys_that_no_desktop_can_name_are_told(keys: QuickKeys) -> None:
    keys.use("Ctrl+Volume Up")
    await until(lambda: keys.report.state is KeysState.UNKNOWN)


def _row(qtbot: QtBot, keys: str = "") -> QuickKeysRow:
    row = QuickKeysRow(keys, "chatdesk quick")
    qtbot.addWidget(row)
    row.show()
    row.button.setFocus()
    return row


def test_keys_are_chosen_with_the_keyboard(qtbot: QtBot) -> None:
    row, chosen = _row(qtbot), []
    row.keysChosen.connect(chosen.append)
    QTest.keyClick(row.button, Qt.Key.Key_Return)
    assert row.button.text() == "Press the keys…"
    QTest.keyClick(row.button, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(row.button, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert chosen == ["Ctrl+Alt+Space"]
    assert row.button.text() == "Ctrl+Alt+Space"
    QTest.keyClick(row.button, Qt.Key.Key_Delete)
    assert chosen == ["Ctrl+Alt+Space", ""]
    assert row.button.text() == "None"


def test_keys_that_are_needed_for_writing_are_refused(qtbot: QtBot) -> None:
    row, chosen = _row(qtbot, "Ctrl+Alt+Space"), []
    row.keysChosen.connect(chosen.append)
    row.button.click()
    QTest.keyClick(row.button, Qt.Key.Key_A)
    assert chosen == []
    assert row.state.text() == "A is needed for writing and moving about. Add Ctrl or Alt."
    assert row.button.text() == "Ctrl+Alt+Space"


@pytest.mark.parametrize("leave", [Qt.Key.Key_Escape, Qt.Key.Key_Tab], ids=["Esc", "Tab"])
def test_leaving_keeps_the_keys(qtbot: QtBot, leave: Qt.Key) -> None:
    row, chosen = _row(qtbot, "Ctrl+Alt+Space"), []
    row.keysChosen.connect(chosen.append)
    row.button.click()
    QTest.keyClick(row.button, leave)
    assert (row.button.text(), chosen) == ("Ctrl+Alt+Space", [])


@pytest.mark.parametrize("state", list(KeysState), ids=lambda state: state.name)
def test_every_outcome_is_said_with_what_to_do_next(qtbot: QtBot, state: KeysState) -> None:
    row = _row(qtbot, "Ctrl+Alt+Space")
    again: list[bool] = []
    row.tryAgainRequested.connect(lambda: again.append(True))
    row.show_report(KeysReport(state))
    command = row.findChild(QLabel, "quickKeysCommand")
    assert command is not None
    has_failed = state in (KeysState.DENIED, KeysState.UNKNOWN, KeysState.NO_WAY)
    assert row.copy_button.isVisible() == command.isVisible() == has_failed
    assert bool(row.state.text()) == (state is not KeysState.OFF)
    if has_failed:
        row.copy_button.click()
        assert QGuiApplication.clipboard().text() == command.text() == "chatdesk quick"
    if row.again_button.isVisible():
        row.again_button.click()
        assert again == [True]


def test_the_name_that_the_desktop_has_for_the_keys_is_shown(qtbot: QtBot) -> None:
    row = _row(qtbot, "Ctrl+Alt+Space")
    row.show_report(KeysReport(KeysState.WORKING, "Meta+J"))
    assert row.state.text() == "The desktop shows it at: Meta+J."


def test_a_variable_of_the_environment_decides(qtbot: QtBot) -> None:
    row = QuickKeysRow("Ctrl+Alt+Space", "chatdesk quick", fixed_by="CHATDESK_QUICK_KEYS")
    qtbot.addWidget(row)
    assert not row.button.isEnabled()
    assert "CHATDESK_QUICK_KEYS" in row.button.accessibleDescription()
