"""Shows the words that are to become a memory, to be changed and confirmed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from chatdesk.core.domain.memory import LONGEST_MEMORY
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_SIZE_PX = (480, 350)
_MOST_SHOWN = 2 * LONGEST_MEMORY  # a longer one is refused with a sentence, not cut


class RememberDialog(FormPanel):
    """A dialog for one new memory. ``kept`` has the text, the id of the project or None, and whether the memory is
    erased with its message. The dialog stays until it is told that the memory is stored. Without a ``project_id`` it is
    for everywhere; ``is_fixed``: memory is off and an environment variable decides that."""

    kept = Signal(str, object, bool)

    def __init__(
        self,
        theme: Theme,
        text: str,
        *,
        project_id: str | None,
        has_message: bool,
        is_on: bool,
        is_fixed: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, tr("Remember the selection"), object_name="rememberDialog", size_px=_SIZE_PX, parent=parent
        )
        if not is_on:
            fixed = tr("Memory is off, and an environment variable decides that. Nothing can be kept.")
            words = fixed if is_fixed else tr("Memory is off: nothing is kept or sent until you turn it on.")
            self.add_text(words, "text")
            self.setAccessibleDescription(words)
        label = plain_label(tr("One sentence"), "muted")
        self.text = TextField(
            theme, name=tr("What to remember"), object_name="rememberText", most=_MOST_SHOWN, is_one_value=True
        )
        self.text.entered.connect(self._keep)
        self.text.show_written(text[:_MOST_SHOWN])
        self.text.document().setModified(False)
        label.setBuddy(self.text)
        self.place = named(ChoiceBox(), "rememberFor", tr("Where it holds"))
        if project_id is not None:
            self.place.addItem(tr("In this project"), project_id)
        self.place.addItem(tr("Everywhere"), None)
        where = plain_label(tr("Where it holds"), "muted")
        where.setBuddy(self.place)
        erase = tr("Erase it with its message")
        self.erase = named(QCheckBox(erase), "rememberGoesWithSource", erase)
        self.erase.setVisible(has_message)
        for widget, stretch in ((label, 0), (self.text, 1), (where, 0), (self.place, 0), (self.erase, 0)):
            self.body.addWidget(widget, stretch)
        self.add_button(push_button(tr("Cancel"), "rememberCancel", self.reject))
        keep = tr("Keep") if is_on else tr("Turn memory on and keep")
        self.keep_button = self.add_button(push_button(keep, "rememberKeep", self._keep, is_primary=True))
        self.keep_button.setEnabled(not is_fixed)
        self.text.setFocus()

    def _keep(self) -> None:
        if self.keep_button.isEnabled():
            self.kept.emit(self.text.written(), self.place.currentData(), self.erase.isChecked())
