"""Scrolls smoothly over short distances and slows down: a step of the wheel, a page, a flick of the finger."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

STEP_MS = 35.0  # time in which two thirds of a step are done: a step takes about 120 ms
FLICK_MS = 325.0
_FRAME_MS = 16
_FASTEST_PX = 4_000.0  # upper bound of the remaining distance, so that a turned wheel can be stopped


class Glide(QObject):
    """A smooth movement; with reduced motion everything is one step.

    ``move`` is given whole pixels, so that what is on the screen can be moved instead of drawn again.
    """

    def __init__(self, parent: QObject, move: Callable[[float], None], is_reduced: Callable[[], bool]) -> None:
        super().__init__(parent)
        self._move = move
        self._is_reduced = is_reduced
        self._left = 0.0
        self._slowness = STEP_MS
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=_FRAME_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def is_active(self) -> bool:
        return self._timer.isActive()

    def by(self, distance: float, *, slowness_ms: float = STEP_MS) -> None:
        """Add ``distance`` px to the movement under way; a step in the other direction ends that movement first."""
        if self._is_reduced():
            self.stop()
            self._move(round(distance))
            return
        if self._left * distance < 0:
            self._left = 0.0
        self._left = max(-_FASTEST_PX, min(_FASTEST_PX, self._left + distance))
        self._slowness = slowness_ms
        if not self._timer.isActive():
            self._clock.start()
            self._timer.start()

    def stop(self) -> None:
        self._left = 0.0
        self._timer.stop()

    def finish(self) -> None:
        """Move the remaining distance at once."""
        left = round(self._left)
        self.stop()
        if left:
            self._move(left)

    def _on_timer_timeout(self) -> None:
        passed = max(1, self._clock.restart())
        step = round(self._left * (1 - math.exp(-passed / self._slowness)))
        if step == 0:
            step = round(math.copysign(1.0, self._left))
        self._left -= step
        if abs(self._left) < 1:
            self.stop()
        self._move(step)
