"""Declares the operations of a WebSocket. Each is carried out as a request of its own, with the same checks, scopes and
keys, and is acknowledged when its writes are on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.chat.results import Sent
from chatdesk.core.domain.attachment import SentShare
from chatdesk.core.domain.message import Message
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY, OPEN
from chatdesk.service.rest.messages import MessageAnswer, asked_answer, message_answer, reached_message, with_shares
from chatdesk.service.rest.threads import reached_thread, show_typing


@dataclass(frozen=True)
class AnyOperation:
    """The fields that tell which operation it is. ``id`` comes back with its acknowledgement."""

    __pydantic_config__ = OPEN
    op: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation. With a ``key`` it is carried out once, also when it is sent again over another connection."""

    __pydantic_config__ = BODY
    op: str
    id: str = field(repr=False)
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class SendMessage(Operation):
    """A question to ask below ``parent_id``, else at the end of the shown path."""

    thread_id: str
    text: str
    parent_id: str | None = None
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class EditMessage(Operation):
    """Another version of a question, with an answer of its own."""

    message_id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class DeleteMessage(Operation):
    """A message for the trash, with all below it where ``with_later``."""

    message_id: str
    with_later: bool = False


@dataclass(frozen=True, kw_only=True)
class Regenerate(Operation):
    """Another version of an answer, or the first one to a question that has none."""

    message_id: str
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stop(Operation):
    """An end for the answers of a thread; their text is kept."""

    thread_id: str


@dataclass(frozen=True, kw_only=True)
class TypingIndicator(Operation):
    """A sign for the other members of a shared project."""

    thread_id: str
    is_typing: bool


@dataclass(frozen=True, kw_only=True)
class Ping(Operation):
    """Checks that the service answers."""


async def _send(call: Call[None, SendMessage]) -> tuple[Sent, tuple[SentShare, ...]]:
    body = call.body
    thread = await reached_thread(call, body.thread_id)
    sent = await call.services.chat.send_message(
        thread.id, body.text, parent_id=body.parent_id, provider=body.provider, model=body.model
    )
    call.allowances.follow(call.caller, sent.answer.id, call.request_id)
    return await with_shares(call, sent)


async def _edit(call: Call[None, EditMessage]) -> tuple[Sent, tuple[SentShare, ...]]:
    message = await reached_message(call, call.body.message_id)
    sent = await call.services.chat.edit_message(message.id, call.body.text)
    call.allowances.follow(call.caller, sent.answer.id, call.request_id)
    return await with_shares(call, sent)


async def _asked(call: Call[Any, Any], done: DoneRequest) -> tuple[Sent, tuple[SentShare, ...]]:
    question_id, answer_id = (each.id for each in done.made if each.kind == "message")
    question = await reached_message(call, question_id)
    chat = call.services.chat
    answer = await chat.reader.get_message(answer_id)
    return await with_shares(call, Sent(await chat.get_thread(question.thread_id), question, answer))


async def _regenerate(call: Call[None, Regenerate]) -> Message:
    message, body = await reached_message(call, call.body.message_id), call.body
    answer = await call.services.chat.regenerate_response(message.id, provider=body.provider, model=body.model)
    call.allowances.follow(call.caller, answer.id, call.request_id)
    return answer


async def _regenerated(call: Call[Any, Any], done: DoneRequest) -> Message:
    return await reached_message(call, done.first("message"))


async def _delete(call: Call[None, DeleteMessage]) -> None:
    message = await reached_message(call, call.body.message_id)
    if message.deleted_at is None:
        await call.services.chat.paths.delete_message(message.id, with_later=call.body.with_later)


async def _stop(call: Call[None, Stop]) -> Message | None:
    thread = await reached_thread(call, call.body.thread_id)
    return await call.services.chat.stop(thread.id)


async def _show_typing(call: Call[None, TypingIndicator]) -> None:
    await show_typing(call, call.body.thread_id, is_typing=call.body.is_typing)


async def _ping(_call: Call[None, Ping]) -> None:
    return


@dataclass(frozen=True, slots=True)
class StoppedAnswer:
    """The last answer that was stopped; null where none was being written."""

    message: MessageAnswer | None


def stopped_answer(message: Message | None) -> StoppedAnswer:
    return StoppedAnswer(None if message is None else message_answer(message))


# The operations by name. One that can be repeated safely takes no key.
OPERATIONS: Final[Mapping[str, Endpoint]] = {
    each.path: each
    for each in (
        Endpoint("POST", "SEND_MESSAGE", _send, "Ask", asked_answer, scope=Scope.ASK, body=SendMessage, again=_asked),
        Endpoint("POST", "EDIT_MESSAGE", _edit, "Edit", asked_answer, scope=Scope.ASK, body=EditMessage, again=_asked),
        Endpoint(
            "POST",
            "REGENERATE",
            _regenerate,
            "Answer anew",
            message_answer,
            scope=Scope.ASK,
            body=Regenerate,
            again=_regenerated,
        ),
        Endpoint("POST", "DELETE_MESSAGE", _delete, "Move to the trash", scope=Scope.WRITE, body=DeleteMessage),
        Endpoint("POST", "STOP", _stop, "Stop", stopped_answer, scope=Scope.ASK, body=Stop),
        Endpoint("POST", "TYPING_INDICATOR", _show_typing, "Show typing", scope=Scope.ASK, body=TypingIndicator),
        Endpoint("POST", "PING", _ping, "Do nothing", body=Ping),
    )
}
