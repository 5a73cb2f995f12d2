"""Draws tables: hairlines between rows, columns as wide as their words, sideways scrolling when they do not fit.

A table is several items of a dozen rows each that share their columns, so that a long one is laid out as it is seen.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate, islice

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from chatdesk.core.rendering.blocks import Table
from chatdesk.core.rendering.html_writer import table_as_html
from chatdesk.core.rendering.markdown_writer import table_as_markdown
from chatdesk.core.spreadsheet_cells import as_separated
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.theme.tokens import FOCUS_RING_PX
from chatdesk.ui.transcript.drawing.card import paint_hairline
from chatdesk.ui.transcript.drawing.item import (
    LINK_ACTION,
    Button,
    Grip,
    Item,
    Outcome,
    PaintState,
    link_number,
    paint_button,
)
from chatdesk.ui.transcript.drawing.side_scroll import ROOM_PX
from chatdesk.ui.transcript.drawing.spans import flow_of, text_of
from chatdesk.ui.transcript.drawing.table_columns import GUTTER_PX, MAX_COLUMNS, ColumnEdge, Row, TableColumns
from chatdesk.ui.transcript.drawing.text_box import TextBox
from chatdesk.ui.transcript.drawing.transcript_style import TOOL_PX, TranscriptStyle

ROWS_AN_ITEM = 12
_PAD_Y = 5.5
_FOLD_PX = 32
_TOOL_GAP_PX = 4
_EDGE_PX = 6  # how near to the edge of a column the mouse must be to move it
_COPY, _COLUMNS, _FOLD = "copy-table", "table-columns", "fold-table"


class TableItem(Item):
    """A dozen rows of a table, from ``first`` on; the first item draws the header too."""

    kind = "table"
    is_selectable = True
    is_indented = True

    def __init__(self, columns: TableColumns, first: int) -> None:
        super().__init__()
        self.columns = columns
        self.scroll = columns.scroll
        self.first = first
        self.at = columns.block.at
        self.gap = 12.0 if first == 0 else 0.0
        self.rows = columns.block.rows[first : first + ROWS_AN_ITEM]
        self._boxes: list[list[TextBox]] = []
        self._tops: list[float] = []
        self._widths: tuple[float, ...] = ()
        self._form: tuple[object, ...] = ()
        self._style: TranscriptStyle | None = None
        self._view_left = 0.0
        self.rows_height = 0.0

    @property
    def is_hidden(self) -> bool:
        """True while the rows of this item are folded away."""
        return self.first > 0 and not self.columns.is_unfolded

    @property
    def _is_last_shown(self) -> bool:
        return not self.is_hidden and (
            not self.columns.is_unfolded or self.first + ROWS_AN_ITEM >= len(self.columns.block.rows)
        )

    @property
    def _has_fold(self) -> bool:
        return len(self.columns.block.rows) > ROWS_AN_ITEM and self._is_last_shown

    def _form_now(self) -> tuple[object, ...]:
        """Return the values that the layout depends on besides the item's own rows."""
        columns = self.columns
        foot = (self._is_last_shown, self._has_fold, columns.max_x > 0)
        return (tuple(columns.widths), columns.is_right_to_left, self.is_hidden, foot)

    def is_laid_out(self, style: TranscriptStyle, width: float) -> bool:
        if not super().is_laid_out(style, width):
            return False
        # Measured first: later rows may have made the columns wider for earlier rows, too.
        self.columns.measure(style, self._room(style, width))
        return self._form == self._form_now()

    def _room(self, style: TranscriptStyle, width: float) -> float:
        """Return the width that is left for the columns beside the copy button, which must cover no words."""
        return width - style.px(TOOL_PX) - _TOOL_GAP_PX

    def guess(self, style: TranscriptStyle, width: float) -> float:
        if self.is_hidden:
            return 0.0
        fold = style.px(_FOLD_PX) if self._has_fold else 0.0
        return len(self.shown_rows) * (style.line_height("table") + 2 * _PAD_Y) + fold

    def layout(self, style: TranscriptStyle, width: float) -> None:
        columns = self.columns
        columns.measure(style, self._room(style, width))
        self.at, self._style = columns.block.at, style
        self._form, self._widths = self._form_now(), tuple(columns.widths)
        self._view_left = width - columns.view_width if columns.is_right_to_left else 0.0
        self._boxes, self._tops = [], []
        y = 0.0
        for number, row in enumerate(self.shown_rows if not self.is_hidden else ()):
            boxes = self._lay_out_row(style, row, is_header=self._is_header(number))
            self._boxes.append(boxes)
            self._tops.append(y)
            y += max((box.height for box in boxes), default=style.line_height("table")) + 2 * _PAD_Y
        self.rows_height = y
        self.height = y
        if self._is_last_shown:
            self.height += (ROOM_PX if columns.max_x > 0 else 0) + (style.px(_FOLD_PX) if self._has_fold else 0)
        self.natural_width = min(width, columns.total)

    def _lay_out_row(self, style: TranscriptStyle, row: Row, *, is_header: bool) -> list[TextBox]:
        font, line_height = style.font("table"), style.line_height("table")
        if is_header:
            font = QFont(font)
            font.setWeight(QFont.Weight.DemiBold)
        columns = self.columns
        alignments, otherwise = columns.block.alignments, "right" if columns.is_right_to_left else ""
        boxes = []
        for place, cell in enumerate(row[: len(self._widths)]):
            box = TextBox(flow_of(cell))
            alignment = (alignments[place] if place < len(alignments) else "") or otherwise
            box.lay_out(style, self._widths[place], font=font, line_height=line_height, alignment=alignment)
            boxes.append(box)
        return boxes

    def release(self) -> None:
        super().release()
        self._boxes, self._tops = [], []

    @property
    def _lefts(self) -> list[float]:
        return [self._view_left + left for left in self.columns.lefts]

    @property
    def _view(self) -> QRectF:
        return QRectF(self._view_left, 0, self.columns.view_width, self.rows_height)

    @property
    def _bar_area(self) -> QRectF:
        return self._view.adjusted(0, 0, 0, ROOM_PX)

    # Drawing

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        painter.save()
        if self.columns.max_x > 0:
            painter.setClipRect(self._view, Qt.ClipOperation.IntersectClip)
        self._paint_rows(painter, state)
        self._ring(painter, state)
        painter.restore()
        if self._is_last_shown:
            self.columns.scroll.paint(painter, style, self._bar_area)
        for button in self.buttons():
            if button.action == _FOLD or (button.action == _COPY and state.is_attended):
                paint_button(painter, button, state)

    def _paint_rows(self, painter: QPainter, state: PaintState) -> None:
        style, lefts = state.style, self._lefts
        start = self._view_left + self.columns.scroll.shift
        for number, boxes in enumerate(self._boxes):
            top = self._tops[number]
            bottom = self._tops[number + 1] if number + 1 < len(self._tops) else self.rows_height
            if bottom < state.clip.top() or top > state.clip.bottom():
                continue
            for place, box in enumerate(boxes):
                painter.translate(lefts[place], top + _PAD_Y)
                box.draw(painter, style, style.colour("text"), selected=self._selected_in(state, number, place))
                painter.translate(-lefts[place], -top - _PAD_Y)
            paint_hairline(painter, style, QPointF(start, bottom - 1), self.columns.total)

    def _ring(self, painter: QPainter, state: PaintState) -> None:
        """Paint the focus ring around a link, or around the column that keys make wider."""
        if state.focused_action == _COLUMNS:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(state.style.colour("accent"), FOCUS_RING_PX))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = state.style.tokens.radius.row
            painter.drawRoundedRect(self._head_of(self.columns.current).adjusted(1, 1, -1, -2), radius, radius)
        left = link_number(state.focused_action)
        if left is None:
            return
        lefts = self._lefts
        for row, boxes in enumerate(self._boxes):
            for place, box in enumerate(boxes):
                count = len(box.flow.links)
                if 0 <= left < count:
                    painter.translate(lefts[place], self._tops[row] + _PAD_Y)
                    box.ring_link(painter, state.style, left)
                    painter.translate(-lefts[place], -self._tops[row] - _PAD_Y)
                left -= count

    def _head_of(self, place: int) -> QRectF:
        """Return the rectangle of a column's name."""
        if self.first or not self._tops or place >= len(self._widths):
            return QRectF()
        bottom = self._tops[1] if len(self._tops) > 1 else self.rows_height
        return QRectF(self._lefts[place] - 4, 0, self._widths[place] + 8, bottom)

    # Text

    @property
    def text(self) -> str:
        return self._text

    @property
    def cells(self) -> list[list[tuple[int, int]]]:
        """The ranges of the cells in ``text``, row by row; the first item's first row is the header."""
        return [
            [(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]
            for starts, texts in zip(self._starts, self._texts, strict=True)
        ]

    def offset_at(self, point: QPointF) -> int:
        if not self._boxes:
            return 0
        row = max(0, sum(1 for top in self._tops if top <= point.y()) - 1)
        lefts, boxes = self._lefts, self._boxes[row]
        if not boxes:
            return 0
        x, widths = point.x(), self._widths
        place = min(range(len(boxes)), key=lambda each: max(lefts[each] - x, x - lefts[each] - widths[each]))
        inside = boxes[place].offset_at(point - QPointF(lefts[place], self._tops[row] + _PAD_Y))
        return self._starts[row][place] + min(inside, len(self._texts[row][place]))

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        areas = []
        lefts = self._lefts
        for row, boxes in enumerate(self._boxes):
            for place, box in enumerate(boxes):
                first = self._starts[row][place]
                low, high = max(start - first, 0), min(end - first, len(self._texts[row][place]))
                areas += [area.translated(lefts[place], self._tops[row] + _PAD_Y) for area in box.areas_of(low, high)]
        return [area.intersected(self._view) for area in areas]

    def reveal(self, offset: int) -> bool:
        if self.is_hidden:
            self.columns.is_unfolded = True
            return True
        for row, boxes in enumerate(self._boxes):
            for place in range(len(boxes)):
                first = self._starts[row][place]
                if first <= offset < first + max(1, len(self._texts[row][place])):
                    return self.columns.reveal(place)
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
        lefts = self._lefts
        for row, boxes in enumerate(self._boxes):
            for place, box in enumerate(boxes):
                found = box.span_link_at(point - QPointF(lefts[place], self._tops[row] + _PAD_Y))
                if found:
                    return found
        return None

    def copied(self, start: int, end: int) -> str:
        return self._text[start:end].replace("\u00a0", " ").replace("\u2028", " ")

    def line_at(self, offset: int) -> tuple[int, int]:
        row = max(0, sum(1 for starts in self._starts if starts and starts[0] <= offset) - 1)
        start = self._starts[row][0]
        return start, start + len("\t".join(self._texts[row]))

    # Things to press, and to move

    def press(self, action: str) -> Outcome | None:
        number, links = link_number(action), self.links()
        if number is not None:
            return Outcome(link=links[number].label) if number < len(links) else None
        if action == _FOLD:
            self.columns.is_unfolded = not self.columns.is_unfolded
            return Outcome(is_resized=True)
        if action == _COLUMNS:
            self.columns.chosen.clear()
            return Outcome(is_resized=True)
        return _copied(self.columns.block)

    def buttons(self) -> tuple[Button, ...]:
        """Return the buttons: copying and column widths where the table begins, folding where it ends."""
        style = self._style if self._laid_out is not None else None
        if style is None or self.is_hidden:
            return ()
        made = []
        if self.first == 0:
            side = style.px(TOOL_PX)
            columns = self.columns
            x = self._view.x() - side - _TOOL_GAP_PX if columns.is_right_to_left else self._view.right() + _TOOL_GAP_PX
            made.append(Button(_COPY, tr("Copy table"), QRectF(x, 0, side, side), "copy"))
            # To the mouse a column is its words, and has an edge to be moved.
            made.append(Button(_COLUMNS, columns.keys_text, self._head_of(columns.current), for_keys=True))
        if self._has_fold:
            made.append(self._fold_button(style))
        return tuple(made)

    def _fold_button(self, style: TranscriptStyle) -> Button:
        is_folded = not self.columns.is_unfolded
        rows = len(self.columns.block.rows)
        more = shown(plural("Show all {count} rows", "Show the {count} row", rows))
        text = more if is_folded else tr("Show fewer rows")
        high = style.px(_FOLD_PX)
        wide = style.metrics("muted").horizontalAdvance(text) + style.px(40)
        view = self._view
        x = view.right() - wide if self.columns.is_right_to_left else view.x()
        icon = "chevron-right" if is_folded else "chevron-down"
        return Button(_FOLD, text, QRectF(x, self.height - high + 2, wide, high - 4), icon=icon, text=text)

    def grip_at(self, point: QPointF) -> Grip | None:
        if self._is_last_shown and (bar := self.columns.scroll.grip_at(point, self._bar_area)) is not None:
            return bar
        bottom = self._head_of(0).bottom()
        if not self._boxes or not 0 <= point.y() < bottom or not self._view.contains(point):
            return None
        for place, left in enumerate(self._lefts):
            edge = left - GUTTER_PX / 2 if self.columns.is_right_to_left else left + self._widths[place] + GUTTER_PX / 2
            if abs(point.x() - edge) <= _EDGE_PX:
                return ColumnEdge(self.columns, place, point.x())
        return None

    @property
    def shown_rows(self) -> tuple[Row, ...]:
        """The rows of this item, below the header if it is the first."""
        return (self.columns.block.header, *self.rows) if self.first == 0 else self.rows

    def _is_header(self, number: int) -> bool:
        return self.first == 0 and number == 0

    @cached_property  # not before it is asked for: a table may have thousands of rows
    def _texts(self) -> list[list[str]]:
        return [[text_of(cell) for cell in row[:MAX_COLUMNS]] for row in self.shown_rows]

    @cached_property
    def _starts(self) -> list[list[int]]:
        """The place where each cell begins in the text of the item."""
        ends = accumulate((len(cell) + 1 for row in self._texts for cell in row), initial=0)
        return [list(islice(ends, len(row))) for row in self._texts]

    @cached_property
    def _text(self) -> str:
        return "\n".join("\t".join(row) for row in self._texts)

    def _selected_in(self, state: PaintState, row: int, place: int) -> tuple[int, int] | None:
        if state.selected is None:
            return None
        start = self._starts[row][place]
        low = max(state.selected[0] - start, 0)
        high = min(state.selected[1] - start, len(self._texts[row][place]))
        return (low, high) if high > low else None


def columns_of(item: Item, action: str) -> TableColumns | None:
    """Return the columns that Left and Right choose, and widen with Shift, on the button of ``action``."""
    return item.columns if isinstance(item, TableItem) and action == _COLUMNS else None


def _copied(table: Table) -> Outcome:
    """Return the table in the forms that mails, word processors, editors and spreadsheets take."""
    words = [["".join(span.text for span in cell) for cell in row] for row in (table.header, *table.rows)]
    formats = {
        "text/html": table_as_html(table),
        "text/csv": as_separated(words, ","),
        "text/tab-separated-values": as_separated(words, "\t"),
    }
    return Outcome(copied=table_as_markdown(table), formats=formats)
