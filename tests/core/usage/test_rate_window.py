"""Rates in words, and when the next message may go."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.limits import InvalidRate, Rate, parse_rate
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.settings.schema import InvalidValue, Settings, all_settings
from chatdesk.core.usage.rate_window import RateWindow, VendorQuotas

_NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20/min", Rate(20, 60)),
        ("5/10s", Rate(5, 10)),
        (" 3 / h ", Rate(3, 3600)),
        ("100 per day", Rate(100, 86_400)),
        ("1/2 minutes", Rate(1, 120)),
        ("7/HOUR", Rate(7, 3600)),
        ("", None),
        ("0", None),
    ],
)
def test_rates_are_understood(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("many", "20/min"),
        ("20", "20/min"),
        ("-3/min", "20/min"),
        ("0/min", "from 1"),
        ("9/week", "week"),
        ("9/fortnight", "20/min"),
        ("5/99 days", "30 days"),
        ("5/0s", "30 days"),
        ("999999/s", "100,000"),
    ],
)
def test_bad_rates_say_why(text: str, words: str) -> None:
    with pytest.raises(InvalidRate, match=words):
        parse_rate(text)


def test_the_setting_reads_its_variable() -> None:
    setting = next(each for each in all_settings() if each.name == "rate_limit")
    assert setting.env == "CHAT_RATE_LIMIT"
    assert setting.parsed(" 20/min ") == "20/min"
    assert setting.checked(Settings().rate_limit) == ""
    with pytest.raises(InvalidValue, match="20/min"):
        setting.parsed("fast")


def test_the_window_slides() -> None:
    window = RateWindow(Rate(2, 10))
    assert window.next_times(1, _NOW) == [_NOW]
    window.record_sent(_NOW)
    window.record_sent(_NOW + 4_000)
    assert window.next_times(3, _NOW + 5_000) == [_NOW + 10_000, _NOW + 14_000, _NOW + 20_000]
    assert window.next_times(1, _NOW + 10_000) == [_NOW + 10_000]


def test_no_rate_never_waits() -> None:
    window = RateWindow()
    window.record_sent(_NOW)
    assert window.next_times(2, _NOW) == [_NOW, _NOW]


def test_a_clock_that_was_set_back_costs_one_period_at_most() -> None:
    window = RateWindow(Rate(1, 10))
    window.record_sent(_NOW + 10**9)
    assert window.next_times(1, _NOW) == [_NOW + 10_000]


def test_what_a_vendor_has_left_is_counted_down_until_it_begins_anew() -> None:
    quotas = VendorQuotas()
    quotas.record("p", "m", RateReport(1, 5.0), now_ms=_NOW)
    assert quotas.free_at("p", "m", _NOW) is None
    quotas.record_sent("p", "m")
    assert quotas.free_at("p", "m", _NOW) == _NOW + 5_000
    assert quotas.free_at("p", "other", _NOW) is None
    assert quotas.free_at("p", "m", _NOW + 5_000) is None
    quotas.record_sent("p", "m")  # not known any more


def test_an_absurd_wait_is_a_day_at_most() -> None:
    quotas = VendorQuotas()
    quotas.record("p", "m", RateReport(0, 1e12), now_ms=_NOW)
    assert quotas.free_at("p", "m", _NOW) == _NOW + 24 * 3_600_000


def test_a_clock_that_was_set_back_does_not_move_the_end_of_a_wait() -> None:
    window, vendors, back = RateWindow(Rate(1, 60)), VendorQuotas(), _NOW - 86_400_000
    window.record_sent(_NOW)
    vendors.record("a", "m", RateReport(0, 60.0), now_ms=_NOW)
    for waited_ms in (0, 30_000, 59_999):
        assert window.next_times(1, back + waited_ms) == [back + 60_000]
        assert vendors.free_at("a", "m", back + waited_ms) == back + 60_000
    assert window.next_times(1, back + 60_000) == [back + 60_000]
    assert vendors.free_at("a", "m", back + 60_000) is None
