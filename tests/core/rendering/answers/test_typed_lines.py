"""What a person typed on several lines stays on several lines."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.answers.typed_lines import with_line_breaks
from chatdesk.core.rendering.blocks import CodeBlock, Paragraph
from chatdesk.core.rendering.markdown import parse_markdown


def _lines(text: str) -> list[str]:
    found = []
    for block in parse_markdown(with_line_breaks(text)):
        if isinstance(block, Paragraph):
            found += "".join(span.text for span in block.spans).split("\n")
        elif isinstance(block, CodeBlock):
            found += block.text.split("\n")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Please do:\nAction a\nAction b",
        "one\r\ntwo\r\nthree",
        "a\n\nb\nc",
        "hard  \nalready\\\ntoo",
        "```\ncode  \nmore\n```",
        "before\n~~~ text\n# no heading\n~~~\nafter\nit",
    ],
)
def test_each_typed_line_is_a_line(text: str) -> None:
    words = [each.rstrip(" \\\r") for each in text.split("\n")]
    shown = [each.rstrip() for each in _lines(text)]
    assert shown == [each for each in words if each and not each.startswith(("```", "~~~"))]


@pytest.mark.parametrize("text", ["- a\n- b", "| a | b |\n|---|---|\n| 1 | 2 |", "# H\ntext", "> a\n\nb", "$$\nx\n$$"])
def test_other_blocks_stay_what_they_are(text: str) -> None:
    assert [type(each) for each in parse_markdown(with_line_breaks(text))] == [type(e) for e in parse_markdown(text)]


def test_indented_lines_behind_a_line_are_lines() -> None:
    assert _lines("Do:\n    a\n    b") == ["Do:", "a", "b"]


def test_code_is_not_touched() -> None:
    text = "```python\nx = 1\ny = 2\n```"
    assert with_line_breaks(text) == text
