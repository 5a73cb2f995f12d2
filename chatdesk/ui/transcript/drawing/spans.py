"""Turns the spans of a paragraph into one run of characters with formats, the form that QTextLayout takes.

Inline code gets a no-break space on both sides as room for its tinted background, and a link whose text names another
target gets its true host appended; copying leaves both out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from chatdesk.core.rendering.blocks import Span
from chatdesk.core.rendering.misleading_links import destination_remark

PIECE_CHARACTERS = 4_000
_LONG_RUN = 2_000
_STYLE_COST = 12  # in characters
_MOST_BLOCKS = 24  # number of blocks of 256 characters, apart from East Asian ones
_SCRIPTS_COST = 8
_SPANS_LOOKED_AT = 1_000
_PAD = "\u00a0"
_LINE = "\u2028"
_JOINER = "\u2060"  # has no width, and no line is broken beside it
_style_of = attrgetter(*(each.name for each in fields(Span) if each.name != "text"))
_PLAIN = _style_of(Span(""))
_SLASH = re.compile(r"(?<!\S)/(?=[\w-]{1,24}(?![\w/-]))")


@dataclass(frozen=True, slots=True)
class StyledRange:
    """The range of the text that a styled span covers."""

    start: int
    end: int
    span: Span


@dataclass(frozen=True, slots=True)
class LinkRange:
    """A link with all its words, however they are styled; ``#fn-1`` leads to a footnote of the message."""

    start: int
    end: int
    href: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The text of a paragraph as laid out.

    ``pads`` are the offsets of characters that are not the author's.
    """

    text: str
    ranges: tuple[StyledRange, ...]
    pads: frozenset[int]
    must_wrap_anywhere: bool

    @property
    def has_drawings(self) -> bool:
        return any(each.span.drawing is not None for each in self.ranges)

    @property
    def links(self) -> tuple[LinkRange, ...]:
        found: list[LinkRange] = []
        for each in self.ranges:
            target = each.span.href or (f"#{each.span.note}" if each.span.note else None)
            if target is None:
                continue
            if found and (found[-1].end, found[-1].href) == (each.start, target):
                found[-1] = LinkRange(found[-1].start, each.end, target)
            else:
                found.append(LinkRange(each.start, each.end, target))
        return tuple(found)

    def copied(self, start: int, end: int) -> str:
        piece = self.text[start:end]
        if self.pads:
            piece = "".join(sign for place, sign in enumerate(piece, start) if place not in self.pads)
        return piece.replace(_LINE, "\n")


def text_of(spans: Sequence[Span]) -> str:
    """Return the text of ``flow_of``. Of plain words, as most of a table's cells are, it is known without a flow."""
    if len(spans) == 1 and not _is_styled(spans[0]):
        return spans[0].text.replace("\n", _LINE)
    return flow_of(spans).text


def flow_of(spans: Sequence[Span]) -> Flow:
    pieces: list[str] = []
    ranges: list[StyledRange] = []
    pads: set[int] = set()
    length = 0
    for place, span in enumerate(spans):
        joined: list[int] = []
        text = span.text.replace("\n", _LINE)
        if not text:
            continue
        for before, joint in enumerate(_joints(text) if span.is_code else ()):
            at = joint + before
            text = f"{text[:at]}{_JOINER}{text[at:]}"
            joined.append(at)
        if span.is_code or span.is_key or (span.is_math and span.drawing is None):
            text = f"{_PAD}{text}{_PAD}"
            pads.update((length, length + len(text) - 1))
            joined = [place + 1 for place in joined]
        pads.update(length + place for place in joined)
        if _is_styled(span):
            ranges.append(StyledRange(length, length + len(text), span))
        pieces.append(text)
        length += len(text)
        truth = destination_remark(spans, place) if span.href else ""
        pieces.append(truth)
        pads.update(range(length, length + len(truth)))
        length += len(truth)
    whole = "".join(pieces)
    return Flow(whole, tuple(ranges), frozenset(pads), has_long_run(whole))


def _joints(text: str) -> list[int]:
    """Return the offsets at which inline code may not be broken: after the slash of a short word such as ``/demo``.

    Plain text is left as it is, because a screen reader reads what is laid out.
    """
    return [match.end() for match in _SLASH.finditer(text)] if "/" in text else []


def has_long_run(text: str) -> bool:
    """Return whether breaking at words would be slow, as Qt searches a long run for a word's end again and again."""
    if len(text) <= _LONG_RUN:
        return False
    return any(len(word) > _LONG_RUN for word in text.split())


def split_spans(spans: Sequence[Span], limit: int = PIECE_CHARACTERS) -> list[tuple[Span, ...]]:
    """Split spans into pieces of at most ``limit`` characters, at spaces where there are any.

    A change of style counts as some characters, for it takes as long to lay out. The cuts of a text do not move when
    more is appended to it, so a growing paragraph is laid out again only in its last piece.
    """
    size = sum(len(span.text) for span in spans) + len(spans) * _STYLE_COST
    if size > limit // _SCRIPTS_COST and _has_many_scripts(spans):
        limit //= _SCRIPTS_COST
    if size <= limit:
        return [tuple(spans)]
    pieces: list[tuple[Span, ...]] = []
    piece: list[Span] = []
    room = limit
    for span in spans:
        text = span.text
        if room <= 0:
            pieces.append(tuple(piece))
            piece, room = [], limit
        while len(text) > room:
            cut = text.rfind(" ", room // 2, room) + 1 or room
            piece.append(_with_text(span, text[:cut]))
            pieces.append(tuple(piece))
            piece, room, text = [], limit, text[cut:]
        if text:
            piece.append(span if text is span.text else _with_text(span, text))
            room -= len(text) + (_STYLE_COST if _is_styled(span) else 0)
    if piece:
        pieces.append(tuple(piece))
    return pieces


def split_plain(text: str) -> list[str]:
    """Split plain text into paragraphs, at empty lines and where a paragraph is too long."""
    pieces: list[str] = []
    for paragraph in text.split("\n\n"):
        stripped = paragraph.strip("\n")
        if stripped.strip():
            pieces += ["".join(span.text for span in piece) for piece in split_spans((Span(stripped),))]
    return pieces


def _has_many_scripts(spans: Sequence[Span]) -> bool:
    """Return whether the beginning mixes more scripts than any writer does: each of them may load a font."""
    text = "".join(span.text for span in spans[:_SPANS_LOOKED_AT])[:PIECE_CHARACTERS]
    if text.isascii():
        return False
    blocks = {ord(letter) >> 8 for letter in set(text) if not "\u2e80" <= letter <= "\ud7ff"}
    return len(blocks) > _MOST_BLOCKS


def _is_styled(span: Span) -> bool:
    return _style_of(span) != _PLAIN


def _with_text(span: Span, text: str) -> Span:
    return replace(span, text=text, drawing=None)
