"""Asks which project threads go to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.project_chooser import ChooserEntry, ProjectChooser

_TOP_PX = 96
_SIZE_PX = (420, 420)


class MoveThreadsDialog(Panel):
    """A dialog that chooses a project for threads. ``chosen(project id)`` comes once, after it has closed; Esc moves
    nothing."""

    chosen = Signal(str)

    def __init__(
        self, theme: Theme, what: str, entries: Sequence[ChooserEntry], *, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Move to a project"), parent=parent, top_px=_TOP_PX)
        self.setObjectName("moveThreadsDialog")
        self.setAccessibleDescription(what)
        self.chooser = ProjectChooser(theme, entries, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 16, 1, 8)
        column.setSpacing(6)
        label = plain_label(tr("Move to a project: {what}", what=what[:120]), "strong", wraps=True)
        label.setContentsMargins(16, 0, 16, 0)
        column.addWidget(label)
        column.addWidget(self.chooser, 1)
        self.fit(*_SIZE_PX)
        self.chooser.chosen.connect(self._on_chosen)
        self.chooser.field.setFocus()

    def _on_chosen(self, entry: ChooserEntry) -> None:
        self.accept()
        self.chosen.emit(entry.key)
