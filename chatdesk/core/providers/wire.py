"""Writes requests in the chat completions protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage
from chatdesk.core.providers.text_repair import repair
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


def is_small(request: ChatRequest) -> bool:
    """Return whether a request is written in less time than it takes to ask another thread for it."""
    messages = request.messages
    return len(messages) <= _SMALL_MESSAGES and sum(map(_characters, messages)) <= _SMALL_CHARACTERS


def _characters(message: RequestMessage) -> int:
    calls = sum(len(call.arguments) for call in message.tool_calls)
    return len(message.text) + calls + sum(map(len, message.files)) + sum(map(len, message.images))


def wire_message(message: RequestMessage) -> dict[str, Any]:
    """Return one message as the vendor's JSON object."""
    written: dict[str, Any] = {"role": _ROLES[message.role], "content": _content(message)}
    if message.tool_calls:
        written["tool_calls"] = [
            {
                "id": repair(call.id),
                "type": "function",
                "function": {"name": repair(call.name), "arguments": repair(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        written["tool_call_id"] = repair(message.tool_call_id)
    return written


def _content(message: RequestMessage) -> str | list[dict[str, Any]]:
    """Return plain text if there are no images, because many servers accept nothing else."""
    text = repair(message.full_text)
    if not message.images:
        return text
    pieces: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    return pieces + [{"type": "image_url", "image_url": {"url": url}} for url in message.images]


def wire_bytes(body: Mapping[str, Any]) -> bytes:
    """Return the body as the SDK's client writes it, fields in its order; a test compares them."""
    ordered = {name: body[name] for name in (*_FIRST, *body) if name in body}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
