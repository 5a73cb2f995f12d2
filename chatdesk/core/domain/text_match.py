"""Finds words in a message, in the same way in its Markdown source and in the text that is shown.

Case does not count, in any script; nor do runs of white space, nor the marks with which Markdown styles words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = dict.fromkeys(map(ord, "*`~|\u200b\u200c\u200d\u2060\ufeff"))
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
    """Return the text to search for when ``text`` is typed; empty when nothing of it counts."""
    return _reduced(text).strip()


def count_in_source(source: str, needle: str) -> int:
    """Return how many times ``needle`` occurs in the Markdown ``source`` as it is shown."""
    return _reduced(_LINK.sub(r"\1", source)).count(needle) if needle else 0


def find_in_shown(text: str, needle: str) -> list[tuple[int, int]]:
    """Return the start and end of every place in ``text``, as it is shown, where ``needle`` occurs."""
    if not needle or needle not in _reduced(text):
        return []
    letters: list[str] = []
    offsets: list[int] = []
    for offset, letter in enumerate(_lower(text)):
        is_repeated = letter.isspace() and letters and letters[-1] == " "
        if ord(letter) not in _MARKS and not is_repeated:
            letters.append(" " if letter.isspace() else letter)
            offsets.append(offset)
    reduced = "".join(letters)
    found = []
    place = reduced.find(needle)
    while place >= 0:
        found.append((offsets[place], offsets[place + len(needle) - 1] + 1))
        place = reduced.find(needle, place + len(needle))
    return found


def _reduced(text: str) -> str:
    return _SPACE.sub(" ", _lower(text).translate(_MARKS))


def _lower(text: str) -> str:
    """Return ``text`` in lower case, letter by letter, so that offsets stay valid."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
