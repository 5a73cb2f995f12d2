"""Shows the steps of a test, each with a tick or a cross before it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from chatdesk.ui.dialogs.mark import Mark
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.theme.theme import Theme


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
