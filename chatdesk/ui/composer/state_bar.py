"""A line above the text that says that sending does something unusual, such as editing, with a button that ends it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.elided_label import ElidedLabel


class StateBar(QWidget):
    """A line with a button to leave a state. ``left``: the button was pressed."""

    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composerState")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, role="muted")
        self._label.setObjectName("composerStateText")
        self.button = PillButton(theme, "", object_name="composerStateLeave")
        self.button.clicked.connect(self.left)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)

    @property
    def text(self) -> str:
        return self._label.text()

    def show_state(self, text: str, *, leave: str) -> None:
        text, leave = shown(text), shown(leave)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.button.setText(leave)
        self.button.set_name(leave, tooltip=tr("{leave}: {state}", leave=leave, state=text))
        self.setFixedHeight(self.button.sizeHint().height())
