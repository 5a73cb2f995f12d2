"""The outline that a specification's HTML stands for, to be compared with ``block_outline``.

Knows the tags that cmark and cmark-gfm write, and this window's policy: links without an allowed scheme are words,
pictures are placeholders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.rendering.safety import has_scheme, is_safe_link, link_host
from tests.helpers.block_outline import Outline

_STYLES = {"strong": "bold", "em": "italic", "del": "struck", "code": "code"}
_BREAK = "\ue000"  # of private use: no example has it
_ORDER = ("bold", "italic", "struck", "code")


@dataclass
class _Line:
    """Inline content being collected, as (words, styles)."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)
    has_words: bool = False  # beside pictures

    def add(self, text: str, style: str) -> None:
        if self.pieces and self.pieces[-1][1] == style:
            text = self.pieces.pop()[0] + text
        self.pieces.append((text, style))


class HtmlOutline(HTMLParser):
    """Feed it the HTML of one example; ``outline`` is ready after ``close``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline: Outline = []
        self._line: _Line | None = None
        self._head = "p"
        self._styles: list[str] = []
        self._hrefs: list[str] = []
        self._notes: list[str] = []
        self._quotes = 0
        self._numbers: list[int | None] = []
        self._marker: str | None = None
        self._note: str | None = None
        self._code: list[str] | None = None
        self._rows: list[list[Any]] = []
        self._alignments: list[str] = []
        self._is_in_table = False

    def close(self) -> None:
        super().close()
        self._end_line()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _STYLES and self._code is None:
            self._styles.append(_STYLES[tag])
        elif tag == "code":
            self._head = f"code {values.get('class', '').removeprefix('language-')}".strip()
        elif tag == "a":
            self._open_link(values)
        elif tag == "img":
            self._take_image(values)
        elif tag == "br":
            self._words(_BREAK)
        elif tag == "input":
            self._marker = "☑" if "checked" in values else "☐"
        else:
            self._open_structure(tag, values)

    def handle_endtag(self, tag: str) -> None:
        if self._code is not None:
            if tag == "pre":
                self._emit(self._head, visible_controls("".join(self._code).removesuffix("\n")))
                self._code = None
        elif tag in _STYLES:
            self._styles.remove(_STYLES[tag])
        elif tag == "a":
            (self._notes if self._notes else self._hrefs).pop()
        elif tag in ("ol", "ul"):
            self._open_block()
            self._numbers.pop()
        elif tag in ("li", "blockquote"):
            self._open_block()
            self._quotes -= tag == "blockquote"
        elif tag in ("th", "td"):
            self._rows[-1].append(self._spans())
            self._line = None
        elif tag == "table":
            self._is_in_table = False
            kinds = " ".join(alignment or "-" for alignment in self._alignments)
            self._emit(f"table {kinds}", *self._rows)
        elif tag == "p" or re.fullmatch("h[1-6]", tag):
            self._end_line(is_kept_empty=tag != "p")

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self._code.append(data)
        elif self._line is not None or data.strip():
            self._words(data)

    # ---- parts

    def _open_structure(self, tag: str, values: dict[str, str]) -> None:
        if tag in ("ol", "ul"):
            self._open_block()
            self._numbers.append(int(values.get("start", "1")) if tag == "ol" else None)
        elif tag == "li":
            self._open_item(values)
        elif tag == "blockquote":
            self._open_block()
            self._quotes += 1
        elif tag == "hr":
            self._end_line()
            self._emit("rule")
        elif tag in ("table", "tr", "th", "td"):
            self._open_table_part(tag, values)
        elif tag == "pre":
            self._end_line()
            self._code = []
            self._head = "code"
        elif tag == "p" or re.fullmatch("h[1-6]", tag):
            self._end_line()
            self._line, self._head = _Line(), tag

    def _open_block(self) -> None:
        """A container begins or ends: the line before it is done, and an item without words still shows its mark."""
        self._end_line()
        if self._marker is not None:
            self._emit("p")

    def _open_item(self, values: dict[str, str]) -> None:
        number = self._numbers[-1]
        self._marker = "•" if number is None else f"{number}."
        if number is not None:
            self._numbers[-1] = number + 1
        if values.get("id", "").startswith("fn-"):
            self._note = f"fn-{number}"

    def _open_link(self, values: dict[str, str]) -> None:
        href = values.get("href", "")
        if "data-footnote-ref" in values:
            self._notes.append("#fn-")
        elif "data-footnote-backref" in values:
            self._notes.append("#fnref-")
        else:
            self._hrefs.append(href)

    def _open_table_part(self, tag: str, values: dict[str, str]) -> None:
        if tag == "table":
            self._end_line()
            self._rows, self._alignments, self._is_in_table = [], [], True
        elif tag == "tr":
            self._rows.append([])
        else:
            self._line = _Line()
            if tag == "th":
                self._alignments.append(values.get("align", ""))

    def _take_image(self, values: dict[str, str]) -> None:
        alt, url = values.get("alt", ""), values.get("src", "")
        if self._line is None:
            self._line = _Line()
        self._line.images.append((visible_controls(alt), visible_controls(url)))
        self._line.has_words |= bool(self._hrefs)
        is_linked = not self._hrefs and is_safe_link(url)
        self._line.add(visible_controls(alt or link_host(url) or url), self._style(url if is_linked else None))

    def _style(self, href: str | None) -> str:
        styles = [style for style in _ORDER if style in self._styles]
        return " ".join((*styles, href) if href else styles)

    def _words(self, text: str) -> None:
        if self._line is None:
            self._line, self._head = _Line(), "p"
        if self._notes:
            target = self._notes[-1]
            number = text if target == "#fn-" else str(self._note_number())
            self._line.add("↩" if target != "#fn-" else number, self._style(f"{target}{number}"))
            return
        href = self._hrefs[-1] if self._hrefs else None
        if href == text and has_scheme(href) and not is_safe_link(href):
            text = f"<{text}>"  # it stays as it was written
        self._line.has_words |= bool(text.strip())
        if text != "\n" or self._line.pieces:
            self._line.add(visible_controls(text), self._style(href if href and is_safe_link(href) else None))

    def _note_number(self) -> int:
        number = self._numbers[-1]
        assert number is not None
        return number - 1

    def _spans(self) -> list[Any]:
        """The line's words: a break swallows the line end after it, other line ends break lines as well. Blanks around
        the line are not drawn, but those in code are."""
        line = self._line or _Line()
        whole: list[Any] = []
        for number, (text, style) in enumerate(line.pieces):
            words = text.replace(_BREAK + "\n", _BREAK)
            if "code" not in style.split():
                words = words.lstrip(" \n") if number == 0 else words
                words = words.rstrip(" \n") if number == len(line.pieces) - 1 else words
            words = words.replace(_BREAK, "\n")
            if words:
                whole.append({style: words} if style else words)
        return whole

    def _end_line(self, *, is_kept_empty: bool = False) -> None:
        line, self._line = self._line, None
        if line is None or self._is_in_table:
            return
        self._line = line
        spans = self._spans()
        self._line = None
        if self._head == "p" and line.images and not line.has_words:
            for alt, url in line.images:
                self._emit("image", alt, url, link_host(url))
        elif spans or is_kept_empty:
            self._emit(self._head, *spans)

    def _emit(self, *content: Any) -> None:
        depth = str(len(self._numbers) or "")
        note = f"#{self._note}" if self._note else ""
        place = " ".join(part for part in (">" * self._quotes, depth, self._marker or "", note) if part)
        self._marker = self._note = None
        self.outline.append([place, *content])


def outline_html(html: str) -> Outline:
    parser = HtmlOutline()
    parser.feed(html)
    parser.close()
    return parser.outline
