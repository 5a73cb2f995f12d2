"""Formulas in the text and displayed: their room, their ink, copying, and the source as long as there is no drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from chatdesk.core.rendering.blocks import (
    DRAWING_UNITS,
    Block,
    Drawing,
    DrawnWords,
    MathBlock,
    Paragraph,
    Placement,
    Span,
    Table,
)
from chatdesk.core.rendering.drawing.math_drawing import draw_formula
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.math_paths import paths_of, pieces_of
from chatdesk.ui.transcript.drawing.shown_text import ShownText, to_characters, to_units
from chatdesk.ui.transcript.drawing.spans import flow_of, split_spans
from chatdesk.ui.transcript.drawing.text_box import TextBox
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.items_from_blocks import change_groups, items_for
from chatdesk.ui.transcript.items.math_item import MathItem
from chatdesk.ui.transcript.items.text_item import TextItem
from tests.ui.transcript.conftest import World, make_thread

WIDTH = 400.0


def drawing_of(tex: str, *, is_display: bool = False) -> Drawing:
    drawing = draw_formula(tex, is_display=is_display)
    assert drawing is not None
    return drawing


def formula(tex: str) -> Span:
    return Span(tex, is_math=True, drawing=drawing_of(tex))


@pytest.fixture
def style(qapp: QApplication) -> TranscriptStyle:
    theme = Theme(qapp, preference="light")
    theme.apply()
    theme.load_other_fonts()
    made = TranscriptStyle(theme)
    theme.deleteLater()
    return made


def painted(item: Item, style: TranscriptStyle, *, width: float = WIDTH, **state: object) -> QImage:
    item.ensure_layout(style, width)
    image = QImage(round(width), max(1, round(item.height)), QImage.Format.Format_RGB32)
    image.fill(style.colour("background"))
    painter = QPainter(image)
    item.paint(painter, PaintState(style, QRectF(image.rect()), **state))  # type: ignore[arg-type]
    painter.end()
    return image


def ink(image: QImage, ground: QColor) -> QRectF:
    """The smallest rectangle around everything that is not the ground."""
    places = [(x, y) for y in range(image.height()) for x in range(image.width()) if image.pixelColor(x, y) != ground]
    if not places:
        return QRectF()
    left, top = min(x for x, _ in places), min(y for _, y in places)
    return QRectF(left, top, max(x for x, _ in places) - left + 1, max(y for _, y in places) - top + 1)


def test_an_inline_formula_has_its_width_and_makes_the_line_higher(style: TranscriptStyle) -> None:
    plain = TextItem((Span("a b"),))
    item = TextItem((Span("a "), formula(r"\sum_{i=1}^{n} \frac{1}{2}"), Span(" b")))
    plain.ensure_layout(style, WIDTH)
    item.ensure_layout(style, WIDTH)
    assert item.height > plain.height
    assert item.natural_width > plain.natural_width + 20
    area = ink(painted(item, style), style.colour("background"))
    assert area.top() >= 0
    assert area.bottom() <= item.height
    assert area.right() <= item.natural_width + 1


def test_a_small_formula_leaves_the_line_as_it_is(style: TranscriptStyle) -> None:
    plain, item = TextItem((Span("a x b"),)), TextItem((Span("a "), formula("x"), Span(" b")))
    plain.ensure_layout(style, WIDTH)
    item.ensure_layout(style, WIDTH)
    assert item.height == plain.height


def test_a_formula_is_read_and_copied_as_its_source(style: TranscriptStyle) -> None:
    item = TextItem((Span("Let "), formula("x^2"), Span(" be")))
    item.ensure_layout(style, WIDTH)
    assert item.text == "Let x^2 be"
    assert item.copied(0, len(item.text)) == "Let x^2 be"
    (area,) = item.areas_of(4, 7)
    assert item.areas_of(5, 6) == [area]
    assert item.offset_at(QPointF(area.x() - 1, 8)) == 4
    assert item.offset_at(QPointF(area.right() + 1, 8)) == 7


def test_a_formula_is_painted_in_the_colour_of_the_text(qapp: QApplication) -> None:
    for scheme in ("light", "dark"):
        theme = Theme(qapp, preference=scheme)  # type: ignore[arg-type]
        theme.apply()
        style = TranscriptStyle(theme)
        image = painted(MathItem(MathBlock("x", drawing=drawing_of(r"\blacksquare", is_display=True))), style)
        colours = {image.pixelColor(x, y).name() for y in range(image.height()) for x in range(image.width())}
        assert style.colour("text").name() in colours
        theme.deleteLater()


def test_a_formula_wider_than_the_column_goes_on_in_the_next_line(style: TranscriptStyle) -> None:
    tex = "+".join(f"x_{{{n}}}" for n in range(30))
    box = TextBox(flow_of((Span("a "), formula(tex), Span(" b"))))
    box.lay_out(style, 120.0, font=style.font("text"), line_height=22.0)
    lines = [area for area in box.areas_of(2, 2 + len(tex)) if area.width()]
    assert len(lines) > 5 and max(area.right() for area in lines) <= 121.0
    assert box.areas_of(2, 2 + len(tex)) == box.areas_of(5, 9), "a part of it is not chosen alone"
    first, last = lines[0], lines[-1]
    assert box.offset_at(QPointF(first.left() + 1, first.center().y())) == 2
    assert box.offset_at(QPointF(first.right() + 1, first.center().y())) == 2 + len(tex)
    assert box.offset_at(QPointF(last.right() + 1, last.center().y())) == 2 + len(tex)


@pytest.mark.parametrize("word", ["a", "\u05d0"])
def test_pieces_of_a_formula_run_from_left_to_right(style: TranscriptStyle, word: str) -> None:
    item = TextItem((Span(word + " "), formula("a_1+b_2+c_3+d_4+e_5+f_6+g_7+h_8"), Span(" " + word)))
    in_one_line, in_three = (_dark(painted(item, style, width=width)) for width in (400.0, 130.0))
    assert abs(in_one_line - in_three) < in_one_line / 20, "no piece is painted over another"


def _dark(image: QImage) -> int:
    """Return the number of pixels with ink."""
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(image.pixelColor(x, y).lightness() < 160 for x, y in places)


def test_pieces_of_a_formula_are_the_whole_of_it() -> None:
    whole = drawing_of(r"\frac{a+b}{c} \le \textcolor{red}{x} + \sum_{i=1}^n x_i")
    pieces = pieces_of(whole)
    assert len(pieces) == len(whole.breaks) + 1 == 3
    assert sum(each.width for each in pieces) == whole.width
    assert sorted("".join(each.operations for each in pieces)) == sorted(whole.operations)
    assert [each.inks for each in pieces] == [(), ((0, "deleted"), (pieces[1].operations.index("Z") + 1, "")), ()]


def test_words_of_a_formula_are_in_the_piece_where_they_stand_and_are_painted(style: TranscriptStyle) -> None:
    bare = drawing_of("a+b=c+d")
    left = (bare.breaks[0] + bare.breaks[1]) // 2 - 1
    word = DrawnWords("words", left, 0, 2, DRAWING_UNITS, "deleted")
    pieces = pieces_of(replace(bare, words=(word,)))
    assert [each.words for each in pieces] == [(), (replace(word, left=left - bare.breaks[0]),), (), ()]
    only = Drawing(4 * DRAWING_UNITS, DRAWING_UNITS, 60, "", b"", words=(replace(word, left=0, width=1000),))
    assert _dark(painted(TextItem((Span("x", is_math=True, drawing=only),)), style, width=400.0)) > 20


def test_words_of_a_formula_keep_to_the_room_that_was_left_for_them(style: TranscriptStyle) -> None:
    words = DrawnWords("a long text of words", 0, 0, 2 * DRAWING_UNITS, DRAWING_UNITS)
    ((_, path),) = paths_of(Drawing(2 * DRAWING_UNITS, DRAWING_UNITS, 60, "", b"", words=(words,)))
    box = path.boundingRect()
    assert box.left() >= -1
    assert box.right() <= 2 * DRAWING_UNITS + 1
    assert box.top() < 0 < box.bottom()


def test_a_formula_without_a_place_to_end_a_line_stays_source_where_it_is_too_wide(style: TranscriptStyle) -> None:
    item = TextItem((Span("a "), formula(rf"\frac{{{'+'.join('abcdefghijkl')}}}{{2}}")))
    item.ensure_layout(style, 120.0)
    assert item.natural_width <= 120.0
    assert item.height >= 2 * style.line_height("text")


def test_a_displayed_formula_stands_in_the_middle(style: TranscriptStyle) -> None:
    item = MathItem(MathBlock("x^2", drawing=drawing_of("x^2", is_display=True)))
    area = ink(painted(item, style), style.colour("background"))
    assert abs(area.center().x() - WIDTH / 2) < 3
    assert item.copied(0, len(item.text)) == "x^2"
    assert item.offset_at(QPointF(0, 5)) == 0
    assert item.offset_at(QPointF(WIDTH, 5)) == 3
    assert painted(item, style, selected=(0, 3)) != painted(item, style)


def test_a_wide_displayed_formula_is_moved_sideways(style: TranscriptStyle) -> None:
    tex = "+".join(f"x_{{{n}}}" for n in range(20))
    item = MathItem(MathBlock(tex, Placement(list_depth=1), drawing_of(tex, is_display=True)))
    before = painted(item, style, width=200.0)
    assert item.scroll.move(50)
    assert painted(item, style, width=200.0) != before
    assert item.scroll.move(10_000)
    assert not item.scroll.move(1)
    assert all(area.right() <= 200 for area in item.areas_of(0, 3))


def test_the_source_stands_there_until_the_drawing_comes(style: TranscriptStyle) -> None:
    block = MathBlock("x^2")
    drawn = replace(block, drawing=drawing_of("x^2", is_display=True))
    groups = change_groups((), [], (block,))
    before = groups[0][0]
    assert before.guess(style, WIDTH) > 0
    assert not ink(painted(before, style), style.colour("background")).isEmpty()
    assert before.areas_of(0, 3)
    assert before.offset_at(QPointF(0, 0)) == 0
    after = change_groups((block,), groups, (drawn,))[0][0]
    after.ensure_layout(style, WIDTH)
    assert after is not before
    assert abs(after.height - before.height) < 24
    assert after.guess(style, WIDTH) == after.height
    assert after.text == before.text


def test_a_paragraph_whose_formulas_are_drawn_is_another_item(style: TranscriptStyle) -> None:
    block = Paragraph((Span("a "), Span("x", is_math=True)))
    drawn = replace(block, spans=(block.spans[0], formula("x")))
    groups = change_groups((), [], (block,))
    assert change_groups((block,), groups, (drawn,))[0][0] is not groups[0][0]


def test_a_table_gives_formulas_their_room(style: TranscriptStyle) -> None:
    block: Block = Table(("",), ((Span("f"),),), (((formula(r"\int_0^1 x^2\,dx = \frac{1}{3}"),),),))
    (item,) = items_for(block)
    item.ensure_layout(style, WIDTH)
    (area,) = item.areas_of(2, len(item.text))
    assert area.width() > 60


def test_text_cut_in_pieces_keeps_whole_drawings_only() -> None:
    long = replace(formula("x"), text="x" * 100)
    pieces = split_spans((long,), limit=30)
    assert all(span.drawing is None for piece in pieces for span in piece)


@pytest.mark.parametrize("text", ["plain", "a🙂b", "🙂🙂", "e\u0301 日本", "👩‍💻 x"])
def test_offsets_of_characters_and_units_map_both_ways(text: str) -> None:
    shown = ShownText(flow_of((Span(text),)))
    assert shown.text == text
    for offset in range(len(text) + 1):
        units = len(text[:offset].encode("utf-16-le")) // 2
        assert shown.to_layout(offset) == units == to_units(text, offset)
        assert shown.to_flow(units) == offset == to_characters(text, units)


def test_offsets_around_formulas_map_both_ways() -> None:
    flow = flow_of((Span("🙂 "), formula("x^2"), Span(" 🙂 "), formula("y"), Span("z")))
    shown = ShownText(flow, em=16.0, room=400.0)
    assert shown.text == "🙂 * 🙂 *z"
    assert [(each.start, each.end) for each in shown.formulas] == [(2, 5), (8, 9)]
    for offset in (0, 1, 2, 5, 6, 7, 8, 9, 10):
        assert shown.to_flow(shown.to_layout(offset)) == offset
    assert shown.to_layout(4) == shown.to_layout(5)


def test_style_after_an_emoji_stands_on_its_own_letters(style: TranscriptStyle) -> None:
    href = "https://example.org"
    box = TextBox(flow_of((Span("🙂🙂🙂 "), Span("link", href=href), Span(" end"))))
    box.lay_out(style, WIDTH, font=style.font("text"), line_height=22.0)
    (area,) = box.areas_of(4, 8)
    assert box.span_link_at(area.center()) == href
    assert box.span_link_at(QPointF(area.right() + 6, area.center().y())) is None
    assert box.offset_at(QPointF(area.x() + 0.5, 8)) == 4
    box.release()
    assert box.areas_of(0, 2) == []
    assert box.offset_at(QPointF(0, 0)) == 0
    assert box.span_link_at(area.center()) is None


def test_a_wide_formula_is_reached_with_tab_and_moved_with_the_arrows(world: World) -> None:
    wide = MathBlock("x", drawing=drawing_of("+".join(f"x_{{{n}}}" for n in range(45)), is_display=True))

    class Drawn:
        def cancel(self) -> None:
            """It is there already."""

    def request(_text: str, on_done: Callable[[tuple[Block, ...]], None], *, is_answer: bool) -> Drawn:
        on_done((wide,))
        return Drawn()

    world.renderer.request = request  # type: ignore[method-assign, assignment]
    view = world.open(make_thread(2))
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.accessible_actions.stop is not None
    assert view.accessible_actions.stop[2] == "move-aside"
    item = next(each for each in view.entries[1].items if isinstance(each, MathItem))
    start = item.scroll.x
    QTest.keyClick(view, Qt.Key.Key_Right)
    moved = item.scroll.x
    assert moved > start
    view.viewport().grab()  # with its ring
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert item.scroll.x == start
    for _ in range(20):
        QTest.keyClick(view, Qt.Key.Key_Return)
        if item.scroll.x == item.scroll.most:
            break
    assert item.scroll.x == item.scroll.most
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert item.scroll.x == 0
    assert item.button_at(QPointF(20, 10)) is None
    assert item.press("other") is None


def test_a_formula_with_room_enough_is_no_stop(style: TranscriptStyle) -> None:
    item = MathItem(MathBlock("x^2", drawing=drawing_of("x^2", is_display=True)))
    painted(item, style)
    assert item.buttons() == ()
