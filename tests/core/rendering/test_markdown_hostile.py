"""Text made to hurt: it ends in time, in blocks of bounded number and size, and never in an exception."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterable
from itertools import islice

import pytest

from chatdesk.core.rendering.block_rules import MAX_TABLE_CELLS
from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, Paragraph, Span, Table
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.rendering.list_rule import MAX_CONTAINER_LEVEL
from chatdesk.core.rendering.markdown import clean_source, parse_markdown
from chatdesk.core.rendering.streaming import StreamingMarkdown
from tests.helpers.block_words import block_to_plain
from tests.helpers.examples import examples
from tests.helpers.hostile_text import MAX_BYTES, PATTERNS, HostileInput, iter_inputs, make_input

INPUTS = examples(2000)
_IN_FLIGHT = 16
# Visible forms of hidden characters take up to nine characters for one; a tab between cells and "↩" come on top.
_GROWTH = 10

Blocks = tuple[Block, ...]


def spans_of(block: Block) -> Iterable[Span]:
    if isinstance(block, Paragraph | Heading):
        yield from block.spans
    elif isinstance(block, Table):
        for row in (block.header, *block.rows):
            for cell in row:
                yield from cell


def complaints(text: str, blocks: Blocks) -> list[str]:
    """What in ``blocks`` is out of proportion to ``text``."""
    room = len(text) + 16
    found: list[str] = []
    if len(blocks) > room:
        found.append(f"{len(blocks)} blocks")
    if (spans := sum(1 for block in blocks for _ in spans_of(block))) > 2 * room:
        found.append(f"{spans} spans")
    if (size := sum(len(block_to_plain(block)) for block in blocks)) > _GROWTH * room:
        found.append(f"{size} characters")
    if any(block.at.list_depth + block.at.quote_depth > MAX_CONTAINER_LEVEL for block in blocks):
        found.append("deep nesting")
    for block in blocks:
        if isinstance(block, Table) and len(block.alignments) * (len(block.rows) + 1) > MAX_TABLE_CELLS:
            found.append("a large table")
        if "\u202e" in block_to_plain(block) or "\0" in block_to_plain(block):
            found.append("hidden characters")
    return found


@pytest.mark.long
def test_no_hostile_text_reaches_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    """Through the worker, as in the window. A text that kills it or takes 5 s would be logged and shown plain."""
    caplog.set_level(logging.WARNING)
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    client = RenderClient(calls.put)
    inputs = iter_inputs(20_260, INPUTS, 16 * 1024)
    bad: list[tuple[HostileInput, list[str]]] = []
    answered = 0

    def ask(given: HostileInput) -> None:
        def take(blocks: Blocks) -> None:
            nonlocal answered
            ticket.cancel()  # colours are not wanted
            answered += 1
            if found := complaints(given.text, blocks):
                bad.append((given, found))
            for following in islice(inputs, 1):
                ask(following)

        ticket = client.request(given.text, take)

    try:
        for given in islice(inputs, _IN_FLIGHT):
            ask(given)
        while answered < INPUTS:
            calls.get(timeout=30)()
    finally:
        client.close()
    assert [(given.pattern, given.seed, len(given.text), found) for given, found in bad] == []
    assert [record.message for record in caplog.records] == []


@pytest.mark.parametrize("seed", range(4))
def test_hostile_text_in_pieces_gives_the_blocks_of_the_whole(seed: int) -> None:
    for given in iter_inputs(seed, len(PATTERNS), 1500):
        stream = StreamingMarkdown()
        step = max(1, len(given.text) // 12)
        for at in range(0, len(given.text), step):
            stream.append(given.text[at : at + step])
        stream.finish()
        assert stream.blocks == parse_markdown(given.text), given


@pytest.mark.parametrize(
    "pattern",
    [
        "brackets and backticks",
        "code spans over lines",
        "dollar lines",
        "footnote ladder",
        "list of everything",
        "open brackets",
        "open images",
        "quotes then lines",
        "widening table",
    ],
)
def test_a_large_hostile_text_stays_in_proportion(pattern: str) -> None:
    text = make_input(pattern, 1, MAX_BYTES)
    assert complaints(text, parse_markdown(text)) == []


# Where letters are no words: labels, languages, addresses of pictures, and cells that a row has too many of.
_NO_WORDS = {
    "cells of breaks": "a break is the end of a line",
    "emphasis soup": "the words behind a fence's language",
    "entities": "an entity is one sign",
    "everything in a cell": "paths that links would lead to",
    "fence with a long word": "a language is short",
    "footnote ladder": "marks show a number",
    "details": "two tags that fold",
    "images of devices": "the address is a field of its own",
    "images of long data": "pictures are seen as pictures",
    "links in links": "a link's address",
    "links with deep parentheses": "a link's address",
    "mutated answer": "the words behind a fence's language",
    "nested images": "addresses of pictures",
    "one definition again": "a definition",
    "reference definitions": "definitions",
    "references all used": "definitions",
    "tasks": "a done task's mark",
    "terminal codes": "colours of a terminal",
    "widening table": "cells that a row has too many of, as in GFM",
}


def test_every_letter_of_a_hostile_text_is_shown() -> None:
    """Limits turn structure into text; nothing may hide in it."""
    assert set(PATTERNS) >= set(_NO_WORDS)
    for pattern in set(PATTERNS) - set(_NO_WORDS):
        text = clean_source(make_input(pattern, 1, 4000))
        assert shown_letters(parse_markdown(text)) >= letters(text), pattern


def letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def shown_letters(blocks: Blocks) -> int:
    words = sum(letters(block_to_plain(block)) for block in blocks)
    targets = sum(letters(span.href or "") for block in blocks for span in spans_of(block))
    return words + targets + sum(letters(block.language) for block in blocks if isinstance(block, CodeBlock))


def test_inputs_are_the_same_every_time_and_within_their_size() -> None:
    first = list(iter_inputs(5, 400, 2000))
    assert first == list(iter_inputs(5, 400, 2000))
    assert {given.pattern for given in first} == set(PATTERNS)
    assert len(PATTERNS) >= 80
    assert all(0 < len(given.text.encode("utf-8", "surrogatepass")) <= 2000 for given in first)
    assert any(given.text != clean_source(given.text) for given in first)
