"""Runs the summariser on a thread of its own, with its own loop, connections and providers.

It reads through its own connection and writes through the owner's: one process has one writer. Nothing waits for it; a
thread that failed is left alone for a while, longer each time. It ends within a second, whatever a model is doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from chatdesk.core.clock import Clock
from chatdesk.core.context.summariser import Summariser, SummaryOwner, Wanted
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.limits import BackgroundLimitReached
from chatdesk.core.domain.summary import NewSummary, Summary, SummaryPlan
from chatdesk.core.domain.usage import Spent
from chatdesk.core.errors import ChatDeskError, SummaryNeedsConsent, SummaryRangeGone
from chatdesk.core.texts import Text

T = TypeVar("T")
_log = logging.getLogger(__name__)

_PAUSES_MS = (60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000)
_LONGEST_END_S = 1.0
_SLACK_S = 0.05  # the loop's clock and the system's clock may differ by this much
_MS_PER_S = 1000

# Builds a summariser on the worker's loop, with the ways back to the owner that it is given, and takes it down again.
OpenSummariser = Callable[[SummaryOwner], AbstractAsyncContextManager[Summariser]]


class SummaryWorker:
    """Runs the summariser on its thread. Made and used on the owner's loop; the callbacks are called there as well."""

    def __init__(
        self,
        open_summariser: OpenSummariser,
        owner: SummaryOwner,
        *,
        on_ended: Callable[[str, Summary | None], None],
        on_waiting: Callable[[str], None],
        on_failed: Callable[[str, str], None],
        on_due: Callable[[str], None],
        clock: Clock,
    ) -> None:
        """Create the worker with its callbacks. ``on_ended(thread, newest)``: everything is covered, None where nothing
        had to be; ``on_waiting(thread)``: it continues later by itself. ``on_failed(thread, sentence)`` is called once
        until one succeeds; ``on_due(thread)`` when a thread that failed may be tried again."""
        self._open = open_summariser
        self._of_owner = owner
        self._on_ended = on_ended
        self._on_waiting = on_waiting
        self._on_failed = on_failed
        self._on_due = on_due
        self._clock = clock
        self._owner: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[Wanted] = asyncio.Queue()
        self._at_work: Wanted | None = None
        self._making: asyncio.Task[Summary | None] | None = None
        self._stopped: set[str] = set()
        self._agreed: dict[str, Wanted] = {}
        self._waiting: set[str] = set()
        self._failures: dict[str, tuple[int, int]] = {}  # by thread: how often, and when it may be tried again
        self._retries: dict[str, asyncio.TimerHandle] = {}  # by failed thread
        self._resting: dict[str, Wanted] = {}  # by thread: the work that resumes on the next day
        self._rests_until_ms = 0
        self._waking: asyncio.TimerHandle | None = None
        self._is_closed = False

    def ask(self, wanted: Wanted) -> None:
        """Summarise a thread when its turn comes. Threads that wait already or failed lately are left out, unless a
        person wants it."""
        if self._is_closed:
            return
        if wanted.thread_id in self._waiting:
            if wanted.is_agreed:  # before the worker heard that it has to wait for that
                self._agreed[wanted.thread_id] = wanted
            return
        now_ms = self._clock.now_ms()
        if not wanted.is_by_person and now_ms < self._failures.get(wanted.thread_id, (0, 0))[1]:
            return
        if not wanted.is_by_person and now_ms < self._rests_until_ms:
            self._resting[wanted.thread_id] = wanted
            return
        self._waiting.add(wanted.thread_id)
        self._stopped.discard(wanted.thread_id)
        if self._thread is None:
            self._owner = asyncio.get_running_loop()
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="summaries", daemon=True)
            self._thread.start()
        assert self._loop is not None  # made with the thread
        self._loop.call_soon_threadsafe(self._queue.put_nowait, wanted)

    def stop(self, thread_id: str) -> None:
        """Cancel the summary that is made, waits or pauses for a thread; stored summaries stay."""
        self._resting.pop(thread_id, None)
        self._agreed.pop(thread_id, None)
        self._failures.pop(thread_id, None)
        if (timer := self._retries.pop(thread_id, None)) is not None:
            timer.cancel()
        if thread_id in self._waiting and self._loop is not None:
            self._waiting.discard(thread_id)
            self._stopped.add(thread_id)
            with contextlib.suppress(RuntimeError):  # it ended on its own
                self._loop.call_soon_threadsafe(self._stop_making, thread_id)

    @property
    def pending(self) -> frozenset[str]:
        """The ids of the threads that are being summarised or wait for their turn."""
        return frozenset(self._waiting)

    @property
    def rests_until_ms(self) -> int:
        """The end of the day's limit that was reached, in milliseconds UTC; in the past or 0 where none holds."""
        return self._rests_until_ms

    def wake(self) -> None:
        """Resume the work that a limit held up, because the day is over or the limit has changed."""
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        self._rests_until_ms = 0
        resting, self._resting = self._resting, {}
        for wanted in resting.values():
            self.ask(wanted)

    async def close(self) -> None:
        """Cancel all work on summaries; stored summaries stay. Takes at most a second."""
        self._is_closed = True
        for timer in (self._waking, *self._retries.values()):
            if timer is not None:
                timer.cancel()
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        with contextlib.suppress(RuntimeError):  # it ended on its own
            loop.call_soon_threadsafe(self._cancel)
        await asyncio.to_thread(thread.join, _LONGEST_END_S)  # the loop continues, so a write may be awaited here
        if thread.is_alive():
            _log.warning("the summariser did not end in time")

    # On the worker's thread from here on.

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            self._work = loop.create_task(self._serve(), name="summaries")
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(self._work)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _stop_making(self, thread_id: str) -> None:
        if self._making is not None and self._at_work is not None and self._at_work.thread_id == thread_id:
            self._making.cancel()

    async def _make(self, summariser: Summariser, wanted: Wanted) -> Summary | None:
        """Summarise one thread in a task of its own, which a person may stop."""
        making = self._making = asyncio.ensure_future(summariser.summarise(wanted))
        try:
            await asyncio.wait([making])
        except asyncio.CancelledError:
            making.cancel()
            await asyncio.wait([making])
            raise
        finally:
            self._making = None
        return making.result()

    async def _serve(self) -> None:
        async with self._open(SummaryOwner(self._kept, self._noted, self._allowed)) as summariser:
            while True:
                wanted = self._at_work = await self._queue.get()
                if wanted.thread_id in self._stopped:
                    continue
                try:
                    summary = await self._make(summariser, wanted)
                except asyncio.CancelledError:
                    if self._work is None or self._work.cancelling():
                        raise
                    log_event("summary.stopped", thread=wanted.thread_id)
                except SummaryNeedsConsent:
                    self._call_owner(self._held, wanted)
                except SummaryRangeGone:
                    self._call_owner(self._done, wanted, None, None)  # the thread moved on while it was made
                except BackgroundLimitReached as error:
                    self._call_owner(self._limited, wanted, error)
                except ChatDeskError as error:
                    log_event(
                        "summary.failed",
                        thread=wanted.thread_id,
                        provider=wanted.provider,
                        model=wanted.model,
                        reason=error.code,
                    )
                    self._call_owner(self._done, wanted, None, error.sentence)
                except Exception:  # noqa: BLE001 - the owner of a task: one thread's trouble must not end the worker
                    _log.exception("the summariser failed")
                    self._call_owner(self._done, wanted, None, Text("ChatDesk made a mistake while it summarised."))
                else:
                    self._call_owner(self._done, wanted, summary, None)

    async def _kept(self, new: NewSummary, spent: Spent) -> Summary:
        return await self._in_owner(lambda: self._of_owner.keep(new, spent))

    async def _noted(self, wanted: Wanted, spent: Spent) -> None:
        await self._in_owner(lambda: self._of_owner.record_failed(wanted, spent))

    async def _allowed(self, wanted: Wanted, plan: SummaryPlan, tokens: int) -> None:
        await self._in_owner(lambda: self._of_owner.allow(wanted, plan, tokens))

    async def _in_owner(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work`` on the owner's loop and wait for it."""
        assert self._owner is not None  # known since the first thread was asked for

        async def run() -> T:
            return await work()

        coroutine: Coroutine[Any, Any, T] = run()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._owner))

    def _call_owner(self, what: Callable[..., None], *arguments: object) -> None:
        assert self._owner is not None
        with contextlib.suppress(RuntimeError):  # the owner is gone
            self._owner.call_soon_threadsafe(what, *arguments)

    # On the owner's loop again.

    def _held(self, wanted: Wanted) -> None:
        """Skip a thread until the person who is asked has answered."""
        self._waiting.discard(wanted.thread_id)
        if (agreed := self._agreed.pop(wanted.thread_id, None)) is not None:
            self.ask(agreed)

    def _limited(self, wanted: Wanted, error: BackgroundLimitReached) -> None:
        """Wait for the next day, and say so once, whatever the number of threads."""
        self._waiting.discard(wanted.thread_id)
        if self._is_closed:
            return
        self._resting[wanted.thread_id] = wanted
        self._on_waiting(wanted.thread_id)
        is_new = self._rests_until_ms != error.until_ms
        self._rests_until_ms = error.until_ms
        if self._waking is None:
            delay_s = max(error.until_ms - self._clock.now_ms(), 0) / _MS_PER_S + 1
            self._waking = asyncio.get_running_loop().call_later(delay_s, self.wake)
        if is_new or wanted.is_by_person:
            self._on_failed(wanted.thread_id, error.sentence)

    def _done(self, wanted: Wanted, summary: Summary | None, trouble: str | None) -> None:
        self._waiting.discard(wanted.thread_id)
        if self._is_closed:
            return
        if (timer := self._retries.pop(wanted.thread_id, None)) is not None:
            timer.cancel()
        if trouble is None:
            self._failures.pop(wanted.thread_id, None)
            self._on_ended(wanted.thread_id, summary)
            return
        self._on_waiting(wanted.thread_id)
        count = self._failures.get(wanted.thread_id, (0, 0))[0]
        pause_ms = _PAUSES_MS[min(count, len(_PAUSES_MS) - 1)]
        self._failures[wanted.thread_id] = (count + 1, self._clock.now_ms() + pause_ms)
        loop = asyncio.get_running_loop()
        self._retries[wanted.thread_id] = loop.call_later(pause_ms / _MS_PER_S + _SLACK_S, self._retry, wanted)
        if count == 0 or wanted.is_by_person:
            self._on_failed(wanted.thread_id, trouble)

    def _retry(self, wanted: Wanted) -> None:
        """Try a thread again after its pause; the owner decides whether it is still needed, unless a person asked for
        it."""
        del self._retries[wanted.thread_id]
        if wanted.is_by_person:
            self.ask(wanted)
        else:
            self._on_due(wanted.thread_id)
