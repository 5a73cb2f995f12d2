"""Writes blocks as Markdown that is read as the same blocks again. Pure; no Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.domain.artifacts.code_blocks import fence_for
from chatdesk.core.rendering.blocks import (
    DEFINITION,
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
from chatdesk.core.rendering.markdown_spans import markdown_of_spans
from chatdesk.core.rendering.nesting import Item, Node, Quote, lists_of, tree_of
from chatdesk.core.rendering.picture_data import picture_url

_MARKS = {"☐": "- [ ]", "☑": "- [x]", DEFINITION: DEFINITION}
_RULES = {"left": ":---", "right": "---:", "center": ":---:"}


def markdown_of(blocks: Sequence[Block]) -> str:
    """Return the Markdown of ``blocks``. Folded blocks are written into a fold only if its summary line is among
    them."""
    made: list[str] = []
    pending: list[Block] = []
    is_folding = False

    def flush() -> None:
        if pending:
            made.append("\n".join(_nodes(tree_of(pending))))
            pending.clear()

    for block in blocks:
        if isinstance(block, Fold) or (is_folding and not block.at.is_folded):
            flush()
            if is_folding:
                made.append("</details>")
            is_folding = isinstance(block, Fold)
        if isinstance(block, Fold):
            label = markdown_of_spans((Span(block.label),), is_one_line=True)
            made.append(f"<details>\n<summary>{label}</summary>")
        else:
            pending.append(block)
    flush()
    if is_folding:
        made.append("</details>")
    return "\n\n".join(made)


def _nodes(nodes: Sequence[Node]) -> list[str]:
    """Return the lines of ``nodes``."""
    lines: list[str] = []
    is_first_list, delimiter = True, "."
    for is_list, members in lists_of(nodes):
        if not is_list:
            for node in members:
                _add(lines, _quote(node) if isinstance(node, Quote) else _block(node).split("\n"))
            is_first_list, delimiter = True, "."
            continue
        items = [each for each in members if isinstance(each, Item)]
        # Two lists that follow each other are told apart by their marks.
        delimiter = "." if is_first_list or delimiter == ")" else ")"
        _add(lines, _list(items, delimiter), is_close=len(lines) > 0 and _may_touch(nodes, items[0]))
        is_first_list = False
    return lines


def _add(lines: list[str], more: list[str], *, is_close: bool = False) -> None:
    if lines and not is_close:
        lines.append("")
    lines += more


def _may_touch(nodes: Sequence[Node], first: Item) -> bool:
    """Return whether a list may be right below the paragraph before it: the first of its item, or terms."""
    if first.marker == DEFINITION:
        return True
    is_second = len(nodes) > 1 and nodes[1] is first and isinstance(nodes[0], Paragraph)
    is_empty = len(first.children) == 1 and isinstance(first.children[0], Paragraph) and not first.children[0].spans
    return is_second and nodes[0].at.list_depth > 0 and first.number in (None, 1) and not is_empty  # type: ignore[union-attr]


def _list(items: Sequence[Item], delimiter: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if item.note is not None:
            label = item.note.partition(":")[2] or item.note.removeprefix("fn-")
            marker, indent = f"[^{label}]:", "    "
            if lines:
                lines.append("")
        else:
            marker = _MARKS.get(item.marker or "") or (f"{item.number}{delimiter}" if item.number is not None else "-")
            indent = " " * (2 if item.marker in _MARKS else len(marker) + 1)
        children = _note_children(item) if item.note is not None else item.children
        if len(children) > 1 and isinstance(children[0], Paragraph) and not children[0].spans:
            # Nothing but an empty quote keeps an item apart from what is below its mark.
            is_apart = not isinstance(children[1], Item | Quote)
            children = [Quote("", 0), *children[1:]] if is_apart else children[1:]
        body = _nodes(children)
        head = body[0] if body else ""
        if marker == "-" and head and not head.strip("- "):
            marker = "+"  # three in a row would be a line across
        lines.append(f"{marker} {head}".rstrip() if not head.strip() else f"{marker} {head}")
        lines += [indent + line if line else "" for line in body[1:]]
    return lines


def _note_children(item: Item) -> list[Node]:
    """Return the nodes to write behind a footnote's label: a note that nothing refers to repeats its label in its first
    words, which are left out."""
    first = item.children[0] if item.children else None
    if not (item.note or "").startswith("fn:") or not isinstance(first, Paragraph) or not first.spans:
        return item.children
    label = f"[{(item.note or '')[3:]}] "
    words = first.spans[0].text
    if not words.startswith(label.rstrip()):
        return item.children
    rest = words[len(label) :]
    spans = ((replace(first.spans[0], text=rest),) if rest else ()) + first.spans[1:]
    return [replace(first, spans=spans), *item.children[1:]]


def _quote(quote: Quote) -> list[str]:
    children = list(quote.children)
    lines: list[str] = []
    if quote.callout:
        children = [each for each in children if not (isinstance(each, Paragraph) and each.at.is_callout_title)]
        lines.append(f"[!{quote.callout.upper()}]")
    body = _nodes(children)
    if lines and body and not isinstance(children[0], Paragraph):
        lines.append("")
    return [f"> {line}" if line else ">" for line in lines + body] or [">"]


def _block(block: Block | Item | Quote) -> str:
    if isinstance(block, Paragraph):
        return markdown_of_spans(block.spans)
    if isinstance(block, Heading):
        return f"{'#' * block.level} {markdown_of_spans(block.spans, is_one_line=True)}".rstrip()
    if isinstance(block, CodeBlock):
        return fenced(block)
    if isinstance(block, Table):
        return table_as_markdown(block)
    if isinstance(block, MathBlock):
        text = block.text.strip()
        return f"\\[\n{text}\n\\]" if "$$" in text else f"$$\n{text}\n$$"
    if isinstance(block, ImagePlaceholder):
        return image_as_markdown(block)
    assert isinstance(block, Rule)
    return "***"


def fenced(block: CodeBlock) -> str:
    """Return code to the letter in a fence that nothing in it closes."""
    text = block.text if block.original is None else block.original
    fence = fence_for(text, "~" if "`" in block.language else "`")
    inside = f"{text}\n" if text or block.ends_line else ""
    return f"{fence}{block.language}\n{inside}{fence}"


def image_as_markdown(block: ImagePlaceholder) -> str:
    """Return an image by its address, or with its bytes if the text had them."""
    url = picture_url(block.data) if block.data else block.url
    alt = re.sub(r"([\[\]\\`*_<&$])", r"\\\1", block.alt)
    return f"![{alt}](<{url}>)" if re.search(r"[\s()]", url) else f"![{alt}]({url})"


def table_as_markdown(table: Table) -> str:
    """Return a table, one row a line, the header and the alignments first."""
    rule = "| " + " | ".join(_RULES.get(each, "---") for each in table.alignments) + " |"
    header, *rows = (
        "| " + " | ".join(markdown_of_spans(cell, is_cell=True) for cell in row) + " |"
        for row in (table.header, *table.rows)
    )
    return "\n".join((header, rule, *rows))
