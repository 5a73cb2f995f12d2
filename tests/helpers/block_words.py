"""The words of blocks, without their styles: what a test compares, and what must not be lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    Fold,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Rule,
    Span,
    Table,
)


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
    if isinstance(block, Fold):
        return block.label
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
