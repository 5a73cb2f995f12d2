"""SendingQueue: answers that may not be asked for yet wait here, in sight, in order, and beyond the end of the program.

Something waits because the person's own rate is used up, because the vendor says so, or because somebody holds the
queue: there is no network. Questions and answers are stored before they come here; an answer that waits is pending.
What waits for a vendor is passed by what goes to another one; apart from that they are sent in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import Rate
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.turn import TurnOutcome
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.events import AnswerFinished, EventBus, MessageChanged, QueueChanged, ThreadChanged
from chatdesk.core.usage.rate_window import RateWindow, VendorRooms

if TYPE_CHECKING:
    from chatdesk.core.storage.waiting import WaitingRepository

_log = logging.getLogger(__name__)

_MS_PER_S = 1000
# A timer of an hour would not notice that the computer slept.
_LONGEST_NAP_S = 30.0
_RATE_REASON = "Your limit of messages is reached."
_VENDOR_REASON = "The provider takes no more requests for now."


class SendingQueue:
    """On the services' loop. ``start`` makes the request for an answer whose turn has come."""

    def __init__(
        self, store: WaitingRepository, bus: EventBus, clock: Clock, *, start: Callable[[Message], Awaitable[None]]
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._start = start
        self._window = RateWindow()
        self._vendors = VendorRooms()
        self._waiting: list[WaitingAnswer] = []
        self._held = ""
        self._is_history_known = False
        self._began_ms = clock.now_ms()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = TaskSet()
        self._looking = asyncio.Lock()

    # What others see

    @property
    def waiting(self) -> tuple[WaitingAnswer, ...]:
        """All, the next first."""
        return tuple(self._waiting)

    def in_thread(self, thread_id: str) -> tuple[WaitingAnswer, ...]:
        return tuple(each for each in self._waiting if each.thread_id == thread_id)

    # What others do

    def use_rate(self, rate: Rate | None) -> None:
        """From the next message on; what waits is looked at again."""
        if rate != self._window.rate:
            self._is_history_known = False
            self._window.use(rate)
            self._look_soon()

    def note_rate(self, provider: str | None, model: str | None, report: RateReport) -> None:
        """What a vendor said of its own limits."""
        self._vendors.note(provider or "", model or "", report, now_ms=self._clock.now_ms())

    def hold(self, reason: str) -> None:
        """Send nothing until ``release``; ``reason`` is a sentence for a person."""
        if reason != self._held:
            self._held = reason
            self._look_soon()

    def release(self) -> None:
        if self._held:
            self._held = ""
            self._look_soon()

    async def admit(self, answer: Message) -> bool:
        """Whether a pending answer is to be asked for now. False: it waits, which is stored, and is asked for later."""
        async with self._looking:
            await self._learn_history()
            entry = WaitingAnswer(answer.id, answer.thread_id, answer.provider or "", answer.model or "")
            due = self._seen([*self._waiting, entry])[-1]
            if self._is_due(due):
                self._note_sent(due)
                return True
            self._waiting = list(self._seen([*self._waiting, entry]))
            await self._store.order([each.message_id for each in self._waiting])
        self._tell()
        return False

    async def resume(self) -> None:
        """Go on with what waited when the program ended."""
        async with self._looking:
            known = {each.message_id for each in self._waiting}
            self._waiting += [each for each in await self._store.all() if each.message_id not in known]
        await self.look()

    async def send_first(self, message_id: str) -> None:
        """Move one to the head. Raises ``NotPossible`` where it does not wait."""
        async with self._looking:
            chosen = [each for each in self._waiting if each.message_id == message_id]
            if not chosen:
                raise NotPossible("This message does not wait any more.")
            self._waiting = [*chosen, *(each for each in self._waiting if each.message_id != message_id)]
            await self._store.order([each.message_id for each in self._waiting])
        await self.look()

    async def cancel(self, thread_or_message_id: str) -> Message | None:
        """One, or all of a thread, end as stopped; the questions stay. Returns the last; None: nothing waited there."""
        async with self._looking:
            chosen = [each for each in self._waiting if thread_or_message_id in (each.message_id, each.thread_id)]
            self._waiting = [each for each in self._waiting if each not in chosen]
            ended = None
            for each in chosen:
                ended = await self._end(each, Status.STOPPED)
        if chosen:
            await self.look()
            self._tell()
        return ended

    async def look(self) -> None:
        """Send what may be sent now, and say when the rest will be."""
        async with self._looking:
            await self._learn_history()
            before = tuple(self._waiting)
            while (place := self._next_due()) is not None:
                entry = self._waiting.pop(place)
                self._note_sent(entry)
                await self._send(entry)
            self._waiting = list(self._seen(self._waiting))
        if tuple(self._waiting) != before:
            self._tell()
        self._set_timer()

    async def close(self) -> None:
        """What waits stays stored, and waits on."""
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.close()

    # Inside

    def _seen(self, entries: list[WaitingAnswer]) -> list[WaitingAnswer]:
        """``entries`` with what each waits for."""
        now_ms = self._clock.now_ms()
        seen: list[WaitingAnswer] = []
        times = iter(self._window.next_times(len(entries), now_ms))
        for before, entry in enumerate(entries):
            reason, at = self._held, None
            if not reason:
                at = self._vendors.free_at(entry.provider, entry.model, now_ms)
                reason = _VENDOR_REASON
                if at is None:
                    at, reason = next(times), _RATE_REASON
                    if at <= now_ms:
                        reason = ""
            seen.append(replace(entry, reason=reason, sends_at=at, before=before))
        return seen

    @staticmethod
    def _is_due(entry: WaitingAnswer) -> bool:
        return not entry.reason

    def _next_due(self) -> int | None:
        return next((place for place, entry in enumerate(self._seen(self._waiting)) if self._is_due(entry)), None)

    def _note_sent(self, entry: WaitingAnswer) -> None:
        self._window.note_sent(self._clock.now_ms())
        self._vendors.note_sent(entry.provider, entry.model)

    async def _send(self, entry: WaitingAnswer) -> None:
        try:
            await self._start(await self._store.take(entry.message_id))
        except ChatDeskError as error:
            _log.warning("answer %s could not be asked for: %s", entry.message_id, error.code)
            await self._end(entry, Status.ERROR, error)

    async def _end(self, entry: WaitingAnswer, status: Status, error: ChatDeskError | None = None) -> Message | None:
        outcome = TurnOutcome(
            status,
            self._clock.now_ms(),
            error=None if error is None else error.sentence,
            error_type=None if error is None else error.code,
            is_asked=False,
        )
        try:
            message, thread = await self._store.finish(entry.message_id, outcome)
        except ChatDeskError as problem:  # it is gone, or ended in another way
            _log.info("answer %s waits no more: %s", entry.message_id, problem.code)
            return None
        self._bus.publish(MessageChanged(message))
        self._bus.publish(AnswerFinished(message))
        self._bus.publish(ThreadChanged(thread))
        return message

    async def _learn_history(self) -> None:
        """What was sent before this program began counts too."""
        rate = self._window.rate
        if rate is not None and not self._is_history_known:
            self._is_history_known = True
            since = self._clock.now_ms() - rate.period_s * _MS_PER_S
            sent = await self._store.sent_since(since)
            self._window.use(rate, [moment for moment in sent if moment < self._began_ms])

    def _tell(self) -> None:
        self._bus.publish(QueueChanged(self.waiting))
        self._set_timer()

    def _look_soon(self) -> None:
        if self._waiting:
            self._tasks.start(self.look(), "look at what waits to be sent")

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [each.sends_at for each in self._waiting if each.sends_at is not None]
        if times:
            wait_s = max(0.0, (min(times) - self._clock.now_ms()) / _MS_PER_S)
            self._timer = asyncio.get_running_loop().call_later(min(wait_s, _LONGEST_NAP_S) + 0.01, self._look_soon)
