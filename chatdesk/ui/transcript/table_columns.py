"""Widths of the columns of a table: as wide as their words, and scrolled sideways where those do not fit."""

from __future__ import annotations

from PySide6.QtGui import QFontMetricsF

from chatdesk.core.rendering.blocks import Span, Table
from chatdesk.ui.transcript.looks import Looks
from chatdesk.ui.transcript.math_paths import FORMULA_SIZE, width_px
from chatdesk.ui.transcript.spans import flow_of

_MEASURED_ROWS = 60
_MEASURED_CHARACTERS = 80
GUTTER_PX = 16
_NARROWEST = 48
_WIDEST_LEAST = 160  # a column is not made narrower than its longest word, unless that is longer than this
MAX_COLUMNS = 64  # a hostile row of a thousand cells is cut; its text stays in what Copy gives


class TableColumns:
    """Widths of the columns of one table, and how far it is scrolled sideways."""

    def __init__(self, block: Table) -> None:
        self.block = block
        self.widths: list[float] = []
        self.x = 0.0
        self.view_width = 0.0
        self._measured: tuple[Looks, float, int] | None = None

    @property
    def total(self) -> float:
        return sum(self.widths) + GUTTER_PX * len(self.widths)

    @property
    def max_x(self) -> float:
        return max(0.0, self.total - self.view_width)

    def measure(self, looks: Looks, width: float) -> bool:
        """Whether the widths changed."""
        rows = self.block.rows[:_MEASURED_ROWS]
        key = (looks, width, len(rows))
        done = self._measured
        if done is not None and done[0] is looks and done[1:] == key[1:]:
            return False
        self._measured = key
        self.view_width = width
        plain, strong = looks.metrics("table"), looks.metrics("strong")
        em = FORMULA_SIZE * looks.em("table")
        count = min(len(self.block.header), MAX_COLUMNS)
        code = looks.metrics("code")
        wanted = [_width_of(cell, strong, code, em=em) for cell in self.block.header[:count]]
        longest = [_longest_word(cell, strong) for cell in self.block.header[:count]]
        for row in rows:
            for place, cell in enumerate(row[:count]):
                wanted[place] = max(wanted[place], _width_of(cell, plain, code, em=em))
                longest[place] = max(longest[place], _longest_word(cell, plain))
        least = [min(max(each, _NARROWEST), _WIDEST_LEAST) for each in longest]
        fitted = _fit(wanted, least, width - GUTTER_PX * count)
        changed = fitted != self.widths
        self.widths = fitted
        return changed


def text_of(cell: tuple[Span, ...]) -> str:
    return flow_of(cell).text


def _width_of(cell: tuple[Span, ...], metrics: QFontMetricsF, code: QFontMetricsF, *, em: float) -> float:
    wide, left = 0.0, _MEASURED_CHARACTERS
    for span in cell:
        if span.drawing is not None:
            wide += width_px(span.drawing, em) + 3
        elif left > 0:
            text = text_of((span,))[:left]
            wide += (code if span.is_code else metrics).horizontalAdvance(text)
            left -= len(text)
    return wide + 2


def _longest_word(cell: tuple[Span, ...], metrics: QFontMetricsF) -> float:
    words = text_of(cell)[:_MEASURED_CHARACTERS].split()
    return float(metrics.horizontalAdvance(max(words, key=len))) + 2 if words else 0.0


def _fit(wanted: list[float], least: list[float], room: float) -> list[float]:
    """Columns that want little get it; the others share what is left, but none falls below ``least``."""
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
