"""What vendors say of their limits is understood, and nonsense is not believed."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.usage import RateReport
from chatdesk.core.providers.rate_headers import rate_of, seconds_until

_NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("12", 12),
        ("0.5", 0.5),
        ("1800000010", 10),
        ("1800000010000", 10),
        ("2027-01-15T08:00:30Z", 30),
        ("2027-01-15T08:00:30+00:00", 30),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("9" * 100, None),
        ("9999-99-99", None),
    ],
)
def test_times_are_read_in_every_way_of_writing_them(value: str, seconds: float | None) -> None:
    assert seconds_until(value, _NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "report"),
    [
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, RateReport(3, 360)),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:01:00Z",
            },
            RateReport(0, 60),
        ),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "1800000005"}, RateReport(1, 5)),
        (
            {
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "30s",
            },
            RateReport(0, 30),
        ),
        ({"x-ratelimit-remaining-tokens": "70", "x-ratelimit-reset-tokens": "30s"}, None),
        ({"x-ratelimit-remaining-requests": "3"}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0s"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000000"}, None),
        ({}, None),
    ],
)
def test_headers_of_vendors(headers: dict[str, str], report: RateReport | None) -> None:
    assert rate_of(headers, _NOW) == report
