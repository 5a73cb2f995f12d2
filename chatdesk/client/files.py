"""Sends files in pieces, so that a large one is never in memory whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import httpx2

_PIECE_BYTES: Final = 256 * 1024


class FileBody(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A file as the body of a request, for both clients; each try reads it from its beginning."""

    def __init__(self, file: str | os.PathLike[str] | bytes) -> None:
        self._file = file if isinstance(file, bytes) else Path(file)

    @property
    def name(self) -> str:
        """The file's own name; empty for bytes."""
        return "" if isinstance(self._file, bytes) else self._file.name

    @property
    def size_bytes(self) -> int:
        return len(self._file) if isinstance(self._file, bytes) else self._file.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._file, bytes):
            yield self._file
            return
        with self._file.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
