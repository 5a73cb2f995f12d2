"""Implements the content of a scroll area, and an area that is as high as its content."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class ScrolledPage(QWidget):
    """The content of a resizable scroll area, with words that wrap: as high as they are at its width. Qt would take
    the height at the width that they would like, and scroll where everything is in sight."""

    def minimumSizeHint(self) -> QSize:
        least, viewport = super().minimumSizeHint(), self.parentWidget()
        if viewport is not None and self.hasHeightForWidth():
            least.setHeight(min(least.height(), self.heightForWidth(max(least.width(), viewport.width()))))
        return least


class FittedArea(QScrollArea):
    """A scroll area without a frame that would like to be as high as its page is at the present width."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its children take the focus and scroll into view
        self.setWidgetResizable(True)
        self.setWidget(page)
        self._page = page

    def sizeHint(self) -> QSize:
        page = self._page
        layout = page.layout()
        if layout is None or not layout.hasHeightForWidth():
            return page.sizeHint()
        return QSize(page.sizeHint().width(), layout.totalHeightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        return QSize(least.width(), min(least.height(), self.sizeHint().height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the dialog around that the page has become higher or lower."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._show_bar_if_needed()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._show_bar_if_needed()
        super().resizeEvent(event)

    def _show_bar_if_needed(self) -> None:
        """Take the bar away where all of the page has room: Qt would ask whether it fits beside the bar."""
        policy = Qt.ScrollBarPolicy
        fits = self.height() >= self.sizeHint().height()
        self.setVerticalScrollBarPolicy(policy.ScrollBarAlwaysOff if fits else policy.ScrollBarAsNeeded)
