"""The way back to the newest message, shown while the reader is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.ui.transcript.looks import Looks


class JumpPill(QPushButton):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("jumpToNewest")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_count(0)
        self.hide()

    def set_count(self, count: int) -> None:
        """``count`` messages came since the reader left the end."""
        noun = "message" if count == 1 else "messages"
        self.setText(f"{count:,} new {noun}" if count else "Jump to newest")
        self.setAccessibleName(f"Jump to newest, {count:,} new {noun}" if count else "Jump to newest")
        self.adjustSize()

    def set_looks(self, looks: Looks) -> None:
        tokens = looks.tokens
        self.setFont(looks.font("muted"))
        self.setIcon(looks.icon("arrow-down", "text"))
        self.setStyleSheet(
            f"QPushButton {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.line};"
            f" border-radius: 16px; padding: 0 14px; min-height: 30px; }}"
            f" QPushButton:hover {{ background: {tokens.hover}; }}"
            f" QPushButton:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        self.adjustSize()

    def place(self, width: int, height: int) -> None:
        """Centred above the lower edge."""
        self.adjustSize()
        self.move((width - self.width()) // 2, height - self.height() - 16)
