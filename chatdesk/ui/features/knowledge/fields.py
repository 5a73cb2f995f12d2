"""Makes the lists and fields that the dialogs of a project's files have in common."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget

from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import frame_when_empty


class EnteredField(QLineEdit):
    """A field to which Enter belongs, not to the dialog's button."""

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)


def outlined_list(theme: Theme, object_name: str, name: str) -> QListWidget:
    """Return a list with an outline, whose chosen row shows the focus."""
    made = named(QListWidget(), object_name, name)
    made.setFrameShape(QListWidget.Shape.NoFrame)
    made.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    made.setWordWrap(True)
    made.setResizeMode(QListWidget.ResizeMode.Adjust)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    frame_when_empty(theme, made)
    tokens = theme.tokens
    made.setStyleSheet(
        f"#{object_name} {{ background: transparent; border: 1px solid {tokens.line};"
        f" border-radius: {tokens.radius.row}px; outline: none; padding: 2px; }}"
        f"#{object_name}::item {{ border: 2px solid transparent; padding: {tokens.space.s - 2}px;"
        f" border-radius: {tokens.radius.row}px; }}"
        f"#{object_name}::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
        f"#{object_name}::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
    )
    return made
