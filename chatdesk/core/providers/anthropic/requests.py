"""Writes requests of Anthropic's Messages protocol.

Thinking is sent back unchanged, and only with tool calls, where the vendor requires it. An answer continues without
thinking if it called tools without thinking, comes from another program's request, or has to call a tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_profile import PLAIN, Dialect
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolCall
from chatdesk.core.providers.chat.call_reader import read_object
from chatdesk.core.providers.extra_fields import for_anthropic
from chatdesk.core.providers.prompt_cache import mark, mark_messages
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.wire import BLANK_THOUGHT, sendable_arguments

# The protocol wants a limit in every request; all models that are served write at least this much.
_USUAL_LIMIT = 32_000
# Newer models leave out the text of their thoughts unless it is asked for.
_THINKING = {"type": "adaptive", "display": "summarized"}
_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,")


def messages_body(
    request: ChatRequest,
    said: Sequence[RequestMessage],
    model: str,
    origin: str,
    dialect: Dialect = PLAIN,
    *,
    is_cached: bool,
) -> dict[str, Any]:
    """Return the request as the protocol's JSON object, with the messages ``said``. ``origin`` is the mark of the
    server that gets it. With ``is_cached``, its beginning is marked for caching."""
    system = "\n\n".join(repair(each.full_text) for each in said if each.role is Role.SYSTEM)
    messages = _messages(said, origin, dialect)
    extra_fields, _lacking = for_anthropic(request.extra_fields)
    if is_cached:
        mark_messages(messages, request.cache)
    body: dict[str, Any] = {
        **extra_fields,
        "model": model,
        "max_tokens": request.max_output_tokens or _USUAL_LIMIT,
        "messages": messages,
        "stream": True,
    }
    if system:
        body["system"] = [_text_block(system)] if is_cached else system
    if system and is_cached:
        mark(body["system"][0], request.cache)
    has_effort = request.reasoning_effort not in (None, "none", "minimal")
    wishes: dict[str, Any] = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "thinking": dict(_THINKING) if has_effort and _may_think(said, origin, extra_fields) else None,
        "output_config": {"effort": request.reasoning_effort} if has_effort else None,
    }
    return body | {name: value for name, value in wishes.items() if value is not None}


def _messages(said: Sequence[RequestMessage], origin: str, dialect: Dialect) -> list[dict[str, Any]]:
    """Return the messages but for those of the system; the results of tools that were called at once are one."""
    found: list[dict[str, Any]] = []
    is_result = False
    for message in said:
        written = _message(message, origin, dialect)
        if message.role is Role.SYSTEM or not written["content"]:
            continue
        if is_result and message.role is Role.TOOL:
            found[-1]["content"] += written["content"]
        else:
            found.append(written)
        is_result = message.role is Role.TOOL
    return found


def _may_think(sent: Sequence[RequestMessage], origin: str, extra_fields: Mapping[str, Any]) -> bool:
    """Return whether the model may think before it answers; see the module text."""
    is_forced = extra_fields.get("tool_choice", {}).get("type") in ("any", "tool")
    said = [each for each in sent if each.role is not Role.SYSTEM]  # system messages are sent elsewhere
    if is_forced or not said or said[-1].role is not Role.TOOL:
        return not is_forced
    asked = max((place for place, each in enumerate(said) if each.role is Role.USER), default=-1)
    return all(each.kept_for(origin) for each in said[asked + 1 :] if each.role is Role.ASSISTANT)


def _message(message: RequestMessage, origin: str, dialect: Dialect) -> dict[str, Any]:
    text = repair(message.full_text)
    if message.role is Role.TOOL:
        result = {"type": "tool_result", "tool_use_id": repair(message.tool_call_id), "content": text}
        return {"role": "user", "content": [result]}
    sources = map(_source, message.images)
    blocks: list[dict[str, Any]] = [{"type": "image", "source": source} for source in sources if source is not None]
    if text.strip():  # blank ones are refused
        blocks.append(_text_block(text))
    thoughts = list(map(dict, message.kept_for(origin)))
    if dialect.needs_thoughts and message.tool_calls and not thoughts:
        thoughts = [{"type": "thinking", "thinking": BLANK_THOUGHT, "signature": ""}]
    blocks[:0] = thoughts
    for call in message.tool_calls:
        use = {"type": "tool_use", "id": repair(call.id), "name": repair(call.name), "input": _arguments(call)}
        blocks.append({**call.kept_for(origin), **use})
    return {"role": "assistant" if message.role is Role.ASSISTANT else "user", "content": blocks}


def _source(url: str) -> dict[str, str] | None:
    """Return an image as the protocol has it; None for a kind that it does not have."""
    if not is_sendable(url):
        return None
    found = _DATA_URL.match(url)
    if found is not None:
        return {"type": "base64", "media_type": found[1], "data": url[found.end() :]}
    return {"type": "url", "url": url}


def is_sendable(url: str) -> bool:
    """Return whether the protocol has a form for an image."""
    return url.startswith("https://") or _DATA_URL.match(url) is not None


def _arguments(call: ToolCall) -> dict[str, Any]:
    return read_object(sendable_arguments(call.arguments)) or {}


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
