"""The code card: its tools, wrapping, folding, diffs, and code with letters of two units."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from chatdesk.core.rendering.blocks import CodeBlock, CodeRun
from chatdesk.core.rendering.code_names import suggested_name
from chatdesk.ui.transcript.drawing.code_lines import CodeLines
from chatdesk.ui.transcript.drawing.item import Outcome
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.code_item import CodeItem
from tests.ui.transcript.conftest import World, make_thread
from tests.ui.transcript.items.test_math_item import WIDTH, painted, style  # noqa: F401 - a fixture

LONG_LINE = "word " * 60


def test_tools_are_named_and_copying_comes_first(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("python", "x = 1"))
    assert item.buttons() == ()
    item.ensure_layout(style, WIDTH)
    assert [button.label for button in item.buttons()] == ["Copy python code", "Wrap lines", "Save python code…"]
    for one in item.buttons():
        assert item.button_at(one.area.center()) == one


def test_pressing_says_what_is_copied_and_saved(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("../../etc/passwd", "text\n"))
    copied, saved = item.press("copy-code"), item.press("save-code")
    assert copied is not None
    assert copied.copied == "text\n"
    assert saved is not None
    assert (saved.saved, saved.file_name) == ("text\n", "code.txt")
    assert item.press("something else") is None


@pytest.mark.parametrize(
    ("language", "name"),
    [("Python", "code.py"), ("c++", "code.cpp"), ("", "code.txt"), ("a/b", "code.txt"), (" bash ", "code.sh")],
)
def test_the_file_name_comes_from_a_table(language: str, name: str) -> None:
    assert suggested_name(language) == name


def test_wrapped_code_is_higher_and_needs_no_scrolling(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("", LONG_LINE))
    item.ensure_layout(style, WIDTH)
    height = item.height
    assert item.scroll.move(10)
    outcome = item.press("wrap-code")
    assert outcome is not None
    assert outcome.is_resized
    item.ensure_layout(style, WIDTH)
    assert item.height > height
    assert not item.scroll.move(10)
    assert item.text == LONG_LINE
    areas = item.areas_of(0, len(LONG_LINE))
    assert len(areas) > 2
    assert all(area.right() <= WIDTH for area in areas)
    assert any(button.label == "Do not wrap lines" for button in item.buttons())
    item.press("wrap-code")
    item.ensure_layout(style, WIDTH)
    assert item.height == height


@pytest.mark.parametrize(("line_length", "is_wrapped"), [(1_000, False), (10_000, True)])
def test_code_alone_wraps_where_a_line_is_too_long_to_be_read_sideways(
    style: TranscriptStyle,  # noqa: F811
    line_length: int,
    is_wrapped: bool,
) -> None:
    item = CodeItem(CodeBlock("json", "1" * line_length))
    item.is_alone = True
    item.ensure_layout(style, WIDTH)
    assert (item.is_wrapped, item.scroll.move(10)) == (is_wrapped, not is_wrapped)
    item.press("wrap-code")
    item.ensure_layout(style, WIDTH)
    assert (item.is_wrapped, item.scroll.move(10)) == (not is_wrapped, is_wrapped)


def test_wrapped_code_keeps_its_colours_and_grows(style: TranscriptStyle) -> None:  # noqa: F811
    runs = (CodeRun(4, "keyword"), CodeRun(len(LONG_LINE) - 4, "plain"))
    item = CodeItem(CodeBlock("x", LONG_LINE, runs))
    item.press("wrap-code")
    item.ensure_layout(style, WIDTH)
    rows = len(item.areas_of(0, len(item.text)))
    assert item.update(CodeBlock("x", LONG_LINE + LONG_LINE))
    item.invalidate()
    item.ensure_layout(style, WIDTH)
    assert len(item.areas_of(0, len(item.text))) > rows
    painted(item, style)


def test_long_code_counts_its_own_lines(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("", "\n".join(f"line {n}" for n in range(312))))
    item.ensure_layout(style, WIDTH)
    fold = item.buttons()[-1]
    assert fold.label == "Show all 312 lines"
    assert item.shown_lines == 40
    outcome = item.press(fold.action)
    assert outcome is not None
    assert outcome.is_resized
    item.ensure_layout(style, WIDTH)
    assert item.shown_lines == 312
    assert item.buttons()[-1].label == "Show fewer lines"


def test_lines_of_a_diff_stand_on_their_ground(style: TranscriptStyle) -> None:  # noqa: F811
    text = "-old\n+new\n same"
    item = CodeItem(CodeBlock("diff", text, (CodeRun(5, "deleted"), CodeRun(5, "inserted"), CodeRun(5, "plain"))))
    image = painted(item, style)
    right = round(WIDTH) - 10
    grounds = [image.pixelColor(right, round(area.center().y())).name() for area in item.areas_of(0, len(text))]
    assert len(set(grounds)) == 3
    assert grounds[2] == style.colour("code").name()
    lines = CodeLines(text, item.block.runs)
    assert [lines.tone(index) for index in range(3)] == ["deleted", "inserted", ""]


def test_a_word_coloured_inserted_within_a_line_is_no_ground() -> None:
    lines = CodeLines("a + b", (CodeRun(2, "plain"), CodeRun(3, "inserted")))
    assert lines.tone(0) == ""


def test_code_with_emoji_is_hit_and_marked_by_its_own_letters(style: TranscriptStyle) -> None:  # noqa: F811
    text = "a = '🙂🙂' # end"
    item = CodeItem(CodeBlock("python", text, (CodeRun(9, "plain"), CodeRun(5, "comment"))))
    item.ensure_layout(style, WIDTH)
    (area,) = item.areas_of(9, 14)
    assert item.offset_at(QPointF(area.x() + 0.5, area.center().y())) == 9
    assert item.offset_at(QPointF(area.right() - 0.5, area.center().y())) == 14
    painted(item, style, selected=(4, 10))


def test_tools_show_when_the_message_has_the_attention(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("python", "x = 1"))
    assert painted(item, style, is_attended=True) != painted(item, style)


def test_the_keyboard_saves_wraps_and_moves_code(world: World) -> None:
    view = world.open(make_thread(2, lambda place: f"```python\n{LONG_LINE}\n```" if place else "?"))
    saved: list[tuple[str, str]] = []
    view.parts.actions.saveRequested.connect(lambda text, name: saved.append((text, name)))
    view.setFocus()
    world.settle()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    item = next(each for each in view.entries[1].items if isinstance(each, CodeItem))
    before = item.areas_of(0, 1)[0].x() if item.areas_of(0, 1) else 0.0
    QTest.keyClick(view, Qt.Key.Key_Right)
    after = item.areas_of(0, 1)
    assert not after or after[0].x() < before or after[0].width() == 0
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert item.is_wrapped
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert saved == [(LONG_LINE + "\n", "code.py")]


def test_copying_puts_plain_text_on_the_clipboard(world: World) -> None:
    view = world.open(make_thread(2, lambda place: "```\n<b>x</b>\u200b\x1b[1m\n```" if place else "?"))
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    data: QMimeData = QGuiApplication.clipboard().mimeData()
    assert data.text() == "<b>x</b>\u200b\x1b[1m\n"
    assert not data.hasHtml()


@pytest.mark.parametrize(
    "before",
    [
        (CodeRun(3, "keyword"), CodeRun(22, "plain")),
        (CodeRun(25, "plain"),),
        (CodeRun(4, "keyword"), CodeRun(21, "plain")),
        (CodeRun(3, "string"), CodeRun(22, "plain")),
    ],
)
def test_lines_whose_colours_are_other_ones_are_laid_out_anew(before: tuple[CodeRun, ...]) -> None:
    text = "for i in a:\n    print(i)\nx"
    real = (CodeRun(3, "keyword"), CodeRun(3, "plain"), CodeRun(2, "keyword"), CodeRun(18, "plain"))
    lines = CodeLines(text, before)
    assert lines.replace(text, real) == 0
    assert lines.runs_in(0) == [(0, 3, "keyword"), (6, 2, "keyword")]


def test_lines_that_look_the_same_keep_their_layout() -> None:
    text, runs = "a = 1\nb = 2\nc", (CodeRun(1, "name"), CodeRun(9, "plain"), CodeRun(3, "number"))
    lines = CodeLines(text, runs)
    assert lines.replace(text, runs) == 2
    longer = (CodeRun(1, "name"), CodeRun(9, "plain"), CodeRun(1, "number"), CodeRun(2, "plain"))
    assert lines.replace(text, longer) == 1
    assert lines.replace(text + "\nd", (*longer[:-1], CodeRun(4, "plain"))) == 2


def test_colours_of_other_code_go_out() -> None:
    lines = CodeLines("if x:", (CodeRun(2, "keyword"), CodeRun(3, "plain")))
    lines.replace("fi x;", ())
    assert lines.runs_in(0) == []


PAGE = "<!doctype html>\n<h1>Plan</h1>\n"


def test_html_that_is_whole_can_be_opened_in_the_browser(style: TranscriptStyle) -> None:  # noqa: F811
    item = CodeItem(CodeBlock("HTML", PAGE))
    assert painted(item, style, is_attended=True) != painted(item, style)
    labels = [each.label for each in item.buttons()]
    assert labels[-1] == "Open this page in your browser" and len(set(labels)) == 4
    assert item.press("show-page") == Outcome(page=PAGE)
    for other in (CodeBlock("html", PAGE, is_open=True), CodeBlock("python", PAGE), CodeBlock("", PAGE)):
        plain = CodeItem(other)
        plain.ensure_layout(style, WIDTH)
        assert len(plain.buttons()) == 3


def test_the_menu_offers_to_open_the_page_of_a_message(world: World) -> None:
    texts = ["?", f"First:\n\n```html\n<p>old</p>\n```\n\nBetter:\n\n```html\n{PAGE}```\n", "```python\n'<p>'\n```"]
    view = world.open(make_thread(3, lambda place: texts[place]))
    opened: list[tuple[str, str]] = []
    view.actionRequested.connect(lambda *what: opened.append(what))
    world.settle()
    view.jump_to("m1")
    assert view.parts.actions.offered("open-page") == "open-page"
    assert view.parts.actions.act("open-page")
    assert opened == [("open-page", "m1")]
    view.jump_to("m2")
    assert view.parts.actions.offered("open-page") is None
