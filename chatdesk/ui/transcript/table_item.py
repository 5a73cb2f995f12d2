"""Tables: hairlines between rows, columns as wide as their words, sideways scrolling when they do not fit.

A table is several items of a dozen rows each that share their columns, so that a long one is laid out as it is seen.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from chatdesk.core.rendering.blocks import Span, Table
from chatdesk.ui.transcript.card import paint_hairline
from chatdesk.ui.transcript.item import (
    LINK_ACTION,
    Button,
    Item,
    Outcome,
    PaintState,
    link_number,
    paint_button,
)
from chatdesk.ui.transcript.looks import TOOL_PX, Looks
from chatdesk.ui.transcript.spans import flow_of
from chatdesk.ui.transcript.table_columns import GUTTER_PX, MAX_COLUMNS, TableColumns, text_of
from chatdesk.ui.transcript.table_formats import table_formats, table_markdown
from chatdesk.ui.transcript.text_box import TextBox

ROWS_AN_ITEM = 12
_PAD_Y = 5.5

Row = tuple[tuple[Span, ...], ...]


class TableItem(Item):
    """Rows ``first`` to ``first`` + a dozen of the table; the first item draws the header too."""

    kind = "table"
    is_selectable = True

    def __init__(self, columns: TableColumns, first: int) -> None:
        super().__init__()
        self.columns = columns
        self.first = first
        self.gap = 12.0 if first == 0 else 0.0
        self.rows = columns.block.rows[first : first + ROWS_AN_ITEM]
        self._boxes: list[list[TextBox]] = []
        self._tops: list[float] = []
        self._texts: list[list[str]] = [[text_of(cell) for cell in row[:MAX_COLUMNS]] for row in self._all_rows()]
        self._starts: list[list[int]] = []
        self._text = self._join()
        self._widths: tuple[float, ...] = ()

    def indent(self, looks: Looks, room: float) -> float:
        return looks.indent(self.columns.block.at, room)

    def is_laid_out(self, looks: Looks, width: float) -> bool:
        return super().is_laid_out(looks, width) and self._widths == tuple(self.columns.widths)

    def guess(self, looks: Looks, width: float) -> float:
        return len(self._texts) * (looks.line_height("table") + 2 * _PAD_Y)

    def layout(self, looks: Looks, width: float) -> None:
        self.columns.measure(looks, width)
        self._widths = tuple(self.columns.widths)
        line_height = looks.line_height("table")
        self._boxes, self._tops = [], []
        y = 0.0
        for number, row in enumerate(self._all_rows()):
            font = looks.font("table")
            if self._is_header(number):
                font = QFont(font)
                font.setWeight(QFont.Weight.DemiBold)
            boxes = []
            for place, cell in enumerate(row[: len(self._widths)]):
                box = TextBox(flow_of(cell))
                align = self.columns.block.alignments[place] if place < len(self.columns.block.alignments) else ""
                box.lay_out(looks, self._widths[place], font=font, line_height=line_height, alignment=align)
                boxes.append(box)
            self._boxes.append(boxes)
            self._tops.append(y)
            y += max((box.height for box in boxes), default=line_height) + 2 * _PAD_Y
        self.height = y
        self.natural_width = min(width, self.columns.total)
        self._view_right = width

    def release(self) -> None:
        super().release()
        self._boxes, self._tops = [], []

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        is_wide = self.columns.max_x > 0
        if is_wide:
            painter.save()
            painter.setClipRect(QRectF(0, 0, self.columns.view_width, self.height), Qt.ClipOperation.IntersectClip)
            painter.translate(-self.columns.x, 0)
        for number, boxes in enumerate(self._boxes):
            top = self._tops[number]
            bottom = self._tops[number + 1] if number + 1 < len(self._tops) else self.height
            if bottom < state.clip.top() or top > state.clip.bottom():
                continue
            x = 0.0
            for place, box in enumerate(boxes):
                painter.translate(x, top + _PAD_Y)
                box.draw(painter, looks, looks.colour("text"), selected=self._selected_in(state, number, place))
                painter.translate(-x, -top - _PAD_Y)
                x += self._widths[place] + GUTTER_PX
            paint_hairline(painter, looks, QPointF(0, bottom - 1), self.columns.total)
        self._ring_link(painter, state)
        if is_wide:
            painter.restore()
        if state.is_attended:
            for button in self.buttons():
                painter.fillRect(button.area, looks.colour("background"))
                paint_button(painter, button, state)

    def _ring_link(self, painter: QPainter, state: PaintState) -> None:
        left = link_number(state.focused_action)
        if left is None:
            return
        for row, boxes in enumerate(self._boxes):
            x = 0.0
            for place, box in enumerate(boxes):
                count = len(box.flow.links)
                if 0 <= left < count:
                    painter.translate(x, self._tops[row] + _PAD_Y)
                    box.ring_link(painter, state.looks, left)
                    painter.translate(-x, -self._tops[row] - _PAD_Y)
                left -= count
                x += self._widths[place] + GUTTER_PX

    @property
    def text(self) -> str:
        return self._text

    @property
    def cells(self) -> list[list[tuple[int, int]]]:
        """Row by row, where each cell begins and ends in ``text``; the first item's first row is the header."""
        return [
            [(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]
            for starts, texts in zip(self._starts, self._texts, strict=True)
        ]

    def offset_at(self, point: QPointF) -> int:
        if not self._boxes:
            return 0
        row = max(0, sum(1 for top in self._tops if top <= point.y()) - 1)
        x = point.x() + self.columns.x
        for place, box in enumerate(self._boxes[row]):
            if x < self._widths[place] + GUTTER_PX or place == len(self._boxes[row]) - 1:
                inside = box.offset_at(QPointF(x, point.y() - self._tops[row] - _PAD_Y))
                return self._starts[row][place] + min(inside, len(self._texts[row][place]))
            x -= self._widths[place] + GUTTER_PX
        return 0

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        seen = QRectF(0, 0, self.columns.view_width, self.height)
        areas = []
        for row, boxes in enumerate(self._boxes):
            x = -self.columns.x
            for place, box in enumerate(boxes):
                first = self._starts[row][place]
                low, high = max(start - first, 0), min(end - first, len(self._texts[row][place]))
                areas += [area.translated(x, self._tops[row] + _PAD_Y) for area in box.areas_of(low, high)]
                x += self._widths[place] + GUTTER_PX
        return [area.intersected(seen) for area in areas]

    def reveal(self, offset: int) -> bool:
        for row, boxes in enumerate(self._boxes):
            x = -self.columns.x
            for place, wide in enumerate(self._widths[: len(boxes)]):
                first = self._starts[row][place]
                if first <= offset < first + max(1, len(self._texts[row][place])):
                    is_aside = x < 0 or x + wide > self.columns.view_width
                    return self.scroll_x(x + (wide - self.columns.view_width) / 2) if is_aside else False
                x += wide + GUTTER_PX
        return False

    def links(self) -> tuple[Button, ...]:
        stops: list[Button] = []
        for row, boxes in enumerate(self._boxes):
            for place, box in enumerate(boxes):
                first = self._starts[row][place]
                for link in box.flow.links:
                    area = next(iter(self.areas_of(first + link.start, first + link.end)), QRectF())
                    stops.append(Button(f"{LINK_ACTION}{len(stops)}", link.href, area))
        return tuple(stops)

    def link_at(self, point: QPointF) -> str | None:
        for row, boxes in enumerate(self._boxes):
            x = -self.columns.x
            for place, box in enumerate(boxes):
                found = box.span_link_at(QPointF(point.x() - x, point.y() - self._tops[row] - _PAD_Y))
                if found:
                    return found
                x += self._widths[place] + GUTTER_PX
        return None

    def copied(self, start: int, end: int) -> str:
        return self._text[start:end].replace("\u00a0", " ").replace("\u2028", " ")

    def line_at(self, offset: int) -> tuple[int, int]:
        row = max(0, sum(1 for starts in self._starts if starts and starts[0] <= offset) - 1)
        start = self._starts[row][0]
        return start, start + len("\t".join(self._texts[row]))

    def press(self, action: str) -> Outcome | None:
        number, links = link_number(action), self.links()
        if number is not None:
            return Outcome(link=links[number].label) if number < len(links) else None
        return Outcome(copied=table_markdown(self.columns.block), formats=table_formats(self.columns.block))

    def buttons(self) -> tuple[Button, ...]:
        """Copying is offered where the table begins."""
        looks = self._laid_out[0] if self._laid_out is not None else None
        if self.first or looks is None:
            return ()
        side = looks.px(TOOL_PX)
        return (Button("copy-table", "Copy table", QRectF(self._view_right - side, 0, side, side), "copy"),)

    def scroll_x(self, delta: float) -> bool:
        before = self.columns.x
        self.columns.x = max(0.0, min(self.columns.max_x, before + delta))
        return self.columns.x != before

    _view_right = 0.0

    def _all_rows(self) -> tuple[Row, ...]:
        return (self.columns.block.header, *self.rows) if self.first == 0 else self.rows

    def _is_header(self, number: int) -> bool:
        return self.first == 0 and number == 0

    def _join(self) -> str:
        place = 0
        for row in self._texts:
            starts = []
            for cell in row:
                starts.append(place)
                place += len(cell) + 1
            self._starts.append(starts)
        return "\n".join("\t".join(row) for row in self._texts)

    def _selected_in(self, state: PaintState, row: int, place: int) -> tuple[int, int] | None:
        if state.selected is None:
            return None
        start = self._starts[row][place]
        low = max(state.selected[0] - start, 0)
        high = min(state.selected[1] - start, len(self._texts[row][place]))
        return (low, high) if high > low else None


def table_items(block: Table) -> list[TableItem]:
    columns = TableColumns(block)
    return [TableItem(columns, first) for first in range(0, max(1, len(block.rows)), ROWS_AN_ITEM)]


def grow_table(items: list[TableItem], block: Table) -> list[TableItem] | None:
    """The items for a table that got more rows, keeping those that are full. None when it is another table."""
    columns = items[0].columns
    old = columns.block
    kept = max(0, (len(old.rows) - 1) // ROWS_AN_ITEM)
    if old.header != block.header or old.alignments != block.alignments or len(block.rows) < len(old.rows):
        return None
    if old.rows[: kept * ROWS_AN_ITEM] != block.rows[: kept * ROWS_AN_ITEM]:
        return None
    columns.block = block
    first = kept * ROWS_AN_ITEM
    return items[:kept] + [TableItem(columns, at) for at in range(first, max(1, len(block.rows)), ROWS_AN_ITEM)]
