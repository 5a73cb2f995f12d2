"""Unpacks answers that come compressed although plain ones were asked for, a little at a time so that caps apply.

The HTTP client would unpack any amount at once. Importing this costs the HTTP client: only a worker thread may.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import httpx2

from chatdesk.core.providers.failures import CompressedAnswerError

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_MOST_AT_ONCE = 64 * 1024
_PACKINGS = {"gzip", "x-gzip", "deflate"}


class UnpackedStream(httpx2.AsyncByteStream):
    """The unpacked bytes of another stream. Raises ``CompressedAnswerError`` if they cannot be unpacked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(aiter(self._inner)) as chunks:
            async for chunk in chunks:
                for piece in self._unpacked(chunk):
                    yield piece

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inflater.eof:
            try:
                piece = self._inflater.decompress(data, _MOST_AT_ONCE)
            except zlib.error:
                raise CompressedAnswerError from None
            data = self._inflater.unconsumed_tail
            if piece:
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


def unpack(response: httpx2.Response, *, is_error: bool) -> None:
    """Make ``response`` yield plain bytes. Raises ``CompressedAnswerError`` for an unknown packing, except in an error,
    which is then shown as unreadable at worst."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing in _PACKINGS:
        response.stream = UnpackedStream(response.stream)
    elif packing not in {"", "identity"} and not is_error:
        raise CompressedAnswerError
    response.headers.pop("content-encoding", None)
