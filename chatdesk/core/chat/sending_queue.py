"""SendingQueue keeps answers that may not be requested yet: visible, in order, and across restarts.

An answer waits because the person's own rate is used up, or because the vendor says so. Questions and answers are
stored before they come here; an answer that waits is pending. An answer that waits for a vendor is overtaken by those
that go to another one; apart from that they are sent in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import LimitReached, LimitScope, Rate, ScopedRate, parse_rate
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.turn import TurnOutcome
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import ChatDeskError, NotPossible, StorageError
from chatdesk.core.events import AnswerFinished, EventBus, MessageChanged, QueueChanged, ThreadChanged
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.texts import Text
from chatdesk.core.usage.rate_window import RateWindow, VendorQuotas

_log = logging.getLogger(__name__)

_MS_PER_S = 1000
# A timer of an hour would not notice that the computer slept.
_LONGEST_NAP_S = 30.0
STORAGE_REST_S = 1.0  # before storage that refused is asked again
_RATE_REASONS = {
    LimitScope.ALL: Text("Your limit of messages is reached."),
    LimitScope.PROVIDER: Text("Your limit of messages to this provider is reached."),
    LimitScope.PROJECT: Text("Your limit of messages in this project is reached."),
}
# The scope of a rate: a kind, and the name of a provider or the id of a project.
_Scope = tuple[LimitScope, str]
_ALL: _Scope = (LimitScope.ALL, "")
_VENDOR_REASON = Text("The provider takes no more requests for now.")


class SendingQueue:
    """The answers that wait to be asked for, on the services' loop. ``start`` begins the turn of an answer
    that may be asked for, and waits for nothing."""

    def __init__(
        self,
        store: WaitingRepository,
        messages: MessageRepository,
        bus: EventBus,
        clock: Clock,
        *,
        start: Callable[[Message], None],
    ) -> None:
        self._store = store
        self._messages = messages
        self._bus = bus
        self._clock = clock
        self._start = start
        self._windows: dict[_Scope, RateWindow] = {_ALL: RateWindow()}
        self._vendors = VendorQuotas()
        self._waiting: list[WaitingAnswer] = []
        self._is_history_known = False
        self._began_ms = clock.now_ms()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = TaskSet()
        self._lock = asyncio.Lock()

    # What others see

    @property
    def waiting(self) -> tuple[WaitingAnswer, ...]:
        """The answers that wait, the next first."""
        return tuple(self._waiting)

    def in_thread(self, thread_id: str) -> tuple[WaitingAnswer, ...]:
        return tuple(each for each in self._waiting if each.thread_id == thread_id)

    # What others do

    def use_rate(self, rate: Rate | None, scoped: Sequence[ScopedRate] = ()) -> None:
        """Replace the rates for all messages and for those of single providers or projects, from the next message on;
        waiting ones are checked again."""
        wanted: dict[_Scope, Rate | None] = {_ALL: rate}
        wanted |= {(each.scope, each.target): parse_rate(each.text) for each in scoped}
        before = {scope: window.rate for scope, window in self._windows.items() if window.rate is not None}
        if before != {scope: each for scope, each in wanted.items() if each is not None}:
            self._is_history_known = False
            for scope in {*self._windows, *wanted}:
                self._window_of(scope).use(wanted.get(scope))
            self._send_due_soon()

    def record_rate(self, provider: str | None, model: str | None, report: RateReport) -> None:
        """Record the limits that a vendor announced."""
        self._vendors.record(provider or "", model or "", report, now_ms=self._clock.now_ms())

    def forget_rate(self, provider: str | None, model: str | None) -> None:
        """Forget that a vendor said it is too early, so that it is asked again."""
        self._vendors.forget(provider or "", model or "")

    async def admit(self, answer: Message) -> bool:
        """Return whether a pending answer may be asked for now; otherwise it is stored as waiting, and asked for when
        it may be."""
        async with self._lock:
            await self._count_earlier_messages()
            project_id = await self._store.project_of(answer.thread_id)
            entry = WaitingAnswer(
                answer.id, answer.thread_id, answer.provider or "", answer.model or "", project_id=project_id
            )
            due = self._seen([*self._waiting, entry])[-1]
            if self._is_due(due):
                self._record_sent(due)
                return True
            waiting = list(self._seen([*self._waiting, entry]))
            await self._store.order([each.message_id for each in waiting])
            self._waiting = waiting
        self._publish()
        return False

    async def admit_at_once(self, provider: str, model: str) -> None:
        """Count a question that no thread keeps. Raises ``LimitReached`` where it would have to wait."""
        async with self._lock:
            await self._count_earlier_messages()
            entry = self._seen([*self._waiting, WaitingAnswer("", "", provider, model)])[-1]
            if not self._is_due(entry):
                until_ms = entry.sends_at or self._clock.now_ms() + _MS_PER_S
                raise LimitReached(entry.reason, next_step=Text("Ask again later."), until_ms=until_ms)
            self._record_sent(entry)

    async def resume(self) -> None:
        """Continue with the answers that were waiting when the program ended."""
        async with self._lock:
            known = {each.message_id for each in self._waiting}
            self._waiting += [each for each in await self._store.all() if each.message_id not in known]
        await self.send_due()

    async def send_first(self, message_id: str) -> None:
        """Move one answer to the head. Raises ``NotPossible`` where it does not wait."""
        async with self._lock:
            chosen = [each for each in self._waiting if each.message_id == message_id]
            if not chosen:
                raise NotPossible(Text("This message is no longer waiting."))
            self._waiting = [*chosen, *(each for each in self._waiting if each.message_id != message_id)]
            await self._store.order([each.message_id for each in self._waiting])
        await self.send_due()

    async def cancel(self, thread_or_message_id: str) -> Message | None:
        """End one waiting answer, or all of a thread, as stopped; the questions stay. Returns the last one; None where
        nothing waited. Raises ``StorageError``; the rest then waits on."""
        async with self._lock:
            chosen = [each for each in self._waiting if thread_or_message_id in (each.message_id, each.thread_id)]
            ended = None
            try:
                for each in chosen:
                    ended = await self._stop(each)
            finally:
                if chosen:
                    self._publish()
        if chosen:
            await self.send_due()
        return ended

    async def send_due(self) -> None:
        """Send the answers that may be requested now, and publish when the others will be."""
        async with self._lock:
            await self._count_earlier_messages()
            before, could_send = tuple(self._waiting), True
            while could_send and (place := self._next_due()) is not None:
                could_send = await self._send(self._waiting[place])
            self._waiting = list(self._seen(self._waiting))
        if tuple(self._waiting) != before:
            self._publish()
        self._set_timer(least_s=0.0 if could_send else STORAGE_REST_S)

    async def close(self) -> None:
        """Stop sending; waiting messages stay stored."""
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.close()

    # Inside

    def _seen(self, entries: list[WaitingAnswer]) -> list[WaitingAnswer]:
        """Return ``entries`` with the reason for which each waits and until when."""
        now_ms = self._clock.now_ms()
        seen: list[WaitingAnswer] = []
        slots = _Slots(self._windows, len(entries), now_ms)
        for before, entry in enumerate(entries):
            at = self._vendors.free_at(entry.provider, entry.model, now_ms)
            reason: str = _VENDOR_REASON
            if at is None:
                at, reason = slots.reserve(entry)
            seen.append(replace(entry, reason=reason, sends_at=at, before=before))
        return seen

    @staticmethod
    def _is_due(entry: WaitingAnswer) -> bool:
        return not entry.reason

    def _next_due(self) -> int | None:
        return next((place for place, entry in enumerate(self._seen(self._waiting)) if self._is_due(entry)), None)

    def _record_sent(self, entry: WaitingAnswer) -> None:
        for scope in _scopes_of(entry.provider, entry.project_id):
            self._window_of(scope).record_sent(self._clock.now_ms())
        self._vendors.record_sent(entry.provider, entry.model)

    async def _send(self, entry: WaitingAnswer) -> bool:
        """Start the turn of an answer. Return False where storage does not allow it now; the answer then waits on."""
        try:
            answer = await self._store.claim(entry.message_id)
        except StorageError as error:
            _log.warning("answer %s waits on: %s", entry.message_id, error.code)
            return False
        except ChatDeskError as error:
            self._forget(entry, error)
        else:
            self._record_sent(entry)
            self._waiting.remove(entry)  # only now: it takes a place in its thread until its turn does
            self._start(answer)
        return True

    async def _stop(self, entry: WaitingAnswer) -> Message | None:
        """End a waiting answer as stopped. Raises ``StorageError``; the answer then waits on."""
        outcome = TurnOutcome(Status.STOPPED, self._clock.now_ms(), is_asked=False)
        try:
            message, thread = await self._messages.finish(entry.message_id, outcome)
        except StorageError:
            raise
        except ChatDeskError as error:
            self._forget(entry, error)
            return None
        self._waiting.remove(entry)
        self._bus.publish(MessageChanged(message))
        self._bus.publish(AnswerFinished(message))
        self._bus.publish(ThreadChanged(thread))
        return message

    def _forget(self, entry: WaitingAnswer, error: ChatDeskError) -> None:
        """Forget an answer that is gone, or that ended in another way."""
        _log.info("answer %s waits no more: %s", entry.message_id, error.code)
        self._waiting.remove(entry)

    async def _count_earlier_messages(self) -> None:
        """Count the messages that were sent before this program started."""
        rates = {scope: window.rate for scope, window in self._windows.items() if window.rate is not None}
        if rates and not self._is_history_known:
            self._is_history_known = True
            since = self._clock.now_ms() - max(rate.period_s for rate in rates.values()) * _MS_PER_S
            sent = [each for each in await self._store.sent_since(since) if each.sent_at < self._began_ms]
            for scope, rate in rates.items():
                concerned = [each.sent_at for each in sent if scope in _scopes_of(each.provider, each.project_id)]
                self._window_of(scope).use(rate, concerned)

    def _window_of(self, scope: _Scope) -> RateWindow:
        return self._windows.setdefault(scope, RateWindow())

    def _publish(self) -> None:
        self._bus.publish(QueueChanged(self.waiting))
        self._set_timer()

    def _send_due_soon(self) -> None:
        if self._waiting:
            self._tasks.start(self.send_due(), "look at what waits to be sent")

    def _set_timer(self, *, least_s: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [each.sends_at for each in self._waiting if each.sends_at is not None]
        if times:
            wait_s = max(least_s, (min(times) - self._clock.now_ms()) / _MS_PER_S)
            self._timer = asyncio.get_running_loop().call_later(min(wait_s, _LONGEST_NAP_S) + 0.01, self._send_due_soon)


def _scopes_of(provider: str, project_id: str) -> tuple[_Scope, ...]:
    return (LimitScope.PROVIDER, provider), (LimitScope.PROJECT, project_id), _ALL


class _Slots:
    """The moments at which messages may be sent, one after the other, by all rates that concern each."""

    def __init__(self, windows: Mapping[_Scope, RateWindow], count: int, now_ms: int) -> None:
        self._times = {
            scope: window.next_times(count, now_ms) for scope, window in windows.items() if window.rate is not None
        }
        self._now_ms = now_ms

    def reserve(self, entry: WaitingAnswer) -> tuple[int, str]:
        """Return the earliest moment for a message (milliseconds UTC) and the reason for the wait; an empty reason
        means now. The message then uses a slot of each rate. One that waits for one rate uses no slot of another, so
        that others pass it."""
        concerned = [each for each in _scopes_of(entry.provider, entry.project_id) if each in self._times]
        at, reason = self._now_ms, ""
        for scope in concerned:
            if self._times[scope][0] > at:
                at, reason = self._times[scope][0], _RATE_REASONS[scope[0]]
        for scope in concerned:
            if at <= self._now_ms or self._times[scope][0] > self._now_ms:
                self._times[scope].pop(0)
        return at, reason
