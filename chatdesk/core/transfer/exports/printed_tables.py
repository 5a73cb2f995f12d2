"""Fits tables onto pages: letters get smaller to a limit, then the columns go on in tables below, each of which begins
with the first column again. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Span, Table

SIZES_PX: Final = (13, 11, 9)
_PAGE_PX: Final = 640  # A4 between its margins, and a little less
_LETTER_EM: Final = 0.57
_CODE_LETTER_PX: Final = 6.7  # code has a size of its own
_BESIDE_PX: Final = 11  # padding of a cell
_LONGEST_WORD: Final = 30  # longer ones are broken


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """The columns of each table that is printed for one, and the size of the letters."""

    groups: tuple[tuple[int, ...], ...]
    size_px: int


def fit_table(table: Table) -> PrintedTable:
    columns = range(len(table.header))
    widths: list[float] = []
    for size in SIZES_PX:
        widths = [_width(table, column, size) for column in columns]
        if sum(widths) <= _PAGE_PX:
            return PrintedTable((tuple(columns),), size)
    return PrintedTable(tuple(_groups(widths)), SIZES_PX[-1])


def _groups(widths: Sequence[float]) -> list[tuple[int, ...]]:
    """Return the columns that fit beside each other; the first one is in each, unless it takes too much."""
    first = (0,) if widths[0] <= _PAGE_PX / 3 else ()
    groups: list[tuple[int, ...]] = []
    group: tuple[int, ...] = ()
    for column in range(len(widths)):
        if group and sum(widths[each] for each in (*group, column)) > _PAGE_PX and group != first:
            groups.append(group)
            group = first
        group = (*group, column)
    return [*groups, group]


def _width(table: Table, column: int, size: int) -> float:
    """Return the least width of a column whose words are whole."""
    cells = [row[column] for row in chain((table.header,), table.rows) if column < len(row)]
    return _BESIDE_PX + max((_widest_word(cell, size) for cell in cells), default=0.0)


def _widest_word(cell: Sequence[Span], size: int) -> float:
    widest = word = 0.0
    for span in cell:
        if span.drawing is not None:
            word += span.drawing.width / DRAWING_UNITS * SIZES_PX[0]
            continue
        letter = _CODE_LETTER_PX if span.is_code or span.is_math else _LETTER_EM * size
        for place, part in enumerate(re.split(r"\s", span.text)):
            word = (word if place == 0 else 0.0) + min(len(part), _LONGEST_WORD) * letter
            widest = max(widest, word)
    return max(widest, word)
