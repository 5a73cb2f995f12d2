"""A small table of texts that is walked by the arrow keys, each cell said with its heading."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX

_Index = QModelIndex | QPersistentModelIndex
_ROW_PX = 26


class TextTable(QTableView):
    """``wide`` is the column that takes the room that is left."""

    def __init__(self, theme: Theme, headings: Sequence[str], *, name: str, object_name: str, wide: int) -> None:
        super().__init__()
        self._theme = theme
        self._rows = _Rows(self, tuple(headings))
        self.setModel(self._rows)
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._dress)
        self._dress()

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """All anew; the current row stays where it was."""
        place = self.currentIndex()
        row, column = place.row(), place.column()
        self._rows.show_rows(rows)
        if 0 <= row < len(rows):
            self.setCurrentIndex(self._rows.index(row, column))

    def texts(self) -> list[tuple[str, ...]]:
        return [tuple(row) for row in self._rows.rows]

    def _dress(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.verticalHeader().setDefaultSectionSize(round(_ROW_PX * max(1.0, theme.scale)))
        self.setFont(theme.font("muted"))
        self.horizontalHeader().setFont(theme.font("muted"))
        self.setStyleSheet(
            f"QTableView {{ background: transparent; color: {tokens.text}; outline: none; }}"
            f"QTableView:focus {{ border: {FOCUS_RING_PX}px solid {tokens.accent}; }}"
            f"QTableView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"QHeaderView::section {{ background: transparent; color: {tokens.muted}; border: none;"
            f" font-size: {theme.point_size('muted'):.2f}pt;"
            f" border-bottom: 1px solid {tokens.line}; padding: 2px 6px; }}"
            "QHeaderView { background: transparent; }"
        )


class _Rows(QAbstractTableModel):
    def __init__(self, parent: QWidget, headings: tuple[str, ...]) -> None:
        super().__init__(parent)
        self._headings = headings
        self.rows: list[Sequence[str]] = []

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        is_asked = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        return self._headings[section] if orientation is Qt.Orientation.Horizontal and is_asked else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        text = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._headings[index.column()]}: {text}"
        return None
