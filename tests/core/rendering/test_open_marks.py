"""Marks that are open while text comes are closed for the time being: no marks flash, and nothing that was goes."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Block, Heading, MathBlock, Paragraph, Span, Table
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.streaming import StreamingMarkdown


def spans_after(text: str) -> tuple[Span, ...]:
    """Of the last block, when ``text`` has come letter by letter."""
    block = blocks_after(text)[-1]
    assert isinstance(block, Paragraph | Heading)
    return block.spans


def blocks_after(text: str) -> tuple[Block, ...]:
    parser = StreamingMarkdown()
    for letter in text:
        parser.append(letter)
    return parser.blocks


def words(blocks: tuple[Block, ...]) -> str:
    found = []
    for block in blocks:
        if isinstance(block, Paragraph | Heading):
            found.append("".join(span.text for span in block.spans))
        elif isinstance(block, Table):
            found += [span.text for row in (block.header, *block.rows) for cell in row for span in cell]
    return "\n".join(found).rstrip()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("Say **bo", Span("bo", is_bold=True)),
        ("Say **bold, ", Span("bold,", is_bold=True)),
        ("Say *lean", Span("lean", is_italic=True)),
        ("Say _lean", Span("lean", is_italic=True)),
        ("Say ***both", Span("both", is_bold=True, is_italic=True)),
        ("Say **bold *and lean", Span("and lean", is_bold=True, is_italic=True)),
        ("Say `co", Span("co", is_code=True)),
        ("Say ``co ` de", Span("co ` de", is_code=True)),
        ("Say ~~go", Span("go", is_struck=True)),
        ("Say **bold `co", Span("co", is_bold=True, is_code=True)),
        ("- an item with **bo", Span("bo", is_bold=True)),
        ("> said **bo", Span("bo", is_bold=True)),
        ("> said\n> **bo", Span("bo", is_bold=True)),
        ("# **Bo", Span("Bo", is_bold=True)),
        ("这是**重", Span("重", is_bold=True)),
    ],
)
def test_an_open_mark_holds_at_once(text: str, span: Span) -> None:
    assert spans_after(text)[-1] == span


@pytest.mark.parametrize(
    "text",
    ["See [the do", "See [the docs]", "See [the docs](", "See [the docs](https://exa", "**See [the docs](https://exa"],
)
def test_a_link_shows_its_words_only(text: str) -> None:
    shown = "".join(span.text for span in spans_after(text))
    assert "See the do" in shown
    assert not set("[]()*") & set(shown)


@pytest.mark.parametrize("text", ["So $x_i^2 +", "So \\(a + b", "So $$x^2", "So $\\frac{1}{2", "So $2x + 3"])
def test_a_formula_in_words_waits_until_it_is_whole(text: str) -> None:
    assert spans_after(text) == (Span("So"),)


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and more",
        "Set $HOME to a path",
        "Use $variable here and there",
        "2*3 is six",
        "snake_case_name is",
        "a [1] b",
        "list[0",
        "5 * 3",
        "pay $60/year now",
        "a b) c] d",
    ],
)
def test_what_is_no_mark_stands_as_it_is(text: str) -> None:
    assert spans_after(text) == (Span(text),)


def test_a_mark_that_is_never_closed_is_a_letter_again_when_its_paragraph_ends() -> None:
    assert spans_after("a **b\n\nc\n") == (Span("c"),)
    assert words(blocks_after("a **b\n\nc")).startswith("a **b")


def test_a_table_is_one_from_its_first_cell_on() -> None:
    for text in (
        "| Na",
        "| Name | Va",
        "| Name | Value |\n",
        "| Name | Value |\n|--",
        "Words\n| Name | Value |\n|---|-",
    ):
        assert isinstance(blocks_after(text)[-1], Table), text
    (table,) = blocks_after("| a | b |\n|---|---|\n| **bo")
    assert isinstance(table, Table)
    assert table.rows[0][0] == (Span("bo", is_bold=True),)
    long = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 9 + "| **bo"
    (table,) = blocks_after(long)
    assert isinstance(table, Table)
    assert table.rows[9][0] == (Span("bo", is_bold=True),)


def test_lines_that_only_looked_like_a_table_become_words_again() -> None:
    assert isinstance(blocks_after("| a | b |\nwords that follow")[-1], Paragraph)


@pytest.mark.parametrize(
    "text", ["$$\nx", "$$x^2 + y", "\\[\nx^2\n", "Words\n\n$$\n\\frac{a}{b}\n", "- item\n\n  $$\n  x"]
)
def test_a_displayed_formula_has_a_place_until_it_is_whole(text: str) -> None:
    block = blocks_after(text)[-1]
    assert isinstance(block, MathBlock)
    assert (block.text, block.is_pending) == ("", True)
    closing = "\\]" if "\\[" in text else "$$"
    whole = parse_markdown(text + closing)[-1]
    assert isinstance(whole, MathBlock)
    assert not whole.is_pending


ANSWERS = [
    "Try **bold words** and `co de` now, see [the docs](https://example.org/x) and ~~gone~~ or *lean*.",
    "## A **head**\n\nFirst $x_i^2 + y$ then \\(a+b\\), which costs $5 or $6 more.\n\n- **One**: a `b`\n- *Two*: c\n",
    "1. **a *b* c**: d\n2. more `code` here\n\n> quoted **words**\n> and more\n",
    "| Name | Value |\n|---|---|\n| **bo** | `c` |\n| x | [y](https://e.org/) |\n",
    "A ***very*** long _day_ with __two__ marks, ``a ` b`` and **a `c` d**.",
]


@pytest.mark.parametrize("text", ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_what_is_shown_only_grows(text: str, size: int) -> None:
    parser, shown = StreamingMarkdown(), ""
    for at in range(0, len(text), size):
        parser.append(text[at : at + size])
        now = words(parser.blocks)
        assert now.startswith(shown), f"{shown!r} became {now!r}"
        shown = now
    parser.finish()
    assert parser.blocks == parse_markdown(text)
