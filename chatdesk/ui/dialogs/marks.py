"""Icons beside words, such as the tick or the cross of a check, and the steps of a test with one before each."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from chatdesk.core.texts import Text, shown
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
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
        """Show a tick or a cross; None: nothing, for an unknown state."""
        self.setVisible(is_well is not None)
        self.show_icon(*(("circle-check", "accent") if is_well else ("circle-x", "danger")))
        self.setAccessibleName(shown(WORKS if is_well else WORKS_NOT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._icon_name:
            return
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._icon_name, self._theme.colour(self._colour))
        painter.end()


class CheckSteps(QWidget):
    """A line for each step; hidden while there are none."""

    def __init__(self, theme: Theme, object_name: str) -> None:
        super().__init__()
        self._theme = theme
        self._has_words_alone = False
        self.setObjectName(object_name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.hide()

    def reset(self, words: str = "") -> None:
        """Remove the steps of the last test, and show ``words`` alone where there are any."""
        clear_layout(self._grid)
        self._has_words_alone = bool(words)
        self.hide()
        if words:
            self._add(words, None)

    def add(self, words: str, is_well: bool) -> None:
        """Show the result of one more step. The first one replaces words that stand alone."""
        if self._has_words_alone:
            self.reset()
        self._add(words, is_well)

    def _add(self, words: str, is_well: bool | None) -> None:
        mark, text = Mark(self._theme), plain_label(words, "muted", wraps=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place = self._grid.count() // 2
        self._grid.addWidget(mark, place, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, place, 1)
        mark.show_result(is_well)
        self.show()
