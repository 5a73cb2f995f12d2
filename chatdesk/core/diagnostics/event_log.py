"""Logs one line for each event: a name, then ``key=value``. Values are ids, counts, kinds and times, never words.

``EventLog`` writes the events of the bus. Work that publishes none (an export, a backup, a round of sync) writes its
own line by ``log_event``, or by ``job`` around the work. The lines are described in ``docs/runbook.md``.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from chatdesk.core.domain.message import Message, Part, PartType, Role
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import (
    AnswerFinished,
    ApprovalAsked,
    ApprovalEnded,
    EventBus,
    FirstTokenArrived,
    LimitNear,
    MessageAdded,
    PathChanged,
    ProjectChanged,
    ProjectCreated,
    ProjectDeleted,
    PromptsChanged,
    ProvidersChanged,
    QueueChanged,
    ReachabilityChanged,
    RetryWaiting,
    SharedMessagesArrived,
    StorageFailed,
    StorageRecovered,
    Subscription,
    SyncStatusChanged,
    TagsChanged,
    TeamChanged,
    ThreadChanged,
    ThreadCreated,
    ThreadDeleted,
    ThreadsChanged,
    TurnStarted,
    TurnTimed,
)

_log = logging.getLogger("chatdesk.events")

_PLAIN = re.compile(r"[\w.:/@+-]{1,120}", re.ASCII)
_MS_PER_S = 1000


def log_event(name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log one line; fields that are None are left out. Pass ids, numbers, kinds and codes, never a person's text."""
    if _log.isEnabledFor(level):
        known = [f"{key}={_value(value)}" for key, value in fields.items() if value is not None]
        _log.log(level, " ".join([name, *known]))  # whole, so that it is searched for secrets once


@contextmanager
def job(name: str, **fields: object) -> Iterator[dict[str, Any]]:
    """Log one line when the block ends: its status, reason and duration, and the fields put into the yielded
    dictionary."""
    found: dict[str, Any] = dict(fields)
    began_s = time.monotonic()
    status, reason = "failed", None
    try:
        yield found
        status = "done"
    except ChatDeskError as error:
        reason = error.code
        raise
    except Exception as error:
        reason = type(error).__name__
        raise
    except BaseException:  # cancelled: no fault
        status = "stopped"
        raise
    finally:
        took_ms = round((time.monotonic() - began_s) * _MS_PER_S)
        log_event(name, status=status, reason=reason, took_ms=took_ms, **found)


def _value(value: object) -> object:
    """Return a number as it is; text in quotes, escaped, where it could be taken for more than one value or line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return value
    text = str(value.value) if isinstance(value, Enum) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text[:60])


class EventLog:
    """Writes a line for each event of a bus, from its making until ``close``."""

    def __init__(self, bus: EventBus) -> None:
        self._phases: dict[str, object] = {}
        handlers: dict[type, Callable[[Any], None]] = {
            ThreadCreated: lambda event: log_event("thread.created", **_thread(event)),
            ThreadChanged: lambda event: log_event("thread.changed", **_thread(event)),
            ThreadDeleted: lambda event: log_event(
                "thread.purged" if event.is_purged else "thread.deleted", thread=event.thread_id
            ),
            ThreadsChanged: lambda event: log_event(
                "threads.changed", count=None if event.threads is None else len(event.threads)
            ),
            ProjectCreated: lambda event: log_event("project.created", project=event.project.id),
            ProjectChanged: lambda event: log_event("project.changed", project=event.project.id),
            ProjectDeleted: lambda event: log_event("project.deleted", project=event.project.id),
            TagsChanged: lambda _event: log_event("tags.changed"),
            PromptsChanged: lambda _event: log_event("prompts.changed"),
            ProvidersChanged: lambda _event: log_event("providers.changed"),
            PathChanged: lambda event: log_event("path.changed", thread=event.thread_id, message=event.from_message_id),
            MessageAdded: self._on_message_added,
            TurnStarted: lambda event: log_event(
                "turn.asked",
                thread=event.thread_id,
                answer=event.message_id,
                provider=event.provider,
                model=event.model,
            ),
            FirstTokenArrived: lambda event: log_event(
                "turn.first_token",
                thread=event.thread_id,
                answer=event.message_id,
                first_token_ms=event.time_to_first_token_ms,
            ),
            RetryWaiting: lambda event: log_event(
                "turn.retried",
                thread=event.thread_id,
                answer=event.message_id,
                attempt=event.attempt,
                delay_s=round(event.delay_s, 1),
            ),
            AnswerFinished: self._on_answer_finished,
            TurnTimed: self._on_turn_timed,
            LimitNear: lambda _event: log_event("limit.near"),
            QueueChanged: lambda event: log_event("queue.changed", waiting=len(event.waiting)),
            ApprovalAsked: lambda event: log_event(
                "tool.asked", thread=event.request.thread_id, message=event.request.message_id, request=event.request.id
            ),
            ApprovalEnded: lambda event: log_event("tool.asked_no_more", request=event.request_id),
            ReachabilityChanged: lambda event: log_event(
                "network.changed", unreachable=len(event.unreachable), waiting=len(event.waiting)
            ),
            StorageFailed: lambda _event: log_event("storage.failed", level=logging.WARNING),
            StorageRecovered: lambda _event: log_event("storage.recovered"),
            SyncStatusChanged: self._on_sync_status,
            SharedMessagesArrived: lambda event: log_event(
                "sync.messages", thread=event.thread_id, count=len(event.message_ids)
            ),
            TeamChanged: lambda _event: log_event("team.changed"),
        }
        self._subscriptions: list[Subscription] = [bus.subscribe(kind, handler) for kind, handler in handlers.items()]

    def close(self) -> None:
        """Stop writing."""
        for subscription in self._subscriptions:
            subscription.cancel()

    def _on_message_added(self, event: MessageAdded) -> None:
        message = event.message
        if message.role is not Role.ASSISTANT:  # an answer has lines of its own
            parts = [part for part in message.parts if part.type is not PartType.TEXT]
            log_event(
                "message.added",
                thread=message.thread_id,
                message=message.id,
                role=message.role,
                characters=len(message.text),
                attachments=len(parts) or None,
            )

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        message = event.message
        for part in message.parts:
            if part.type in (PartType.TOOL_CALL, PartType.TOOL_RESULT):
                _log_tool(message, part)
        log_event(
            "turn.ended",
            thread=message.thread_id,
            answer=message.id,
            provider=message.provider,
            model=message.model,
            status=message.status,
            reason=message.error_type,
            finish=message.finish_reason,
            http=_number(message.error_details.get("status")),
            input_tokens=message.prompt_tokens,
            output_tokens=message.completion_tokens,
            cached_tokens=message.cached_tokens,
            written_tokens=message.written_tokens,
            reasoning_tokens=message.reasoning_tokens,
            latency_ms=message.latency_ms,
            first_token_ms=message.time_to_first_token_ms,
        )

    def _on_turn_timed(self, event: TurnTimed) -> None:
        log_event(
            "turn.timed",
            level=logging.DEBUG,
            thread=event.thread_id,
            answer=event.message_id,
            loading_ms=event.loading_ms,
            streaming_ms=event.streaming_ms,
            storing_ms=event.storing_ms,
            pieces=event.pieces,
        )

    def _on_sync_status(self, event: SyncStatusChanged) -> None:
        status = event.status
        if self._phases.get(status.workspace_id) != status.phase:  # progress has lines at the end of a round
            self._phases[status.workspace_id] = status.phase
            log_event("sync.phase", workspace=status.workspace_id, phase=status.phase, reason=status.code or None)


def _thread(event: ThreadCreated | ThreadChanged) -> dict[str, Any]:
    thread = event.thread
    return {"thread": thread.id, "project": thread.project_id, "messages": thread.message_count}


def _log_tool(message: Message, part: Part) -> None:
    """Log a tool call by its sizes alone; its name may be anything that a model wrote."""
    log_event(
        "tool.called" if part.type is PartType.TOOL_CALL else "tool.answered",
        thread=message.thread_id,
        answer=message.id,
        index=part.index,
        bytes=sum(len(str(value)) for value in part.content.values()),
        took_ms=part.tool_duration_ms,
    )


def _number(value: object) -> int | None:
    return value if type(value) is int else None
