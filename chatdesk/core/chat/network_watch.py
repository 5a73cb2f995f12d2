"""Notices that a provider cannot be reached, probes until it can be reached again, and then retries the failed answers.

The failures themselves tell that there is no connection: nothing is probed while nothing waits. What waits is an answer
that failed before its first word; it can be retried in place. A probe asks for the list of models, because that goes
the same way as a question: through the same proxy, to the same address.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.errors import ChatDeskError, NotPossible, ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.events import (
    AnswerFinished,
    EventBus,
    MessageChanged,
    ReachabilityChanged,
    ThreadDeleted,
    ThreadsChanged,
)
from chatdesk.core.providers.base import Provider
from chatdesk.core.storage.chat.waiting import WaitingRepository

_log = logging.getLogger(__name__)

# Kinds of failure that a connection that is back may cure.
UNREACHABLE = frozenset({Kind.NO_NETWORK, Kind.DNS, Kind.REFUSED, Kind.CONNECT_TIMEOUT})
_STILL_SILENT = frozenset({Kind.FIRST_BYTE_TIMEOUT, Kind.RESET})
_LAST_MESSAGES = 50
FIRST_LOOK_S, LONGEST_LOOK_S = 2.0, 60.0

# Returns whether an answer is still to be sent again.
IsWanted = Callable[[], bool]


@dataclass
class _UnreachableProvider:
    """A provider without a connection. ``waiting``: ids of messages with the ids of their threads, in the order of
    failing."""

    waiting: dict[str, str] = field(default_factory=dict)
    probing: asyncio.Task[None] | None = None
    probe_now: asyncio.Event = field(default_factory=asyncio.Event)


class NetworkWatch:
    """Watches for lost connections from the moment it is made, on the services' loop. ``reach`` returns whether a
    provider answers at all (``NotPossible``: unknown name), ``send_again`` retries a failed answer. Waiting answers are
    recorded in ``store``, so that ``resume`` can continue after a restart."""

    def __init__(
        self,
        bus: EventBus,
        *,
        reach: Callable[[str], Awaitable[bool]],
        send_again: Callable[[str, IsWanted], Awaitable[object]],
        store: WaitingRepository | None = None,
        is_sending: bool = True,
        first_look_s: float = FIRST_LOOK_S,
    ) -> None:
        self._bus = bus
        self._store = store
        self._kept: tuple[str, ...] = ()
        self._reach = reach
        self._send_again = send_again
        self._is_sending = is_sending
        self._first_look_s = first_look_s
        self._lost: dict[str, _UnreachableProvider] = {}
        self._due: dict[str, str] = {}  # answers to send now, in turn within their threads, and those threads
        self._waits_s: dict[str, float] = {}
        self._tasks = TaskSet()
        self._subscriptions = [
            bus.subscribe(AnswerFinished, lambda event: self._on_finished(event.message)),
            bus.subscribe(MessageChanged, lambda event: self._on_changed(event.message)),
            bus.subscribe(ThreadDeleted, lambda event: self._forget_threads({event.thread_id})),
            bus.subscribe(ThreadsChanged, self._on_threads_changed),
        ]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The names of the providers for whose connection something waits."""
        return tuple(self._lost)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The ids of the answers that are retried when there is a connection again."""
        return tuple(id_ for lost in self._lost.values() for id_ in lost.waiting)

    @property
    def due(self) -> tuple[str, ...]:
        """The ids of the answers whose connection is back, and that are retried in turn."""
        return tuple(self._due)

    def use(self, *, is_sending: bool) -> None:
        """Set whether what waits is sent by itself; otherwise it stays with its *Try again*."""
        self._is_sending = is_sending

    def probe_now(self) -> None:
        """Probe at once, because the system reported a change of the network."""
        for provider, lost in self._lost.items():
            self._waits_s[provider] = self._first_look_s
            lost.probe_now.set()

    async def resume(self) -> None:
        """Continue with the answers that were waiting when the program ended."""
        if self._store is not None:
            for message in await self._store.unreached():
                self._on_finished(message)

    def cancel(self, message_id: str | None = None) -> None:
        """Stop waiting for one message (None: for all); each answer keeps its *Try again*."""
        self._forget(lambda id_, _thread: message_id in (None, id_))

    async def close(self) -> None:
        for each in self._subscriptions:
            each.cancel()
        await self._tasks.close()

    # What happens

    def _on_finished(self, message: Message) -> None:
        provider = message.provider or ""
        if message.status is Status.COMPLETE:
            self._waits_s.pop(provider, None)
            if provider in self._lost:  # another question came through: there is a connection
                self._waits_s[provider] = 0.0
                self._lost[provider].probe_now.set()
        elif message.status is Status.ERROR and message.error_type in UNREACHABLE and not message.parts:
            lost = self._lost.setdefault(provider, _UnreachableProvider())
            lost.waiting[message.id] = message.thread_id
            if lost.probing is None:
                lost.probing = self._tasks.start(self._probe(provider, lost), f"look for {provider}")
            self._publish()

    def _on_changed(self, message: Message) -> None:
        """Forget an answer that a person retried."""
        if message.status is not Status.ERROR:
            self._forget(lambda id_, _thread: id_ == message.id)

    def _on_threads_changed(self, event: ThreadsChanged) -> None:
        """Forget the answers of threads that were moved to the trash."""
        self._forget_threads({thread.id for thread in event.threads or () if thread.deleted_at is not None})

    def _forget_threads(self, thread_ids: set[str]) -> None:
        self._forget(lambda _id, thread: thread in thread_ids)

    def _forget(self, is_meant: Callable[[str, str], bool]) -> None:
        """Remove the chosen messages, and end probes that nothing waits for any more."""
        dropped = [id_ for id_, thread in self._due.items() if is_meant(id_, thread)]
        for id_ in dropped:
            del self._due[id_]
        has_changed = bool(dropped)
        for provider, lost in tuple(self._lost.items()):
            for id_ in [id_ for id_, thread in lost.waiting.items() if is_meant(id_, thread)]:
                del lost.waiting[id_]
                has_changed = True
            if not lost.waiting:
                del self._lost[provider]
                if lost.probing is not None:
                    lost.probing.cancel()
        if has_changed:
            self._publish()

    async def _probe(self, provider: str, lost: _UnreachableProvider) -> None:
        """Probe until the provider answers, then send what waits."""
        while True:
            wait_s = self._waits_s.get(provider, self._first_look_s)
            await _first_of(lost.probe_now, wait_s)
            self._waits_s[provider] = min(LONGEST_LOOK_S, max(self._first_look_s, 2 * wait_s))
            try:
                if await self._reach(provider):
                    break
            except NotPossible:  # the thread is gone
                self._forget(lambda id_, _thread: id_ in lost.waiting)
                return
        del self._lost[provider]
        threads: dict[str, list[str]] = {}
        if self._is_sending:
            _log.info("%s can be reached again; %d answers are taken up", provider, len(lost.waiting))
            self._due |= lost.waiting
            for id_, thread_id in lost.waiting.items():
                threads.setdefault(thread_id, []).append(id_)
        self._publish()
        for thread_id, ids in threads.items():
            self._tasks.start(self._send_in_turn(ids), f"send what waited in {thread_id}")

    async def _send_in_turn(self, ids: Sequence[str]) -> None:
        """Send the answers of one thread again, one after the other."""
        for id_ in ids:
            if id_ not in self._due:
                continue  # cancelled or retried while those before it were answered
            try:
                await self._send_again(id_, lambda due=id_: self._is_sending and due in self._due)  # type: ignore[misc]
            except ChatDeskError as error:  # the answer was deleted, or sent by another way
                _log.info("answer %s was not taken up: %s", id_, error.code)
            if self._due.pop(id_, None) is not None:
                self._publish()

    def _publish(self) -> None:
        self._bus.publish(ReachabilityChanged(self.unreachable, self.waiting, self.due))
        kept = (*self.due, *self.waiting)
        if self._store is not None and kept != self._kept:
            self._kept = kept
            self._tasks.start(self._keep(self._store), "note what waits for the network")

    async def _keep(self, store: WaitingRepository) -> None:
        try:
            await store.keep_unreached(self._kept)
        except ChatDeskError as error:  # the answer still waits, and shows *Try again*
            _log.warning("what waits for the network could not be noted: %s", error.code)


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()


async def retry_if_shown(chat: ChatService, message_id: str, is_wanted: IsWanted) -> None:
    """Retry a failed answer once the other answers of its thread are complete, if it is still among the last shown
    messages. A person who deleted it, or asked for another version since, does not want it any more."""
    message = await chat.reader.get_message(message_id)
    while running := chat.turns.in_thread(message.thread_id):
        await asyncio.wait([turn.finished for turn in running])
    if not is_wanted():
        return  # cancelled or retried in the meantime
    page = await chat.reader.get_thread_messages(message.thread_id, _LAST_MESSAGES)
    if any(each.id == message_id for each in page.messages):
        await chat.retry_message(message_id)


async def reaches(provider: Provider) -> bool:
    """Return whether the provider answers at all; a refusal counts as an answer."""
    try:
        await provider.list_models()
    except ProviderError as error:
        return error.kind not in UNREACHABLE and error.kind not in _STILL_SILENT
    return True
