"""Fields for settings: a choice, a number with its unit, a switch, a line or a few lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QWidget

from chatdesk.core.settings.schema import Setting
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.qt.composing_field import ComposingField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import plain_tooltip
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.fields.switch import Switch

_INSIDE_PX: Final = 8
_TEXT_LINES: Final = 4
_MOST: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Field:
    """A widget that edits one setting. ``read`` returns the present value, valid or not; ``on_settled`` takes what is
    called when the person is through with it: at once after a choice, for text on Enter or when the field is left. A
    wide field is below its words."""

    widget: QWidget
    read: Callable[[], Any]
    on_settled: Callable[[Callable[[], None]], None]
    is_wide: bool = False


class ChoiceField(ChoiceBox):
    """The wheel scrolls the page and changes nothing, unless the field has the focus."""

    def __init__(self, choices: Mapping[Any, str], value: Any) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for key, text in choices.items():
            self.addItem(_words_of(key) if isinstance(key, float) else shown(text), key)
        place = self.findData(value)
        if place < 0:  # set by a key that steps differently, or in the file
            self.addItem(_words_of(value), value)
            place = self.count() - 1
        self.setCurrentIndex(place)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip:  # only for a cut text
            self.setToolTip(plain_tooltip(self.currentText()) if self.sizeHint().width() > self.width() else "")
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberField(QDoubleSpinBox):
    """A whole number of units. ``value_of`` returns a stored value between two steps unchanged unless the person edits
    it."""

    def __init__(self, setting: Setting, value: float) -> None:
        super().__init__()
        place = setting.shown
        self._setting, self._stored = setting, value
        self._unit = place.unit
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDecimals(0)
        self.setGroupSeparatorShown(True)
        most = _MOST if setting.maximum is None else setting.maximum / place.unit_size
        self.setRange((setting.minimum or 0) / place.unit_size, most)
        if place.empty and not setting.minimum:
            self.setSpecialValueText(shown(place.empty))
        self.lineEdit().setTextMargins(_INSIDE_PX, 0, _INSIDE_PX, 0)  # no stylesheet reaches in there
        self.valueChanged.connect(self._show_unit)
        self.setValue(value / place.unit_size)
        self._first = self.value()
        self._show_unit(self._first)

    def value_of(self) -> float:
        if self.value() == self._first:
            return self._stored
        value = round(self.value() * self._setting.shown.unit_size, 6)
        return int(value) if self._setting.kind is int else value

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _show_unit(self, value: float) -> None:
        unit = unit_words(self._unit, round(value))
        if unit.startswith("%"):  # some languages put a blank before the sign
            self.setSuffix(tr("{percent}%", percent="") + unit.removeprefix("%"))
        else:
            self.setSuffix(f" {unit}" if unit else "")


class TextLines(ComposingField):
    """A text field of a few lines; Tab leaves it. ``left``: the focus went elsewhere."""

    left = Signal()

    def __init__(self, text: str, placeholder: str) -> None:
        super().__init__(text)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self._measure()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self._measure()

    def _measure(self) -> None:
        self.setFixedHeight(self.fontMetrics().lineSpacing() * _TEXT_LINES + 2 * _INSIDE_PX + 4)


def field_for(theme: Theme, setting: Setting, value: Any, choices: Mapping[Any, str]) -> Field:
    """Return a field that suits the kind of setting."""
    if choices:
        box = ChoiceField(choices, value)
        return Field(box, box.currentData, listener(box.currentIndexChanged))
    if setting.kind is bool:
        switch = Switch(theme)
        switch.setChecked(bool(value))
        return Field(switch, switch.isChecked, listener(switch.toggled))
    if setting.kind in (int, float):
        number = NumberField(setting, value)
        return Field(number, number.value_of, listener(number.editingFinished))
    if setting.is_multiline:
        lines = TextLines(str(value), shown(setting.shown.empty))
        return Field(lines, lambda: lines.toPlainText().strip(), listener(lines.left), is_wide=True)
    line = QLineEdit(str(value))
    line.setPlaceholderText(shown(setting.shown.empty))
    return Field(line, lambda: line.text().strip(), listener(line.editingFinished))


def listener(signal: Any) -> Callable[[Callable[[], None]], None]:
    """Return a function for ``Field.on_settled``, which calls its argument after each ``signal``."""
    return lambda run: signal.connect(lambda *_: run()) and None


def _words_of(value: Any) -> str:
    return tr("{percent}%", percent=round(value * 100)) if isinstance(value, float) else str(value)


def unit_words(unit: str, count: int) -> str:
    """Return the unit as it is behind ``count``; ``unit`` is the English word for several."""
    match unit:
        case "days":
            return shown(plural("days", "day", count))
        case "weeks":
            return shown(plural("weeks", "week", count))
        case "minutes":
            return shown(plural("minutes", "minute", count))
        case "seconds":
            return shown(plural("seconds", "second", count))
        case "tokens":
            return shown(plural("tokens", "token", count))
        case "files":
            return shown(plural("files", "file", count))
        case _:
            return shown(unit)
