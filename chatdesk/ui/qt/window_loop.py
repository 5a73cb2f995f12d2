"""Runs the window's loop, Qt's and asyncio's in one. The gateway to qasync.

qasync gives every callback a Qt timer of its own, and lets the timers of cancelled callbacks run out: an answer that
streams makes some 250 a second. Here all due callbacks share one timer, and all later ones another, as in asyncio's own
loops. Importing this imports qasync, so import it once there is an application.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

import qasync
from PySide6.QtCore import QObject, Qt, QTimerEvent
from PySide6.QtWidgets import QApplication

_FEW_CANCELLED = 100


class WindowLoop(qasync.QEventLoop):
    """Runs callbacks between Qt's events, in the order they were asked for."""

    def __init__(self, app: QApplication) -> None:
        self._callbacks = _Callbacks(self.time)
        super().__init__(app)

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._callbacks.add(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = _TimerHandle(when, _Call(callback, args, self, context), self._callbacks.record_cancelled)
        self._callbacks.add_later(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def close(self) -> None:
        super().close()
        self._callbacks.close()


class _Call:
    """A callback with its arguments and its context."""

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], loop: WindowLoop, context: Context | None
    ) -> None:
        self.callback = callback
        self.args = args
        self.loop = loop
        self.context = copy_context() if context is None else context

    def run(self, handle: asyncio.Handle) -> None:
        """Run the callback. Its exceptions go to the loop's exception handler, as in asyncio's own loops."""
        try:
            self.context.run(self.callback, *self.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - the loop goes on, whatever a callback raises
            about = {"message": f"Exception in callback {self.callback!r}", "exception": error, "handle": handle}
            self.loop.call_exception_handler(about)

    def forget(self) -> None:
        """Release the callback of a cancelled handle, which may stay in the heap for long."""
        self.callback, self.args = _do_nothing, ()


def _do_nothing() -> None: ...


class _Handle(asyncio.Handle):
    """A callback that runs in the next turn of the loop."""

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], loop: WindowLoop, context: Context | None
    ) -> None:
        super().__init__(callback, args, loop, context)
        self.call = _Call(callback, args, loop, context)

    def cancel(self) -> None:
        super().cancel()
        self.call.forget()


class _TimerHandle(asyncio.TimerHandle):
    """A callback that runs at a time. ``is_waiting`` while it is in the heap of those."""

    def __init__(self, when: float, call: _Call, on_cancelled: Callable[[_TimerHandle], None]) -> None:
        super().__init__(when, call.callback, call.args, call.loop, call.context)
        self.call = call
        self.is_waiting = False
        self._on_cancelled = on_cancelled

    def cancel(self) -> None:
        if not self.cancelled():
            self._on_cancelled(self)
        super().cancel()
        self.call.forget()


class _Callbacks(QObject):
    """The callbacks of the loop: those that are due wait in ``_due`` for the next turn of Qt's loop; ``_later`` is a
    heap by time."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._due: deque[_Handle | _TimerHandle] = deque()
        self._later: list[_TimerHandle] = []
        self._cancelled_count = 0
        self._turn_id = 0  # id of a Qt timer; 0: none
        self._alarm_id = 0
        self._rings_at = math.inf
        self._is_closed = False

    def add(self, handle: _Handle) -> None:
        self._due.append(handle)
        self._ask_for_turn()

    def add_later(self, handle: _TimerHandle) -> None:
        handle.is_waiting = True
        heapq.heappush(self._later, handle)
        self._set_alarm()

    def record_cancelled(self, handle: _TimerHandle) -> None:
        """Count a cancelled timer, which is dropped when it is due, or earlier if there are many."""
        if not handle.is_waiting:
            return
        self._cancelled_count += 1
        if self._cancelled_count > max(_FEW_CANCELLED, len(self._later) // 2):
            self._later = [each for each in self._later if not each.cancelled()]
            heapq.heapify(self._later)
            self._cancelled_count = 0

    def close(self) -> None:
        """Drop all callbacks; none runs any more."""
        self._is_closed = True
        self._due.clear()
        self._later.clear()
        self._end_turn()
        self._end_alarm()

    def timerEvent(self, event: QTimerEvent) -> None:
        if event.timerId() == self._alarm_id:
            self._end_alarm()
            self._collect_those_due()
            self._set_alarm()
        self._run_those_due()

    def _collect_those_due(self) -> None:
        now = self._now()
        while self._later and (self._later[0].cancelled() or self._later[0].when() <= now):
            handle = heapq.heappop(self._later)
            handle.is_waiting = False
            if handle.cancelled():
                self._cancelled_count -= 1
            else:
                self._due.append(handle)

    def _run_those_due(self) -> None:
        """Run the callbacks that are due now. Callbacks that these add run after Qt's next events, as do the remaining
        ones when one fails or opens a dialog, whose loop runs inside this one."""
        self._end_turn()
        for _ in range(len(self._due)):
            if not self._due:  # a loop inside this one has run them
                return
            handle = self._due.popleft()
            if self._due:
                self._ask_for_turn()
            if not handle.cancelled():
                handle.call.run(handle)
        if not self._due:
            self._end_turn()

    def _ask_for_turn(self) -> None:
        if not self._turn_id and not self._is_closed:
            self._turn_id = self.startTimer(0)

    def _end_turn(self) -> None:
        if self._turn_id:
            self.killTimer(self._turn_id)
            self._turn_id = 0

    def _set_alarm(self) -> None:
        if not self._later or self._later[0].when() >= self._rings_at or self._is_closed:
            return
        self._end_alarm()
        self._rings_at = self._later[0].when()
        # Rounded up: a callback that comes too early would find that its time has not come.
        wait_ms = max(0, math.ceil((self._rings_at - self._now()) * 1000))
        self._alarm_id = self.startTimer(wait_ms, Qt.TimerType.PreciseTimer)

    def _end_alarm(self) -> None:
        if self._alarm_id:
            self.killTimer(self._alarm_id)
            self._alarm_id = 0
        self._rings_at = math.inf
