"""Sets time and size limits for a server's answer, and reads server-sent events within them.

The SDK's own reader has no limits, loses the first event after a byte order mark and drops event names; this one works
on bytes, in linear time, and is independent of JSON and of vendors.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MIB = 1024 * 1024
# A computer of one's own reads a long prompt for minutes, and may load the model first.
NEARBY_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Deadlines in seconds and caps in bytes. The deadline for silence counts from the last piece of answer: comments,
    pings and single bytes do not move it. Before the answer begins, comments and pings show that the server is alive.
    """

    connect_s: float = 10.0
    first_byte_s: float = 60.0
    silence_s: float = 60.0
    total_s: float = 30 * 60.0
    list_models_s: float = 10.0
    after_finish_s: float = 2.0
    """The time that usage may lag behind the finish reason."""
    error_body_s: float = 5.0
    """The time that the body of an error may take."""
    longest_wait_s: float = 60.0
    """The longest Retry-After that is waited for."""
    event_bytes: int = 24 * MIB
    """The limit for one event, which may be a whole picture."""
    answer_bytes: int = 64 * MIB
    """The limit for the whole stream; an event of one word has some 250 bytes."""
    answer_characters: int = 3 * MIB
    """The limit for text, thoughts and arguments together: some 750,000 tokens. The window needs some twenty times as
    much memory while they come."""
    error_bytes: int = 64 * 1024


class ByteCapError(Exception):
    """The server sent more than a cap allows. ``what`` names the cap: "event", "answer" or "text"."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """A server-sent event; ``data`` is not decoded yet."""

    name: str
    data: bytes


class EventReader:
    """Cuts bytes into server-sent events (WHATWG HTML, 9.2.6). Feed chunks, then ``finish``."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._line = bytearray()
        self._data: list[bytes] = []
        self._name = ""
        self._event_bytes = 0
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_first_line = True
        self._skip_line_feed = False
        self.total_bytes = 0
        self.sign_count = 0  # lines that came: they show that the server is alive
        self.foreign = bytearray()
        """The lines that no event stream has: an error, an answer in one piece, or the page of another server."""

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yield the events completed by ``chunk``. Raises ``ByteCapError`` before a cap is exceeded in memory."""
        if not chunk:
            return
        if not self.total_bytes:
            self._decoder = _decoder_of(chunk)
        self.total_bytes += len(chunk)
        if self.total_bytes > self._limits.answer_bytes:
            raise ByteCapError("answer")
        if self._decoder is not None:
            chunk = self._decoder.decode(chunk).encode()
        if self._skip_line_feed:
            self._skip_line_feed = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        self._skip_line_feed = chunk.endswith(b"\r")
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines[:-1]:
            self._grow(len(line))
            self._line += line
            event = self._end_line()
            if event is not None:
                yield event
        self._grow(len(lines[-1]))
        self._line += lines[-1]
        self.sign_count += len(lines) - 1

    def finish(self) -> Iterator[ServerEvent]:
        """Yield the event at the end that lacks its blank line, if there is one."""
        for event in (self._end_line() if self._line else None, self._end_event()):
            if event is not None:
                yield event

    def _grow(self, size: int) -> None:
        self._event_bytes += size
        if self._event_bytes > self._limits.event_bytes:
            raise ByteCapError("event")

    def _end_line(self) -> ServerEvent | None:
        line = bytes(self._line)
        self._line.clear()
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._end_event()
        if line.startswith(b":"):
            self._event_bytes -= len(line)
            return None
        field, _, value = line.partition(b":")
        field, value = field.strip().lower(), value.removeprefix(b" ")
        if field == b"data":
            value = value.removeprefix(b"data:").removeprefix(b" ")  # a proxy made an event of an event
            # A document ends here for servers that put no blank line between events: no JSON goes on like this.
            is_next = value.startswith((b"{", b"[DONE]")) and bool(self._data) and self._data[-1].endswith(b"}")
            event = self._end_event() if is_next else None
            self._data.append(value)
            return event
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field not in {b"id", b"retry"}:
            if line.startswith(b"{") and line.endswith(b"}") and not (self._data or self.foreign):
                self._data.append(line)  # a stream of lines has no marks of events
                return self._end_event()
            self.foreign += line[: self._limits.event_bytes - len(self.foreign)] + b"\n"
        return None

    def _end_event(self) -> ServerEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._event_bytes = [], "", 0
        return ServerEvent(name, b"\n".join(data)) if data else None


def _decoder_of(beginning: bytes) -> codecs.IncrementalDecoder | None:
    """Return the decoder of a body in UTF-16, with a byte order mark or without; None for every other one."""
    first, second = beginning[:1], beginning[1:2]
    if beginning[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return codecs.getincrementaldecoder("utf-16")("replace")
    name = "utf-16-be" if first == b"\0" else "utf-16-le" if second == b"\0" else ""
    return codecs.getincrementaldecoder(name)("replace") if name else None
