"""Text in pieces gives the same blocks as the whole, without flicker on the way."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, Paragraph, Table
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.streaming import StreamingMarkdown
from tests.helpers.block_words import spans_to_plain
from tests.helpers.examples import examples

PIECES = [
    "# H\n", "text", "\n", "\n\n", "- ", "- a\n", "1. ", "2. b\n", "  - n\n", "```", "```py\n", "code\n", "| a | b |\n",
    "|---|---|\n", "| 1 | 2 |\n", "**", "*", "`", "$", "$$", "\\[", "\\]", "\\(", "[x](http://a)", "[foo]",
    "[foo]: http://b\n", "[^1]", "[^1]: note\n", "> q\n", "~~", "---\n", "===\n", "\t", "  ",
    "\r\n", "\r", "\u202e", "你",
    "\u200d", "👩", "![a](b.png)", "<b>", "&amp;", "- [ ] t\n", "* z\n", "10) k\n", "`````\n",
    "~~~\n", "\\", "http://e.org/a_b ",
    "![", "![a", "](u) ", "[1]: ", "[^2]", "[^2]: n\n", "[^a]", "[^a]: z\n\n", "    more\n", "!", "= b",
    "<a", ' b="c">',
    "1) x\n", "3. y\n", "10. w\n", "100. ", "\\begin{align}\n",
    "\\end{align}\n", "\\begin{align}", "$n$th ", "![p](data:image/png;base64,iVBORw0KGgo=)",
    "![p](data:image/png;base64,iV",
    "<details>\n", "</details>\n", "<details><summary>s</summary>\n", "<summary>*t*</summary>\n",
    "<sub>", "</sub>", "<br>", "<kbd>",
    "</KBD>", "> [!NOTE]\n", "> [!tip] x\n", ">> [!NOTE]\n", "\x1b[1;31mred", "\x1b[0m\n", "$6/mo, ", "\\[ok\\] ",
    "[^1]:", "| [^2] | `c` |\n", "\n    ```\n", "www.a.b ", "&#10;",
    "\n: d\n", ": ", "  : e\n", "~", "~w~", "</b>", "\u200b", "\u200f",
    "\n    code\n", "|", "1", "\n|a|b|\n|-|-|\n" + "|1|2|\n" * 6,
]  # fmt: skip


def stream(text: str, sizes: list[int]) -> tuple[Block, ...]:
    """Feed ``text`` in pieces, applying updates as a view would."""
    parser = StreamingMarkdown()
    shown: list[Block] = []
    at = step = 0
    while at < len(text):
        size = sizes[step % len(sizes)]
        update = parser.append(text[at : at + size])
        shown[update.first_changed :] = update.blocks
        assert tuple(shown) == parser.blocks
        at, step = at + size, step + 1
    update = parser.finish()
    shown[update.first_changed :] = update.blocks
    return tuple(shown)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5)
)
def test_any_pieces_give_the_blocks_of_the_whole(text: str, sizes: list[int]) -> None:
    assert stream(text, sizes) == parse_markdown(text)


def shown_after(text: str) -> tuple[Block, ...]:
    parser = StreamingMarkdown()
    for character in text:
        parser.append(character)
    return parser.blocks


@pytest.mark.parametrize("end", ["-", "--", "=", "1", "1.", "`", "```", "```py", "|--", "#", ">", "- [", "*", "~~"])
def test_half_a_marker_is_held_back(end: str) -> None:
    blocks = shown_after("Words\n" + end)
    assert len(blocks) == 1
    assert isinstance(blocks[0], Paragraph)
    assert end not in spans_to_plain(blocks[0].spans) or end == "-"


def test_closing_bold_never_shows_as_italic() -> None:
    parser = StreamingMarkdown()
    for character in "**bold**":
        parser.append(character)
        paragraphs = [block for block in parser.blocks if isinstance(block, Paragraph)]
        assert not any(span.is_italic for block in paragraphs for span in block.spans)


def test_open_fence_is_a_code_block_from_its_first_line() -> None:
    blocks = shown_after("```py\nx = 1\ny")
    assert isinstance(blocks[0], CodeBlock)
    assert (blocks[0].text, blocks[0].is_open) == ("x = 1\ny", True)


def test_a_table_whose_lines_begin_with_words_appears_with_its_delimiter_row() -> None:
    assert isinstance(shown_after("a | b\n---|---\nc")[0], Table)
    assert isinstance(shown_after("a | b\n---")[0], Paragraph)


def test_definitions_that_come_late_are_resolved_at_the_end() -> None:
    text = "[a][r] and[^1]\n\nmiddle\n\n[r]: http://x.y\n\n[^1]: note\n"
    assert stream(text, [3]) == parse_markdown(text)


def test_a_formula_open_before_a_list_may_close_behind_an_item() -> None:
    text = "x\n\\[a\n- b\n- c\n\\]\n\nend\n"
    assert stream(text, [1]) == parse_markdown(text)


@pytest.mark.parametrize("step", [1, 5, 40])
@pytest.mark.parametrize("label", ["alt", "1", "long-name", "Ä"])
def test_a_mark_leads_to_its_note_as_soon_as_that_begins(label: str, step: int) -> None:
    before = f"Words[^{label}] here.\n\n## Heading\n\n- more[^other]\n- words\n\n"
    text = f"{before}[^{label}]: The note itself.\n\n[^other]: Another."
    parser = StreamingMarkdown()
    for at in range(0, len(text), step):
        parser.append(text[at : at + step])
        if at + step >= text.index("The note") + 8:
            marks = [span.note for block in parser.blocks if isinstance(block, Paragraph) for span in block.spans]
            assert "fn-1" in marks
            assert all(block.at.marker != "•" or block.at.note is None for block in parser.blocks)
    parser.finish()
    assert parser.blocks == parse_markdown(text)


def test_a_fence_left_open_in_a_footnote_ends_with_it() -> None:
    text = "[^1]:\n    ```\n    x\n# H\n"
    assert stream(text, [1]) == parse_markdown(text)


def test_a_stream_over_the_limit_becomes_plain() -> None:
    text = "# a\n\n" + "word " * 250_000
    assert stream(text, [200_000]) == parse_markdown(text)
    assert not any(isinstance(block, Heading) for block in parse_markdown(text))


LONG = {
    "code": "```python\n" + "def f(x):\n    return x + 1\n" * 1900,
    "list": "- an item with **bold** and `code`\n" * 1400,
    "numbers": "1. an item\n   - nested\n\n   more\n" * 1400,
    "table": "| a | b |\n|---|---|\n" + "| some text | `code` |\n" * 2200,
    "mixed": (
        "## H\n\nText **b** [l](https://a.org).\n\n- a\n  - b\n\n```py\nx = 1\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    )
    * 450,
}


@pytest.mark.parametrize("name", LONG)
def test_an_addition_to_a_long_text_costs_little(name: str) -> None:
    parser, text = StreamingMarkdown(), LONG[name]
    times: list[float] = []
    for at in range(0, len(text), 132):
        started = time.thread_time()
        parser.append(text[at : at + 132])
        times.append(time.thread_time() - started)
    assert sorted(times)[int(len(times) * 0.99)] < 0.02
    parser.finish()
    assert parser.blocks == parse_markdown(text)


def test_code_that_comes_shows_no_half_colours_and_keeps_all_characters() -> None:
    text = "```\n" + "\x1b[1;31mred\x1b[0m\u200b plain\n" * 3
    parser = StreamingMarkdown()
    for character in text:
        parser.append(character)
        code = next(reversed(parser.blocks), None)
        if isinstance(code, CodeBlock):
            assert "[1" not in code.text
    parser.append("tail")
    code = parser.blocks[-1]
    assert isinstance(code, CodeBlock)
    assert code.source == text.removeprefix("```\n") + "tail"
