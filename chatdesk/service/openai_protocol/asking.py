"""Asks the questions of other programs, in either of OpenAI's formats, in a thread or without one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from chatdesk.core.chat.ask import ask
from chatdesk.core.chat.direct_questions import Asker, DirectQuestions
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import IMAGE_MIMES
from chatdesk.core.domain.limits import LimitReached
from chatdesk.core.domain.usage import Spent, Usage
from chatdesk.core.errors import AttachmentUnusable, ChatDeskError, NotPossible, ProviderError, ProviderErrorKind
from chatdesk.core.providers.base import (
    ChatRequest,
    ModelNamed,
    PictureDelta,
    ReasoningDelta,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.service.declaration import Call, Streamed
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.openai_protocol.pieces import Ended, Head, Piece, Whole
from chatdesk.service.rest.threads import reached_thread

# The name of the default model.
DEFAULT: Final = "chatdesk/default"
EVENT_STREAM: Final = "text/event-stream"
_THREAD: Final = "chatdesk/thread:"


@dataclass(frozen=True, slots=True)
class Question:
    """A question in one of OpenAI's forms. ``request`` makes the request to a model; ``words`` gives what is asked in a
    thread, below the answer ``previous_id`` or at the end. Both raise ``InvalidRequest``."""

    model: str
    is_streamed: bool
    request: Callable[[str], ChatRequest]
    words: Callable[[], str]
    previous_id: str = ""


async def answered(
    call: Call[Any, Any], question: Question, head: Head, encode: Callable[[Piece], bytes]
) -> Whole | Streamed:
    """Return the answer, whole or as a stream; ``head`` names its thread, and learns what becomes known of it."""
    provider, model = chosen(call, question.model)
    if head.thread_id:
        await reached_thread(call, head.thread_id)
        pieces = partial(_kept, call, head, question, provider, model)
    else:
        name, known = call.services.providers.resolve(provider, model)
        pieces = partial(_direct, call, head, name, question.request(known))
    if question.is_streamed:
        return Streamed(lambda: _with_failure(pieces()), encode, EVENT_STREAM, is_held=True)
    async with aclosing(pieces()) as source:
        return Whole(head, tuple([piece async for piece in source]))


def thread_of(call: Call[Any, Any], model: str) -> str:
    """Return the thread in which an exchange is kept; empty: in none."""
    by_model = model.removeprefix(_THREAD) if model.startswith(_THREAD) else ""
    by_header = call.headers.get("x-chatdesk-thread", "")
    if by_model and by_header and by_model != by_header:
        raise InvalidRequest((("model", "X-ChatDesk-Thread names another thread"),))
    return by_header or by_model


def chosen(call: Call[Any, Any], name: str) -> tuple[str | None, str | None]:
    """Return the provider and the model that a name means; None where it leaves the choice."""
    if name.startswith(_THREAD) or name in ("", DEFAULT):
        return None, None
    provider, slash, model = name.partition("/")
    if slash and call.services.providers.has(provider):
        return provider, model
    return call.services.providers.default()[0], name


async def _direct(call: Call[Any, Any], head: Head, provider: str, request: ChatRequest) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer that no thread keeps."""
    usage: Usage | None = None
    reason = "stop"
    head.model = request.model or head.model
    async with aclosing(questions_of(call).ask(provider, request)) as events:
        async for event in events:
            match event:
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    yield event
                case PictureDelta(written=written) if written:
                    yield TextDelta(written)  # the model's own text for the picture
                case PictureDelta() if event.url and not event.is_partial:
                    yield event
                case ModelNamed():
                    head.model = event.model
                case UsageReported():
                    usage = event.usage
                case StreamFinished():
                    reason = event.reason.value
    cost_usd = None if usage is None else call.services.chat.context.models.cost_of(provider, head.model, usage)
    yield Ended(reason, usage, cost_usd)


def questions_of(call: Call[Any, Any]) -> DirectQuestions:
    def on_spent(spent: Spent) -> None:
        tokens = 0 if spent.usage is None else spent.usage.total_tokens
        call.allowances.record(call.caller, tokens=tokens, cost_usd=spent.cost_usd)

    services = call.services
    asker = Asker(call.caller.id, call.request_id, on_spent)
    return DirectQuestions(
        asker, services.chat, services.providers, services.repositories.usage, services.events, Clock()
    )


async def _kept(
    call: Call[Any, Any], head: Head, question: Question, provider: str | None, model: str | None
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer that a thread keeps."""
    services = call.services
    asking = ask(
        services.chat,
        services.events,
        question.words(),
        thread_id=head.thread_id,
        parent_id=question.previous_id or None,
        provider=provider,
        model=model,
    )
    async with aclosing(asking) as events:
        async for event in events:
            match event["event"]:
                case "start":
                    call.allowances.follow(call.caller, event["message_id"], call.request_id)
                    head.answer_id = event["message_id"]
                    head.model = event["model"] or head.model
                case "text":
                    yield TextDelta(event["delta"])
                case "reasoning":
                    yield ReasoningDelta(event["delta"])
                case "finish":
                    if event["error"] is not None:
                        raise _failure(event["error"], event["error_type"])
                    for file in event["files"]:
                        if (picture := await _picture(call, file)) is not None:
                            yield picture
                    yield _ended(event)


async def _picture(call: Call[Any, Any], file: dict[str, Any]) -> PictureDelta | None:
    """Return a picture of a stored answer; None for other files, and if its bytes are missing."""
    if file["mime"] not in IMAGE_MIMES:
        return None
    try:
        data = await asyncio.to_thread(_read, call, file)
    except AttachmentUnusable:
        return None
    return PictureDelta(file["sha256"], f"data:{file['mime']};base64,{data}")


def _read(call: Call[Any, Any], file: dict[str, Any]) -> str:
    data = call.services.attachments.blobs.read(file["sha256"], max_bytes=file["size_bytes"])
    return base64.b64encode(data).decode()


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
