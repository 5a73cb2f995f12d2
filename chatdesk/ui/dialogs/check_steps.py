"""Shows the steps of a test, each with a tick or a cross before it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from chatdesk.core.texts import Text, shown
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX

WORKS: Final = Text("works")
WORKS_NOT: Final = Text("does not work")


class StateMark(QWidget):
    """An icon that shows a state: a tick or a cross, or another one where there are more states."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._icon, self._colour = "circle-check", "accent"
        side = round(ICON_PX * max(1.0, theme.scale))
        self.setFixedSize(QSize(side, side))

    def show_result(self, is_well: bool | None) -> None:
        """Show a tick or a cross; None: nothing, since nobody knows."""
        self.setVisible(is_well is not None)
        self.show_icon(*(("circle-check", "accent") if is_well else ("circle-x", "danger")))
        self.setAccessibleName(shown(WORKS if is_well else WORKS_NOT))

    def show_icon(self, icon: str, colour: str) -> None:
        self._icon, self._colour = icon, colour
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._icon, self._theme.colour(self._colour))
        painter.end()


class CheckSteps(QWidget):
    """A line for each step; hidden while there are none."""

    def __init__(self, theme: Theme, object_name: str) -> None:
        super().__init__()
        self._theme = theme
        self._results: list[tuple[bool | None, str]] = []
        self.setObjectName(object_name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.hide()

    def begin(self, words: str = "") -> None:
        """Remove the steps of the last test, and show ``words`` alone where there are any."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._results.clear()
        self.hide()
        if words:
            self._add(words, None)

    def add(self, words: str, is_well: bool) -> None:
        """Show the result of one more step. The first one replaces words that stand alone."""
        if self._results and self._results[0][0] is None:
            self.begin()
        self._add(words, is_well)

    def results(self) -> list[tuple[bool | None, str]]:
        """Return for each line whether the step worked, None for words that stand alone, and its words."""
        return list(self._results)

    def _add(self, words: str, is_well: bool | None) -> None:
        mark, text = StateMark(self._theme), plain_label(words, "muted", wraps=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place = len(self._results)
        self._grid.addWidget(mark, place, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, place, 1)
        mark.show_result(is_well)
        self._results.append((is_well, words))
        self.show()
