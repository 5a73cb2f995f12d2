"""Viewports and what is scrolled in them."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QWidget


def give_viewport(view: QAbstractScrollArea) -> None:
    """Replace the viewport of ``view``, which has not been set up yet, by one that is transparent. Not for text fields:
    theirs are Qt's own business.

    A viewport of Qt's own PySide looks up among all classes of widgets, of which it then builds 60. That takes 7 ms,
    and before the first paint nothing else needs them.
    """
    viewport = QWidget()
    viewport.setObjectName("qt_scrollarea_viewport")
    viewport.setBackgroundRole(QPalette.ColorRole.Base)
    view.setViewport(viewport)


class ScrolledPage(QWidget):
    """The content of a resizable scroll area, with words that wrap: as high as they are at its width. Qt would take
    the height at the width that they would like, and scroll where everything is in sight."""

    def minimumSizeHint(self) -> QSize:
        least, viewport = super().minimumSizeHint(), self.parentWidget()
        if viewport is not None and self.hasHeightForWidth():
            least.setHeight(min(least.height(), self.heightForWidth(max(least.width(), viewport.width()))))
        return least
