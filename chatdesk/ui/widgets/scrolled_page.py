"""The content of a scroll area."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget


class ScrolledPage(QWidget):
    """The content of a resizable scroll area, with words that wrap: as high as they are at its width. Qt would take
    the height at the width that they would like, and scroll where everything is in sight."""

    def minimumSizeHint(self) -> QSize:
        least, viewport = super().minimumSizeHint(), self.parentWidget()
        if viewport is not None and self.hasHeightForWidth():
            least.setHeight(min(least.height(), self.heightForWidth(max(least.width(), viewport.width()))))
        return least
