"""Reads a CSV or TSV file as rows, each when it is asked for: a large table costs no more than its text."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

MOST_ROWS: Final = 500_000
MOST_COLUMNS: Final = 200
_LONGEST_CELL: Final = 1_000
_LONGEST_ROW: Final = 200_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 100
_REMEMBERED_ROWS: Final = 500


class TableRows:
    """The rows of a table below its first one, which is the ``header``. All have as many cells as there are columns.
    Made in a thread: it looks at the whole text, and reads the first rows, which are shown first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = array("Q", islice(_record_starts(text), MOST_ROWS + 2))
        self.is_cut = len(self._starts) > MOST_ROWS + 1
        if self.is_cut:
            self._starts.pop()
        self._delimiter = self._find_delimiter()
        sample = [self._cells(place) for place in range(min(len(self._starts), _SAMPLE_ROWS))]
        self._width = min(MOST_COLUMNS, max(map(len, sample), default=0))
        self.header = self._filled(sample[0]) if sample else ()
        self.row = lru_cache(_REMEMBERED_ROWS)(self._row)
        for index in range(min(len(self), _SAMPLE_ROWS)):
            self.row(index)

    def __len__(self) -> int:
        return max(0, len(self._starts) - 1)

    @property
    def column_count(self) -> int:
        return self._width

    def _row(self, index: int) -> tuple[str, ...]:
        """Return the cells of a row, counted from 0 below the header."""
        return self._filled(self._cells(index + 1))

    def _filled(self, cells: list[str]) -> tuple[str, ...]:
        shown = [cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}…" for cell in cells[: self._width]]
        return (*shown, *[""] * (self._width - len(shown)))

    def _record(self, place: int) -> str:
        start = self._starts[place]
        end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._text)
        return self._text[start : min(end, start + _LONGEST_ROW)].rstrip("\r\n")

    def _cells(self, place: int) -> list[str]:
        record = self._record(place)
        try:
            return next(csv.reader([record.replace("\r\n", "\n")], delimiter=self._delimiter), [])
        except csv.Error:  # a cell above its limit
            return [record]

    def _find_delimiter(self) -> str:
        """Return the delimiter that the first rows have most often."""
        first = "\n".join(self._record(place)[:_LONGEST_CELL] for place in range(min(len(self._starts), 20)))
        return max(_DELIMITERS, key=first.count)


def _record_starts(text: str) -> Iterator[int]:
    """Yield where each row begins: line ends inside quotes belong to a cell. Empty lines are left out."""
    place, is_quoted, begin = 0, False, 0
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        line_quotes = text.count('"', place, end)
        is_quoted ^= bool(line_quotes % 2)
        if not is_quoted or end - begin > _LONGEST_ROW:  # an unclosed quote
            is_quoted = False
            if end > begin and text[begin:end] != "\r":
                yield begin
            begin = end + 1
        place = end + 1
    if is_quoted and begin < len(text):
        yield begin
