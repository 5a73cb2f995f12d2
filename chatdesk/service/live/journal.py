"""Numbers the events for other programs, and keeps the last of them, so that a client can continue after a lost
connection.

Written on the loop of the services and read from any thread. While no client follows or could resume, it is not
subscribed to the bus and costs nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from typing import Any, Final

from chatdesk.core import events
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import (
    ContextChanged,
    EventBus,
    QueueChanged,
    Subscription,
    SummaryWorkChanged,
    TextStreamed,
    ThreadsChanged,
    UnreadChanged,
)

# The events that are kept: all that there are.
KINDS: Final[tuple[type[Any], ...]] = tuple(
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == events.__name__
)
_MOST_BYTES: Final = 16 * 1024 * 1024
_KEPT_S: Final = 120.0
_ENTRY_BYTES: Final = 256
_PART_BYTES: Final = 200
_LISTS: Final = ("threads", "waiting", "counts", "sha256s", "message_ids")


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """An event with its number. ``thread_ids`` are the threads that it speaks of: none for one about something else,
    None for one about any number of them."""

    number: int
    event: Any
    thread_ids: tuple[str, ...] | None
    project_id: str | None
    size_bytes: int


class EventJournal:
    """The last events, up to ``most_bytes``; kept for ``kept_s`` seconds after the last follower has left."""

    def __init__(self, bus: EventBus, *, most_bytes: int = _MOST_BYTES, kept_s: float = _KEPT_S) -> None:
        self._bus = bus
        self._most_bytes = most_bytes
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._kept: deque[NumberedEvent] = deque()
        self._size_bytes = 0
        self._followers = 0
        self._subscriptions: list[Subscription] = []
        self._ending: asyncio.TimerHandle | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()
        # Stands before each number that goes out: numbers of another run mean other events.
        self.name = ""
        self.last = 0
        # The projects of the threads that were spoken of; forgotten where many were moved, which ``moves`` counts.
        self.projects: dict[str, str] = {}
        self.moves = 0

    @property
    def is_open(self) -> bool:
        """True while events are being kept."""
        return bool(self._subscriptions)

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Keep events during the block, and for a while after it. Only on the loop of the services."""
        self._followers += 1
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if not self._subscriptions:
            self.name = secrets.token_hex(4)
            self._subscriptions = [self._bus.subscribe(kind, self._add) for kind in KINDS]
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers and self._subscriptions:
                self._ending = asyncio.get_running_loop().call_later(self._kept_s, self.close)

    def close(self) -> None:
        """Keep nothing any more. Only on the loop of the services."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions = []
        with self._lock:
            self._kept.clear()
            self._size_bytes = 0
            self.projects.clear()

    def read(self, after: int, limit: int) -> list[NumberedEvent] | None:
        """Return at most ``limit`` events after a number; None if some of them are no longer kept."""
        with self._lock:
            if after > self.last:
                return None
            first = self.last - len(self._kept)
            if after < first:
                return None
            return [self._kept[index] for index in range(after - first, min(len(self._kept), after - first + limit))]

    def listen(self, on_event: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_event`` after each event, on the loop of the services; it has to be quick. Returns what ends
        that."""
        with self._lock:
            self._listeners = (*self._listeners, on_event)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not on_event)

        return end

    def _add(self, event: Any) -> None:
        thread_ids, project_id = self._subject_of(event)
        size_bytes = _size_of(event)
        with self._lock:
            self.last += 1
            self._kept.append(NumberedEvent(self.last, event, thread_ids, project_id, size_bytes))
            self._size_bytes += size_bytes
            while self._size_bytes > self._most_bytes and len(self._kept) > 1:
                self._size_bytes -= self._kept.popleft().size_bytes
        for on_event in self._listeners:
            on_event()

    def _subject_of(self, event: Any) -> tuple[tuple[str, ...] | None, str | None]:
        """Return the threads and the project of an event, and remember in which project a thread is."""
        if isinstance(event, TextStreamed):
            return (event.thread_id,), None
        if isinstance(event, ThreadsChanged):
            if event.threads is None:
                self.projects.clear()
                self.moves += 1
                return None, None
            self.projects.update((each.id, each.project_id) for each in event.threads)
            return tuple(each.id for each in event.threads), None
        if isinstance(event, QueueChanged | UnreadChanged):
            return None, None
        if isinstance(event, ContextChanged) and event.thread_id is None:
            return None, None
        if isinstance(event, SummaryWorkChanged):
            return (event.work.thread_id,), None
        thread = getattr(event, "thread", None)
        if isinstance(thread, Thread):
            self.projects[thread.id] = thread.project_id
            return (thread.id,), None
        message = getattr(event, "message", None)
        if isinstance(message, Message):
            return (message.thread_id,), None
        thread_id = getattr(event, "thread_id", None)
        if thread_id:  # a question outside a thread has none
            return (thread_id,), None
        project = getattr(event, "project", None)
        return (), getattr(event, "project_id", None) if project is None else project.id


def _size_of(event: Any) -> int:
    """Return about how much memory an event holds."""
    if isinstance(event, TextStreamed):
        return _ENTRY_BYTES + len(event.delta)
    message = getattr(event, "message", None)
    if isinstance(message, Message):
        return _ENTRY_BYTES + sum(
            _PART_BYTES + sum(len(each) for each in part.content.values() if isinstance(each, str))
            for part in message.parts
        )
    listed = next((each for name in _LISTS if (each := getattr(event, name, None)) is not None), ())
    return _ENTRY_BYTES * (1 + len(listed))
