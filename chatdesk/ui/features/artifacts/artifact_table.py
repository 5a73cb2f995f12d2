"""Shows an artifact as a table: only the rows in view are read and painted.

The visible cells are painted in one call. Qt would call a delegate for each cell and ask the model for seven values of
it, fourteen crossings between C++ and Python, which took half of the time of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QLine,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from chatdesk.core.domain.artifacts.table_rows import TableRows
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.spreadsheet_cells import harmless_cell
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.stray_keys import begins_writing
from chatdesk.ui.widgets.words import with_commas

_Index = QModelIndex | QPersistentModelIndex
_SHOWN_CHARACTERS: Final = 300
_MEASURED_ROWS, _MEASURED_CELLS = 30, 1_000
_ROWS_AT_ONCE: Final = 5_000
_MOST_COPIED_CELLS: Final = 50_000
_LEAST_PX, _MOST_PX = 48, 260
_INSIDE_PX: Final = 8
_LEAST_HEADER_PX: Final = 24  # large enough for its corner to be pressed
_CELL_INSIDE_PX: Final = 6


class ArtifactTable(QTableView):
    """Shows ``TableRows``; the first row of the file is the header."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows = _Model(self)
        self.setObjectName("artifactTable")
        self.setAccessibleName(tr("Table"))
        self._columns, self._numbers = _Header(Qt.Orientation.Horizontal), _Header(Qt.Orientation.Vertical)
        self.setHorizontalHeader(self._columns)
        self.setVerticalHeader(self._numbers)
        self.setModel(self._rows)
        self._cells = TableCells(self, self._rows.words)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._numbers.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_rows(self, rows: TableRows) -> None:
        self._numbers.fit(number_text(len(rows)))
        self._rows.show_rows(rows)
        size = with_commas(
            (
                shown(plural("{count} rows", "{count} row", len(rows))),
                shown(plural("{count} columns", "{count} column", rows.column_count)),
            )
        )
        self.setAccessibleDescription(size)
        self._fit_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected cells; letters go on to the composer, as from every list of the inspector."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self._selected_text())
        elif begins_writing(event):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._cells.paint(event.rect())

    def _selected_text(self) -> str:
        """Return the selected cells as lines with tabs, as spreadsheets take them: of the first range alone."""
        selection = self.selectionModel().selection()
        if selection.isEmpty():
            return ""
        area = selection.at(0)
        columns = range(area.left(), area.right() + 1)
        last = min(area.bottom(), area.top() + max(1, _MOST_COPIED_CELLS // len(columns)) - 1)
        return "\n".join(
            "\t".join(harmless_cell(self._rows.cell(row, column)) for column in columns)
            for row in range(area.top(), last + 1)
        )

    def _fit_columns(self) -> None:
        metrics, scale = self.fontMetrics(), max(1.0, self._theme.scale)
        most_rows = min(_MEASURED_ROWS, _MEASURED_CELLS // max(1, self._rows.columnCount()))
        for column in range(self._rows.columnCount()):
            texts = [self._rows.title(column)]
            texts += [self._rows.cell(row, column) for row in range(min(self._rows.rowCount(), most_rows))]
            width = max(metrics.horizontalAdvance(text[:60]) for text in texts) + 20
            self.setColumnWidth(column, round(min(_MOST_PX * scale, max(_LEAST_PX * scale, width))))

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.setFont(theme.font("table"))
        for header in (self._columns, self._numbers):
            header.setFont(theme.font("muted"))
        self._numbers.setDefaultSectionSize(max(theme.target_px(0), self.fontMetrics().height() + 8))
        self._columns.setMinimumHeight(theme.target_px(0))
        self._numbers.setMinimumWidth(theme.target_px(0))
        self.setStyleSheet(
            f"#artifactTable {{ background: {tokens.card}; color: {tokens.text}; gridline-color: {tokens.line};"
            f" border: 1px solid {tokens.line}; selection-background-color: {tokens.selected};"
            f" selection-color: {tokens.text}; outline: none; }}"
            f"#artifactTable:focus {{ border: 2px solid {tokens.accent}; }}"
            "#artifactTable QHeaderView, #artifactTable QTableCornerButton::section"
            f" {{ background: {tokens.surface}; border: none; }}"
            f"#artifactTable::corner {{ background: {tokens.card}; border: none; }}"
            f"#artifactTable QHeaderView::section {{ background: {tokens.surface}; color: {tokens.muted}; border: none;"
            f" border-right: 1px solid {tokens.line}; border-bottom: 1px solid {tokens.line}; padding: 2px 6px; }}"
        )
        self._cells.dress(theme)
        self._fit_columns()


class _Header(QHeaderView):
    """A header that knows its size: Qt asks the model for those of 200 sections, after each change again."""

    def __init__(self, orientation: Qt.Orientation) -> None:
        super().__init__(orientation)
        self._widest = ""
        self.setSectionsClickable(True)
        self.setHighlightSections(False)

    def fit(self, widest: str) -> None:
        """Be wide enough for these words in a section."""
        self._widest = widest

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        height = max(_LEAST_HEADER_PX, metrics.height() + 8)
        return QSize(metrics.horizontalAdvance(self._widest) + 2 * _INSIDE_PX, height)


class _Model(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows = TableRows("")

        self._count = 0
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)

    def show_rows(self, rows: TableRows) -> None:
        self.beginResetModel()
        self._rows, self._count = rows, min(_ROWS_AT_ONCE, len(rows))
        self.endResetModel()
        self._timer.start()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._count

    def _on_timer_timeout(self) -> None:
        """Add the next rows: the header keeps something for each, which takes long for all at once."""
        end = min(self._count + _ROWS_AT_ONCE, len(self._rows))
        if end > self._count:
            self.beginInsertRows(QModelIndex(), self._count, end - 1)
            self._count = end
            self.endInsertRows()
        else:
            self._timer.stop()

    def columnCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._rows.column_count

    def cell(self, row: int, column: int) -> str:
        return self._rows.row(row)[column]

    def title(self, column: int) -> str:
        return _shown(self._rows.header[column])

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        is_there = 0 <= index.row() < len(self._rows) and 0 <= index.column() < self._rows.column_count
        if role != Qt.ItemDataRole.DisplayRole or not is_there:
            return None
        return self.words(index.row(), index.column())

    def words(self, row: int, column: int) -> str:
        """Return the shown text of a cell."""
        return _shown(self.cell(row, column))

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Vertical:
            return number_text(section + 1)
        return self.title(section) if section < self._rows.column_count else None


def _shown(cell: str) -> str:
    """Return the beginning of a cell on one line, with hidden characters spelt out."""
    return visible_controls(cell[:_SHOWN_CHARACTERS]).replace("\n", " ")


@dataclass(frozen=True, slots=True)
class _Span:
    """A row or a column in view; ``start_px`` is its upper or left edge in the viewport."""

    number: int
    start_px: int
    size_px: int


class TableCells:
    """Paints the cells of a table with rows of one height, whose rows and columns cannot be reordered."""

    def __init__(self, table: QTableView, words: Callable[[int, int], str]) -> None:
        self._table, self._words = table, words

    def dress(self, theme: Theme) -> None:
        """Paint with the present font of the table and the colours of ``theme``."""
        self._font, self._metrics = self._table.font(), self._table.fontMetrics()
        self._advances = [self._metrics.horizontalAdvance(chr(code)) for code in range(128)]
        self._text, self._line = theme.colour("text"), theme.colour("line")
        self._selected, self._accent = theme.colour("selected"), theme.colour("accent")

    def paint(self, area: QRect) -> None:
        """Paint the cells that touch ``area`` of the viewport."""
        rows, columns = self._rows(area), self._columns(area)
        if not rows or not columns:
            return
        painter = QPainter(self._table.viewport())
        # the direction of the text, not of the window
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        self._paint_selection(painter, rows, columns)
        self._paint_grid(painter, rows, columns)
        painter.setPen(self._text)
        painter.setFont(self._font)
        baseline_px = (rows[0].size_px + self._metrics.ascent() - self._metrics.descent()) // 2
        for row in rows:
            for column in columns:
                if words := self._words(row.number, column.number):
                    self._paint_words(painter, words, column, row.start_px + baseline_px)
        self._paint_focus(painter)
        painter.end()

    def _rows(self, area: QRect) -> Sequence[_Span]:
        table = self._table
        first, last = table.rowAt(area.top()), table.rowAt(area.bottom())
        end = last if last >= 0 else table.model().rowCount() - 1
        if first < 0:
            return ()
        return [_Span(row, table.rowViewportPosition(row), table.rowHeight(row)) for row in range(first, end + 1)]

    def _columns(self, area: QRect) -> Sequence[_Span]:
        table = self._table
        edges = (area.right(), area.left()) if table.isRightToLeft() else (area.left(), area.right())
        first, last = table.columnAt(edges[0]), table.columnAt(edges[1])
        end = last if last >= 0 else table.model().columnCount() - 1
        if first < 0:
            return ()
        return [
            _Span(column, table.columnViewportPosition(column), table.columnWidth(column))
            for column in range(first, end + 1)
        ]

    def _paint_selection(self, painter: QPainter, rows: Sequence[_Span], columns: Sequence[_Span]) -> None:
        selection = self._table.selectionModel().selection()
        for number in range(selection.count()):
            part = selection.at(number)
            chosen = [each for each in columns if part.left() <= each.number <= part.right()]
            for row in rows:
                if part.top() <= row.number <= part.bottom():
                    for column in chosen:
                        painter.fillRect(column.start_px, row.start_px, column.size_px, row.size_px, self._selected)

    def _paint_grid(self, painter: QPainter, rows: Sequence[_Span], columns: Sequence[_Span]) -> None:
        """Draw a line below each row, and one behind each column in the direction of reading."""
        left_px = min(each.start_px for each in columns)
        right_px = max(each.start_px + each.size_px for each in columns) - 1
        top_px, bottom_px = rows[0].start_px, rows[-1].start_px + rows[-1].size_px - 1
        painter.setPen(self._line)
        lines = []
        for row in rows:
            y_px = row.start_px + row.size_px - 1
            lines.append(QLine(left_px, y_px, right_px, y_px))
        for column in columns:
            x_px = column.start_px + (0 if self._table.isRightToLeft() else column.size_px - 1)
            lines.append(QLine(x_px, top_px, x_px, bottom_px))
        painter.drawLines(lines)

    def _paint_words(self, painter: QPainter, words: str, column: _Span, baseline_px: int) -> None:
        room_px = column.size_px - 2 * _CELL_INSIDE_PX
        if not words.isascii() or sum(map(self._advances.__getitem__, words.encode())) > room_px:
            words = self._metrics.elidedText(words, Qt.TextElideMode.ElideRight, room_px)
        left_px = column.start_px + _CELL_INSIDE_PX
        if self._table.isRightToLeft():
            left_px += room_px - self._metrics.horizontalAdvance(words)
        painter.drawText(left_px, baseline_px, words)

    def _paint_focus(self, painter: QPainter) -> None:
        """Draw a frame around the current cell while the table has the focus."""
        if self._table.hasFocus() and (current := self._table.currentIndex()).isValid():
            painter.setPen(self._accent)
            painter.drawRect(self._table.visualRect(current).adjusted(0, 0, -2, -2))
