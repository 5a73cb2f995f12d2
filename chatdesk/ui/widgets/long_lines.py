"""Breaks very long lines for the editor and joins them again. Pure text.

Qt shapes a whole line again at each key: a pasted line of 1 MB without a space takes 20 s. So the editor holds such a
line as several, each but the last ending in a mark. The mark is U+FFF0, which Unicode has never assigned and which
draws nothing.
"""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_LINE_CHARACTERS: Final = 2000
MARK: Final = "\ufff0"
_BREAK: Final = MARK + "\n"
_JOINER = "\u200d"
_LOOK_BACK = 80


def break_long_lines(text: str) -> str:
    """Return ``text`` as the editor holds it. Line ends become ``\\n``; NUL, which no editor can hold, becomes
    U+FFFD."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2029", "\n").replace("\0", "\ufffd")
    text = text.replace(MARK, "\ufffd")
    if len(text) <= MAX_LINE_CHARACTERS:
        return text
    lines = text.split("\n")
    if max(map(len, lines)) <= MAX_LINE_CHARACTERS:
        return text
    return "\n".join(_BREAK.join(_pieces(line)) for line in lines)


def join_long_lines(held: str) -> str:
    """Return the text that a person wrote, from the one that the editor holds."""
    return held.replace(_BREAK, "").replace(MARK, "")


def _pieces(line: str) -> list[str]:
    pieces = []
    start = 0
    while len(line) - start > MAX_LINE_CHARACTERS:
        end = _break_before(line, start, start + MAX_LINE_CHARACTERS)
        pieces.append(line[start:end])
        start = end
    pieces.append(line[start:])
    return pieces


def _break_before(line: str, start: int, end: int) -> int:
    """Return a place near ``end`` to break at: after a space if there is one, never inside a character made of
    several."""
    space = line.rfind(" ", end - _LOOK_BACK, end)
    if space != -1:
        return space + 1
    place = end
    while place > end - _LOOK_BACK and _continues(line, place):
        place -= 1
    return place if place > start else end


def _continues(line: str, place: int) -> bool:
    return unicodedata.combining(line[place]) != 0 or _JOINER in (line[place], line[place - 1])
