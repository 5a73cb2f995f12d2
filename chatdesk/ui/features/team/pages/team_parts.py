"""The parts of the dialogs of team sync: marks of a state, lines between rows."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QLayout,
    QWidget,
)

from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX

_CHECKS: Final = {
    CheckState.OK: ("circle-check", "accent"),
    CheckState.WARNING: ("triangle-alert", "warning"),
    CheckState.FAILED: ("circle-x", "danger"),
}


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

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._icon_name:
            return
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._icon_name, self._theme.colour(self._colour))
        painter.end()


def check_mark(theme: Theme, state: CheckState) -> Mark:
    """Return the mark of a check: a tick, a warning or a cross."""
    return Mark(theme, *_CHECKS[state])


def clear(layout: QLayout) -> None:
    """Take everything out of a layout, for good."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
