"""Describes a drawn page of a PDF, and the passage that is lit on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_PIXELS: Final = 4_000_000
MOST_SIDE: Final = 6_000
MOST_TEXT: Final = 200_000
MOST_LIT: Final = 400


@dataclass(frozen=True, slots=True)
class WantedPassage:
    """A passage to be lit: the text around it, and where it stands in that text. ``page`` is the one it is on."""

    text: str
    start: int
    end: int
    page: int


@dataclass(frozen=True, slots=True)
class PdfPage:
    """Page ``number`` of ``total``, drawn with four bytes for each pixel (blue, green, red, none). ``lit`` has the
    rectangles of the passage in pixels (left, top, width, height), ``lit_text`` its place in ``text``; both are empty
    where it is not on this page."""

    number: int
    total: int
    width: int
    height: int
    pixels: bytes
    text: str
    lit: tuple[tuple[int, int, int, int], ...] = ()
    lit_text: tuple[int, int] = (0, 0)
