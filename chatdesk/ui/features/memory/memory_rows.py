"""Holds the rows of the page of memories: each with its words, and in a second line where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from chatdesk.core.domain.memory import Memory, MemoryOrigin
from chatdesk.core.hidden_characters import distinct_name, visible_controls
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.local_forms import time_of

_ROOT: Final = QModelIndex()
_LONGEST_SOURCE: Final = 60
_ORIGINS: Final = {
    MemoryOrigin.PERSON: Text("written by you"),
    MemoryOrigin.SELECTION: Text("selected in a message"),
    MemoryOrigin.PROPOSAL: Text("proposed below an answer"),
    MemoryOrigin.IMPORT: Text("imported"),
    MemoryOrigin.PROGRAM: Text("from another program"),
}


class MemoryRows(QAbstractListModel):
    """The memories that are shown. Their words may be a stranger's, so hidden characters are spelt out."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: tuple[Memory, ...] = ()
        self._projects: Mapping[str, str] = {}
        self._shared: Collection[str] = ()

    def use_projects(self, projects: Mapping[str, str], shared: Collection[str]) -> None:
        self._projects, self._shared = projects, shared

    def project_name(self, project_id: str) -> str:
        """Return the name of a project as it is shown."""
        return distinct_name(shown(self._projects.get(project_id, ""))) or tr("A project without a name")

    def show(self, memories: Iterable[Memory]) -> None:
        self.beginResetModel()
        self.shown = tuple(memories)
        self.endResetModel()

    def row_of(self, memory_id: str) -> int:
        """Return the row of a memory, -1 where it is not shown."""
        return next((row for row, each in enumerate(self.shown) if each.id == memory_id), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        memory = self.shown[index.row()]
        return f"{visible_controls(memory.text)}\n{self.where_text(memory)}"

    def where_text(self, memory: Memory) -> str:
        """Return the line that says what a memory is for, and where it comes from."""
        parts = [tr("Everywhere") if memory.project_id is None else self.project_name(memory.project_id)]
        source = distinct_name(memory.source[:_LONGEST_SOURCE])
        is_named = memory.origin is MemoryOrigin.IMPORT and source
        parts.append(tr("imported from {source}", source=source) if is_named else shown(_ORIGINS[memory.origin]))
        if memory.message_id is not None and memory.thread_id is None:
            parts.append(tr("its message is gone"))
        elif memory.message_id is not None and memory.goes_with_source:
            parts.append(tr("erased with its message"))
        if memory.is_resting:
            parts.append(tr("not sent: what it belongs to is in the trash"))
        elif memory.project_id is not None and memory.project_id in self._shared:
            parts.append(tr("not sent: the project is shared"))
        return " · ".join([*parts, time_of(memory.updated_at)])


def matches(memory: Memory, words: str) -> bool:
    """Return whether a memory has each of the words that are searched for."""
    text = memory.text.casefold()
    return all(each in text for each in words.casefold().split())
