"""Excerpts as text: plain as it is read, or as the Markdown that would give it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from chatdesk.core.rendering.blocks import Span
from chatdesk.core.spreadsheet_cells import harmless_cell
from chatdesk.ui.transcript.code_item import CodeItem
from chatdesk.ui.transcript.copied_spans import cut_spans_of
from chatdesk.ui.transcript.excerpt import Excerpt, Piece
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.math_item import MathItem
from chatdesk.ui.transcript.table_item import TableItem
from chatdesk.ui.transcript.text_item import TextItem

_MARKERS = {"•": "-", "☐": "- [ ]", "☑": "- [x]"}
_TICKS = re.compile(r"`+")


def as_plain(excerpts: Sequence[Excerpt], *, has_harmless_cells: bool = False) -> str:
    """``has_harmless_cells``: several cells of a table cannot run anything in a spreadsheet."""
    made = _harmless if has_harmless_cells else _plain
    return "\n\n".join(_joined(each.pieces, [made(piece) for piece in each.pieces]) for each in excerpts)


def table_rows(piece: Piece, item: TableItem) -> list[list[str]]:
    """What of a table is copied, for programs that take cells: harmless ones, but for words out of a single cell."""
    text = item.copied(piece.start, piece.end)
    rows = [row.split("\t") for row in text.split("\n")]
    return rows if len(rows) == len(rows[0]) == 1 else [[harmless_cell(cell) for cell in row] for row in rows]


def _harmless(piece: Piece) -> str:
    if isinstance(piece.item, TableItem):
        return "\n".join("\t".join(row) for row in table_rows(piece, piece.item))
    return _plain(piece)


def as_markdown(excerpts: Sequence[Excerpt]) -> str:
    """A whole message is its own source, to the letter."""
    return "\n\n".join(
        each.entry.text if each.is_whole else _joined(each.pieces, [_markdown(piece) for piece in each.pieces])
        for each in excerpts
    )


def _plain(piece: Piece) -> str:
    return piece.item.copied(piece.start, piece.end)


def _markdown(piece: Piece) -> str:
    item = piece.item
    if isinstance(item, TextItem):
        lead = "> " * item.at.quote_depth + "  " * max(0, item.at.list_depth - 1)
        text = "".join(_span(span) for span in cut_spans_of(item.spans, piece.start, piece.end))
        if piece.start == 0 and item.at.marker:
            number = item.at.marker.removesuffix(".")
            lead += f"[^{number}]: " if item.at.note else f"{_MARKERS.get(item.at.marker, item.at.marker)} "
        return (
            lead
            + "#" * item.level
            + (" " if item.level else "")
            + text.replace("\n", "\n" + "> " * item.at.quote_depth)
        )
    if isinstance(item, CodeItem):
        text = item.copied(piece.start, piece.end)
        fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
        return f"{fence}{item.block.language}\n{text}\n{fence}"
    if isinstance(item, TableItem):
        return _table(piece, item)
    if isinstance(item, MathItem):
        return f"$$\n{item.block.text.strip()}\n$$"
    return item.copied(piece.start, piece.end)


def _span(span: Span) -> str:
    text = span.text
    if span.note is not None:
        return f"[^{text}]" if span.note.startswith("fn-") else ""
    if not text.strip():
        return text
    if span.is_math:
        return f"${text}$"
    if span.is_code:
        tick = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
        room = " " if text.startswith("`") or text.endswith("`") else ""
        text = f"{tick}{room}{text}{room}{tick}"
    for is_set, mark in ((span.is_struck, "~~"), (span.is_italic, "*"), (span.is_bold, "**")):
        if is_set:
            # Marks must stand at letters: space goes outside.
            inner = text.strip()
            before = text[: len(text) - len(text.lstrip())]
            text = f"{before}{mark}{inner}{mark}{text[len(before) + len(inner) :]}"
    for is_set, tag in ((bool(span.script), span.script), (span.is_key, "kbd")):
        if is_set:
            text = f"<{tag}>{text}</{tag}>"
    return f"[{text}]({span.href})" if span.href else text


def _table(piece: Piece, item: TableItem) -> str:
    rows = item.copied(piece.start, piece.end).split("\n")
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.split("\t")) + " |" for row in rows]
    if item.first == 0 and piece.start == 0:
        columns = rows[0].count("\t") + 1
        rules = {"right": "---:", "center": ":---:", "left": ":---"}
        sides = [*item.columns.block.alignments, *[""] * columns][:columns]
        lines.insert(1, "| " + " | ".join(rules.get(side, "---") for side in sides) + " |")
    return "\n".join(lines)


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
