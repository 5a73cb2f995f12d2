"""Carries JSON objects on a byte stream: four bytes of length, then so many bytes, as often as the top bit says that
more follows. Independent of the two ends and of the meaning.

A reader says how large an object may become and stops at the first byte beyond it. A writer makes large texts into JSON
a slice at a time, so that neither side ever waits for all of a long answer at once.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # without ``typing``, which ``quick_call`` does not wait for
if TYPE_CHECKING:  # a key press waits for this
    import asyncio
    from collections.abc import Iterator, Mapping
    from typing import Any

# The only key of the object in the place of a sentence that was packed.
TEXT = "text"
_HEADER_BYTES = 4
_MORE = 1 << 31
_FRAME_BYTES = 64 * 1024
_SLICE_CHARACTERS = 16 * 1024


class BadFrame(ValueError):
    """The received data is not a JSON object, or is larger than allowed."""


def read_json(data: bytes | bytearray) -> Any:
    """Return the value of a JSON text in UTF-8; NaN and Infinity are refused. Raises ``ValueError``, and
    ``RecursionError`` where it is too deep."""
    return json.loads(data.decode(), parse_constant=_refuse)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


async def read_object(reader: asyncio.StreamReader, limit_bytes: int) -> dict[str, Any]:
    """Return the next object. Raises ``BadFrame``, or ``EOFError`` where the stream ends first."""
    pieces = bytearray()
    has_more = True
    while has_more:
        header = int.from_bytes(await reader.readexactly(_HEADER_BYTES), "big")
        has_more, size = bool(header & _MORE), header & ~_MORE
        if size > min(_FRAME_BYTES, limit_bytes - len(pieces)) or (has_more and not size):
            raise BadFrame("too large")
        pieces += await reader.readexactly(size)
    try:
        value = read_json(pieces)
    except (ValueError, RecursionError) as error:
        raise BadFrame("not JSON") from error
    if not isinstance(value, dict):
        raise BadFrame("not an object")
    return value


async def write_object(writer: asyncio.StreamWriter, value: Mapping[str, Any]) -> None:
    """Send one object; waits wherever the other side does not read."""
    for frame in _frames(value):
        writer.write(frame)
        await writer.drain()


def _frames(value: Mapping[str, Any]) -> Iterator[bytes]:
    waiting = b""
    for piece in _json_pieces(value):
        waiting += piece
        while len(waiting) > _FRAME_BYTES:
            yield (_MORE | _FRAME_BYTES).to_bytes(_HEADER_BYTES, "big") + waiting[:_FRAME_BYTES]
            waiting = waiting[_FRAME_BYTES:]
    yield len(waiting).to_bytes(_HEADER_BYTES, "big") + waiting


def _json_pieces(value: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the JSON of an object; a long text in it comes in slices: each character is escaped by itself."""
    before = b"{"
    for name, member in value.items():
        yield before + json.dumps(name).encode() + b":"
        before = b","
        if isinstance(member, str):
            yield b'"'
            for start in range(0, len(member), _SLICE_CHARACTERS):
                yield json.dumps(member[start : start + _SLICE_CHARACTERS])[1:-1].encode()
            yield b'"'
        elif type(member) is int:
            yield str(member).encode()
        else:
            yield json.dumps(member).encode()
    yield b"{}" if before == b"{" else b"}"
