"""Links as stops of the keyboard, and tables: copying, links in cells, moving sideways."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from chatdesk.core.domain.message import Part, PartType, Status
from chatdesk.core.rendering.blocks import Placement, Span, Table
from chatdesk.ui.transcript.drawing.spans import flow_of, split_spans, text_of
from chatdesk.ui.transcript.drawing.table_columns import TableColumns
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.items_from_blocks import grow_table, items_for, table_items
from chatdesk.ui.transcript.items.table_item import ROWS_AN_ITEM, TableItem
from chatdesk.ui.transcript.items.text_item import TextItem
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.mouse import move_mouse
from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread
from tests.ui.transcript.items.test_math_item import WIDTH, drawing_of, painted, style  # noqa: F401 - a fixture

HREF = "https://example.org/a"


def cells(*words: str) -> tuple[tuple[Span, ...], ...]:
    return tuple((Span(word),) for word in words)


def table(rows: int = 2, columns: int = 2) -> Table:
    return Table(
        ("left", "right", "")[:columns] + ("",) * max(0, columns - 3),
        cells(*(f"head {column}" for column in range(columns))),
        tuple(cells(*(f"cell {row}.{column}" for column in range(columns))) for row in range(rows)),
    )


def test_a_link_of_several_styles_is_one_stop(style: TranscriptStyle) -> None:  # noqa: F811
    item = TextItem((Span("see "), Span("the ", href=HREF), Span("docs", href=HREF, is_bold=True), Span(".")))
    item.ensure_layout(style, WIDTH)
    (stop,) = item.links()
    assert stop.label == HREF
    assert stop.area.width() > 30
    outcome = item.press(stop.action)
    assert outcome is not None
    assert outcome.link == HREF
    assert item.press("link-7") is None
    assert item.press("other") is None


def test_the_focused_link_has_a_ring(style: TranscriptStyle) -> None:  # noqa: F811
    item = TextItem((Span("see "), Span("docs", href=HREF)))
    assert painted(item, style, focused_action="link-0") != painted(item, style)


def test_a_deceptive_link_shows_its_host_which_is_not_copied(style: TranscriptStyle) -> None:  # noqa: F811
    flow = flow_of((Span("bank", href="https://evil.test"), Span(".example", href="https://evil.test"), Span(" now")))
    assert flow.text == "bank.example (evil.test) now"
    assert flow.copied(0, len(flow.text)) == "bank.example now"
    assert [(link.start, link.end) for link in flow.links] == [(0, 12)]


def test_tab_walks_through_links_and_return_follows(world: World) -> None:
    text = "[one](https://one.test) and [two](mailto:a@two.test)\n\n| a |\n|-|\n| [three](https://three.test) |"
    view = world.open(make_thread(2, lambda place: text if place else "?"))
    followed: list[str] = []
    view.parts.actions.linkActivated.connect(followed.append)
    view.setFocus()
    world.settle()
    view.jump_to("m1")
    status = view.findChild(QLabel, "linkStatus")
    for target in ("https://one.test", "mailto:a@two.test", "https://three.test"):
        QTest.keyClick(view, Qt.Key.Key_Tab)
        assert status.isVisible()
        assert status.text() == target
        QTest.keyClick(view, Qt.Key.Key_Return)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert not status.isVisible()
    assert followed == ["https://one.test", "mailto:a@two.test", "https://three.test"]


def test_tab_walks_through_the_sources_below_an_answer(world: World) -> None:
    rows = [
        {"number": 1, "title": "Tide\u202e tables", "url": "https://harbour.test/tides"},
        {"number": 2, "title": "bank.example", "url": "https://evil.test/"},
        {"number": 3, "title": "x", "url": "javascript:alert(1)"},
    ]
    parts = (
        Part("c", "m1", 0, PartType.TOOL_CALL, {"name": "web__search", "arguments": "{}"}, tool_call_id="c1"),
        Part("r", "m1", 1, PartType.TOOL_RESULT, {"text": "found", "sources": rows}, tool_call_id="c1"),
        Part("t", "m1", 2, PartType.TEXT, {"text": "At noon [1]."}),
    )
    live = make_message(1, parts=parts, status=Status.STREAMING)
    view = world.open(FakeThread([make_message(0, "When?"), live]))
    assert "Sources" not in [each.text for each in view.entries[1].items], "the answer is still written"
    view.conversation.change_message(replace(live, status=Status.COMPLETE))
    world.settle()
    texts = [each.text for each in view.entries[1].items if isinstance(each, TextItem)]
    assert texts == [
        "At noon [1].",
        "Sources",
        "Tide⟦U+202E⟧ tables · harbour.test",
        "bank.example (evil.test) · evil.test",
    ]
    followed: list[str] = []
    view.parts.actions.linkActivated.connect(followed.append)
    view.setFocus()
    view.jump_to("m1")
    status = view.findChild(QLabel, "linkStatus")
    for _ in range(5):
        QTest.keyClick(view, Qt.Key.Key_Tab)
        if status.isVisible():
            QTest.keyClick(view, Qt.Key.Key_Return)
    assert followed == ["https://harbour.test/tides", "https://evil.test/"]
    names = [link.text(QAccessible.Text.Name) for link in _links_of(QAccessible.queryAccessibleInterface(view))]
    assert names == ["Tide⟦U+202E⟧ tables", "bank.example"]
    view.conversation.change_message(replace(live, status=Status.STREAMING))
    world.settle()
    assert "Sources" not in [each.text for each in view.entries[1].items], "it goes on above them"


def _links_of(node: QAccessibleInterface) -> list[QAccessibleInterface]:
    """The links below a node, as a screen reader finds them."""
    below = [each for place in range(node.childCount()) for each in _links_of(node.child(place))]
    return [node, *below] if node.role() == QAccessible.Role.Link else below


def _link(world: World) -> tuple[TranscriptView, QPoint]:
    """A view with a link, and where that is."""
    view = world.open(make_thread(2, lambda place: "[one](https://one.test)" if place else "?"))
    view.jump_to("m1")
    world.settle()
    placed = next(each for each in view.entries[1].items if isinstance(each, TextItem))
    origin = view.accessible_actions.origin_of(placed)
    assert origin is not None
    return view, (origin + placed.links()[0].area.center()).toPoint()


@pytest.mark.parametrize("is_there_already", [False, True])
def test_the_mouse_over_a_link_shows_its_target(world: World, is_there_already: bool) -> None:
    if is_there_already:
        other, point = _link(world)
        move_mouse(other.viewport(), point)
        other.hide()
    view, point = _link(world)
    move_mouse(view.viewport(), point)
    world.settle()
    status = view.findChild(QLabel, "linkStatus")
    assert status.text() == "https://one.test"
    move_mouse(view.viewport(), point + QPoint(400, 0))
    world.settle()
    assert not status.isVisible()


def test_a_table_is_copied_as_markdown_html_and_values(world: World) -> None:
    text = "| a | b |\n|:-|-:|\n| **x** | `1` |"
    view = world.open(make_thread(2, lambda place: text if place else "?"))
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "| a | b |\n| :--- | ---: |\n| **x** | `1` |"
    assert '<td style="text-align:right"><code>1</code></td>' in bytes(data.data("text/html")).decode()
    assert bytes(data.data("text/csv")).decode() == "a,b\nx,1\n"
    assert bytes(data.data("text/tab-separated-values")).decode() == "a\tb\nx\t1\n"


def test_copied_tables_carry_no_markup_and_no_formulas_of_the_model() -> None:
    block = Table(
        ("", ""),
        cells("<script>", "a|b"),
        (
            cells("=HYPERLINK(1)", "-5"),
            ((Span("x", is_math=True), Span(" y\nz", is_struck=True)), (Span("l", href='https://e.test/"'),)),
        ),
    )
    copied = table_items(block)[0].press("copy-table")
    assert copied is not None
    formats, markdown = copied.formats, copied.copied
    assert "<script>" not in formats["text/html"]
    assert "&lt;script&gt;" in formats["text/html"]
    assert 'href="https://e.test/&quot;"' in formats["text/html"]
    assert formats["text/csv"].splitlines()[1] == "'=HYPERLINK(1),-5"
    assert formats["text/tab-separated-values"].splitlines()[1] == "'=HYPERLINK(1)\t-5"
    assert ">=HYPERLINK(1)</td><td>-5</td>" in formats["text/html"]
    assert markdown.splitlines()[0] == "| \\<script> | a\\|b |"
    assert markdown.splitlines()[3].startswith("| $x$ ~~y<br>z~~ |")


def test_only_the_first_part_of_a_long_table_offers_copying(style: TranscriptStyle) -> None:  # noqa: F811
    first, second, third = items = table_items(table(rows=2 * ROWS_AN_ITEM + 1))
    first.press("fold-table")
    for item in items:
        item.ensure_layout(style, WIDTH)
    assert [button.action for button in first.buttons()] == ["copy-table", "table-columns"]
    assert second.buttons() == ()
    assert [button.label for button in third.buttons()] == ["Show fewer rows"]
    assert painted(first, style, is_attended=True) != painted(first, style)


def test_a_wide_table_moves_sideways_with_all_its_parts(style: TranscriptStyle) -> None:  # noqa: F811
    first, second = table_items(table(rows=ROWS_AN_ITEM + 1, columns=12))
    first.press("fold-table")
    first.ensure_layout(style, WIDTH)
    second.ensure_layout(style, WIDTH)
    before = second.areas_of(0, 4)[0].width()
    assert first.scroll.move(20)
    assert second.areas_of(0, 4)[0].width() < before
    assert first.scroll.move(-1_000)
    assert not first.scroll.move(-1)
    assert first.reveal(len("\t".join(f"head {n}" for n in range(12))) - 2)
    painted(first, style, selected=(0, 30))


def test_places_in_a_table_are_found_by_point_and_by_row(style: TranscriptStyle) -> None:  # noqa: F811
    (item,) = table_items(table())
    assert item.offset_at(QPointF(0, 0)) == 0
    item.ensure_layout(style, WIDTH)
    start = item.text.index("cell 1.1")
    (area,) = item.areas_of(start, start + 8)
    assert item.offset_at(area.center()) in range(start, start + 9)
    assert item.line_at(start) == (item.text.index("cell 1.0"), len(item.text))
    assert item.copied(start, start + 8) == "cell 1.1"
    assert item.offset_at(QPointF(WIDTH, 10_000)) in range(start, len(item.text) + 1)
    item.release()
    assert item.areas_of(0, 5) == []


def test_links_in_cells_are_stops_and_ringed(style: TranscriptStyle) -> None:  # noqa: F811
    block = Table(("", ""), cells("a", "b"), (((Span("x", href=HREF),), (Span("y", href="https://two.test"),)),))
    (item,) = items_for(block)
    item.ensure_layout(style, WIDTH)
    one, two = item.links()
    assert (one.label, two.label) == (HREF, "https://two.test")
    assert item.link_at(two.area.center()) == "https://two.test"
    assert item.link_at(QPointF(WIDTH - 1, 1)) is None
    outcome = item.press(two.action)
    assert outcome is not None
    assert outcome.link == "https://two.test"
    assert item.press("link-9") is None
    rings = [painted(item, style, focused_action=each) for each in ("link-0", "link-1")]
    assert rings[0] != rings[1]


def test_a_table_that_grows_keeps_its_full_parts() -> None:
    items = table_items(table(rows=ROWS_AN_ITEM + 2))
    grown = grow_table(items, table(rows=ROWS_AN_ITEM + 5))
    assert grown is not None
    assert grown[0] is items[0]
    assert grown[1] is not items[1]
    assert grow_table(items, table(rows=3)) is None
    other = Table(("", ""), cells("x", "y"), table(rows=40).rows)
    assert grow_table(items, other) is None


def test_a_last_row_that_grows_makes_its_column_wider(style: TranscriptStyle) -> None:  # noqa: F811
    def named(word: str) -> Table:
        return replace(table(rows=20), rows=(*table(rows=20).rows, cells(word, "1")))

    grown: list[TableItem] | None = table_items(named("Cherr"))
    assert grown is not None
    for item in grown:
        item.ensure_layout(style, WIDTH)
    for word in ("Cherry", "Cherry tomatoes of the market"):
        grown = grow_table(grown, named(word))
        assert grown is not None
    fresh = table_items(named("Cherry tomatoes of the market"))
    for item in (*grown, *fresh):
        item.ensure_layout(style, WIDTH)
    assert grown[0].columns.widths == fresh[0].columns.widths
    assert [each.height for each in grown] == [each.height for each in fresh]


def test_a_formula_that_is_drawn_later_makes_its_column_wider(style: TranscriptStyle) -> None:  # noqa: F811
    wide = drawing_of(r"\int_0^1 x^2 + y^2 + z^2 \, dx", is_display=False)
    columns = TableColumns(replace(table(), rows=(((Span("x", is_math=True),), (Span("1"),)),)))
    columns.measure(style, WIDTH)
    before = columns.widths[0]
    columns.block = replace(table(), rows=(((Span("x", is_math=True, drawing=wide),), (Span("1"),)),))
    assert columns.measure(style, WIDTH)
    assert columns.widths[0] > before


@pytest.mark.parametrize("words", ["hello", "שלום עולם"])
def test_the_number_of_an_item_follows_its_text_in_every_window(
    qapp: QApplication,
    style: TranscriptStyle,  # noqa: F811
    words: str,
) -> None:
    item = TextItem((Span(words),), Placement(list_depth=1, marker="1."))
    image, before = painted(item, style), qapp.layoutDirection()
    mirrored = (
        Qt.LayoutDirection.RightToLeft if before is Qt.LayoutDirection.LeftToRight else Qt.LayoutDirection.LeftToRight
    )
    qapp.setLayoutDirection(mirrored)
    try:
        assert painted(item, style) == image
    finally:
        qapp.setLayoutDirection(before)


def test_right_to_left_items_have_their_marker_at_the_right(style: TranscriptStyle) -> None:  # noqa: F811
    for words, is_right in (("שלום עולם", True), ("hello", False)):
        for marker in ("•", "3.", "☑"):
            item = TextItem((Span(words),), Placement(list_depth=1, marker=marker))
            image = painted(item, style)
            gutter = round(style.px(22))
            ground = style.colour("background")
            left = any(image.pixelColor(x, y) != ground for x in range(gutter - 4) for y in range(image.height()))
            right = any(
                image.pixelColor(image.width() - 1 - x, y) != ground
                for x in range(gutter - 4)
                for y in range(image.height())
            )
            assert (left, right) == (not is_right, is_right), (words, marker)


def test_a_text_of_many_styles_is_laid_out_in_pieces() -> None:
    """A change of style takes as long to lay out as some letters: thousands in one piece took a third of a second."""
    spans = (Span("a", is_code=True), Span("b")) * 2000
    pieces = split_spans(spans)
    assert all(len(piece) <= 1000 for piece in pieces)
    assert [span for piece in pieces for span in piece] == list(spans)
    assert split_spans((Span("a", is_code=True), Span("b")) * 20) == [(Span("a", is_code=True), Span("b")) * 20]


def test_letters_from_everywhere_are_laid_out_in_small_pieces() -> None:
    """Each of them may load a font. What people write, in a few scripts at a time, stays in one piece."""
    strange = "".join(chr(0x100 + 97 * number) for number in range(300)) * 4
    assert max(len(piece[0].text) for piece in split_spans((Span(strange),))) <= 500
    for text in ("words " * 500, "слова и words " * 200, "汉字と仮名と한글" * 300, "مرحبا and שלום " * 200):
        assert len(split_spans((Span(text[:3500]),))) == 1


def test_a_wide_table_is_moved_with_the_arrows_from_its_button(world: World) -> None:
    cells = " | ".join(f"column number {n} is wide" for n in range(12))
    rule = " | ".join("---" for _ in range(12))
    view = world.open(make_thread(2, lambda place: f"| {cells} |\n| {rule} |\n| {cells} |" if place else "?"))
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    item = next(each for each in view.entries[1].items if isinstance(each, TableItem))
    assert item.columns.x == 0
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert item.columns.x > 0
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert item.columns.x == 0


def test_a_short_path_in_code_is_not_broken_behind_its_slash(style: TranscriptStyle) -> None:  # noqa: F811
    spans = (Span("Type /help or "), Span("/demo", is_code=True), Span(" and /usr/bin now, a/b and /x"))
    flow = flow_of(spans)
    assert flow.copied(0, len(flow.text)) == "Type /help or /demo and /usr/bin now, a/b and /x"
    assert flow.text.count("\u2060") == 1  # in inline code only
    (code,) = [each for each in flow.ranges if each.span.is_code]
    assert flow.copied(code.start, code.end) == "/demo"
    item = TextItem((Span("Now type "), Span("/demo", is_code=True), Span(" there.")))
    slash = item.text.index("/")
    for width in range(60, 260, 5):
        item.layout(style, width)
        (before,), (behind,) = item.areas_of(slash, slash + 1), item.areas_of(slash + 2, slash + 3)
        assert before.top() == behind.top(), width


@pytest.mark.parametrize("style_of_span", [{}, *({each: value} for each, value in (
    ("is_bold", True), ("is_code", True), ("is_math", True), ("href", HREF), ("note", "fn-1"), ("script", "sub"),
    ("is_key", True)))])  # fmt: skip
@pytest.mark.parametrize("words", ["", "a", "a\nb", "/demo a"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_text_of_a_cell_is_that_of_its_flow(style_of_span: dict[str, object], words: str, count: int) -> None:
    spans = (Span(words, **style_of_span),) * count  # type: ignore[arg-type]
    assert text_of(spans) == flow_of(spans).text
