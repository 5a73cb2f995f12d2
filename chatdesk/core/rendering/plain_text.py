"""Makes blocks without Markdown: text as it is, cut into paragraphs.

The fallback when no parser can be trusted with a text, so it must not import one.
"""

from __future__ import annotations

from chatdesk.core.hidden_characters import readable_prose
from chatdesk.core.rendering.blocks import Block, Paragraph, Placement, Span
from chatdesk.core.rendering.picture_data import written_chars

MAX_MARKDOWN_CHARS = 1024 * 1024

# A layout of one long text block costs more than linear time, so the fallback never makes a long one.
MAX_PIECE_CHARS = 4000


def is_too_long(text: str) -> bool:
    """Return whether ``text`` is too long to be parsed as Markdown. Pictures in it do not count."""
    return len(text) > MAX_MARKDOWN_CHARS and written_chars(text) > MAX_MARKDOWN_CHARS


def plain_blocks(text: str) -> tuple[Block, ...]:
    """Return ``text`` as paragraphs at blank lines, long ones in pieces; line ends stay."""
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
        piece = readable_prose(text[start : start + MAX_PIECE_CHARS])
        blocks.append(Paragraph((Span(piece),), Placement(first_line=first, end_line=end)))
