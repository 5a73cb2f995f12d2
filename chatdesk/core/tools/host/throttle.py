"""Limits how often a value that changes thousands of times a second is passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

PAUSE_S: Final = 0.5


class Throttle:
    """Passes on the first value at once, and the latest one after each pause. ``close`` ends it."""

    def __init__(self, send: Callable[..., None], *, pause_s: float = PAUSE_S) -> None:
        self._send = send
        self._pause_s = pause_s
        self._latest: tuple[Any, ...] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, *said: Any) -> None:
        """Add a new value."""
        self._latest = said
        if self._timer is None:
            self._pass_on()

    def flush(self) -> None:
        """Pass on the latest value now, unless that was done."""
        self.close()
        self._timer = None
        if self._latest is not None:
            self._send(*self._latest)
            self._latest = None

    def close(self) -> None:
        """Pass on nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _pass_on(self) -> None:
        self._timer = None
        if self._latest is not None:
            self._send(*self._latest)
            self._latest = None
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._pass_on)
