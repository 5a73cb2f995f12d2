"""Bounds the memory that a foreign JSON text may take: sixty megabytes can hold twenty million empty objects."""

from __future__ import annotations

import re
from typing import Final

# Objects and lists for a body, of which a page holds hundreds, and for a whole file of parts.
MOST_IN_BODY: Final = 20_000
MOST_IN_FILE: Final = 300_000
# Values and words for each of them.
_VALUES: Final = 10
_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def is_bounded(text: str, most: int) -> bool:
    """Return whether ``text`` makes at most ``most`` objects and lists and ten times as many values. The contents of
    strings are not counted, so that a message about JSON is like any other."""
    if len(text) <= most:
        return True
    if text.count("{") + text.count("[") <= most and text.count(",") <= _VALUES * most:
        return True
    left, values, at = most, _VALUES * most, 0
    for word in _WORD.finditer(text):
        left -= text.count("{", at, word.start()) + text.count("[", at, word.start())
        values -= 1 + text.count(",", at, word.start())
        if left < 0 or values < 0:
            return False
        at = word.end()
    return left >= text.count("{", at) + text.count("[", at) and values >= text.count(",", at)
