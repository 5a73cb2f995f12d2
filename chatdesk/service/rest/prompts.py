"""Endpoints of the library of prompts, which all projects share."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import AssistantSetup, Prompt, PromptHead, PromptKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY
from chatdesk.service.rest.attachments import AttachmentAnswer, AttachmentGiven, attachment_answer, given_files
from chatdesk.service.rest.times import iso


@dataclass(frozen=True)
class AssistantParameters:
    """The parameters of an assistant's requests; null leaves a value to the model."""

    __pydantic_config__ = BODY
    temperature: float | None = None
    top_p: float | None = None
    answer_length: int | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssistantAnswer:
    """The set-up of an assistant. Where ``provider``, ``model`` or ``tools`` is null, that of the thread is used.
    ``tools`` are ids of the person's tool servers; naming one neither sets it up nor starts it."""

    icon: str
    provider: str | None
    model: str | None
    parameters: AssistantParameters
    tools: tuple[str, ...] | None
    files: tuple[AttachmentAnswer, ...]


@dataclass(frozen=True, slots=True)
class PromptAnswer:
    """A prompt; ``assistant`` is null for the other kinds."""

    id: str
    kind: str
    name: str
    text: str
    created_at: str
    updated_at: str
    used_at: str | None
    deleted_at: str | None
    assistant: AssistantAnswer | None


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
class AssistantGiven:
    """The complete set-up of an assistant; for fields that are left out, those of the thread are used. ``files`` were
    sent to /api/v1/attachments before."""

    __pydantic_config__ = BODY
    icon: str = ""
    provider: str | None = None
    model: str | None = None
    parameters: AssistantParameters = field(default_factory=AssistantParameters)
    tools: tuple[str, ...] | None = None
    files: tuple[AttachmentGiven, ...] = ()


@dataclass(frozen=True)
class PromptGiven:
    """A prompt; without a name it is called by its first words. An assistant keeps its set-up where none is given."""

    __pydantic_config__ = BODY
    kind: Literal["template", "system", "quick", "assistant"]
    text: str
    name: str = ""
    assistant: AssistantGiven | None = None


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
        None if prompt.setup is None else _assistant_answer(prompt.setup),
    )


def _assistant_answer(setup: AssistantSetup) -> AssistantAnswer:
    parameters = AssistantParameters(**{each.name: getattr(setup.parameters, each.name) for each in fields(Parameters)})
    files = tuple(attachment_answer(each) for each in setup.files)
    return AssistantAnswer(setup.icon, setup.provider, setup.model, parameters, setup.tools, files)


async def _given_setup(call: Call[None, PromptGiven]) -> AssistantSetup | None:
    """Return the set-up in a request, None where it has none. Raises ``InvalidInput`` for what cannot be stored."""
    given = call.body.assistant
    if given is None:
        return None
    if call.body.kind != "assistant":
        raise InvalidInput("Only an assistant has a set-up.", safe="Nothing was changed.", next_step="Leave it out.")
    parameters = Parameters(**{each.name: getattr(given.parameters, each.name) for each in fields(Parameters)})
    files = tuple(await given_files(call, given.files))
    return AssistantSetup(given.icon, given.provider, given.model, parameters, given.tools, files)


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
    made = await call.services.prompts.create(PromptKind(body.kind), body.name, body.text, await _given_setup(call))
    await call.services.prompts.record_outside_text(made.id)
    return made


async def _made(call: Call[Any, Any], done: DoneRequest) -> Prompt:
    return await call.services.prompts.get(done.first("prompt"))


async def _replace(call: Call[None, PromptGiven]) -> Prompt:
    prompt, body = await _read(call), call.body
    setup = await _given_setup(call)
    await call.services.prompts.record_outside_text(prompt.id)
    return await call.services.prompts.edit(prompt.id, PromptKind(body.kind), body.name, body.text, setup)


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
