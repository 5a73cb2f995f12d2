"""Edits which files of a folder are left out of a project's files."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.knowledge import KnowledgeSource
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (480, 400)
_MOST_CHARACTERS = 20_000


class ExclusionsDialog(FormPanel):
    """A dialog for the rules of one folder; ``saved`` has its id and the rules."""

    saved = Signal(str, str)

    def __init__(self, theme: Theme, source: KnowledgeSource, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("What is left out"), object_name="exclusionsDialog", size_px=_SIZE_PX, parent=parent)
        self._source_id = source.id
        self.body.addWidget(plain_label(visible_controls(source.place), "muted", wraps=True))
        self.add_text(
            tr(
                "One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log”"
                " takes a file in again. What is left out is forgotten at once."
            )
        )
        self.rules = TextField(theme, name=tr("Rules"), object_name="exclusionRules", most=_MOST_CHARACTERS)
        self.rules.show_written(source.exclusions)
        self.rules.document().setModified(False)
        self.body.addWidget(self.rules, 1)
        self.add_button(push_button(tr("Cancel"), "exclusionsCancel", self.reject))
        self.add_button(push_button(tr("Save"), "exclusionsSave", self._save, is_primary=True))
        self.rules.setFocus()

    def _save(self) -> None:
        self.saved.emit(self._source_id, self.rules.written().strip()[:_MOST_CHARACTERS])
        self.accept()
