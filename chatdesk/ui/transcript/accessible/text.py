"""Gives assistive programs text by character, word, sentence and line, with the place of each character.

Qt itself divides ``text`` into words, sentences and lines; its lines end at line breaks, not where a paragraph is
wrapped (PySide does not let Python override that). Offsets are Qt's: a character outside the basic plane counts two.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAccessibleTextCursorEvent, QAccessibleTextInterface

_PLAIN = str.maketrans({"\u2028": "\n", "\u00a0": " "})


class TextSource(Protocol):
    """A protocol of nodes with text, whose offsets count Python's characters."""

    def plain_text(self) -> str: ...
    def character_rect(self, offset: int) -> QRect: ...
    def offset_at(self, point: QPoint) -> int: ...
    def select(self, start: int, end: int) -> None: ...
    def show(self, offset: int) -> None: ...


class ReadableText(QAccessibleTextInterface):
    """The text interface of a node, with offsets as Qt counts them."""

    def __init__(self, owner: QAccessibleInterface, source: TextSource) -> None:
        super().__init__()
        self._owner = owner
        self._source = source
        self._cursor = 0

    def characterCount(self) -> int:
        return units(self._source.plain_text())

    def text(self, start: int, end: int) -> str:
        return cut(self._source.plain_text(), start, end)

    def cursorPosition(self) -> int:
        return min(self._cursor, self.characterCount())

    def setCursorPosition(self, position: int) -> None:
        self._cursor = max(0, min(position, self.characterCount()))
        self._source.show(self._offset(self._cursor))
        self._announce_cursor()

    def caret_came(self, offset: int) -> None:
        """Announce that the keyboard's caret is at ``offset``, counted in Python's characters."""
        self._cursor = units(self._source.plain_text()[:offset])
        self._announce_cursor()

    def characterRect(self, offset: int) -> QRect:
        return self._source.character_rect(self._offset(offset))

    def offsetAtPoint(self, point: QPoint) -> int:
        offset = self._source.offset_at(point)
        return units(self._source.plain_text()[:offset]) if offset >= 0 else -1

    def scrollToSubstring(self, start: int, end: int) -> None:
        self._source.show(self._offset(start))

    # A selection can be made but not asked for: PySide leaves that question to Qt, whose answer is always empty.

    def selectionCount(self) -> int:
        return 0

    def addSelection(self, start: int, end: int) -> None:
        self.setSelection(0, start, end)

    def setSelection(self, _index: int, start: int, end: int) -> None:
        self._source.select(self._offset(start), self._offset(end))

    def removeSelection(self, _index: int) -> None:
        self._source.select(0, 0)

    def _announce_cursor(self) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleTextCursorEvent(self._owner, self._cursor))

    def _offset(self, position: int) -> int:
        return len(cut(self._source.plain_text(), 0, position))


def plain(text: str) -> str:
    """Return the text of an item as it is read: with line breaks, and without the padding of inline code."""
    return text.translate(_PLAIN)


def units(text: str) -> int:
    """Return the length of a text as Qt counts it."""
    return len(text) if _is_basic(text) else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, start: int, end: int) -> str:
    """Return ``text[start:end]`` with offsets as Qt counts them; an ``end`` of -1 is the end of the text."""
    if end < 0:
        end = units(text)
    start = max(0, start)
    if _is_basic(text):
        return text[start:end]
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "replace")


def _is_basic(text: str) -> bool:
    return text.isascii() or len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)
