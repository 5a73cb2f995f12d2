"""The process that draws pages: bounded, killable, and not believed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.pdf_page import MOST_LIT, MOST_SIDE, MOST_TEXT, PdfPage, WantedPassage
from chatdesk.core.knowledge.page_drawing import PageDrawer, PageNotDrawn, page_of
from tests.helpers import documents
from tests.helpers.examples import IS_LONG
from tests.helpers.hostile_documents import SAMPLES, mutated

MUTATED = 10_000 if IS_LONG else 60
_WANTED = WantedPassage("Herons nest in colonies, often with other waders. \nPage 1", 0, 20, 2)


@pytest.fixture
def drawer() -> Iterator[PageDrawer]:
    made = PageDrawer()
    yield made
    made.close()


def _check(page: PdfPage) -> None:
    assert len(page.pixels) == 4 * page.width * page.height and 1 <= page.number <= page.total
    for left, top, width, height in page.lit:
        assert 0 <= left < left + width <= page.width and 0 <= top < top + height <= page.height
    start, end = page.lit_text
    assert 0 <= start <= end <= len(page.text)


def test_a_page_is_drawn_and_the_process_rests_between(drawer: PageDrawer, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(SAMPLES["pdf"])
    page = drawer.draw(tmp_path, "a.pdf", 2, 500, _WANTED)
    _check(page)
    assert (page.number, page.total, page.width) == (2, 4, 500) and page.lit
    first = drawer.pid
    drawer.rest()
    assert drawer.pid is None
    assert drawer.draw(tmp_path, "a.pdf", 2, 500, _WANTED) == page and drawer.pid != first
    drawer.close()
    with pytest.raises(PageNotDrawn):
        drawer.draw(tmp_path, "a.pdf", 2, 500, _WANTED)


@pytest.mark.timeout(0 if IS_LONG else 120)
def test_mutated_pdfs_are_drawn_or_refused(drawer: PageDrawer, tmp_path: Path) -> None:
    chance = random.Random("pages")
    for _ in range(MUTATED):
        (tmp_path / "a.pdf").write_bytes(mutated(SAMPLES["pdf"], chance))
        with suppress(PageNotDrawn):
            _check(drawer.draw(tmp_path, "a.pdf", chance.randint(1, 5), chance.choice((80, 900, 5_000)), _WANTED))
    (tmp_path / "a.pdf").write_bytes(SAMPLES["pdf"])
    assert drawer.draw(tmp_path, "a.pdf", 2, 500, _WANTED).lit


def test_what_takes_too_long_costs_its_page_alone(tmp_path: Path) -> None:
    (tmp_path / "slow.pdf").write_bytes(documents.pdf_of("0 0 600 800 re f " * 400_000))
    (tmp_path / "a.pdf").write_bytes(SAMPLES["pdf"])
    drawer = PageDrawer(longest_s=0.4, looked_every_s=0.05)
    with pytest.raises(PageNotDrawn, match="too much time"):
        drawer.draw(tmp_path, "slow.pdf", 1, 2_000, _WANTED)
    drawer.close()
    drawer = PageDrawer()
    assert drawer.draw(tmp_path, "a.pdf", 1, 500, _WANTED).total == 4
    drawer.close()


@pytest.mark.parametrize("place", ["link.pdf", "up/../../a.pdf", "/etc/passwd", "none.pdf", "folder", "note.txt", ""])
def test_nothing_but_a_pdf_below_the_folder_is_opened(place: str, drawer: PageDrawer, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "a.pdf").write_bytes(SAMPLES["pdf"])
    (root / "note.txt").write_text("words")
    (root / "link.pdf").symlink_to(tmp_path / "a.pdf")
    with pytest.raises(PageNotDrawn):
        drawer.draw(root, place, 1, 500, _WANTED)


_SOUND: dict[str, Any] = {
    "problem": "", "number": 1, "total": 2, "width": 2, "height": 1, "pixels": b"\0" * 8, "text": "ab",
    "lit": ((0, 0, 1, 1),), "lit_text": (0, 2),
}  # fmt: skip
_IMPOSSIBLE: dict[str, list[Any]] = {
    "problem": ["words", 1],
    "number": [0, 3, -1, "1", None, 1.5],
    "total": [0, 10**12, None],
    "width": [0, -2, 3, MOST_SIDE + 1, "2", None],
    "height": [0, 2, MOST_SIDE + 1, None],
    "pixels": [b"", b"\0" * 9, "\0" * 8, None, [0] * 8],
    "text": [None, b"ab", "a\ud800", "a" * (MOST_TEXT + 1)],
    "lit": [None, 1, ((0, 0, 3, 1),), ((0, 0, 0, 1),), ((-1, 0, 1, 1),), ((0, 1, 1, 1),), ((0, 0),), ("abcd",)],
    "lit_text": [None, (), (0,), (0, 3), (-1, 1), ("a", "b")],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in _IMPOSSIBLE for value in _IMPOSSIBLE[name]])
def test_no_impossible_value_comes_through(name: str, value: object) -> None:
    with pytest.raises(PageNotDrawn):
        page_of(tuple({**_SOUND, name: value}.values()))


def test_a_sound_answer_comes_through_with_bounded_light() -> None:
    assert page_of(tuple(_SOUND.values())).lit == ((0, 0, 1, 1),)
    many = {**_SOUND, "lit": ((0, 0, 1, 1),) * (MOST_LIT + 9)}
    assert len(page_of(tuple(many.values())).lit) == MOST_LIT


@pytest.mark.parametrize("answer", [(), (1,), ("It is damaged.",), tuple(range(12))])
def test_another_answer_is_a_refusal(answer: tuple[Any, ...]) -> None:
    with pytest.raises(PageNotDrawn):
        page_of(answer)
