"""A number within limits, typed or drawn along a slider; empty where something else decides."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QWidget

_STEPS_IN_ONE: Final = 100
_LETTERS: Final = 14


class RangeField(QWidget):
    """A slider with a number field, from 0 to ``most``. The slider stands at ``resting`` while the field is empty."""

    def __init__(self, text: str, placeholder: str, *, most: float, resting: float) -> None:
        super().__init__()
        self._resting = resting
        self.line = QLineEdit(text)
        self.line.setPlaceholderText(placeholder)
        self.line.setMinimumWidth(self.line.fontMetrics().averageCharWidth() * _LETTERS)
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(most * _STEPS_IN_ONE))
        self.slider.setSingleStep(_STEPS_IN_ONE // 20)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the text has its keys
        self.slider.setPageStep(_STEPS_IN_ONE // 4)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.slider, 1)
        row.addWidget(self.line, 1)
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._follow_text)
        self.slider.valueChanged.connect(lambda value: self.line.setText(f"{value / _STEPS_IN_ONE:g}"))
        self._follow_text(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down in the text move the slider."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self.slider.setValue(self.slider.value() + step * self.slider.singleStep())
                return True
        return super().eventFilter(watched, event)

    def _follow_text(self, text: str) -> None:
        value = self._resting
        with suppress(ValueError):
            value = float(text.strip().replace(",", "."))
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(min(max(value, -1.0), 1000.0) * _STEPS_IN_ONE) if value == value else 0)
        self.slider.show_unset(not text.strip())


class _Slider(QSlider):
    """Pale while nothing is set. The wheel scrolls the page below it."""

    def show_unset(self, is_unset: bool) -> None:
        if self.property("isUnset") != is_unset:
            self.setProperty("isUnset", is_unset)
            self.style().unpolish(self)
            self.style().polish(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
