"""Implements a combo box with a name for screen readers."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QLabel, QWidget


class ChoiceBox(QComboBox):
    """A combo box with a name. On Linux Qt gives the chosen value as its name, and only a label beside it names it: one
    that is in sight (``QLabel.setBuddy``), or else a hidden one with the accessible name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label: QLabel | None = None

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        if self._label is not None:
            self._label.setText(name)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if self._label is not None or parent is None or not self.accessibleName():
            return
        beside = parent.children()
        if not any(isinstance(each, QLabel) and each.buddy() is self for each in beside):
            self._label = QLabel(self.accessibleName(), parent)
            self._label.setBuddy(self)
            self._label.hide()

    def changeEvent(self, event: QEvent) -> None:
        """Take the hidden label along: it names its neighbours only."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ParentChange and self._label is not None:
            self._label.setParent(self.parentWidget())
