"""Coroutines in the window: running them, and tasks that end with their owner."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from PySide6.QtWidgets import QApplication

from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.qt.window_loop import WindowLoop

_log = logging.getLogger(__name__)

ErrorHandler = Callable[[Exception], None]
P = ParamSpec("P")


def run_until_done(app: QApplication, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run Qt and asyncio as one loop until ``main`` returns the exit code."""
    app.setQuitOnLastWindowClosed(False)  # else Qt would stop the loop before the last write
    try:
        return _run(app, main)
    finally:
        asyncio.set_event_loop(None)
        gc.collect()  # the loop is made of timers of Qt in cycles, some of them running: they must end here


def _run(app: QApplication, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    loop = WindowLoop(app)
    asyncio.set_event_loop(loop)
    generators = AsyncGenerators(loop)

    async def run() -> int:
        try:
            return await main()
        finally:
            await generators.close()

    with loop, generators:
        return int(loop.run_until_complete(run()))


class AsyncGenerators:
    """Has the async generators of this thread closed on ``loop`` when they are dropped, as ``asyncio.run`` does; qasync
    leaves them to whichever thread collects them. A context: the hooks hold inside it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._closing: set[asyncio.Task[None]] = set()
        self._before = sys.get_asyncgen_hooks()

    def __enter__(self) -> None:
        self._before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._open.add, finalizer=self._on_dropped)

    def __exit__(self, *_error: object) -> None:
        sys.set_asyncgen_hooks(*self._before)

    async def close(self) -> None:
        """Close those that are still open: nothing runs any more that could read them."""
        for generator in list(self._open):
            await _closed(generator)
        await asyncio.gather(*self._closing)

    def _on_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Close a dropped generator soon. Called in the thread that collects garbage, at any moment."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_soon, generator)

    def _close_soon(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._open.discard(generator)
        task = self._loop.create_task(_closed(generator), name="close a generator")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(generator: AsyncGenerator[Any, Any]) -> None:
    try:
        await generator.aclose()
    except Exception as error:  # noqa: BLE001 - nobody waits for it, and it is over
        _log.debug("a dropped generator could not be closed: %s", error)


class AsyncTasks:
    """The tasks of one owner. An error that a person should read goes to ``on_error``; cancellation goes nowhere."""

    def __init__(self, on_error: ErrorHandler) -> None:
        self._on_error = on_error
        self._tasks: dict[asyncio.Task[Any], str] = {}

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(self._guarded(work, name), name=name)
        self._tasks[task] = name
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        task.add_done_callback(lambda _done: work.close())  # one that was cancelled before its first step
        return task

    def replace(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start ``work`` instead of whatever runs under the same name."""
        self.cancel(name)
        return self.start(work, name)

    def start_once(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Start ``work`` unless something runs under the same name: for a change that a second press must neither make
        twice nor stop halfway."""
        if any(running == name and not task.done() for task, running in self._tasks.items()):
            work.close()
        else:
            self.start(work, name)

    def cancel(self, name: str) -> None:
        """Cancel the task with this name."""
        for task, running in tuple(self._tasks.items()):
            if running == name:
                task.cancel()

    async def _guarded(self, work: Coroutine[Any, Any, Any], name: str) -> Any:
        try:
            return await work
        except ChatDeskError as error:
            _log.info("task %s: %s", name, error.code)
            self._on_error(error)
        except Exception as error:  # noqa: BLE001 - the edge where a task's errors become visible
            _log.exception("task %s failed", name)
            self._on_error(error)
        return None

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        current = asyncio.current_task()
        # Only those that run: from Python 3.12 on, gathering finished ones returns without letting their callbacks run.
        while tasks := [task for task in self._tasks if task is not current and not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class TaskOwner(Protocol):
    """An object with tasks of its own, such as a controller."""

    _tasks: AsyncTasks


Owner = TypeVar("Owner", bound=TaskOwner)
Method = Callable[Concatenate[Owner, P], Coroutine[Any, Any, object]]


def in_task(
    name: str, *, replaces: bool = False, is_once: bool = False
) -> Callable[[Method[Owner, P]], Callable[Concatenate[Owner, P], None]]:
    """Have a call of the method start it as a task of its object, with this name. ``replaces``: instead of the one that
    runs; ``is_once``: unless one runs."""

    def decorate(method: Method[Owner, P]) -> Callable[Concatenate[Owner, P], None]:
        @wraps(method)
        def start(owner: Owner, /, *args: P.args, **kwargs: P.kwargs) -> None:
            tasks = owner._tasks
            run = tasks.start_once if is_once else tasks.replace if replaces else tasks.start
            run(method(owner, *args, **kwargs), name)

        return start

    return decorate
