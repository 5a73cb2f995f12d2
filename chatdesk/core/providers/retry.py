"""Decides whether and when a failed request is sent again; never once an answer has begun."""

from __future__ import annotations

import asyncio
import email.utils
import math
import random
from collections.abc import Mapping
from contextlib import suppress

from chatdesk.core.errors import ProviderError, ProviderErrorKind

MAX_ATTEMPTS = 3

_TRANSIENT = frozenset(
    {
        ProviderErrorKind.REFUSED,
        ProviderErrorKind.RESET,
        ProviderErrorKind.CONNECT_TIMEOUT,
        ProviderErrorKind.REQUEST_TIMEOUT,
        ProviderErrorKind.CONFLICT,
        ProviderErrorKind.RATE_LIMITED,
        ProviderErrorKind.SERVER,
    }
)


class RetryPolicy:
    """Exponential back-off with jitter; a server's own Retry-After goes first."""

    def __init__(self, *, longest_wait_s: float, first_wait_s: float = 0.5, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._longest_wait_s = longest_wait_s
        self._first_wait_s = first_wait_s
        self._max_attempts = max_attempts

    def delay_s(self, failure: ProviderError, attempt: int) -> float | None:
        """Return the seconds until attempt ``attempt + 1``; None if ``failure`` is final. ``attempt`` counts from 1."""
        if failure.kind not in _TRANSIENT or attempt >= self._max_attempts:
            return None
        if failure.retry_after_s is not None:
            return failure.retry_after_s if failure.retry_after_s <= self._longest_wait_s else None
        return self._back_off_s(attempt)

    def _back_off_s(self, attempt: int) -> float:
        wait_s = self._first_wait_s * 2.0 ** (attempt - 1) + random.uniform(0, self._first_wait_s / 2)  # noqa: S311 - no secret
        return min(wait_s, 8 * self._first_wait_s)


async def wait_or_hurry(hurried: asyncio.Event, delay_s: float) -> None:
    """Wait for ``delay_s`` seconds, or until ``hurried`` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await hurried.wait()


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the wait that the server asked for, in seconds from ``now_s`` (Unix time): ``retry-after-ms``, or
    ``retry-after`` as a number or as an HTTP date. None when absent or senseless.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    try:
        return max(0.0, date.timestamp() - now_s)
    except (OverflowError, ValueError, OSError):
        return None


def _number(value: str | None) -> float | None:
    if value is None or len(value) > 32:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
