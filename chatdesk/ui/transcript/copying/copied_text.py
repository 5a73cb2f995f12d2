"""Turns excerpts into the formats that other programs take: plain text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, Paragraph, Placement, Span
from chatdesk.core.rendering.html_writer import html_of
from chatdesk.core.rendering.markdown_spans import markdown_of_spans
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.spreadsheet_cells import harmless_cell
from chatdesk.ui.transcript.copying.copied_blocks import blocks_of, cell_words
from chatdesk.ui.transcript.copying.excerpt import Excerpt, Piece
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.table_item import TableItem
from chatdesk.ui.transcript.items.text_item import TextItem


def as_plain(excerpts: Sequence[Excerpt], *, has_harmless_cells: bool = False) -> str:
    """Return the excerpts as plain text.

    ``has_harmless_cells`` makes sure that the cells of a table cannot run anything in a spreadsheet.
    """
    made = _harmless if has_harmless_cells else _plain
    texts = []
    for each in excerpts:
        pieces = [piece for piece in each.pieces if piece.item.is_selectable]
        texts.append(_joined(pieces, [made(piece) for piece in pieces]))
    return "\n\n".join(texts)


def as_markdown(excerpts: Sequence[Excerpt], *, is_bare: bool = False) -> str:
    """Return the excerpts as Markdown.

    A whole message is its own source, to the letter; a part of one is written again from its structure. ``is_bare``
    leaves out the marks of words that come from a single place.
    """
    return "\n\n".join(each.text if each.is_whole else _part(each, is_bare=is_bare) for each in excerpts)


def as_html(excerpts: Sequence[Excerpt]) -> str:
    body = "\n".join(html_of(_alone(blocks_of(each.pieces), each)) for each in excerpts)
    return f'<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>'


def _part(excerpt: Excerpt, *, is_bare: bool) -> str:
    blocks = blocks_of(excerpt.pieces)
    alone = _alone(blocks, excerpt)
    if alone is blocks:
        return markdown_of(blocks)
    block = alone[0]
    if isinstance(block, CodeBlock):
        return block.text if is_bare else markdown_of(alone)
    spans = block.spans if isinstance(block, Paragraph) else ()
    if is_bare and len(spans) == 1 and not spans[0].note:
        return spans[0].text
    return _with_edges(spans)


def _with_edges(spans: Sequence[Span]) -> str:
    """Return inline Markdown that keeps the blanks at its ends, so that it can be pasted into a sentence."""
    words = "".join(span.text for span in spans)
    lead = words[: len(words) - len(words.lstrip(" "))]
    return lead + markdown_of_spans(spans) + words[len(words.rstrip(" ")) :] if words.strip() else words


def _alone(blocks: list[Block], excerpt: Excerpt) -> list[Block]:
    """Return words out of one paragraph, heading or cell without the list item or table around them.

    Everything else is returned as ``blocks`` itself.
    """
    if len(blocks) != 1 or all(piece.is_whole for piece in excerpt.pieces):
        return blocks
    block = blocks[0]
    if isinstance(block, Paragraph | Heading):
        return [Paragraph(block.spans)]
    if isinstance(block, CodeBlock):
        return [replace(block, at=Placement())]
    (piece, *more) = excerpt.pieces
    words = cell_words(piece) if not more else None
    return blocks if words is None else [Paragraph(words)]


def _harmless(piece: Piece) -> str:
    if isinstance(piece.item, TableItem):
        return "\n".join("\t".join(row) for row in _cells(piece, piece.item))
    return _plain(piece)


def _cells(piece: Piece, item: TableItem) -> list[list[str]]:
    """Return the cells of a table that are copied, made harmless unless there is only one."""
    rows = [row.split("\t") for row in item.copied(piece.start, piece.end).split("\n")]
    return rows if len(rows) == len(rows[0]) == 1 else [[harmless_cell(cell) for cell in row] for row in rows]


def _plain(piece: Piece) -> str:
    return piece.item.copied(piece.start, piece.end)


def _joined(pieces: Sequence[Piece], texts: Sequence[str]) -> str:
    filled = [(piece.item, text) for piece, text in zip(pieces, texts, strict=True) if text]
    if not filled:
        return ""
    parts = [filled[0][1]]
    for (before, _), (item, text) in pairwise(filled):
        is_close = item.gap == 0.0 or (_is_list(before) and _is_list(item)) or before.kind == item.kind == "table"
        parts.append(("\n" if is_close else "\n\n") + text)
    return "".join(parts)


def _is_list(item: Item) -> bool:
    return isinstance(item, TextItem) and item.at.list_depth > 0
