"""Coroutines in the window: the loop they run on, and tasks that end with their owner. The only qasync door."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtWidgets import QApplication

from chatdesk.core.errors import ChatDeskError

_log = logging.getLogger(__name__)

ErrorHandler = Callable[[Exception], None]


def run_until_done(app: QApplication, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run Qt and asyncio as one loop until ``main`` returns the exit code."""
    import qasync

    app.setQuitOnLastWindowClosed(False)  # else Qt stops the loop under the feet of the last write
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        return int(loop.run_until_complete(main()))


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
        """Start ``work`` unless something runs under the same name: for what changes something, which a second press
        must neither do twice nor stop halfway."""
        if any(running == name and not task.done() for task, running in self._tasks.items()):
            work.close()
        else:
            self.start(work, name)

    def cancel(self, name: str) -> None:
        """End what runs under this name."""
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
        """Cancel everything and wait until it is gone."""
        current = asyncio.current_task()
        # Only those that run: from Python 3.12 on, gathering finished ones returns without letting their callbacks run.
        while tasks := [task for task in self._tasks if task is not current and not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
