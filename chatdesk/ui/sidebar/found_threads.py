"""Shows search results in the sidebar, in place of the list of threads."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.search import SearchHit
from chatdesk.ui.sidebar.bars import SearchBox
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.found_list import FoundList
from chatdesk.ui.widgets.found.results import Results
from chatdesk.ui.widgets.found.rows import FoundRow, RowKind, rows_of_sidebar


class FoundThreads(QObject):
    """The results of the field, and their list, which is walked by the keys of the field. ``everythingWanted`` asks for
    all results of a text."""

    hitChosen = Signal(object)
    commandChosen = Signal(str)
    everythingWanted = Signal(str)

    def __init__(self, field: SearchBox, theme: Theme, sidebar: QWidget) -> None:
        super().__init__(sidebar)
        self._typed = ""
        self.results = Results(field)
        tokens = theme.tokens
        self.list = FoundList(
            theme,
            field,
            object_name="foundThreads",
            side_px=tokens.space.s,
            radius=tokens.radius.row,
            has_icons=False,
            parent=sidebar,
        )
        self.list.hide()
        field.walk = self.list.use_key
        self.results.changed.connect(self._refill)
        self.results.counted.connect(self.list.announce_found)
        self.list.chosen.connect(self._on_list_chosen)

    def search(self, typed: str, *, among: str = "") -> None:
        """Show the results for ``typed``; ``among`` are filters that the list of threads stands for."""
        self._typed = typed
        self.list.forget_choice()
        self.list.setVisible(bool(typed))
        self.results.search(f"{typed} {among}".strip() if typed else "")
        self._refill()

    def _refill(self) -> None:
        results = self.results
        rows: list[FoundRow] = []
        if self._typed:
            now = datetime.now().astimezone()
            rows = rows_of_sidebar(self._typed, results.groups, results.offered, now=now, is_over=results.is_over)
        results.commands = sum(row.kind is RowKind.COMMAND for row in rows)
        self.list.show_rows(rows, begins_at_first=results.is_over)

    def _on_list_chosen(self, row: FoundRow) -> None:
        if isinstance(row.value, SearchHit):
            self.hitChosen.emit(row.value)
        elif row.kind is RowKind.COMMAND:
            self.commandChosen.emit(row.value)
        else:
            self.everythingWanted.emit(self.results.searched)
