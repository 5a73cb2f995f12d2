"""The page *My computers* and its dialogs: hostile names, what can be pressed when, and by keys alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.texts import Text
from chatdesk.ui.features.computers.computers_dialogs import (
    JoinComputersDialog,
    RemoveComputerDialog,
    StartComputersDialog,
)
from chatdesk.ui.features.computers.computers_page import ComputerLine, ComputersPage, ComputersView
from chatdesk.ui.theme.theme import Theme

Show = Callable[[QWidget], QWidget]
PHRASE = "7Q2M-XK4D-90VT-HB3C-ENW6-8JZR-5FYA"
FOLDER = "/home/ana/Sync"
ENTER = Qt.Key.Key_Return
OK = SetupCheck(Text("Folder"), CheckState.OK, Text("It is there."))
FAILED = SetupCheck(Text("Contents"), CheckState.FAILED, Text("It has other files."))


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def shown(widget: QWidget) -> QWidget:
        widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(widget)
        widget.show()
        return widget

    return shown


def _view(*computers: ComputerLine, is_paused: bool = False, is_ended: bool = False) -> ComputersView:
    mark = ("circle-check", "accent")
    return ComputersView(FOLDER, "Synced.", mark, computers, is_paused=is_paused, is_ended=is_ended)


def test_names_that_somebody_chose_are_spelt_out_and_told_apart(theme: Theme, show: Show) -> None:
    page = ComputersPage(theme)
    show(page)
    names = ("laptop", "laptop", "\u202egnp.exe", "lap\u200btop", "x" * 500, "<b>bold</b>\nline")
    page.show_view(_view(*(ComputerLine(str(number), name, 1) for number, name in enumerate(names))))
    shown = [row[0] for row in page.table.table.texts()]
    assert len(set(shown)) == len(names)
    assert not any(sign in "".join(shown) for sign in "\u202e\u200b\n")


@pytest.mark.parametrize(
    ("view", "pressable"),
    [
        (None, {"Start…", "Join…"}),
        (_view(), {"Sync now", "Pause", "Forget the folder…"}),
        (_view(is_paused=True), {"Resume", "Forget the folder…"}),
        (_view(is_ended=True), {"Join again…", "Forget the folder…"}),
    ],
    ids=["not joined", "joined", "paused", "removed"],
)
def test_what_can_be_pressed(view: ComputersView | None, pressable: set[str], theme: Theme, show: Show) -> None:
    page = ComputersPage(theme)
    show(page)
    page.show_view(view)
    buttons = (
        page.start_button,
        page.join_button,
        page.sync_button,
        page.again_button,
        page.pause_button,
        page.forget_button,
    )
    assert {each.text() for each in buttons if each.isVisible()} == pressable


def test_only_other_computers_are_removed_and_only_while_it_runs(theme: Theme, show: Show, qtbot: QtBot) -> None:
    page = ComputersPage(theme)
    show(page)
    lines = (ComputerLine("d1", "desk", 5, is_this=True), ComputerLine("d2", "laptop", 9))
    page.show_view(_view(*lines))
    assert not page.table.button.isEnabled()
    page.table.select("d2")
    with qtbot.waitSignal(page.removeRequested) as asked:
        QTest.keyClick(page.table.table, ENTER)
    assert asked.args == ["d2"]
    page.show_view(_view(*lines, is_paused=True))
    assert not page.table.button.isEnabled()


def test_the_page_keeps_the_focus_when_it_is_filled_again(theme: Theme, show: Show, qtbot: QtBot) -> None:
    page = ComputersPage(theme)
    show(page)
    qtbot.waitExposed(page)
    page.show_view(_view(ComputerLine("d1", "desk", 5, is_this=True)))
    page.pause_button.setFocus()
    page.show_view(_view(ComputerLine("d1", "desk", 6, is_this=True), is_paused=True))
    assert page.focusWidget() is page.pause_button
    assert page.pause_button.accessibleName() == "Resume"


def test_filling_the_page_is_quick(theme: Theme, show: Show) -> None:
    page = ComputersPage(theme)
    show(page)
    took = []
    for at in range(5):
        view = _view(*(ComputerLine(str(number), f"computer {number}", at) for number in range(50)))
        began = time.perf_counter()
        page.show_view(view)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.008


def test_it_starts_by_keys_and_only_with_the_phrase_confirmed(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = StartComputersDialog(theme, PHRASE)
    show(dialog)
    assert not dialog.go_button.isEnabled()
    QTest.keyClicks(dialog.place.field, "relative/folder")
    assert not dialog.go_button.isEnabled()
    dialog.place.field.clear()
    QTest.keyClicks(dialog.place.field, FOLDER)
    with qtbot.waitSignal(dialog.checkRequested) as asked:
        QTest.keyClick(dialog.place.field, ENTER)
    assert asked.args == [Path(FOLDER)]
    dialog.show_checks((OK, FAILED))
    assert not dialog.phrase.isVisible()
    dialog.show_checks((OK,))
    assert dialog.phrase.isVisible()
    assert dialog.phrase.field.text() == PHRASE
    assert not dialog.go_button.isEnabled()
    QTest.keyClick(dialog.phrase.box, Qt.Key.Key_Space)
    with qtbot.waitSignal(dialog.startRequested) as started:
        QTest.keyClick(dialog.place.field, ENTER)
    assert started.args == [Path(FOLDER), PHRASE]


def test_another_folder_is_tested_again(theme: Theme, show: Show) -> None:
    dialog = StartComputersDialog(theme, PHRASE)
    show(dialog)
    dialog.place.field.setText(FOLDER)
    dialog.show_checks((OK,))
    dialog.phrase.box.setChecked(True)
    dialog.place.field.setText(f"{FOLDER}2")
    assert not dialog.phrase.isVisible()
    assert not dialog.phrase.box.isChecked()
    assert dialog.go_button.text() == "Check the folder"


def test_nothing_is_joined_before_it_is_said_whose_it_is(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = JoinComputersDialog(theme)
    show(dialog)
    QTest.keyClicks(dialog.place.field, FOLDER)
    QTest.keyClicks(dialog.phrase, PHRASE.lower())
    with qtbot.assertNotEmitted(dialog.joinRequested), qtbot.waitSignal(dialog.lookRequested):
        QTest.keyClick(dialog.phrase, ENTER)
    dialog.show_found("The folder has 46 MB and is used by: desk.")
    QTest.keyClicks(dialog.phrase, "x")  # another phrase is looked up again
    assert not dialog.found.isVisible()
    with qtbot.assertNotEmitted(dialog.joinRequested), qtbot.waitSignal(dialog.lookRequested):
        QTest.keyClick(dialog.phrase, ENTER)
    dialog.show_found("The folder has 46 MB and is used by: desk.")
    with qtbot.waitSignal(dialog.joinRequested):
        QTest.keyClick(dialog.phrase, ENTER)


def test_a_failure_is_said_and_can_be_tried_again(theme: Theme, show: Show) -> None:
    dialog = JoinComputersDialog(theme, folder=FOLDER)
    show(dialog)
    dialog.phrase.setText(PHRASE)
    QTest.keyClick(dialog.phrase, ENTER)
    assert dialog.is_busy
    dialog.show_problem("The recovery phrase is not the one of this folder. Nothing was changed.")
    assert not dialog.is_busy
    assert dialog.go_button.isEnabled()
    assert dialog.go_button.text() == "Look inside"


def test_removing_needs_the_new_phrase_confirmed(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = RemoveComputerDialog(theme, "laptop", PHRASE)
    show(dialog)
    assert not dialog.go_button.isEnabled()
    words = " ".join(each.text() for each in dialog.findChildren(QLabel))
    assert "laptop keeps, and can read, everything that it had" in words
    dialog.phrase.box.setChecked(True)
    with qtbot.waitSignal(dialog.removeRequested) as asked:
        QTest.keyClick(dialog.go_button, Qt.Key.Key_Space)
    assert asked.args == [PHRASE]
