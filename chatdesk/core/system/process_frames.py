"""Carries plain tuples between ChatDesk and the processes that it starts.

A frame is a four-byte length (big endian) and a ``marshal`` value. Both ends are the same interpreter of the same
program; no class is named in a frame, so nothing can be constructed by one.
"""

from __future__ import annotations

import marshal
from typing import Any, BinaryIO

MAX_FRAME_BYTES = 256 * 1024 * 1024
Wire = tuple[Any, ...]


def write_frame(stream: BinaryIO, value: Wire) -> None:
    """Write one frame and flush it."""
    body = marshal.dumps(value)
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Wire | None:
    """Return the next frame, None at the end of the stream or in the middle of a broken one."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size) if size <= MAX_FRAME_BYTES else b""
    if len(body) < size or not size:
        return None
    value = marshal.loads(body)  # noqa: S302 - written by the same program at the other end of our own pipe
    return value if isinstance(value, tuple) else None
