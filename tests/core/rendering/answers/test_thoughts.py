"""A thought in the text of an answer is folded, in one piece and in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.rendering.answers.thoughts import StreamingAnswer, parse_answer
from chatdesk.core.rendering.blocks import Block, Fold, Paragraph, Span
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.wire import decode_block, encode_block
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from tests.helpers.block_outline import outline_blocks
from tests.helpers.examples import examples
from tests.helpers.thought_tags import FOLDED, GREETING

ANSWER = "<think>\nHm, **what**?\n\n> a quote\n\n- a\n</think>\n\n# Yes\n\n> a quote\n\n10. it\n  - is\n"
PIECES = [
    *("<think>", "</think>", "<thinking>", "</thinking>", "<th", "ink>", "</th", "<", "</", "\n", "\n\n", "> q\n", " "),
    *("- a\n", "words ", "**b** ", "```\n", "# H\n", "[^1]", "[^1]: n\n", "| a |\n|---|\n", "\r\n", "$x$ "),
]


def stream(text: str, sizes: list[int]) -> tuple[Block, ...]:
    parser, shown = StreamingAnswer(), []
    at = step = 0
    while at < len(text):
        size = sizes[step % len(sizes)]
        update = parser.append(text[at : at + size])
        shown[update.first_changed :] = update.blocks
        assert tuple(shown) == parser.blocks
        at, step = at + size, step + 1
    update = parser.finish()
    shown[update.first_changed :] = update.blocks
    assert tuple(shown) == parser.blocks
    return tuple(shown)


def test_a_thought_is_folded_and_the_answer_is_not() -> None:
    blocks = parse_answer(ANSWER)
    assert [block.at.is_folded for block in blocks] == [False, True, True, True, False, False, False, False]
    assert blocks[0] == Fold("Thought")
    assert outline_blocks(blocks[4:]) == outline_blocks(parse_markdown(ANSWER.partition("</think>")[2]))
    lines = ANSWER.split("\n")
    assert lines[blocks[4].at.first_line] == "# Yes"
    assert [decode_block(encode_block(block)) for block in blocks] == list(blocks)


@pytest.mark.parametrize(
    "text",
    [ANSWER, "<think></think>", "<THINKING>a</thinking>b", "\n <think>a</think>b", "<think>never ends", "<thin", "<b>a",
     "a <think>b</think>", "<think>a</thinking>b</think>c", "", "\n\n", "<think>a</think>b <think>c</think>",
     *FOLDED, "a\n<think>never ends", "<think>a</think>b\n<think>never ends", "a </think> b", "a\n[/THINK"],
)  # fmt: skip
def test_any_pieces_give_the_blocks_of_the_whole(text: str) -> None:
    for sizes in [[1], [2], [3, 7], [1000]]:
        assert stream(text, sizes) == parse_answer(text)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.lists(st.integers(1, 40), min_size=1, max_size=5)
)
def test_made_up_thoughts_stream_as_they_stand(text: str, sizes: list[int]) -> None:
    for made_up in ("<think>" + text, text):
        assert stream(made_up, sizes) == parse_answer(made_up)


def test_a_thought_that_comes_is_a_fold_from_its_tag_on() -> None:
    parser = StreamingAnswer()
    for character in ANSWER[:30]:
        parser.append(character)
        assert not any("think" in str(outline).lower() for outline in outline_blocks(parser.blocks)[1:])
    assert parser.blocks[0] == Fold("Thinking")


@pytest.mark.parametrize(
    "text",
    [
        "a\n<think>never ends",
        "What is <think>?",
        "`<think>` a </think> b",
        "Write `</think>`",
        "```\n<think>\n</think>\n```",
    ],
)
def test_without_a_whole_thought_at_the_beginning_nothing_is_folded(text: str) -> None:
    assert parse_answer(text) == parse_markdown(text)


@pytest.mark.parametrize("text", FOLDED)
def test_every_tag_of_a_thought_is_folded(text: str) -> None:
    blocks = parse_answer(text)
    words = [
        (block.at.is_folded, "".join(span.text for span in block.spans))
        for block in blocks
        if isinstance(block, Paragraph)
    ]
    assert [said for is_folded, said in words if is_folded] == [GREETING]
    assert [said for is_folded, said in words if not is_folded] == FOLDED[text]
    assert [block for block in blocks if isinstance(block, Fold)] == [Fold("Thought")]


def test_an_answer_that_was_cut_off_while_the_model_thought_is_a_fold() -> None:
    fold, thought = parse_answer("<think>Hm, what")
    assert fold == Fold("Thought")
    assert isinstance(thought, Paragraph) and thought.spans == (Span("Hm, what"),) and thought.at.is_folded


@pytest.mark.parametrize("thought", ["<think></think>", "<think>\n\n</think>\n\n"])
def test_an_empty_thought_is_not_shown(thought: str) -> None:
    assert [type(block) for block in parse_answer(thought + "Good morning!")] == [Paragraph]


def test_two_thoughts_are_two_folds() -> None:
    blocks = parse_answer("<think>\nFirst.\n</think>\n\nPart one.\n\n<think>\nSecond.\n</think>\n\nPart two.")
    assert [block.at.is_folded for block in blocks] == [False, True, False, False, True, False]
    assert [isinstance(block, Fold) for block in blocks] == [True, False, False, True, False, False]


def test_a_page_folds_it_too() -> None:
    page = HtmlBlocks("m").html(parse_answer(ANSWER))
    head, _, rest = page.partition("</details>")
    assert head.startswith("<details><summary>Thought</summary>")
    assert "<strong>what</strong>" in head
    assert "Yes" in rest
    assert page.count("<blockquote>") == page.count("</blockquote>") == 2
    assert "<details>" not in HtmlBlocks("m", is_for_print=True).html(parse_answer(ANSWER))
