"""Stamps of the hybrid clock rise, one by one and many at once."""

from __future__ import annotations

from itertools import pairwise

from chatdesk.core.clock import HybridClock, SystemClock, stamp_ms


def test_stamps_that_are_made_together_rise_and_the_next_is_greater() -> None:
    clock = HybridClock(SystemClock())
    stamps = [clock.next(), *clock.several(1_000), clock.next(), *clock.several(3)]
    assert len(stamps) == 1_005
    assert all(one < other for one, other in pairwise(stamps))


def test_several_stamps_begin_with_the_time_and_after_those_that_were_seen() -> None:
    clock, wall = HybridClock(SystemClock()), SystemClock()
    before_ms = wall.now_ms()
    assert before_ms <= stamp_ms(clock.several(2)[0]) <= wall.now_ms()
    seen = (wall.now_ms() + 30_000) << 16
    clock.observe(seen)
    assert clock.several(2)[0] > seen


def test_no_stamps_leave_the_clock_where_it_is() -> None:
    clock = HybridClock(SystemClock())
    last = clock.next()
    assert not clock.several(0)
    assert clock.next() > last
