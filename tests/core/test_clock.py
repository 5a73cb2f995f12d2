"""Stamps of the hybrid clock rise, one by one and many at once; a clock that jumps is trusted late."""

from __future__ import annotations

from itertools import pairwise

from chatdesk.core.clock import JUMP_MS, PROBATION_MS, Clock, HybridClock, TrustedTime, stamp_ms

_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_NOW_MS = 1_800_000_000_000


def test_stamps_that_are_made_together_rise_and_the_next_is_greater() -> None:
    clock = HybridClock(Clock())
    stamps = [clock.next(), *clock.several(1_000), clock.next(), *clock.several(3)]
    assert len(stamps) == 1_005
    assert all(one < other for one, other in pairwise(stamps))


def test_several_stamps_begin_with_the_time_and_after_those_that_were_seen() -> None:
    clock, wall = HybridClock(Clock()), Clock()
    before_ms = wall.now_ms()
    assert before_ms <= stamp_ms(clock.several(2)[0]) <= wall.now_ms()
    seen = (wall.now_ms() + 30_000) << 16
    clock.observe(seen)
    assert clock.several(2)[0] > seen


def test_no_stamps_leave_the_clock_where_it_is() -> None:
    clock = HybridClock(Clock())
    last = clock.next()
    assert not clock.several(0)
    assert clock.next() > last


def test_a_clock_that_is_read_often_is_trusted_and_so_is_one_that_was_set_back() -> None:
    time = TrustedTime(_NOW_MS)
    for step_ms in (_HOUR_MS, JUMP_MS, -400 * _DAY_MS, 0, JUMP_MS):
        assert time.after(time.at_ms + step_ms) == TrustedTime(time.at_ms + step_ms)
        time = time.after(time.at_ms + step_ms)


def test_the_trash_is_emptied_late_for_who_opens_chatdesk_once_a_month() -> None:
    time, now_ms = TrustedTime(_NOW_MS), _NOW_MS
    for _month in range(12):
        now_ms += 30 * _DAY_MS
        time = time.after(now_ms)
        assert now_ms - 61 * _DAY_MS <= time.at_ms < now_ms
        assert time.after(now_ms + _HOUR_MS) == time  # an hour of use changes nothing yet
    assert time.after(now_ms + PROBATION_MS) == TrustedTime(now_ms + PROBATION_MS)


def test_a_clock_that_jumps_again_must_run_on_again() -> None:
    time = TrustedTime(_NOW_MS).after(_NOW_MS + 300 * _DAY_MS)
    assert time.at_ms == _NOW_MS
    time = time.after(_NOW_MS + 100 * _DAY_MS)  # still ahead, but less so
    assert time == TrustedTime(_NOW_MS, _NOW_MS + 100 * _DAY_MS)
    assert time.after(_NOW_MS + 102 * _DAY_MS) == time
    assert time.after(_NOW_MS + 104 * _DAY_MS) == TrustedTime(_NOW_MS + 104 * _DAY_MS)
