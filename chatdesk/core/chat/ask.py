"""One question and its answer as a stream of plain dictionaries, for scripts and for the other process.

``start`` (ids), then ``text``, ``reasoning``, ``retry`` and ``waiting``, then ``finish`` (status, usage, error).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from chatdesk.core.chat.service import ChatService, Created, Sent
from chatdesk.core.domain.message import Message
from chatdesk.core.events import AnswerFinished, EventBus, QueueChanged, RetryWaiting, TextStreamed

AskEvent = dict[str, Any]
_EVENTS = (TextStreamed, RetryWaiting, QueueChanged, AnswerFinished)


async def ask(
    chat: ChatService,
    bus: EventBus,
    text: str,
    *,
    thread_id: str | None = None,
    edits: str | None = None,
    provider: str | None = None,
    model: str | None = None,
) -> AsyncGenerator[AskEvent, None]:
    """Ask in a thread (None: in a new one), or as another version of the question ``edits``. Closing the generator
    early stops the answer; its text is kept."""
    queue: asyncio.Queue[object] = asyncio.Queue()
    subscriptions = [bus.subscribe(kind, queue.put_nowait) for kind in _EVENTS]
    answer_id: str | None = None
    is_finished = False
    last: AskEvent | None = None
    try:
        asked: Created | Sent
        if edits is not None:
            asked = await chat.edit_message(edits, text)
        elif thread_id is None:
            asked = await chat.create_thread(None, "", text, provider=provider, model=model)
        else:
            asked = await chat.send_message(thread_id, text, provider=provider, model=model)
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
        while not is_finished:
            event = await queue.get()
            described = _described(event, answer_id)
            if described is not None and (described != last or described["event"] != "waiting"):
                last = described
                is_finished = described["event"] == "finish"
                yield described
    finally:
        for subscription in subscriptions:
            subscription.cancel()
        if answer_id is not None and not is_finished:
            await chat.stop(answer_id)


def _described(event: object, answer_id: str) -> AskEvent | None:
    match event:
        case TextStreamed(message_id=message_id, kind=kind, delta=delta) if message_id == answer_id:
            return {"event": kind, "delta": delta}
        case RetryWaiting(message_id=message_id) if message_id == answer_id:
            return {"event": "retry", "attempt": event.attempt, "delay_s": event.delay_s, "reason": event.reason}
        case QueueChanged(waiting=waiting):
            found = next((each for each in waiting if each.message_id == answer_id), None)
            if found is not None:
                return {"event": "waiting", "reason": found.reason, "sends_at": found.sends_at, "before": found.before}
        case AnswerFinished(message=message) if message.id == answer_id:
            return finished(message)
    return None


def finished(message: Message) -> AskEvent:
    """The last event of an answer."""
    return {
        "event": "finish",
        "thread_id": message.thread_id,
        "message_id": message.id,
        "status": message.status.value,
        "text": message.text,
        "finish_reason": message.finish_reason,
        "error": message.error,
        "error_type": message.error_type,
        "usage": {
            "input_tokens": message.prompt_tokens,
            "output_tokens": message.completion_tokens,
            "cached_tokens": message.cached_tokens,
            "reasoning_tokens": message.reasoning_tokens,
        },
        "cost_usd": message.cost_usd,
        "latency_ms": message.latency_ms,
        "time_to_first_token_ms": message.time_to_first_token_ms,
    }
