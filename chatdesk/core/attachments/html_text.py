"""Extracts the words of an HTML page: no styles, no scripts, and nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

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
_CELLS = frozenset({"td", "th"})
_LONGEST_HEADING = 500
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


class _WordCollector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._skipped: list[str] = []
        self._preformatted = 0
        # The tables around this place, the heading that began last, and where the cells of the row begin in pieces.
        self._tables: list[TableRows] = []
        self._heading_start: int | None = None
        self._cell_starts: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
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

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
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
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.pieces.append(data if self._preformatted else re.sub(r"\s+", " ", data))

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
    words = _WordCollector()
    words.feed(source)
    words.close()
    # A single leading space or tab is the rest of an indent; several belong to preformatted text.
    lines = (re.sub(r"^[ \t](?! )\t*", "", line).rstrip() for line in "".join(words.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
