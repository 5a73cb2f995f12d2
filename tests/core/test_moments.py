"""A stored time is shown, or called unknown; nothing that a database can hold makes that fail."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from datetime import date

import pytest

from chatdesk.core.domain.thread import Thread
from chatdesk.core.local_days import date_of, day_number, number_of, start_ms
from chatdesk.core.moments import EARLIEST_MS, LATEST_MS, is_known, known_or_zero, local_moment, moment_text, utc_moment
from chatdesk.core.usage.limits import day_of
from chatdesk.service.rest.times import iso
from chatdesk.ui.sidebar.grouping import Arrangement, group_of, group_title, short_time, spoken_time, thread_key
from chatdesk.ui.widgets.found.rows import when_text

IMPOSSIBLE = (
    *(2**63 - 1, -(2**63), EARLIEST_MS - 1, LATEST_MS + 1, 3 * 10**14, 10**30),
    *(1e308, math.nan, math.inf, "NaN", "", b"\xff", None),
)


# Zones that set their clocks at midnight, so that some days begin at one o'clock and some midnights come twice.
SET_AT_MIDNIGHT = (
    "America/Santiago",
    "Asia/Beirut",
    "America/Havana",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Asia/Tehran",
)


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def _zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize("value", IMPOSSIBLE, ids=repr)
def test_an_invalid_time_is_called_unknown(value: object) -> None:
    assert not is_known(value)
    assert known_or_zero(value) == 0
    assert utc_moment(value).isoformat() == "1970-01-01T00:00:00+00:00"
    assert local_moment(value) == utc_moment(value)
    assert moment_text(value, lambda _moment: "a time") == "unknown time"


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (EARLIEST_MS, "0001-01-01T00:00:00+00:00"),
        (-1, "1969-12-31T23:59:59.999000+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123000+00:00"),
        (LATEST_MS, "9999-12-31T23:59:59.999000+00:00"),
    ],
)
def test_a_time_is_shown_in_every_zone(value: int, expected: str) -> None:
    assert is_known(value)
    assert known_or_zero(value) == value
    assert utc_moment(value).isoformat() == expected
    assert local_moment(value) == utc_moment(value)
    assert moment_text(value, lambda moment: f"{moment:%z}") != "unknown time"
    day_number(value)


@pytest.mark.parametrize("value", [each for each in IMPOSSIBLE if isinstance(each, int)])
def test_every_reader_of_a_time_says_so(value: int) -> None:
    today = utc_moment(1_700_000_000_000).date()
    assert iso(value) == "1970-01-01T00:00:00.000Z"
    assert short_time(value, today, None) == spoken_time(value, today, None) == "unknown time"
    assert day_number(value) in (-1, 0)
    assert when_text(value, utc_moment(1_700_000_000_000)) == "unknown time"


@pytest.mark.parametrize("value", [each for each in IMPOSSIBLE if isinstance(each, int)])
@pytest.mark.parametrize("how", [Arrangement(), Arrangement(is_trash=True)], ids=["activity", "trash"])
def test_a_thread_of_no_time_is_below_all_others(value: int, how: Arrangement) -> None:
    today = utc_moment(1_700_000_000_000).date()
    strange, old = (
        Thread("id", "project", "Herons", "", None, None, 0, at, deleted_at=at) for at in (value, EARLIEST_MS)
    )
    assert thread_key(strange, today, None, how) > thread_key(old, today, None, how)
    assert group_title(group_of(strange, today, None, how)) == "Unknown time"


@pytest.mark.parametrize("_zone", ["UTC", "Europe/Berlin", *SET_AT_MIDNIGHT], indirect=True)
@pytest.mark.usefixtures("_zone")
def test_every_day_begins_where_the_day_before_ends() -> None:
    for day in range(number_of(date(2010, 1, 1)), number_of(date(2028, 1, 1))):
        start = start_ms(day)
        assert (day_number(start), day_number(start - 1)) == (day, day - 1), date_of(day)
        assert day_of(start) == (start, start_ms(day + 1))
