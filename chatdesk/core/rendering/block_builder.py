"""markdown-it's tokens turned into flat blocks."""

from __future__ import annotations

from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
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
from chatdesk.core.rendering.footnotes import Note
from chatdesk.core.rendering.safety import link_host, visible_controls
from chatdesk.core.rendering.span_builder import SpanBuilder, image_alt, table_row

MAX_LANGUAGE_CHARS = 40
_BULLET = "•"


class _Outside(NamedTuple):
    """Where the walk stood when the note ``label`` began: notes stand for themselves, not where they were written."""

    label: str
    blocks: list[Block]
    numbers: list[int | None]
    marker: str | None
    quotes: list[int]


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
        self._quotes: list[int] = []  # for each quote, how many lists it stands in
        self._outside: list[_Outside] = []  # what notes interrupt
        self.next_number: int | None = None  # what would follow in the last list at the top
        self.notes: list[Note] = []  # as they stand in the source; ``place_notes`` makes blocks of them

    def build(self, tokens: list[Token]) -> tuple[Block, ...]:
        """The blocks of ``tokens``, those of footnotes left out."""
        for at, token in enumerate(tokens):
            self._take(token, tokens, at)
        return tuple(self._blocks)

    def _place(self, token: Token) -> Placement:
        first, end = token.map or (0, 0)
        marker, self._marker = self._marker, None
        return Placement(
            list_depth=len(self._numbers) + bool(self._outside),
            quote_depth=len(self._quotes),
            quoted_lists=tuple(self._quotes) if any(self._quotes) else (),
            marker=marker,
            first_line=first + self._line_offset,
            end_line=end + self._line_offset,
        )

    def _spans(self, children: list[Token]) -> tuple[Span, ...]:
        return SpanBuilder(self._env["note_numbers"]).build(children)

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
        elif kind in ("list_item_close", "blockquote_close"):
            self._flush_marker()
            if kind == "blockquote_close":
                self._quotes.pop()
        elif kind == "blockquote_open":
            self._flush_marker()
            self._quotes.append(len(self._numbers) + bool(self._outside))
        elif kind == "footnote_reference_open":
            label = token.meta["label"]
            self._outside.append(_Outside(label, self._blocks, self._numbers, self._marker, self._quotes))
            self._blocks, self._numbers, self._marker, self._quotes = [], [], None, []
        elif kind == "footnote_reference_close":
            outside = self._outside.pop()
            self.notes.append(Note(outside.label, tuple(self._blocks)))
            self._blocks, self._numbers, self._marker, self._quotes = outside[1:]
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
            spans = self._spans(tokens[at + 1].children or [])
            self._blocks.append(Heading(int(token.tag[1]), spans, self._place(token)))
        elif kind in ("fence", "code_block"):
            info = unescapeAll(token.info).split(maxsplit=1)
            language = info[0][:MAX_LANGUAGE_CHARS] if info else ""
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
        spans = self._spans(children)
        if spans or self._marker is not None:  # a link without words has nothing to show
            self._blocks.append(Paragraph(spans, self._place(token)))

    def _add_table(self, token: Token) -> None:
        alignments: tuple[str, ...] = token.meta["alignments"]
        rows: list[list[str]] = token.meta["rows"]
        if len(alignments) * (len(rows) + 1) > MAX_TABLE_CELLS:
            self._blocks.append(CodeBlock("", visible_controls(token.content), at=self._place(token)))
            return
        header = table_row(self._md, self._env, token.meta["header"], len(alignments))
        body = tuple(table_row(self._md, self._env, row, len(alignments)) for row in rows)
        self._blocks.append(Table(alignments, header, body, self._place(token)))
