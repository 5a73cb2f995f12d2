"""Objects on a byte stream: whole at any size, and nothing beyond what was allowed."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.local_api.frames import BadFrame, read_object, write_object


class _Sink:
    """Takes what a writer writes."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.frames.append(data)

    async def drain(self) -> None:
        return


def _written(value: dict[str, Any]) -> list[bytes]:
    sink = _Sink()
    asyncio.run(write_object(sink, value))  # type: ignore[arg-type]
    return sink.frames


def _read(data: bytes, limit: int = 1 << 30) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_object(reader, limit)

    return asyncio.run(read())


_values = st.dictionaries(
    st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), max_size=5
)


@given(_values)
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    assert _read(b"".join(_written(value))) == value


@pytest.mark.parametrize(("piece", "count"), [("x", 12_000_000), ('é𝄞\ud800\n"\\', 400_000)], ids=["long", "escaped"])
def test_a_long_text_comes_whole_and_in_small_frames(piece: str, count: int) -> None:
    text = piece * count
    frames = _written({"event": "finish", "text": text, "status": "complete"})
    assert max(len(frame) for frame in frames) <= 64 * 1024 + 4
    assert _read(b"".join(frames)) == {"event": "finish", "text": text, "status": "complete"}


def _frame(payload: bytes, *, has_more: bool = False) -> bytes:
    return struct.pack(">I", len(payload) | (has_more << 31)) + payload


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        struct.pack(">I", 1 << 31),  # nothing, and more of it
        _frame(b"garbage"),
        _frame(b"[]"),
        _frame(b'"\xff\xfe"'),
        _frame(b"[" * 50_000),
        _frame(b'{"a":' * 9_000),
        _frame(b"{}" + b" " * 600),
        _frame(b"9" * 50_000),
        _frame(b'{"a": NaN}'),
        _frame(b'{"a": -Infinity}'),
        _frame(b"{} {}"),
        _frame(b'{"a": "\n"}'),
    ],
)
def test_an_invalid_object_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        _read(data, limit=512 if len(data) < 700 else 1 << 20)


def test_an_object_may_not_grow_over_its_limit_by_pieces() -> None:
    piece = _frame(b" " * 400, has_more=True)
    with pytest.raises(BadFrame):
        _read(piece * 3, limit=1024)


def test_a_stream_that_ends_in_the_middle_is_an_end() -> None:
    whole = _frame(json.dumps({"event": "finish"}).encode())
    for cut in range(len(whole)):
        with pytest.raises(EOFError):
            _read(whole[:cut])
