"""Bounds the memory that messages of a server take, before they are parsed: a list of a few bytes becomes an object of
hundreds."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import from_json, to_json

from chatdesk.core.texts import Text
from chatdesk.core.tools.host.failures import HostFailure

# Values of all kinds in one message.
MOST_VALUES: Final = 100_000
_STRING_OR_VALUE: Final = re.compile(rb'"[^"]*"?|[\[{,]')
_QUOTE: Final = ord('"')
_CUT: Final = {"type": "text", "text": "[More parts were cut off.]"}
_TOO_MANY: Final = {"code": -32603, "message": f"It answered with more than {MOST_VALUES:,} values."}


class TooManyValues(HostFailure):
    """A message has too many values, and is neither a result that could be cut nor a request that could be refused."""


def within_bounds(message: bytes) -> bytes:
    """Return a JSON message unchanged, or shortened if it has more than ``MOST_VALUES`` values: a tool's result
    keeps its first parts, another answer becomes an error. Raises ``TooManyValues``."""
    end = _end_of_bounds(message)
    if end is None:
        return message
    try:
        read = from_json(message[:end], allow_partial=True)
    except ValueError:
        return message  # invalid JSON is reported elsewhere
    if not isinstance(read, dict) or read.get("id") is None or "method" in read:
        raise TooManyValues(Text("It sent more than {most} values in one message.", most=MOST_VALUES))
    return to_json(_cut(read))


def _cut(answer: dict[str, Any]) -> dict[str, Any]:
    result = answer.get("result")
    if isinstance(result, dict) and next(reversed(result), None) == "content":
        parts = result["content"]
        if isinstance(parts, list):
            parts[-1:] = [_CUT]  # the last part is incomplete
            return answer
    return {"jsonrpc": "2.0", "id": answer["id"], "error": _TOO_MANY}


def _end_of_bounds(message: bytes) -> int | None:
    """Return the place of the first value beyond the limit; None if there is none."""
    if sum(message.count(each) for each in (b",", b"[", b"{")) < MOST_VALUES:  # each value but the first has one
        return None
    count = 0
    # Without escapes, at the same places: a pattern that steps over each of them keeps something of each.
    plain = message.replace(rb"\\", b"  ").replace(rb"\"", b"  ")
    for found in _STRING_OR_VALUE.finditer(plain):
        if plain[found.start()] != _QUOTE:
            count += 1
            if count > MOST_VALUES:
                return found.start()
    return None
