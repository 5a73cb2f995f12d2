"""Encodes blocks as plain tuples, which travel in frames between the window and the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields, replace
from operator import attrgetter
from typing import Any

from chatdesk.core.rendering.blocks import (
    CALLOUT_TITLES,
    Block,
    CodeBlock,
    CodeRun,
    Drawing,
    DrawnWords,
    Fold,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Placement,
    Rule,
    Span,
    Table,
)
from chatdesk.core.rendering.highlighting import extend_runs
from chatdesk.core.system.child_process import Wire
from chatdesk.core.texts import packed, shown, unpacked

_SPAN_FIELDS = tuple(each.name for each in fields(Span))
_SPAN_VALUES = attrgetter(*_SPAN_FIELDS)
_PLAIN_STYLES = _SPAN_VALUES(Span(""))[1:]
_DRAWING = _SPAN_FIELDS.index("drawing")


def encode_runs(runs: Sequence[CodeRun]) -> Wire:
    return tuple((run.length, run.kind) for run in runs)


def decode_runs(wire: Wire) -> tuple[CodeRun, ...]:
    return tuple(CodeRun(length, kind) for length, kind in wire)


def encode_drawing(drawing: Drawing | None) -> Wire | None:
    if drawing is None:
        return None
    return _encode_drawn(drawing)


def _encode_drawn(drawing: Drawing) -> Wire:
    tags = tuple((below, _encode_drawn(tag)) for below, tag in drawing.tags)
    return (
        drawing.width,
        drawing.ascent,
        drawing.descent,
        drawing.operations,
        drawing.points,
        drawing.inks,
        tags,
        drawing.breaks,
        tuple(map(astuple, drawing.words)),
    )


def decode_drawing(wire: Wire | None) -> Drawing | None:
    return _decode_drawn(wire) if wire is not None else None


def _decode_drawn(wire: Wire) -> Drawing:
    width, ascent, descent, operations, points, inks, tags, breaks, words = wire
    decoded = tuple((below, _decode_drawn(tag)) for below, tag in tags)
    kept = tuple(DrawnWords(*each) for each in words)
    return Drawing(width, ascent, descent, operations, points, inks, decoded, breaks, kept)


def _encode_spans(spans: Sequence[Span]) -> Wire:
    return tuple(map(_encode_span, spans))


def _encode_span(span: Span) -> Any:
    """Return the words alone if they have no style, as most have; else all fields."""
    wire: Wire = _SPAN_VALUES(span)
    if wire[1:] == _PLAIN_STYLES:
        return wire[0]
    return wire if span.drawing is None else (*wire[:_DRAWING], encode_drawing(span.drawing), *wire[_DRAWING + 1 :])


def _decode_spans(wire: Wire) -> tuple[Span, ...]:
    return tuple(Span(item) if isinstance(item, str) else _decode_span(item) for item in wire)


def _decode_span(wire: Wire) -> Span:
    span = Span(*wire)
    return span if wire[_DRAWING] is None else replace(span, drawing=decode_drawing(wire[_DRAWING]))


def _encode_row(row: Sequence[Sequence[Span]]) -> Wire:
    return tuple(_encode_spans(cell) for cell in row)


def _decode_row(wire: Wire) -> tuple[tuple[Span, ...], ...]:
    return tuple(_decode_spans(cell) for cell in wire)


def _encode_at(at: Placement) -> Wire:
    return (
        *(at.list_depth, at.quote_depth, at.marker, at.first_line, at.end_line, at.note),
        *(at.quoted_lists, at.quotes, at.is_right_to_left, at.callouts, at.is_callout_title, at.is_folded),
    )


def encode_block(block: Block) -> Wire:
    at = _encode_at(block.at)
    match block:
        case Paragraph():
            return ("paragraph", at, _encode_spans(block.spans))
        case Heading():
            return ("heading", at, block.level, _encode_spans(block.spans))
        case CodeBlock():
            runs, shape = encode_runs(block.runs), (block.is_open, block.ends_line, packed(block.remark))
            return ("code", at, block.language, block.text, runs, shape, block.pictures, block.original)
        case Table():
            rows = tuple(_encode_row(row) for row in block.rows)
            return ("table", at, block.alignments, _encode_row(block.header), rows)
        case MathBlock():
            return ("math", at, block.text, encode_drawing(block.drawing), block.is_pending)
        case ImagePlaceholder():
            return ("image", at, block.alt, block.url, block.host, block.data, packed(block.remark))
        case Rule():
            return ("rule", at)
        case Fold():
            return ("fold", at, packed(block.label))


def decode_block(wire: Wire) -> Block:
    kind = wire[0]
    at = Placement(*wire[1])
    if kind == "paragraph":
        spans = _decode_spans(wire[2])
        if at.is_callout_title and at.callouts and (title := CALLOUT_TITLES.get(at.callouts[-1])) is not None:
            spans = (replace(spans[0], text=shown(title)),)
        return Paragraph(spans, at)
    if kind == "heading":
        return Heading(wire[2], _decode_spans(wire[3]), at)
    if kind == "code":
        is_open, ends_line, remark = wire[5]
        runs = decode_runs(wire[4])
        return CodeBlock(wire[2], wire[3], runs, is_open, at, wire[6], wire[7], ends_line, unpacked(remark))
    if kind == "table":
        return Table(wire[2], _decode_row(wire[3]), tuple(_decode_row(row) for row in wire[4]), at)
    if kind == "math":
        return MathBlock(wire[2], at, decode_drawing(wire[3]), wire[4])
    if kind == "image":
        return ImagePlaceholder(wire[2], wire[3], wire[4], at, wire[5], unpacked(wire[6]))
    if kind == "rule":
        return Rule(at)
    if kind == "fold":
        return Fold(shown(unpacked(wire[2])), at)
    raise ValueError(f"unknown block kind {kind!r}")


def decode_blocks(frame: Wire) -> list[Block]:
    """Return the blocks in a frame from the worker."""
    if frame[0] == "blocks":
        return [decode_block(item) for item in frame[2]]
    return [decode_block(frame[3])] if frame[0] == "block" else []


def encode_change(old: Block | None, new: Block) -> Wire:
    """Encode ``new`` for a reader who has ``old`` in its place: only the additions to long code and tables."""
    if (
        isinstance(new, CodeBlock)
        and isinstance(old, CodeBlock)
        and (old.language, old.pictures, old.remark) == (new.language, new.pictures, new.remark)
        and old.original is new.original is None
        and new.text.startswith(old.text)
        and new.runs == extend_runs(old.runs, len(new.text) - len(old.text) if old.runs else 0)
    ):
        return ("code+", _encode_at(new.at), new.text[len(old.text) :], new.is_open, new.ends_line)
    if isinstance(new, Table) and isinstance(old, Table) and old.rows and old.header == new.header:
        same = common_prefix(old.rows, new.rows)
        if same and old.alignments == new.alignments:
            return ("table+", _encode_at(new.at), same, tuple(_encode_row(row) for row in new.rows[same:]))
    return encode_block(new)


def decode_change(old: Block | None, wire: Wire) -> Block:
    """Decode the result of ``encode_change``; ``old`` is the block in its place."""
    if wire[0] == "code+":
        assert isinstance(old, CodeBlock)
        runs = extend_runs(old.runs, len(wire[2])) if old.runs else ()
        text, at = old.text + wire[2], Placement(*wire[1])
        return replace(old, text=text, runs=runs, is_open=wire[3], ends_line=wire[4], at=at)
    if wire[0] == "table+":
        assert isinstance(old, Table)
        rows = old.rows[: wire[2]] + tuple(_decode_row(row) for row in wire[3])
        return replace(old, rows=rows, at=Placement(*wire[1]))
    return decode_block(wire)


def common_prefix(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Return how many leading items are equal."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one is not other and one != other:
            break
        count += 1
    return count
