"""Buttons that agree to something, in whatever can appear under the pointer by itself: a click that was meant for
something else agrees to nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.dialogs.confirm import ConfirmDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner

Made = tuple[QWidget, list[bool]]


def _confirm(qapp: QApplication) -> Made:
    agreed: list[bool] = []
    dialog = ConfirmDialog(Theme(qapp), "Send the key?", "To another server.", yes_text="Send")
    dialog.answered.connect(agreed.append)
    dialog.open()
    return dialog, agreed


def _banner(other: bool) -> Callable[[QApplication], Made]:
    def made(qapp: QApplication) -> Made:
        agreed: list[bool] = []
        banner = Banner(Theme(qapp))
        (banner.otherTriggered if other else banner.actionTriggered).connect(lambda: agreed.append(True))
        banner.show_message("The budget is used up.", action_text="Send anyway", other_text="Raise it")
        return banner, agreed

    return made


_CASES = {"confirmYes": _confirm, "bannerAction": _banner(False), "bannerOther": _banner(True)}


@pytest.mark.parametrize("name", _CASES)
def test_a_click_agrees_to_nothing_that_appeared_a_moment_ago(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    widget, agreed = _CASES[name](qapp)
    if isinstance(widget, Banner):  # a dialog that is answered deletes itself
        qtbot.addWidget(widget)
        widget.show()
    button = widget.findChild(QPushButton, name)
    assert button is not None
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(button, Qt.MouseButton.LeftButton)
    assert agreed == []
    qtbot.waitUntil(lambda: not widget.is_unread)  # type: ignore[attr-defined]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert agreed == [True]


@pytest.mark.parametrize("name", _CASES)
def test_a_key_agrees_at_once(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    """The focus is never moved to what agrees, so a person has moved it."""
    widget, agreed = _CASES[name](qapp)
    if isinstance(widget, Banner):  # a dialog that is answered deletes itself
        qtbot.addWidget(widget)
        widget.show()
    QTest.keyClick(widget.findChild(QPushButton, name), Qt.Key.Key_Space)
    assert agreed == [True]


def test_another_message_of_a_banner_is_as_new(qapp: QApplication, qtbot: QtBot) -> None:
    widget, agreed = _banner(False)(qapp)
    assert isinstance(widget, Banner)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitUntil(lambda: not widget.is_unread)
    widget.show_message("The budget is used up.", action_text="Send anyway", other_text="Raise it")
    assert not widget.is_unread, "the same words are no news"
    widget.show_message("A backup was found.", action_text="Restore")
    QTest.mouseClick(widget.findChild(QPushButton, "bannerAction"), Qt.MouseButton.LeftButton)
    assert agreed == []
