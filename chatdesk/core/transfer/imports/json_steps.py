"""Decodes JSON text without recursion and in steps, so that neither depth nor size can hurt."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # undocumented, and there since Python 2.6
from typing import Any, Final

# Levels; a conversation that is written as messages within messages has two a message.
DEEPEST: Final = 20_000
# Below this level whole values are left to the decoder in C: an export's conversations keep their messages there.
_LEVELS_IN_STEPS = 3

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<string>")|(?P<mark>[{}\[\],:])|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
    r"|(?P<word>true|false|null|NaN|-?Infinity))"
)
_WORDS = {"true": True, "false": False}
_LONGEST_NUMBER = 400


class Damaged(ValueError):
    """The text is not JSON."""


class TooDeep(Damaged):
    """The text has more levels than ``DEEPEST``."""


def decode_in_steps(text: str) -> Any:
    """Return the value of a JSON text, as ``json.loads`` does, with None for NaN and infinity. Raises ``Damaged``."""
    try:
        return _Decoder(text, _LEVELS_IN_STEPS).value()
    except RecursionError:
        return _Decoder(text, DEEPEST).value()


class _Decoder:
    def __init__(self, text: str, levels: int) -> None:
        self._text = text
        self._levels = levels
        self._at = 0
        self._in_c = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)

    def value(self) -> Any:
        """Decode iteratively: ``open_values`` holds the objects and arrays around the place that is read, with the
        key that an object waits to fill."""
        open_values: list[tuple[dict[str, Any] | list[Any], str | None]] = []
        while True:
            value, is_open = self._next(len(open_values))
            if is_open and not self._closes(value):
                if len(open_values) >= DEEPEST:
                    raise TooDeep
                open_values.append((value, self._key() if isinstance(value, dict) else None))
                continue
            while open_values:
                holder, key = open_values[-1]
                if isinstance(holder, list):
                    holder.append(value)
                elif key is not None:
                    holder[key] = value
                if self._goes_on(holder):
                    open_values[-1] = (holder, self._key() if isinstance(holder, dict) else None)
                    break
                open_values.pop()
                value = holder
            else:
                return value

    def _goes_on(self, holder: dict[str, Any] | list[Any]) -> bool:
        """Return whether another value follows in an object or array, and not its end. Raises ``Damaged`` for
        anything else."""
        mark = self._mark()
        if mark != "," and mark != ("]" if isinstance(holder, list) else "}"):
            raise Damaged
        return mark == ","

    def _next(self, depth: int) -> tuple[Any, bool]:
        """Return the next value and False; or an object or array that was only opened, and True."""
        match = self._token()
        kind = match.lastgroup
        if kind == "string":
            return self._string(match.end()), False
        if kind == "number":
            return _number(match.group("number")), False
        if kind == "word":
            return _WORDS.get(match.group("word")), False
        mark = match.group("mark")
        if mark not in "[{":
            raise Damaged
        if depth >= self._levels:
            try:
                value, self._at = self._in_c.raw_decode(self._text, match.end() - 1)
            except ValueError as error:
                if isinstance(error, json.JSONDecodeError):
                    raise Damaged from error
            else:
                return value, False
        return ({} if mark == "{" else []), True

    def _closes(self, opened: dict[str, Any] | list[Any]) -> bool:
        at = self._at
        match = _TOKEN.match(self._text, at)
        if match is not None and match.group("mark") == ("}" if isinstance(opened, dict) else "]"):
            self._at = match.end()
            return True
        return False

    def _key(self) -> str:
        match = self._token()
        if match.lastgroup != "string":
            raise Damaged
        key = self._string(match.end())
        if self._mark() != ":":
            raise Damaged
        return key

    def _mark(self) -> str:
        match = self._token()
        mark = match.group("mark")
        if mark is None:
            raise Damaged
        return str(mark)

    def _token(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise Damaged
        self._at = match.end()
        return match

    def _string(self, at: int) -> str:
        try:
            text, self._at = scanstring(self._text, at, False)
        except ValueError as error:
            raise Damaged from error
        return str(text)


def _number(text: str) -> int | float | None:
    if len(text) > _LONGEST_NUMBER:
        return None
    return float(text) if any(mark in text for mark in ".eE") else int(text)
