"""Hands work of the service's thread over to the loop of the services, and its results back.

The services are coroutines on one loop, the window's or that of ``chatdesk serve``. A caller that is cancelled cancels
its work there; a stream that is closed closes its source there. What still runs when the service ends is cancelled on
the loop that it runs on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from chatdesk.service.errors import ServiceEnding

T = TypeVar("T")

_MOST_WAITING = 256


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    """The result or error of some work. Kept as a value, because asyncio logs errors of tasks that are never
    awaited."""

    result: T | None = None
    error: BaseException | None = None


class ServicesLoop:
    """The loop on which the services run. Made and closed on that loop; ``call`` and ``stream`` are for others."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work`` on the loop of the services and return its result. Raises its exceptions, and ``ServiceEnding``
        if the services are ending."""
        handed = _Handover(asyncio.get_running_loop(), self._loop, partial(self._run, work))
        try:
            self._loop.call_soon_threadsafe(handed.start)
        except RuntimeError:  # that loop is closed
            raise ServiceEnding() from None
        outcome = await handed.outcome()
        if outcome.error is not None:
            raise outcome.error
        return outcome.result  # type: ignore[return-value]  # None only where T allows it

    async def stream(self, source: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Iterate over ``source``, which runs on the loop of the services. It is held up while much of it waits to be
        taken; everything that waits is taken at once."""
        crossing = _QueueBetweenLoops[T](asyncio.get_running_loop(), self._loop)
        pump = asyncio.ensure_future(self.call(lambda: crossing.pump(source())))
        pump.add_done_callback(lambda _done: crossing.arrived.set())
        try:
            while True:
                await crossing.arrived.wait()
                crossing.arrived.clear()
                for item in crossing.pop_all():
                    yield item
                if pump.done() and not crossing.waiting:
                    break
        finally:
            pump.cancel()
            await asyncio.wait([pump])
            error = None if pump.cancelled() else pump.exception()
        if error is not None:
            raise error

    async def close(self) -> None:
        """Cancel all that was handed over, and wait for its end."""
        self._is_closed = True
        while tasks := [task for task in self._tasks if not task.done()]:
            self._ended.update(tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _run(self, work: Callable[[], Awaitable[T]]) -> _Outcome[T]:
        if self._is_closed:
            return _Outcome(error=ServiceEnding())
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return _Outcome(await work())
        except asyncio.CancelledError:
            if task in self._ended:
                return _Outcome(error=ServiceEnding())
            raise
        except Exception as error:  # noqa: BLE001 - raised again where the work was asked for
            return _Outcome(error=error)
        finally:
            self._tasks.discard(task)


class _Handover(Generic[T]):
    """Work that one loop has handed over to another. Loops have this too (``run_coroutine_threadsafe``), by two more
    futures and twice the time, which each request would pay."""

    def __init__(
        self,
        asking: asyncio.AbstractEventLoop,
        working: asyncio.AbstractEventLoop,
        work: Callable[[], Coroutine[Any, Any, _Outcome[T]]],
    ) -> None:
        self._asking = asking
        self._working = working
        self._work = work
        self._task: asyncio.Task[_Outcome[T]] | None = None
        self._outcome: asyncio.Future[_Outcome[T]] = asking.create_future()

    async def outcome(self) -> _Outcome[T]:
        """Wait for the end of the work, on the caller's loop. Cancelling the caller cancels the work."""
        try:
            return await self._outcome
        except asyncio.CancelledError:
            with suppress(RuntimeError):  # that loop is closed
                self._working.call_soon_threadsafe(self._cancel)
            raise

    def start(self) -> None:
        """Start the work. Called on the loop that does it."""
        self._task = self._working.create_task(self._work())
        self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, done: asyncio.Task[_Outcome[T]]) -> None:
        with suppress(RuntimeError):  # the loop that asked is closed
            self._asking.call_soon_threadsafe(self._set_outcome, done)

    def _set_outcome(self, done: asyncio.Task[_Outcome[T]]) -> None:
        if self._outcome.done():
            return
        if done.cancelled():
            self._outcome.cancel()
        else:
            self._outcome.set_result(done.result())


class _QueueBetweenLoops(Generic[T]):
    """A queue of items from the loop that makes them to the loop that reads them."""

    def __init__(self, taking: asyncio.AbstractEventLoop, making: asyncio.AbstractEventLoop) -> None:
        self._taking = taking
        self._making = making
        self._is_notified = False
        self._is_full = False
        self._has_room: asyncio.Event | None = None
        self.waiting: deque[T] = deque()
        self.arrived = asyncio.Event()

    async def pump(self, source: AsyncGenerator[T, None]) -> None:
        """Put every item of ``source`` on its way; runs where they are made."""
        self._has_room = asyncio.Event()
        async with aclosing(source):
            async for item in source:
                self.waiting.append(item)
                if not self._is_notified:
                    self._is_notified = True
                    self._taking.call_soon_threadsafe(self.arrived.set)
                if len(self.waiting) >= _MOST_WAITING:
                    self._has_room.clear()
                    self._is_full = True
                    if len(self.waiting) >= _MOST_WAITING:  # else an item was taken in the meantime
                        await self._has_room.wait()

    def pop_all(self) -> list[T]:
        """Return the items that have arrived, each once. Called on the loop that reads them."""
        self._is_notified = False
        taken = [self.waiting.popleft() for _ in range(len(self.waiting))]
        if self._is_full and self._has_room is not None:
            self._is_full = False
            self._making.call_soon_threadsafe(self._has_room.set)
        return taken
