"""Selecting with mouse and keyboard, and what a copy of it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import Role
from chatdesk.ui.transcript.copying import selection_loader
from chatdesk.ui.transcript.copying.copied_text import as_markdown
from chatdesk.ui.transcript.copying.excerpt import excerpts
from chatdesk.ui.transcript.copying.selection import SelectedRange
from tests.helpers.mouse import move_mouse

from tests.ui.transcript.conftest import FakeThread, World, copied_text, make_message, make_thread  # isort: skip

_RICH = """# Head & line

Some **bold**, *leaning*, ~~gone~~ and `code` with a [link](https://a.example/?a=1&b=2).

- one
  - inner
- two

1. first
2. second

> quoted <b>text</b>

| a | b |
|--:|---|
| 1 | x |

```python
if a < b:
    print("`")
```

$$
x^2
$$
"""

_SHIFT, _CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def _point(view, message_id: str, dx: float, *, index: int | None = None, dy: float = 8) -> QPoint:
    placed = next(
        each
        for each in view.parts.layout.placed
        if each.entry.message.id == message_id and (each.item.kind == "text" if index is None else each.index == index)
    )
    x = view.parts.viewport_layout.column_left + placed.entry.places.x_of(placed.item) + dx
    return QPointF(x, placed.y + dy).toPoint()


def _press(view, point: QPoint, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    view.parts.pointer.let_go()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, modifiers, point)


def _drag(view, start: QPoint, end: QPoint) -> None:
    _press(view, start)
    move_mouse(view.viewport(), end)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)


def _keys(view, key: Qt.Key, modifiers, times: int = 1) -> None:
    for _ in range(times):
        QTest.keyClick(view, key, modifiers)


# With the mouse


def test_shift_click_extends(world: World) -> None:
    view = world.open(make_thread(4))
    _press(view, _point(view, "m1", 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=_point(view, "m1", 0))
    _press(view, _point(view, "m3", 400), _SHIFT)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, _SHIFT, _point(view, "m3", 400))
    assert copied_text(view) == "Message number 1.\n\nMessage number 2.\n\nMessage number 3."


def test_a_triple_click_takes_the_paragraph(world: World) -> None:
    view = world.open(make_thread(2, lambda place: "One two three.\n\nFour five."))
    point = _point(view, "m1", 3)
    view.parts.pointer.let_go()
    for _ in range(3):
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert copied_text(view) == "One two three."


def test_a_drag_after_a_double_click_goes_by_words(world: World) -> None:
    view = world.open(make_thread(2, lambda place: "Alpha beta gamma delta."))
    metrics = view.parts.viewport_layout.style.metrics("text")
    point = _point(view, "m1", 4)
    view.parts.pointer.let_go()
    end = _point(view, "m1", metrics.horizontalAdvance("Alpha beta ga"))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    move_mouse(view.viewport(), end)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert copied_text(view) == "Alpha beta gamma"


def test_a_drag_outside_scrolls_and_goes_on(world: World, qtbot) -> None:
    view = world.open(make_thread(200))
    start = _point(view, "m199", 300)
    _press(view, start)
    move_mouse(view.viewport(), QPoint(start.x(), -300))
    qtbot.waitUntil(lambda: view.entries[0].message.position < 150)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(start.x(), -300))
    assert not view.parts.pointer.findChild(QTimer).isActive()
    text = copied_text(view)
    assert text.endswith("Message number 199.")
    assert text.count("\n\n") > 20


# With the keyboard


def test_shift_and_arrows_select_letters_words_and_lines(world: World) -> None:
    view = world.open(make_thread(3, lambda place: f"Alpha beta {place}.\n\nGamma."))
    view.jump_to("m1")
    _keys(view, Qt.Key.Key_Right, _SHIFT, 3)
    assert copied_text(view) == "Alp"
    _keys(view, Qt.Key.Key_Right, _SHIFT | _CONTROL)
    assert copied_text(view).rstrip() == "Alpha"
    _keys(view, Qt.Key.Key_Left, _SHIFT, 1)
    _keys(view, Qt.Key.Key_End, _SHIFT)
    assert copied_text(view) == "Alpha beta 1."
    _keys(view, Qt.Key.Key_Down, _SHIFT)
    assert copied_text(view) == "Alpha beta 1.\n\nGamma."
    _keys(view, Qt.Key.Key_Up, _SHIFT)
    _keys(view, Qt.Key.Key_Home, _SHIFT)
    _keys(view, Qt.Key.Key_Right, _SHIFT)
    assert copied_text(view) == "A"


def test_letters_go_on_in_the_next_text_and_back(world: World) -> None:
    view = world.open(make_thread(3, lambda place: f"ab {place}"))
    view.jump_to("m1")
    _keys(view, Qt.Key.Key_Right, _SHIFT, 6)
    assert copied_text(view) == "ab 1\n\na"
    _keys(view, Qt.Key.Key_Left, _SHIFT, 4)
    assert copied_text(view) == "ab"
    _keys(view, Qt.Key.Key_Left, _SHIFT | _CONTROL, 3)
    assert copied_text(view) == "0"


def test_everything_from_here_to_either_end(world: World) -> None:
    view = world.open(make_thread(4))
    view.jump_to("m1")
    _keys(view, Qt.Key.Key_End, _SHIFT | _CONTROL)
    assert copied_text(view) == "\n\n".join(f"Message number {place}." for place in (1, 2, 3))
    _keys(view, Qt.Key.Key_Home, _SHIFT | _CONTROL)
    assert copied_text(view) == "Message number 0."


def test_a_caret_walks_through_the_text(world: World) -> None:
    view = world.open(make_thread(30, lambda place: f"Words of {place}. " * 60))
    view.jump_to("m10")
    QTest.keyClick(view, Qt.Key.Key_F7)
    assert view.parts.caret.place is not None
    view.grab()
    for _ in range(40):
        QTest.keyClick(view, Qt.Key.Key_Down)
    place = view.parts.caret.place
    assert place.entry.message.position > 10
    area = view.parts.caret.area_of(place)
    top = view.parts.viewport_layout.origin_of(place.item).y() + area.top()
    assert 0 <= top <= view.viewport().height()
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Home)
    QTest.keyClick(view, Qt.Key.Key_Right, _CONTROL)
    QTest.keyClick(view, Qt.Key.Key_Left, _CONTROL)
    assert view.parts.caret.place.item is place.item
    QTest.keyClick(view, Qt.Key.Key_F7)
    assert view.parts.caret.place is None


def test_a_caret_in_an_empty_thread_stays_away(world: World) -> None:
    view = world.open(FakeThread([]))
    QTest.keyClick(view, Qt.Key.Key_F7)
    _keys(view, Qt.Key.Key_Right, _SHIFT)
    assert view.parts.caret.place is None


# Over what is not loaded


@pytest.mark.parametrize("knows_at", [True, False])
def test_everything_is_copied_also_what_was_never_loaded(world: World, knows_at: bool) -> None:
    view = world.open(make_thread(700), knows_at=knows_at)
    _keys(view, Qt.Key.Key_A, _CONTROL)
    assert copied_text(view) == "\n\n".join(f"Message number {place}." for place in range(700))


def test_a_selection_stays_while_its_start_is_unloaded(world: World) -> None:
    view = world.open(make_thread(900), knows_at=True)
    _press(view, _point(view, "m899", 0))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=_point(view, "m899", 0))
    view.jump_to("m300")
    world.settle()
    assert all(each.message.position < 890 for each in view.entries)
    _press(view, _point(view, "m300", 0), _SHIFT)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, _SHIFT, _point(view, "m300", 0))
    assert copied_text(view) == "\n\n".join(f"Message number {place}." for place in range(300, 899))
    view.jump_to("m899")
    world.settle()
    assert view.parts.selection.range() is not None


def test_unrendered_messages_are_rendered_for_the_copy(world: World) -> None:
    view = world.open(make_thread(60, lambda place: f"Some **bold {place}**."))
    _keys(view, Qt.Key.Key_A, _CONTROL)
    assert copied_text(view) == "\n\n".join(f"Some **bold {place}**." for place in range(60))


def test_a_copy_under_way_is_given_up_for_a_newer_one_and_for_another_thread(world: World) -> None:
    thread = make_thread(300)
    view = world.open(thread)
    _keys(view, Qt.Key.Key_A, _CONTROL)
    thread.held = []
    QGuiApplication.clipboard().setText("before")
    QTest.keyClick(view, Qt.Key.Key_C, _CONTROL)
    view.show_thread(None)
    assert thread.held
    for deliver in thread.held:
        deliver()
    assert QGuiApplication.clipboard().text() == "before"


def test_a_very_long_selection_is_cut_and_the_reader_is_told(world: World, monkeypatch) -> None:
    monkeypatch.setattr(selection_loader, "MOST_MESSAGES", 50)
    monkeypatch.setattr("chatdesk.ui.transcript.copying.clipboard.MOST_MESSAGES", 50)
    monkeypatch.setattr("chatdesk.ui.transcript.copying.clipboard.MOST_RENDERED", 10)
    monkeypatch.setattr(selection_loader, "MOST_RENDERED", 10)
    view = world.open(make_thread(400))
    said: list[str] = []
    view.announced.connect(said.append)
    _keys(view, Qt.Key.Key_A, _CONTROL)
    assert copied_text(view).count("\n\n") == 49
    assert said == ["The first 50 messages were copied."]
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


# Forms


def _copy(view, form: str):
    view.copy_as(form)
    return QGuiApplication.clipboard().mimeData()


def test_a_message_is_copied_as_its_source_with_its_looks(world: World) -> None:
    view = world.open(FakeThread([make_message(0, _RICH, role=Role.ASSISTANT)]))
    data = _copy(view, "copy")
    assert data.text() == _RICH
    html = data.html()
    for piece in (
        "<h1>Head &amp; line</h1>",
        "<strong>bold</strong>",
        "<em>leaning</em>",
        "<s>gone</s>",
        "<code>code</code>",
        '<a href="https://a.example/?a=1&amp;b=2">link</a>',
        "<blockquote>\n<p>quoted <strong>text</strong></p>\n</blockquote>",
        '<th style="text-align:right">a</th>',
        "<td>x</td>",
        "if a &lt; b:\n    print(&quot;`&quot;)",
        '<code class="language-python">',
        "<ol>",
    ):
        assert piece in html, piece
    assert html.count("<ul>") == html.count("</ul>") == 2
    assert html.count("<li>") == html.count("</li>") == 5
    assert "<img" not in html


def test_plain_text_has_no_marks(world: World) -> None:
    view = world.open(FakeThread([make_message(0, _RICH, role=Role.ASSISTANT)]))
    data = _copy(view, "copy-plain")
    assert "Some bold, leaning, gone and code with a link." in data.text()
    assert not data.hasHtml()
    assert _copy(view, "copy-rich").hasHtml()


def test_markdown_of_a_part_gives_that_part_again(world: World) -> None:
    from chatdesk.core.rendering.markdown import parse_markdown
    from tests.helpers.block_words import blocks_to_plain

    view = world.open(FakeThread([make_message(0, _RICH + "\nEnd.", role=Role.ASSISTANT)]))
    view.jump_to("m0")
    _keys(view, Qt.Key.Key_End, _SHIFT | _CONTROL)
    _keys(view, Qt.Key.Key_Left, _SHIFT, 1)
    text = _copy(view, "copy-markdown").text()
    assert text.startswith("# Head & line\n\nSome **bold**, *leaning*, ~~gone~~ and `code`")
    assert text.endswith("End")
    assert blocks_to_plain(parse_markdown(text)) == blocks_to_plain(parse_markdown(_RICH + "\nEnd"))


def test_markdown_of_part_of_a_word_keeps_its_style(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "Some **bold words** here.", role=Role.ASSISTANT)]))
    view.jump_to("m0")
    _keys(view, Qt.Key.Key_Right, _SHIFT, 9)
    assert _copy(view, "copy-markdown").text() == "Some **bold**"


def test_hostile_links_do_not_get_into_the_html(world: World) -> None:
    text = "[a](javascript:x) ![i](http://evil.example/p.png)"
    view = world.open(FakeThread([make_message(0, text, role=Role.USER)]))
    html = _copy(view, "copy-rich").html()
    assert 'href="javascript' not in html
    assert "<img" not in html


def test_cells_of_a_table_run_in_no_spreadsheet_but_one_cell_alone_is_copied_as_it_is(world: World) -> None:
    text = "| =SUM(a) | b |\n|---|---|\n| =HYPERLINK(1) | -5 |\n| \uff1dA1 | --help |"
    view = world.open(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    plain = _copy(view, "copy-plain").text()
    assert plain.splitlines() == ["'=SUM(a)\tb", "'=HYPERLINK(1)\t-5", "'\uff1dA1\t--help"]
    html = _copy(view, "copy-rich").html()
    assert ">=HYPERLINK(1)</td><td>-5</td>" in html
    assert html.count("data-sheets-value") == html.count("mso-number-format") == 3
    view.jump_to("m0")
    _keys(view, Qt.Key.Key_Right, _SHIFT, 4)
    assert _copy(view, "copy-plain").text() == "=SUM"


def test_notices_and_tools_are_no_content(world: World) -> None:
    thread = make_thread(2)
    thread.messages[1] = make_message(1, "Half", error="It broke.")
    view = world.open(thread)
    _keys(view, Qt.Key.Key_A, _CONTROL)
    assert copied_text(view) == "Message number 0.\n\nHalf"


@pytest.mark.parametrize(
    "text",
    ["one\n\ntwo\n\n***", "***\n\none\n\ntwo", "***\n\none\n\n***\n\ntwo\n\n***"],
)
def test_a_line_across_at_an_end_goes_along_with_the_words_beside_it(world: World, text: str) -> None:
    view = world.open(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    entry = view.parts.layout.entries[0]
    begin, end = entry.body
    words = [index for index in range(begin, end) if entry.items[index].text]
    to_end = excerpts([entry], SelectedRange((0, words[0], 1), (0, words[-1], len("two"))))
    assert as_markdown(to_end) == f"ne{text.removeprefix('***').strip().removeprefix('one')}"
    from_start = excerpts([entry], SelectedRange((0, words[0], 0), (0, words[-1], 2)))
    assert as_markdown(from_start) == f"{text.removesuffix('***').strip().removesuffix('two')}tw"
