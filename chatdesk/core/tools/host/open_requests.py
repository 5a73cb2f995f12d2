"""Counts the requests of a server that wait for an answer, whatever carries them. Each is kept in memory until its
answer is written, and a server that reads none could send them without end."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Self

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage

# A server that has more requests without an answer than this does not read the answers, and is ended.
MOST_OPEN_REQUESTS: Final = 1_000
_PROBLEM: Final = "It sent too many requests, or reused an id, before it read the answers."


def count_requests(read: Any, write: Any, broken: asyncio.Future[str]) -> tuple[Any, Any]:
    """Return the streams of a session, through which the requests are counted. Too many end the stream from the server,
    and ``broken`` says so."""
    open_ids: set[types.RequestId] = set()
    return _FromServer(read, open_ids, broken), _ToServer(write, open_ids)


class _Stream:
    def __init__(self, inner: Any, open_ids: set[types.RequestId]) -> None:
        self._inner = inner
        self._open_ids = open_ids

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()


class _FromServer(_Stream):
    def __init__(self, inner: Any, open_ids: set[types.RequestId], broken: asyncio.Future[str]) -> None:
        super().__init__(inner, open_ids)
        self._broken = broken

    @property
    def last_context(self) -> Any:
        """Return the context in which the last message was sent, where the transport knows it."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        received: SessionMessage | Exception = await self._inner.receive()
        if isinstance(received, SessionMessage) and not self._has_room_for(received.message):
            if not self._broken.done():
                self._broken.set_result(_PROBLEM)
            raise anyio.EndOfStream
        return received

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    def _has_room_for(self, message: types.JSONRPCMessage) -> bool:
        if isinstance(message, types.JSONRPCRequest):
            if message.id in self._open_ids or len(self._open_ids) >= MOST_OPEN_REQUESTS:
                return False
            self._open_ids.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = (message.params or {}).get("requestId")
            if isinstance(cancelled, int | str):
                self._open_ids.discard(cancelled)  # no answer will be written
        return True


class _ToServer(_Stream):
    async def send(self, sent: SessionMessage) -> None:
        await self._inner.send(sent)
        message = sent.message
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._open_ids.discard(message.id)
