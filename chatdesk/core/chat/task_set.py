"""Runs a service's background tasks: each has a name, is kept alive, and ends with its owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chatdesk.core.errors import ChatDeskError

_log = logging.getLogger(__name__)


class TaskSet:
    """The tasks of one owner, on one loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` now; an exception that is not a ``ChatDeskError`` is logged."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ChatDeskError):
            _log.error("task %s failed", task.get_name(), exc_info=error)

    async def wait(self) -> None:
        """Wait until all tasks have ended, also those that begin in the meantime."""
        while tasks := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        # Only those that run: from Python 3.12 on, gathering finished ones returns without letting their callbacks run.
        while tasks := [task for task in self._tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


_P = ParamSpec("_P")
_T = TypeVar("_T")


def uninterruptible(act: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Run ``act`` to its end when its caller is cancelled, and raise the cancellation after that. Storage completes its
    work in any case; without the events that follow, and the turn that starts, no subscriber would notice."""

    @wraps(act)
    async def run(*values: _P.args, **options: _P.kwargs) -> _T:
        work = asyncio.ensure_future(act(*values, **options))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # mark it as retrieved, or asyncio logs it
            raise

    return run
