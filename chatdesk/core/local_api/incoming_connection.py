"""Defines a connection from which nothing was read yet, and the interface of a transport that accepts them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class IncomingConnection:
    """A connection that came in. ``open`` begins to read; ``close`` ends it, opened or not."""

    def __init__(self, begin: Callable[[], Awaitable[Streams]], drop: Callable[[], None]) -> None:
        self._begin = begin
        self._drop = drop
        self._streams: Streams | None = None

    async def open(self) -> Streams:
        self._streams = await self._begin()
        return self._streams

    def close(self) -> None:
        if self._streams is None:
            self._drop()
        else:
            self._streams[1].close()


# Called in the loop for each connection of this user.
Admit = Callable[[IncomingConnection], None]


# After how many seconds there may be room for one more; 0: now.
RoomIn = Callable[[], float]


class Transport(Protocol):
    """A transport of the operating system by which other processes of the same person connect."""

    async def open(self, wanted: Path) -> str:
        """Listen, at ``wanted`` if possible; return the address. Raises ``OSError``."""
        ...

    def close(self) -> None:
        """Stop listening; connections that came in stay open."""
        ...
