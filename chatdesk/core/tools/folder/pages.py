"""Cuts a text into pages of whole lines that a model can be given one after the other. Pure."""

from __future__ import annotations

import re
from typing import Final

#: A result above 24,000 bytes would be cut for the model.
PAGE_BYTES: Final = 16_000
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def pages_of(text: str) -> list[tuple[int, str]]:
    """Return the pages of a text, each with the number of its first line (from 1). A line that is longer than a page
    is cut into several."""
    pages: list[tuple[int, str]] = []
    lines: list[str] = []
    first, size = 1, 0
    for number, line in enumerate(_LINE.findall(text), 1):
        for piece in _pieces(line):
            length = len(piece.encode("utf-8", "replace"))
            if lines and size + length > PAGE_BYTES:
                pages.append((first, "".join(lines)))
                lines, first, size = [], number, 0
            lines.append(piece)
            size += length
    return [*pages, (first, "".join(lines))]


def _pieces(line: str) -> list[str]:
    if len(line) <= PAGE_BYTES // 4:
        return [line]
    return [line[at : at + PAGE_BYTES // 4] for at in range(0, len(line), PAGE_BYTES // 4)]


def page(text: str, number: object) -> tuple[int, int, int, str]:
    """Return the number of a page that there is, how many there are, its first line, and its text."""
    pages = pages_of(text)
    wanted = number if isinstance(number, int) and not isinstance(number, bool) else 1
    found = max(1, min(wanted, len(pages)))
    return found, len(pages), *pages[found - 1]
