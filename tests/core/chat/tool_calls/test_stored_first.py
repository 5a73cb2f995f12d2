"""A call runs when the disk knows of it, and not before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.live_text import LiveText
from chatdesk.core.chat.tool_calls.stored_first import StoredFirst
from chatdesk.core.domain.message import Message, PartType, Status
from chatdesk.core.domain.tools import Answer
from chatdesk.core.domain.turn import StreamChunk
from chatdesk.core.errors import StorageError
from chatdesk.core.events import StorageFailed, StorageRecovered
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from tests.helpers.tools_world import ToolWorld, tool_world
from tests.helpers.waiting import until

_CALL = (
    ToolCallDelta(0, "c1", "notes__echo", json.dumps({"text": "42"})),
    StreamFinished(FinishReason.TOOL_CALLS),
)


def _happened(world: ToolWorld, kind: type) -> bool:
    return any(isinstance(each, kind) for each in world.chat.events)


async def test_the_state_is_on_disk_when_the_call_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tool_world(tmp_path) as world:
        real, stored = world.tools.call, []

        async def call(*values: Any, **more: Any) -> object:
            message = await world.chat.repositories.messages.get(answer_id)
            stored.extend(part.content["status"] for part in message.parts if part.type is PartType.TOOL_CALL)
            return await real(*values, **more)

        monkeypatch.setattr(world.tools, "call", call)
        world.chat.provider.will(*_CALL)
        answer_id = await world.ask()
        world.answer(await world.asked(), Answer.ONCE)
        await world.finished(answer_id)
        assert stored == ["running"] and len(world.runs) == 1


@pytest.mark.parametrize("fails", ["append_chunks", "start_streaming"])
async def test_nothing_runs_while_the_disk_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    async with tool_world(tmp_path) as world:

        async def refuse(*_values: object, **_more: object) -> None:
            raise StorageError

        if fails == "append_chunks":
            world.chat.provider.will(*_CALL)
            answer_id = await world.ask()
            request = await world.asked()
            await until(lambda: _status(world, answer_id))
            monkeypatch.setattr(type(world.chat.repositories.messages), fails, refuse)
        else:
            monkeypatch.setattr(type(world.chat.repositories.messages), fails, refuse)
            world.chat.provider.will(*_CALL)
            answer_id = await world.ask()
            request = await world.asked()
        world.answer(request, Answer.ONCE)
        await until(lambda: _happened(world, StorageFailed))
        assert not world.runs
        monkeypatch.undo()
        message = await world.finished(answer_id)
        assert message.status is Status.COMPLETE and world.runs == [["echo", {"text": "42"}]]
        assert _happened(world, StorageRecovered)


async def _status(world: ToolWorld, answer_id: str) -> bool:
    message: Message = await world.chat.repositories.messages.get(answer_id)
    return any(part.content.get("status") == "waiting" for part in message.parts)


async def test_stopping_ends_the_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tool_world(tmp_path) as world:

        async def refuse(*_values: object, **_more: object) -> None:
            raise StorageError

        world.chat.provider.will(*_CALL)
        answer_id = await world.ask()
        request = await world.asked()
        await until(lambda: _status(world, answer_id))
        monkeypatch.setattr(type(world.chat.repositories.messages), "append_chunks", refuse)
        world.answer(request, Answer.ONCE)
        await until(lambda: _happened(world, StorageFailed))
        stopping = asyncio.ensure_future(world.chat.chat.stop(answer_id))
        await asyncio.sleep(0)
        monkeypatch.undo()
        await stopping
        message = await world.finished(answer_id)
        assert message.status is Status.STOPPED and not world.runs


async def test_those_who_wait_are_told_once_what_they_waited_for_is_stored() -> None:
    told: list[str] = []
    taken: list[str] = []
    text, first = LiveText(now_ms=lambda: 0), StoredFirst()

    async def refuse(_chunks: object) -> None:
        raise StorageError

    async def append(chunks: Sequence[StreamChunk]) -> None:
        taken.extend(each.text for each in chunks)
        first.add(lambda: told.append("two"))  # while the disk works: not stored yet

    text.add(TextDelta("Hello"))
    first.add(lambda: told.append("one"))
    await first.pause(60)  # ends at once
    with pytest.raises(StorageError):
        await first.store(text, refuse)
    assert first and not told
    await first.store(text, append)
    assert (taken, told, bool(first)) == (["Hello"], ["one"], True)
    await first.store(text, append)  # nothing more is to be stored
    assert (taken, told, bool(first)) == (["Hello"], ["one", "two"], False)
