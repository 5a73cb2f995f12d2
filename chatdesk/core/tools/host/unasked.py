"""Limits a server's unsolicited messages: news, logs, progress, requests, unmatched answers, and the standard error of
a program. Each costs time here, and a server could send them without end, even outside of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import mcp_types as types
from pydantic_core import to_json

from chatdesk.core.texts import Text
from chatdesk.core.tools.host.session_streams import Observer

# The allowed burst, and the allowed rate per second.
MOST_MESSAGES, MESSAGES_PER_S = 3_000, 300
MOST_BYTES, BYTES_PER_S = 32 * 1024 * 1024, 1024 * 1024
# The bytes of the lines around a message in a stream of events.
_LINES: Final = 5
_MESSAGES: Final = Text("It sent too many messages that nobody asked for, more than {count} in a second.")
_BYTES: Final = Text("It wrote too much that nobody asked for, more than {count} bytes in a second.")


class Unasked(Observer):
    """Counts unsolicited messages and bytes. ``end`` is called with a sentence when they are too many. ``clock``
    returns seconds."""

    def __init__(self, end: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._end = end
        self._messages = _Allowance(MOST_MESSAGES, MESSAGES_PER_S, clock)
        self._bytes = _Allowance(MOST_BYTES, BYTES_PER_S, clock)
        self._lines = _Allowance(_LINES * MOST_MESSAGES, _LINES * MESSAGES_PER_S, clock)
        self._asked: set[types.RequestId] = set()

    def sending(self, message: types.JSONRPCMessage) -> None:
        """Expect the answer to a request."""
        if isinstance(message, types.JSONRPCRequest):
            self._asked.add(message.id)

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Count a message that does not answer a request."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id in self._asked:
            self._asked.discard(message.id)
            return True
        return self.unreadable() and self.wrote(len(to_json(getattr(message, "params", None), serialize_unknown=True)))

    def unreadable(self) -> bool:
        """Count one message, whatever is in it; return whether there may be more."""
        return self._spend(self._messages, 1)

    def streamed(self, lines: int, size_bytes: int) -> bool:
        """Count the lines and bytes of a stream of events that are not data; return whether there may be more."""
        return self._spend(self._lines, lines) and self.wrote(size_bytes)

    def wrote(self, size_bytes: int) -> bool:
        """Count bytes; return whether there may be more."""
        is_allowed = self._bytes.spend(size_bytes)
        if not is_allowed:
            self._end(_BYTES.filled(count=BYTES_PER_S))
        return is_allowed

    def _spend(self, allowance: _Allowance, count: int) -> bool:
        is_allowed = allowance.spend(count)
        if not is_allowed:
            self._end(_MESSAGES.filled(count=MESSAGES_PER_S))
        return is_allowed


class _Allowance:
    """A number of things that may come, which grows again with time."""

    def __init__(self, most: float, per_s: float, clock: Callable[[], float]) -> None:
        self._most, self._per_s, self._clock = most, per_s, clock
        self._rest = most
        self._at_s = clock()

    def spend(self, count: float) -> bool:
        """Spend a part of the allowance; return whether it was enough."""
        now_s = self._clock()
        self._rest = min(self._most, self._rest + (now_s - self._at_s) * self._per_s) - count
        self._at_s = now_s
        return self._rest >= 0
