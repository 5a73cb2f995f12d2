"""Extracts the words of an HTML page: no styles, no scripts, and nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from chatdesk.core.attachments.markdown_lines import TableRows, heading

_SKIPPED = frozenset({"script", "style", "template", "noscript", "svg", "math"})
_BREAKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "title",
        "tr",
        "ul",
    ]
)
# Breaks at the start alone: an empty line would end a table.
_WITHOUT_END = frozenset({"br", "hr", "tr"})
_CELLS = frozenset({"td", "th"})
_LONGEST_HEADING = 500
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


_BLANKS = re.compile(r"\s+")
_INDENT = re.compile(r"^[ \t](?! )\t*")


class _WordCollector:
    """Takes the elements of a page as the parser finds them; it adds the ends that are missing."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._skipped: list[str] = []
        self._preformatted = 0
        # The tables around this place, the heading that began last, and where the cells of the row begin in pieces.
        self._tables: list[TableRows] = []
        self._heading_start: int | None = None
        self._cell_starts: list[int] = []

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        if tag in _SKIPPED:
            self._skipped.append(tag)
        elif tag in ("table", "tr"):
            self._end_row()
        if tag in _CELLS:
            self.pieces.append("\t")
            self._cell_starts.append(len(self.pieces))
        elif tag in _BREAKS:
            self.pieces.append("\n")
        if tag == "table":
            self._tables.append(TableRows())
        elif tag in _HEADINGS:
            self._heading_start = len(self.pieces)
        elif tag == "pre":
            self._preformatted += 1
            self.pieces.append("```\n")

    def end(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()
            return
        if tag in ("table", "tr"):
            self._end_row()
        if tag == "table" and self._tables:
            self._tables.pop()
        elif tag in _HEADINGS:
            self._end_heading(_HEADINGS[tag])
        elif tag == "pre" and self._preformatted:
            self._preformatted -= 1
            self.pieces.append("\n```")
        if tag in _BREAKS and tag not in _WITHOUT_END:
            self.pieces.append("\n")

    def close(self) -> None:
        """Take the end of the page."""

    def data(self, data: str) -> None:
        if not self._skipped:
            self.pieces.append(data if self._preformatted else _BLANKS.sub(" ", data))

    def _end_heading(self, level: int) -> None:
        start, self._heading_start = self._heading_start, None
        if start is not None:
            words = "".join(self.pieces[start:]).rstrip("¶ ")  # the sign is a link to the heading itself
            if len(words) <= _LONGEST_HEADING:
                self.pieces[start:] = [heading(level, words)]

    def _end_row(self) -> None:
        """Write the row before this place as one of a table; one with several lines in a cell stays as it is."""
        starts, self._cell_starts = self._cell_starts, []
        ends = [start - 1 for start in starts[1:]] + [len(self.pieces)]
        if len(starts) < 2 or not self._tables:
            return
        cells = ["".join(self.pieces[start:end]).strip() for start, end in zip(starts, ends, strict=True)]
        if not any("\n" in cell for cell in cells):
            self.pieces[starts[0] - 1 :] = ["\n".join(self._tables[-1].lines(cells))]


def text_of_html(source: str) -> str:
    """Return the text that a reader of the page would read as Markdown, with a line for each block."""
    from lxml import etree  # loaded only by the processes that open files

    words = _WordCollector()
    # Python's own parser takes quadratic time for some pages, and twice as long for the others.
    parser = etree.HTMLParser(target=words, encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    with suppress(etree.XMLSyntaxError):  # nothing but blanks
        parser.feed(source.encode("utf-8", "replace"))
        parser.close()
    # A single leading space or tab is the rest of an indent; several belong to preformatted text.
    lines = (_INDENT.sub("", line).rstrip() for line in "".join(words.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
