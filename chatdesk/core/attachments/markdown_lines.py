"""Writes headings and rows of tables as Markdown, for texts that are extracted from files. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LEVELS = 6


def heading(level: int, words: str) -> str:
    """Return a heading with an empty line before and after it; nothing where there are no words."""
    line = " ".join(words.split())
    return f"\n{'#' * min(level, _MOST_LEVELS)} {line}\n" if line else ""


class TableRows:
    """Writes one table, row by row: the first row with more than one cell is the header."""

    def __init__(self) -> None:
        self._has_header = False

    def lines(self, cells: Sequence[str]) -> list[str]:
        """Return the lines of the next row: none for an empty one, and plain text for single cells above the header."""
        words = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
        while words and not words[-1]:
            words.pop()
        if not words:
            return []
        if self._has_header:
            return [_row(words)]
        if len(words) == 1:
            return [cells[0].strip()]
        self._has_header = True
        return ["", _row(words), _row(["---"] * len(words))]


def _row(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"
