"""Asks how much of a thread goes to the trash: one message, or it and all that came after it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 460
_TEXT = "What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector's tree."


class DeleteMessageDialog(Panel):
    """``answered(with_later, is_for_good)`` comes once, when one of the two was chosen; Esc and closing delete nothing.
    ``is_for_good``: not to be asked again. The smaller loss has the focus."""

    answered = Signal(bool, bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        question = "Delete this message only, or also those after it?"
        super().__init__(theme, question, parent=parent)
        self.setObjectName("deleteMessageDialog")
        self.setAccessibleDescription(_TEXT)
        cancel, later, only = (QPushButton(text) for text in ("Cancel", "With later messages", "This message only"))
        row = QHBoxLayout()
        row.addStretch(1)
        for button, name in ((cancel, "deleteCancel"), (later, "deleteWithLater"), (only, "deleteOnly")):
            button.setObjectName(name)
            button.setAutoDefault(False)
            row.addWidget(button)
        later.setProperty("isDanger", True)
        only.setProperty("isPrimary", True)
        cancel.clicked.connect(self.reject)
        later.clicked.connect(lambda: self._answer(with_later=True))
        only.clicked.connect(lambda: self._answer(with_later=False))
        self._is_for_good = QCheckBox("Do not ask again")
        self._is_for_good.setObjectName("deleteNotAgain")
        self._is_for_good.setAccessibleDescription("Settings can make ChatDesk ask again.")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(question, "strong", wraps=True))
        column.addWidget(plain_label(_TEXT, "text", wraps=True), 1)
        column.addSpacing(4)
        column.addWidget(self._is_for_good)
        column.addSpacing(6)
        column.addLayout(row)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        only.setFocus()

    def _answer(self, *, with_later: bool) -> None:
        self.accept()
        self.answered.emit(with_later, self._is_for_good.isChecked())
