"""Reads the body of a response so that a reader who stops halfway leaves no generator to the garbage collector.

The HTTP client reads a body through generators of generators, and one of them (``AsyncResponseStream``, as of httpx2
2.16) drops the next when it is closed. A dropped generator is finalised by whatever thread collects it, where its own
clean-up cannot work. Importing this costs the HTTP client: only a worker thread may.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2

_CHUNKS_A_SLICE = 50


class DrainedStream(httpx2.AsyncByteStream):
    """Passes on the bytes of another stream. Leaving the iteration closes the connection and ends all generators
    below."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        chunks = aiter(self._inner)
        try:
            while (chunk := await anext(chunks, None)) is not None:
                yield chunk
        finally:
            await self._inner.aclose()
            await _run_out(chunks)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _run_out(chunks: AsyncIterator[bytes]) -> None:
    """Read on after the connection was closed: what was received already comes, then each generator, the innermost
    first, ends by the error that nothing more can be read."""
    count = 0
    with suppress(Exception):
        async for _ in chunks:
            count += 1
            if count % _CHUNKS_A_SLICE == 0:
                await asyncio.sleep(0)
