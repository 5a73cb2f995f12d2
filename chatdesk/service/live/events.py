"""Follows the journal of events for every client, on the service's thread: gives each the events that it may see, from
its own place.

A client has no queue but a place in the journal, and takes the newer events whenever the last are sent; a client whose
place is no longer kept is told to read again. The services' loop does the same work for any number of clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

from chatdesk.core.domain.message import Message
from chatdesk.core.errors import MessageNotFound, ThreadNotFound
from chatdesk.core.events import QueueChanged, TextStreamed, ThreadsChanged, UnreadChanged
from chatdesk.service.caller import Caller
from chatdesk.service.live.journal import EventJournal, NumberedEvent
from chatdesk.service.services_loop import ServicesLoop
from chatdesk.services.services import Services

T = TypeVar("T")

_MOST_AT_ONCE: Final = 256
_MOST_BYTES_AT_ONCE: Final = 256 * 1024
_WOKEN_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One piece of a client's events. A client takes it completely or not at all, and continues after ``number``.

    ``WELCOME`` and ``RESYNC`` start over: ``messages`` are the answers that are being written, with all their text. A
    ``WELCOME`` that ``is_resumed`` goes on instead.
    """

    type: Literal["WELCOME", "RESYNC", "EVENTS", "HEARTBEAT"]
    number: str
    events: tuple[Any, ...] = ()
    messages: tuple[Message, ...] = ()
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    """The journal's name and last number, and the answers that are being written, as they were at that number."""

    name: str
    number: int
    messages: tuple[Message, ...]


@dataclass(slots=True, eq=False)
class _Follower:
    """A client that waits. ``next_number`` is that of the first event that may be for it, once it is woken."""

    thread_id: str | None
    next_number: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, number: int) -> None:
        if not self.woken.is_set():
            self.next_number = number
            self.woken.set()


class LiveEvents:
    """Events for clients of one service; used on its thread only."""

    def __init__(self, services: Services, loop: ServicesLoop, journal: EventJournal, *, heartbeat_s: float) -> None:
        self._services = services
        self._journal = journal
        self._loop = loop
        self._heartbeat_s = heartbeat_s
        self._of_all: set[_Follower] = set()
        self._of_thread: dict[str, set[_Follower]] = {}
        self._seen = 0
        self._is_notified = False
        self._stop_listening: Callable[[], None] | None = None

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work`` on the loop of the services and return its result."""
        return await self._loop.call(work)

    async def frames(
        self, caller: Caller, *, thread_id: str | None = None, after: str = ""
    ) -> AsyncGenerator[Frame, None]:
        """Iterate over the events that a caller may receive, of one thread or of all; ``after`` resumes behind
        a number, as far as events are still stored."""
        wanted = after
        while True:
            async with aclosing(self._loop.stream(lambda: self._started(caller, thread_id))) as keeping:
                start = await anext(keeping)
                cursor = self._cursor(start, wanted)
                if cursor is not None:
                    yield Frame("WELCOME", f"{start.name}-{cursor}", is_resumed=True)
                else:
                    cursor = start.number
                    kind: Literal["WELCOME", "RESYNC"] = "RESYNC" if wanted else "WELCOME"
                    yield Frame(kind, f"{start.name}-{cursor}", messages=start.messages)
                async with aclosing(self._following(caller, thread_id, start.name, cursor)) as frames:
                    async for frame in frames:
                        yield frame
            wanted = "lost"

    async def _started(self, caller: Caller, thread_id: str | None) -> AsyncGenerator[_Start, None]:
        """Keep the journal open until this is closed; runs on the loop of the services."""
        chat, journal = self._services.chat, self._journal
        with journal.followed():
            known: dict[str, Message | None] = {}
            while missing := [each for each in chat.turns.message_ids if each not in known]:
                for message_id in missing:
                    known[message_id] = await self._heard_message(message_id, caller, thread_id)
            # From here to the yield nothing else runs, so that text and number belong together.
            found = [message for each in chat.turns.message_ids if (message := known[each]) is not None]
            yield _Start(journal.name, journal.last, tuple(chat.reader.with_live_text(message) for message in found))
            await asyncio.Event().wait()

    async def _heard_message(self, message_id: str, caller: Caller, thread_id: str | None) -> Message | None:
        chat = self._services.chat
        try:
            message = await chat.reader.get_message(message_id)
            if caller.projects:
                thread = await chat.get_thread(message.thread_id)
                caller.check_project(thread.project_id, ThreadNotFound)
        except (MessageNotFound, ThreadNotFound):
            return None
        return message if thread_id in (None, message.thread_id) else None

    def _cursor(self, start: _Start, wanted: str) -> int | None:
        """Return the number after which a client continues; None where it has to start over."""
        name, _, number = wanted.partition("-")
        if name != start.name or not (number.isascii() and number.isdecimal()) or len(number) > 18:
            return None
        return None if self._journal.read(int(number), 0) is None else int(number)

    async def _following(
        self, caller: Caller, thread_id: str | None, name: str, cursor: int
    ) -> AsyncGenerator[Frame, None]:
        """Iterate over events and heartbeats, and end where some that may have been heard are not kept any more."""
        journal = self._journal
        follower = _Follower(thread_id)
        self._add(follower)
        follower.wake(cursor + 1)
        beat_s = asyncio.get_running_loop().time
        next_beat_s = beat_s() + self._heartbeat_s
        try:
            while True:
                try:
                    async with asyncio.timeout_at(next_beat_s):
                        await follower.woken.wait()
                except TimeoutError:
                    if not follower.woken.is_set():
                        cursor = max(cursor, self._seen)  # the events since then were not for this client
                    next_beat_s = beat_s() + self._heartbeat_s
                    yield Frame("HEARTBEAT", f"{name}-{cursor}")
                    continue
                cursor = max(cursor, follower.next_number - 1)
                follower.woken.clear()
                while entries := journal.read(cursor, _MOST_AT_ONCE):
                    taken = _up_to(entries, _MOST_BYTES_AT_ONCE)
                    heard = await self._heard(taken, caller, thread_id)
                    cursor = taken[-1].number
                    if heard:
                        yield Frame("EVENTS", f"{name}-{cursor}", merged(heard))
                        next_beat_s = beat_s() + self._heartbeat_s
                if entries is None:
                    return
        finally:
            self._remove(follower)

    async def _heard(self, entries: Sequence[NumberedEvent], caller: Caller, thread_id: str | None) -> list[Any]:
        """Return the events that a client may read and asked for."""
        if thread_id is not None:
            entries = [each for each in entries if each.thread_ids is None or thread_id in each.thread_ids]
        if not caller.projects:
            return [each.event for each in entries]
        heard = []
        for entry in entries:
            if entry.thread_ids is None:
                heard.append(await self._narrowed(entry.event, caller))
                continue
            if not entry.thread_ids:
                if entry.project_id in caller.projects:
                    heard.append(entry.event)
                continue
            reached = [await self._project_of(each) in caller.projects for each in entry.thread_ids]
            if all(reached):
                heard.append(entry.event)
            elif isinstance(entry.event, ThreadsChanged):
                heard.append(ThreadsChanged(None))  # a member may have left one of the projects just now
        return heard

    async def _narrowed(self, event: Any, caller: Caller) -> Any:
        """Return an event about any number of threads without those that the caller does not reach."""
        if isinstance(event, QueueChanged):
            return QueueChanged(tuple(each for each in event.waiting if each.project_id in caller.projects))
        if isinstance(event, UnreadChanged):
            counts = event.counts.items()
            return UnreadChanged(
                {each: count for each, count in counts if await self._project_of(each) in caller.projects}
            )
        return event

    async def _project_of(self, thread_id: str) -> str | None:
        """Return the project in which a thread is now; None where it is nowhere."""
        known = self._journal.projects.get(thread_id)
        return known if known is not None else await self._loop.call(lambda: self._read_project(thread_id))

    async def _read_project(self, thread_id: str) -> str | None:
        journal = self._journal
        while True:
            moves = journal.moves
            try:
                thread = await self._services.chat.get_thread(thread_id)
            except ThreadNotFound:
                return None
            if moves == journal.moves:
                return journal.projects.setdefault(thread_id, thread.project_id)

    def _add(self, follower: _Follower) -> None:
        if follower.thread_id is None:
            self._of_all.add(follower)
        else:
            self._of_thread.setdefault(follower.thread_id, set()).add(follower)
        if self._stop_listening is None:
            journal, loop = self._journal, asyncio.get_running_loop()

            def notify() -> None:
                if not self._is_notified:
                    self._is_notified = True
                    with suppress(RuntimeError):  # the loop is closed
                        loop.call_soon_threadsafe(self._wake)

            self._is_notified = False
            self._stop_listening = journal.listen(notify)
            self._seen = journal.last

    def _remove(self, follower: _Follower) -> None:
        self._of_all.discard(follower)
        if follower.thread_id is not None and (those := self._of_thread.get(follower.thread_id)) is not None:
            those.discard(follower)
            if not those:
                del self._of_thread[follower.thread_id]
        if not self._of_all and not self._of_thread and self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def _wake(self) -> None:
        """Wake the followers that have new events."""
        self._is_notified = False
        journal = self._journal
        while entries := journal.read(self._seen, _WOKEN_AT_ONCE):
            for follower in self._of_all:
                follower.wake(entries[0].number)
            for entry in entries:
                for thread_id in self._of_thread if entry.thread_ids is None else entry.thread_ids:
                    for follower in self._of_thread.get(thread_id, ()):
                        follower.wake(entry.number)
            self._seen = entries[-1].number
        if entries is None:  # this thread fell behind: each finds out for itself whether it missed anything
            self._seen = journal.last
            for follower in self._of_all.union(*self._of_thread.values()):
                follower.wake(0)


def merged(events: Sequence[Any]) -> tuple[Any, ...]:
    """Return the events with the text of one part joined, if only text came in between."""
    found: list[Any] = []
    texts: dict[tuple[str, int], tuple[int, list[str]]] = {}

    def join() -> None:
        for index, pieces in texts.values():
            if len(pieces) > 1:
                found[index] = replace(found[index], delta="".join(pieces))
        texts.clear()

    for event in events:
        if not isinstance(event, TextStreamed):
            join()
            found.append(event)
            continue
        key = event.message_id, event.part_index
        if key in texts:
            texts[key][1].append(event.delta)
        else:
            texts[key] = len(found), [event.delta]
            found.append(event)
    join()
    return tuple(found)


def _up_to(entries: list[NumberedEvent], most_bytes: int) -> list[NumberedEvent]:
    """Return the first of these that are not larger together, at least one."""
    size_bytes = 0
    for count, entry in enumerate(entries):
        size_bytes += entry.size_bytes
        if count and size_bytes > most_bytes:
            return entries[:count]
    return entries
