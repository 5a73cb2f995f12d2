"""Holds back calls until their state is on disk. A call without a stored state would be made again unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from chatdesk.core.chat.live_text import LiveText
from chatdesk.core.domain.turn import StreamChunk


class StoredFirst:
    """Callers that wait until everything that an answer has so far is stored."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._is_wanted = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, stored: Callable[[], None]) -> None:
        """Call ``stored`` once everything up to now is on disk."""
        self._waiting.append(stored)
        self._is_wanted.set()

    async def pause(self, seconds: float) -> None:
        """Wait for some time, but no longer than until another task waits for the disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_wanted.wait()

    async def store(self, text: LiveText, append: Callable[[Sequence[StreamChunk]], Awaitable[None]]) -> None:
        """Store with ``append`` what ``text`` has, if anything, and wake the calls that wait for it. Raises what
        ``append`` raises; they keep waiting then."""
        waiting, self._waiting = self._waiting, []
        self._is_wanted.clear()
        chunks, count = text.peek_to_store()
        try:
            if count:
                await append(chunks)
        except BaseException:
            self._waiting[:0] = waiting
            raise
        text.mark_stored(count)
        for stored in waiting:
            stored()
