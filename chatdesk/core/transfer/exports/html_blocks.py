"""Writes blocks as HTML. Pure. Every letter is escaped, every address checked, and nothing would be fetched or run.

Two flavours: for browsers, and for Qt's documents, which know no SVG and draw formulas and pictures that their reader
hands to them by name (``formula:``, ``drawing:`` and ``blob:``).
"""

from __future__ import annotations

import base64
import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import astuple
from html import escape
from typing import Final

from chatdesk.core.rendering.blocks import (
    DEFINITION,
    DRAWING_UNITS,
    Block,
    CodeBlock,
    Drawing,
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
from chatdesk.core.rendering.direction import reads_right_to_left
from chatdesk.core.rendering.misleading_links import destination_remark
from chatdesk.core.rendering.picture_data import picture_url
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.transfer.exports.printed_tables import fit_table

_BOXES: Final = ("☐", "☑")
_NOTE: Final = re.compile(r"fn(?:ref)?-[0-9]{1,6}")
_SPECIAL: Final = re.compile("[&<>\"'\n]")  # most spans match none
_KIND: Final = re.compile(r"[a-z]{1,20}")
_FORMULA_SIZE: Final = 1.1  # the formulas' font has a lower x-height than the text font
_QUOTES: Final = {"quote": "<blockquote>"} | {
    f"quote {kind}": f'<blockquote class="callout c-{kind}">'
    for kind in ("note", "tip", "important", "warning", "caution")
}
_ITEM_ENDS: Final = {"dl": "</dd>"}
_ALIGNED: Final = ("left", "right", "center")


class HtmlBlocks:
    """Makes HTML of one message. ``prefix`` keeps its footnotes apart from those of others."""

    def __init__(self, prefix: str, *, is_for_print: bool = False) -> None:
        self._prefix = prefix
        self._is_for_print = is_for_print
        self._open: list[str] = []  # the lists and quotes that are open, outermost first
        self._noted: set[str] = set()
        self._is_folding = False
        self._box = ""  # the checkbox of a task, to be put before its first words

    def html(self, blocks: Sequence[Block]) -> str:
        made = [self._placed(block) for block in blocks]
        made.append(self._close_fold())
        return "".join(made)

    # Lists and quotes

    def _placed(self, block: Block) -> str:
        if isinstance(block, Fold):
            return self._open_fold(block)
        made = "" if block.at.is_folded else self._close_fold(is_needed=self._is_folding)
        return made + self._in_place(block)

    def _open_fold(self, block: Fold) -> str:
        made = self._close_fold()
        if self._is_for_print:
            return f'{made}<p class="note">{escape(block.label)}</p>\n'
        self._is_folding = True
        return f"{made}<details><summary>{escape(block.label)}</summary>\n"

    def _close_fold(self, *, is_needed: bool = True) -> str:
        if not is_needed:
            return ""
        made = self._close_to(0) + "</details>\n" * self._is_folding
        self._is_folding = False
        return made

    def _in_place(self, block: Block) -> str:
        path = _containers(block.at)
        common = 0
        while common < min(len(path), len(self._open)) and _are_alike(path[common], self._open[common]):
            common += 1
        made = self._close_to(common)
        marker = block.at.marker
        if marker is not None and path and path[-1] == "list":
            made += self._open_item(path, marker, common)
        else:
            made += self._open_to(path)
        anchor = f' id="{self._prefix}{block.at.note}"' if _NOTE.fullmatch(block.at.note or "") else ""
        if anchor and not self._is_for_print:
            made += f"<a{anchor}></a>"
        return made + self._block(block) + "\n"

    def _open_item(self, path: Sequence[str], marker: str, common: int) -> str:
        number = marker.rstrip(".)")
        is_numbered = number.isdecimal() and number.isascii() and len(number) <= 9
        tag = "ol" if is_numbered else "dl" if marker == DEFINITION else "ul"
        made = ""
        if common == len(path) and self._open[-1] == tag:
            made += _ITEM_ENDS.get(tag, "</li>")
        else:
            if common == len(path):
                made += self._close_to(common - 1)
            made += self._open_to(path[:-1])
            self._open.append(tag)
            made += f'<ol start="{int(number)}">' if is_numbered else f"<{tag}>"
        if marker == DEFINITION:
            return f"{made}<dd>"
        if marker in _BOXES:
            self._box = f"{marker} "
            return f'{made}<li class="task">'
        return made + (f'<li value="{int(number)}">' if is_numbered and not self._is_for_print else "<li>")

    def _open_to(self, path: Sequence[str]) -> str:
        made = ""
        for container in path[len(self._open) :]:
            self._open.append("ul" if container == "list" else container)
            made += '<ul class="plain"><li>' if container == "list" else _QUOTES[container]
        return made

    def _close_to(self, depth: int) -> str:
        made = ""
        while len(self._open) > depth:
            container = self._open.pop()
            made += "</blockquote>" if container in _QUOTES else f"{_ITEM_ENDS.get(container, '</li>')}</{container}>"
        return made

    # Blocks

    def _block(self, block: Block) -> str:
        if isinstance(block, Paragraph):
            box, self._box = self._box, ""
            kind = ' class="title"' if block.at.is_callout_title else ""
            return f"<p{kind}>{box}{self._spans(block.spans)}</p>"
        if isinstance(block, Heading):
            level = min(max(block.level, 1) + 2, 6)  # the thread's title and the speakers are above
            return f"<h{level}>{self._spans(block.spans)}</h{level}>"
        if isinstance(block, CodeBlock):
            return self._code(block)
        if isinstance(block, Table):
            return self._table(block)
        if isinstance(block, MathBlock):
            return self._display(block)
        if isinstance(block, ImagePlaceholder):
            inside = picture_url(block.data) if block.data and not self._is_for_print else ""
            return f'<p><img alt="{escape(block.alt)}" src="{inside}"></p>' if inside else _placeholder(block)
        assert isinstance(block, Rule)
        return "<hr>"

    def _code(self, block: CodeBlock) -> str:
        if block.pictures:
            return _diagram(block, is_for_print=self._is_for_print)
        language = f'<div class="language">{escape(block.language[:40])}</div>' if block.language else ""
        text = _coloured(block)
        if self._is_for_print:
            # Qt's documents give only table cells a ground; a break is what they take for a line's end.
            cell = f"<td>{language}<pre>{text}</pre></td>"
            return f'<table class="codebox" width="100%" cellpadding="6"><tr>{cell}</tr></table>'
        return f'<figure class="code">{language}<pre><code>{text}</code></pre></figure>'

    def _table(self, table: Table) -> str:
        is_turned = reads_right_to_left((table,))
        if not self._is_for_print:
            direction = ' dir="rtl"' if is_turned else ""
            return f'<div class="wide">{self._part_of(table, range(len(table.header)), direction)}</div>'
        fitted = fit_table(table)
        # Qt's documents know no direction of tables.
        side = ' align="right"' if is_turned else ""
        look = f' class="size-{fitted.size_px}"{side} border="1" cellspacing="0" cellpadding="4"'
        return "".join(self._part_of(table, group[::-1] if is_turned else group, look) for group in fitted.groups)

    def _part_of(self, table: Table, columns: Sequence[int], look: str) -> str:
        head, *rows = (
            self._row(table, row, columns, "td" if place else "th")
            for place, row in enumerate((table.header, *table.rows))
        )
        return f"<table{look}><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"

    def _row(self, table: Table, cells: Sequence[Sequence[Span]], columns: Sequence[int], tag: str) -> str:
        made = []
        for cell, alignment in ((cells[at], table.alignments[at]) for at in columns if at < len(cells)):
            aligned = f' align="{alignment}"' if alignment in _ALIGNED else ""
            made.append(f"<{tag}{aligned}>{self._spans(cell)}</{tag}>")
        return f"<tr>{''.join(made)}</tr>"

    def _display(self, block: MathBlock) -> str:
        if block.drawing is None:
            return f"<pre><code>{escape(block.text)}</code></pre>"
        return f'<p class="formula" align="center">{self._formula(block.drawing, block.text)}</p>'

    # Spans

    def _spans(self, spans: Sequence[Span]) -> str:
        return "".join(
            [
                self._span(span) if span.href is None else self._span(span) + escape(destination_remark(spans, place))
                for place, span in enumerate(spans)
            ]
        )

    def _span(self, span: Span) -> str:
        if span.is_math and span.drawing is not None:
            made = self._formula(span.drawing, span.text)
        else:
            made = escape(span.text).replace("\n", "<br>") if _SPECIAL.search(span.text) else span.text
        if span.is_code or (span.is_math and span.drawing is None):
            made = f"<code>{made}</code>"
        if span.is_struck:
            made = f"<s>{made}</s>"
        if span.is_italic:
            made = f"<em>{made}</em>"
        if span.is_bold:
            made = f"<strong>{made}</strong>"
        if span.script in ("sub", "sup"):
            made = f"<{span.script}>{made}</{span.script}>"
        if span.is_key:
            made = f"<kbd>{made}</kbd>"
        if span.note and _NOTE.fullmatch(span.note):
            return self._footnote_link(span.note, made)
        if span.href and is_safe_link(span.href):
            made = f'<a href="{escape(span.href)}" rel="noreferrer noopener">{made}</a>'
        return made

    def _footnote_link(self, note: str, text: str) -> str:
        if self._is_for_print:
            return f"<sup>{text}</sup>" if note.startswith("fn-") else ""
        if note.startswith("fnref-"):
            return f'<a href="#{self._prefix}{note}">{text}</a>'
        back = f"fnref-{note[3:]}"
        anchor = "" if back in self._noted else f' id="{self._prefix}{back}"'
        self._noted.add(back)
        return f'<sup{anchor}><a href="#{self._prefix}{note}">{text}</a></sup>'

    def _formula(self, drawing: Drawing, tex: str) -> str:
        drawing = drawing.with_tags_beside
        width, height = drawing.width, drawing.ascent + drawing.descent
        if self._is_for_print:
            outlines = [drawing.operations, _text_of(drawing.points), drawing.inks, list(map(astuple, drawing.words))]
            parts = [drawing.width, drawing.ascent, drawing.descent, *outlines]
            return f'<img src="formula:{_text_of(json.dumps(parts).encode())}">'
        em = _FORMULA_SIZE / DRAWING_UNITS
        across, up, down = width * em, height * em, -drawing.descent * em
        return (
            f'<svg class="math" role="img" aria-label="{escape(tex)}" viewBox="0 {-drawing.ascent} {width} {height}"'
            f' style="width:{across:.3f}em;height:{up:.3f}em;vertical-align:{down:.3f}em">'
            f"{''.join(map(_inked_path, drawing.inked_parts))}</svg>"
        )


def _are_alike(wanted: str, is_open: str) -> bool:
    return wanted == is_open if wanted in _QUOTES or is_open in _QUOTES else True


def _containers(at: Placement) -> list[str]:
    """Return the lists and quotes around a block, outermost first."""
    path: list[str] = []
    lists = 0
    for number in range(at.quote_depth):
        outside = at.quoted_lists[number] if number < len(at.quoted_lists) else 0
        path += ["list"] * max(0, outside - lists)
        lists = max(lists, outside)
        callout = at.callouts[number] if number < len(at.callouts) else ""
        path.append(f"quote {callout}" if callout else "quote")
    return path + ["list"] * max(0, at.list_depth - lists)


def _coloured(block: CodeBlock) -> str:
    if sum(run.length for run in block.runs) != len(block.text):
        return escape(block.text)
    made, place = [], 0
    for run in block.runs:
        text = escape(block.text[place : place + run.length])
        place += run.length
        made.append(f'<span class="k-{run.kind}">{text}</span>' if _is_coloured(run.kind) else text)
    return "".join(made)


def _is_coloured(kind: str) -> bool:
    return kind != "plain" and _KIND.fullmatch(kind) is not None


def _diagram(block: CodeBlock, *, is_for_print: bool) -> str:
    if is_for_print:
        return f'<p><img src="drawing:{_text_of(block.pictures[0])}"></p>'
    light, dark = (base64.b64encode(block.pictures[place]).decode() for place in (0, -1))
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="data:image/png;base64,{dark}">'
        f'<img class="diagram" alt="{escape(block.text[:300])}" src="data:image/png;base64,{light}"></picture>'
    )


def _placeholder(block: ImagePlaceholder) -> str:
    """Return the name of an image, which is not fetched."""
    words = escape(block.alt or "image")
    where = f" ({escape(block.host)})" if block.host else ""
    if is_safe_link(block.url):
        return f'<p class="note">Image: <a href="{escape(block.url)}" rel="noreferrer noopener">{words}</a>{where}</p>'
    return f'<p class="note">Image: {words}{where}</p>'


def _inked_path(part: tuple[str, Drawing]) -> str:
    ink, drawing = part
    kind = f' class="k-{ink}"' if _is_coloured(ink) else ""
    for each in drawing.words:  # in a part of their own
        middle = each.left + each.width // 2
        return (
            f'<text{kind} x="{middle}" y="{each.baseline}" text-anchor="middle" font-size="{each.size}"'
            f' fill="currentColor">{escape(each.text)}</text>'
        )
    return f'<path{kind} d="{_path(drawing)}" fill="currentColor"/>'


def _path(drawing: Drawing) -> str:
    take = iter(array("i", drawing.points).tolist()).__next__
    count = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}
    return "".join(each + " ".join(str(take()) for _ in range(count[each])) for each in drawing.operations)


def _text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
