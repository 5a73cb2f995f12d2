"""Shows one setting in a row: its title, a hint, and the field that changes it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.tokens import SETTINGS_FIELD_PX, SETTINGS_ROW_PX
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.layouts import BesideOrBelow

_FIELD_MIN_PX = 180
_FIELD_MOST_PX = 340  # a longer text is elided, or put below its label
_GAP_PX, _BELOW_PX = 16, 6
_FIELD_HEIGHT_PX = 30
_FIELD_PAD_PX = 12
_FIELD_LEAST_LETTERS = 20  # else the label beside it would be a narrow column
_FIELD_LETTERS = 27  # with large text a field has the same width in characters
_PAD_PX = 10


class SettingsRow(QWidget):
    """A row with the words of a setting and its field: a wide field is below the words, any other beside them if it
    fits. Without ``has_field_name`` the field keeps a name of its own."""

    def __init__(
        self, title: str, hint: str, field: QWidget, *, is_wide: bool = False, has_field_name: bool = True
    ) -> None:
        super().__init__()
        self.field = field
        self._row: BesideOrBelow | None = None
        self._has_field_name = has_field_name
        self._problem = plain_label("", "muted", wraps=True, name="settingsProblem")
        self._problem.setProperty("isDanger", True)
        self._problem.hide()
        self._title, self._hint = plain_label("", "text", wraps=True), plain_label("", "muted", wraps=True)
        self.words = QVBoxLayout()
        self.words.setSpacing(2)
        self.words.addStretch(0 if is_wide else 1)  # beside a higher field the words are in the middle, together
        for each in (self._title, self._hint, self._problem):
            each.setParent(self)  # without one, what is shown would be a window for a moment and take the focus
            self.words.addWidget(each)
        self.setMinimumHeight(SETTINGS_ROW_PX)
        self.show_words(title, hint)
        if is_wide:
            column = QVBoxLayout(self)
            column.setContentsMargins(0, _PAD_PX, 0, _PAD_PX)
            column.setSpacing(_BELOW_PX)
            column.addLayout(self.words)
            column.addWidget(field)
            return
        self.words.addStretch(1)
        self._row = BesideOrBelow(self, gap_px=_GAP_PX, below_px=_BELOW_PX, wanted_px=_FIELD_MIN_PX)
        self._row.setContentsMargins(0, _PAD_PX, 0, _PAD_PX)
        self._row.add_layout(self.words)
        self._row.addWidget(field)
        self.measure()

    def show_words(self, title: str, hint: str) -> None:
        """Show other words. A field without a hint goes on describing itself."""
        title, hint = shown(title), shown(hint)
        self._title.setText(title)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        if self._has_field_name:
            self.field.setAccessibleName(title)
        if hint:
            self.field.setAccessibleDescription(hint)

    @property
    def title(self) -> str:
        return self._title.text()

    def measure(self) -> float:
        """Fit the field to text of another size; return the width that it needs, 0 for what is as wide as its words."""
        if self._row is None:
            return 0
        field = self.field
        if isinstance(field, Switch | QPushButton) and not field.property("isField"):
            self._row.set_wanted(field.sizeHint().width())
            return 0
        field.setMinimumSize(0, 0)
        needs = field.sizeHint()
        letters = field.fontMetrics().averageCharWidth()
        field.setMinimumWidth(_FIELD_MIN_PX)
        field.setMinimumHeight(max(_FIELD_HEIGHT_PX, needs.height(), field.fontMetrics().height() + _FIELD_PAD_PX))
        usual = max(SETTINGS_FIELD_PX, _FIELD_LETTERS * letters)
        most = max(_FIELD_MOST_PX, round(_FIELD_LETTERS * letters * _FIELD_MOST_PX / SETTINGS_FIELD_PX))
        wide = min(max(usual, needs.width()), most)
        self._row.set_wanted(max(_FIELD_MIN_PX, min(needs.width(), most), _FIELD_LEAST_LETTERS * letters))
        return wide

    def set_field_width(self, width: float) -> None:
        """Make the field as wide as all others on its page."""
        if self.measure():
            self.field.setMaximumWidth(round(width))

    def show_problem(self, text: str) -> None:
        """Show a problem below the words; an empty text hides it."""
        self._problem.setText(shown(text))
        self._problem.setVisible(bool(text))
        announce(self, shown(text), is_assertive=True)

    @property
    def has_problem(self) -> bool:
        return not self._problem.isHidden()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the press for a switch, which the whole row changes."""
        if not isinstance(self.field, Switch) or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() is Qt.MouseButton.LeftButton
        if isinstance(self.field, Switch) and is_left and self.rect().contains(event.position().toPoint()):
            self.field.click()
        else:
            super().mouseReleaseEvent(event)
