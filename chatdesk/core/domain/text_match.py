"""Finds words in a message, in the same way in its Markdown source and in the text that is shown.

Case does not count, in any script; nor do runs of white space, nor the marks with which Markdown styles words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Marks of Markdown, and invisible characters.
_SIGNS = "*`~|\xad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufe0e\ufe0f\ufeff"
_MARKS = dict.fromkeys(map(ord, _SIGNS))
_SPACE = re.compile(r"\s+")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,2000})\]\([^()\n]{0,2000}\)")


@dataclass(frozen=True, slots=True)
class MessageMatch:
    """A message in which a text was found ``count`` times."""

    message_id: str
    position: int
    count: int


@dataclass(frozen=True, slots=True)
class ThreadMatches:
    """The messages that match, in the order of the path. ``is_complete`` is false when the search ended early because
    it took too long."""

    text: str
    matches: tuple[MessageMatch, ...] = ()
    is_complete: bool = True


def needle_of(text: str) -> str:
    """Return the normalised search text for a typed ``text``; empty if it has no searchable character."""
    return _reduced(text).strip()


def count_in_source(source: str, needle: str) -> int:
    """Return how many times ``needle`` occurs in the Markdown ``source`` as it is shown."""
    return _reduced(_LINK.sub(r"\1", source)).count(needle) if needle else 0


def find_in_shown(text: str, needle: str) -> list[tuple[int, int]]:
    """Return the start and end of every place in ``text``, as it is shown, where ``needle`` occurs."""
    return [match.span() for match in _pattern(needle).finditer(_lower(text))] if needle else []


@lru_cache(maxsize=4)
def _pattern(needle: str) -> re.Pattern[str]:
    """Return the pattern that finds ``needle`` in text that is not reduced."""
    signs = "".join(map(re.escape, _SIGNS))
    parts = [rf"\s[\s{signs}]*+" if letter == " " else re.escape(letter) for letter in needle]
    between = rf"[{signs}]*+"
    return re.compile(between.join(parts))


def _reduced(text: str) -> str:
    return _SPACE.sub(" ", _lower(text).translate(_MARKS))


def _lower(text: str) -> str:
    """Return ``text`` in lower case, letter by letter, so that offsets stay valid."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
