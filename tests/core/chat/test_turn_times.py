"""Latency is the provider's: what loads once a run, or waits for the disk, is no part of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.turn_times import TurnTimes
from chatdesk.core.events import TurnTimed
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers import openai_client
from chatdesk.core.settings.schema import Settings
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.fault_server import Exchange, FaultServer, answer, models

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
