"""Times are written as ISO 8601 in UTC with milliseconds, also those before 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chatdesk.service.rest.times import iso

_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999  # years 1 and 9999


@given(st.integers(_FIRST_MS, _LAST_MS))
def test_a_time_is_written_so_that_others_read_the_same(milliseconds: int) -> None:
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    written = iso(milliseconds)
    assert datetime.fromisoformat(written) == expected
    assert len(written) == len("2026-11-24T04:45:06.007Z")
    assert written[-5] == "." and written.endswith("Z")


def test_no_time_stays_none() -> None:
    assert iso(None) is None
