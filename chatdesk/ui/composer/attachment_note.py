"""A note on the attached files before they are sent, with buttons that act on it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from chatdesk.ui.accessibility.names import named
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel

_GAP_PX = 10

# What a button is called in ``actionRequested``, and what is on it.
NoteAction = tuple[str, str]


class AttachmentNote(QWidget):
    """A sentence in one line, and links behind it; hidden without a sentence."""

    actionRequested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._actions: tuple[NoteAction, ...] = ()
        self._label = ElidedLabel(theme, role="muted")
        self._label.setObjectName("attachmentNote")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(_GAP_PX)
        self._row.addWidget(self._label)
        self._row.addStretch(1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def text(self) -> str:
        return self._label.text()

    def show_note(self, text: str, actions: Sequence[NoteAction]) -> bool:
        """Show this note and return whether it differs from the one before."""
        if text == self._label.text() and tuple(actions) == self._actions:
            return False
        self._actions = tuple(actions)
        self._label.setText(text)
        had_focus = any(button.hasFocus() for button in self._buttons)
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = [self._button(*each) for each in actions]
        for place, button in enumerate(self._buttons):
            self._row.insertWidget(place + 1, button)
            button.show()  # at once, for the height
        if had_focus and self._buttons:
            self._buttons[0].setFocus()
        self.setVisible(bool(text))
        return True

    def _button(self, name: str, words: str) -> QPushButton:
        button = named(QPushButton(words.replace("&", "&&")), f"attachmentNote_{name}", words)
        button.setAccessibleDescription(self.text())
        button.setProperty("isLink", True)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.actionRequested.emit(name))
        return button
