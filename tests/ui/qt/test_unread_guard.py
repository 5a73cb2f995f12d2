"""Buttons that agree to something, in whatever can appear under the pointer by itself: a click that was meant for
something else agrees to nothing."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk import ui
from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.domain.sharing.team_setup import CodeKind, InvitationView
from chatdesk.ui.dialogs.form_panel import ConfirmDialog, FormPanel
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.tools.card_frame import CardFrame
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.toast import Toast

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


def _toast(qapp: QApplication) -> Made:
    agreed: list[bool] = []
    page = QWidget()
    page.resize(600, 400)
    page.show()
    toast = Toast(Theme(qapp), page)
    toast.actionTriggered.connect(lambda: agreed.append(page.isVisible()))  # keeps the page as well
    toast.show_message("Moved to the trash.", action_text="Undo")
    return toast, agreed


def _invitation(qapp: QApplication) -> Made:
    """Opened by a link of another program, with everything filled in and the focus in a field."""
    agreed: list[bool] = []
    address = ServerAddress("db.example.org", 5432, "team", "eve")
    view = InvitationView(CodeKind.MEMBER, "w", "Desk", address, 2**42, False, member_name="Eve")
    dialog = JoinWorkspaceDialog(Theme(qapp), lambda _text: view, text="chatdesk-join:x")
    dialog.joinRequested.connect(lambda *_given: agreed.append(True))
    dialog.open()
    return dialog, agreed


_CASES = {
    "teamJoin": _invitation,
    "toastAction": _toast,
    "confirmYes": _confirm,
    "bannerAction": _banner(False),
    "bannerOther": _banner(True),
}


@pytest.mark.parametrize("name", _CASES)
def test_a_click_agrees_to_nothing_that_appeared_a_moment_ago(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    widget, agreed = _CASES[name](qapp)
    if not isinstance(widget, FormPanel):  # a dialog that is answered deletes itself
        qtbot.addWidget(widget.window())
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
    if not isinstance(widget, FormPanel):  # a dialog that is answered deletes itself
        qtbot.addWidget(widget.window())
        widget.show()
    button = widget.findChild(QPushButton, name)
    assert button is not None
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(button, QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", True))
    assert agreed == [], "a key that is held was pressed for something else"
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert agreed == [True]


def test_enter_that_was_meant_for_the_window_does_not_join_a_workspace(qapp: QApplication, qtbot: QtBot) -> None:
    dialog, joined = _invitation(qapp)
    field = dialog.findChild(QLineEdit, "teamMyName")
    assert field is not None
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert joined == []
    qtbot.waitUntil(lambda: not dialog.is_unread)  # type: ignore[attr-defined]
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert joined == [True]


def test_a_new_message_in_a_banner_is_unread_again(qapp: QApplication, qtbot: QtBot) -> None:
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


def _classes() -> Iterator[type]:
    """Every class of the window's code, once."""
    for module in pkgutil.walk_packages(ui.__path__, "chatdesk.ui."):
        for _name, each in inspect.getmembers(import_module(module.name), inspect.isclass):
            if each.__module__ == module.name:
                yield each


def test_whatever_appears_by_itself_with_a_button_that_acts_is_unread_at_first() -> None:
    """Notices over a chat, cards and dialogs; in the transcript, what is painted as a button that acts."""
    widgets, items = [], []
    for each in _classes():
        if issubclass(each, QWidget) and (hasattr(each, "show_message") or issubclass(each, CardFrame | FormPanel)):
            widgets.append(each)
        elif issubclass(each, Item) and "acts=" in inspect.getsource(each):
            items.append(each)
    assert {Toast, Banner, ConfirmDialog, NoticeDialog} < set(widgets)
    assert {NoticeItem, FileItem, CodeItem} < set(items)
    assert [each for each in widgets if not isinstance(getattr(each, "is_unread", None), property)] == []
    assert [each for each in items if "UnreadMoment()" not in inspect.getsource(each)] == []
