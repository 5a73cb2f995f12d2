"""Publishes the events of a service in memory as server-sent events; connections to it can be cut."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import httpx2

_HEARTBEAT_S: Final = 20.0


class MockJournal:
    """The events of a service in memory. ``go_on`` is called when a reader waits for more, and may publish some."""

    def __init__(self, go_on: Callable[[], object]) -> None:
        self._go_on = go_on
        self._starts = itertools.count(1)
        self._name = f"mock{next(self._starts)}"
        self._events: list[tuple[str | None, dict[str, Any]]] = []
        self._waiting: set[Callable[[], None]] = set()
        self._lock = threading.RLock()
        # Increases when connections are cut.
        self.cuts = 0

    def publish(self, kind: str, of_thread: str | None, /, **fields: Any) -> None:
        """Add an event with its fields as they are now; it is heard by those who follow this thread, or all."""
        with self._lock:
            self._events.append((of_thread, {"type": kind, **copy.deepcopy(fields)}))
        self._wake()

    def cut(self) -> None:
        """End all connections, each in the middle of what it sends next."""
        self.cuts += 1
        self._wake()

    def forget(self) -> None:
        """Forget all events, and end all connections, as a new start of the service does."""
        with self._lock:
            self._name = f"mock{next(self._starts)}"
            self._events.clear()
        self.cut()

    def stream(self, thread_id: str | None, after: str, written: Callable[[], list[Any]]) -> MockStream:
        """Return a stream of the events after ``after``, or of new ones if it is not known; ``written`` are the answers
        that are being written."""
        with self._lock:
            name, _, number = after.partition("-")
            begin = len(self._events)
            if after and name == self._name and number.isdecimal() and int(number) <= begin:
                begin = int(number)
                first = {"type": "WELCOME", "number": after, "resumed": True, "messages": []}
            else:
                kind = "RESYNC" if after else "WELCOME"
                shown = copy.deepcopy(written())
                first = {"type": kind, "number": f"{self._name}-{begin}", "resumed": False, "messages": shown}
        return MockStream(self, thread_id, begin, first)

    def frame_after(self, begin: int, thread_id: str | None) -> tuple[int, dict[str, Any] | None]:
        """Return the position after ``begin`` and the frame up to there, None if there is no event yet."""
        with self._lock:
            if begin >= len(self._events):
                self._go_on()
            for place in range(begin, len(self._events)):
                of_thread, event = self._events[place]
                if thread_id in (None, of_thread):
                    return place + 1, {"type": "EVENTS", "number": f"{self._name}-{place + 1}", "events": [event]}
            return len(self._events), None

    def beat(self, place: int) -> dict[str, Any]:
        return {"type": "HEARTBEAT", "number": f"{self._name}-{place}"}

    def add_listener(self, wake: Callable[[], None]) -> None:
        self._waiting.add(wake)

    def remove_listener(self, wake: Callable[[], None]) -> None:
        self._waiting.discard(wake)

    def _wake(self) -> None:
        for wake in tuple(self._waiting):
            wake()


class MockStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an endless response, for both clients."""

    def __init__(self, journal: MockJournal, thread_id: str | None, begin: int, first: dict[str, Any]) -> None:
        self._journal = journal
        self._thread_id = thread_id
        self._place = begin
        self._first = first
        self._cuts = journal.cuts
        self._has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        woken = threading.Event()
        self._journal.add_listener(woken.set)
        try:
            yield _sent(self._first)
            while True:
                woken.clear()
                frame = self._next()
                if frame is None and not self._is_cut and not woken.wait(_HEARTBEAT_S):
                    frame = self._journal.beat(self._place)
                yield self._piece(frame)
        finally:
            self._journal.remove_listener(woken.set)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        woken, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._journal.add_listener(wake)
        try:
            yield _sent(self._first)
            while True:
                woken.clear()
                frame = self._next()
                if frame is None and not self._is_cut:
                    try:
                        await asyncio.wait_for(woken.wait(), _HEARTBEAT_S)
                    except TimeoutError:
                        frame = self._journal.beat(self._place)
                yield self._piece(frame)
        finally:
            self._journal.remove_listener(wake)

    @property
    def _is_cut(self) -> bool:
        return self._cuts != self._journal.cuts

    def _next(self) -> dict[str, Any] | None:
        if self._has_ended:
            raise httpx2.ReadError("The connection was cut.")
        self._place, frame = self._journal.frame_after(self._place, self._thread_id)
        return frame

    def _piece(self, frame: dict[str, Any] | None) -> bytes:
        """Return what goes over the wire: of a frame during which the connection is cut, the first half."""
        data = b"" if frame is None else _sent(frame)
        self._has_ended = self._is_cut
        return data[: len(data) // 2] if self._has_ended else data


def _sent(frame: dict[str, Any]) -> bytes:
    return f"id: {frame['number']}\nevent: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode()
