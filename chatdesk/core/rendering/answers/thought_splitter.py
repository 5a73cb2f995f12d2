"""Cuts the text of an answer into thoughts and answer at the tags that models write around their thoughts.

Servers that do not read these tags send them as text: at the beginning, again later, without the opening tag (the
template wrote it), or as the channels of gpt-oss. A tag counts at the beginning of a line and outside of code; a
closing tag alone counts where its line begins or ends. Everything else about tags is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto

from chatdesk.core.rendering.answers.code_tracker import CodeTracker

_WORDS = (
    *("think", "thinking", "thought", "thoughts", "thought_process", "reason", "reasoning", "reflection", "scratchpad"),
    *("seed:think", "mm:think", "antml:thinking", "longcat_think", "inner_monologue"),
)
_PAIRS = {
    **{f"<{word}>": f"</{word}>" for word in _WORDS},
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel>thought": "<channel|>",
    "<unused94>thought": "<unused95>",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|channel|>commentary<|message|>": "<|end|>",
    "<|think|>": "<|end|>",
}
# Marks of chat templates around an answer, visible only if a server does not parse them.
_AROUND = (
    *("<|start|>assistant", "<|channel|>final<|message|>", "<|return|>", "<|end|>"),
    *("<|start_response|>", "<|end_response|>", "<|begin_of_solution|>", "<|end_of_solution|>"),
    *("<|begin|>assistant", "<|content|>", "[end final response]"),
)
# Tags around an answer that are words of other answers too: they count directly after a thought.
_WRAPS = {"<answer>": "</answer>", "<response>": "</response>"}
_CLOSINGS = frozenset(_PAIRS.values())
# A closing tag that may stand alone, because the template of the model has written the opening one.
_ALONE = frozenset((*(closing for closing in _CLOSINGS if closing not in _AROUND), "[begin final response]"))
# The remains of gpt-oss's channels if a server drops the marks: a thought begins with the one word and ends with the
# other.
_BARE_BEGIN, _BARE_END = "analysis", "assistantfinal"
_TOKENS = sorted({*_PAIRS, *_ALONE, *_CLOSINGS, *_AROUND, *_WRAPS, *_WRAPS.values(), _BARE_END}, key=len, reverse=True)
_TOKEN = re.compile("|".join(map(re.escape, _TOKENS)), re.IGNORECASE)
_LONGEST = len(_TOKENS[0])
_FIRST = frozenset(token[0] for token in _TOKENS if token != _BARE_END)


def has_tags(text: str) -> bool:
    """Return whether there is anything in a text that may be a tag."""
    return _TOKEN.search(text) is not None


class Kind(Enum):
    """The kind of a piece: ``CLOSED`` ends a thought, ``WAS_THOUGHT`` says that all before was one."""

    ANSWER = auto()
    THOUGHT = auto()
    OPENED = auto()
    CLOSED = auto()
    WAS_THOUGHT = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text from ``start`` on, which counts the characters before it."""

    kind: Kind
    text: str
    start: int


def without_thoughts(text: str) -> str:
    """Return the text of an answer without its thoughts and their tags."""
    splitter, kept = ThoughtSplitter(), list[str]()
    for piece in (*splitter.feed(text), *splitter.finish()):
        if piece.kind is Kind.WAS_THOUGHT:
            kept.clear()
        elif piece.kind is Kind.ANSWER:
            kept.append(piece.text)
    return "".join(kept)


class ThoughtSplitter:
    """Cuts a text that comes in pieces. ``is_open``: the thought that began last has not ended."""

    def __init__(self) -> None:
        self._pending = ""
        self._at = 0  # the number of characters before the pending text
        self._closing = ""  # the closing tag of the current thought
        self._beginning = ""
        self._wrap = ""  # the closing tag of the current answer
        self._code = CodeTracker()
        self._has_thought = False
        self._is_fresh = True  # nothing but blanks since the beginning or the last tag

        self.opened_at = 0
        """The characters before the tag of the thought that began last."""

    @property
    def is_open(self) -> bool:
        return bool(self._closing)

    def feed(self, text: str) -> Iterator[Piece]:
        """Yield the pieces that this text completes."""
        self._pending += text
        self._beginning += text[: len(_BARE_BEGIN) - len(self._beginning)].lower()
        yield from self._read(is_end=False)

    def finish(self) -> Iterator[Piece]:
        """Yield the text that was held back."""
        yield from self._read(is_end=True)

    def _read(self, *, is_end: bool) -> Iterator[Piece]:
        searched = 0
        while (found := _TOKEN.search(self._pending, searched)) is not None:
            if not is_end and self._may_go_on(found.start(), found.end()):
                break
            kind = self._kind_of(found[0].lower(), found.start(), found.end())
            if kind is None:
                searched = found.end()
                continue
            yield from self._given(found.start(), is_thought=kind is Kind.CLOSED)
            token = len(found[0])
            if kind is Kind.OPENED:
                self.opened_at = self._at
            if kind is not Kind.ANSWER:  # an answer's tag is left out
                yield Piece(kind, "", self._at + token)
            self._drop(token)
            searched = 0
        yield from self._given(len(self._pending) if is_end else self._certain(), is_thought=self.is_open)

    def _kind_of(self, token: str, start: int, end: int) -> Kind | None:
        """Return the effect of a tag at its place; None where it is text."""
        if self._closing:
            if token != self._closing:
                return None
            self._closing = ""
            self._is_fresh = True
            return Kind.CLOSED
        line, is_in_code = self._line_before(start)
        if is_in_code:
            return None
        is_first = self._is_fresh and not self._pending[:start].strip()
        if token == self._wrap or (token in _WRAPS and self._has_thought and is_first):
            self._wrap = _WRAPS.get(token, "")
            return Kind.ANSWER
        begins_line = is_first or not line.strip()
        if token in _PAIRS and begins_line:
            self._closing, self._has_thought, self._is_fresh = _PAIRS[token], True, False
            return Kind.OPENED
        if token in _AROUND:
            return Kind.ANSWER if begins_line or self._has_thought else None
        if token == _BARE_END and self._beginning == _BARE_BEGIN and not self._has_thought:
            self._has_thought, self._is_fresh = True, True
            return Kind.WAS_THOUGHT
        ends_line = self._pending[end : end + 1] in ("", "\n", "\r")
        if token in _ALONE and not self._has_thought and (begins_line or ends_line):
            self._has_thought, self._is_fresh = True, True
            return Kind.WAS_THOUGHT
        return None

    def _line_before(self, start: int) -> tuple[str, bool]:
        """Return the line up to a place of the pending text, and whether that place is in code."""
        tracker = copy(self._code)
        tracker.follow(self._pending[:start])
        return tracker.line, tracker.is_in_code

    def _given(self, count: int, *, is_thought: bool) -> Iterator[Piece]:
        text = self._pending[:count]
        if text:
            if not is_thought:
                self._is_fresh = self._is_fresh and not text.strip()
                self._code.follow(text)
            yield Piece(Kind.THOUGHT if is_thought else Kind.ANSWER, text, self._at)
            self._drop(count)

    def _drop(self, count: int) -> None:
        self._pending = self._pending[count:]
        self._at += count

    def _certain(self) -> int:
        """Return the length of the pending text that cannot be part of a tag."""
        begin = max(0, len(self._pending) - _LONGEST)
        for place in range(begin, len(self._pending)):
            letter = self._pending[place]
            is_first = letter in _FIRST or (letter == _BARE_END[0] and self._beginning == _BARE_BEGIN)
            if is_first and self._may_go_on(place, len(self._pending)):
                return place
        return len(self._pending)

    def _may_go_on(self, start: int, end: int) -> bool:
        """Return whether the text at ``start`` may become a longer tag, or depends on the text after it."""
        if end < len(self._pending):
            return False
        tail = self._pending[start:end].lower()
        return tail in _ALONE or any(token != tail and token.startswith(tail) for token in _TOKENS)
