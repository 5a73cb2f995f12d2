"""What a server asks a person for during a call: a real server asks, and the test answers as a person does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.tool_calls.approvals import ServerQuestions
from chatdesk.core.chat.tool_calls.person_requests import AskModel
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.message import Message, PartType, Status
from chatdesk.core.domain.tools import Answer
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, ServerRequestsChanged
from chatdesk.core.providers.base import ChatRequest, FinishReason, Provider, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.tools.server_requests import Asker, FormRequest, ModelRequest, PageRequest, ServerRequest
from chatdesk.core.tools.tool_service import ToolService
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


async def test_all_requests_are_declined_without_a_person(tmp_path: Path) -> None:
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


async def test_an_unanswered_request_is_cancelled_after_its_time() -> None:
    bus = EventBus()
    changes: list[ServerRequestsChanged] = []
    bus.subscribe(ServerRequestsChanged, changes.append)
    questions = ServerQuestions(bus)
    questions.attend()
    request = FormRequest("1", Asker("t", "Notes", "book", "notes"), "Who?", ())
    assert await questions.ask(request, timeout_s=0.01) == ("cancel", None)
    assert [each.thread_id for each in changes] == ["t", "t"] and not questions.waiting()


async def _let_ask(world: ToolWorld, ask_model: AskModel | None) -> None:
    world.chat.chat.tools.questions.attend()
    here = world.tools.server("notes")
    assert here is not None
    await world.tools.save(replace(here, may_ask_model=True))

    async def load() -> ToolService:
        return world.tools

    world.chat.chat.tools.use(load, ToolLimits, None, ask_model)


async def test_a_model_answers_a_server_once_a_person_agreed(tmp_path: Path) -> None:
    asked: list[ChatRequest] = []

    async def ask_model(provider: Provider, request: ChatRequest) -> tuple[str, str, bool]:
        asked.append(request)
        return "A log.", "small-1", False

    async with tool_world(tmp_path, how="asks") as world:
        await _let_ask(world, ask_model)
        answer_id = await _begin(world, "ask_model", maxTokens=100_000)
        request = await _asked(world)
        assert isinstance(request, ModelRequest) and not asked
        assert (request.system, request.messages) == ("You are terse.", (("user", "What is WAL?\u202e"),))
        assert request.model.endswith("of Scripted") and request.max_tokens == 4_000
        world.chat.chat.tools.questions.answer(request.id, "accept")
        said = _said(await world.finished(answer_id))
        assert (said["content"], said["model"]) == ({"type": "text", "text": "A log."}, "small-1")
        (sent,) = asked
        assert [each.text for each in sent.messages] == ["You are terse.", "What is WAL?\u202e"]
        assert (sent.max_output_tokens, sent.extra_fields) == (4_000, {}), "nothing of the thread, and no tools"


async def test_a_question_that_is_declined_or_fails_says_why(tmp_path: Path) -> None:
    async def ask_model(_provider: Provider, _request: ChatRequest) -> tuple[str, str, bool]:
        raise NotPossible("The limit of this month is reached.")

    async with tool_world(tmp_path, how="asks") as world:
        await _let_ask(world, ask_model)
        for action, words in (("decline", "did not agree"), ("accept", "limit of this month")):
            answer_id = await _begin(world, "ask_model")
            world.chat.chat.tools.questions.answer((await _asked(world)).id, action)
            assert words in _said(await world.finished(answer_id))["message"]


async def test_a_server_that_may_not_ask_models_is_refused(tmp_path: Path) -> None:
    async with tool_world(tmp_path, how="asks") as world:
        world.chat.chat.tools.questions.attend()
        said = _said(await world.finished(await _begin(world, "ask_model")))
        assert said["code"] < 0 and not world.chat.chat.tools.questions.waiting()
