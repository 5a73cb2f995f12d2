"""Excerpts as HTML for the clipboard: made from blocks, every letter escaped, nothing in it that would be fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatdesk.core.rendering.blocks import Span
from chatdesk.ui.transcript.code_item import CodeItem
from chatdesk.ui.transcript.copied_spans import cut_spans_of
from chatdesk.ui.transcript.copied_text import table_rows
from chatdesk.ui.transcript.excerpt import Excerpt, Piece
from chatdesk.ui.transcript.math_item import MathItem
from chatdesk.ui.transcript.table_item import TableItem
from chatdesk.ui.transcript.text_item import TextItem

_LINKS = ("http://", "https://", "mailto:")
_BOXES = {"☐": "☐ ", "☑": "☑ "}


def as_html(excerpts: Sequence[Excerpt]) -> str:
    body = "\n".join(_message(each.pieces) for each in excerpts)
    return f'<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>'


def _message(pieces: Sequence[Piece]) -> str:
    made: list[str] = []
    lists = _Lists()
    for piece in pieces:
        item = piece.item
        if isinstance(item, TextItem) and item.at.list_depth and item.at.marker is not None:
            made.append(lists.enter(item.at.list_depth, item.at.marker))
            made.append(f"<li>{_BOXES.get(item.at.marker, '')}{_inline(piece, item)}")
        else:
            depth = item.at.list_depth if isinstance(item, TextItem) else 0
            if not depth:
                made.append(lists.leave(0))
            made.append(_block(piece))
    made.append(lists.leave(0))
    return "\n".join(filter(None, made))


class _Lists:
    """The lists that are open, outermost first."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def enter(self, depth: int, marker: str) -> str:
        """What stands before an item at ``depth``."""
        number = marker.rstrip(".)")
        tag = "ol" if number.isdecimal() and number.isascii() else "ul"
        made = self.leave(depth)
        if len(self._open) == depth and self._open[-1] == tag:
            return made + "</li>"
        made += self.leave(depth - 1)
        while len(self._open) < depth:
            self._open.append(tag)
            made += f'<ol start="{int(number)}">' if tag == "ol" else "<ul>"
        return made

    def leave(self, depth: int) -> str:
        made = ""
        while len(self._open) > depth:
            made += f"</li></{self._open.pop()}>"
        return made


def _block(piece: Piece) -> str:
    item = piece.item
    if isinstance(item, TextItem):
        tag = f"h{min(item.level, 6)}" if item.level else "p"
        made = f"<{tag}>{_inline(piece, item)}</{tag}>"
        return "<blockquote>" * item.at.quote_depth + made + "</blockquote>" * item.at.quote_depth
    if isinstance(item, TableItem):
        return _table(piece, item)
    text = escape(item.copied(piece.start, piece.end))
    return f"<pre><code>{text}</code></pre>" if isinstance(item, CodeItem | MathItem) else f"<p>{text}</p>"


def _inline(piece: Piece, item: TextItem) -> str:
    return "".join(_span(span) for span in cut_spans_of(item.spans, piece.start, piece.end))


def _span(span: Span) -> str:
    made = escape(span.text).replace("\n", "<br>")
    for is_set, tag in (
        (span.is_code or span.is_math, "code"),
        (span.is_struck, "s"),
        (span.is_italic, "em"),
        (span.is_bold, "strong"),
        (bool(span.script), span.script),
        (span.is_key, "kbd"),
    ):
        if is_set:
            made = f"<{tag}>{made}</{tag}>"
    if span.href and span.href.lower().startswith(_LINKS):
        made = f'<a href="{escape(span.href)}">{made}</a>'
    return made


def _table(piece: Piece, item: TableItem) -> str:
    made = []
    for number, row in enumerate(table_rows(piece, item)):
        tag = "th" if number == 0 and item.first == 0 and piece.start == 0 else "td"
        made.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>")
    return '<table border="1">' + "".join(made) + "</table>"
