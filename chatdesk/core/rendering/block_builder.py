"""Turns markdown-it's tokens into flat blocks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from chatdesk.core.domain.artifacts.code_blocks import language_of_fence
from chatdesk.core.hidden_characters import visible_code, visible_controls
from chatdesk.core.rendering.block_rules import MAX_TABLE_CELLS
from chatdesk.core.rendering.blocks import (
    DEFINITION,
    Block,
    CodeBlock,
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
from chatdesk.core.rendering.footnotes import Note
from chatdesk.core.rendering.picture_data import picture_bytes
from chatdesk.core.rendering.safety import link_host
from chatdesk.core.rendering.span_builder import SpanBuilder, image_alt, table_row
from chatdesk.core.texts import Text

_BULLET = "•"
_MATH_LANGUAGE = "math"  # GitHub's name for displayed formulas
_PICTURE = "data:image/"
_CALLOUT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?=\s|$)[ \t]*", re.IGNORECASE)


class _Quote(NamedTuple):
    lists: int  # that it is in
    line: int


class _Outside(NamedTuple):
    """The builder's state when the footnote ``label`` began: a footnote is built apart from the place where it was
    written."""

    label: str
    blocks: list[Block]
    numbers: list[int | None]
    marker: str | None
    quotes: list[_Quote]
    callouts: list[str]


class BlockBuilder:
    """Builds blocks in one walk over block tokens. ``line_offset`` and ``first_number`` place a tail that was parsed
    alone."""

    def __init__(
        self,
        md: MarkdownIt,
        env: dict[str, Any],
        *,
        line_offset: int = 0,
        first_number: int | None = None,
        open_folds: int = 0,
    ) -> None:
        self._md = md
        self._env = env
        self._line_offset = line_offset
        self._first_number = first_number
        self._blocks: list[Block] = []
        self._numbers: list[int | None] = []  # a list each: the number of the next item, None for bullets
        self._marker: str | None = None
        self._marker_line = 0
        self.open_folds = open_folds  # only the outermost folds: a fold inside a fold is text
        self._quotes: list[_Quote] = []
        self._begun = 0  # the number of blocks before the outermost item or quote
        self._callouts: list[str] = []  # the callout of each quote
        self._outside: list[_Outside] = []  # the state around the open notes
        self.next_number: int | None = None  # the number that would continue the last top-level list
        self.notes: list[Note] = []  # in their order in the source; ``place_notes`` makes blocks of them

    def build(self, tokens: list[Token]) -> tuple[Block, ...]:
        """Return the blocks of ``tokens``, those of footnotes left out."""
        for at, token in enumerate(tokens):
            self._add_token(token, tokens, at)
        return tuple(self._blocks)

    def _place(self, token: Token) -> Placement:
        first, end = token.map or (0, 0)
        marker, self._marker = self._marker, None
        return Placement(
            list_depth=len(self._numbers) + bool(self._outside),
            quote_depth=len(self._quotes),
            quoted_lists=tuple(quote.lists for quote in self._quotes) if any(q.lists for q in self._quotes) else (),
            quotes=tuple(quote.line for quote in self._quotes),
            callouts=tuple(self._callouts) if any(self._callouts) else (),
            is_folded=self.open_folds > 0 and not self._outside,
            marker=marker,
            first_line=first + self._line_offset,
            end_line=end + self._line_offset,
        )

    def _spans(self, children: list[Token]) -> tuple[Span, ...]:
        return SpanBuilder(self._env["note_numbers"], is_growing=self._env["is_tail"]).build(children)

    def _flush_marker(self) -> None:
        """Add an empty paragraph for an item without a block of its own, so that its marker is shown."""
        if self._marker is not None:
            line = [self._marker_line, self._marker_line + 1]
            self._blocks.append(Paragraph((), self._place(Token("", "", 0, map=line))))

    def _add_token(self, token: Token, tokens: list[Token], at: int) -> None:
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
            self._open_container(is_quote=False)
            self._open_item(token)
        elif kind in ("list_item_close", "blockquote_close"):
            self._flush_marker()
            if kind == "blockquote_close":
                self._quotes.pop()
                self._callouts.pop()
            self._close_container(is_quote=kind == "blockquote_close")
        elif kind == "blockquote_open":
            self._flush_marker()
            self._open_container(is_quote=True)
            line = (token.map or [0])[0] + self._line_offset
            self._quotes.append(_Quote(len(self._numbers) + bool(self._outside), line))
            self._callouts.append("")
            self._open_callout(tokens[at + 1 : at + 3])
        elif kind == "footnote_reference_open":
            label = token.meta["label"]
            outside = _Outside(label, self._blocks, self._numbers, self._marker, self._quotes, self._callouts)
            self._outside.append(outside)
            self._blocks, self._numbers, self._marker, self._quotes, self._callouts = [], [], None, [], []
        elif kind == "footnote_reference_close":
            outside = self._outside.pop()
            self.notes.append(Note(outside.label, tuple(self._blocks)))
            self._blocks, self._numbers, self._marker, self._quotes, self._callouts = outside[1:]
        else:
            self._add_leaf(token, tokens, at)

    def _is_outermost(self, *, is_quote: bool) -> bool:
        return not self._quotes and len(self._numbers) == (0 if is_quote else 1) and not self._outside

    def _open_container(self, *, is_quote: bool) -> None:
        if self._is_outermost(is_quote=is_quote):
            self._begun = len(self._blocks)

    def _close_container(self, *, is_quote: bool) -> None:
        """Set the direction of all blocks in an outermost item or quote to that of its first words."""
        if self._is_outermost(is_quote=is_quote) and reads_right_to_left(self._blocks[self._begun :]):
            self._blocks[self._begun :] = map(_mirrored, self._blocks[self._begun :])

    def _open_callout(self, tokens: list[Token]) -> None:
        """Recognise a quote whose first words are ``[!NOTE]`` and the like, as GitHub has them. The line that names it
        becomes a block of its own; text behind it on the same line becomes the first paragraph."""
        if len(tokens) < 2 or tokens[0].type != "paragraph_open":
            return
        paragraph, inline = tokens
        match, children = _CALLOUT.match(inline.content), inline.children or []
        if match is None or not children or not children[0].content.startswith(match[0].rstrip()):
            return
        self._callouts[-1] = match[1].lower()
        words = children[0].content[len(match[0].rstrip()) :].lstrip()
        rest = children[1:]
        if words:
            children[0].content = words
            rest = children
        elif rest and rest[0].type.endswith("break"):
            rest = rest[1:]
        inline.children = rest
        title = (Span(self._callouts[-1].capitalize(), is_bold=True),)
        self._blocks.append(Paragraph(title, replace(self._place(paragraph), is_callout_title=True)))

    def _open_item(self, token: Token) -> None:
        number = self._numbers[-1]
        checked = token.meta.get("checked")
        if checked is not None:
            self._marker = "☑" if checked else "☐"
        elif number is None:
            self._marker = DEFINITION if token.meta.get("is_definition") else _BULLET
        else:
            self._marker = f"{number}."
        if number is not None:
            self._numbers[-1] = number + 1
        self._marker_line = token.map[0] if token.map else 0

    def _add_leaf(self, token: Token, tokens: list[Token], at: int) -> None:
        kind = token.type
        if kind == "paragraph_open":
            self._add_paragraph(token, tokens[at + 1])
        elif kind == "heading_open":
            spans = self._spans(tokens[at + 1].children or [])
            self._blocks.append(Heading(int(token.tag[1]), spans, self._place(token)))
        elif kind in ("fence", "code_block"):
            language = language_of_fence(unescapeAll(token.info).strip())
            body = token.content.removesuffix("\n")
            is_open = bool(token.meta.get("is_open", False))
            if language.lower() == _MATH_LANGUAGE and kind == "fence" and (is_open or body.strip()):
                self._add_math("\n".join(filter(str.strip, body.split("\n"))), token, is_open=is_open)
                return
            text = visible_code(body, is_whole=not is_open)
            self._blocks.append(
                CodeBlock(
                    visible_controls(language),
                    text,
                    is_open=is_open,
                    at=self._place(token),
                    original=body if text != body else None,
                    ends_line=token.content.endswith("\n"),
                )
            )
        elif kind == "chat_table":
            self._add_table(token)
        elif kind == "chat_math":
            self._add_math(token.content, token, is_open=bool(token.meta.get("is_open")))
        elif kind in ("chat_fold", "chat_unfold"):
            self._fold(token, is_opening=kind == "chat_fold")
        elif kind == "hr":
            self._blocks.append(Rule(self._place(token)))

    def _add_math(self, tex: str, token: Token, *, is_open: bool) -> None:
        tex = "" if is_open else visible_controls(tex)
        self._blocks.append(MathBlock(tex, self._place(token), is_pending=is_open))

    def _fold(self, token: Token, *, is_opening: bool) -> None:
        if is_opening and not self.open_folds:
            children: list[Token] = []
            self._md.inline.parse(token.content, self._md, self._env, children)
            label = "".join(span.text for span in self._spans(children)).strip() or Text("Details")
            self._blocks.append(Fold(label, self._place(token)))
        elif is_opening or self.open_folds != 1:
            self._blocks.append(Paragraph((Span(visible_controls(token.info)),), self._place(token)))
        self.open_folds = max(0, self.open_folds + (1 if is_opening else -1))

    def _add_paragraph(self, token: Token, inline: Token) -> None:
        children = inline.children or []
        images = [child for child in children if child.type == "image"]
        if images and all(
            child.type in ("image", "softbreak") or (child.type == "text" and not child.content.strip())
            for child in children
        ):
            for image in images:
                self._blocks.append(self._image(image, token))
            return
        spans = self._spans(children)
        if spans or self._marker is not None:  # a link without words has nothing to show
            self._blocks.append(Paragraph(spans, self._place(token)))
        # A picture that is in the text is seen below the words around it, which have its name.
        inside = [image for image in images if str(image.attrs.get("src", "")).startswith(_PICTURE)]
        self._blocks += [self._image(image, token) for image in inside]

    def _image(self, image: Token, paragraph: Token) -> ImagePlaceholder:
        url, alt, at = str(image.attrs.get("src", "")), visible_controls(image_alt(image)), self._place(paragraph)
        if not url.startswith(_PICTURE):
            return ImagePlaceholder(alt, visible_controls(url), visible_controls(link_host(url)), at)
        data = picture_bytes(url)
        remark = "" if data else Text("{kilobytes} KB, damaged or too large", kilobytes=len(url) * 3 // 4 // 1024 + 1)
        return ImagePlaceholder(alt, "", "", at, data, remark)

    def _add_table(self, token: Token) -> None:
        alignments: tuple[str, ...] = token.meta["alignments"]
        rows: list[list[str]] = token.meta["rows"]
        if len(alignments) * (len(rows) + 1) > MAX_TABLE_CELLS:
            remark = Text("too large for a table")
            self._blocks.append(CodeBlock("", visible_controls(token.content), at=self._place(token), remark=remark))
            return
        header = table_row(self._md, self._env, token.meta["header"], len(alignments))
        body = tuple(table_row(self._md, self._env, row, len(alignments)) for row in rows)
        table = Table(alignments, header, body, self._place(token))
        self._blocks.append(_mirrored(table) if reads_right_to_left((table,)) else table)


def _mirrored(block: Block) -> Block:
    return replace(block, at=replace(block.at, is_right_to_left=True))
