"""markdown-it's tokens turned into flat blocks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from chatdesk.core.rendering.block_rules import MAX_TABLE_CELLS
from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Placement,
    Rule,
    Span,
    Table,
)
from chatdesk.core.rendering.inline_rules import split_bare_addresses
from chatdesk.core.rendering.safety import is_safe_link, link_host, visible_controls

_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BULLET = "•"


class SpanBuilder:
    """Inline tokens to spans. Neighbours of one style are joined."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._style = Span("")
        self._depth = {"strong": 0, "em": 0, "s": 0}
        self._hrefs: list[str | None] = []

    def build(self, tokens: list[Token]) -> tuple[Span, ...]:
        for token in tokens:
            self._take(token)
        return tuple(self._spans)

    def _add(self, text: str, **changes: Any) -> None:
        if not text:
            return
        style = replace(self._style, **changes) if changes else self._style
        shown = visible_controls(text)
        if self._spans:
            last = self._spans[-1]
            if not style.is_math and replace(last, text="") == replace(style, text=""):
                self._spans[-1] = replace(last, text=last.text + shown)
                return
        self._spans.append(replace(style, text=shown))

    def _restyle(self) -> None:
        self._style = Span(
            "",
            is_bold=self._depth["strong"] > 0,
            is_italic=self._depth["em"] > 0,
            is_struck=self._depth["s"] > 0,
            href=self._hrefs[-1] if self._hrefs else None,
        )

    def _take(self, token: Token) -> None:
        kind = token.type
        if kind == "text":
            if self._hrefs:
                self._add(token.content)
            else:
                for text, href in split_bare_addresses(token.content):
                    self._add(text, **({"href": href} if href and is_safe_link(href) else {}))
        elif kind in ("code_inline", "chat_math"):
            self._add(token.content, is_code=kind == "code_inline", is_math=kind == "chat_math")
        elif kind in ("softbreak", "hardbreak"):
            self._add(" " if kind == "softbreak" else "\n")
        elif kind == "image":
            self._take_image(token)
        elif kind == "chat_footnote_ref":
            self._add(f"[{token.content}]")
        elif kind == "link_open":
            href = str(token.attrs.get("href", ""))
            self._hrefs.append(href if is_safe_link(href) else None)
            self._restyle()
        elif kind == "link_close":
            self._hrefs.pop()
            self._restyle()
        elif token.tag in self._depth and token.nesting:
            self._depth[token.tag] += token.nesting
            self._restyle()
        else:
            self._add(token.content)

    def _take_image(self, token: Token) -> None:
        url = str(token.attrs.get("src", ""))
        alt = image_alt(token) or link_host(url) or url
        if not self._hrefs and is_safe_link(url):
            self._add(alt, href=url)
        else:
            self._add(alt)


def image_alt(token: Token) -> str:
    return "".join(
        image_alt(child) if child.type == "image" else " " if child.type.endswith("break") else child.content
        for child in token.children or ()
    )


class BlockBuilder:
    """Walks block tokens once. ``line_offset`` and ``first_number`` place a tail that was parsed alone."""

    def __init__(
        self, md: MarkdownIt, env: dict[str, Any], *, line_offset: int = 0, first_number: int | None = None
    ) -> None:
        self._md = md
        self._env = env
        self._line_offset = line_offset
        self._first_number = first_number
        self._blocks: list[Block] = []
        self._numbers: list[int | None] = []  # a list each: the number of the next item, None for bullets
        self._marker: str | None = None
        self._marker_line = 0
        self._quotes = 0
        self._notes = 0
        self._level = 0
        self.next_number: int | None = None  # what would follow in the last list at the top

    def build(self, tokens: list[Token]) -> tuple[Block, ...]:
        for at, token in enumerate(tokens):
            self._take(token, tokens, at)
        return tuple(self._blocks)

    def _place(self, token: Token) -> Placement:
        first, end = token.map or (0, 0)
        marker, self._marker = self._marker, None
        return Placement(
            list_depth=len(self._numbers) + self._notes,
            quote_depth=self._quotes,
            marker=marker,
            first_line=first + self._line_offset,
            end_line=end + self._line_offset,
        )

    def _flush_marker(self) -> None:
        """An item without a block of its own still shows its marker."""
        if self._marker is not None:
            line = [self._marker_line, self._marker_line + 1]
            self._blocks.append(Paragraph((), self._place(Token("", "", 0, map=line))))

    def _take(self, token: Token, tokens: list[Token], at: int) -> None:
        kind = token.type
        if kind in ("ordered_list_open", "bullet_list_open"):
            self._flush_marker()
            start: int | None = None
            if kind == "ordered_list_open":
                start = int(token.meta["start"])
                if self._first_number is not None and token.level == 0 and token.map and token.map[0] == 0:
                    start = self._first_number
            self._numbers.append(start)
        elif kind in ("ordered_list_close", "bullet_list_close"):
            number = self._numbers.pop()
            self.next_number = number
        elif kind == "list_item_open":
            self._open_item(token)
        elif kind in ("list_item_close", "footnote_reference_close", "blockquote_close"):
            self._flush_marker()
            self._quotes -= kind == "blockquote_close"
            self._notes -= kind == "footnote_reference_close"
        elif kind == "blockquote_open":
            self._flush_marker()
            self._quotes += 1
        elif kind == "footnote_reference_open":
            self._flush_marker()
            self._notes += 1
            self._marker = f"[{visible_controls(token.meta['label'])}]"
            self._marker_line = token.map[0] if token.map else 0
        else:
            self._take_leaf(token, tokens, at)

    def _open_item(self, token: Token) -> None:
        number = self._numbers[-1]
        checked = token.meta.get("checked")
        if checked is not None:
            self._marker = "☑" if checked else "☐"
        elif number is None:
            self._marker = _BULLET
        else:
            self._marker = f"{number}."
        if number is not None:
            self._numbers[-1] = number + 1
        self._marker_line = token.map[0] if token.map else 0

    def _take_leaf(self, token: Token, tokens: list[Token], at: int) -> None:
        kind = token.type
        if kind == "paragraph_open":
            self._add_paragraph(token, tokens[at + 1])
        elif kind == "heading_open":
            spans = SpanBuilder().build(tokens[at + 1].children or [])
            self._blocks.append(Heading(int(token.tag[1]), spans, self._place(token)))
        elif kind in ("fence", "code_block"):
            language = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
            self._blocks.append(
                CodeBlock(
                    visible_controls(language),
                    visible_controls(token.content.removesuffix("\n")),
                    is_open=bool(token.meta.get("is_open", False)),
                    at=self._place(token),
                )
            )
        elif kind == "chat_table":
            self._add_table(token)
        elif kind == "chat_math":
            self._blocks.append(MathBlock(visible_controls(token.content), self._place(token)))
        elif kind == "hr":
            self._blocks.append(Rule(self._place(token)))

    def _add_paragraph(self, token: Token, inline: Token) -> None:
        children = inline.children or []
        images = [child for child in children if child.type == "image"]
        if images and all(
            child.type in ("image", "softbreak") or (child.type == "text" and not child.content.strip())
            for child in children
        ):
            for image in images:
                url = str(image.attrs.get("src", ""))
                self._blocks.append(
                    ImagePlaceholder(
                        visible_controls(image_alt(image)),
                        visible_controls(url),
                        visible_controls(link_host(url)),
                        self._place(token),
                    )
                )
            return
        self._blocks.append(Paragraph(SpanBuilder().build(children), self._place(token)))

    def _add_table(self, token: Token) -> None:
        alignments: tuple[str, ...] = token.meta["alignments"]
        rows: list[list[str]] = token.meta["rows"]
        if len(alignments) * (len(rows) + 1) > MAX_TABLE_CELLS:
            self._blocks.append(CodeBlock("", visible_controls(token.content), at=self._place(token)))
            return
        header = table_row(self._md, self._env, token.meta["header"], len(alignments))
        body = tuple(table_row(self._md, self._env, row, len(alignments)) for row in rows)
        self._blocks.append(Table(alignments, header, body, self._place(token)))


def table_row(md: MarkdownIt, env: dict[str, Any], cells: list[str], columns: int) -> tuple[tuple[Span, ...], ...]:
    """The cells of a row as spans, as many as there are columns. ``<br>`` breaks a line: a row has no other way to."""
    return tuple(_cell(md, env, cell) for cell in cells[:columns]) + ((),) * (columns - len(cells))


def _cell(md: MarkdownIt, env: dict[str, Any], text: str) -> tuple[Span, ...]:
    if not text:
        return ()
    tokens: list[Token] = []
    md.inline.parse(text, md, env, tokens)
    spans = SpanBuilder().build(tokens)
    if "<" not in text:
        return spans
    return tuple(
        span if span.is_code or span.is_math else replace(span, text=_BREAK_TAG.sub("\n", span.text)) for span in spans
    )
