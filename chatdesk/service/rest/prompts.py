"""Endpoints of the library of prompts, which all projects share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from chatdesk.core.domain.prompt import Prompt, PromptHead, PromptKind
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint, Scope
from chatdesk.service.forms import BODY
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class PromptAnswer:
    id: str
    kind: str
    name: str
    text: str
    created_at: str
    updated_at: str
    used_at: str | None
    deleted_at: str | None


@dataclass(frozen=True, slots=True)
class PromptHeadAnswer:
    """A prompt in a list, with the beginning of its text."""

    id: str
    kind: str
    name: str
    beginning: str


@dataclass(frozen=True, slots=True)
class PromptsAnswer:
    prompts: tuple[PromptHeadAnswer, ...]


@dataclass(frozen=True)
class PromptGiven:
    """A prompt; without a name it is called by its first words."""

    __pydantic_config__ = BODY
    kind: Literal["template", "system", "quick", "assistant"]
    text: str
    name: str = ""


def prompt_answer(prompt: Prompt) -> PromptAnswer:
    return PromptAnswer(
        prompt.id,
        prompt.kind.value,
        prompt.name,
        prompt.text,
        iso(prompt.created_at),
        iso(prompt.updated_at),
        iso(prompt.used_at),
        iso(prompt.deleted_at),
    )


def prompts_answer(heads: tuple[PromptHead, ...]) -> PromptsAnswer:
    return PromptsAnswer(tuple(PromptHeadAnswer(each.id, each.kind.value, each.name, each.beginning) for each in heads))


async def _list(call: Call[Any, Any]) -> tuple[PromptHead, ...]:
    call.caller.require_all_projects()
    return await call.services.prompts.list()


async def _read(call: Call[Any, Any]) -> Prompt:
    call.caller.require_all_projects()
    return await call.services.prompts.get(checked_id(call.path["prompt_id"]))


async def _make(call: Call[None, PromptGiven]) -> Prompt:
    call.caller.require_all_projects()
    body = call.body
    return await call.services.prompts.create(PromptKind(body.kind), body.name, body.text)


async def _made(call: Call[Any, Any], done: DoneRequest) -> Prompt:
    return await call.services.prompts.get(done.first("prompt"))


async def _replace(call: Call[None, PromptGiven]) -> Prompt:
    prompt, body = await _read(call), call.body
    return await call.services.prompts.edit(prompt.id, PromptKind(body.kind), body.name, body.text)


async def _replaced(call: Call[Any, Any], _done: DoneRequest) -> Prompt:
    return await _read(call)


async def _delete(call: Call[Any, Any]) -> None:
    prompt = await _read(call)
    if prompt.deleted_at is None:
        await call.services.prompts.delete([prompt.id])


_ALL: Final = "/api/v1/prompts"
_ONE: Final = "/api/v1/prompts/{prompt_id}"
ENDPOINTS: Final = (
    Endpoint("GET", _ALL, _list, "List prompts", prompts_answer),
    Endpoint(
        "POST",
        _ALL,
        _make,
        "Make a prompt",
        prompt_answer,
        scope=Scope.WRITE,
        body=PromptGiven,
        status=201,
        again=_made,
    ),
    Endpoint("GET", _ONE, _read, "Read a prompt", prompt_answer),
    Endpoint(
        "PUT",
        _ONE,
        _replace,
        "Replace a prompt",
        prompt_answer,
        scope=Scope.WRITE,
        body=PromptGiven,
        again=_replaced,
        guards="prompt",
    ),
    Endpoint("DELETE", _ONE, _delete, "Move a prompt to the trash", scope=Scope.WRITE, status=204, again=nothing_again),
)
