"""Turns excerpts into blocks, and these into the formats that other programs take: plain text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from chatdesk.core.rendering.blocks import Block, CodeBlock, Fold, Heading, Paragraph, Placement, Rule, Span, Table
from chatdesk.core.rendering.html_writer import html_of
from chatdesk.core.rendering.markdown_spans import markdown_of_spans
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.spreadsheet_cells import harmless_cell
from chatdesk.ui.transcript.copying.excerpt import Excerpt, Piece, is_closed
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.spans import flow_of
from chatdesk.ui.transcript.drawing.table_columns import MAX_COLUMNS
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.image_item import ImageItem
from chatdesk.ui.transcript.items.line_item import RuleItem
from chatdesk.ui.transcript.items.math_item import MathItem
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


def blocks_of(pieces: Iterable[Piece]) -> list[Block]:
    """Return the blocks of ``pieces``; the pieces of a block that was laid out in several become one block."""
    blocks: list[Block] = []
    before: Piece | None = None
    for piece in pieces:
        item = piece.item
        last = blocks[-1] if blocks else None
        if isinstance(item, TextItem):
            spans = tuple(spans_between(item.spans, piece.start, piece.end))
            is_same = before is not None and isinstance(before.item, TextItem) and before.item.at is item.at
            if is_same and isinstance(last, Paragraph | Heading) and item.gap == 0.0:
                blocks[-1] = replace(last, spans=last.spans + spans)
            else:
                blocks.append(Heading(item.level, spans, item.at) if item.level else Paragraph(spans, item.at))
        elif isinstance(item, TableItem):
            is_same = before is not None and isinstance(before.item, TableItem) and before.item.columns is item.columns
            rows = _rows(piece, item)
            if is_same and isinstance(last, Table):
                blocks[-1] = replace(last, rows=last.rows + rows)
            else:
                block = item.columns.block
                # The header comes with every row.
                header = rows[0] if item.first == 0 and piece.start < _header_end(item) else block.header[:MAX_COLUMNS]
                rows = rows[1:] if item.first == 0 else rows
                blocks.append(Table(block.alignments[:MAX_COLUMNS], header, rows, block.at))
        else:
            blocks += _leaf(piece)
        before = piece
    return [_unfolded(block) for block in blocks] if not any(isinstance(each, Fold) for each in blocks) else blocks


def cell_words(piece: Piece) -> tuple[Span, ...] | None:
    """Return the selected spans of the only table cell that ``piece`` touches.

    None means that the piece is in no table, or touches several cells.
    """
    item = piece.item
    if not isinstance(item, TableItem):
        return None
    touched = [
        spans_between(cell, max(piece.start, start) - start, min(piece.end, end) - start)
        for row, ranges in zip(item.shown_rows, item.cells, strict=True)
        for cell, (start, end) in zip(row, ranges, strict=False)
        if min(piece.end, end) > max(piece.start, start)
    ]
    return tuple(touched[0]) if len(touched) == 1 else None


def _leaf(piece: Piece) -> list[Block]:
    item = piece.item
    if isinstance(item, CodeItem | DiagramItem):
        block = item.block
        return [
            block if piece.is_whole else CodeBlock(block.language, item.copied(piece.start, piece.end), at=block.at)
        ]
    if isinstance(item, MathItem | ImageItem):
        return [item.block]
    if isinstance(item, RuleItem):
        return [Rule(item.at)]
    if isinstance(item, FoldItem):
        return [] if is_closed(item) else [Fold(item.label)]
    words = item.copied(piece.start, piece.end)
    return [Paragraph((Span(words),), Placement())] if words else []


def _rows(piece: Piece, item: TableItem) -> tuple[tuple[tuple[Span, ...], ...], ...]:
    """Return the rows that the piece touches; cells outside the selection are empty."""
    made = []
    for place, (row, ranges) in enumerate(zip(item.shown_rows, item.cells, strict=True)):
        is_header = item.first == 0 and place == 0
        is_outside = ranges and (ranges[-1][1] <= piece.start or ranges[0][0] >= piece.end)
        if is_outside and not is_header and not piece.is_whole:
            continue
        cells = []
        for cell, (start, end) in zip(row, ranges, strict=False):
            low, high = max(piece.start, start), min(piece.end, end)
            is_all = low <= start and high >= end
            cells.append(tuple(cell) if is_all else tuple(spans_between(cell, low - start, max(low, high) - start)))
        made.append(tuple(cells))
    return tuple(made)


def _header_end(item: TableItem) -> int:
    ranges = item.cells[0]
    return ranges[-1][1] if ranges else 0


def _unfolded(block: Block) -> Block:
    return replace(block, at=replace(block.at, is_folded=False)) if block.at.is_folded else block


def spans_between(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the spans between two offsets, without the characters that the layout adds.

    ``start`` and ``end`` count the text of ``flow_of``, which includes those characters.
    """
    flow = flow_of(spans)
    cut: list[Span] = []
    place = start
    for each in flow.ranges:
        if each.end <= start or each.start >= end:
            continue
        if each.start > place:
            cut.append(Span(flow.copied(place, each.start)))
        place = min(each.end, end)
        cut.append(replace(each.span, text=flow.copied(max(each.start, start), place)))
    if place < end:
        cut.append(Span(flow.copied(place, end)))
    return [span for span in cut if span.text]
