"""Paints the cells of a table that are in view, all in one go.

Qt calls a delegate for each cell and asks the model for seven values of it, which are fourteen ways from C++ to Python
and back: half of a page of a table was spent on these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QLine, QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QTableView

from chatdesk.ui.theme.theme import Theme

_INSIDE_PX: Final = 6


@dataclass(frozen=True, slots=True)
class _Span:
    """A row or a column in view; ``start_px`` is its upper or left edge in the viewport."""

    number: int
    start_px: int
    size_px: int


class TableCells:
    """Paints for a table whose rows all have one height and whose rows and columns stay in their order."""

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
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # as the words read, not as the window does
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
        room_px = column.size_px - 2 * _INSIDE_PX
        if not words.isascii() or sum(map(self._advances.__getitem__, words.encode())) > room_px:
            words = self._metrics.elidedText(words, Qt.TextElideMode.ElideRight, room_px)
        left_px = column.start_px + _INSIDE_PX
        if self._table.isRightToLeft():
            left_px += room_px - self._metrics.horizontalAdvance(words)
        painter.drawText(left_px, baseline_px, words)

    def _paint_focus(self, painter: QPainter) -> None:
        """Draw a frame around the current cell while the table has the focus."""
        if self._table.hasFocus() and (current := self._table.currentIndex()).isValid():
            painter.setPen(self._accent)
            painter.drawRect(self._table.visualRect(current).adjusted(0, 0, -2, -2))
