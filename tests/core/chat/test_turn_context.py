"""Each request of an answer with tools is a line of the ledger, and each has to be within the limits."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.turn_context import TurnTimes
from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.tools import Answer
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderError, ProviderErrorKind
from chatdesk.core.events import TurnTimed
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers import openai_client
from chatdesk.core.providers.base import (
    FinishReason,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.upkeep.db_check import wrong_counters
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.fault_server import Exchange, FaultServer, answer, models
from tests.helpers.tools_world import ToolWorld, tool_world

_END = StreamFinished(FinishReason.STOP)


def _call(usage: Usage | None, number: int = 1) -> list[StreamEvent]:
    call = ToolCallDelta(0, f"c{number}", "notes__sleep", json.dumps({"seconds": 0.3}))
    reported = [] if usage is None else [UsageReported(usage)]
    return [TextDelta("Let me see."), call, *reported, StreamFinished(FinishReason.TOOL_CALLS)]


async def _lines(world: ToolWorld) -> list[Any]:
    """The ledger, oldest first; the days have the same sums."""

    def work(conn: Any) -> list[Any]:
        rows = conn.exec_driver_sql("SELECT * FROM usage_events ORDER BY created_at, id").all()
        days = conn.exec_driver_sql("SELECT sum(requests), sum(input_tokens) FROM usage_days").one()
        assert tuple(days) == (len(rows), sum(row.input_tokens for row in rows))
        return list(rows)

    return await world.chat.database.read(work)


async def _allowing(world: ToolWorld, answer_id: str) -> Message:
    async def allow() -> None:
        while True:
            world.answer(await world.asked(), Answer.ONCE)

    allowing = asyncio.ensure_future(allow())
    try:
        return await world.finished(answer_id)
    finally:
        allowing.cancel()


def _stop_at(tokens: float) -> UsageLimit:
    return UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=tokens)


async def test_each_request_has_its_own_tokens_and_time(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        model = world.chat.provider
        model.will(*_call(Usage(10, 2)))
        model.will(*_call(Usage(30, 3, cached_tokens=10), 2))
        model.will(TextDelta("Done."), UsageReported(Usage(70, 5)), _END)
        message = await _allowing(world, await world.ask())
        lines = await _lines(world)
        assert [(row.input_tokens, row.output_tokens, row.cached_tokens) for row in lines] == [
            (10, 2, 0),
            (30, 3, 10),
            (70, 5, 0),
        ]
        assert {(row.kind, row.status, row.provider, row.model, row.message_id) for row in lines} == {
            ("answer", "complete", "scripted", "small", message.id)
        }
        # The tools took 0.6 s, which no request did.
        assert all(row.latency_ms < 300 and row.time_to_first_token_ms <= row.latency_ms for row in lines)
        assert message.latency_ms is not None and message.latency_ms >= 600
        assert (message.prompt_tokens, message.completion_tokens, message.cached_tokens) == (110, 10, 10)
        thread = await world.chat.repositories.threads.get(message.thread_id)
        assert (thread.total_input_tokens, thread.total_output_tokens) == (110, 10)
        assert not await world.chat.database.read(wrong_counters)


async def test_what_is_not_reported_is_estimated_for_each_request_alone(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(*_call(None))
        world.chat.provider.will(TextDelta("Done" * 100), _END)
        await _allowing(world, await world.ask("a question of forty letters, about forty"))
        first, second = await _lines(world)
        assert first.is_estimated and second.is_estimated
        assert first.output_tokens == 7 and second.output_tokens == 100
        assert first.input_tokens < second.input_tokens  # which has the result


async def test_a_request_is_in_the_ledger_before_its_tools_run(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(*_call(Usage(10, 2)))
        answer_id = await world.ask()
        await world.asked()
        assert len(await _lines(world)) == 1
        await world.chat.chat.stop(answer_id)
        message = await world.finished(answer_id)
        (line,) = await _lines(world)  # nothing was asked when it was stopped
        assert line.status == "complete" and message.status is Status.STOPPED and message.prompt_tokens == 10


async def test_a_later_request_that_fails_is_a_line_of_its_own(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        world.chat.provider.will(*_call(Usage(10, 2)))
        world.chat.provider.will(
            TextDelta("Hm"), ProviderError(ProviderErrorKind.SERVER, "It broke.", next_step="Try again.")
        )
        message = await _allowing(world, await world.ask())
        assert message.status is Status.ERROR
        assert [row.status for row in await _lines(world)] == ["complete", "error"]


async def test_a_limit_that_is_reached_stops_the_loop_with_words(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        await world.chat.chat.limits.replace([_stop_at(5_000)])
        world.chat.provider.will(*_call(Usage(4_900, 50)))
        message = await _allowing(world, await world.ask())
        assert message.status is Status.ERROR and message.error_type == "limit_reached"
        assert "The limit of 5,000 tokens a day is reached" in str(message.error)
        assert len(world.runs) == 1 and len(world.chat.provider.requests) == 1
        assert [(row.status, row.input_tokens) for row in await _lines(world)] == [("complete", 4_900), ("refused", 0)]
        assert message.text == "Let me see." and message.prompt_tokens == 4_900  # what there is, is kept


async def test_what_a_person_sends_anyway_goes_on_to_its_end(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        await world.chat.chat.limits.replace([_stop_at(100)])
        world.chat.provider.will(*_call(Usage(4_900, 50)))
        world.chat.provider.will(TextDelta("Done."), UsageReported(Usage(10, 1)), _END)
        refused = await world.finished(await world.ask())
        assert refused.error_type == "limit_reached"
        world.chat.chat.limits.allow_once(refused.id)
        again = await world.chat.chat.retry_message(refused.id)
        world.chat.events.clear()
        message = await _allowing(world, again.id)
        assert message.status is Status.COMPLETE and message.text.endswith("Done.")


async def test_the_estimate_of_a_request_ends_when_the_next_one_begins(tmp_path: Path) -> None:
    """What is under way is counted once: as an estimate, or in the ledger."""
    async with tool_world(tmp_path) as world:
        await world.chat.chat.limits.replace([_stop_at(3_000)])
        for number in range(4):
            world.chat.provider.will(*_call(Usage(100, 10), number))
        world.chat.provider.will(TextDelta("Done."), UsageReported(Usage(100, 10)), _END)
        message = await _allowing(world, await world.ask())
        assert message.status is Status.COMPLETE, message.error
        (state,) = await world.chat.chat.limits.states()
        assert state.spent == 550


LOADING_S = 0.8


class _Clock:
    now_s = 100.0

    def now_ms(self) -> int:
        return round(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s


def test_loading_and_storing_are_counted_by_themselves() -> None:
    clock = _Clock()
    times = TurnTimes(clock)
    clock.now_s += 3.0
    times.add_loading(2.5)
    clock.now_s += 0.25
    assert times.record_first_token() == 750
    assert times.record_first_token() is None
    with times.storing():
        clock.now_s += 0.125
    clock.now_s += 1.0
    assert times.record_end() == 1875
    assert times.first_token_ms == 750
    assert times.timed("t", "m", pieces=4) == TurnTimed(
        "t", "m", loading_ms=2500, streaming_ms=1125, storing_ms=125, pieces=4
    )


def test_an_answer_that_never_began_has_no_first_token() -> None:
    times = TurnTimes(_Clock())
    assert times.record_end() == 0
    assert times.first_token_ms is None
    assert times.timed("t", "m", pieces=0).streaming_ms == 0


async def _server(exchange: Exchange) -> None:
    await (models("tiny") if exchange.request.path.endswith("/models") else answer("Fine."))(exchange)


@pytest.mark.parametrize("model", ["tiny", ""], ids=["chosen", "the first of the server"])
async def test_the_first_answer_of_a_run_is_as_quick_as_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    real = openai_client.build_client

    def build(*arguments: Any) -> Any:
        time.sleep(LOADING_S)  # as the import of a large library on a slow disk
        return real(*arguments)

    monkeypatch.setattr(openai_client, "build_client", build)
    timed: list[TurnTimed] = []
    async with FaultServer(_server) as server:
        began_s = time.monotonic()
        settings = Settings(openai_base_url=server.base_url, openai_model=model)
        async with open_services(AppPaths.find(tmp_path), settings) as services:
            services.events.subscribe(TurnTimed, timed.append)
            finish = [event async for event in ask(services, "hello")][-1]
    assert finish["status"] == "complete"
    without_loading_ms = (time.monotonic() - began_s - LOADING_S) * 1000 + 1  # each is rounded
    assert finish["time_to_first_token_ms"] <= finish["latency_ms"] <= without_loading_ms
    assert timed[0].loading_ms >= LOADING_S * 1000
