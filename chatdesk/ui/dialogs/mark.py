"""An icon beside words, such as the tick or the cross of a check."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import Text, shown
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX

WORKS: Final = Text("Works")
WORKS_NOT: Final = Text("Does not work")


class Mark(QWidget):
    """An icon in one of the theme's colours; the words beside it say the same."""

    def __init__(self, theme: Theme, icon_name: str = "", colour: str = "muted") -> None:
        super().__init__()
        self._theme = theme
        self._icon_name, self._colour = icon_name, colour
        side = round(ICON_PX * max(1.0, theme.scale))
        self.setFixedSize(QSize(side, side))
        theme.changed.connect(self.update)

    def show_icon(self, icon_name: str, colour: str) -> None:
        self._icon_name, self._colour = icon_name, colour
        self.update()

    def show_result(self, is_well: bool | None) -> None:
        """Show a tick or a cross; None: nothing, since nobody knows."""
        self.setVisible(is_well is not None)
        self.show_icon(*(("circle-check", "accent") if is_well else ("circle-x", "danger")))
        self.setAccessibleName(shown(WORKS if is_well else WORKS_NOT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._icon_name:
            return
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._icon_name, self._theme.colour(self._colour))
        painter.end()
