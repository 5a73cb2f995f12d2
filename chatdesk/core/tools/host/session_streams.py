"""Passes the messages of a session through observers, whatever carries them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage


class Observer:
    """Sees each message of a session, and may change it."""

    def received(self, _message: types.JSONRPCMessage) -> bool:
        """Take a message of the server; return whether the session goes on."""
        return True

    def unreadable(self) -> bool:
        """Take a fault in place of a message; return whether the session goes on."""
        return True

    def sending(self, _message: types.JSONRPCMessage) -> None:
        """Take a message that is written next."""

    def sent(self, _message: types.JSONRPCMessage) -> None:
        """Take a message that was written."""


def observed(read: Any, write: Any, observers: Sequence[Observer]) -> tuple[Any, Any]:
    """Return the streams of a session whose messages ``observers`` see, in their order."""
    return _FromServer(read, observers), _ToServer(write, observers)


class _Stream:
    def __init__(self, inner: Any, observers: Sequence[Observer]) -> None:
        self._inner = inner
        self._observers = observers

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()


class _FromServer(_Stream):
    @property
    def last_context(self) -> Any:
        """Return the context in which the last message was sent, where the transport knows it."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        received: SessionMessage | Exception = await self._inner.receive()
        goes_on = (
            each.received(received.message) if isinstance(received, SessionMessage) else each.unreadable()
            for each in self._observers
        )
        if not all(goes_on):
            raise anyio.EndOfStream
        return received

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None


class _ToServer(_Stream):
    async def send(self, sent: SessionMessage) -> None:
        for each in self._observers:
            each.sending(sent.message)
        await self._inner.send(sent)
        for each in self._observers:
            each.sent(sent.message)
