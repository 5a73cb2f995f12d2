"""Loading what speaks to a provider is nobody's waiting time: not the answer's, nor the ledger's, nor a question's."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.paths import AppPaths
from chatdesk.core.providers import openai_client
from chatdesk.core.providers.base import ChatRequest, LibraryLoaded
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.services.upkeep import run_upkeep
from tests.core.providers.test_openai_compatible import answer
from tests.helpers.chat_world import chat_world
from tests.helpers.fault_server import FaultServer
from tests.helpers.waiting import until

_LOADING_S = 0.8


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Endpoint]:
    """The servers whose clients were loaded, each as slowly as on a computer whose disk is cold."""
    loaded: list[Endpoint] = []
    build = openai_client.build_client

    def build_slowly(endpoint: Endpoint, limits: StreamLimits) -> Any:
        time.sleep(_LOADING_S)
        loaded.append(endpoint)
        return build(endpoint, limits)

    monkeypatch.setattr(openai_client, "build_client", build_slowly)
    return loaded


def _provider(base_url: str) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider("scripted", "Scripted", Endpoint.of(base_url, "sk-test-0123456789"))


async def test_an_instant_server_is_fast_in_the_ledger_also_the_first_time(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world, FaultServer(answer("Hi")) as server:
        provider = _provider(server.base_url)
        world.chat.use_providers(ProviderRegistry([provider], "scripted", "small"))
        began_s = time.monotonic()
        message: Any = await world.answer_of(await world.chat.create_thread(None, "", "one"))
        took_ms = (time.monotonic() - began_s) * 1000
        assert took_ms > _LOADING_S * 1000  # it was loaded on the way

        def work(conn: Any) -> Any:
            return conn.exec_driver_sql("SELECT latency_ms, time_to_first_token_ms FROM usage_events").one()

        in_ledger = tuple(await world.database.read(work))
        assert in_ledger == (message.latency_ms, message.time_to_first_token_ms)
        assert max(in_ledger) <= took_ms - _LOADING_S * 1000 + 1  # each is rounded
        await provider.close()


async def test_what_is_loaded_before_is_not_loaded_on_the_way_of_a_question() -> None:
    async with FaultServer(answer("Hi")) as server:
        provider = _provider(server.base_url)
        await ProviderRegistry([provider], "scripted", "small").prepare()
        assert server.requests == []
        events = [event async for event in provider.stream(ChatRequest("m", ()))]
        assert not any(isinstance(event, LibraryLoaded) for event in events)
        await provider.close()


async def test_a_provider_that_cannot_be_loaded_says_so_when_it_is_asked() -> None:
    provider = OpenAICompatibleProvider("scripted", "Scripted", Endpoint.of("not an address"))
    await ProviderRegistry([provider], "scripted", "small").prepare()
    await provider.close()


async def test_a_window_loads_it_beside_its_start(tmp_path: Path, loaded: list[Endpoint]) -> None:
    settings = Settings(provider="openai", openai_base_url="http://127.0.0.1:9/v1", openai_model="m")
    async with open_services(AppPaths.find(tmp_path), settings, mode="window") as services:
        upkeep = run_upkeep(services, settle_s=60)
        running = asyncio.ensure_future(anext(upkeep))
        await until(lambda: [endpoint.base_url for endpoint in loaded] == [settings.openai_base_url])
        running.cancel()
        await asyncio.wait([running])
        await upkeep.aclose()
