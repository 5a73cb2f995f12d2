"""A computer that sleeps in mid-stream: the answer ends as interrupted and can be continued; a live stream goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.core.chat import running_turns
from chatdesk.core.chat.turn import SLEPT
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Status
from chatdesk.core.events import TextStreamed
from chatdesk.core.system.sleep_watch import SleepWatch
from tests.helpers.fault_server import Exchange, FaultServer, answer
from tests.helpers.fault_world import FaultWorld, Seen, fault_world
from tests.helpers.waiting import PATIENCE_S, paced, stays, until


class SleepyClock(Clock):
    """``sleep``: as if the computer had slept so long. Whether the waking clock counts that depends on the system."""

    def __init__(self) -> None:
        self.slept_s = 0.0
        self.counts_sleep = False

    def now_ms(self) -> int:
        return super().now_ms() + round(self.slept_s * 1000)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + (self.slept_s if self.counts_sleep else 0.0)


@pytest.fixture(autouse=True)
def noticed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The sleeps that were noticed; looked for often, and with a short time of grace after them."""
    monkeypatch.setattr(running_turns, "AFTER_SLEEP_S", 0.3)
    watch, heard = SleepWatch.__init__, list[float]()

    def init(self: SleepWatch, clock: Clock, on: Callable[[float], object]) -> None:
        def hear(slept_s: float) -> None:
            on(slept_s)
            heard.append(slept_s)

        watch(self, clock, hear, every_s=0.05)

    monkeypatch.setattr(SleepWatch, "__init__", init)
    return heard


async def asked(world: FaultWorld) -> asyncio.Task[Seen]:
    """The question, once the first words of its answer are here."""
    said = asyncio.Event()
    subscription = world.bus.subscribe(TextStreamed, lambda _event: said.set())
    asking = asyncio.ensure_future(world.ask("Tell me"))
    await asyncio.wait_for(said.wait(), PATIENCE_S)
    subscription.cancel()
    return asking


async def half(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.delta(content="The first half")
    await exchange.hang()


async def nothing(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.hang()


@pytest.mark.parametrize("counts_sleep", [False, True])
async def test_an_answer_whose_connection_died_in_a_sleep_is_interrupted_and_continued(
    tmp_path: Path, counts_sleep: bool
) -> None:
    clock = SleepyClock()
    clock.counts_sleep = counts_sleep
    async with FaultServer(half) as server, fault_world(tmp_path, server.base_url, clock=clock) as world:
        asking = await asked(world)
        clock.slept_s = 3600
        message = (await asyncio.wait_for(asking, PATIENCE_S)).answer
        assert (message.status, message.error_type, message.text) == (Status.INTERRUPTED, SLEPT, "The first half")
        assert message.error is not None
        assert "slept" in message.error
        assert message.error.endswith("Continue the answer, or try again.")
        await server.wait_until_closed()
        server.play(answer(" and the second"))
        await world.chat.continue_message(message.id)

        async def is_there() -> bool:
            return (await world.chat.reader.get_message(message.id)).status is Status.COMPLETE

        await until(is_there)
        assert (await world.chat.reader.get_message(message.id)).text == "The first half and the second"


async def test_before_the_first_word_the_question_is_kept(tmp_path: Path) -> None:
    clock = SleepyClock()
    async with FaultServer(nothing) as server, fault_world(tmp_path, server.base_url, clock=clock) as world:
        asking = asyncio.ensure_future(world.ask("Tell me"))
        await server.wait_for_requests()
        clock.slept_s = 60
        message = (await asyncio.wait_for(asking, PATIENCE_S)).answer
        assert (message.status, message.parts) == (Status.INTERRUPTED, ())
        assert (message.error or "").endswith("Your message is kept. Try again.")
        server.play(answer("Here"))
        seen = await world.ask("Once more")
        assert seen.answer.text == "Here"


async def test_a_stream_that_lives_on_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_turns, "AFTER_SLEEP_S", 1.0)
    clock = SleepyClock()

    async def slow(exchange: Exchange) -> None:
        await exchange.start()
        async for number in paced(range(30), every_s=0.06):  # beyond the time of grace
            await exchange.delta(content=f"word{number} ")
        await exchange.finish()

    async with FaultServer(slow) as server, fault_world(tmp_path, server.base_url, clock=clock) as world:
        asking = await asked(world)
        clock.slept_s = 3600  # or somebody set the clock
        message = (await asyncio.wait_for(asking, PATIENCE_S)).answer
        assert message.status is Status.COMPLETE


async def test_a_stop_during_the_time_of_grace_stays_a_stop(
    tmp_path: Path, noticed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_turns, "AFTER_SLEEP_S", 60.0)  # however long the stop takes to come
    clock = SleepyClock()
    async with FaultServer(half) as server, fault_world(tmp_path, server.base_url, clock=clock) as world:
        asking = await asked(world)
        clock.slept_s = 3600
        await until(lambda: noticed)
        await world.chat.stop(world.thread_id)
        assert (await asking).answer.status is Status.STOPPED


async def test_a_short_nap_and_a_steady_clock_are_no_sleep() -> None:
    clock, heard = SleepyClock(), []
    watching = asyncio.ensure_future(SleepWatch(clock, heard.append).run())
    await stays(lambda: heard == [], for_s=0.12)
    clock.slept_s = 2
    await stays(lambda: heard == [], for_s=0.12)
    clock.slept_s = 30
    await until(lambda: heard)
    assert len(heard) == 1
    assert 27 <= heard[0] <= 29
    watching.cancel()
