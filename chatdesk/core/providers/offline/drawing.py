"""Draws the picture that the offline model answers with: a sunset over the sea, as a PNG in a Markdown text."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from functools import cache

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WIDTH, _HEIGHT, _HORIZON = 480, 300, 190
_SUN = (240, 168, 46)  # x, y and radius
_SKY = ((38, 52, 96), (244, 158, 96))
_SEA = ((196, 116, 92), (16, 40, 66))


@cache
def sunset() -> str:
    """Return the picture as Markdown."""
    rows = b"".join(b"\0" + _row(y) for y in range(_HEIGHT))
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return f"![A sunset over the sea](data:image/png;base64,{base64.b64encode(_SIGNATURE + chunks).decode()})"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _row(y: int) -> bytes:
    """Return a row of pixels: sky or sea, and in its middle the sun or its light on the water."""
    if y < _HORIZON:
        ground, light = _between(*_SKY, y // 6 * 6 / _HORIZON), bytes((255, 226, 158))
        half = round(math.sqrt(max(0, _SUN[2] ** 2 - (y - _SUN[1]) ** 2)))
    else:
        depth = (y - _HORIZON) // 5
        ground, light = _between(*_SEA, depth * 5 / (_HEIGHT - _HORIZON)), bytes((250, 196, 134))
        half = (40 - depth) * (depth % 2 == 0)
    left = _SUN[0] - half
    return ground * left + light * (2 * half) + ground * (_WIDTH - left - 2 * half)


def _between(first: tuple[int, ...], second: tuple[int, ...], share: float) -> bytes:
    return bytes(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
