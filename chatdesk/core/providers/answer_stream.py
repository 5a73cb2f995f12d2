"""Reads the body of one streamed answer within deadlines and size caps, and yields its JSON chunks."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer
from chatdesk.core.providers.failure_texts import duration_text
from chatdesk.core.providers.failures import FailureTranslator
from chatdesk.core.providers.readers.any_reader import chunk_in, rows_in
from chatdesk.core.providers.stream_guard import EventReader, ServerEvent, StreamLimits
from chatdesk.core.providers.text_repair import REPLACEMENT
from chatdesk.core.providers.vendor_text import documents_in, error_in, is_news
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # a large package, loaded when it is used
    import httpx2

T = TypeVar("T")
Data = TypeVar("Data", bytes, bytearray)

_LARGE_JSON = 256 * 1024
_SLICE_S = 0.004
_ALARM_LATE_S = 0.002  # a loop that counts whole milliseconds rings early, and would ring again and again
_WAITED_S = 0.002
_GATHER_S = 0.048
_LARGE_READ = 8 * 1024
_DRAIN_S = 0.1
_MOST_QUOTED = 16 * 1024
_MOST_DOCUMENTS = 100_000
_PLAIN = frozenset(("", "message"))  # names of events that say nothing
_OUTSIDE = ServerEvent("", b"")
_SIGNS_OF_LIFE = frozenset((b"", b"ping", b"keep-alive", b"keepalive", b"heartbeat", b"null", b"true"))


class Deadlines:
    """The deadlines of one answer. Only waiting for the server counts as silence, never the reader's own time.

    One alarm serves a whole answer: it is set again when it rings too early, not for every event. Closed by ``close``.
    """

    def __init__(self, limits: StreamLimits, failures: FailureTranslator) -> None:
        self._limits = limits
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + limits.total_s
        self._waited_s = 0.0
        self._has_event = False
        self._signs = 0
        self._alarm: asyncio.Handle | None = None
        self._rings_at = 0.0
        self._waiter: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._waits_since = 0.0
        self._has_rung = False
        self.has_begun = False
        self._is_finished = False
        self.last_wait_s = 0.0

    def record_event(self) -> None:
        """Record that the server began to answer."""
        if not self._has_event:
            self._has_event = True
            self._waited_s = 0.0

    def record_signs(self, count: int) -> None:
        """Record how many signs of life came in all; they count as long as the answer has not begun."""
        if not self._has_event and count > self._signs:
            self._signs = count
            self._waited_s = 0.0

    def record_progress(self) -> None:
        """Record that a piece of the answer came."""
        self._has_event = self.has_begun = True
        self._waited_s = 0.0

    @property
    def is_finished(self) -> bool:
        """The certainty that only usage may still follow."""
        return self._is_finished

    @is_finished.setter
    def is_finished(self, value: bool) -> None:
        if value is not self._is_finished:
            self._is_finished = value
            self._waited_s = 0.0

    async def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Await ``awaitable``, which waits for the server. Raises ``ProviderError`` when that takes too long."""
        self._waiter = asyncio.current_task()
        assert self._waiter is not None
        self._cancelling = self._waiter.cancelling()
        self._waits_since = self._loop.time()
        if self._alarm is None or self._rings_at > self._due_at():
            self._set_alarm()
        try:
            return await awaitable
        except asyncio.CancelledError:
            # Like ``asyncio.timeout``, keep a cancellation that also came from outside.
            if self._has_rung and self._waiter.uncancel() <= self._cancelling:
                raise self._too_late() from None
            raise
        finally:
            self._waiter = None
            self.last_wait_s = self._loop.time() - self._waits_since
            self._waited_s += self.last_wait_s

    def close(self) -> None:
        """Cancel the alarm."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _due_at(self) -> float:
        return min(self._waits_since + self._limit_s() - self._waited_s, self._ends_at)

    def _set_alarm(self) -> None:
        self.close()
        self._rings_at = self._due_at()
        self._alarm = self._loop.call_at(self._rings_at + _ALARM_LATE_S, self._on_alarm)

    def _on_alarm(self) -> None:
        self._alarm = None
        if self._waiter is None:
            return  # the next wait sets it again
        if self._loop.time() < self._due_at():
            self._set_alarm()
            return
        self._has_rung = True
        self._waiter.cancel()

    def _too_late(self) -> ProviderError:
        self._has_rung = False
        if self._loop.time() >= self._ends_at:
            limit_s = self._limits.total_s
            what = Text(
                "The answer of {who} took longer than {duration} and was stopped.", duration=duration_text(limit_s)
            )
            return self._failures.make(
                Kind.REQUEST_TIMEOUT, what=what, next_step=Text("Continue the answer, or try again."), seconds=limit_s
            )
        kind = Kind.SILENCE if self._has_event else Kind.FIRST_BYTE_TIMEOUT
        return self._failures.make(kind, seconds=self._limit_s())

    def _limit_s(self) -> float:
        if self.is_finished:
            return self._limits.after_finish_s
        return self._limits.silence_s if self._has_event else self._limits.first_byte_s


class AnswerStream:
    """Yields the JSON chunks of one HTTP response, streamed or not: its header is often wrong about that."""

    def __init__(
        self,
        response: httpx2.Response,
        limits: StreamLimits,
        deadlines: Deadlines,
        failures: FailureTranslator,
        *,
        protocol: str,
    ) -> None:
        self._response = response
        self._limits = limits
        self._deadlines = deadlines
        self._failures = failures
        self._protocol = protocol
        self._has_chunks = False
        self._unread = b""
        self.unread: list[Mapping[str, Any]] = []
        """The first chunks of which the reader made nothing."""

    async def chunks(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield decoded chunks until the end of the answer. Raises ``ProviderError``, ``ErrorInAnswer`` and what the
        HTTP client and the decoders raise.
        """
        async with aclosing(self._response.aiter_raw()) as raw, aclosing(self._streamed_chunks(raw)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _streamed_chunks(self, raw: AsyncIterator[bytes]) -> AsyncGenerator[Mapping[str, Any], None]:
        reader = EventReader(self._limits)
        clock = asyncio.get_running_loop().time
        is_done = False
        gave_at = -math.inf
        while not is_done and (received := await self._next(raw)):
            is_slow = self._deadlines.last_wait_s > _WAITED_S and len(received) < _LARGE_READ
            if is_slow and self._deadlines.has_begun and not self._deadlines.is_finished:
                # Waking the receiver costs more than an event, and the window paints a frame at a time. Events that
                # follow the last delivery sooner than a frame are delivered together.
                rest_s = gave_at + _GATHER_S - clock()
                if rest_s > 0:
                    await asyncio.sleep(rest_s)
                gave_at = clock()
            slice_began = clock()
            for event in reader.feed(received):
                is_done = event.data.startswith(b"[DONE]")
                if is_done:
                    await _drain(raw)
                    break
                for chunk in self._chunks_of(event, await _documents_in(event)):
                    yield chunk
                    if clock() - slice_began > _SLICE_S:
                        # One network read can hold hundreds of events; the window must not wait for all of them.
                        await asyncio.sleep(0)
                        slice_began = clock()
            self._deadlines.record_signs(reader.sign_count)
        for event in () if is_done else reader.finish():
            with suppress(ValueError):  # an event that is cut in the middle: the missing finish reason tells
                for chunk in self._chunks_of(event, await _documents_in(event)):
                    yield chunk
        async with aclosing(self._chunks_outside(reader.foreign)) as outside:
            async for chunk in outside:
                yield chunk

    def _chunks_of(self, event: ServerEvent, documents: Iterable[object]) -> Iterator[Mapping[str, Any]]:
        """Yield the chunks in an event, and unknown objects. Raises ``ErrorInAnswer`` and ``ValueError``."""
        for document in documents:
            chunk = chunk_in(document, self._protocol)
            rows = rows_in(document) if chunk is None else []
            if any(chunk_in(each, self._protocol) for each in rows):
                yield from self._chunks_of(event, rows)
                continue
            known = document if isinstance(document, Mapping) else {}
            if chunk is None and known.get("type") != "ping":
                is_plain = event.name in _PLAIN
                # An event with an unknown name may be about anything, so only its error field counts.
                _raise_error_in(document if is_plain else {"error": known.get("error")})
                if is_plain and not isinstance(document, Mapping):
                    raise ValueError("chunk is no object")
                self._unread = self._unread or (event.data if known else b"")
            if chunk is not None or "choices" in known:
                self._has_chunks = True
                self._deadlines.record_event()
            if chunk is not None or not is_news(known):
                yield known if chunk is None else chunk

    async def _chunks_outside(self, foreign: bytearray) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield the chunks outside events, of a server that does not stream. Raises ``ErrorInAnswer`` for an error
        there, and ``ProviderError`` if there are no chunks at all."""
        found = await _in_thread_if_large(_first_documents_in, foreign)
        is_streamed = self._has_chunks
        for document in found:
            with suppress(ValueError):
                for chunk in self._chunks_of(_OUTSIDE, (document,)):
                    if not is_streamed:
                        yield chunk
        if self._has_chunks:
            return
        words = bytes((foreign or self._unread)[:_MOST_QUOTED]).decode("utf-8", "replace").rstrip(REPLACEMENT)
        quoted = "" if REPLACEMENT in words else words  # a picture has none
        raise self._failures.make(Kind.NOT_A_STREAM if words else Kind.EMPTY_ANSWER, excerpt=quoted)

    async def _next(self, raw: AsyncIterator[bytes]) -> bytes:
        """Return the next bytes; empty at the end. After the finish reason, silence and a lost connection are an end
        too."""
        try:
            return await self._deadlines.wait_for(anext(raw, b""))
        except Exception:
            if self._deadlines.is_finished:
                return b""
            raise


async def _documents_in(event: ServerEvent) -> Iterable[object]:
    """Return the JSON documents in an event, nearly always one; none for a keep-alive, and for invalid JSON in an event
    with a name of its own. Raises ``ErrorInAnswer`` for an error and for plain words, and ``ValueError``."""
    data = event.data.strip()
    if data.lower() in _SIGNS_OF_LIFE:
        return ()
    is_error, is_plain = event.name == "error", event.name in _PLAIN
    try:
        document = await _decode(data)
    except (ValueError, RecursionError):
        if is_error or (is_plain and not data.startswith((b"{", b"["))):
            raise ErrorInAnswer(data.decode("utf-8", "replace")) from None
        if is_plain and len(data) > _LARGE_JSON:
            raise
        return documents_in(data.decode("utf-8"), is_strict=True) if is_plain else ()
    if is_error:
        raise ErrorInAnswer(document)
    if isinstance(document, Mapping) and not is_plain:
        document = {"type": event.name, **document}  # some gateways name it only once
    return (document,)


def _first_documents_in(data: bytearray) -> list[object]:
    return list(islice(documents_in(data.decode("utf-8", "replace")), _MOST_DOCUMENTS))


def _raise_error_in(document: object) -> None:
    error = error_in(document)
    if error is not None:
        raise ErrorInAnswer(error)


async def _decode(data: bytes) -> object:
    """Parse JSON."""
    return await _in_thread_if_large(lambda each: json.loads(each.decode("utf-8")), data)


async def _in_thread_if_large(read: Callable[[Data], T], data: Data) -> T:
    return await asyncio.to_thread(read, data) if len(data) > _LARGE_JSON else read(data)


async def _drain(raw: AsyncIterator[bytes]) -> None:
    """Read the end of the body, so that the connection can be used again; a server that hangs here is left alone."""
    with suppress(Exception):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in raw:
                pass
