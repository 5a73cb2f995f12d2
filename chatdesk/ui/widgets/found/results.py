"""Collects the results of a search: they arrive in groups, and older ones stay until newer ones arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.search import SearchGroup, SearchKind
from chatdesk.ui.widgets.found.rows import ORDER, ListedCommand, summary_of

_QUIET_MS = 600


class Results(QObject):
    """The results of one text. ``wanted`` asks for them (empty: none), and they come back through ``show_group`` and
    ``finish``. Once they are there and typing pauses, ``counted`` says in words how many were found."""

    wanted = Signal(str)
    counted = Signal(str)
    changed = Signal()

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        self.setObjectName(field.objectName())
        self._groups: dict[SearchKind, SearchGroup] = {}
        self._fresh: set[SearchKind] = set()
        self.searched = ""  # the text whose results are shown or awaited
        self.note = ""
        self.is_over = True
        self.offered: Sequence[ListedCommand] = ()
        self.commands = 0  # how many are listed besides, for the words of ``counted``
        self._quiet = QTimer(self, singleShot=True, interval=_QUIET_MS)
        self._quiet.timeout.connect(self._count)

    @property
    def groups(self) -> Mapping[SearchKind, SearchGroup]:
        return self._groups

    def search(self, text: str) -> None:
        """Ask for the results of ``text`` in place of those of another; an empty text has none."""
        self._fresh = set()
        self.note = ""
        self.searched = text
        self.is_over = not text
        if not text:
            self._groups = {}
            self._quiet.start()
            self.changed.emit()
        self.wanted.emit(text)

    def show_group(self, text: str, group: SearchGroup, *, is_next_page: bool = False) -> None:
        """Show the results for ``text``; those for an older text are ignored."""
        if text != self.searched:
            return
        before = self._groups.get(group.kind)
        if is_next_page and before is not None:
            count = max(before.count, group.count)
            group = replace(before, hits=(*before.hits, *group.hits), count=count, next_cursor=group.next_cursor)
        self._groups[group.kind] = group
        self._fresh.add(group.kind)
        self.changed.emit()

    def finish(self, text: str, note: str = "") -> None:
        """End the search for ``text``; ``note`` is a further remark."""
        if text != self.searched:
            return
        self._groups = {kind: group for kind, group in self._groups.items() if kind in self._fresh}
        self.note = note
        self.is_over = True
        self.changed.emit()
        self._quiet.start()

    def _count(self) -> None:
        groups = [self._groups[kind] for kind in ORDER if kind in self._groups]
        if self.searched or self.commands:
            self.counted.emit(summary_of(groups, self.commands))
