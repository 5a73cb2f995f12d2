"""Cuts the middle out of a text that is too long to be sent whole, and leaves a line that says so. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_SHARE_OF_BEGINNING = 0.7
# How far back a cut may move to the end of a line, of what is kept at that side.
_SHARE_TO_LINE = 0.1
_LEAST_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text that may have been cut. ``text`` is what is sent; ``left_out`` counts the removed characters, 0: it is
    whole."""

    text: str
    left_out: int = 0


def excerpt(text: str, *, most_characters: int) -> Excerpt:
    """Cut ``text`` to at most ``most_characters`` (but never fewer than 80), marks included."""
    most = max(most_characters, _LEAST_CHARACTERS)
    if len(text) <= most:
        return Excerpt(text)
    room = most - len(_mark(len(text)))
    beginning = _to_line_end(text[: int(room * _SHARE_OF_BEGINNING)])
    end = _from_line_start(text[len(text) - (room - int(room * _SHARE_OF_BEGINNING)) :])
    left_out = len(text) - len(beginning) - len(end)
    return Excerpt(f"{beginning}{_mark(left_out)}{end}", left_out)


def _mark(left_out: int) -> str:
    return f"\n\n[… {left_out:,} characters are left out here …]\n\n"


def _to_line_end(text: str) -> str:
    place = text.rfind("\n", int(len(text) * (1 - _SHARE_TO_LINE)))
    return text if place < 0 else text[:place]


def _from_line_start(text: str) -> str:
    place = text.find("\n", 0, int(len(text) * _SHARE_TO_LINE) + 1)
    return text if place < 0 else text[place + 1 :]
