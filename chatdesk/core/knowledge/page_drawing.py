"""Asks the process that draws the pages of PDFs, and checks what it answers.

Everything here waits; call it on a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chatdesk.core.domain.pdf_page import MOST_LIT, MOST_PIXELS, MOST_SIDE, MOST_TEXT, PdfPage, WantedPassage
from chatdesk.core.errors import InvalidInput
from chatdesk.core.knowledge.limited_process import DIED, LOOKED_EVERY_S, LimitedProcess
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire
from chatdesk.core.texts import Text

LONGEST_S: Final = 20.0
MOST_BYTES: Final = 300 * 1024 * 1024
_MOST_PAGES: Final = 10_000_000
_DAMAGED: Final = Text("It is damaged and cannot be drawn.")


class PageNotDrawn(InvalidInput):
    """A page of a PDF cannot be drawn."""

    code = "page_not_drawn"
    what = Text("This page cannot be drawn.")
    safe = Text("Nothing was changed.")
    next_step = Text("Read its text instead, or open the file in another program.")


class PageDrawer(LimitedProcess):
    """Draws one page at a time; the limits are for one page."""

    def __init__(
        self,
        *,
        longest_s: float = LONGEST_S,
        most_bytes: int = MOST_BYTES,
        looked_every_s: float = LOOKED_EVERY_S,
    ) -> None:
        super().__init__(
            child_process.command_of("--page-drawer"),
            longest_s=longest_s,
            most_bytes=most_bytes,
            looked_every_s=looked_every_s,
        )

    def draw(self, folder: Path, path: str, number: int, width_px: int, wanted: WantedPassage) -> PdfPage:
        """Return a page (from 1) of a PDF below a folder, in that width or smaller. Raises ``PageNotDrawn``."""
        passage = wanted.text, wanted.start, wanted.end, wanted.page
        answer = self.ask((str(folder), path, number, width_px, *passage))
        if answer is None:
            raise PageNotDrawn(DIED)
        return page_of(answer)


def page_of(answer: Wire) -> PdfPage:
    """Return the answer of the process as a value. The process reads hostile files, so nothing of it is believed.
    Raises ``PageNotDrawn``."""
    try:
        if len(answer) == 1 and isinstance(answer[0], str):
            raise PageNotDrawn(answer[0])
        problem, number, total, width, height, pixels, text, lit, lit_text = answer
        found = PdfPage(
            _number(number, total),
            _number(total, _MOST_PAGES),
            _number(width, MOST_SIDE),
            _number(height, MOST_SIDE),
            pixels,
            text,
            tuple(_rectangle(each, width, height) for each in lit[:MOST_LIT]),
            (_number(lit_text[0], len(text), 0), _number(lit_text[1], len(text), 0)),
        )
        is_sized = isinstance(pixels, bytes) and len(pixels) == 4 * width * height <= 4 * (MOST_PIXELS + 2 * MOST_SIDE)
        if problem or not is_sized or not isinstance(text, str) or len(text) > MOST_TEXT:
            raise ValueError("another size")
        text.encode("utf-8")
    except (ValueError, TypeError, IndexError) as error:
        raise PageNotDrawn(_DAMAGED) from error
    return found


def _number(value: object, most: int, least: int = 1) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError("not a number of that size")
    return value


def _rectangle(row: tuple[object, ...], width: int, height: int) -> tuple[int, int, int, int]:
    left, top, its_width, its_height = row
    x, y = _number(left, width, 0), _number(top, height, 0)
    return x, y, _number(its_width, width - x), _number(its_height, height - y)
