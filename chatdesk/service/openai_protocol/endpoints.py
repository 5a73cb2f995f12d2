"""Endpoints for programs that know OpenAI's protocol: the person's models, and answers of them. With a thread, an
exchange is kept there and has its context; without, it is only in the ledger."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from chatdesk.core.chat.direct_questions import DirectQuestions
from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.usage import Spent, Usage
from chatdesk.core.errors import ChatDeskError, LimitReached, NotPossible, ProviderError, ProviderErrorKind
from chatdesk.core.providers.base import (
    ChatRequest,
    ModelNamed,
    ReasoningDelta,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.service.declaration import Call, Endpoint, Scope, Streamed
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.openai_protocol.answers import ChunkWriter, Ended, Head, Piece, Whole, completion, headers
from chatdesk.service.openai_protocol.requests import CompletionWanted, question_of, request_of
from chatdesk.service.rest.threads import reached_thread

_THREAD: Final = "chatdesk/thread:"
_DEFAULT: Final = "chatdesk/default"


@dataclass(frozen=True, slots=True)
class ModelShown:
    id: str
    owned_by: str
    created: int = 0
    object: Literal["model"] = "model"


@dataclass(frozen=True, slots=True)
class ModelsShown:
    data: tuple[ModelShown, ...]
    object: Literal["list"] = "list"


async def _models(call: Call[Any, Any]) -> list[tuple[str, str]]:
    """Return the models of all providers that can be used, by the names under which they are asked."""
    found = [(_DEFAULT, "ChatDesk")]
    for provider in call.services.providers.all():
        kept = await call.services.provider_service.models_of(provider)
        found += [(f"{provider.name}/{model.id}", provider.label) for model in (kept.models if kept else ())]
    return found


def _models_shown(found: list[tuple[str, str]]) -> ModelsShown:
    return ModelsShown(tuple(ModelShown(name, owner) for name, owner in found))


async def _complete(call: Call[None, CompletionWanted]) -> Whole | Streamed:
    wanted = call.body
    thread_id = _thread_of(call)
    provider, model = _chosen(call)
    head = Head(f"chatcmpl-{call.request_id}", int(time.time()), wanted.model, call.request_id, thread_id)
    if thread_id:
        await reached_thread(call, thread_id)
        pieces = partial(_kept, call, head, question_of(wanted), provider, model)
    else:
        name, known = call.services.providers.resolve(provider, model)
        pieces = partial(_direct, call, head, name, request_of(wanted, known))
    if wanted.stream:
        has_usage = wanted.stream_options is not None and wanted.stream_options.include_usage
        writer = ChunkWriter(head, has_usage=has_usage)
        return Streamed(lambda: _with_failure(pieces()), writer.encode, "text/event-stream", is_held=True)
    async with aclosing(pieces()) as source:
        return Whole(head, tuple([piece async for piece in source]))


def _thread_of(call: Call[None, CompletionWanted]) -> str:
    """Return the thread in which an exchange is kept; empty: in none."""
    by_model = call.body.model.removeprefix(_THREAD) if call.body.model.startswith(_THREAD) else ""
    by_header = call.headers.get("x-chatdesk-thread", "")
    if by_model and by_header and by_model != by_header:
        raise InvalidRequest((("model", "X-ChatDesk-Thread names another thread"),))
    return by_header or by_model


def _chosen(call: Call[None, CompletionWanted]) -> tuple[str | None, str | None]:
    """Return the provider and the model that a name means; None where it leaves the choice."""
    name = call.body.model
    if name.startswith(_THREAD) or name in ("", _DEFAULT):
        return None, None
    provider, slash, model = name.partition("/")
    if slash and call.services.providers.has(provider):
        return provider, model
    return call.services.providers.default()[0], name


async def _direct(
    call: Call[None, CompletionWanted], head: Head, provider: str, request: ChatRequest
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer that no thread keeps."""
    usage: Usage | None = None
    reason = "stop"
    head.model = request.model or head.model
    services = call.services
    questions = DirectQuestions(
        services.chat, services.providers, services.repositories.usage, services.events, SystemClock()
    )
    asking = questions.ask(
        provider, request, caller=call.caller.id, request_id=call.request_id, tell_spent=partial(_count, call)
    )
    async with aclosing(asking) as events:
        async for event in events:
            match event:
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    yield event
                case ModelNamed():
                    head.model = event.model
                case UsageReported():
                    usage = event.usage
                case StreamFinished():
                    reason = event.reason.value
    cost_usd = None if usage is None else services.chat.context.cost_of(provider, head.model, usage)
    yield Ended(reason, usage, cost_usd)


def _count(call: Call[Any, Any], spent: Spent) -> None:
    tokens = 0 if spent.usage is None else spent.usage.total_tokens
    call.allowances.record(call.caller, tokens=tokens, cost_usd=spent.cost_usd)


async def _kept(
    call: Call[None, CompletionWanted], head: Head, text: str, provider: str | None, model: str | None
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer that a thread keeps."""
    asking = call.services.ask(text, thread_id=head.thread_id, provider=provider, model=model)
    async with aclosing(asking) as events:
        async for event in events:
            match event["event"]:
                case "start":
                    call.allowances.follow(call.caller, event["message_id"], call.request_id)
                    head.model = event["model"] or head.model
                case "text":
                    yield TextDelta(event["delta"])
                case "reasoning":
                    yield ReasoningDelta(event["delta"])
                case "finish":
                    if event["error"] is not None:
                        raise _failure(event["error"], event["error_type"])
                    yield _ended(event)


def _ended(event: dict[str, Any]) -> Ended:
    counts = event["usage"]
    usage = None
    if counts["output_tokens"] is not None:
        usage = Usage(
            counts["input_tokens"] or 0,
            counts["output_tokens"],
            counts["cached_tokens"] or 0,
            counts["reasoning_tokens"] or 0,
            written_tokens=counts["written_tokens"] or 0,
        )
    return Ended(event["finish_reason"] or "stop", usage, event["cost_usd"])


def _failure(sentence: str, kind: str | None) -> ChatDeskError:
    """Return the failure of an answer that is stored, as it was."""
    if kind == LimitReached.code:
        return LimitReached(sentence, next_step="", until_ms=0)
    if kind in list(ProviderErrorKind):
        return ProviderError(ProviderErrorKind(kind), sentence, safe="", next_step="")
    return NotPossible(sentence)


async def _with_failure(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    """Yield the pieces; a failure after the first of them is the last piece, for the status is sent by then."""
    has_begun = False
    async with aclosing(pieces):
        try:
            async for piece in pieces:
                has_begun = True
                yield piece
        except ChatDeskError as error:
            if not has_begun:
                raise
            yield error


ENDPOINTS: Final = (
    Endpoint("GET", "/v1/models", _models, "List models, as OpenAI does", _models_shown, scope=Scope.ASK),
    Endpoint(
        "POST",
        "/v1/chat/completions",
        _complete,
        "Answer, as OpenAI does",
        completion,
        scope=Scope.ASK,
        body=CompletionWanted,
        headers=headers,
        ends_when_left=True,
        media_type="text/event-stream",
    ),
)
