"""Tests that passages of a project's files go with a question, stand before it, and are named below the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import EnclosedPassages, FilesQuestion, PassageChoice, PassagePlace
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.errors import StorageError
from chatdesk.core.ids import new_id
from chatdesk.core.links import link_to_passage
from chatdesk.core.providers.base import FinishReason, NamedSource, SourcesNamed, StreamFinished, TextDelta
from chatdesk.core.rendering.sources import sources_of
from tests.helpers.chat_world import ChatWorld, chat_world

_LINK = link_to_passage(new_id(), "a b/leave.pdf", 3, 9)
_FOUND = EnclosedPassages("[1] leave.pdf\n> thirty days", (("leave.pdf, page 4", _LINK),))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with chat_world(tmp_path) as made:
        yield made


class _Files:
    """Finds the same for every question, and remembers what was asked."""

    def __init__(self, *, are_any: bool = True, are_whole: bool = True) -> None:
        self.asked: list[tuple[str, str]] = []
        self._are_any = are_any
        self._are_whole = are_whole

    async def has_files(self, _project_id: str) -> bool:
        return self._are_any

    async def for_question(self, asked: FilesQuestion) -> EnclosedPassages:
        if not self._are_whole:
            raise StorageError("The index is damaged.")
        assert asked.window_tokens > 0 and asked.provider == "scripted" and asked.thread_id
        self.asked.append((asked.text, asked.earlier))
        return _FOUND

    async def are_denied(self, _project_id: str, _provider: str) -> bool:
        return False

    async def choose(self, _thread_id: str, _place: PassagePlace, choice: PassageChoice) -> PassageChoice:
        return choice


async def _answered(world: ChatWorld, text: str, thread_id: str | None = None) -> Message:
    if thread_id is None:
        found = await world.answer_of(await world.chat.create_thread(None, "A thread", text))
    else:
        found = await world.answer_of(await world.chat.send_message(thread_id, text))
    assert isinstance(found, Message)
    return found


async def test_passages_stand_before_the_question_and_below_the_answer(world: ChatWorld) -> None:
    world.chat.context.project_files.use(_Files())
    world.provider.scripts = [[TextDelta("Thirty [1]."), StreamFinished(FinishReason.STOP)]]
    answer = await _answered(world, "How many days?")
    messages = world.provider.requests[0].messages
    assert [(each.role, each.text) for each in messages[-2:]] == [
        (Role.USER, _FOUND.text),
        (Role.USER, "How many days?"),
    ]
    assert [(each.number, each.title, each.url) for each in sources_of(answer.parts)] == [
        (1, "leave.pdf, page 4", _LINK)
    ]


async def test_the_question_before_comes_along(world: ChatWorld) -> None:
    files = _Files()
    world.chat.context.project_files.use(files)
    world.provider.scripts = [[TextDelta("One."), StreamFinished(FinishReason.STOP)]] * 2
    first = await _answered(world, "How many days?")
    await _answered(world, "And in Austria?", first.thread_id)
    assert files.asked == [("How many days?", ""), ("And in Austria?", "How many days?")]


async def test_without_files_a_request_is_as_before(world: ChatWorld) -> None:
    world.chat.context.project_files.use(_Files(are_any=False))
    world.provider.scripts = [[TextDelta("One."), StreamFinished(FinishReason.STOP)]]
    answer = await _answered(world, "How many days?")
    assert [each.text for each in world.provider.requests[0].messages if each.role is Role.USER] == ["How many days?"]
    assert sources_of(answer.parts) == ()


async def test_sources_of_the_vendor_are_listed_as_well(world: ChatWorld) -> None:
    world.chat.context.project_files.use(_Files())
    vendor = SourcesNamed((NamedSource("Web", "https://a.test/"),))
    world.provider.scripts = [[TextDelta("One [1]."), vendor, StreamFinished(FinishReason.STOP)]]
    answer = await _answered(world, "How many days?")
    assert {each.url for each in sources_of(answer.parts)} == {"https://a.test/", _LINK}


async def test_an_answer_that_fails_names_what_it_had(world: ChatWorld) -> None:
    world.chat.context.project_files.use(_Files())
    world.provider.scripts = [[TextDelta("Thirty"), RuntimeError("lost")]]
    answer = await _answered(world, "How many days?")
    assert answer.text == "Thirty" and [each.url for each in sources_of(answer.parts)] == [_LINK]


async def test_files_that_cannot_be_searched_cost_no_answer(world: ChatWorld) -> None:
    world.chat.context.project_files.use(_Files(are_whole=False))
    world.provider.scripts = [[TextDelta("One."), StreamFinished(FinishReason.STOP)]]
    assert (await _answered(world, "How many days?")).text == "One."
