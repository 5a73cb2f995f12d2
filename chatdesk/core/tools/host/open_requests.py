"""Counts the requests of a server that wait for an answer. Each is kept in memory until its answer is written, and a
server that reads none could send them without end."""

from __future__ import annotations

import asyncio
from typing import Final

import mcp_types as types

from chatdesk.core.texts import Text
from chatdesk.core.tools.host.session_streams import Observer

# A server that has more requests without an answer than this does not read the answers, and is ended.
MOST_OPEN_REQUESTS: Final = 1_000
_PROBLEM: Final = Text("It sent too many requests, or used an id twice, before it read the answers.")


class OpenRequests(Observer):
    """Counts the open requests of a session. Too many end it, and ``broken`` says so."""

    def __init__(self, broken: asyncio.Future[str]) -> None:
        self._broken = broken
        self._open_ids: set[types.RequestId] = set()

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Count a request of the server."""
        if isinstance(message, types.JSONRPCRequest):
            if message.id in self._open_ids or len(self._open_ids) >= MOST_OPEN_REQUESTS:
                if not self._broken.done():
                    self._broken.set_result(_PROBLEM)
                return False
            self._open_ids.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = (message.params or {}).get("requestId")
            if isinstance(cancelled, int | str):
                self._open_ids.discard(cancelled)  # no answer will be written
        return True

    def sent(self, message: types.JSONRPCMessage) -> None:
        """Take the request that was answered off the count."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._open_ids.discard(message.id)
