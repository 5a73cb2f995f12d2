"""Runs one turn: an answer from its first byte to its durable end.

The states are ``pending → streaming → complete | stopped | interrupted | error``. Each is on disk before anyone is
told. Text is shown a frame at a time and stored soon after; the last write includes the unstored rest.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

from chatdesk.core.attachments.answer_pictures import AnswerPictures, KeepFile
from chatdesk.core.chat.live_text import Delta, LiveText
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.chat.tool_calls.stored_first import StoredFirst
from chatdesk.core.chat.turn_context import RequestSpending, SetUp, TurnContext, TurnTimes
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import FILE_PARTS, Message, PartType, Status
from chatdesk.core.domain.tools import CallStatus
from chatdesk.core.domain.turn import TurnOutcome
from chatdesk.core.domain.usage import RateReport, Spent, Usage
from chatdesk.core.errors import ChatDeskError, ProviderError, ProviderErrorKind, StorageError
from chatdesk.core.events import (
    AnswerFinished,
    FirstTokenArrived,
    MessageChanged,
    RetryWaiting,
    StorageFailed,
    StorageRecovered,
    TextStreamed,
    ThreadChanged,
    TurnStarted,
)
from chatdesk.core.events import ToolsOffered as ToolsOfferedForAnswer
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    LibraryLoaded,
    ModelNamed,
    PictureDelta,
    Provider,
    RateReported,
    RetryScheduled,
    SourcesNamed,
    StepBegan,
    StepEnded,
    StoreNow,
    StreamEvent,
    StreamFinished,
    ToolsOffered,
    UsageReported,
)
from chatdesk.core.providers.failure_texts import described, slept_sentence

_log = logging.getLogger(__name__)

FRAME_S = 0.048
# Shown text is stored at most 250 ms later. The disk and a busy machine may need more than half of that.
CHECKPOINT_S = 0.1
_LONGEST_READ_SLICE_S = 0.003
_STORE_RETRIES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
SLEPT = "slept"


class Turn:
    """Runs one answer. ``run`` is awaited by one task; ``stop`` and ``interrupt`` may come at any moment."""

    def __init__(
        self,
        context: TurnContext,
        *,
        answer: Message,
        set_up: SetUp,
        keep: KeepFile | None = None,
    ) -> None:
        """Create the turn that writes ``answer``. ``set_up`` returns its provider and request, ``keep`` stores
        pictures."""
        self.message_id = answer.id
        self.thread_id = answer.thread_id
        self._context = context
        self._answer = answer
        self._set_up = set_up
        self._spending = RequestSpending(context.clock, self._cost_of)
        self._text = LiveText(answer.parts, now_ms=context.clock.now_ms)
        self._pictures = AnswerPictures(keep, count=sum(part.type in FILE_PARTS for part in answer.parts))
        self.received_count = 0
        self._is_lost = False
        self._news = asyncio.Event()
        self._stored_first = StoredFirst()
        self._tasks = TaskSet()
        self._reading: asyncio.Task[None] | None = None
        self._ended_as: Status | None = None
        self._is_streaming = False
        self._unstored_since_s: float | None = None  # when the oldest unstored text was shown
        self._stored = answer  # the answer as it was when streaming began
        self._published_news_count = 0
        self._is_closing = False
        self._hurry: Callable[[], None] | None = None
        self._finish_reason: FinishReason | None = None
        self._times = TurnTimes(context.clock)
        self.finished: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def overlay(self, message: Message) -> Message:
        """Return ``message`` as shown now: with all text published so far."""
        if message.status.is_final:
            return message
        shown = self._text.overlay(message)
        return replace(shown, status=Status.STREAMING) if self._is_streaming else shown

    def stop(self) -> None:
        """End the turn as stopped by the person."""
        self._end(Status.STOPPED)

    @property
    def clock(self) -> Clock:
        return self._context.clock

    def hurry(self) -> None:
        """End the wait of the provider before it asks again."""
        if self._hurry is not None:
            self._hurry()

    def lose(self) -> None:
        """Interrupt the turn, because the computer slept and nothing was received since then."""
        self._is_lost = self._ended_as is None
        self._end(Status.INTERRUPTED)

    def interrupt(self) -> None:
        """Interrupt the turn, because the application closes: one last write, no waiting for a better disk."""
        self._is_closing = True
        self._end(Status.INTERRUPTED)

    def _end(self, status: Status) -> None:
        if self._ended_as is None:
            self._ended_as = status
        if self._reading is not None:
            self._reading.cancel()
        self._news.set()

    async def run(self) -> None:
        """Stream, show and store until the end. Raises nothing but cancellation."""
        try:
            await self._run()
        finally:
            await self._tasks.close()
            if not self.finished.done():
                self.finished.cancel()

    async def _run(self) -> None:
        answer = self._answer
        self._context.bus.publish(TurnStarted(answer.thread_id, answer.id, answer.provider, answer.model))
        reading = self._reading = self._tasks.start(self._read(), f"read answer {self.message_id}")
        reading.add_done_callback(lambda _task: self._news.set())
        if self._ended_as is not None:  # before anything was asked
            reading.cancel()
        shown_at_s = -math.inf
        while not reading.done():
            await self._wait_for_news()
            rest_s = shown_at_s + FRAME_S - self._context.clock.monotonic_s()
            if rest_s > 0 and not reading.done():
                await self._stored_first.pause(rest_s)
                self._news.clear()  # the text that arrived during the pause is shown now
            if self._text.has_received and not self._is_streaming:
                await self._start_streaming()
            if self._is_streaming:
                self._show()
            shown_at_s = self._context.clock.monotonic_s()
            if self._stored_first or self._has_to_store(shown_at_s):
                await self._checkpoint()
        if self._text.has_received and not self._is_streaming:
            await self._start_streaming()
        if self._is_streaming:
            self._show()
        await self._finish(None if reading.cancelled() else reading.exception())

    def _has_to_store(self, now_s: float) -> bool:
        """Return whether shown text would be stored too late if it waited for the next frame."""
        return self._unstored_since_s is not None and now_s + FRAME_S - self._unstored_since_s > CHECKPOINT_S

    async def _wait_for_news(self) -> None:
        rest_s = None
        if self._unstored_since_s is not None:
            rest_s = self._unstored_since_s + CHECKPOINT_S - self._context.clock.monotonic_s()
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._news.wait()
            self._news.clear()

    async def _read(self) -> None:
        provider, request = await self._set_up()
        if not self._answer.model:  # no models were listed when the answer was stored
            self._answer = replace(self._answer, model=request.model)
        self._times.start()
        self._spending.start(request)
        try:
            await self._read_stream(provider, request)
        finally:
            if request.files_outcome is not None and self._text.has_received:
                self._add(SourcesNamed(request.sources, request.files_outcome))

    async def _read_stream(self, provider: Provider, request: ChatRequest) -> None:
        clock = self._context.clock
        slice_began_s = clock.monotonic_s()
        async with aclosing(provider.stream(request)) as stream:
            async for event in stream:
                self.received_count += 1
                news = await self._pictures.receive(event) if isinstance(event, PictureDelta) else event
                if isinstance(news, Delta):
                    self._add(news)
                elif isinstance(news, StepEnded):
                    await self._record_step()
                elif news is not None:
                    self._handle(news)
                if clock.monotonic_s() - slice_began_s > _LONGEST_READ_SLICE_S:
                    # A provider that never has to wait must not keep the window from its frame.
                    await asyncio.sleep(0)
                    slice_began_s = clock.monotonic_s()

    def _handle(self, event: StreamEvent) -> None:
        match event:
            case StepBegan():
                self._text.start_step(event.step)
                self._spending.start(event.request)
            case StoreNow():
                self._stored_first.add(event.stored)
                self._news.set()
            case RetryScheduled():
                self._hurry = event.hurry
                wait = (event.attempt, event.delay_s, event.reason)
                self._context.bus.publish(RetryWaiting(self.thread_id, self.message_id, *wait))
            case UsageReported():
                self._spending.usage = event.usage
            case LibraryLoaded():
                self._times.add_loading(event.seconds)
            case ToolsOffered():
                what = (event.server_id, event.server, event.tools, event.notes)
                self._context.bus.publish(ToolsOfferedForAnswer(self.thread_id, self.message_id, *what))
            case ModelNamed():
                self._answer = replace(self._answer, model=event.model)
            case RateReported():
                self._context.record_rate(self._answer.provider, self._answer.model, event.report)
            case StreamFinished():
                self._finish_reason = event.reason

    def _add(self, delta: Delta) -> None:
        if (first_ms := self._times.record_first_token()) is not None:
            self._context.bus.publish(FirstTokenArrived(self.thread_id, self.message_id, first_ms))
        self._spending.count(delta)
        self._text.add(delta)
        self._news.set()

    async def _start_streaming(self) -> None:
        try:
            message = await self._context.store.start_streaming(
                self.message_id, self._context.clock.now_ms(), model=self._answer.model
            )
        except StorageError as error:
            self._storage_failed(error)
            return
        self._is_streaming = True
        self._stored = message
        self._context.bus.publish(MessageChanged(self.overlay(message)))

    def _show(self) -> None:
        chunks = self._text.drain_to_show()
        if chunks and self._unstored_since_s is None:
            self._unstored_since_s = self._context.clock.monotonic_s()
        for chunk in chunks:
            if chunk.text and chunk.kind is not PartType.TOOL_RESULT:
                self._context.bus.publish(
                    TextStreamed(self.thread_id, self.message_id, chunk.part_index, chunk.kind.value, chunk.text)
                )
        if self._text.news_count != self._published_news_count:
            self._published_news_count = self._text.news_count
            self._context.bus.publish(MessageChanged(self.overlay(self._stored)))

    async def _checkpoint(self) -> None:
        if not self._is_streaming:
            return
        self._unstored_since_s = None
        try:
            with self._times.storing():
                await self._stored_first.store(self._text, partial(self._context.store.append_chunks, self.message_id))
        except StorageError as error:
            self._storage_failed(error)
            return
        self._storage_worked()

    async def _finish(self, failure: BaseException | None) -> None:
        outcome = self._outcome(failure)
        attempt = 0
        while True:
            try:
                with self._times.storing():
                    message, thread = await self._context.store.finish(self.message_id, outcome)
                break
            except StorageError as error:
                # Nothing is called saved before it is: keep the text here and try until the disk takes it.
                self._storage_failed(error)
                if self._is_closing:
                    return
                await self._pause(_STORE_RETRIES_S[min(attempt, len(_STORE_RETRIES_S) - 1)])
                attempt += 1
        self._storage_worked()
        if not self.finished.done():
            # Before the end is published: a subscriber may start the next turn at once.
            self.finished.set_result(message)
        bus = self._context.bus
        bus.publish(MessageChanged(message))
        bus.publish(AnswerFinished(message))
        bus.publish(ThreadChanged(thread))
        bus.publish(self._times.timed(self.thread_id, self.message_id, pieces=self.received_count))

    async def _pause(self, seconds: float) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_closing:
                    await self._news.wait()
                    self._news.clear()

    def _outcome(self, failure: BaseException | None) -> TurnOutcome:
        clock = self._context.clock
        self._end_calls()
        tail, _count = self._text.peek_to_store()
        status, error, error_type = Status.COMPLETE, None, None
        details: dict[str, object] = {}
        latency_ms = self._times.record_end()  # once, so that the message and the ledger say the same
        spent = self._spent(latency_ms)
        is_refused = isinstance(failure, ChatDeskError) and not isinstance(failure, ProviderError)
        if self._ended_as is not None:
            status = self._ended_as
            if self._is_lost:
                error, error_type = slept_sentence(has_part=self._text.has_received), SLEPT
        elif failure is not None:
            status = Status.ERROR
            error, error_type, details = described(failure, now_ms=clock.now_ms())
            self._record_rate_limit(failure)
        return TurnOutcome(
            status=status,
            finished_at=clock.now_ms(),
            latency_ms=latency_ms,
            time_to_first_token_ms=self._times.first_token_ms,
            usage=spent.usage,
            cost_usd=spent.cost_usd,
            last=spent,
            finish_reason=self._finish_reason.value if self._finish_reason else None,
            error=error,
            error_type=error_type,
            error_details=details,
            tail=tuple(tail),
            is_refused=is_refused,
            is_asked=is_refused or self._spending.is_under_way,
        )

    def _end_calls(self) -> None:
        """Set the final state of calls that the end of the answer cut off. A call that waits for approval outlives the
        end of ChatDesk."""
        is_closing = self._ended_as is Status.INTERRUPTED
        self._text.end_calls(
            running=CallStatus.UNKNOWN if is_closing else CallStatus.FAILED,
            waiting=CallStatus.WAITING if is_closing else CallStatus.DENIED,
        )
        self._text.drain_to_show()

    def _record_rate_limit(self, failure: BaseException) -> None:
        """Record how long a vendor that refused wants no further request."""
        if isinstance(failure, ProviderError) and failure.kind is ProviderErrorKind.RATE_LIMITED:
            report = RateReport(0, failure.retry_after_s or 0.0)
            self._context.record_rate(self._answer.provider, self._answer.model, report)

    def _cost_of(self, usage: Usage) -> float | None:
        return self._context.cost_of(self._answer.provider, self._answer.model, usage)

    def _spent(self, latency_ms: int) -> Spent:
        return self._spending.spent(latency_ms=latency_ms, first_token_ms=self._times.first_token_ms)

    async def _record_step(self) -> None:
        spent = self._spent(self._times.record_end())
        record = partial(self._context.store.append_chunks, self.message_id, (), step=spent)
        await self._spending.record(record, self._storage_failed)

    def _storage_failed(self, error: StorageError) -> None:
        self._unstored_since_s = self._context.clock.monotonic_s()  # try again soon, whether or not text comes
        if self.message_id not in self._context.unstored:
            _log.warning("message %s could not be stored: %s", self.message_id, error.code)
            self._context.unstored.add(self.message_id)
        self._context.bus.publish(StorageFailed(error))

    def _storage_worked(self) -> None:
        if self.message_id in self._context.unstored:
            self._context.unstored.remove(self.message_id)
            if not self._context.unstored:
                self._context.bus.publish(StorageRecovered())
