"""The golden answers: their structure, and how they come in as a stream."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.blocks import Block, CodeBlock, Paragraph, Span, Table
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.streaming import StreamingMarkdown
from tests.helpers.block_outline import outline_blocks, outline_place
from tests.helpers.examples import examples
from tests.helpers.golden_markdown import golden_names, golden_outline, golden_text

NAMES = golden_names()


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 60


@pytest.mark.parametrize("name", NAMES)
def test_structure(name: str) -> None:
    assert outline_blocks(parse_markdown(golden_text(name))) == golden_outline(name)


def kinds(blocks: tuple[Block, ...]) -> list[str]:
    """The kind and place of each block up to the footnotes: those are at the end, wherever the text goes on."""
    found: list[str] = []
    for block in blocks:
        if block.at.note is not None:
            break
        found.append(f"{type(block).__name__} {outline_place(block.at)}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_jumps_while_it_streams(name: str) -> None:
    """Character by character: no block before the last two changes its kind or place, none goes away again, and none
    becomes what it was before. At the end is what the whole text gives."""
    stream, text = StreamingMarkdown(), golden_text(name)
    before: list[str] = []
    past: dict[int, list[str]] = {}
    for at, character in enumerate(text):
        stream.append(character)
        now = kinds(stream.blocks)
        written = repr(text[max(0, at - 40) : at + 1])
        assert now[: max(0, len(before) - 2)] == before[:-2], f"a jump at {written}"
        assert len(now) >= len(before), f"a block vanished at {written}"
        for index, kind in enumerate(now):
            history = past.setdefault(index, [])
            if kind not in history[-1:]:
                assert kind not in history, f"flicker of block {index} at {written}"
                history.append(kind)
        before = now
    stream.finish()
    assert stream.blocks == parse_markdown(text)


@pytest.mark.parametrize("name", NAMES)
def test_any_cut_gives_the_blocks_of_the_whole(name: str) -> None:
    """`make test` cuts at four of ten characters, evenly; `make test-long` before each."""
    text = golden_text(name)
    whole = parse_markdown(text)
    cuts = len(text) - 1
    for cut in {1 + number * cuts // examples(cuts) for number in range(examples(cuts))}:
        stream = StreamingMarkdown()
        stream.append(text[:cut])
        stream.append(text[cut:])
        stream.finish()
        assert stream.blocks == whole, f"cut before {text[cut : cut + 40]!r}"


def prefixes(text: str) -> list[tuple[Block, ...]]:
    stream = StreamingMarkdown()
    found: list[tuple[Block, ...]] = []
    for character in text:
        stream.append(character)
        found.append(stream.blocks)
    return found


def spans(blocks: tuple[Block, ...]) -> list[Span]:
    return [span for block in blocks if isinstance(block, Paragraph) for span in block.spans]


def test_an_open_fence_is_a_code_card_at_every_step() -> None:
    for blocks in prefixes("Run:\n\n```python\nx = 1\n\n# not a heading\n- no list\n")[18:]:
        assert [type(block) for block in blocks] == [Paragraph, CodeBlock]


def test_an_open_table_stays_a_table() -> None:
    text = "| a | b |\n|---|---|\n"
    for blocks in prefixes(text + "| 1 | **2** |\n| `3` | [4](http://a.b) |\n")[len(text) :]:
        assert [type(block) for block in blocks] == [Table]


@pytest.mark.parametrize("line", ["---", "===", "- item", "-- no rule", "= b", "=> arrow", "- - -"])
def test_a_line_below_a_paragraph_decides_once(line: str) -> None:
    """A dash may begin a list, a rule or a heading's underline."""
    past: list[str] = []
    for blocks in prefixes(f"Words\n{line}\n"):
        shape = str(kinds(blocks))
        if shape not in past[-1:]:
            assert shape not in past
            past.append(shape)


def test_the_mark_of_a_footnote_is_one_before_its_note_comes() -> None:
    blocks = prefixes("See[^1] and[^x] now.\n")[-1]
    assert [span.note for span in spans(blocks)] == [None, "fn-1", None]
    stream = StreamingMarkdown()
    stream.append("See[^1].\n\nMore.\n\n")
    stream.finish()
    assert stream.blocks == parse_markdown("See[^1].\n\nMore.\n\n")
    assert spans(stream.blocks)[0] == Span("See[^1].")
