"""Whether two texts have the same structure: their blocks, but for what Markdown cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from markdown_it.common.normalize_url import normalizeLink

from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, Paragraph, Placement, Span, Table
from chatdesk.core.rendering.nesting import Item, Node, Quote, tree_of


def structure(blocks: Sequence[Block]) -> list[object]:
    """The tree of ``blocks`` in a form that is equal for equal structures. Lines of the source do not count, nor
    blanks at the ends of words, nor their style, nor how an address is escaped."""
    return [_shape(node) for node in tree_of([_normal(block) for block in blocks])]


def _shape(node: Node) -> object:
    if isinstance(node, Quote):
        children = [each for each in node.children if not (isinstance(each, Paragraph) and each.at.is_callout_title)]
        return ("quote", node.callout, [_shape(each) for each in children])
    if isinstance(node, Item):
        children = node.children
        if len(children) > 1 and isinstance(children[0], Paragraph) and not children[0].spans:
            children = children[1:]
        return ("item", node.marker or "•", [_shape(each) for each in children])
    return replace(node, at=Placement())


def _normal(block: Block) -> Block:
    if isinstance(block, Paragraph | Heading):
        return replace(block, spans=_spans(block.spans))
    if isinstance(block, Table):
        return replace(
            block,
            header=tuple(map(_spans, block.header)),
            rows=tuple(tuple(map(_spans, row)) for row in block.rows),
        )
    if isinstance(block, CodeBlock):
        return replace(block, is_open=False, ends_line=False)
    return block


def _spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    pieces: list[Span] = []
    for span in spans:
        if span.href:
            span = replace(span, href=normalizeLink(span.href).replace("%24", "$"))
        if span.is_math:
            pieces.append(replace(span, text=" ".join(span.text.split())))
        elif span.is_code:
            pieces.append(span)
        else:
            for part in re.findall(r"\s+|\S+", span.text):
                pieces.append(Span(re.sub(r"[ \t\xa0]+", " ", part)) if part.isspace() else replace(span, text=part))
    joined: list[Span] = []
    for piece in pieces:
        if joined and not piece.is_math and replace(joined[-1], text="") == replace(piece, text=""):
            joined[-1] = replace(piece, text=re.sub(r" +", " ", joined[-1].text + piece.text))
        else:
            joined.append(piece)
    while joined and _is_blank(joined[0]):
        joined.pop(0)
    while joined and _is_blank(joined[-1]):
        joined.pop()
    return tuple(joined)


def _is_blank(span: Span) -> bool:
    return span == Span(span.text) and not span.text.strip()
