"""A line of the settings: its title, a hint, and the field that changes it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.beside_or_below import BesideOrBelow

_FIELD_PX = 250
_FIELD_MIN_PX = 180
_GAP_PX, _BELOW_PX = 16, 6
_FIELD_HEIGHT_PX = 30
_FIELD_PAD_PX = 12
_FIELD_LEAST_LETTERS = 20  # else the words beside it would be in a narrow column
_FIELD_LETTERS = 30  # with large text a field is as wide as before in letters


class SettingsRow(QWidget):
    """A row with the words of a setting and its field: a wide field is below the words, any other beside them if it
    fits."""

    def __init__(self, title: str, hint: str, field: QWidget, *, is_wide: bool = False) -> None:
        super().__init__()
        title, hint = shown(title), shown(hint)
        self.field = field
        self._row: BesideOrBelow | None = None
        self._problem = plain_label("", "muted", wraps=True, name="settingsProblem")
        self._problem.setProperty("isDanger", True)
        self._problem.hide()
        field.setAccessibleName(title)
        if hint:  # without one, a field that describes itself goes on doing so
            field.setAccessibleDescription(hint)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(0 if is_wide else 1)  # beside a field that is taller, the words are in the middle, together
        words.addWidget(plain_label(title, "text", wraps=True))
        if hint:
            words.addWidget(plain_label(hint, "muted", wraps=True))
        words.addWidget(self._problem)
        if is_wide:
            column = QVBoxLayout(self)
            column.setContentsMargins(0, 10, 0, 10)
            column.setSpacing(_BELOW_PX)
            column.addLayout(words)
            column.addWidget(field)
            return
        words.addStretch(1)
        self._row = BesideOrBelow(self, gap_px=_GAP_PX, below_px=_BELOW_PX, wanted_px=_FIELD_MIN_PX)
        self._row.setContentsMargins(0, 10, 0, 10)
        self._row.add_layout(words)
        self._row.addWidget(field)
        self._box = field
        self.measure()

    def measure(self) -> None:
        """Text of another size needs a field of another size."""
        if self._row is None:
            return
        box = self._box
        box.setMinimumSize(0, 0)
        needs = box.sizeHint()
        letters = box.fontMetrics().averageCharWidth()
        box.setMinimumWidth(_FIELD_MIN_PX)
        box.setMinimumHeight(max(_FIELD_HEIGHT_PX, needs.height(), box.fontMetrics().height() + _FIELD_PAD_PX))
        box.setMaximumWidth(max(_FIELD_PX, needs.width(), _FIELD_LETTERS * letters))
        self._row.set_wanted(max(_FIELD_MIN_PX, needs.width(), _FIELD_LEAST_LETTERS * letters))

    def show_problem(self, text: str) -> None:
        """Show a problem below the field; an empty text hides it."""
        self._problem.setText(shown(text))
        self._problem.setVisible(bool(text))
