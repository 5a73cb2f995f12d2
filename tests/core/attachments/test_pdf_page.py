"""A page of a PDF is drawn, and a passage is lit on it where its letters stand: turned, cropped and in columns."""

from __future__ import annotations

import io
import re
from itertools import product

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from chatdesk.core.attachments.pdf_page import draw_page
from chatdesk.core.attachments.text_extraction import extract_from
from chatdesk.core.domain.pdf_page import MOST_PIXELS, MOST_SIDE, PdfPage, WantedPassage
from tests.helpers import documents

_WIDTH_PX = 600
_PAGES = (
    "Herons nest in colonies.\nThey fish at dawn.\nThe last line of herons",
    "goes on here with owls.\nOwls hunt by night.\nTerms apply.",
    "Terms apply.\nBitterns hide in reeds.\nTerms apply.",
)


def _document(*, turned: int = 0, cropped: bool = False) -> bytes:
    writer = PdfWriter()
    for page in PdfReader(io.BytesIO(documents.pdf(*_PAGES))).pages:
        page.rotate(turned)
        if cropped:
            page.cropbox = RectangleObject((10, 700, 400, 799))
        writer.add_page(page)
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


def _wanted(data: bytes, words: str, page: int) -> WantedPassage:
    text = extract_from(io.BytesIO(data), "application/pdf").text
    found = re.search(r"\s+".join(map(re.escape, words.split())), text)
    assert found is not None
    return WantedPassage(text, *found.span(), page)


def _drawn(data: bytes, number: int, wanted: WantedPassage, width_px: int = _WIDTH_PX) -> PdfPage:
    return draw_page(io.BytesIO(data), number, width_px, wanted)


def _ink(page: PdfPage, area: tuple[int, int, int, int]) -> int:
    """Return how many pixels of a rectangle are dark."""
    picture = Image.frombytes("RGB", (page.width, page.height), page.pixels, "raw", "BGRX").convert("L")
    left, top, width, height = area
    return sum(picture.crop((left, top, left + width, top + height)).histogram()[:160])


def _lit_text(page: PdfPage) -> str:
    return page.text[slice(*page.lit_text)]


@pytest.mark.parametrize(("turned", "cropped"), list(product((0, 90, 180, 270), (False, True))))
def test_the_lit_part_has_the_ink_of_its_words_alone(turned: int, cropped: bool) -> None:
    data = _document(turned=turned, cropped=cropped)
    text = extract_from(io.BytesIO(data), "application/pdf").text
    everything = _drawn(data, 1, WantedPassage(text, 0, text.index("\n\n"), 1))  # PDFium turns the order of lines, too
    page = _drawn(data, 1, _wanted(data, "They fish at dawn.", 1))
    whole = _ink(page, (0, 0, page.width, page.height))
    assert len(everything.lit) == 3 and sum(_ink(everything, each) for each in everything.lit) > 0.9 * whole
    (area,) = page.lit
    assert 0.15 * whole < _ink(page, area) < 0.6 * whole
    assert _lit_text(page) == "They fish at dawn." and page.total == 3
    x, y, width, height = area
    assert x + width <= page.width and y + height <= page.height
    assert (width > height) == (turned in (0, 180))


def test_what_is_cropped_away_is_neither_read_nor_lit() -> None:
    writer = PdfWriter()
    page = PdfReader(io.BytesIO(documents.pdf("Above.\nHerons.\nBelow."))).pages[0]
    page.cropbox = RectangleObject((0, 760, 600, 800))
    writer.add_page(page)
    data = io.BytesIO()
    writer.write(data)
    drawn = _drawn(data.getvalue(), 1, _wanted(data.getvalue(), "Herons.", 1))
    assert "Below" not in drawn.text and len(drawn.lit) == 1 and _lit_text(drawn) == "Herons."


def test_a_passage_over_two_pages_is_lit_on_both_and_no_other() -> None:
    data = _document()
    wanted = _wanted(data, "The last line of herons\n\ngoes on here with owls.", 1)
    lit = [_lit_text(_drawn(data, number, wanted)) for number in (1, 2, 3)]
    assert lit == ["The last line of herons", "goes on here with owls.", ""]
    assert [len(_drawn(data, number, wanted).lit) for number in (1, 2, 3)] == [1, 1, 0]


def test_words_that_stand_several_times_are_lit_where_the_passage_is() -> None:
    data = _document()
    text = extract_from(io.BytesIO(data), "application/pdf").text
    places = [at for at in range(len(text)) if text.startswith("Terms apply.", at)]
    tops = []
    for at, number in zip(places, (2, 3, 3), strict=True):
        wanted = WantedPassage(text, at, at + len("Terms apply."), number)
        lit = [_drawn(data, each, wanted).lit for each in (1, 2, 3)]
        assert [len(each) for each in lit] == [int(each == number) for each in (1, 2, 3)]
        tops.append(lit[number - 1][0][1])
    assert tops[1] < tops[2]


def test_columns_are_lit_line_by_line() -> None:
    page = documents.pdf_of(
        "BT /F1 12 Tf 20 780 Td (Herons nest early) Tj 0 -14 Td (and fish at dawn) Tj ET"
        " BT /F1 12 Tf 320 780 Td (Owls nest late) Tj 0 -14 Td (and hunt at night) Tj ET"
    )
    for words, lines in (("Herons nest early and fish at dawn", 2), ("nest late and hunt", 2), ("Owls", 1)):
        lit = _drawn(page, 1, _wanted(page, words, 1)).lit
        assert len(lit) == lines
        assert all((left + width < _WIDTH_PX / 2) == words.startswith("Herons") for left, _, width, _ in lit)


def test_a_passage_of_another_version_is_not_lit() -> None:
    data = _document()
    page = _drawn(data, 1, WantedPassage("Something that was here before", 0, 20, 1))
    assert page.lit == () and page.lit_text == (0, 0)


@pytest.mark.parametrize("size", [(1, 1), (14_400, 14_400), (1, 14_400), (14_400, 1), (0.01, 0.01)])
@pytest.mark.parametrize("width_px", [1, 900, 10**9])
def test_no_page_is_drawn_larger_than_the_limits(size: tuple[float, float], width_px: int) -> None:
    writer = PdfWriter()
    writer.add_blank_page(*size)
    data = io.BytesIO()
    writer.write(data)
    page = _drawn(data.getvalue(), 1, WantedPassage("", 0, 0, 1), width_px)
    assert 0 < page.width <= MOST_SIDE and 0 < page.height <= MOST_SIDE
    assert page.width * page.height <= MOST_PIXELS + 2 * MOST_SIDE
    assert len(page.pixels) == 4 * page.width * page.height


@pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (2, 2), (99, 3)])
def test_a_page_that_does_not_exist_is_the_nearest_one(asked: int, given: int) -> None:
    assert _drawn(_document(), asked, WantedPassage("", 0, 0, 1)).number == given
