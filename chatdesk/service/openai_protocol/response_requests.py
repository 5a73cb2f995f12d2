"""Reads requests of OpenAI's Responses API and turns them into questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolCall
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.forms import BODY, OPEN, Only

_ROLES = {"system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}


@dataclass(frozen=True)
class SentPiece:
    __pydantic_config__ = OPEN
    type: Literal["input_text", "output_text", "text", "refusal", "input_image", "reasoning_text"]
    text: str = ""
    refusal: str = ""
    image_url: str | None = None


@dataclass(frozen=True)
class SentItem:
    """An item of a conversation. Reasoning is read and dropped."""

    __pydantic_config__ = OPEN
    type: Literal["message", "function_call", "function_call_output", "reasoning"] = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[SentPiece] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | list[SentPiece] = ""


@dataclass(frozen=True)
class TextWanted:
    __pydantic_config__ = OPEN
    format: dict[str, Any] | None = None
    verbosity: str | None = None


@dataclass(frozen=True)
class ReasoningWanted:
    __pydantic_config__ = OPEN
    effort: str | None = None


@dataclass(frozen=True)
class ResponseWanted:
    """A response to write. ``user``, ``metadata``, ``include``, ``service_tier``, ``stream_options`` and what is for a
    vendor's cache go nowhere. Nothing is ever cut off, so that ``truncation`` makes no difference to an answer."""

    __pydantic_config__ = BODY
    model: str
    input: str | list[SentItem]
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning: ReasoningWanted | None = None
    text: TextWanted | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: Annotated[bool, Only(False)] | None = None
    metadata: dict[str, Any] | None = None
    include: list[str] | None = None
    service_tier: str | None = None
    stream_options: dict[str, Any] | None = None
    user: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None


def request_of_response(wanted: ResponseWanted, model: str) -> ChatRequest:
    """Return the question to ``model`` that another program asks."""
    return ChatRequest(
        model,
        tuple(_messages(wanted)),
        max_output_tokens=wanted.max_output_tokens,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        reasoning_effort=wanted.reasoning.effort if wanted.reasoning else None,
        extra_fields=_extra_fields(wanted),
    )


def question_of_response(wanted: ResponseWanted) -> str:
    """Return the question for a thread: the text of the last message. Earlier ones are in the thread. Raises
    ``InvalidRequest`` for content that a thread cannot store in this way."""
    set_ones = sorted(_extra_fields(wanted))
    if set_ones:
        raise InvalidRequest(tuple((name, "In a thread the thread decides this") for name in set_ones))
    if isinstance(wanted.input, str):
        return wanted.input
    last = wanted.input[-1] if wanted.input else None
    if last is None or last.type != "message" or last.role != "user":
        raise InvalidRequest((("input", "In a thread the last item has to be a message of the user"),))
    if _images(last.content):
        raise InvalidRequest((("input", "In a thread there can be no images here"),))
    return _words(last.content)


def _messages(wanted: ResponseWanted) -> list[RequestMessage]:
    found = [RequestMessage(Role.SYSTEM, wanted.instructions)] if wanted.instructions else []
    if isinstance(wanted.input, str):
        return [*found, RequestMessage(Role.USER, wanted.input)]
    for item in wanted.input:
        if item.type == "message":
            found.append(RequestMessage(_ROLES[item.role], _words(item.content), images=_images(item.content)))
        elif item.type == "function_call_output":
            if _images(item.output):
                raise InvalidRequest((("input", "The output of a function can have no images here"),))
            found.append(RequestMessage(Role.TOOL, _words(item.output), tool_call_id=item.call_id))
        elif item.type == "function_call":
            # The calls of one answer are items of their own here, and belong to its message everywhere else.
            if not found or found[-1].role is not Role.ASSISTANT:
                found.append(RequestMessage(Role.ASSISTANT, ""))
            call = ToolCall(item.call_id, item.name, item.arguments)
            found[-1] = replace(found[-1], tool_calls=(*found[-1].tool_calls, call))
    return found


def _words(content: str | list[SentPiece] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n\n".join(piece.text or piece.refusal for piece in content if piece.type != "input_image")


def _images(content: str | list[SentPiece] | None) -> tuple[str, ...]:
    """Return the addresses of images. Raises ``InvalidRequest`` for one that is a file at OpenAI."""
    pieces = content if isinstance(content, list) else ()
    found = [piece.image_url for piece in pieces if piece.type == "input_image"]
    if None in found:
        raise InvalidRequest((("input", "An image needs an image_url; files are not known here"),))
    return tuple(url for url in found if url is not None)


def _extra_fields(wanted: ResponseWanted) -> dict[str, Any]:
    """Return the further fields in the form of chat completions."""
    found: dict[str, Any] = {
        "tools": [_tool(each) for each in wanted.tools] if wanted.tools else None,
        "tool_choice": _choice(wanted.tool_choice),
        "parallel_tool_calls": wanted.parallel_tool_calls,
        "response_format": _format(wanted.text.format) if wanted.text else None,
        "verbosity": wanted.text.verbosity if wanted.text else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        raise InvalidRequest((("tools", "Only tools of the type function are passed on"),))
    return {"type": "function", "function": _without_type(tool)}


def _choice(choice: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") != "function":
        raise InvalidRequest((("tool_choice", "Only a function can be chosen"),))
    return {"type": "function", "function": _without_type(choice)}


def _format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    if wanted is None or wanted.get("type") == "text":
        return None
    return {"type": "json_schema", "json_schema": _without_type(wanted)} if "schema" in wanted else wanted


def _without_type(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "type" and value is not None}
