"""Nothing is painted outside its place and nothing is cut off, at normal and at double size, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from chatdesk.core.rendering.blocks import CodeBlock, Heading, Paragraph, Placement, Span, Table
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.items_from_blocks import items_for
from tests.gallery.block_samples import samples
from tests.ui.transcript.conftest import World, make_thread

MARGIN = 40
SLACK = 3  # a ring around what has the focus is a little outside
WIDTH = 520.0
SCRIPTS = {
    "combining": "e\u0301a\u0308o\u0302\u0323 Z\u0351\u036b\u0343\u036a\u0302",
    "arabic": "مرحبا، هذا نص بالعربية يكفي ليملأ أكثر من سطر واحد في العمود، ثم ينتهي عند هذه الكلمات.",
    "hebrew": "שלום עולם, זה טקסט בעברית שמספיק ליותר משורה אחת בעמודה הזאת, ואז הוא נגמר כאן.",
    "cjk": "日本語の文章です。中文也可以。한국어도 됩니다。" * 3,
    "emoji": "🙂 👩‍💻 🏳️‍🌈 " * 10,
    "long word": "x" * 300,
}


@pytest.fixture(params=[("light", 1.0), ("light", 2.0), ("dark", 2.0)], ids=["normal", "double", "double dark"])
def style(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[TranscriptStyle]:
    scheme, scale = request.param
    theme = Theme(qapp, preference=scheme, scale=scale)
    theme.apply()
    theme.load_other_fonts()
    yield TranscriptStyle(theme)
    theme.set_scale(1.0)
    theme.deleteLater()


def spilt(item: Item, style: TranscriptStyle, **state: object) -> list[str]:
    """The sides on which ``item`` paints outside its place."""
    item.ensure_layout(style, WIDTH)
    wide, high = round(WIDTH) + 2 * MARGIN, round(item.height) + 2 * MARGIN
    image = QImage(wide, high, QImage.Format.Format_RGB32)
    image.fill(style.colour("background"))
    painter = QPainter(image)
    painter.translate(MARGIN, MARGIN)
    area = QRectF(-MARGIN, -MARGIN, wide, high)
    item.paint(painter, PaintState(style, area, **state))  # type: ignore[arg-type]
    painter.end()
    ground = QImage(image.size(), image.format())
    ground.fill(style.colour("background"))
    edge = MARGIN - SLACK
    sides = {
        "left": (0, 0, edge, high),
        "right": (wide - edge, 0, edge, high),
        "top": (0, 0, wide, edge),
        "bottom": (0, high - edge, wide, edge),
    }
    return [name for name, place in sides.items() if image.copy(*place) != ground.copy(*place)]


def test_blocks_stay_in_their_place(style: TranscriptStyle) -> None:
    for name, sample in samples().items():
        for place, item in enumerate(sample.items):
            state = sample.state if place == sample.stateful else {}
            assert spilt(item, style, **state) == [], name


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_stays_in_its_place(style: TranscriptStyle, script: str) -> None:
    words = (Span(SCRIPTS[script]),)
    blocks = (
        Paragraph(words),
        Heading(1, words),
        Paragraph(words, Placement(list_depth=3, marker="•")),
        Paragraph(words, Placement(list_depth=12, marker="1234567.", quote_depth=12)),
        CodeBlock("text", SCRIPTS[script]),
        Table(("", "right"), (words, words), ((words, words),)),
    )
    for block in blocks:
        for item in items_for(block):
            assert spilt(item, style) == [], block


def test_lines_of_tall_letters_do_not_run_into_each_other(style: TranscriptStyle) -> None:
    (item,) = items_for(Paragraph((Span(SCRIPTS["combining"] + " words " * 40),)))
    item.ensure_layout(style, WIDTH)
    lines = item.areas_of(0, len(item.text))
    assert len(lines) > 1
    assert all(below.top() >= above.bottom() - 1 for above, below in pairwise(lines))
    assert lines[-1].bottom() <= item.height + 1


def test_tables_and_images_in_a_list_stand_under_its_words(world: World) -> None:
    text = "- item\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n\n  ![x](https://example.org/x.png)\n\n| c |\n|---|\n| 3 |"
    view = world.open(make_thread(2, lambda place: text))
    for entry in view.entries:
        inner, image, outer = (item for item in entry.items if item.kind in ("table", "image"))
        assert entry.places.x_of(inner) == entry.places.x_of(image) > entry.places.x_of(outer)
        assert entry.places.x_of(inner) + entry.places.width_of(inner) == entry.places.x_of(
            outer
        ) + entry.places.width_of(outer)
    assert view.entries[0].places.bubble_width <= view.entries[0].places.width
    view.grab()


@pytest.mark.parametrize("marker", ["☐", "☑"])
@pytest.mark.parametrize("words", ["Hello", "שלום", "مرحبا"])
def test_the_box_of_a_task_is_clear_of_its_words(words: str, marker: str, style: TranscriptStyle) -> None:
    place = Placement(list_depth=1, marker=marker, is_right_to_left=words != "Hello")
    (item,) = items_for(Paragraph((Span(words),), place))
    item.ensure_layout(style, WIDTH)
    image = QImage(round(WIDTH), round(item.height), QImage.Format.Format_RGB32)
    image.fill(style.colour("background"))
    ground = image.pixel(0, 0)
    painter = QPainter(image)
    item.paint(painter, PaintState(style, QRectF(image.rect())))
    painter.end()
    columns = range(image.width()) if words == "Hello" else range(image.width() - 1, -1, -1)
    has_ink = [any(image.pixel(x, y) != ground for y in range(image.height())) for x in columns]
    box = has_ink.index(True)
    end = box + style.px(13)
    gap = has_ink.index(True, round(end) + 1) - end
    assert style.px(4) <= gap <= style.px(14)
