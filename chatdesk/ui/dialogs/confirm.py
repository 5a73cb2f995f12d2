"""Asks before something that is not easily undone. Opened, not waited for: the answer is a signal."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import Text, shown
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440


class ConfirmDialog(FormPanel):
    """A dialog that asks a yes-or-no question. ``answered(bool)`` comes exactly once; Esc and closing mean no. The safe
    button has the focus."""

    answered = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        question: str,
        text: str,
        *,
        yes_text: str,
        no_text: str = Text("Cancel"),
        is_dangerous: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, question, object_name="confirmDialog", width_px=_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(text))
        self.add_text(text, "text")
        self.body.addSpacing(6)
        no = self.add_button(push_button(no_text, "confirmNo", self.reject))
        yes = push_button(yes_text, "confirmYes", self.accept, is_danger=is_dangerous, is_primary=not is_dangerous)
        self.add_button(yes)
        self.finished.connect(lambda result: self.answered.emit(result == FormPanel.DialogCode.Accepted.value))
        no.setFocus()
