"""Shows which providers never get the files of a project."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QListWidgetItem, QWidget

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.features.knowledge.fields import outlined_list
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (460, 420)
_ID_ROLE = int(Qt.ItemDataRole.UserRole)


class FileProvidersDialog(FormPanel):
    """A dialog with a tick for each provider that gets the files. ``providerChosen`` has the id of one, and whether it
    gets them."""

    providerChosen = Signal(str, bool)

    def __init__(
        self, theme: Theme, labels: Mapping[str, str], denied: frozenset[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme, tr("Who gets these files"), object_name="fileProvidersDialog", size_px=_SIZE_PX, parent=parent
        )
        self.add_text(
            tr(
                "Untick a provider, and nothing of the project's files is ever sent to it: no passage, no whole file,"
                " and nothing that tools read in them. Answers stay as they are."
            )
        )
        self.list = outlined_list(self.theme, "fileProviders", tr("Providers that get the files"))
        with QSignalBlocker(self.list):
            for name, label in labels.items():
                item = QListWidgetItem(shown(visible_controls(label)), self.list)
                item.setData(_ID_ROLE, name)
                item.setCheckState(Qt.CheckState.Unchecked if name in denied else Qt.CheckState.Checked)
        self.list.itemChanged.connect(
            lambda item: self.providerChosen.emit(item.data(_ID_ROLE), item.checkState() is Qt.CheckState.Checked)
        )
        self.body.addWidget(self.list, 1)
        self.add_button(push_button(tr("Close"), "fileProvidersClose", self.reject, is_primary=True))
        self.list.setCurrentRow(0)
        self.list.setFocus()
