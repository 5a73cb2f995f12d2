"""The mark of a thread of which nothing is stored, and the button that stores it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel

_WORDS: Final = Text("Temporary")
_MEANING: Final = Text("Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.")
_KEEPS: Final = Text("Store this chat with all its messages")
_GAP_PX: Final = 8


class TemporaryMark(QWidget):
    """The mark of a temporary thread, with a button to keep it. ``keepPressed``: the thread is to be stored."""

    keepPressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("temporaryMark")
        self.setAccessibleName(tr("Temporary chat"))
        self.setAccessibleDescription(shown(_MEANING))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, shown(_WORDS), role="muted")
        self._label.setToolTip(shown(_MEANING))
        self.keep_button = PillButton(
            theme, tr("Keep"), object_name="keepTemporaryButton", name=tr("Keep this chat"), icon_name="check"
        )
        self.keep_button.setToolTip(shown(_KEEPS))
        self.keep_button.clicked.connect(self.keepPressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP_PX)
        row.addWidget(self._label)
        row.addWidget(self.keep_button)

    def full_width(self) -> int:
        """Return the width with the word that ``set_short`` leaves out."""
        return self._label.sizeHint().width() + _GAP_PX + self.keep_button.sizeHint().width()

    def set_short(self, is_short: bool) -> None:
        """Show only the button, whose icon and tooltip then stand for the words."""
        self._label.setVisible(not is_short)
        self.keep_button.set_icon("eye-off" if is_short else "check")
        self.keep_button.setToolTip(tr("Temporary. {meaning}", meaning=_MEANING) if is_short else shown(_KEEPS))
