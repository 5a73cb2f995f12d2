"""Asks one question and yields its answer as plain dictionaries, for scripts and for other processes.

The events are ``start`` (ids), ``file`` (an attachment that is not sent, or not whole), then ``tools`` (those of a
server, and why some are not offered), ``text``, ``reasoning``, ``retry``, ``waiting``, ``approval`` (a tool was to be
called) and ``unsaved``, then ``finish`` (status, usage, error).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.results import Created, Sent
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, Part, PartType
from chatdesk.core.errors import AnswerNotSaved, StorageError
from chatdesk.core.events import (
    AnswerFinished,
    ApprovalAsked,
    EventBus,
    QueueChanged,
    RetryWaiting,
    StorageFailed,
    StorageRecovered,
    TextStreamed,
    ToolsOffered,
)
from chatdesk.core.rendering.sources import files_outcome_of, sources_of

AskEvent = dict[str, Any]
_EVENTS = (
    *(TextStreamed, RetryWaiting, QueueChanged, AnswerFinished),
    *(StorageFailed, StorageRecovered, ApprovalAsked, ToolsOffered),
)
# How long an answer that cannot be saved, and of which nothing more comes, is held for a disk that takes it.
PATIENCE_S = 10.0
_LONGEST_STOP_S = 2.0  # the end of the services waits for everything that can be stored


async def ask(
    chat: ChatService,
    bus: EventBus,
    text: str,
    *,
    thread_id: str | None = None,
    parent_id: str | None = None,
    edits: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    attachments: Sequence[Attachment] = (),
    assistant_id: str | None = None,
    patience_s: float = PATIENCE_S,
) -> AsyncGenerator[AskEvent, None]:
    """Ask in a thread (None: in a new one), there below the answer ``parent_id`` or at the end, or as another version
    of the question with the id ``edits``, and yield events. ``attachments`` go along; another version keeps its own
    where there are none. ``assistant_id``: the assistant that is asked; None: the thread's. Closing the generator early
    stops the answer; its text is kept. Raises ``AnswerNotSaved`` when the answer cannot be saved for ``patience_s``
    seconds."""
    queue: asyncio.Queue[object] = asyncio.Queue()
    subscriptions = [bus.subscribe(kind, queue.put_nowait) for kind in _EVENTS]
    answer_id: str | None = None
    is_finished = False
    last: AskEvent | None = None
    try:
        start = partial(_start_answer, chat, text, thread_id=thread_id, parent_id=parent_id, edits=edits)
        asked = await start(provider=provider, model=model, attachments=attachments, assistant_id=assistant_id)
        thread, question, answer = asked.thread, asked.question, asked.answer
        assert question is not None  # both exist when there was a text
        assert answer is not None
        answer_id = answer.id
        yield {
            "event": "start",
            "thread_id": thread.id,
            "question_id": question.id,
            "message_id": answer.id,
            "provider": answer.provider,
            "model": answer.model,
        }
        for event in await _left_out(chat, question, answer):
            yield event
        unsaved = _Unsaved(patience_s)
        while not is_finished:
            news = await unsaved.next(queue)
            if isinstance(news, ApprovalAsked):
                if news.request.message_id == answer_id:
                    yield _wanted(news, is_denied=chat.tools.approvals.is_unattended)
                continue
            described = _described(news, answer_id)
            if described is not None and (described != last or described["event"] != "waiting"):
                last = described
                is_finished = described["event"] == "finish"
                yield described
    finally:
        for subscription in subscriptions:
            subscription.cancel()
        if answer_id is not None and not is_finished:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_STOP_S):
                    await chat.stop(answer_id)


async def _left_out(chat: ChatService, question: Message, answer: Message) -> list[AskEvent]:
    """Return a ``file`` event for each attachment that is not sent, or not whole."""
    shares = await chat.context.shares_of(attachments_of(question), answer.provider, answer.model)
    return [{"event": "file", "name": each.attachment.name, "problem": each.reason} for each in shares if each.reason]


async def _start_answer(
    chat: ChatService,
    text: str,
    *,
    thread_id: str | None,
    parent_id: str | None,
    edits: str | None,
    provider: str | None,
    model: str | None,
    attachments: Sequence[Attachment],
    assistant_id: str | None,
) -> Created | Sent:
    """Store the question, and start its answer."""
    if edits is not None:
        return await chat.edit_message(edits, text, attachments=attachments or None)
    if thread_id is None:
        new = partial(chat.create_thread, None, "", text, provider=provider, model=model)
        return await new(attachments=attachments, assistant_id=assistant_id)
    send = partial(chat.send_message, thread_id, text, parent_id=parent_id, provider=provider, model=model)
    return await send(attachments=attachments, assistant_id=assistant_id)


class _Unsaved:
    """Limits how long the next event is awaited while an answer cannot be saved. A window could wait for ever."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._error: StorageError | None = None
        self._ends_at = 0.0

    async def next(self, queue: asyncio.Queue[object]) -> object:
        """Return the next event; of several save failures in a row only the first. Raises ``AnswerNotSaved``."""
        clock = asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout_at(None if self._error is None else self._ends_at):
                    event = await queue.get()
            except TimeoutError:
                assert self._error is not None
                raise AnswerNotSaved(self._error.what, next_step=self._error.next_step) from None
            match event:
                case StorageFailed() if self._error is not None:
                    continue
                case StorageFailed(error=error):
                    self._error, self._ends_at = error, clock() + self._patience_s
                case StorageRecovered():
                    self._error = None
                case TextStreamed():
                    self._ends_at = clock() + self._patience_s
            return event


def _described(event: object, answer_id: str) -> AskEvent | None:
    match event:
        case TextStreamed(message_id=message_id, kind=kind, delta=delta) if message_id == answer_id:
            return {"event": kind, "delta": delta}
        case RetryWaiting(message_id=message_id) if message_id == answer_id:
            return {"event": "retry", "attempt": event.attempt, "delay_s": event.delay_s, "reason": event.reason}
        case ToolsOffered(message_id=message_id) if message_id == answer_id:
            server = {"server": event.server, "server_id": event.server_id}
            return {"event": "tools", **server, "tools": list(event.tools), "notes": list(event.notes)}
        case QueueChanged(waiting=waiting):
            found = next((each for each in waiting if each.message_id == answer_id), None)
            if found is not None:
                return {"event": "waiting", "reason": found.reason, "sends_at": found.sends_at, "before": found.before}
        case StorageFailed(error=error):
            return {"event": "unsaved", "reason": error.sentence_without_window}
        case AnswerFinished(message=message) if message.id == answer_id:
            return finished(message)
    return None


def _wanted(event: ApprovalAsked, *, is_denied: bool) -> AskEvent:
    """Return the ``approval`` event of a call that a window asks about, or that was denied because there is none."""
    tool = event.request.tool
    return {
        "event": "approval",
        "id": event.request.id,
        "server": tool.server_name,
        "server_id": tool.server_id,
        "tool": tool.name,
        "arguments": event.request.arguments,
        "is_denied": is_denied,
    }


def _call(part: Part) -> AskEvent:
    """Return one call of a tool as the ``finish`` event lists it."""
    content = part.content
    return {
        "server": content.get("server"),
        "server_id": content.get("server_id"),
        "tool": content.get("tool") or part.tool_name,
        "arguments": content.get("arguments"),
        "status": content.get("status"),
        "error": content.get("error"),
        "step": part.step_index,
    }


def finished(message: Message) -> AskEvent:
    """Return the ``finish`` event for a finished answer."""
    return {
        "event": "finish",
        "thread_id": message.thread_id,
        "message_id": message.id,
        "status": message.status.value,
        "text": message.text,
        "files": [each.as_content() for each in attachments_of(message)],
        "calls": [_call(part) for part in message.parts if part.type is PartType.TOOL_CALL],
        "sources": [each.as_content() for each in sources_of(message.parts)],
        "project_files": files_outcome_of(message.parts),
        "finish_reason": message.finish_reason,
        "error": message.error if message.error is None else message.error_sentence,
        "error_type": message.error_type,
        "usage": {
            "input_tokens": message.prompt_tokens,
            "output_tokens": message.completion_tokens,
            "cached_tokens": message.cached_tokens,
            "written_tokens": message.written_tokens,
            "reasoning_tokens": message.reasoning_tokens,
        },
        "cost_usd": message.cost_usd,
        "latency_ms": message.latency_ms,
        "time_to_first_token_ms": message.time_to_first_token_ms,
    }
