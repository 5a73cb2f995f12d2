"""Computes the column widths of a table: as wide as their words, and scrolled sideways where those do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF

from chatdesk.core.rendering.blocks import Span, Table
from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.math_paths import FORMULA_SIZE, width_px
from chatdesk.ui.transcript.drawing.side_scroll import SideScroll
from chatdesk.ui.transcript.drawing.spans import text_of
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_MEASURED_ROWS = 60
_MEASURED_CHARACTERS = 80
GUTTER_PX = 16
_NARROWEST = 48
_WIDEST_LEAST = 160  # the least width of a column is that of its longest word, up to this
_COMFORTABLE = 220  # width of a column in a scrolled table
_NARROWEST_CHOSEN = 32
_WIDEST_CHOSEN = 1_200
_MAX_NAME = 40
MAX_COLUMNS = 64  # a hostile row of a thousand cells is cut; its text stays in what Copy gives

Row = tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class _MeasuredRow:
    """The widths of a row's cells: the wanted ones, and those of their longest words."""

    row: Row
    wanted: list[float]
    longest: list[float]


class TableColumns:
    """The columns of one table: their widths, the widths the reader chose, and whether all rows are shown."""

    def __init__(self, block: Table, like: TableColumns | None = None) -> None:
        """Make the columns of ``block``; ``like`` is the same table in an older state, whose look is kept."""
        self.block = block
        self.widths: list[float] = []
        self.scroll = SideScroll()
        self.view_width = 0.0
        self.is_unfolded: bool = like is not None and like.is_unfolded
        self.chosen: dict[int, float] = dict(like.chosen) if like is not None else {}
        self.current = 0  # the column that keys are about
        self._wanted_x = like.x if like is not None else 0.0
        self._measured: tuple[TranscriptStyle, float, tuple[Row, ...], dict[int, float]] | None = None
        self._rows: list[_MeasuredRow] = []

    @property
    def x(self) -> float:
        """The distance in px that the table is scrolled sideways."""
        return self.scroll.x

    @property
    def total(self) -> float:
        return sum(self.widths) + GUTTER_PX * len(self.widths)

    @property
    def max_x(self) -> float:
        return max(0.0, self.total - self.view_width)

    @property
    def is_right_to_left(self) -> bool:
        return self.block.at.is_right_to_left

    @property
    def lefts(self) -> list[float]:
        """The left edge of each column, from the left edge of the visible part."""
        shift = self.scroll.shift
        starts = list(accumulate((width + GUTTER_PX for width in self.widths), initial=0.0))[:-1]
        if self.is_right_to_left:
            return [shift + self.total - start - width for start, width in zip(starts, self.widths, strict=True)]
        return [shift + start for start in starts]

    @property
    def keys_text(self) -> str:
        """The current column and its keys, in words."""
        header, place = self.block.header, self.current
        name = text_of(header[place])[:_MAX_NAME] if place < len(header) else ""
        return tr(
            "Column {name}: Left and Right choose another, with Shift they change its width, "
            "Enter fits all columns again",
            name=name or str(place + 1),
        )

    def choose(self, place: int, width: float) -> None:
        """Set the width that the reader wants for a column."""
        self.chosen[place] = max(_NARROWEST_CHOSEN, min(_WIDEST_CHOSEN, width))

    def step(self, delta: float) -> bool:
        """Make the next column in the direction of ``delta`` the current one, and return whether there is one."""
        step = 1 if (delta > 0) is not self.is_right_to_left else -1
        before, self.current = self.current, max(0, min(len(self.widths) - 1, self.current + step))
        self.reveal(self.current)
        return self.current != before

    def widen(self, delta: float) -> bool:
        """Make the current column ``delta`` px wider, and return whether heights may have changed."""
        if self.current >= len(self.widths):
            return False
        self.choose(self.current, self.widths[self.current] + delta)
        return True

    def reveal(self, place: int) -> bool:
        """Scroll sideways until a column can be seen, and return whether anything moved."""
        left, wide = self.lefts[place], self.widths[place]
        is_aside = left < 0 or left + wide > self.view_width
        return self.scroll.move(left + (wide - self.view_width) / 2) if is_aside else False

    def measure(self, style: TranscriptStyle, width: float) -> bool:
        """Compute the widths, and return whether they changed; unchanged rows are not measured again."""
        rows = (self.block.header, *self.block.rows[:_MEASURED_ROWS])
        done = self._measured
        if done is not None and done[0] is style and done[1:] == (width, rows, self.chosen):
            return False
        if done is None or done[0] is not style:
            self._rows = []
        self._measured = (style, width, rows, dict(self.chosen))
        self.view_width = width
        count = min(len(self.block.header), MAX_COLUMNS)
        for place, row in enumerate(rows):
            if place >= len(self._rows) or self._rows[place].row != row:
                measured = _measure_row(row[:count], style, is_header=place == 0)
                self._rows[place : place + 1] = [_MeasuredRow(row, *measured)]
        del self._rows[len(rows) :]
        fitted = self._fit(width - GUTTER_PX * count, count, comfortable=style.px(_COMFORTABLE))
        changed = fitted != self.widths
        self.widths = fitted
        self.scroll.is_mirrored = self.is_right_to_left
        self.scroll.set_widths(self.total, width)
        if self._wanted_x:
            self.scroll.x, self._wanted_x = min(self._wanted_x, self.scroll.most), 0.0
        return changed

    def _fit(self, room: float, count: int, *, comfortable: float) -> list[float]:
        wanted = [max(each.wanted[place] for each in self._rows if place < len(each.wanted)) for place in range(count)]
        longest = [
            max(each.longest[place] for each in self._rows if place < len(each.longest)) for place in range(count)
        ]
        least = [min(max(each, _NARROWEST), _WIDEST_LEAST) for each in longest]
        if sum(least) > room:  # the table is scrolled in any case, so its words need not be squeezed
            fitted = [min(want, max(comfortable, low)) for want, low in zip(wanted, least, strict=True)]
        else:
            fitted = _fit(wanted, least, room)
        return [self.chosen.get(place, width) for place, width in enumerate(fitted)]


class ColumnEdge:
    """The edge of a column that is being dragged with the mouse."""

    shape = Qt.CursorShape.SplitHCursor

    def __init__(self, columns: TableColumns, place: int, x: float) -> None:
        self._columns = columns
        self._place = place
        self._x = x
        self._width = columns.widths[place]

    def move(self, point: QPointF) -> bool:
        moved = point.x() - self._x
        self._columns.choose(self._place, self._width + (-moved if self._columns.is_right_to_left else moved))
        return True


def _measure_row(row: Row, style: TranscriptStyle, *, is_header: bool) -> tuple[list[float], list[float]]:
    """Return the wanted width of each cell, and the width of the longest word in it."""
    letters, code = style.metrics("strong" if is_header else "table"), style.metrics("code")
    em = FORMULA_SIZE * style.em("table")
    return [_width_of(cell, letters, code, em=em) for cell in row], [_longest_word(cell, letters) for cell in row]


def _width_of(cell: tuple[Span, ...], metrics: QFontMetricsF, code: QFontMetricsF, *, em: float) -> float:
    wide, left = 0.0, _MEASURED_CHARACTERS
    for span in cell:
        if span.drawing is not None:
            wide += width_px(span.drawing, em) + 3
        elif left > 0:
            text = text_of((span,))[:left]
            wide += (code if span.is_code or span.is_key else metrics).horizontalAdvance(text)
            left -= len(text)
    return wide + 2


def _longest_word(cell: tuple[Span, ...], metrics: QFontMetricsF) -> float:
    words = text_of(cell)[:_MEASURED_CHARACTERS].split()
    return float(metrics.horizontalAdvance(max(words, key=len))) + 2 if words else 0.0


def _fit(wanted: list[float], least: list[float], room: float) -> list[float]:
    """Return widths that fit into ``room``: narrow columns get their wanted width, the others share the rest. No column
    falls below its ``least`` width."""
    if sum(wanted) <= room:
        return wanted
    widths = [0.0] * len(wanted)
    left = room
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    for done, place in enumerate(order):
        share = left / (len(order) - done)
        widths[place] = min(wanted[place], max(least[place], share))
        left -= widths[place]
    return widths
