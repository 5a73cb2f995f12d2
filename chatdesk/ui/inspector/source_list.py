"""The messages that a summary is made from, oldest first; more of them are fetched as the list is scrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.context import ContextEntry
from chatdesk.core.domain.message import Role
from chatdesk.ui.inspector.plain_preview import plain_preview
from chatdesk.ui.inspector.rows import RowList, RowRole
from chatdesk.ui.theme.theme import Theme

_AnyIndex = QModelIndex | QPersistentModelIndex
_ICONS = {Role.USER.value: "user", Role.ASSISTANT.value: "sparkles", Role.TOOL.value: "wrench"}
_NAMES = {Role.USER.value: "Question", Role.ASSISTANT.value: "Answer", Role.TOOL.value: "Tool result"}

#: Asks for entries from a position on; they come through ``SourceList.add``.
SourceFetcher = Callable[[int], None]


class SourceList(RowList):
    """``jumpRequested`` carries the id of the message that was clicked, or on which Enter was pressed."""

    jumpRequested = Signal(str)

    def __init__(self, theme: Theme, fetch: SourceFetcher) -> None:
        super().__init__(theme, name="Messages that the summary is made from", object_name="summarySources")
        self._sources = _SourceModel(self, fetch)
        self.setModel(self._sources)
        # A click alone jumps; Qt calls Enter an activation, and on some desktops a click as well.
        self.clicked.connect(self._jump)
        self.activated.connect(self._jump)

    def show_range(self, key: object, first: int) -> None:
        """Show the sources of another summary, from the position ``first`` on; nothing happens while ``key`` stays the
        same."""
        self._sources.restart(key, first)

    def clear(self) -> None:
        self._sources.clear()

    def add(self, entries: Sequence[ContextEntry], *, next_position: int | None) -> None:
        """Add the entries that were asked for; ``next_position`` is where the list goes on, None at the end."""
        self._sources.add(entries, next_position)

    def _jump(self, index: _AnyIndex) -> None:
        entry = self._sources.entry(index.row())
        if entry is not None:
            self.jumpRequested.emit(entry.message_id)


class _SourceModel(QAbstractListModel):
    def __init__(self, parent: QWidget, fetch: SourceFetcher) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._key: object = None
        self._entries: list[ContextEntry] = []
        self._next: int | None = None
        self._is_waiting = False

    def clear(self) -> None:
        self.beginResetModel()
        self._key, self._entries, self._next, self._is_waiting = None, [], None, False
        self.endResetModel()

    def restart(self, key: object, first: int) -> None:
        if key == self._key:
            return
        self.clear()
        self._key, self._is_waiting = key, True
        self._fetch(first)

    def add(self, entries: Sequence[ContextEntry], next_position: int | None) -> None:
        self._is_waiting, self._next = False, next_position
        if entries:
            count = len(self._entries)
            self.beginInsertRows(QModelIndex(), count, count + len(entries) - 1)
            self._entries += entries
            self.endInsertRows()

    def entry(self, place: int) -> ContextEntry | None:
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def canFetchMore(self, _parent: _AnyIndex) -> bool:
        return self._next is not None and not self._is_waiting

    def fetchMore(self, _parent: _AnyIndex) -> None:
        if self._next is not None and not self._is_waiting:
            self._is_waiting = True
            self._fetch(self._next)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index.row())
        if entry is None:
            return None
        preview = plain_preview(entry.preview) or "(no text)"
        if role == Qt.ItemDataRole.DisplayRole:
            return preview
        if role == Qt.ItemDataRole.AccessibleTextRole:
            fate = ", excluded" if entry.is_excluded else ""
            return f"{_NAMES.get(entry.role, 'Message')}{fate}, {entry.tokens:,} tokens: {preview}"
        return {
            RowRole.INDENT: 0,
            RowRole.ICON: _ICONS.get(entry.role, "info"),
            RowRole.NOTE: f"{entry.tokens:,}",
            RowRole.IS_STRUCK: entry.is_excluded,
        }.get(role)  # type: ignore[call-overload]
