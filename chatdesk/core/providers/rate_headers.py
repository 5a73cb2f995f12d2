"""Reads the rate limits in the headers of an answer, in the forms that vendors use."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from chatdesk.core.domain.usage import RateReport

# (remaining requests, time of the reset): OpenAI and compatible servers, Anthropic, and OpenRouter and GitHub.
_REQUESTS: Final = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
)
# Without a token left no request is taken either.
_TOKENS: Final = (
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)
_DURATION = re.compile(
    r"(?:(\d{1,4})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?"
)
_LONGEST_VALUE = 40
# Numbers beyond these are moments since 1970, in seconds or in milliseconds.
_FIRST_MOMENT_S, _FIRST_MOMENT_MS = 1e9, 1e11


def rate_of(headers: Mapping[str, str], now_s: float) -> RateReport | None:
    """Return how many requests are left and until when; None if the headers do not say. ``now_s``: Unix time."""
    reports = [report for names in _REQUESTS if (report := _report(headers, *names, now_s)) is not None]
    for names in _TOKENS:
        report = _report(headers, *names, now_s)
        if report is not None and report.requests_left == 0:
            reports.append(report)
    # The tightest: the fewest left, and of those the longest wait.
    return min(reports, key=lambda report: (report.requests_left, -report.resets_in_s), default=None)


def _report(headers: Mapping[str, str], left_name: str, reset_name: str, now_s: float) -> RateReport | None:
    left, reset = headers.get(left_name), headers.get(reset_name)
    if left is None or reset is None or not re.fullmatch(r"\d{1,12}", left.strip()):
        return None
    seconds = seconds_until(reset.strip(), now_s)
    return None if seconds is None or seconds <= 0 else RateReport(int(left), seconds)


def seconds_until(value: str, now_s: float) -> float | None:
    """Return the seconds from ``now_s`` to ``value``: ``6m0s``, ``20ms``, seconds, a Unix time in seconds or
    milliseconds, or an RFC 3339 date. None if it is none of these."""
    if not value or len(value) > _LONGEST_VALUE:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        if number >= _FIRST_MOMENT_MS:
            return number / 1000 - now_s
        return number - now_s if number >= _FIRST_MOMENT_S else number
    found = _DURATION.fullmatch(value)
    if found is not None and any(found.groups()):
        hours, minutes, seconds, milliseconds = (float(group or 0) for group in found.groups())
        return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s
    except (ValueError, OverflowError):
        return None
