"""Blocks without Markdown: text as it is cut into paragraphs, and blocks turned back into text.

The fallback when no parser can be trusted with a text, so it must not import one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Placement,
    Rule,
    Span,
    Table,
)
from chatdesk.core.rendering.safety import visible_controls

# A layout of one long text block costs more than linear time, so the fallback never makes a long one.
MAX_PIECE_CHARS = 4000


def plain_blocks(text: str) -> tuple[Block, ...]:
    """``text`` as paragraphs at blank lines, long ones in pieces; line ends stay."""
    blocks: list[Block] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    piece: list[str] = []
    size = 0
    first = 0
    for number, line in enumerate(lines):
        if not line.strip() or size + len(line) > MAX_PIECE_CHARS:
            _add_pieces(blocks, "\n".join(piece), first, number)
            piece, size = [], 0
        if line.strip():
            if not piece:
                first = number
            piece.append(line)
            size += len(line) + 1
    _add_pieces(blocks, "\n".join(piece), first, len(lines))
    return tuple(blocks)


def _add_pieces(blocks: list[Block], text: str, first: int, end: int) -> None:
    for start in range(0, len(text), MAX_PIECE_CHARS):
        piece = visible_controls(text[start : start + MAX_PIECE_CHARS])
        blocks.append(Paragraph((Span(piece),), Placement(first_line=first, end_line=end)))


def spans_to_plain(spans: Iterable[Span]) -> str:
    """The words of ``spans`` without their styles."""
    return "".join(span.text for span in spans)


def block_to_plain(block: Block) -> str:
    """One block as a reader would say it, without its marker; a table has tabs between cells."""
    if isinstance(block, Paragraph | Heading):
        return spans_to_plain(block.spans)
    if isinstance(block, CodeBlock | MathBlock):
        return block.text
    if isinstance(block, Table):
        rows = (block.header, *block.rows)
        return "\n".join("\t".join(spans_to_plain(cell) for cell in row) for row in rows)
    if isinstance(block, ImagePlaceholder):
        return block.alt or block.url
    assert isinstance(block, Rule)
    return ""


def blocks_to_plain(blocks: Sequence[Block]) -> str:
    """All blocks as plain text, markers and indents kept, a blank line between blocks that are not of one list."""
    pieces: list[str] = []
    was_listed = False
    for block in blocks:
        at = block.at
        text = "---" if isinstance(block, Rule) else block_to_plain(block)
        lead = "> " * at.quote_depth + "  " * max(0, at.list_depth - 1)
        head = lead + (f"{at.marker} " if at.marker is not None else "  " if at.list_depth else "")
        body = text.replace("\n", "\n" + "> " * at.quote_depth + " " * (len(head) - 2 * at.quote_depth))
        if pieces:
            pieces.append("\n" if was_listed and at.list_depth and at.marker is not None else "\n\n")
        pieces.append(head + body)
        was_listed = at.list_depth > 0
    return "".join(pieces)


def estimate_lines(text: str, chars_per_line: int) -> int:
    """About how many lines ``text`` takes when wrapped at ``chars_per_line``."""
    width = max(1, chars_per_line)
    return sum(max(1, -(-len(line) // width)) for line in text.split("\n"))
