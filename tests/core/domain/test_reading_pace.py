"""Tests that the time left of a source is said only where it can be known, and follows the pace of the last files."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.reading_pace import FILES_LOOKED_AT, seconds_left, time_left_text

_NOW = 1_763_000_000_000


def _read(count: int, each_ms: int, ended_ms: int = 0) -> list[int]:
    """Return the times of files that were read one after the other, the newest first."""
    return [_NOW - ended_ms - at * each_ms for at in range(count)]


def test_the_time_follows_the_pace_in_small_and_large_folders() -> None:
    assert seconds_left(_read(20, 500), 40, _NOW) == 20
    assert seconds_left(_read(FILES_LOOKED_AT, 20), 9_800, _NOW) == 196
    assert seconds_left(_read(20, 500), 1, _NOW) == 1


def test_a_file_that_takes_long_makes_the_time_longer() -> None:
    assert seconds_left(_read(11, 1_000, ended_ms=10_000), 10, _NOW) == 20


@pytest.mark.parametrize(
    ("read_at", "waiting"),
    [
        pytest.param([], 100, id="nothing was read"),
        pytest.param(_read(5, 2_000), 100, id="too few"),
        pytest.param(_read(50, 10), 100, id="too short a time"),
        pytest.param(_read(50, 500), 0, id="nothing waits"),
        pytest.param(_read(50, 500, ended_ms=120_000), 100, id="reading rests"),
        pytest.param(_read(50, 500, ended_ms=-3_600_000), 100, id="a clock that was set back"),
        pytest.param([0] * 50, 100, id="impossible times"),
        pytest.param(_read(3, 500) + _read(50, 500, ended_ms=200_000), 100, id="few since reading went on"),
    ],
)
def test_nothing_is_said_without_grounds(read_at: list[int], waiting: int) -> None:
    assert seconds_left(read_at, waiting, _NOW) is None


def test_files_read_before_a_pause_do_not_count() -> None:
    before = _read(100, 5_000, ended_ms=300_000)
    assert seconds_left(_read(20, 500) + before, 40, _NOW) == 20


def test_a_file_read_while_one_looks_takes_nothing_away() -> None:
    assert seconds_left([_NOW + 5, *_read(20, 500)], 40, _NOW) == 19


def test_the_time_is_said_in_its_largest_unit_rounded_up() -> None:
    said = [str(time_left_text(seconds)) for seconds in (1, 59, 61, 3_600, 9_000)]
    numbers = ("1 second", "59 seconds", "2 minutes", "1 hour", "3 hours")
    assert said == [f"about {each} left" for each in numbers]
