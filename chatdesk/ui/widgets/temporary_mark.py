"""The mark of a thread of which nothing is stored, and the button that stores it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel

_WORDS: Final = "Temporary"
_MEANING: Final = "Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it."


class TemporaryMark(QWidget):
    """``keepPressed``: the thread is to be stored."""

    keepPressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("temporaryMark")
        self.setAccessibleName(f"{_WORDS} chat")
        self.setAccessibleDescription(_MEANING)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, _WORDS, role="muted")
        self._label.setToolTip(_MEANING)
        self.keep_button = PillButton(
            theme, "Keep", object_name="keepTemporaryButton", name="Keep this chat", icon_name="check"
        )
        self.keep_button.setToolTip("Store this chat with all its messages")
        self.keep_button.clicked.connect(self.keepPressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label)
        row.addWidget(self.keep_button)
