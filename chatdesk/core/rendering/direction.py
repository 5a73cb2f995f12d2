"""Finds the direction in which a text reads: that of its first letter that has one, as Unicode says for paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import bidirectional

from chatdesk.core.rendering.blocks import Block, Heading, Paragraph, Table


def is_right_to_left(text: str) -> bool | None:
    """Return whether ``text`` reads from right to left; None if no letter has a direction, as in numbers."""
    if text.isascii():
        return False if any(map(str.isalpha, text)) else None
    for letter in text:
        direction = bidirectional(letter)
        if direction == "L":
            return False
        if direction in ("R", "AL"):
            return True
    return None


def reads_right_to_left(blocks: Iterable[Block]) -> bool:
    """Return whether the first words among ``blocks`` read from right to left; code and formulas do not count."""
    found = (is_right_to_left(text) for block in blocks for text in _texts_of(block))
    return next((each for each in found if each is not None), False)


def _texts_of(block: Block) -> Iterator[str]:
    if block.at.is_callout_title:
        return  # our own word
    if isinstance(block, Paragraph | Heading):
        yield "".join(span.text for span in block.spans if not span.is_code and not span.is_math)
    elif isinstance(block, Table):
        for row in (block.header, *block.rows):
            yield from (span.text for cell in row for span in cell if not span.is_code and not span.is_math)
