"""A slow stream is read at a pace, which its first words do not wait for."""

from __future__ import annotations

import asyncio

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.providers import answer_stream
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from tests.helpers.fault_server import Exchange, FaultServer

REQUEST = ChatRequest("m", [RequestMessage(Role.USER, "hi")])
APART_S = 0.02  # a read that waits for so long is one of a slow server
FOREVER_S = 60


async def _shown(provider: OpenAICompatibleProvider, words: str) -> None:
    """Read until ``words`` have come."""
    text = ""
    async with asyncio.timeout(20):
        async for event in provider.stream(REQUEST):
            text += event.text if isinstance(event, TextDelta) else ""
            if text == words:
                return


async def test_the_first_words_wait_for_no_pace_though_a_role_came_just_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for delta in ({"role": "assistant", "content": ""}, {"content": "First"}):
            await asyncio.sleep(APART_S)
            await exchange.delta(**delta)
        await exchange.hang()

    monkeypatch.setattr(answer_stream, "_GATHER_S", FOREVER_S)
    async with FaultServer(script) as server:
        provider = OpenAICompatibleProvider("t", "T", Endpoint.of(server.base_url))
        try:
            await _shown(provider, "First")
        finally:
            await provider.close()


async def test_words_that_follow_each_other_quickly_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"{number} " for number in range(12)]

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for word in words:
            await exchange.delta(content=word)
            await asyncio.sleep(APART_S)
        await exchange.finish()

    monkeypatch.setattr(answer_stream, "_GATHER_S", 10 * APART_S)
    rests: list[float] = []
    sleep = asyncio.sleep

    async def counted(delay: float, result: object = None) -> object:
        rests.append(delay)
        return await sleep(delay, result)

    monkeypatch.setattr(answer_stream.asyncio, "sleep", counted)
    async with FaultServer(script) as server:
        provider = OpenAICompatibleProvider("t", "T", Endpoint.of(server.base_url))
        try:
            await _shown(provider, "".join(words))
        finally:
            await provider.close()
    assert any(APART_S < rest <= 10 * APART_S for rest in rests)
