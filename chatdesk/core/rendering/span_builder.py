"""Turns markdown-it's inline tokens into spans."""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from chatdesk.core.hidden_characters import has_right_to_left, readable_prose, visible_code, visible_controls
from chatdesk.core.rendering.address_rule import split_bare_addresses
from chatdesk.core.rendering.blocks import Span
from chatdesk.core.rendering.safety import is_safe_link, link_host

# Bold, italic, struck, code, math, href, note, script, key.
_Style = tuple[bool, bool, bool, bool, bool, str | None, str, str, bool]
_PLAIN: _Style = (False, False, False, False, False, None, "", "", False)
# HTML tags drawn like Markdown: <mark> as bold, <u> as italic.
_TAGS_LIKE_MARKS = {
    "strong": frozenset(("b", "strong", "mark")),
    "em": frozenset(("i", "em", "u")),
    "s": frozenset(("s",)),
}
# No text that is meant to be read changes its style more often; behind that all is plain.
MAX_SPANS = 20_000
# A longer cell is shown as it was written: a cell is laid out in one piece.
MAX_CELL_CHARS = 4000


class SpanBuilder:
    """Builds spans from inline tokens and joins neighbours of one style. ``numbers`` are those of the footnotes by
    label; a note gets the next one when its first mark is met. ``is_growing``: a tag that is open at the end is
    closed there."""

    def __init__(self, numbers: dict[str, int], *, is_growing: bool = False) -> None:
        self._numbers = numbers
        self._is_growing = is_growing
        self._tags: list[str] = []  # the open tags
        self._spans: list[Span] = []
        self._pieces: list[str] = []  # pieces of the current span
        self._style: _Style | None = None
        self._depth = {"strong": 0, "em": 0, "s": 0}
        self._hrefs: list[str | None] = []
        self._turns = False  # the text has letters that are written from right to left

    def build(self, tokens: list[Token]) -> tuple[Span, ...]:
        self._turns = any(has_right_to_left(token.content) for token in tokens)
        paired = _paired_tags(tokens, is_growing=self._is_growing)
        for place, token in enumerate(tokens):
            if place in paired:
                self._add_tag(paired[place])
            elif token.content or token.type != "text":  # an empty text token stands for a mark of emphasis
                self._add_token(token)
        self._end_span()
        return tuple(self._spans)

    def _add(
        self, text: str, *, is_code: bool = False, is_math: bool = False, href: str | None = None, note: str = ""
    ) -> None:
        if not text:
            return
        depth = self._depth
        link = href or (self._hrefs[-1] if self._hrefs else None)
        script, is_key = "", False
        if self._tags:
            script = next((tag for tag in reversed(self._tags) if tag in ("sub", "sup")), "")
            is_key = "kbd" in self._tags
        bold, italic, struck = (
            depth[mark] > 0 or not tags.isdisjoint(self._tags) for mark, tags in _TAGS_LIKE_MARKS.items()
        )
        style = (bold, italic, struck, is_code, is_math, link, note, script, is_key)
        if len(self._spans) >= MAX_SPANS:
            style, is_math = _PLAIN, False
        if style != self._style or is_math:
            self._end_span()
            self._style = style
        self._pieces.append(text)

    def _end_span(self) -> None:
        """Add the span that grew. Hidden characters are handled in the whole span, for tokens may split a sequence of
        them."""
        if self._style is None or not self._pieces:
            return
        bold, italic, struck, code, math, href, note, script, is_key = self._style
        text = "".join(self._pieces)
        self._pieces.clear()
        if code:
            text = visible_code(text)
        else:
            text = visible_controls(text) if math else readable_prose(text, turns=self._turns)
        if not text:
            return
        # By place: twice as fast as by name, for what every text has dozens of.
        self._spans.append(Span(text, bold, italic, struck, code, math, href, None, note or None, script, is_key))

    def _add_token(self, token: Token) -> None:
        kind = token.type
        if kind == "text":
            if self._hrefs:
                self._add(token.content)
            else:
                for text, href in split_bare_addresses(token.content):
                    self._add(text, href=href if href and is_safe_link(href) else None)
        elif kind in ("code_inline", "chat_math"):
            self._add(token.content, is_code=kind == "code_inline", is_math=kind == "chat_math")
        elif kind in ("softbreak", "hardbreak"):
            self._add("\n")  # chats keep the lines of letters, and models write for chats
        elif kind == "image":
            self._add_image(token)
        elif kind == "chat_footnote_ref":
            number = self._numbers.setdefault(token.content, len(self._numbers) + 1)
            self._add(str(number), note=f"fn-{number}")
        elif kind == "link_open":
            href = str(token.attrs.get("href", ""))
            self._hrefs.append(href if is_safe_link(href) else None)
        elif kind == "link_close":
            self._hrefs.pop()
        elif token.tag in self._depth and token.nesting:
            self._depth[token.tag] += token.nesting
        else:
            self._add(token.content)

    def _add_tag(self, tag: str) -> None:
        if tag == "br":
            self._add("\n")
        elif tag.startswith("/"):
            self._tags.pop()
        else:
            self._tags.append(tag)

    def _add_image(self, token: Token) -> None:
        url = str(token.attrs.get("src", ""))
        alt = image_alt(token) or link_host(url) or ("image" if url.startswith("data:") else url)
        if not self._hrefs and is_safe_link(url):
            self._add(alt, href=url)
        else:
            self._add(alt)


def _paired_tags(tokens: list[Token], *, is_growing: bool) -> dict[int, str]:
    """Return the tags that count, by place: line breaks, and those that are opened and closed in good order."""
    found: dict[int, str] = {}
    waiting: list[tuple[int, str]] = []
    for place, token in enumerate(tokens):
        if token.type != "chat_tag":
            continue
        tag = token.content.strip("<> ").lower().removesuffix("/").rstrip()
        if tag == "br":
            found[place] = tag
        elif not tag.startswith("/"):
            waiting.append((place, tag))
        elif any(opened == tag[1:] for _, opened in waiting):
            while waiting[-1][1] != tag[1:]:
                waiting.pop()
            found[waiting.pop()[0]] = tag[1:]
            found[place] = tag
    if is_growing:
        found.update(waiting)
    return found


def image_alt(token: Token) -> str:
    return "".join(
        image_alt(child) if child.type == "image" else " " if child.type.endswith("break") else child.content
        for child in token.children or ()
    )


def table_row(md: MarkdownIt, env: dict[str, Any], cells: list[str], columns: int) -> tuple[tuple[Span, ...], ...]:
    """Return the cells of a row as spans, as many as there are columns. ``<br>`` breaks a line: a row has no other
    way to."""
    return tuple(_cell(md, env, cell) for cell in cells[:columns]) + ((),) * (columns - len(cells))


def _cell(md: MarkdownIt, env: dict[str, Any], text: str) -> tuple[Span, ...]:
    if not text:
        return ()
    if len(text) > MAX_CELL_CHARS:
        return (Span(readable_prose(text)),)
    tokens: list[Token] = []
    md.inline.parse(text, md, env, tokens)
    return SpanBuilder(env["note_numbers"]).build(tokens)
