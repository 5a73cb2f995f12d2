"""Shows two choices about a project's files as lists with ticks: who gets them, and which secrets are read."""

from __future__ import annotations

from collections.abc import Mapping, Set

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QListWidgetItem, QWidget

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.features.knowledge.fields import outlined_list
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (460, 420)
_ID_ROLE = int(Qt.ItemDataRole.UserRole)


class TicksDialog(FormPanel):
    """A dialog with a sentence and a list with ticks. ``ticked`` has the id of a row, and whether it is ticked now."""

    ticked = Signal(str, bool)

    def __init__(
        self,
        theme: Theme,
        title: str,
        words: str,
        labels: Mapping[str, str],
        chosen: Set[str],
        *,
        object_name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, title, object_name=f"{object_name}Dialog", size_px=_SIZE_PX, parent=parent)
        self.add_text(words)
        self.list = outlined_list(self.theme, object_name, title)
        with QSignalBlocker(self.list):
            for name, label in labels.items():
                item = QListWidgetItem(shown(visible_controls(label)), self.list)
                item.setData(_ID_ROLE, name)
                item.setCheckState(Qt.CheckState.Checked if name in chosen else Qt.CheckState.Unchecked)
        self.list.itemChanged.connect(
            lambda item: self.ticked.emit(item.data(_ID_ROLE), item.checkState() is Qt.CheckState.Checked)
        )
        self.body.addWidget(self.list, 1)
        self.add_button(push_button(tr("Close"), f"{object_name}Close", self.reject, is_primary=True))
        self.list.setCurrentRow(0)
        self.list.setFocus()


class FileProvidersDialog(TicksDialog):
    """A dialog with a tick for each provider that gets the files."""

    def __init__(
        self, theme: Theme, labels: Mapping[str, str], denied: frozenset[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme,
            tr("Who gets these files"),
            tr(
                "Untick a provider, and nothing of the project's files is ever sent to it: no passage, no whole file,"
                " and nothing that tools read in them. Answers stay as they are."
            ),
            labels,
            labels.keys() - denied,
            object_name="fileProviders",
            parent=parent,
        )


class SecretsDialog(TicksDialog):
    """A dialog with a tick for each file of a source that is read though it looks like a secret, by path."""

    def __init__(self, theme: Theme, paths: Mapping[str, bool], parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Files that look like secrets"),
            tr(
                "By their names, these usually hold passwords or keys. One that you tick is read, and what it says can"
                " go with questions to those who get the files, but never to a team."
            ),
            {path: path for path in paths},
            {path for path, is_read in paths.items() if is_read},
            object_name="fileSecrets",
            parent=parent,
        )
