"""What a server says, passed on at most so often."""

from __future__ import annotations

from chatdesk.core.tools.host.throttle import Throttle
from tests.helpers.waiting import until


async def test_the_first_value_is_said_at_once_and_then_the_latest() -> None:
    said: list[int] = []
    throttle = Throttle(said.append, pause_s=0.02)
    for number in range(1_000):
        throttle.add(number)
    assert said == [0]
    await until(lambda: len(said) == 2)
    assert said == [0, 999]
    throttle.add(1_000)
    throttle.close()
    assert said == [0, 999]


async def test_what_was_not_said_yet_is_said_at_the_end_and_once() -> None:
    said: list[int] = []
    throttle = Throttle(said.append, pause_s=60.0)
    throttle.flush()
    assert said == []
    throttle.add(1)
    throttle.add(2)
    throttle.flush()
    throttle.flush()
    assert said == [1, 2]
