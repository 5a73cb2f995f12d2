"""Endpoints of memories. What a program adds counts as text from outside, and the person sees where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.memory import Memory, MemoryOrigin, NewMemory
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class MemoryAnswer:
    """A fact that is remembered, everywhere or in one project; ``message_id`` is the message that it comes from."""

    id: str
    text: str
    project_id: str | None
    origin: str
    message_id: str | None
    thread_id: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class MemoriesAnswer:
    memories: tuple[MemoryAnswer, ...]


@dataclass(frozen=True)
class MemoryGiven:
    """A fact in one line, to be remembered everywhere or in one project."""

    __pydantic_config__ = BODY
    text: str
    project_id: str | None = None


def memory_answer(memory: Memory) -> MemoryAnswer:
    return MemoryAnswer(
        memory.id,
        memory.text,
        memory.project_id,
        memory.origin.value,
        memory.message_id,
        memory.thread_id,
        iso(memory.created_at),
        iso(memory.updated_at),
    )


def memories_answer(memories: tuple[Memory, ...]) -> MemoriesAnswer:
    return MemoriesAnswer(tuple(map(memory_answer, memories)))


async def _list(call: Call[Any, Any]) -> tuple[Memory, ...]:
    call.caller.require_all_projects()
    return await call.services.memory.list()


async def _read(call: Call[Any, Any]) -> Memory:
    call.caller.require_all_projects()
    return await call.services.memory.get(checked_id(call.path["memory_id"]))


async def _make(call: Call[None, MemoryGiven]) -> Memory:
    call.caller.require_all_projects()
    new = NewMemory(call.body.text, call.body.project_id, MemoryOrigin.PROGRAM)
    return (await call.services.memory.add(new))[0]


async def _made(call: Call[Any, Any], done: DoneRequest) -> Memory:
    return await call.services.memory.get(done.first("memory"))


async def _replace(call: Call[None, MemoryGiven]) -> Memory:
    before = await _read(call)
    return await call.services.memory.edit(
        before.id,
        call.body.text,
        call.body.project_id,
        goes_with_source=before.goes_with_source,
        origin=MemoryOrigin.PROGRAM,
    )


async def _replaced(call: Call[Any, Any], _done: DoneRequest) -> Memory:
    return await _read(call)


async def _delete(call: Call[Any, Any]) -> None:
    await call.services.memory.delete([(await _read(call)).id])


_ALL: Final = "/api/v1/memories"
_ONE: Final = "/api/v1/memories/{memory_id}"
ENDPOINTS: Final = (
    Endpoint("GET", _ALL, _list, "List memories", memories_answer),
    Endpoint(
        "POST",
        _ALL,
        _make,
        "Remember a fact",
        memory_answer,
        scope=Scope.WRITE,
        body=MemoryGiven,
        status=201,
        again=_made,
    ),
    Endpoint("GET", _ONE, _read, "Read a memory", memory_answer),
    Endpoint(
        "PUT",
        _ONE,
        _replace,
        "Replace a memory",
        memory_answer,
        scope=Scope.WRITE,
        body=MemoryGiven,
        again=_replaced,
        guards="memory",
    ),
    Endpoint("DELETE", _ONE, _delete, "Delete a memory for good", scope=Scope.WRITE, status=204, again=nothing_again),
)
