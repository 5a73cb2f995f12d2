"""Sends events to one client, over a WebSocket that also receives operations or as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import Any, Final

from starlette.websockets import WebSocketDisconnect

from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Project, Thread
from chatdesk.core.errors import ChatDeskError
from chatdesk.service import forms
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.carrying_out import conditions_of
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.errors import InvalidRequest, MalformedRequest
from chatdesk.service.forms import QUERY
from chatdesk.service.live.conversation import Conversation, Followed, SocketEndpoint
from chatdesk.service.live.events import Frame, LiveEvents
from chatdesk.service.live.operations import OPERATIONS, AnyOperation, Operation, TypingIndicator
from chatdesk.service.problems import problem_of
from chatdesk.service.rest.messages import message_answer
from chatdesk.service.rest.projects import project_answer
from chatdesk.service.rest.threads import reached_thread, thread_answer
from chatdesk.service.rest.times import iso

_LONGEST_ID: Final = 100
_UNSUPPORTED: Final = 1003
_POLICY_VIOLATION: Final = 1008


@dataclass(frozen=True)
class EventsWanted:
    """The events to hear: of one thread or of all, ``after`` the number that was heard last."""

    __pydantic_config__ = QUERY
    thread_id: str | None = None
    after: str = ""


async def converse(conversation: Conversation) -> None:
    """Send events to the client and carry out its operations, one after the other, until either side ends."""
    websocket, caller = conversation.websocket, conversation.caller
    thread_id = websocket.path_params.get("thread_id")
    wanted = forms.checked_query(EventsWanted, dict(websocket.query_params))
    if thread_id is not None and wanted.thread_id is not None:
        raise MalformedRequest("The thread of this address is in its path.")
    thread_id = await _reached(conversation, thread_id or wanted.thread_id)
    await websocket.accept()
    sending = asyncio.ensure_future(_send_frames(conversation, caller, thread_id, wanted.after))
    listening = asyncio.ensure_future(_listen(conversation))
    try:
        await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        listening.cancel()
        await asyncio.wait((sending, listening))
    try:
        for each in (sending, listening):
            if not each.cancelled():
                each.result()
    except _BytesArrived:
        await websocket.close(_UNSUPPORTED)
    except _TokenEnded:
        await websocket.close(_POLICY_VIOLATION)
    except WebSocketDisconnect:
        return


class _BytesArrived(Exception):
    """A message is not text."""


class _TokenEnded(Exception):
    """The token was revoked or has expired since the last event."""


async def _reached(conversation: Conversation, thread_id: str | None) -> str | None:
    """Return the id of a thread that the caller reaches. Raises ``ThreadNotFound``."""
    if thread_id is None:
        return None
    call = conversation.call()
    return (await conversation.live.call(lambda: reached_thread(call, thread_id))).id


async def _send_frames(conversation: Conversation, caller: Caller, thread_id: str | None, after: str) -> None:
    async with aclosing(conversation.live.frames(caller, thread_id=thread_id, after=after)) as frames:
        async for frame in frames:
            if not conversation.is_valid():
                raise _TokenEnded
            await conversation.websocket.send_text(frame_json(frame).decode())


async def _listen(conversation: Conversation) -> None:
    typing: dict[str, TypingIndicator] = {}
    try:
        while True:
            message = await conversation.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                raise _BytesArrived
            if not conversation.is_valid():
                raise _TokenEnded
            await conversation.websocket.send_text((await _answer(conversation, text.encode(), typing)).decode())
    finally:
        for each in typing.values():
            await _end_typing(conversation, each)


async def _answer(conversation: Conversation, sent: bytes, typing: dict[str, TypingIndicator]) -> bytes:
    """Carry out one operation and return its acknowledgement, or why it was refused."""
    id_ = None
    operation_name, outcome, began_s = "unknown", "failed", time.monotonic()
    request_id = conversation.websocket.state.request_id
    try:
        conversation.admit()
        named = forms.checked_body(AnyOperation, sent)
        if len(named.id) > _LONGEST_ID:
            raise InvalidRequest((("id", f"At most {_LONGEST_ID} characters"),))
        id_ = named.id
        endpoint = OPERATIONS.get(named.op)
        if endpoint is None:
            raise InvalidRequest((("op", f"One of {', '.join(OPERATIONS)}"),))
        operation_name = endpoint.path
        assert endpoint.body is not None  # each has one
        operation = forms.checked_body(endpoint.body, sent)
        result, is_repeated = await _carried_out(conversation, endpoint, operation)
        outcome = "repeated" if is_repeated else "done"
    except ChatDeskError as error:
        outcome = error.code
        return forms.as_json({"type": "REFUSED", "id": id_, "problem": problem_of(error, request_id)})
    finally:
        log_event(
            "service_operation",
            id=request_id,
            who=conversation.caller.id,
            op=operation_name,
            outcome=outcome,
            took_ms=round((time.monotonic() - began_s) * 1000),
        )
    if isinstance(operation, TypingIndicator):
        typing.pop(operation.thread_id, None)
        if operation.is_typing:
            typing[operation.thread_id] = operation
    return forms.as_json({"type": "ACK", "id": id_, "repeated": is_repeated, "result": result})


async def _carried_out(conversation: Conversation, endpoint: Endpoint, operation: Operation) -> tuple[Any, bool]:
    conversation.caller.require(endpoint.scope)
    call = conversation.call(operation)
    headers = {} if operation.key is None else {"idempotency-key": operation.key}
    conditions = conditions_of(endpoint, call, endpoint.path, headers.get)
    carried = await conversation.carry_out(endpoint, call, conditions)
    return None if endpoint.shows is None else endpoint.shows(carried.result), carried.is_repeated


async def _end_typing(conversation: Conversation, last: TypingIndicator) -> None:
    """Publish that a client which disconnected has stopped typing."""
    ended = TypingIndicator(op=last.op, id=last.id, thread_id=last.thread_id, is_typing=False)
    try:
        await _carried_out(conversation, OPERATIONS[last.op], ended)
    except ChatDeskError:
        return  # the thread is gone, or the service is ending


async def _follow(call: Call[EventsWanted, None]) -> Followed:
    wanted = call.query
    thread_id = None if wanted.thread_id is None else (await reached_thread(call, wanted.thread_id)).id
    return Followed(partial(_sent_events, call.caller, thread_id, wanted.after), "text/event-stream")


async def _sent_events(
    caller: Caller, thread_id: str | None, after: str, live: LiveEvents
) -> AsyncGenerator[bytes, None]:
    async with aclosing(live.frames(caller, thread_id=thread_id, after=after)) as frames:
        async for frame in frames:
            yield sent_event(frame)


SOCKETS: Final = (
    SocketEndpoint("/api/v1/ws", converse, Scope.READ),
    SocketEndpoint("/ws/chat/{thread_id}", converse, Scope.READ),
)
ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/api/v1/events",
        _follow,
        "Follow what happens",
        query=EventsWanted,
        resumes=True,
        media_type="text/event-stream",
    ),
)


# Writes frames as JSON, for WebSockets and server-sent events.


def frame_json(frame: Frame) -> bytes:
    """Return a frame as JSON."""
    shown: dict[str, Any] = {"type": frame.type, "number": frame.number}
    if frame.type == "EVENTS":
        shown["events"] = [event_data(event) for event in frame.events]
    elif frame.type != "HEARTBEAT":
        shown["resumed"] = frame.is_resumed
        shown["messages"] = [message_answer(message) for message in frame.messages]
    return forms.as_json(shown)


def sent_event(frame: Frame) -> bytes:
    """Return a frame as a server-sent event; its id is where Last-Event-ID goes on."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (frame.number.encode(), frame.type.encode(), frame_json(frame))


def event_data(event: Any) -> dict[str, Any]:
    """Return an event as data: its name, and its fields as the rest of the service shows such things."""
    return {"type": type(event).__name__} | _fields_of(event)


def _fields_of(thing: Any) -> dict[str, Any]:
    return {each.name: _shown(each.name, getattr(thing, each.name)) for each in fields(thing)}


def _shown(name: str, value: Any) -> Any:
    match value:
        case Message():
            return message_answer(value)
        case Thread():
            return thread_answer(value)
        case Project():
            return project_answer(value)
        case ChatDeskError():
            return {"code": value.code, "detail": value.sentence_without_window}
        case tuple():
            return [_shown(name, each) for each in value]
        case frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case int() if name.endswith("_at"):
            return iso(value)
    return _fields_of(value) if is_dataclass(value) else value
