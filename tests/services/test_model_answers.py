"""Answers of models to tool servers, with bounds on what a model may send."""

from __future__ import annotations

import time
from pathlib import Path

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, FinishReason, RequestMessage, StreamFinished, TextDelta
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.services.model_answers import answer_of
from tests.helpers.chat_world import chat_world

_REQUEST = ChatRequest("small", (RequestMessage(Role.USER, "Go on."),), max_output_tokens=4_000)


async def test_an_answer_of_single_letters_takes_no_longer(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(*[TextDelta("x")] * 60_000, StreamFinished(FinishReason.STOP))
        began_s = time.monotonic()
        found = await answer_of(world.provider, _REQUEST, world.chat, UsageRepository(world.database), world.bus)
        assert time.monotonic() - began_s < 10
    assert found == ("x" * 60_000, "small", False)


async def test_an_answer_that_is_too_long_is_cut(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(*[TextDelta("x" * 50_000)] * 6, StreamFinished(FinishReason.STOP))
        text, _model, is_cut = await answer_of(
            world.provider, _REQUEST, world.chat, UsageRepository(world.database), world.bus
        )
    assert is_cut and len(text) == 200_000
