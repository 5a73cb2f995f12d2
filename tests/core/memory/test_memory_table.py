"""The table of siblings: each way in which a memory comes, with memory on and off, the provider allowed or not, in each
kind of thread, for a project or everywhere. What is kept and what is sent follows from four rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from chatdesk.core.chat.temporary import TemporaryThreads
from chatdesk.core.clock import Clock
from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.domain.memory import MemoryOrigin, NewMemory
from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.memory.memory_service import MemoryOff
from tests.core.memory.conftest import Remembering, share_project

_FACT = "Ana keeps bees."
_WAYS = (*MemoryOrigin, "edit")
_KINDS = ("normal", "temporary", "team")
_TABLE = list(itertools.product(_WAYS, (True, False), (True, False), _KINDS, ("project", "everywhere")))


def _is_kept(is_on: bool, kind: str, scope: str) -> bool:
    # Nothing is kept while memory is off, and nothing for a shared project alone.
    return is_on and not (kind == "team" and scope == "project")


def _is_sent(is_on: bool, is_allowed: bool, kind: str, scope: str) -> bool:
    # What is kept is sent to an allowed provider in a thread that is the person's alone and lasts.
    return _is_kept(is_on, kind, scope) and is_allowed and kind == "normal"


async def _come(remembering: Remembering, way: str, project_id: str | None, chosen: dict[str, object]) -> None:
    service = remembering.service
    if way == MemoryOrigin.IMPORT and project_id is None:
        await service.add_imported([ImportedMemory(_FACT)], "ChatGPT")
    elif way == "edit":
        remembering.use()
        kept, _ = await service.add(NewMemory("Something else"))
        remembering.use(**chosen)
        await service.edit(kept.id, _FACT, project_id)
    else:
        await service.add(NewMemory(_FACT, project_id, MemoryOrigin(way)))


@pytest.mark.parametrize(("way", "is_on", "is_allowed", "kind", "scope"), _TABLE)
async def test_a_memory_is_kept_and_sent_as_the_table_says(
    remembering: Remembering, way: str, is_on: bool, is_allowed: bool, kind: str, scope: str
) -> None:
    chat = remembering.world.chat
    project = await chat.projects.default()
    chosen: dict[str, object] = {"memory": is_on} if is_allowed else {"memory": is_on, "memory_providers": {}}
    if kind == "team":
        await share_project(remembering.world.database, project.id)
    remembering.use(**chosen)
    refusal: ChatDeskError | None = None
    try:
        await _come(remembering, way, project.id if scope == "project" else None, chosen)
    except ChatDeskError as error:
        refusal = error
    kept = [each.text for each in await remembering.service.list()]
    assert (_FACT in kept) is _is_kept(is_on, kind, scope)
    # Nothing is refused in silence: a person who is told why knows what to do.
    assert (refusal is None) is _is_kept(is_on, kind, scope)
    assert refusal is None or refusal.next_step
    assert is_on or isinstance(refusal, MemoryOff)
    sent = await _sent_in(remembering, kind, project.id)
    assert any(_FACT in text for text in sent) is _is_sent(is_on, is_allowed, kind, scope)


async def _sent_in(remembering: Remembering, kind: str, project_id: str) -> list[str]:
    if kind != "temporary":
        return await remembering.sent_for()
    world = remembering.world
    temporary = TemporaryThreads(world.chat, world.database, world.bus, Clock())
    try:
        thread = await temporary.create(project_id)
        await temporary.chat_of(thread.id).send_message(thread.id, "Hello")
        await temporary.wait_until_written()
    finally:
        await temporary.close()
    return [each.text for each in world.provider.requests[-1].messages]


async def test_a_memory_of_one_project_is_not_sent_in_another(remembering: Remembering) -> None:
    chat = remembering.world.chat
    other = await chat.projects.create("Other", "#5B7DB1")
    await remembering.service.add(NewMemory(_FACT, other.id))
    assert not any(_FACT in text for text in await remembering.sent_for())
    created = await chat.create_thread(other.id, "There", "Hello")
    await remembering.world.answer_of(created)
    messages = remembering.world.provider.requests[-1].messages
    assert [(each.role, _FACT in each.text) for each in messages[-2:]] == [(Role.USER, True), (Role.USER, False)]


_LAPSES: dict[str, Callable[[Remembering], None]] = {
    "switched off": lambda each: each.use(memory=False),
    "provider no longer allowed": lambda each: each.use(memory_providers={}),
    "provider at another address": lambda each: each.address.__setitem__(0, "https://elsewhere.example"),
}


@pytest.mark.parametrize("lapse", _LAPSES)
async def test_the_next_request_follows_what_was_changed(remembering: Remembering, lapse: str) -> None:
    await remembering.service.add(NewMemory(_FACT))
    assert any(_FACT in text for text in await remembering.sent_for())
    _LAPSES[lapse](remembering)
    assert not any(_FACT in text for text in await remembering.sent_for())
