"""Parses HTTP with h11, and refuses requests that h11 accepts but other parsers may interpret differently."""

from __future__ import annotations

import re
from typing import Final

import h11

_MOST_FRAMING_BYTES: Final = 64 * 1024
_CHUNK_FRAMING_BYTES: Final = 16
_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_LOOSE_LINE: Final = re.compile(rb"(?<!\r)\n|\n[ \t]")
_LENGTH: Final = re.compile(rb"\ncontent-length[ \t]*:([^\r]*)", re.IGNORECASE)
_VERSIONS: Final = (b"1.0", b"1.1")


class StrictConnection(h11.Connection):
    """h11's reader, which accepts only one form of each element. Lines of a head end with CR and LF and are not folded,
    a length is one number given once, the version is 1.0 or 1.1, nothing follows the last chunk, and the overhead of
    chunks is small compared to the body."""

    _framing_bytes = 0
    _head = b""

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]
        """Return the bytes to send for ``event``. The head of an answer with a length goes out with what follows it:
        the caller wakes up once, and the system is asked once."""
        output = super().send(event)
        if isinstance(event, h11.Response) and any(name == b"content-length" for name, _value in event.headers):
            assert output is not None
            self._head = output
            return b""
        if self._head and output is not None:
            output, self._head = self._head + output, b""
        return output

    def receive_data(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        super().receive_data(data)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        if self.their_state is h11.IDLE:
            _check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._framing_bytes = self._unread_bytes
            if event.http_version not in _VERSIONS:
                raise h11.RemoteProtocolError("Another version of HTTP")
        elif isinstance(event, h11.Data):
            self._framing_bytes -= len(event.data) + (_CHUNK_FRAMING_BYTES if event.chunk_start else 0)
        elif isinstance(event, h11.EndOfMessage):
            if event.headers:
                raise h11.RemoteProtocolError("Headers after a body")
            self._check_framing(self._framing_bytes - self._unread_bytes)
        elif event is h11.NEED_DATA:
            self._check_framing(self._framing_bytes)
        return event

    @property
    def _unread_bytes(self) -> int:
        return len(self.trailing_data[0])

    def _check_framing(self, size_bytes: int) -> None:
        if self.their_state is not h11.IDLE and size_bytes > _MOST_FRAMING_BYTES:
            raise h11.RemoteProtocolError("Much around the chunks of a body")


def _check_head(received: bytes) -> None:
    """Raise ``RemoteProtocolError`` where the head at the beginning of ``received``, whole or not, has another form."""
    found = _END_OF_HEAD.search(received)
    end = len(received) if found is None else found.end()
    if _LOOSE_LINE.search(received, 0, end):
        raise h11.RemoteProtocolError("A line without CR, or a folded one")
    lengths = _LENGTH.findall(received, 0, end)
    if len(lengths) > 1 or any(b"," in length for length in lengths):
        raise h11.RemoteProtocolError("More than one length")
