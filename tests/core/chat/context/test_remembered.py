"""Tests that memories stand before the conversation, are counted and reported, and never stop a question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.context.memory_list import MEMORIES_HEADING
from chatdesk.core.domain.memory import Memory, MemoryOrigin, NotSent, OfferedMemories
from chatdesk.core.domain.message import Role
from chatdesk.core.errors import StorageError
from chatdesk.core.texts import Text
from tests.helpers.chat_world import ChatWorld, chat_world

_MEMORIES = tuple(
    Memory(str(number), text, None, origin, "", None, goes_with_source=False, created_at=number, updated_at=0)
    for number, (text, origin) in enumerate(
        (("Ana keeps bees.", MemoryOrigin.PERSON), ("Ana sings. " * 40, MemoryOrigin.IMPORT))
    )
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with chat_world(tmp_path) as made:
        yield made


def _offering(world: ChatWorld, offered: OfferedMemories) -> list[tuple[str, str]]:
    asked: list[tuple[str, str]] = []

    async def offer(project_id: str, provider: str) -> OfferedMemories:
        asked.append((project_id, provider))
        return offered

    world.chat.context.remembered.use(offer)
    return asked


async def test_memories_stand_above_the_conversation(world: ChatWorld) -> None:
    asked = _offering(world, OfferedMemories(_MEMORIES[:1], budget=500))
    created = await world.chat.create_thread(None, "A thread", "First?")
    await world.answer_of(created)
    await world.answer_of(await world.chat.send_message(created.thread.id, "Second?"))
    request = world.provider.requests[-1]
    assert [(each.role, each.text) for each in request.messages] == [
        (Role.USER, f"{MEMORIES_HEADING}\n> Ana keeps bees."),
        (Role.USER, "First?"),
        (Role.ASSISTANT, "ok"),
        (Role.USER, "Second?"),
    ]
    assert not request.has_outside_text
    assert set(asked) == {(created.thread.project_id, "scripted")}


async def test_imported_words_count_as_text_from_outside(world: ChatWorld) -> None:
    _offering(world, OfferedMemories(_MEMORIES, budget=500))
    await world.answer_of(await world.chat.create_thread(None, "A thread", "First?"))
    assert world.provider.requests[-1].has_outside_text


async def test_the_report_names_each_with_its_tokens(world: ChatWorld) -> None:
    created = await world.chat.create_thread(None, "A thread", "First?")
    await world.answer_of(created)
    _offering(world, OfferedMemories(_MEMORIES, budget=100))
    report = await world.chat.context.report(created.thread.id)
    assert [(each.memory.text, each.is_sent) for each in report.memories] == [
        (_MEMORIES[0].text, True),
        (_MEMORIES[1].text, False),
    ]
    assert all(each.tokens > 0 for each in report.memories)
    assert 0 < report.memories[0].tokens < report.totals.memory <= 120
    assert report.totals.used >= report.totals.memory + report.totals.recent
    body = await world.chat.context.totals(created.thread.id, "draft")
    assert body.memory == report.totals.memory


@pytest.mark.parametrize("reason", NotSent)
async def test_the_report_says_why_there_are_none(world: ChatWorld, reason: NotSent) -> None:
    created = await world.chat.create_thread(None, "A thread", "First?")
    await world.answer_of(created)
    _offering(world, OfferedMemories(not_sent=reason))
    report = await world.chat.context.report(created.thread.id)
    assert (report.memories, report.memories_not_sent, report.totals.memory) == ((), reason, 0)


async def test_a_question_is_answered_without_memories_that_cannot_be_read(world: ChatWorld) -> None:
    async def offer(_project_id: str, _provider: str) -> OfferedMemories:
        raise StorageError(Text("The disk is gone."))

    world.chat.context.remembered.use(offer)
    await world.answer_of(await world.chat.create_thread(None, "A thread", "First?"))
    assert [each.text for each in world.provider.requests[-1].messages] == ["First?"]
