"""To ask for the order of Tab leaves every widget with whom it had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QRect, QSize
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

import chatdesk
from chatdesk.ui.widgets.focus_chain import next_in_chain, previous_in_chain
from chatdesk.ui.widgets.layouts import FlowRow
from tests.helpers.owners import strange_owners


@pytest.mark.parametrize("step", [next_in_chain, previous_in_chain])
def test_a_walk_round_the_chain_changes_no_owner(qapp: QApplication, step: Callable[[QWidget], QWidget | None]) -> None:
    window = QWidget()
    row = QHBoxLayout(window)
    field = QLineEdit()
    for each in (QPushButton("a"), field, QTextEdit()):
        row.addWidget(each)
    item, first, count = row.itemAt(0), window, 0
    at = step(first)
    while at is not None and at is not first:
        count += 1
        at = step(at)
    assert count >= 8, "with the parts of the text field"
    assert strange_owners(window) == []
    field.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert isValid(item), "what was deleted is not its owner"
    window.deleteLater()


def test_nothing_else_asks_for_the_chain() -> None:
    asking = ("nextInFocusChain(", "previousInFocusChain(", ".topLevelWidget(")
    files = [file for file in Path(chatdesk.__file__).parent.rglob("*.py") if file.name != "focus_chain.py"]
    assert [file.name for file in files if any(each in file.read_text(encoding="utf-8") for each in asking)] == []


def test_a_row_whose_items_may_not_be_asked_takes_no_room(qapp: QApplication) -> None:
    window = QWidget()
    row = FlowRow(8)
    row.addWidget(QPushButton("a"))
    QVBoxLayout(window).addLayout(row)
    item, other = row.itemAt(0), QLineEdit(window)
    assert row.sizeHint().width() > 0
    assert other.nextInFocusChain() is window, "PySide takes the window for a part of the field now"
    other.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(item)
    row.setGeometry(QRect(0, 0, 100, 100))
    assert (row.sizeHint(), row.minimumSize(), row.heightForWidth(50)) == (QSize(0, 0), QSize(0, 0), 0)
    window.deleteLater()
