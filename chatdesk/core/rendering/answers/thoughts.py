"""Parses answers, and folds the thoughts that models write into their text (``thought_splitter`` finds them).

A thought is a fold with its own blocks; the text around it is the answer. An empty thought is not shown. A thought
without an end is a fold if it begins the answer, as in a cut-off answer; else it is shown as plain text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chatdesk.core.domain.artifacts.nested_fences import NestedFences, with_longer_fences
from chatdesk.core.rendering.answers.thought_splitter import Kind, Piece, ThoughtSplitter, has_tags
from chatdesk.core.rendering.blocks import Block, Fold, Paragraph, Placement, Span
from chatdesk.core.rendering.markdown import clean_source, parse_markdown
from chatdesk.core.rendering.streaming import BlockUpdate, StreamingMarkdown


def parse_question(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text that a person wrote: tags in it are words about tags."""
    return parse_markdown(with_longer_fences(text))


def parse_answer(text: str) -> tuple[Block, ...]:
    """Return the blocks of ``text`` with its thoughts folded."""
    if not has_tags(text):
        return parse_question(text)
    answer = StreamingAnswer()
    answer.append(text)
    answer.finish()
    return answer.blocks


@dataclass(slots=True)
class _Section:
    """A thought or a part of the answer. ``start`` counts the characters before it, ``lines`` the lines and ``first``
    the blocks."""

    is_thought: bool
    start: int
    lines: int
    first: int
    parser: StreamingMarkdown = field(default_factory=StreamingMarkdown)

    def shown(self, blocks: Iterable[Block]) -> list[Block]:
        """Return blocks of this section as they are among all others."""
        placed = _shifted(blocks, self.lines)
        return [_behind_the_fold(block) for block in placed] if self.is_thought else placed


class StreamingAnswer:
    """Parses an answer that comes in pieces, as ``StreamingMarkdown`` does, and folds its thoughts."""

    def __init__(self) -> None:
        self._raw: list[str] = []
        self._source: list[str] = []  # with longer fences
        self._fences = NestedFences()
        self._splitter = ThoughtSplitter()
        self._sections: list[_Section] = []
        self._blocks: list[Block] = []
        self._first_changed = 0

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    def append(self, delta: str) -> BlockUpdate:
        self._raw.append(delta)
        return self._add(self._fences.feed(delta))

    def finish(self) -> BlockUpdate:
        first_changed = self._add(self._fences.finish()).first_changed
        if self._fences.is_unbalanced:
            self._restart()
            first_changed = 0
        self._first_changed = min(first_changed, self._update(self._splitter.finish()).first_changed)
        if self._splitter.is_open and len(self._sections) == 1:
            self._close(self._sections[0])
        elif self._splitter.is_open:
            self._open_last()
        elif self._sections:
            self._change(self._sections[-1], self._sections[-1].parser.finish())
        return BlockUpdate(self._first_changed, tuple(self._blocks[self._first_changed :]))

    def _add(self, source: str) -> BlockUpdate:
        self._source.append(source)
        return self._update(self._splitter.feed(source))

    def _restart(self) -> None:
        """Parse the whole text again, with its fences as they came."""
        self._splitter, self._sections, self._blocks = ThoughtSplitter(), [], []
        self._source.clear()
        self._add("".join(self._raw))

    def _update(self, pieces: Iterable[Piece]) -> BlockUpdate:
        self._first_changed = len(self._blocks)
        for piece in pieces:
            self._add_piece(piece)
        return BlockUpdate(self._first_changed, tuple(self._blocks[self._first_changed :]))

    def _add_piece(self, piece: Piece) -> None:
        last = self._sections[-1] if self._sections else None
        if piece.kind is Kind.OPENED:
            self._start_section(piece.start, is_thought=True)
            return
        if piece.kind in (Kind.CLOSED, Kind.WAS_THOUGHT):
            if last is not None:
                last.is_thought = True
                self._close(last)
            return
        if last is None or (last.is_thought and piece.kind is Kind.ANSWER):
            last = self._start_section(piece.start, is_thought=False)
        self._change(last, last.parser.append(piece.text))

    def _start_section(self, start: int, *, is_thought: bool) -> _Section:
        if self._sections and not self._sections[-1].is_thought:
            self._change(self._sections[-1], self._sections[-1].parser.finish())
        before = "".join(self._source)[:start] if start else ""
        section = _Section(is_thought, start, clean_source(before).count("\n"), len(self._blocks))
        self._sections.append(section)
        if is_thought:
            self._show_all(section, is_open=True)
        return section

    def _close(self, thought: _Section) -> None:
        self._change(thought, thought.parser.finish())
        self._show_all(thought, is_open=False)

    def _change(self, section: _Section, update: BlockUpdate) -> None:
        first = section.first + (1 if section.is_thought else 0) + update.first_changed
        self._blocks[first:] = section.shown(update.blocks)
        self._first_changed = min(self._first_changed, first)

    def _show_all(self, section: _Section, *, is_open: bool) -> None:
        """Replace the fold of a thought and all blocks behind it; an empty thought has no fold."""
        folded = section.shown(section.parser.blocks)
        fold = Fold("Thinking" if is_open else "Thought", Placement())
        self._blocks[section.first :] = [fold, *folded] if folded or is_open else []
        self._first_changed = min(self._first_changed, section.first)

    def _open_last(self) -> None:
        """Make the thought that has not ended a part of the answer before it, with its tag."""
        *_, thought = self._sections
        before = self._sections[-2] if len(self._sections) > 1 else None
        source = "".join(self._source)
        first = before if before is not None and not before.is_thought else None
        start = first.start if first is not None else self._splitter.opened_at
        place = first.first if first is not None else thought.first
        lines = clean_source(source[:start]).count("\n")
        self._blocks[place:] = _shifted(parse_markdown(source[start:]), lines)
        self._first_changed = min(self._first_changed, place)


def _behind_the_fold(block: Block) -> Block:
    """Return ``block`` as folded; a fold within the thought becomes a bold line."""
    at = replace(block.at, is_folded=True, note=None)
    return Paragraph((Span(block.label, is_bold=True),), at) if isinstance(block, Fold) else replace(block, at=at)


def _shifted(blocks: Iterable[Block], lines: int) -> list[Block]:
    """Return ``blocks`` with their line numbers adjusted to so many lines before them."""
    return [replace(block, at=_below(block.at, lines)) for block in blocks] if lines else list(blocks)


def _below(at: Placement, lines: int) -> Placement:
    quotes = tuple(line + lines for line in at.quotes)
    return replace(at, first_line=at.first_line + lines, end_line=at.end_line + lines, quotes=quotes)
