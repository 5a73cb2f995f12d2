"""Finds where the pages of a document may end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from PySide6.QtGui import QAbstractTextDocumentLayout, QTextBlock, QTextCursor, QTextDocument

_MOST_LINES: Final = 200  # lines per paragraph: for each page, Qt walks through all lines of its paragraphs


def divide_long_paragraphs(document: QTextDocument) -> None:
    """Divide very long paragraphs at the ends of lines, which leaves no visible trace."""
    starts: list[int] = []
    block = document.begin()
    while block.isValid():
        lines = block.layout()
        starts += [
            block.position() + lines.lineAt(number).textStart()
            for number in range(_MOST_LINES, lines.lineCount(), _MOST_LINES)
        ]
        block = block.next()
    cursor = QTextCursor(document)
    cursor.beginEditBlock()  # one layout for all changes
    for start in reversed(starts):
        cursor.setPosition(start)
        upper, lower = cursor.blockFormat(), cursor.blockFormat()
        upper.setBottomMargin(0)
        lower.setTopMargin(0)
        lower.setTextIndent(0)
        lower.setLayoutDirection(cursor.block().textDirection())
        cursor.setBlockFormat(upper)
        cursor.insertBlock(lower)
        if (items := cursor.currentList()) is not None:
            items.remove(cursor.block())
    cursor.endEditBlock()


def breaks_of(document: QTextDocument) -> list[float]:
    """Return where a slice may end: below each line that no other line of the same height crosses, in rising order."""
    spans: list[tuple[float, float]] = []
    layout = document.documentLayout()
    block = document.begin()
    while block.isValid():
        spans.extend(_lines(layout, block))
        block = block.next()
    spans.sort()
    breaks: list[float] = []
    bottom = 0.0
    for top, end in spans:
        if top >= bottom - 0.5 and bottom:
            breaks.append(min(top, bottom) if top < bottom else bottom)
        bottom = max(bottom, end)
    return breaks


def _lines(layout: QAbstractTextDocumentLayout, block: QTextBlock) -> Iterator[tuple[float, float]]:
    top = layout.blockBoundingRect(block).top()
    lines = block.layout()
    for number in range(lines.lineCount()):
        rect = lines.lineAt(number).rect()
        yield top + rect.top(), top + rect.bottom()


def end_of_slice(breaks: Sequence[float], start: float, room: float, height: float) -> float | None:
    """Return the lowest place to end a slice that begins at ``start`` and has ``room``, or None when nothing fits."""
    if height - start <= room:
        return height
    place = bisect_right(breaks, start + room) - 1
    return breaks[place] if place >= 0 and breaks[place] > start + 0.5 else None
