"""Writes requests in the chat completions protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import PLAIN, Dialect
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolCall
from chatdesk.core.providers.call_ids import USUAL, form_for, with_ids
from chatdesk.core.providers.chat.call_reader import plain_arguments, read_object
from chatdesk.core.providers.chat.thoughts import PIECES_FIELD
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.turn_order import in_turns
from chatdesk.core.texts import Text

# *Continue* sends the partial answer as the last assistant message and after it this as the user. Without it only few
# servers go on from a partial answer, and some refuse it; with it every server understands.
CONTINUE_INSTRUCTION = Text(
    "Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. "
    "Do not repeat anything and do not add an introduction."
)
_ROLES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant", Role.TOOL: "tool"}
_FIRST = ("model", "stream", "messages")
_SMALL_MESSAGES = 50
_SMALL_CHARACTERS = 50_000
_LONGEST_UNREADABLE = 4_000
# Stands for the thought of a call that another model made; some vendors take an empty one for none.
BLANK_THOUGHT = " "


def is_small(request: ChatRequest) -> bool:
    """Return whether a request is written in less time than it takes to ask another thread for it."""
    messages = request.messages
    return len(messages) <= _SMALL_MESSAGES and sum(map(_characters, messages)) <= _SMALL_CHARACTERS


def _characters(message: RequestMessage) -> int:
    calls = sum(len(call.arguments) for call in message.tool_calls)
    return len(message.text) + calls + sum(map(len, message.files)) + sum(map(len, message.images))


def kept_origin(protocol: str, base_url: str) -> str:
    """Return the mark of a server and a protocol. It names neither, since it is stored where others may read it."""
    import hashlib  # loads OpenSSL, which a window at rest has no need of

    server = base_url.partition("://")[2].partition("/")[0].lower()
    return hashlib.sha256(f"{protocol} {server}".encode()).hexdigest()[:16]


def sendable_arguments(arguments: str) -> str:
    """Return the arguments of a call in the form that every server accepts. A call whose arguments are not an object
    was not run; the model sees its own text."""
    if read_object(arguments) is not None:
        return repair(plain_arguments(arguments))
    text = repair(arguments)
    return json.dumps({"unreadable": text[:_LONGEST_UNREADABLE]}, ensure_ascii=False) if text.strip() else "{}"


def continued(request: ChatRequest) -> list[RequestMessage]:
    """Return the messages of a request, with the partial answer that is to be continued at the end."""
    if not request.continue_text:
        return list(request.messages)
    partial = RequestMessage(Role.ASSISTANT, request.continue_text)
    return [*request.messages, partial, RequestMessage(Role.USER, CONTINUE_INSTRUCTION)]


def said(request: ChatRequest, model: str, dialect: Dialect = PLAIN) -> list[RequestMessage]:
    """Return the messages of a request as every protocol sends them: in turns, and with ids that the server takes."""
    return with_ids(in_turns(continued(request)), form_for(model, dialect.call_ids or USUAL))


def without_kept(request: ChatRequest) -> ChatRequest:
    """Return a request without the vendor's own fields of its calls."""
    bare = (
        replace(each, tool_calls=tuple(replace(call, kept=None) for call in each.tool_calls))
        for each in request.messages
    )
    return replace(request, messages=tuple(bare))


def wire_messages(messages: Sequence[RequestMessage], origin: str, dialect: Dialect) -> list[dict[str, Any]]:
    """Return messages as the vendor's JSON objects. ``origin`` is the mark of the server that gets them."""
    return [wire_message(each, origin, dialect) for each in messages]


def wire_message(message: RequestMessage, origin: str = "", dialect: Dialect = PLAIN) -> dict[str, Any]:
    """Return one message as the vendor's JSON object. ``origin`` is the mark of the server that gets it."""
    written: dict[str, Any] = {"role": _ROLES[message.role], "content": _content(message)}
    if message.tool_calls:
        for fields in message.kept_for(origin):
            written |= {name: value for name, value in fields.items() if name not in written}
            thoughts = fields.get(PIECES_FIELD)
            if isinstance(thoughts, list):
                written["content"] = [*thoughts, *_pieces(message)]
        if dialect.needs_thoughts:
            written.setdefault("reasoning_content", BLANK_THOUGHT)
        # In its own answers a vendor marks one of several calls, and wants the others without.
        is_own = any(call.kept is not None and call.kept.origin == origin for call in message.tool_calls)
        written["tool_calls"] = [
            _wire_call(call, call.kept_for(origin) if is_own else dialect.foreign_call) for call in message.tool_calls
        ]
    if message.tool_call_id:
        written["tool_call_id"] = repair(message.tool_call_id)
    return written


def _wire_call(call: ToolCall, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call as the vendor's JSON object, with its own fields of it."""
    inner = more.get("function")
    function = {"name": repair(call.name), "arguments": sendable_arguments(call.arguments)}
    known = {"id": repair(call.id), "type": "function"}
    return {**more, **known, "function": {**(inner if isinstance(inner, Mapping) else {}), **function}}


def _content(message: RequestMessage) -> str | list[dict[str, Any]]:
    """Return plain text if there are no images, because many servers accept nothing else."""
    return _pieces(message) if message.images else repair(message.full_text)


def _pieces(message: RequestMessage) -> list[dict[str, Any]]:
    text = repair(message.full_text)
    pieces: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    return pieces + [{"type": "image_url", "image_url": {"url": url}} for url in message.images]


def wire_bytes(body: Mapping[str, Any]) -> bytes:
    """Return the body as the SDK's client writes it, fields in its order; a test compares them."""
    ordered = {name: body[name] for name in (*_FIRST, *body) if name in body}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
