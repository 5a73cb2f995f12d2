"""Reads a JSON document of any size one piece at a time: the elements of its array, or the members of its object.

Made for untrusted exports. Memory is bounded by the largest allowed piece; a larger, damaged or endlessly nested one is
reported and skipped, and reading continues after it. Pieces of usual size are left to Python's decoder in C; larger
ones are taken apart in steps, because a thread that stays in C keeps every other thread waiting.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

from chatdesk.core.texts import Text, size_text
from chatdesk.core.transfer.imports.json_steps import DEEPEST, Damaged, TooDeep, decode_in_steps

# Characters of one piece. An export of 2 GB holds thousands of them; 32 million are 10,000 pages.
LARGEST_PIECE: Final = 32 * 1024 * 1024
# Characters of one element that is read part by part: a thread of 300,000 messages.
LARGEST_IN_PARTS: Final = 8 * LARGEST_PIECE
# Up to here a piece is decoded in one go, which takes a few milliseconds.
AT_ONCE: Final = 384 * 1024
_READ_BYTES: Final = 256 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
# A bracket, a whole string, or the quote of a string whose end is not there yet. The parts of a string exclude each
# other, so a string without an end is given up after one pass over it.
_MARK = re.compile(r'[\[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"|"', re.DOTALL)
_IN_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_BARE = re.compile(r"[^\s,\]}]*")


class NotJson(Exception):
    """The document is neither an object nor an array."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document. ``key`` is the member it is in (None: in the outermost array). ``problem``, a
    sentence, replaces a ``value`` that could not be read; ``is_end`` then says that nothing more can be. ``size``
    in characters."""

    key: str | None
    value: Any = None
    is_element: bool = False
    problem: str = ""
    is_end: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """A member of an element whose array is read item by item if the element is large. ``make`` gets an item's index
    and value; only its result is kept."""

    member: str
    make: Callable[[int, Any], Any]
    largest: int = LARGEST_IN_PARTS


class JsonStream:
    """Reads a document in pieces. ``streamed`` names the members of the outermost object whose arrays come element by
    element; ``nested`` those that are objects to be taken apart the same way, whose members are called ``outer.inner``;
    ``parts`` returns how a large element is taken apart further, and is called when one is met. In JSON Lines each line
    is an element; the first may come as members."""

    def __init__(
        self,
        stream: BinaryIO | Readable,
        *,
        streamed: frozenset[str] = frozenset(),
        nested: frozenset[str] = frozenset(),
        parts: Callable[[], Parts | None] = lambda: None,
        largest: int = LARGEST_PIECE,
        at_once: int = AT_ONCE,
    ) -> None:
        self._stream = stream
        self._streamed = streamed
        self._nested = nested
        self._parts = parts
        self._largest = largest
        self._at_once = min(at_once, largest)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._text = ""
        self._at = 0
        self._is_over = False
        self._json = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)
        self.has_foreign_bytes = False

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces. Raises ``NotJson`` before the first one if the text is not JSON, and exceptions of
        ``stream``."""
        first = self._peek()
        if first == "[":
            self._at += 1
            yield from self._elements(None)
        elif first == "{":
            if not self._is_lines():
                self._at += 1
                yield from self._members()
            yield from self._lines()
        else:
            raise NotJson

    def _is_lines(self) -> bool:
        """Return whether an object of usual size is followed by another one."""
        self._fill(self._at_once)
        try:
            _value, end = self._json.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return False
        match = _SPACE.match(self._text, end)
        return match is not None and self._text.startswith("{", match.end())

    def _lines(self) -> Iterator[Piece]:
        while self._peek() == "{":
            piece = self._value(None, is_element=True)
            yield piece
            if piece.is_end:
                return

    def _elements(self, key: str | None, *, are_items: bool = False) -> Iterator[Piece]:
        while True:
            character = self._peek()
            if character == "]":
                self._at += 1
                return
            if character == ",":
                self._at += 1
                continue
            piece = self._value(key, is_element=True, is_item=are_items)
            yield piece
            if piece.is_end:
                return

    def _members(self, above: str = "") -> Iterator[Piece]:
        while True:
            character = self._peek()
            if character == "}":
                self._at += 1
                return
            if character == ",":
                self._at += 1
                continue
            name = self._value(None, is_element=False)
            if name.problem or not isinstance(name.value, str) or self._peek() != ":":
                yield Piece(None, problem=name.problem or Text("It is not JSON."), is_end=True)
                return
            self._at += 1
            key = above + name.value
            opening = self._peek()
            if opening == "[" and key in self._streamed:
                self._at += 1
                found = self._elements(key)
            elif opening == "{" and key in self._nested:
                self._at += 1
                found = self._members(f"{key}.")
            else:
                found = iter((self._value(key, is_element=False),))
            for piece in found:
                yield piece
                if piece.is_end:
                    return

    def _value(self, key: str | None, *, is_element: bool, is_item: bool = False) -> Piece:
        first = self._peek()
        if not first:
            return Piece(key, is_element=is_element, problem=Text("It is cut off."), is_end=True)
        self._fill(self._at_once)
        try:
            value, end = self._json.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            pass
        else:
            # A number at the very end of the text may continue.
            if end < len(self._text) or self._is_over:
                size, self._at = end - self._at, end
                if size > self._largest:
                    return Piece(key, is_element=is_element, problem=self._too_large())
                return Piece(key, value, is_element, size=size)
        if first not in '[{"':
            return self._bare(key, is_element=is_element)
        parts = self._parts() if is_element and not is_item and first == "{" else None
        if parts is not None:
            return self._in_parts(key, parts)
        return self._large(key, is_element=is_element)

    def _bare(self, key: str | None, *, is_element: bool) -> Piece:
        """Read a number, a word of JSON, or nothing."""
        match = _BARE.match(self._text, self._at)
        assert match is not None  # the pattern also matches nothing
        word, self._at = match.group(), match.end()
        if not word or len(word) >= self._at_once:
            return Piece(key, is_element=is_element, problem=Text("It is not JSON."), is_end=True)
        if re.fullmatch(r"-?\d+", word):
            return Piece(key, None, is_element)  # a number with thousands of digits is nothing that is wanted
        return Piece(key, is_element=is_element, problem=Text("It is not JSON."))

    def _large(self, key: str | None, *, is_element: bool) -> Piece:
        """Read a large value: find the end first, then decode in steps."""
        extent = _Extent()
        kept: list[str] = []
        size = 0
        end: int | None = None
        while end is None:
            stretch = self._text[self._at :] if self._at else self._text
            self._text, self._at = "", 0
            end = extent.feed(stretch)
            taken = stretch if end is None else stretch[:end]
            size += len(taken)
            if size <= self._largest:
                kept.append(taken)
            else:
                kept.clear()
            if end is not None:
                self._text = stretch[end:]
            elif not self._fill(1):
                return Piece(key, is_element=is_element, problem=Text("It is cut off."), is_end=True)
        if size > self._largest:
            return Piece(key, is_element=is_element, problem=self._too_large())
        if extent.deepest > DEEPEST:
            return Piece(
                key, is_element=is_element, problem=Text("It is nested {count} levels deep.", count=extent.deepest)
            )
        try:
            return Piece(key, decode_in_steps("".join(kept)), is_element, size=size)
        except TooDeep:
            return Piece(key, is_element=is_element, problem=Text("It is nested too deeply."))
        except Damaged:
            return Piece(key, is_element=is_element, problem=Text("It is damaged."))

    def _in_parts(self, key: str | None, parts: Parts) -> Piece:
        """Read an element that is not kept as text: member by member, and the items of one of them one by one."""
        self._at += 1
        made: dict[str, Any] = {}
        problem, size, around = "", 0, 0
        while (character := self._peek()) != "}":
            if character == ",":
                self._at += 1
                continue
            name = self._value(None, is_element=False)
            if name.problem or not isinstance(name.value, str) or self._peek() != ":":
                return Piece(key, is_element=True, problem=name.problem or Text("It is not JSON."), is_end=True)
            self._at += 1
            is_taken_apart = name.value == parts.member and self._peek() == "["
            if is_taken_apart:
                self._at += 1
                found = self._elements(name.value, are_items=True)
            else:
                found = iter((self._value(name.value, is_element=False),))
            items: list[Any] = []
            for piece in found:
                if piece.is_end:
                    return Piece(key, is_element=True, problem=piece.problem, is_end=True)
                size += piece.size
                around += 0 if is_taken_apart else piece.size
                problem = problem or piece.problem
                if size > parts.largest:
                    problem = problem or _larger_than(parts.largest)
                elif around > self._largest:
                    problem = problem or _larger_than(self._largest)
                if problem:
                    items, made = [], {}
                else:
                    items.append(parts.make(len(items), piece.value) if is_taken_apart else piece.value)
            if not problem:
                made[name.value] = items if is_taken_apart else items[0]
        self._at += 1
        return Piece(key, None if problem else made, is_element=True, problem=problem, size=size)

    def _too_large(self) -> str:
        return _larger_than(self._largest)

    def _peek(self) -> str:
        """Return the next character other than white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None  # the pattern also matches nothing
            self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill(1):
                return ""

    def _fill(self, wanted: int) -> bool:
        """Read until ``wanted`` characters are at hand, or all that are left; return whether there are any."""
        left = len(self._text) - self._at
        if left >= wanted or self._is_over:
            return left > 0
        pieces = [self._text[self._at :]] if self._at or not self._text else [self._text]
        size = len(pieces[0])
        while size < wanted and not self._is_over:
            data = self._stream.read(_READ_BYTES)
            self._is_over = not data
            text = self._decoded(data)
            pieces.append(text)
            size += len(text)
        self._text, self._at = "".join(pieces), 0
        return size > 0

    def _decoded(self, data: bytes) -> str:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(_encoding(data))("strict")
        try:
            return self._decoder.decode(data, not data)
        except UnicodeDecodeError:
            self.has_foreign_bytes = True
            self._decoder.errors = "replace"
            return self._decoder.decode(data, not data)


class _Extent:
    """Finds the end of an object, an array or a string that comes in stretches."""

    def __init__(self) -> None:
        self.deepest = 0
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False

    def feed(self, text: str) -> int | None:
        """Return the place behind the end, or None while it is not in sight."""
        at = 0
        if self._is_escaped and text:
            self._is_escaped = False
            at = 1
        while at < len(text):
            if self._is_in_string:
                match = _IN_STRING.match(text, at)
                assert match is not None  # the pattern also matches nothing
                at = match.end()
                if at == len(text):
                    return None
                if text[at] == "\\":  # at the end: the escaped character comes with the next stretch
                    self._is_escaped = True
                    return None
                self._is_in_string = False
                at += 1
                if not self._depth:
                    return at
                continue
            match = _MARK.search(text, at)
            if match is None:
                return None
            at = match.end()
            first = text[match.start()]
            if first == '"':
                self._is_in_string = match.end() - match.start() == 1
                if not self._is_in_string and not self._depth:
                    return at
            elif first in "[{":
                self._depth += 1
                self.deepest = max(self.deepest, self._depth)
            else:
                self._depth -= 1
                if self._depth <= 0:
                    return at
        return None


def _larger_than(characters: int) -> str:
    return Text("It is larger than {most}.", most=size_text(characters))


def _encoding(beginning: bytes) -> str:
    """Return the encoding of a document, by its first bytes (RFC 4627, section 3)."""
    if beginning.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return json.detect_encoding(beginning[:4]) if beginning else "utf-8"
