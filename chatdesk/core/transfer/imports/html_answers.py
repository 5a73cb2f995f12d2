"""Turns a vendor's HTML answers into Markdown. Linear in the length of any text: tags are found by a pattern that never
looks past the next one, and everything else is text."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, Paragraph, Placement, Rule, Span, Table
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.transfer.imports.values import fenced

_TAG: Final = re.compile(
    r"<!--[^<]{0,4000}?-->|<(/?)([a-zA-Z][a-zA-Z0-9-]{0,30})((?:[^<>\"']|\"[^<\"]{0,9000}\"|'[^<']{0,9000}')*)>"
)
_ATTRIBUTE: Final = re.compile(r"\b(href|src|alt|class|start)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"(?:\A|\s)lang(?:uage)?-([A-Za-z0-9+#._-]{1,30})")
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_STYLES: Final = {"b": "b", "strong": "b", "i": "i", "em": "i", "s": "s", "del": "s", "strike": "s", "code": "code"}
_UNSEEN: Final = frozenset({"script", "style", "template"})
_DEEPEST: Final = 12
_MOST_COLUMNS, _MOST_CELLS = 64, 20_000
# Forty times the longest known answer; longer ones stay HTML.
_LONGEST: Final = 4_000_000


class Answer:
    """An answer made of HTML: its ``text`` as Markdown, and the ``pictures`` that it names, which are files."""

    def __init__(self, html: str) -> None:
        self.pictures: list[tuple[str, str]] = []  # address and words of each
        self.text = fenced(html, "html")
        if len(html) <= _LONGEST:
            self._read(html)

    def _read(self, html: str) -> None:
        self._blocks: list[Block] = []
        self._spans: list[Span] = []
        self._depth = dict.fromkeys((*_STYLES.values(), "quote", "pre", "unseen"), 0)
        self._hrefs: list[str] = []
        self._lists: list[int | None] = []  # the next number of each list, None for one with bullets
        self._marker: str | None = None
        self._level = 0
        self._code: list[str] = []
        self._language = ""
        self._rows: list[list[tuple[Span, ...]]] | None = None
        place = 0
        for tag in _TAG.finditer(html):
            self._add(html[place : tag.start()])
            place = tag.end()
            if tag[2]:
                self._tag(tag[2].lower(), tag[3], is_end=bool(tag[1]))
        self._add(html[place:])
        self._end_code()
        self._end_table()
        self._end_block()
        self.text = markdown_of(self._blocks)

    def _add(self, source: str) -> None:
        if not source or self._depth["unseen"]:
            return
        try:
            text = unescape(source)
        except ValueError:  # a number with thousands of digits
            text = source
        if self._depth["pre"]:
            self._code.append(text)
            return
        text = _BLANKS.sub(" ", text)
        if not self._spans or self._spans[-1].text.endswith((" ", "\n")):
            text = text.lstrip(" ")
        if text:
            depth = self._depth
            href = self._hrefs[-1] if self._hrefs else None
            style = bool(depth["b"]), bool(depth["i"]), bool(depth["s"]), bool(depth["code"])
            self._spans.append(Span(text, *style, href=href or None))

    def _tag(self, name: str, rest: str, *, is_end: bool) -> None:
        step = -1 if is_end else 1
        if name in _UNSEEN:
            self._step("unseen", step)
        elif name == "pre":
            self._end_block() if not is_end else self._end_code()
            self._step("pre", step)
        elif self._depth["pre"]:
            found = _LANGUAGE.search(_attributes(rest).get("class", "")) if name == "code" else None
            self._language = found[1] if found else self._language
            self._code.append("\n" if name == "br" else "")
        elif name in _STYLES:
            self._step(_STYLES[name], step)
        elif name == "a":
            if is_end:
                del self._hrefs[-1:]
            else:
                self._hrefs.append(_attributes(rest).get("href", ""))
        elif name == "br":
            self._spans.append(Span("\n"))
        elif name == "img" and not is_end:
            found_here = _attributes(rest)
            self.pictures.append((found_here.get("src", ""), found_here.get("alt", "")))
        elif name in ("table", "tr", "td", "th"):
            self._table_tag(name, is_end=is_end)
        elif self._rows is None:
            self._block_tag(name, rest, is_end=is_end)

    def _block_tag(self, name: str, rest: str, *, is_end: bool) -> None:
        if re.fullmatch("h[1-6]", name):
            self._end_block()
            self._level = 0 if is_end else int(name[1])
        elif name in ("ul", "ol"):
            self._end_block()
            if is_end:
                del self._lists[-1:]
            else:
                start = _attributes(rest).get("start", "1")
                number = int(start) if re.fullmatch(r"\d{1,9}", start) else 1
                self._lists.append(number if name == "ol" else None)
        elif name == "li":
            self._end_block()
            if not is_end:
                self._marker = self._next_marker()
        elif name == "blockquote":
            self._end_block()
            self._step("quote", -1 if is_end else 1)
        elif name == "hr":
            self._end_block()
            self._blocks.append(Rule(at=self._at()))
        elif name in ("p", "div", "section", "article", "dl", "dt", "dd", "details", "summary", "figure"):
            self._end_block()

    def _table_tag(self, name: str, *, is_end: bool) -> None:
        if name == "table":
            if is_end:
                self._end_table()
            elif self._rows is None:
                self._end_block()
                self._rows = []
        elif self._rows is not None and name == "tr" and not is_end:
            self._rows.append([])
        elif self._rows is not None and name in ("td", "th") and not is_end:
            self._end_cell()
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append(())
        elif is_end:
            self._end_cell()

    def _end_cell(self) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] = (*self._rows[-1][-1], *self._spans)
            self._spans = []

    def _end_table(self) -> None:
        if self._rows is None:
            return
        self._end_cell()
        rows, self._rows = [row for row in self._rows if row], None
        width = max(map(len, rows), default=0)
        if 0 < width <= _MOST_COLUMNS and width * len(rows) <= _MOST_CELLS:
            even = [(*row, *(((),) * (width - len(row)))) for row in rows]
            self._blocks.append(Table(("",) * width, even[0], tuple(even[1:]), at=self._at()))
            return
        for row in rows:  # a table too large to be shown becomes paragraphs
            for cell in row:
                self._blocks.append(Paragraph(cell, at=self._at()))

    def _end_code(self) -> None:
        if self._depth["pre"]:
            text = "".join(self._code).removeprefix("\n")
            self._blocks.append(CodeBlock(self._language, text.rstrip("\n"), ends_line=True, at=self._at()))
            self._code, self._language = [], ""

    def _end_block(self) -> None:
        while self._spans and not self._spans[-1].text.strip():
            self._spans.pop()
        if self._spans:
            spans, self._spans = tuple(self._spans), []
            made = Heading(self._level, spans, at=self._at()) if self._level else Paragraph(spans, at=self._at())
            self._blocks.append(made)

    def _at(self) -> Placement:
        marker, self._marker = self._marker, None
        depth = min(len(self._lists), _DEEPEST)
        return Placement(list_depth=depth, quote_depth=min(self._depth["quote"], _DEEPEST), marker=marker)

    def _next_marker(self) -> str:
        if not self._lists:
            self._lists.append(None)
        number = self._lists[-1]
        if number is None:
            return "•"
        self._lists[-1] = number + 1
        return f"{number}."

    def _step(self, name: str, step: int) -> None:
        self._depth[name] = max(0, self._depth[name] + step)


def _attributes(rest: str) -> dict[str, str]:
    return {each[1].lower(): unescape(each[2] or each[3] or "") for each in _ATTRIBUTE.finditer(rest)}
