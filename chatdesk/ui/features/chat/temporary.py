"""Asks whether to keep a temporary chat that is about to end: once, and only where it holds something."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 460
_QUESTION = Text("Keep the temporary chat?")
_TEXT = Text("Nothing of it is stored. Keep it as a thread like any other, or let it go for good.")


class TemporaryDialog(FormPanel):
    """A dialog that asks whether to keep a temporary chat. ``answered(is_kept)`` comes once, when one of the two was
    chosen; Esc and *Cancel* leave everything as it is. The button that loses nothing has the focus."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, shown(_QUESTION), object_name="temporaryDialog", width_px=_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(_TEXT))
        self.add_text(shown(_TEXT), "text")
        self.body.addSpacing(6)
        forget, keep = partial(self._answer, is_kept=False), partial(self._answer, is_kept=True)
        self.add_button(push_button(tr("Cancel"), "temporaryCancel", self.reject))
        self.add_button(push_button(tr("Do not keep"), "temporaryForget", forget, is_danger=True))
        self.add_button(push_button(tr("Keep"), "temporaryKeep", keep, is_primary=True)).setFocus()

    def _answer(self, *, is_kept: bool) -> None:
        self.accept()
        self.answered.emit(is_kept)
