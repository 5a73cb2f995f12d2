"""Asks how much of a thread goes to the trash: one message, or it and all that came after it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 460
_TEXT = Text("What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector's tree.")


class DeleteMessageDialog(FormPanel):
    """A dialog that asks how much to delete. ``answered(with_later, is_for_good)`` comes once, when one of the two was
    chosen; Esc and closing delete nothing. ``is_for_good``: not to be asked again. The smaller loss has the focus."""

    answered = Signal(bool, bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        question = tr("Delete this message only, or also those after it?")
        super().__init__(theme, question, object_name="deleteMessageDialog", width_px=_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(_TEXT))
        self._is_for_good = QCheckBox(tr("Do not ask again"))
        self._is_for_good.setObjectName("deleteNotAgain")
        self._is_for_good.setAccessibleDescription(tr("Settings can make ChatDesk ask again."))
        self.add_text(shown(_TEXT), "text")
        self.body.addSpacing(4)
        self.body.addWidget(self._is_for_good)
        self.body.addSpacing(6)
        with_later, alone = partial(self._answer, with_later=True), partial(self._answer, with_later=False)
        self.add_button(push_button(tr("Cancel"), "deleteCancel", self.reject))
        self.add_button(push_button(tr("With later messages"), "deleteWithLater", with_later, is_danger=True))
        self.add_button(push_button(tr("This message only"), "deleteOnly", alone, is_primary=True)).setFocus()

    def _answer(self, *, with_later: bool) -> None:
        self.accept()
        self.answered.emit(with_later, self._is_for_good.isChecked())
