"""Asks for the words of a memory, where it is for, and whether it is erased with its message."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from chatdesk.core.domain.memory import LONGEST_MEMORY, Memory
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_SIZE_PX = (480, 330)
_MOST_PASTED = 2 * LONGEST_MEMORY  # a longer one is refused with a sentence, not cut


class EditMemoryDialog(FormPanel):
    """A dialog for one memory, or without one for a new one. ``saved`` has the text, the id of the project or None, and
    whether the memory is erased with its message. The dialog stays until it is told that it was stored."""

    saved = Signal(str, object, bool)

    def __init__(
        self, theme: Theme, memory: Memory | None, projects: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        title = tr("Add a memory") if memory is None else tr("Edit the memory")
        super().__init__(theme, title, object_name="editMemoryDialog", size_px=_SIZE_PX, parent=parent)
        label = plain_label(tr("One sentence"), "muted")
        self.text = TextField(
            theme, name=tr("What to remember"), object_name="memoryText", most=_MOST_PASTED, is_one_value=True
        )
        self.text.entered.connect(self._save)
        label.setBuddy(self.text)
        self.place = named(ChoiceBox(), "memoryFor", tr("Where it holds"))
        self.place.addItem(tr("Everywhere"), None)
        for project_id, name in projects.items():
            self.place.addItem(distinct_name(shown(name)), project_id)
        words = tr("Erase it with its message")
        self.erase = named(QCheckBox(words), "memoryGoesWithSource", words)
        if memory is not None:
            self.text.show_written(memory.text)
            self.text.document().setModified(False)
            self.place.setCurrentIndex(max(0, self.place.findData(memory.project_id)))
            self.erase.setChecked(memory.goes_with_source)
        self.erase.setVisible(memory is not None and memory.message_id is not None)
        where = plain_label(tr("Where it holds"), "muted")
        where.setBuddy(self.place)
        for widget, stretch in ((label, 0), (self.text, 1), (where, 0), (self.place, 0), (self.erase, 0)):
            self.body.addWidget(widget, stretch)
        self.add_button(push_button(tr("Cancel"), "memoryCancel", self.reject))
        self.add_button(push_button(tr("Save"), "memorySave", self._save, is_primary=True))
        self.text.setFocus()

    def _save(self) -> None:
        self.saved.emit(self.text.written(), self.place.currentData(), self.erase.isChecked())
