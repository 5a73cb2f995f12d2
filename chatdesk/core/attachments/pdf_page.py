"""Draws the pages of a PDF, and finds a passage on them; the gateway to PDFium for pictures. A damaged file may end the
process.

A passage is known by its text, and so is its page. Both are compared without blanks: PDFium and this program set them
in different ways, but neither adds or leaves out a letter between two others.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import BinaryIO, Final

import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw

from chatdesk.core.attachments.pdf_text import page_text
from chatdesk.core.domain.pdf_page import MOST_LIT, MOST_PIXELS, MOST_SIDE, MOST_TEXT, PdfPage, WantedPassage

_ANCHOR: Final = 24
_MOST_PLACES: Final = 40


def draw_page(file: BinaryIO, number: int, width_px: int, wanted: WantedPassage) -> PdfPage:
    """Draw a page (from 1; the last one for a larger number) in that width, or smaller where it were too large. Raises
    ``PdfiumError`` for a damaged file, ``ValueError`` for one without pages."""
    document = pypdfium2.PdfDocument(file)
    total = len(document)
    if not total:
        raise ValueError("no pages")
    number = max(1, min(number, total))
    is_its_page = number == wanted.page
    page = document[number - 1]
    bitmap = page.render(
        scale=_fitting(page, width_px),
        may_draw_forms=False,
        force_bitmap_format=raw.FPDFBitmap_BGRx,
        limit_image_cache=True,
    )
    size = bitmap.width, bitmap.height
    pixels = bytes(bitmap.buffer)[: 4 * size[0] * size[1]]
    bitmap.close()
    words = page.get_textpage()
    text = page_text(words)[:MOST_TEXT]
    lit: tuple[tuple[int, int, int, int], ...] = ()
    letters, places = _letters_on(page, words)
    if found := _place_of(wanted, letters, is_its_page=is_its_page):
        lit = tuple(_rectangles(page, words, places[found[0]], places[found[1] - 1] + 1, size))
    lit_text = _place_in_text(wanted, text, is_its_page=is_its_page)
    return PdfPage(number, total, *size, pixels, text, lit, lit_text)


def _fitting(page: pypdfium2.PdfPage, width_px: int) -> float:
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise ValueError("no size")
    most = (MOST_PIXELS / (width * height)) ** 0.5, (MOST_SIDE - 1) / width, (MOST_SIDE - 1) / height
    return float(min(width_px / width, *most))


def _letters_on(page: pypdfium2.PdfPage, words: pypdfium2.PdfTextPage) -> tuple[str, list[int]]:
    """Return the letters that stand on the visible part of a page, and the number of each."""
    left, bottom, right, top = page.get_bbox()
    letters: list[str] = []
    places: list[int] = []
    sides = [ctypes.c_double() for _ in range(4)]
    for at in range(min(words.count_chars(), MOST_TEXT)):
        letter = _letter(raw.FPDFText_GetUnicode(words, at))
        if letter and raw.FPDFText_GetCharBox(words, at, *map(ctypes.byref, sides)):
            its_left, its_right, its_bottom, its_top = (each.value for each in sides)
            if its_left <= right and its_right >= left and its_bottom <= top and its_top >= bottom:
                letters.append(letter)
                places.append(at)
    return "".join(letters), places


def _letter(code: int) -> str:
    """Return a letter that is compared; empty for blanks, marks of a divided word and what is rarely kept alike."""
    is_plain = 0x20 < code < 0xD800 or 0xE000 <= code < 0xFFFD
    letter = chr(code) if is_plain else ""
    return "" if letter.isspace() else letter


def _compared(text: str) -> str:
    return "".join(_letter(ord(each)) for each in text)


def _place_of(wanted: WantedPassage, letters: str, *, is_its_page: bool) -> tuple[int, int] | None:
    """Return where the letters of a passage stand among those of a page, None where they do not. What is around the
    passage decides between several places: both texts must agree from end to end of what they have in common, on its
    own page at least as far as the passage goes."""
    text = _compared(wanted.text)
    start = len(_compared(wanted.text[: wanted.start]))
    end = start + len(_compared(wanted.text[wanted.start : wanted.end]))
    best: tuple[int, int, int] | None = None
    for in_text, in_page in _common(text, letters, start, end):
        before = _alike(text[:in_text][::-1], letters[:in_page][::-1])
        after = _alike(text[in_text:], letters[in_page:])
        is_whole = before in (in_text, in_page) and after in (len(text) - in_text, len(letters) - in_page)
        has_passage = in_text - before <= start and in_text + after >= end
        moved = in_page - in_text
        first, last = max(0, start + moved), min(len(letters), end + moved)
        if (is_whole or (is_its_page and has_passage)) and first < last:
            best = max(best or (0, 0, 0), (before + after, first, last))
    return (best[1], best[2]) if best else None


def _common(text: str, letters: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    """Yield places that may be the same in a text and on a page."""
    for at in dict.fromkeys((start, (start + end) // 2, max(start, end - _ANCHOR))):
        for found in _places(letters, text[at : min(at + _ANCHOR, end)]):
            yield at, found
    for at in dict.fromkeys((0, len(letters) // 2, max(0, len(letters) - _ANCHOR))):
        for found in _places(text, letters[at : at + _ANCHOR]):
            yield found, at


def _places(text: str, piece: str) -> Iterable[int]:
    at = text.find(piece) if piece else -1
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        yield at
        at = text.find(piece, at + 1)


def _alike(one: str, other: str) -> int:
    """Return how many letters two texts begin with in common."""
    if one.startswith(other) or other.startswith(one):
        return min(len(one), len(other))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _place_in_text(wanted: WantedPassage, text: str, *, is_its_page: bool) -> tuple[int, int]:
    places = [at for at, each in enumerate(text) if _letter(ord(each))]
    found = _place_of(wanted, _compared(text), is_its_page=is_its_page)
    return (places[found[0]], places[found[1] - 1] + 1) if found else (0, 0)


def _rectangles(
    page: pypdfium2.PdfPage, words: pypdfium2.PdfTextPage, first: int, last: int, size: tuple[int, int]
) -> Iterable[tuple[int, int, int, int]]:
    """Yield the rectangles of letters in pixels, as the page is drawn: cropped and turned."""
    for at in range(min(words.count_rects(first, last - first), MOST_LIT)):
        left, bottom, right, top = words.get_rect(at)
        ends = [_on_picture(page, size, *corner) for corner in ((left, bottom), (right, top))]
        (x, x_end), (y, y_end) = (_within(side, most) for side, most in zip(zip(*ends, strict=True), size, strict=True))
        if x < x_end and y < y_end:
            yield x, y, x_end - x, y_end - y


def _within(ends: Sequence[int], most: int) -> tuple[int, int]:
    return max(0, min(ends)), min(most, max(ends))


def _on_picture(page: pypdfium2.PdfPage, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    found = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, *map(ctypes.byref, found))
    return found[0].value, found[1].value
