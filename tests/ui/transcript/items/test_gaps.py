"""Where blocks are: gaps in and between lists, bars of quotes, and everything mirrored for text from the right."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage

from chatdesk.core.domain.message import Role
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items import gaps as gaps_module
from chatdesk.ui.transcript.items.gaps import alike, grown_gaps
from chatdesk.ui.transcript.items.items_from_blocks import items_for
from chatdesk.ui.transcript.painting.canvas import shared_quotes
from chatdesk.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import FakeThread, World, make_message
from tests.ui.transcript.items.test_math_item import WIDTH, style  # noqa: F401 - a fixture


def items_of(text: str) -> list[Item]:
    return [item for block in parse_markdown(text) for item in items_for(block)]


def gaps(text: str) -> list[float]:
    return grown_gaps((), items_of(text), is_question=False)[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n- b", [0]),
        ("- a\n\n  more\n- b", [6, 6]),
        ("1. a\n   - b\n2. c", [0, 0]),
        ("1. a\n2. b\n\n- c", [0, 10]),
        ("- a\n\n1. b", [10]),
        ("1. a\n\n- [ ] b", [10]),
        ("1. a\n2. b\n\n1) c", [0, 10]),
        ("1. a\n   - b\n\n- c", [0, 10]),
        ("- a\n- [ ] b", [0]),
        ("1. a\n   - x\n2. b\n   - y", [0, 0, 0]),
        ("> - a\n\n- b", [10]),
        ("word\n\n- a", [10]),
    ],
)
def test_related_blocks_have_smaller_gaps(text: str, expected: list[float]) -> None:
    assert gaps(text) == expected


def test_a_quote_has_one_bar_and_two_quotes_have_two() -> None:
    first, second, other, inner = (item.at for item in items_of("> a\n>\n> b\n\n> c\n>\n> > d"))
    assert (shared_quotes(first, second), shared_quotes(second, other), shared_quotes(other, inner)) == (1, 0, 1)


def shown(world: World, text: str) -> tuple[TranscriptView, QImage]:
    view = world.open(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    world.settle()
    return view, view.viewport().grab().toImage()


def bar_of(view: TranscriptView, image: QImage, x: float) -> list[bool]:
    """Whether the colour of bars is at ``x`` of the column, from the first quoted block to the last."""
    quoted = [each for each in view.parts.layout.placed if each.item.at.quote_depth]
    column = round(view.parts.viewport_layout.column_left + x)
    ground = view.parts.viewport_layout.style.colour("background")
    return [image.pixelColor(column, y) != ground for y in range(round(quoted[0].y), round(quoted[-1].bottom))]


@pytest.mark.parametrize(
    "inside", ["more", "- an item", "| a | b |\n> |---|---|\n> | 1 | 2 |", "```\n> code\n> ```", "---\n>\n> more"]
)
def test_a_bar_goes_on_through_all_blocks_of_its_quote(world: World, inside: str) -> None:
    assert all(bar_of(*shown(world, f"> words\n>\n> {inside}"), 1))
    assert not all(bar_of(*shown(world, f"> words\n\nbetween\n\n> {inside}"), 1))
    assert not all(bar_of(*shown(world, f"> words\n\n> {inside}"), 1))


def test_the_bar_of_a_quote_from_the_right_is_at_the_right(world: World) -> None:
    view, image = shown(world, "> اقتباس قصير\n>\n> English words in it\n>\n> ```\n> code\n> ```")
    width = view.parts.viewport_layout.column_width
    assert all(bar_of(view, image, width - 2))
    assert not any(bar_of(view, image, 1)[:20])


def test_code_in_an_item_from_the_right_keeps_clear_of_the_marks(style: TranscriptStyle) -> None:  # noqa: F811
    word, code = items_of("1. كلمة\n   ```\n   x\n   ```")
    for item in (word, code):
        item.ensure_layout(style, WIDTH)
    gutter = style.px(22)
    assert max(area.right() for area in word.areas_of(0, 4)) <= WIDTH - gutter
    copy = code.buttons()[0].area
    assert WIDTH - gutter - 10 < copy.right() <= WIDTH - gutter


GROWING = (
    "Text\n\n- a\n- b\n\n  more\n\n1. one\n2. two\n   - deep\n   - deeper\n3. three\n\n1) anew\n\n> quoted\n>\n"
    "> - in a quote\n\nAfter.\n\n```py\nx = 1\n```\n\n- last\n- of all\n"
)


def test_gaps_of_what_grew_are_those_of_the_whole() -> None:
    """Whatever of a text was there before, and wherever its last block changed."""
    whole = items_of(GROWING)
    for length in range(len(whole) + 1):
        old = whole[:length]
        known = grown_gaps((), old, is_question=False)
        for changed in (old, [*old[:-1], *items_of("Changed.")[: length and 1]]):
            same = known[: alike(changed, whole)]
            assert grown_gaps(same, whole, is_question=False) == grown_gaps((), whole, is_question=False)


def test_gaps_above_what_grew_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    items = items_of("\n\n".join(f"Paragraph {number}" for number in range(300)))
    known = grown_gaps((), items[:-1], is_question=False)
    looked: list[Item] = []
    gap = gaps_module.gap_between

    def counted(before: Item | None, item: Item, **more: bool) -> float:
        looked.append(item)
        return gap(before, item, **more)

    monkeypatch.setattr(gaps_module, "gap_between", counted)
    grown_gaps(known, items, is_question=False)
    assert 1 <= len(looked) <= 3
