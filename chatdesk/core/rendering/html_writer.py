"""Writes blocks as HTML for other programs: a closed list of tags, every letter escaped, nothing that would be fetched.

Exports are made by ``core/transfer/exports/html_blocks.py``, for browsers; this is for editors and spreadsheets.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence

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
from chatdesk.core.rendering.nesting import Item, Node, Quote, lists_of, tree_of
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.spreadsheet_cells import may_run

_BLOCKS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr", "details", "summary")
_DEFINITIONS = ("dl", "dt", "dd")
_TABLES = ("table", "thead", "tbody", "tr", "th", "td")
_INLINE = ("strong", "em", "s", "sub", "sup", "kbd", "code", "a", "br")
TAGS = frozenset((*_BLOCKS, *_DEFINITIONS, *_TABLES, *_INLINE))
_ALIGNED = ("left", "right", "center")
# Marks a cell as text for Excel, whatever it looks like; and for older versions of LibreOffice.
_TEXT_STYLE = "mso-number-format:'\\@'"
_TEXT_FORMAT = ' sdnum="1033;0;@"'
_BOXES = ("☐", "☑")


def html_of(blocks: Sequence[Block]) -> str:
    """Return the HTML of ``blocks``; folded blocks are in the ``details`` element of the fold before them."""
    made: list[str] = []
    pending: list[Block] = []
    is_folding = False
    for block in blocks:
        if isinstance(block, Fold) or (is_folding and not block.at.is_folded):
            made += [*_nodes(tree_of(pending)), *["</details>"] * is_folding]
            pending = []
            is_folding = isinstance(block, Fold)
        if isinstance(block, Fold):
            made.append(f"<details><summary>{html.escape(block.label)}</summary>")
        else:
            pending.append(block)
    made += [*_nodes(tree_of(pending)), *["</details>"] * is_folding]
    return "\n".join(made)


def _nodes(nodes: Sequence[Node]) -> list[str]:
    made: list[str] = []
    for is_list, members in lists_of(nodes):
        if is_list:
            items = [each for each in members if isinstance(each, Item)]
            if items[0].marker == DEFINITION:
                terms = [made.pop().replace("<p>", "<dt>").replace("</p>", "</dt>")] if _ends_in_words(made) else []
                made += ["<dl>", *terms, *_items(items, "dd"), "</dl>"]
            else:
                made += _list(items)
        else:
            for node in members:
                made += _quote(node) if isinstance(node, Quote) else [_block(node)]
    return made


def _list(items: Sequence[Item]) -> list[str]:
    number = items[0].number if items[0].note is None else _note_number(items[0])
    opening = "<ul>" if number is None else "<ol>" if number == 1 else f'<ol start="{number}">'
    return [opening, *_items(items, "li"), "</ul>" if number is None else "</ol>"]


def _ends_in_words(made: Sequence[str]) -> bool:
    return bool(made) and made[-1].startswith("<p>")


def _items(items: Sequence[Item], tag: str) -> list[str]:
    made: list[str] = []
    for item in items:
        box = f"{item.marker} " if item.marker in _BOXES else ""
        # A lone paragraph is the item's own words: editors put space around it otherwise.
        first, rest = (item.children[0], item.children[1:]) if item.children else (None, [])
        if isinstance(first, Paragraph):
            made.append(f"<{tag}>{box}{_spans(first.spans)}")
        else:
            made += [f"<{tag}>{box}", *_nodes(item.children)]
            rest = []
        nodes = _nodes(rest)
        if nodes and isinstance(first, Paragraph):
            made[-1] += nodes.pop(0)  # a line end behind the words would be a blank
        made += nodes
        made[-1] += f"</{tag}>"
    return made


def _note_number(item: Item) -> int | None:
    digits = (item.marker or "").rstrip(".")
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= 9 else None


def _quote(quote: Quote) -> list[str]:
    return ["<blockquote>", *_nodes(quote.children), "</blockquote>"]


def _block(block: Block | Item | Quote) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_spans(block.spans)}</p>"
    if isinstance(block, Heading):
        level = min(max(block.level, 1), 6)
        return f"<h{level}>{_spans(block.spans)}</h{level}>"
    if isinstance(block, CodeBlock):
        kind = f' class="language-{html.escape(block.language)}"' if block.language else ""
        return f"<pre><code{kind}>{html.escape(block.text)}</code></pre>"
    if isinstance(block, Table):
        return table_as_html(block)
    if isinstance(block, MathBlock):
        return f"<pre><code>{html.escape(block.text.strip())}</code></pre>"
    if isinstance(block, ImagePlaceholder):
        words = html.escape(block.alt or "image")
        return f"<p>{_linked(words, block.url)}</p>"
    assert isinstance(block, Rule)
    return "<hr>"


def table_as_html(table: Table) -> str:
    """Return the HTML of a table; no cell can run anything in a spreadsheet."""
    head = _row(table.header, table.alignments, "th")
    body = "".join(_row(row, table.alignments, "td") for row in table.rows)
    return f'<table border="1"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _row(row: Sequence[Sequence[Span]], alignments: Sequence[str], tag: str) -> str:
    cells = []
    for place, cell in enumerate(row):
        alignment = alignments[place] if place < len(alignments) else ""
        words = "".join(span.text for span in cell)
        is_formula = may_run(words)
        styles = [f"text-align:{alignment}"] * (alignment in _ALIGNED) + [_TEXT_STYLE] * is_formula
        style = f' style="{";".join(styles)}"' if styles else ""
        kind = _as_text(words) if is_formula else ""
        cells.append(f"<{tag}{style}{kind}>{_spans(cell)}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _as_text(words: str) -> str:
    """Return the attributes that make a spreadsheet take a cell for text. A sign before it would be seen in a mail."""
    # Google Sheets, and LibreOffice from 24.2 on.
    value = html.escape(json.dumps({"1": 2, "2": words}, ensure_ascii=False))
    return f'{_TEXT_FORMAT} data-sheets-value="{value}"'


def _spans(spans: Sequence[Span]) -> str:
    made: list[str] = []
    for place, span in enumerate(spans):
        if (span.note or "").startswith("fnref-"):
            continue
        words = _styled(span)
        if span.href and place and spans[place - 1].href == span.href and made and made[-1].endswith("</a>"):
            made[-1] = f"{made[-1].removesuffix('</a>')}{words}</a>"
        else:
            made.append(_linked(words, span.href or ""))
    return "".join(made)


def _styled(span: Span) -> str:
    made = html.escape(span.text).replace("\n", "<br>")
    for is_set, tag in (
        (span.is_code or span.is_math, "code"),
        (span.is_struck, "s"),
        (span.is_italic, "em"),
        (span.is_bold, "strong"),
        (span.script in ("sub", "sup"), span.script),
        (span.is_key, "kbd"),
        (span.note is not None, "sup"),
    ):
        if is_set:
            made = f"<{tag}>{made}</{tag}>"
    return made


def _linked(words: str, href: str) -> str:
    return f'<a href="{html.escape(href)}">{words}</a>' if is_safe_link(href) else words
