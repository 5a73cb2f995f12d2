"""A turn writes down which model answered, also where nobody chose one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.events import MessageAdded
from chatdesk.core.providers.base import ListedModel
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from tests.helpers.chat_world import chat_world
from tests.helpers.fault_server import Exchange, FaultServer, answer, models

_MODEL = "swift-small"


async def _chat(exchange: Exchange) -> None:
    await (models(_MODEL) if exchange.request.path.endswith("/models") else answer("Hi"))(exchange)


@pytest.mark.parametrize("comes_meanwhile", [False, True])
async def test_the_first_model_of_the_list_is_named(tmp_path: Path, *, comes_meanwhile: bool) -> None:
    """``comes_meanwhile``: the window reads the list between the question and its request."""
    async with chat_world(tmp_path) as world, FaultServer(_chat) as server:
        provider = OpenAICompatibleProvider("scripted", "Scripted", base_url=server.base_url, api_key="sk-0123456789")
        world.chat.use_providers(ProviderRegistry([provider], "scripted", ""))
        if comes_meanwhile:
            world.bus.subscribe(MessageAdded, lambda _: provider.remember_models([ListedModel(_MODEL, _MODEL)]))
        created = await world.chat.create_thread(None, "", "Hello")
        assert created.answer is not None
        assert not created.answer.model
        message: Any = await world.answer_of(created)
        assert (message.status, message.model) == (Status.COMPLETE, _MODEL)
        assert server.requests[-1].json["model"] == _MODEL
        await provider.close()
