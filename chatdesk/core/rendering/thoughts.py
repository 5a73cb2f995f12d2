"""Folds the thoughts that an answer begins with in ``<think>`` tags: servers that do not read the tags send them as
text.

The thought is a fold with its own blocks; what follows is the answer. A thought that never ends is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from chatdesk.core.rendering.blocks import Block, Fold, Paragraph, Placement, Span
from chatdesk.core.rendering.markdown import clean_source, parse_markdown
from chatdesk.core.rendering.streaming import BlockUpdate, StreamingMarkdown

_OPENING = re.compile(r"\s{0,40}<(think|thinking)>", re.IGNORECASE)
_HALF_OPENING = re.compile(r"\s{0,40}(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?\Z", re.IGNORECASE)
_LONGEST_TAG = len("</thinking>")


def parse_answer(text: str) -> tuple[Block, ...]:
    """Return the blocks of ``text`` with a thought at its beginning folded."""
    opening = _OPENING.match(text)
    closing = _closing(opening[1]).search(text, opening.end()) if opening is not None else None
    if opening is None or closing is None:
        return parse_markdown(text)
    thought = _folded(parse_markdown(text[opening.end() : closing.start()]))
    return (_fold(is_open=False), *thought, *_shifted(parse_markdown(text[closing.end() :]), text[: closing.end()]))


class StreamingAnswer:
    """Parses an answer that comes in pieces, as ``StreamingMarkdown`` does, and folds a thought at its beginning."""

    def __init__(self) -> None:
        self._source: list[str] = []
        self._waiting = ""  # what may be half a tag
        self._closing: re.Pattern[str] | None = None  # while the thought goes on
        self._thought: StreamingMarkdown | None = None
        self._answer = StreamingMarkdown()
        self._is_decided = False
        self._is_fold_shown = False
        self._before = ""  # all up to the answer
        self._blocks: list[Block] = []

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    def append(self, delta: str) -> BlockUpdate:
        if self._is_decided and self._closing is None:
            return self._update_answer(self._answer.append(delta))
        self._source.append(delta)
        self._waiting += delta
        if not self._is_decided and not self._decide():
            return BlockUpdate(len(self._blocks), ())
        if self._closing is None:
            text, self._waiting = self._waiting, ""
            self._source.clear()
            return self._update_answer(self._answer.append(text))
        return self._extend_thought()

    def finish(self) -> BlockUpdate:
        if self._closing is not None:
            self._blocks = list(parse_markdown("".join(self._source)))
            return BlockUpdate(0, tuple(self._blocks))
        if self._waiting:
            self._answer.append(self._waiting)
            self._waiting = ""
            self._update_answer(BlockUpdate(0, self._answer.blocks))
        return self._update_answer(self._answer.finish())

    def _decide(self) -> bool:
        """Decide whether the answer begins with a thought; return False if more text is needed."""
        opening = _OPENING.match(self._waiting)
        if opening is None:
            self._is_decided = _HALF_OPENING.match(self._waiting) is None
            return self._is_decided
        self._is_decided = True
        self._closing = _closing(opening[1])
        self._thought = StreamingMarkdown()
        self._waiting = self._waiting[opening.end() :]
        self._blocks = [_fold(is_open=True)]
        return True

    def _extend_thought(self) -> BlockUpdate:
        assert self._thought is not None
        assert self._closing is not None
        end = self._closing.search(self._waiting)
        if end is None:
            keep = self._waiting.rfind("<", max(0, len(self._waiting) - _LONGEST_TAG))
            text = self._waiting if keep < 0 else self._waiting[:keep]
            self._waiting = self._waiting[len(text) :]
            update = self._thought.append(text)
            self._blocks[1 + update.first_changed :] = _folded(update.blocks)
            first = 1 + update.first_changed if self._is_fold_shown else 0
            self._is_fold_shown = True
            return BlockUpdate(first, tuple(self._blocks[first:]))
        text, rest = self._waiting[: end.start()], self._waiting[end.end() :]
        self._thought.append(text)
        self._thought.finish()
        source = "".join(self._source)
        self._before = source[: len(source) - len(rest)]
        self._source.clear()
        self._waiting, self._closing = "", None
        self._blocks = [_fold(is_open=False), *_folded(self._thought.blocks)]
        self._update_answer(self._answer.append(rest))
        return BlockUpdate(0, tuple(self._blocks))

    def _update_answer(self, update: BlockUpdate) -> BlockUpdate:
        thought = 1 + len(self._thought.blocks) if self._thought is not None else 0
        first = thought + update.first_changed
        changed = tuple(_shifted(update.blocks, self._before))
        self._blocks[first:] = changed
        return BlockUpdate(first, changed)


def _closing(tag: str) -> re.Pattern[str]:
    return re.compile(rf"</{tag}>", re.IGNORECASE)


def _fold(*, is_open: bool) -> Fold:
    return Fold("Thinking" if is_open else "Thought", Placement())


def _folded(blocks: Iterable[Block]) -> list[Block]:
    return [_behind_the_fold(block) for block in blocks]


def _behind_the_fold(block: Block) -> Block:
    """Return ``block`` as folded; a fold within the thought becomes a bold line."""
    at = replace(block.at, is_folded=True, note=None)
    return Paragraph((Span(block.label, is_bold=True),), at) if isinstance(block, Fold) else replace(block, at=at)


def _shifted(blocks: Iterable[Block], before: str) -> list[Block]:
    """Return ``blocks`` of a text that is behind ``before``, with their line numbers adjusted."""
    lines = clean_source(before).count("\n") if before else 0
    if not lines:
        return list(blocks)
    return [replace(block, at=_below(block.at, lines)) for block in blocks]


def _below(at: Placement, lines: int) -> Placement:
    quotes = tuple(line + lines for line in at.quotes)
    return replace(at, first_line=at.first_line + lines, end_line=at.end_line + lines, quotes=quotes)
