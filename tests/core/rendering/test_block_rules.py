"""Definition lists: terms, and what is said of them below."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.html_writer import html_of
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.rendering.streaming import StreamingMarkdown
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from chatdesk.ui.transcript.speech.narration import spoken
from tests.helpers.block_outline import outline_blocks

SHAPES = {
    "two definitions": ("Term\n: one\n: two", [["", "p", "Term"], ["1 :", "p", "one"], ["1 :", "p", "two"]]),
    "several terms": ("A\nB\n: x", [["", "p", "A\nB"], ["1 :", "p", "x"]]),
    "wide mark": ("T\n:   x\n    y", [["", "p", "T"], ["1 :", "p", "x\ny"]]),
    "blank line": ("T\n\n: x\n\n: y", [["", "p", "T"], ["1 :", "p", "x"], ["1 :", "p", "y"]]),
    "two groups": (
        "T\n: x\n\nU\n: y",
        [["", "p", "T"], ["1 :", "p", "x"], ["", "p", "U"], ["1 :", "p", "y"]],
    ),
    "paragraphs and a list": (
        "T\n: x\n\n  y\n\n  - z\n\nend",
        [["", "p", "T"], ["1 :", "p", "x"], ["1", "p", "y"], ["2 •", "p", "z"], ["", "p", "end"]],
    ),
    "code": ("T\n: ```py\n  x\n  ```", [["", "p", "T"], ["1 :", "code py", "x"]]),
    "styled": ("**T**\n: *x*", [["", "p", {"bold": "T"}], ["1 :", "p", {"italic": "x"}]]),
}
NONE = [
    ": x", "# H\n: x", "```\nx\n```\n: d", "T\n:x", "T\n:", "T\n: ", "T\n    : x", "- a\n: b", "T\n\n\n: x",
    "$$\nx\n$$\n: d", "| a |\n|:-:|\n| b |", "***\n: x",
]  # fmt: skip


def _is_definition(blocks: tuple[Block, ...]) -> bool:
    return any(block.at.marker == ":" for block in blocks)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("first", "rest", "place"), [("", "", ""), ("> ", "> ", ">"), ("- ", "  ", "1")])
def test_terms_have_their_definitions_below(name: str, first: str, rest: str, place: str) -> None:
    text, expected = SHAPES[name]
    lines = text.split("\n")
    blocks = parse_markdown("\n".join((first + lines[0], *((rest + line).rstrip() for line in lines[1:]))))
    shapes = [each[0].removeprefix(place).strip() for each in outline_blocks(blocks)] if place == ">" else None
    if not place:
        assert outline_blocks(blocks) == expected
    elif shapes is not None:
        assert shapes == [each[0] for each in expected]
    assert _is_definition(blocks)
    assert outline_blocks(parse_markdown(markdown_of(blocks))) == outline_blocks(blocks)


@pytest.mark.parametrize("text", NONE)
def test_other_colons_are_words(text: str) -> None:
    blocks = parse_markdown(text)
    assert not _is_definition(blocks)
    assert outline_blocks(parse_markdown(markdown_of(blocks))) == outline_blocks(blocks)


@pytest.mark.parametrize("name", SHAPES)
def test_a_stream_gives_the_same_and_nothing_that_was_shown_goes(name: str) -> None:
    text = f"Before\n\n{SHAPES[name][0]}\n\nAfter it all"
    stream = StreamingMarkdown()
    count = 0
    for character in text:
        stream.append(character)
        assert len(stream.blocks) >= count
        count = len(stream.blocks)
    stream.finish()
    assert stream.blocks == parse_markdown(text)


def test_html_has_lists_of_definitions() -> None:
    blocks = parse_markdown("T\n: x\n: - y\n\nU\n: z\n\nend")
    assert html_of(blocks).replace("\n", "") == (
        "<dl><dt>T</dt><dd>x</dd><dd><ul><li>y</li></ul></dd></dl><dl><dt>U</dt><dd>z</dd></dl><p>end</p>"
    )
    exported = HtmlBlocks("m").html(parse_markdown("T\n: x\n: y\n\n- a")).replace("\n", "")
    assert exported == "<p>T</p><dl><dd><p>x</p></dd><dd><p>y</p></dd></dl><ul><li><p>a</p></li></ul>"


def test_a_reader_hears_what_is_a_definition() -> None:
    said = [spoken(block, 0, is_complete=True)[0] for block in parse_markdown("T\n: x")]
    assert said == [["T"], ["definition x"]]
