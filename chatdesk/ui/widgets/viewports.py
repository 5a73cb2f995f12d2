"""Viewports that Python made: one of Qt's PySide looks up among all classes of widgets, of which it then builds 60.
That takes 7 ms, and before the first paint nothing else needs them."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QWidget


def give_viewport(view: QAbstractScrollArea) -> None:
    """Replace the viewport of ``view``, which has not been set up yet, by one that is transparent. Not for text fields:
    theirs are Qt's own business."""
    viewport = QWidget()
    viewport.setObjectName("qt_scrollarea_viewport")
    viewport.setBackgroundRole(QPalette.ColorRole.Base)
    view.setViewport(viewport)
