"""A block tree as short lists that a person can read and JSON can hold.

A block is ``[place, kind, content…]``: the place is one ``>`` a quote, the depth in lists and the marker. Words are
strings; words in a style are ``{"bold code": "words"}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
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

Outline = list[list[Any]]
_STYLES = ("bold", "italic", "struck", "code", "math")


def outline_blocks(blocks: Iterable[Block]) -> Outline:
    """Everything that is drawn of ``blocks``, source lines left out."""
    return [[outline_place(block.at), *_content(block)] for block in blocks]


def outline_place(at: Placement) -> str:
    quotes = ">" * at.quote_depth + at.callout + ":" * at.is_callout_title
    parts = (quotes, str(at.list_depth or ""), at.marker or "", f"#{at.note}" if at.note else "")
    return " ".join(part for part in parts if part)


def outline_spans(spans: Sequence[Span]) -> list[Any]:
    return [_span(span) for span in spans]


def _span(span: Span) -> Any:
    styles = [style for style in _STYLES if getattr(span, f"is_{style}")]
    if span.href is not None:
        styles.append(span.href)
    if span.script:
        styles.append(span.script)
    if span.is_key:
        styles.append("key")
    if span.note is not None:
        styles.append(f"#{span.note}")
    return {" ".join(styles): span.text} if styles else span.text


def _content(block: Block) -> list[Any]:
    match block:
        case Heading():
            return [f"h{block.level}", *outline_spans(block.spans)]
        case Paragraph():
            return ["p", *outline_spans(block.spans)]
        case CodeBlock():
            kind = f"code {block.language}".strip() + (" (open)" if block.is_open else "")
            return [kind, block.text]
        case Table():
            rows = [[outline_spans(cell) for cell in row] for row in (block.header, *block.rows)]
            return [" ".join(("table", *(alignment or "-" for alignment in block.alignments))), *rows]
        case MathBlock():
            return ["math", block.text]
        case ImagePlaceholder():
            return ["image", block.alt, block.url, block.host]
        case Rule():
            return ["rule"]
        case Fold():
            return ["fold", block.label]
