"""Measures where the time of one turn goes.

Setting an answer up and loading the provider's library count for no latency: nothing was asked yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatdesk.core.clock import Clock
from chatdesk.core.events import TurnTimed

_MS_PER_S = 1000


class TurnTimes:
    """The times of one turn, counted from the moment at which the answer is asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.start()
        self._loading_s = 0.0
        self._storing_s = 0.0
        self._first_s: float | None = None
        self._ended_s: float | None = None

    def start(self) -> None:
        """Count from now on, when the answer is set up."""
        self._asked_s = self._clock.monotonic_s()

    def add_loading(self, seconds: float) -> None:
        """Add ``seconds`` in which nothing could be sent, because a library was loading."""
        self._loading_s += seconds

    def record_first_token(self) -> int | None:
        """Return the time to the first token in milliseconds; None for any later token."""
        if self._first_s is not None:
            return None
        self._first_s = self._clock.monotonic_s()
        return self.first_token_ms

    def record_end(self) -> int:
        """Record the end of the stream. Returns the milliseconds since the answer was asked for."""
        self._ended_s = self._clock.monotonic_s()
        return self._since_asked_ms(self._ended_s)

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Measure the time spent in this block as waiting for the disk."""
        began_s = self._clock.monotonic_s()
        try:
            yield
        finally:
            self._storing_s += self._clock.monotonic_s() - began_s

    @property
    def first_token_ms(self) -> int | None:
        return None if self._first_s is None else self._since_asked_ms(self._first_s)

    def timed(self, thread_id: str, message_id: str, *, pieces: int) -> TurnTimed:
        """Return all times as an event for the log."""
        has_streamed = self._first_s is not None and self._ended_s is not None
        streaming_s = self._ended_s - self._first_s if has_streamed else 0.0  # type: ignore[operator]
        return TurnTimed(
            thread_id,
            message_id,
            loading_ms=round(self._loading_s * _MS_PER_S),
            streaming_ms=round(streaming_s * _MS_PER_S),
            storing_ms=round(self._storing_s * _MS_PER_S),
            pieces=pieces,
        )

    def _since_asked_ms(self, at_s: float) -> int:
        return max(0, round((at_s - self._asked_s - self._loading_s) * _MS_PER_S))
