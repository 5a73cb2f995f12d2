"""What a server asks a person for during a call: a real server asks, and the test answers as a person does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.tool_calls.approvals import ServerQuestions
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.message import Message, PartType, Status
from chatdesk.core.domain.tools import Answer
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, ServerRequestsChanged
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.tools.server_requests import Asker, FormRequest, PageRequest, ServerRequest
from tests.helpers.tools_world import ToolWorld, tool_world
from tests.helpers.waiting import until

_ENDS = (StreamFinished(FinishReason.TOOL_CALLS), StreamFinished(FinishReason.STOP))


def _said(message: Message) -> dict[str, Any]:
    """What the server got, which is what it returned."""
    result = next(part for part in message.parts if part.type is PartType.TOOL_RESULT)
    said: dict[str, Any] = json.loads(result.text)
    return said


async def _begin(world: ToolWorld, tool: str, **arguments: Any) -> str:
    call = ToolCallDelta(0, "c1", f"notes__{tool}", json.dumps(arguments))
    world.chat.provider.will(call, _ENDS[0])
    world.chat.provider.will(TextDelta("Done."), _ENDS[1])
    answer_id = await world.ask()
    world.answer(await world.asked(), Answer.ONCE)
    return answer_id


async def _asked(world: ToolWorld) -> ServerRequest:
    questions = world.chat.chat.tools.questions
    await until(questions.waiting)
    return questions.waiting()[0]


async def test_a_form_is_filled_in(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        questions = world.chat.chat.tools.questions
        questions.attend()
        answer_id = await _begin(world, "ask_form")
        request = await _asked(world)
        assert isinstance(request, FormRequest) and request.message == "Who travels?⟦U+202E⟧"
        assert (request.asker.server_name, request.asker.tool_name) == ("Notes", "ask_form")
        assert "tool_server.py" in request.asker.where
        assert questions.waiting(request.asker.thread_id) == (request,) and not questions.waiting("another")
        questions.answer(request.id, "accept", {"name": "Ada", "meal": "veg"})
        with pytest.raises(NotPossible):
            questions.answer(request.id, "accept", {})
        message = await world.finished(answer_id)
        assert _said(message) == {"action": "accept", "content": {"name": "Ada", "meal": "veg"}}
        assert not questions.waiting()


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_page_is_declined_or_cancelled(tmp_path: Path, action: str) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        world.chat.chat.tools.questions.attend()
        answer_id = await _begin(world, "ask_page")
        request = await _asked(world)
        assert isinstance(request, PageRequest) and request.address == "https://pay.example.com/checkout?id=7"
        world.chat.chat.tools.questions.answer(request.id, action)
        assert _said(await world.finished(answer_id)) == {"action": action}


async def test_where_nobody_is_there_everything_is_declined(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        assert _said(await world.finished(await _begin(world, "ask_form"))) == {"action": "decline"}


async def test_what_nobody_may_be_asked_is_refused(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        world.chat.chat.tools.questions.attend()
        said = _said(await world.finished(await _begin(world, "ask_page", address="file:///etc/passwd")))
        assert said["code"] == -32602 and "https://" in said["message"]


async def test_a_call_may_ask_for_so_many_things(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        said = _said(await world.finished(await _begin(world, "ask_form", times=21)))
        assert said["code"] == -32602 and "20 things" in said["message"]


async def test_the_time_of_a_call_stands_still_while_a_person_is_asked(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks", limits=ToolLimits(call_s=1.0)) as world:
        world.chat.chat.tools.questions.attend()
        answer_id = await _begin(world, "ask_form")
        request = await _asked(world)
        late_s = asyncio.get_running_loop().time() + 1.5
        await until(lambda: asyncio.get_running_loop().time() > late_s)
        world.chat.chat.tools.questions.answer(request.id, "accept", {"name": "Ada", "meal": "veg"})
        assert _said(await world.finished(answer_id))["action"] == "accept"


async def test_stopping_the_answer_takes_the_form_away(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        questions = world.chat.chat.tools.questions
        questions.attend()
        answer_id = await _begin(world, "ask_form")
        request = await _asked(world)
        await world.chat.chat.stop(request.asker.thread_id)
        message = await world.finished(answer_id)
        assert message.status is Status.STOPPED
        await until(lambda: not questions.waiting())


async def test_what_nobody_answers_in_time_is_cancelled() -> None:
    bus = EventBus()
    changes: list[ServerRequestsChanged] = []
    bus.subscribe(ServerRequestsChanged, changes.append)
    questions = ServerQuestions(bus)
    questions.attend()
    request = FormRequest("1", Asker("t", "Notes", "book", "notes"), "Who?", ())
    assert await questions.ask(request, timeout_s=0.01) == ("cancel", None)
    assert [each.thread_id for each in changes] == ["t", "t"] and not questions.waiting()
