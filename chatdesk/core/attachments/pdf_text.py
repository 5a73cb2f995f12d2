"""Reads the text of the pages of a PDF; the gateway to PDFium for texts. A damaged file may end the process."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import pypdfium2  # type: ignore[import-untyped]
from pypdfium2 import raw

_MOST_PAGES: Final = 20_000
_DEEPEST: Final = 3
# PDFium's mark for a word that is divided at the end of a line.
_DIVIDED: Final = re.compile("[\x02\ufffe]\r?\n?")


@dataclass(slots=True)
class PdfPages:
    """The pages that were read, of ``total``: the texts, how many are damaged, and how many are only pictures."""

    total: int
    texts: list[str] = field(default_factory=list)
    damaged: int = 0
    pictures: int = 0


def read_pages(file: BinaryIO, *, most_characters: int, time_s: float) -> PdfPages | None:
    """Return the pages of a PDF until there are that many characters or the time is over, at least one; None where it
    needs a password. Raises ``PdfiumError`` for a damaged one."""
    end_s = time.monotonic() + time_s
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            return None
        raise
    found = PdfPages(len(document))
    size = 0
    for number in range(min(found.total, _MOST_PAGES)):
        try:
            found.texts.append(_read_page(document, number, found))
        except (pypdfium2.PdfiumError, AssertionError, ValueError, OverflowError):
            found.texts.append("")
            found.damaged += 1
        size += len(found.texts[-1])
        if size > most_characters or time.monotonic() > end_s:
            break
    return found


def _read_page(document: pypdfium2.PdfDocument, number: int, found: PdfPages) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        try:
            text = page_text(words)
        finally:
            words.close()
        if not text and any(True for _ in page.get_objects((raw.FPDF_PAGEOBJ_IMAGE,), max_depth=_DEEPEST)):
            found.pictures += 1
        return text
    finally:
        page.close()


def page_text(words: pypdfium2.PdfTextPage) -> str:
    """Return the text that stands on the visible part of a page."""
    return str(_DIVIDED.sub("", words.get_text_bounded()).replace("\r\n", "\n").strip())
