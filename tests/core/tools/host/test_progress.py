"""How far a call is, passed on at most so often."""

from __future__ import annotations

from chatdesk.core.tools.host.progress import Progress
from tests.helpers.waiting import until


async def test_the_first_value_is_said_at_once_and_then_the_latest() -> None:
    said: list[int] = []
    progress = Progress(said.append, pause_s=0.02)
    for number in range(1_000):
        progress.add(number)
    assert said == [0]
    await until(lambda: len(said) == 2)
    assert said == [0, 999]
    progress.add(1_000)
    progress.close()
    assert said == [0, 999]
