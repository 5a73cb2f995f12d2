"""Moving the mouse in tests."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget


def move_mouse(widget: QWidget, point: QPoint) -> None:
    """As ``QTest.mouseMove``, which tells nobody of a move to where the pointer is already: an earlier test, another
    order or a person at the screen may have left it just there."""
    if QCursor.pos() == widget.mapToGlobal(point):
        QTest.mouseMove(widget, point + QPoint(1, 1))
    QTest.mouseMove(widget, point)
