"""One line of the settings: what it is, a hint, and the field that changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.settings.schema import Setting
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.beside_or_below import BesideOrBelow

_FIELD_PX = 250
_FIELD_MIN_PX = 180
_GAP_PX, _BELOW_PX = 16, 6
_FIELD_HEIGHT_PX = 30
_FIELD_PAD_PX = 12
_FIELD_LEAST_LETTERS = 20  # else the words beside it would stand in a narrow column
_FIELD_LETTERS = 30  # with large text a field is as wide as before in letters


class SettingsRow(QWidget):
    """``read`` gives the field's present value, valid or not; a row without a field only shows a text."""

    def __init__(self, title: str, hint: str, field: QWidget, *, read: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self.field = field
        self.read = read
        self._problem = plain_label("", "muted", wraps=True)
        self._problem.setObjectName("settingsProblem")
        self._problem.hide()
        field.setAccessibleName(title)
        field.setAccessibleDescription(hint)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(plain_label(title, "text", wraps=True))
        words.addWidget(plain_label(hint, "muted", wraps=True))
        words.addWidget(self._problem)
        words.addStretch(1)  # beside a tall field the words stay together
        needs = field.sizeHint()
        letters = field.fontMetrics().averageCharWidth()
        widest = max(_FIELD_PX, needs.width(), _FIELD_LETTERS * letters)
        field.setMinimumWidth(_FIELD_MIN_PX)
        field.setMinimumHeight(max(_FIELD_HEIGHT_PX, needs.height(), field.fontMetrics().height() + _FIELD_PAD_PX))
        field.setMaximumWidth(widest)
        wanted = max(_FIELD_MIN_PX, needs.width(), _FIELD_LEAST_LETTERS * letters)
        row = BesideOrBelow(self, gap_px=_GAP_PX, below_px=_BELOW_PX, wanted_px=wanted)
        row.setContentsMargins(0, 10, 0, 10)
        row.add_layout(words)
        row.addWidget(field)

    def show_problem(self, text: str, colour: str) -> None:
        """An empty text takes it away."""
        self._problem.setStyleSheet(f"color: {colour};")
        self._problem.setText(text)
        self._problem.setVisible(bool(text))


def field_for(setting: Setting, value: Any, choices: dict[str, str] | None = None) -> tuple[QWidget, Callable[[], Any]]:
    """A field that suits the kind of setting, and the way to read it. ``choices`` maps values to what is shown."""
    if choices:
        box = QComboBox()
        for key, text in choices.items():
            box.addItem(text, key)
        place = box.findData(value)
        if place < 0:  # a value between the steps, set by Ctrl and plus or in the file
            box.addItem(str(value), value)
            place = box.count() - 1
        box.setCurrentIndex(place)
        return box, box.currentData
    if setting.kind is bool:
        check = QCheckBox()
        check.setChecked(bool(value))
        return check, check.isChecked
    if setting.kind in (int, float):
        number = QDoubleSpinBox()
        number.setDecimals(0)
        number.setRange(setting.minimum or 0, setting.maximum if setting.maximum is not None else 1_000_000)
        number.setValue(float(value))
        number.lineEdit().setTextMargins(_FIELD_PAD_PX - 4, 0, 0, 0)  # no stylesheet reaches in there
        return number, number.value
    line = QLineEdit(str(value))
    return line, lambda: line.text().strip()
