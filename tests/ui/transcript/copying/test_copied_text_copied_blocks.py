"""The copy of a part has the structure of that part: read again, it is what was selected of the tree."""

from __future__ import annotations

from random import Random

import pytest
from PySide6.QtGui import QGuiApplication, QTextTable
from PySide6.QtWidgets import QTextEdit

from chatdesk.core.domain.message import Role
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.transcript.copying.clipboard import FORMS
from chatdesk.ui.transcript.copying.copied_text import blocks_of
from chatdesk.ui.transcript.copying.excerpt import excerpts
from chatdesk.ui.transcript.copying.selection import SelectedRange, TextPlace
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.examples import sample
from tests.helpers.random_markdown import random_markdown
from tests.helpers.same_blocks import structure
from tests.helpers.typed_lines import TYPED, check_lines, text_of_page
from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread, wait_for_copy

_TEXT = """Before the list.

3. three
4. four **bold** words

   second of four

   ```python
   if a < b:
       print(1)
   ```
   - inner one
   - inner two
5. five

> quoted *words*
>
> ```
> code
> ```

***

| Name | n |
|:-----|--:|
| Ada [link](https://a.example/) | 1 |
| `Bob` | $x^2$ |
| Cy<br>Cy | 3 |

> [!TIP]
> A tip

$$
x^2
$$

After the list.
"""


def _open(world: World, *texts: str) -> TranscriptView:
    view = world.open(FakeThread([make_message(at, text, role=Role.ASSISTANT) for at, text in enumerate(texts)]))
    view.setFocus()
    return view


def _select(view: TranscriptView, begin: tuple[int, int], end: tuple[int, int], *, last: int = 0) -> None:
    """From (item, offset) of the first message to (item, offset) of message ``last``; an offset of -1 is its end."""
    for number, (place, offset), use in ((0, begin, "start"), (last, end, "extend")):
        entry = view.entries[number]
        item = entry.items[entry.body[0] + place]
        getattr(view.parts.selection, use)(TextPlace(entry, item, len(item.text) if offset < 0 else offset))


def _copy(view: TranscriptView, form: str = "copy") -> tuple[str, str]:
    view.copy_as(form)
    wait_for_copy(view)
    data = QGuiApplication.clipboard().mimeData()
    return data.text(), data.html()


def _item(view: TranscriptView, words: str) -> int:
    entry = view.entries[0]
    first, end = entry.body
    return next(at for at, item in enumerate(entry.items[first:end]) if words in item.text)


def _between(view: TranscriptView, first: str, last: str) -> tuple[str, str]:
    _select(view, (_item(view, first), 0), (_item(view, last), -1))
    return _copy(view)


@pytest.mark.parametrize("name", TYPED)
def test_every_copy_keeps_the_lines_that_were_typed(world: World, name: str) -> None:
    view = world.open(FakeThread([make_message(0, TYPED[name][0])]))
    view.setFocus()
    entry = view.entries[0]
    first, end = entry.body
    for is_part in (False, True):
        if is_part:  # of two messages, so that neither is its source
            _select(view, (0, 0), (end - first - 1, -1))
        for form in FORMS:
            text, page = _copy(view, form)
            check_lines(name, text)
            if page:
                check_lines(name, text_of_page(page))
                assert page.count("<pre>") == name.startswith("a file"), "a file is one block"


def test_items_keep_their_numbers_and_what_stands_in_them(world: World) -> None:
    view = _open(world, _TEXT)
    text, html = _between(view, "four", "five")
    assert text == (
        "4. four **bold** words\n\n   second of four\n\n   ```python\n   if a < b:\n       print(1)\n   ```\n\n"
        "   - inner one\n   - inner two\n5. five"
    )
    assert '<ol start="4">' in html
    assert '<code class="language-python">' in html


def test_rows_come_with_their_header_and_a_line_across_with_what_is_around(world: World) -> None:
    view = _open(world, _TEXT)
    entry = view.entries[0]
    place = _item(view, "Ada")
    table = entry.items[entry.body[0] + place]
    row = table.text.index("Bob")
    _select(view, (place, row - 1), (_item(view, "A tip"), -1))
    text, html = _copy(view)
    assert text.startswith("| Name | n |\n| :--- | ---: |\n| `Bob` | $x^2$ |\n| Cy<br>Cy | 3 |\n\n> [!TIP]\n> A tip")
    assert html.count("<table") == 1
    text, html = _between(view, "quoted", "Ada")
    assert text.startswith("> quoted *words*\n>\n> ```\n> code\n> ```\n\n***\n\n| Name | n |")
    assert "<hr>" in html


def test_a_long_table_is_one_table(world: World) -> None:
    rows = "\n".join(f"| {row} | x |" for row in range(40))
    view = _open(world, f"Words\n\n| a | b |\n|---|---|\n{rows}\n\nEnd here")
    text, html = _between(view, "Words", "End here")
    assert text == f"Words\n\n| a | b |\n|---|---|\n{rows}\n\nEnd here"
    _select(view, (0, 1), (_item(view, "End here"), 3))
    text, html = _copy(view)
    assert text == f"ords\n\n| a | b |\n| --- | --- |\n{rows}\n\nEnd"
    assert html.count("<table") == 1
    assert html.count("<tr>") == 41


def test_words_out_of_one_place_are_copied_bare(world: World) -> None:
    view = _open(
        world, "Some **bold words** and `ls -la` here.\n\n```sh\necho 1\necho 2\n```\n\n| a | b *c* |\n|--|--|\n"
    )
    paragraph = view.entries[0].items[view.entries[0].body[0]].text
    start = paragraph.index("ls")
    _select(view, (0, start), (0, start + 6))
    assert _copy(view)[0] == "ls -la"
    assert _copy(view, "copy-markdown")[0] == "`ls -la`"
    _select(view, (0, 5), (0, 9))
    assert _copy(view)[0] == "bold"
    _select(view, (0, 2), (0, 9))
    assert _copy(view)[0] == "me **bold**"
    _select(view, (0, 10), (0, 20))
    assert _copy(view)[0].startswith("**words** and")
    _select(view, (1, 7), (1, 13))
    assert _copy(view)[0] == "echo 2"
    assert _copy(view, "copy-markdown")[0] == "```sh\necho 2\n```"
    _select(view, (1, 0), (1, -1))
    assert _copy(view)[0] == "```sh\necho 1\necho 2\n```"
    _select(view, (2, 2), (2, 5))
    assert _copy(view)[0] == "b *c*"


def test_across_messages_whole_ones_are_their_source(world: World) -> None:
    view = _open(world, "One *two*\n\n- a\n- b", "* odd   source", "Last **bold** words")
    _select(view, (1, 0), (0, 9), last=2)
    assert _copy(view)[0] == "- a\n- b\n\n* odd   source\n\nLast **bold**"


def test_a_closed_fold_is_not_copied_and_an_open_one_with_its_label(world: World) -> None:
    view = _open(world, "Before\n\n<details>\n<summary>More</summary>\n\nInside\n\n</details>\n\nAfter it")
    _select(view, (0, 2), (_item(view, "After it"), -1))
    assert _copy(view)[0] == "fore\n\nAfter it"
    entry = view.entries[0]
    entry.toggle_fold(next(item for item in entry.items if item.kind == "fold"))
    _select(view, (0, 2), (_item(view, "After it"), -1))
    assert _copy(view)[0] == "fore\n\n<details>\n<summary>More</summary>\n\nInside\n\n</details>\n\nAfter it"
    _select(view, (_item(view, "Inside"), 0), (_item(view, "After it"), -1))
    assert _copy(view)[0] == "Inside\n\nAfter it"


@pytest.mark.parametrize("seed", sample(range(30), 12))
def test_a_random_part_is_read_again_as_that_part(world: World, seed: int) -> None:
    random = Random(seed)
    text = random_markdown(random, 5)
    view = _open(world, text)
    view.parts.selection.select_all()
    assert _copy(view)[0] == text
    entry = view.entries[0]
    first, end = entry.body
    places = [at for at in range(end - first) if entry.items[first + at].is_selectable and entry.items[first + at].text]
    for _ in range(8):
        low, high = sorted(random.choices(places, k=2))
        if low == high:
            continue
        _select(view, (low, 0), (high, -1))
        copied = _copy(view, "copy-markdown")[0]
        (excerpt,) = excerpts([entry], view.parts.selection.range())
        expected = text if excerpt.is_whole else None
        selected = parse_markdown(text) if expected is not None else blocks_of(excerpt.pieces)
        assert structure(parse_markdown(copied)) == structure(selected), copied


def test_an_editor_shows_what_was_copied(world: World, qtbot) -> None:
    view = _open(world, _TEXT)
    _between(view, "Before", "After the list")
    editor = QTextEdit()
    qtbot.addWidget(editor)
    editor.paste()
    shown = editor.toPlainText()
    for words in ("Before the list.", "four bold words", "second of four", "print(1)", "quoted words", "Bob", "A tip"):
        assert words in shown
    document = editor.document()
    blocks = [document.findBlock(position) for position in range(document.characterCount())]
    numbered = {block.text(): block.textList().itemText(block) for block in blocks if block.textList() is not None}
    assert numbered["three"] == "3."
    assert numbered["four bold words"] == "4."
    assert numbered["five"] == "5."
    assert "inner two" in numbered
    (table,) = [frame for frame in document.rootFrame().childFrames() if isinstance(frame, QTextTable)]
    assert (table.rows(), table.columns()) == (4, 2)
    bold = next(block for block in blocks if block.text() == "four bold words").begin()
    weights = []
    while not bold.atEnd():
        weights.append((bold.fragment().text(), bold.fragment().charFormat().fontWeight() > 400))
        bold += 1
    assert ("bold", True) in weights


def test_a_very_long_message_is_put_into_its_forms_beside_the_window(world: World) -> None:
    text = "\n\n".join(f"{at}. item **{at}**" for at in range(1, 3_001))
    view = _open(world, text)
    _select(view, (0, 1), (-2, -1))
    QGuiApplication.clipboard().setText("before")
    view.copy_as("copy")
    assert QGuiApplication.clipboard().text() == "before"
    wait_for_copy(view)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0] == "1. tem **1**"
    assert lines[2_345] == "2346. item **2346**"


def test_a_copy_that_is_still_made_gives_way_to_a_newer_one(world: World) -> None:
    view = _open(world, *("\n\n".join(f"words {at}" for at in range(400)) for _ in range(2)))
    _select(view, (0, 1), (3, -1), last=1)
    view.copy_as("copy")
    _select(view, (0, 0), (0, 5))
    view.copy_as("copy")
    wait_for_copy(view)
    assert QGuiApplication.clipboard().text() == "words"


def test_leaving_the_thread_gives_up_a_long_copy(world: World) -> None:
    view = world.open(make_thread(3, lambda _: "\n\n".join(f"words {at}" for at in range(400))))
    QGuiApplication.clipboard().setText("before")
    _select(view, (0, 1), (3, -1), last=2)
    view.copy_as("copy")
    view.show_thread(None)
    wait_for_copy(view)
    assert QGuiApplication.clipboard().text() == "before"


def test_a_selection_ends_where_it_ends(world: World) -> None:
    view = _open(world, "First.\n\nSecond.")
    entry = view.entries[0]
    first = entry.body[0]
    (excerpt,) = excerpts([entry], SelectedRange((0.0, first, 2), (0.0, first + 1, 0)))
    assert [piece.item.text[piece.start : piece.end] for piece in excerpt.pieces] == ["rst."]
