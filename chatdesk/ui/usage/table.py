"""The numbers behind the chart, as a table that is walked by the arrow keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from chatdesk.core.domain.usage import UsageSum
from chatdesk.core.usage.overview import Grouping, Overview, OverviewRow
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.usage.figures import cost_words

_AnyIndex = QModelIndex | QPersistentModelIndex
_ROW_PX = 26


def _about(of: Callable[[UsageSum], int]) -> Callable[[UsageSum], str]:
    return lambda total: f"{'≈' if total.estimated_requests and of(total) else ''}{of(total):,}"


# Heading, its words for whoever asks, and what stands below it.
_COLUMNS: Final[tuple[tuple[str, str, Callable[[UsageSum], str]], ...]] = (
    ("Requests", "Requests", lambda total: f"{total.requests:,}"),
    ("In", "Tokens in", _about(lambda total: total.input_tokens)),
    ("From cache", "Of them read from the provider's cache", _about(lambda total: total.cached_tokens)),
    ("Cached", "Of them written to the provider's cache", _about(lambda total: total.written_tokens)),
    ("Out", "Tokens out", _about(lambda total: total.output_tokens)),
    ("Thought", "Of them for reasoning", _about(lambda total: total.reasoning_tokens)),
    ("Cost", "Cost", cost_words),
)
_FIRST = {Grouping.DAY: "Day", Grouping.MODEL: "Model", Grouping.PROJECT: "Project", Grouping.KIND: "Kind"}


class UsageTable(QTableView):
    """Rows by day are the newest first, those without a request are left out; the last row is the total."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model = _OverviewModel(self)
        self.setModel(self._model)
        self.setObjectName("usagePageTable")
        self.setAccessibleName("Usage as a table")
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_overview(self, overview: Overview) -> None:
        self._model.show_overview(overview)

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self.verticalHeader().setDefaultSectionSize(round(_ROW_PX * max(1.0, theme.scale)))
        self.setFont(theme.font("muted"))
        self.horizontalHeader().setFont(theme.font("muted"))
        tokens = theme.tokens
        self.setStyleSheet(
            f"QTableView {{ background: transparent; color: {tokens.text}; outline: none; }}"
            f"QTableView:focus {{ border: 2px solid {tokens.accent}; }}"
            f"QTableView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"QHeaderView::section {{ background: transparent; color: {tokens.muted}; border: none;"
            f" font-size: {theme.point_size('muted'):.2f}pt;"
            f" border-bottom: 1px solid {tokens.line}; padding: 2px 6px; }}"
            "QHeaderView { background: transparent; }"
        )


class _OverviewModel(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[OverviewRow, ...] = ()
        self._heading = ""

    def show_overview(self, overview: Overview) -> None:
        self.beginResetModel()
        rows = [row for row in overview.rows if row.total.requests]
        if overview.grouping is Grouping.DAY:
            rows.reverse()
        if rows:
            rows.append(OverviewRow("Total", "Total", overview.total))
        self._rows = tuple(rows)
        self._heading = overview.rows_are.capitalize() if overview.step != "day" else _FIRST[overview.grouping]
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 1 + len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._heading if section == 0 else _COLUMNS[section - 1][0]
        is_asked = role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
        if orientation is Qt.Orientation.Horizontal and is_asked:
            return self._heading if section == 0 else _COLUMNS[section - 1][1]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        text = row.name if column == 0 else _COLUMNS[column - 1][2](row.total)
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return text if column == 0 else f"{row.name}, {_COLUMNS[column - 1][1]}: {text}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
