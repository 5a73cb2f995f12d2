"""Endpoints that make other versions of messages, choose the one that is shown, and use the trash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY, QUERY
from chatdesk.service.rest.messages import MessageAnswer, message_answer, reached_message
from chatdesk.service.rest.threads import reached_thread, thread_answer


@dataclass(frozen=True)
class NewVersion:
    """Another text for a message, as a version of it. A question is answered again; the old version stays."""

    __pydantic_config__ = BODY
    text: str


@dataclass(frozen=True)
class ModelWanted:
    """The model that is to answer; without one, that of the thread."""

    __pydantic_config__ = BODY
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class RemovalWanted:
    """The extent of a removal: the message alone, or all below it as well."""

    __pydantic_config__ = QUERY
    with_later: bool = False


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A version that was created; ``answer`` is being written, null if no model is asked."""

    message: MessageAnswer
    answer: MessageAnswer | None


def version_answer(made: tuple[Message, Message | None]) -> VersionAnswer:
    message, answer = made
    return VersionAnswer(message_answer(message), None if answer is None else message_answer(answer))


async def _message(call: Call[Any, Any]) -> Message:
    return await reached_message(call, call.path["message_id"])


async def _edit(call: Call[None, NewVersion]) -> tuple[Message, Message | None]:
    old, chat = await _message(call), call.services.chat
    if old.is_note:
        return (await chat.manual_messages.edit_note(old.id, call.body.text)).question, None
    if old.role is not Role.USER:
        return (await chat.manual_messages.edit_answer(old.id, call.body.text)).answer, None
    call.caller.require(Scope.ASK)
    await call.allowances.admit(call.caller)
    sent = await chat.edit_message(old.id, call.body.text)
    call.allowances.follow(call.caller, sent.answer.id, call.request_id)
    return sent.question, sent.answer


async def _edited(call: Call[Any, Any], done: DoneRequest) -> tuple[Message, Message | None]:
    ids = [each.id for each in done.made if each.kind == "message"]
    found = [await reached_message(call, each) for each in ids]
    return found[0], found[1] if len(found) > 1 else None


async def _regenerate(call: Call[None, ModelWanted]) -> Message:
    message = await _message(call)
    answer = await call.services.chat.regenerate_response(
        message.id, provider=call.body.provider, model=call.body.model
    )
    call.allowances.follow(call.caller, answer.id, call.request_id)
    return answer


async def _continue(call: Call[None, ModelWanted]) -> Message:
    message = await _message(call)
    answer = await call.services.chat.continue_message(message.id, provider=call.body.provider, model=call.body.model)
    call.allowances.follow(call.caller, answer.id, call.request_id)
    return answer


async def _answered(call: Call[Any, Any], done: DoneRequest) -> Message:
    return await reached_message(call, done.first("message"))


async def _select(call: Call[Any, Any]) -> Thread:
    return await call.services.chat.paths.select_version((await _message(call)).id)


async def _selected(call: Call[Any, Any], _done: DoneRequest) -> Thread:
    return await call.services.chat.get_thread((await _message(call)).thread_id)


async def _branch(call: Call[Any, Any]) -> Thread:
    return await call.services.chat.paths.branch_thread((await _message(call)).id)


async def _branched(call: Call[Any, Any], done: DoneRequest) -> Thread:
    return await reached_thread(call, done.first("thread"))


async def _delete(call: Call[RemovalWanted, None]) -> None:
    message = await _message(call)
    if message.deleted_at is None:
        await call.services.chat.paths.delete_message(message.id, with_later=call.query.with_later)


async def _restored(call: Call[Any, Any], _done: DoneRequest) -> Message:
    return await _message(call)


async def _restore(call: Call[Any, Any]) -> Message:
    message = await _message(call)
    if message.deleted_at is not None:
        await call.services.chat.paths.restore_message(message.id)
    return await _message(call)


_ONE: Final = "/api/v1/messages/{message_id}"
ENDPOINTS: Final = (
    Endpoint(
        "POST",
        f"{_ONE}/versions",
        _edit,
        "Edit a message: make another version",
        version_answer,
        scope=Scope.WRITE,
        body=NewVersion,
        status=201,
        again=_edited,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/regenerate",
        _regenerate,
        "Ask for another answer",
        message_answer,
        scope=Scope.ASK,
        body=ModelWanted,
        status=201,
        again=_answered,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/continue",
        _continue,
        "Go on with an answer that ended early",
        message_answer,
        scope=Scope.ASK,
        body=ModelWanted,
        again=_answered,
    ),
    Endpoint("POST", f"{_ONE}/select", _select, "Show a version", thread_answer, scope=Scope.WRITE, again=_selected),
    Endpoint(
        "POST",
        f"{_ONE}/branch",
        _branch,
        "Make a thread of all up to a message",
        thread_answer,
        scope=Scope.WRITE,
        status=201,
        again=_branched,
    ),
    Endpoint(
        "DELETE",
        _ONE,
        _delete,
        "Move a message to the trash",
        scope=Scope.WRITE,
        query=RemovalWanted,
        status=204,
        again=nothing_again,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/restore",
        _restore,
        "Restore a message",
        message_answer,
        scope=Scope.WRITE,
        again=_restored,
    ),
)
