"""Lists whose rows open something when they are clicked, used by a program for assistive technology."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLineEdit, QListView, QListWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.found_list import FoundList
from chatdesk.ui.widgets.found.rows import FoundRow, RowKind

_PRESS = "Press"


class _View(QListView):
    pass


class _Widget(QListWidget):
    pass


@pytest.fixture
def view(qtbot: QtBot) -> QListView:
    offer_press(_View)
    made = _View()
    qtbot.addWidget(made)
    made.setModel(QStringListModel(["One", "Two", "Three"], made))
    made.show()
    return made


def test_pressing_a_row_clicks_it(view: QListView) -> None:
    clicked: list[str] = []
    view.clicked.connect(lambda index: clicked.append(index.data()))
    rows = QAccessible.queryAccessibleInterface(view)
    assert [rows.child(number).text(QAccessible.Text.Name) for number in range(rows.childCount())] == [
        "One",
        "Two",
        "Three",
    ]
    row = rows.child(1)
    assert row.actionInterface().actionNames() == [_PRESS]
    row.actionInterface().doAction(_PRESS)
    assert clicked == ["Two"] and view.currentIndex().row() == 1
    assert row.state().selected and not rows.child(0).state().selected
    assert rows.indexOfChild(row) == 1 and rows.child(3) is None and rows.child(-1) is None


def test_a_row_that_is_gone_cannot_be_pressed(view: QListView, qtbot: QtBot) -> None:
    rows = QAccessible.queryAccessibleInterface(view)
    kept, gone = rows.child(0), rows.child(2)
    model = view.model()
    assert isinstance(model, QStringListModel)
    model.setStringList(["Other"])
    qtbot.waitUntil(lambda: not gone.isValid())
    assert kept.isValid() and kept.text(QAccessible.Text.Name) == "Other" and rows.childCount() == 1


def test_a_row_that_cannot_be_clicked_is_not_pressed_either(qtbot: QtBot) -> None:
    offer_press(_Widget)
    made = _Widget()
    qtbot.addWidget(made)
    made.addItems(["Off", "On"])
    made.item(0).setFlags(Qt.ItemFlag.NoItemFlags)
    made.item(1).setData(Qt.ItemDataRole.AccessibleTextRole, "On, spoken")
    clicked: list[str] = []
    made.itemClicked.connect(lambda item: clicked.append(item.text()))
    rows = QAccessible.queryAccessibleInterface(made)
    for number in range(2):
        rows.child(number).actionInterface().doAction(_PRESS)
    assert clicked == ["On"]
    assert rows.child(0).state().disabled and rows.child(1).text(QAccessible.Text.Name) == "On, spoken"


def test_a_found_thread_is_opened_and_a_heading_is_not(qapp: QApplication, qtbot: QtBot) -> None:
    field = QLineEdit()
    qtbot.addWidget(field)
    found = FoundList(Theme(qapp, preference="light"), field, object_name="found", side_px=4)
    qtbot.addWidget(found)
    rows = [FoundRow(RowKind.HEADING, "h", "Titles"), FoundRow(RowKind.HIT, "t", "A thread", spoken="thread A thread")]
    found.show_rows(rows)
    chosen: list[str] = []
    found.chosen.connect(lambda row: chosen.append(row.key))
    listed = QAccessible.queryAccessibleInterface(found)
    for number in range(listed.childCount()):
        listed.child(number).actionInterface().doAction(_PRESS)
    assert chosen == ["t"]
    assert [listed.child(number).actionInterface().actionNames() for number in range(2)] == [[], [_PRESS]]
