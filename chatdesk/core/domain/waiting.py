"""Describes answers and questions that wait to be sent, and answers that were sent."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.attachment import Attachment


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """An answer that is not requested yet. ``reason`` is a sentence for a person; ``sends_at`` is the earliest time of
    its request (milliseconds UTC; None: not known). ``before`` counts the answers that come before it."""

    message_id: str
    thread_id: str
    provider: str
    model: str
    reason: str = ""
    sends_at: int | None = None
    before: int = 0
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class WaitingQuestion:
    """A question that was sent while an answer was being written, and is asked when that is complete."""

    id: str
    thread_id: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """The time at which an answer was requested, in milliseconds UTC, with its provider and project."""

    sent_at: int
    provider: str
    project_id: str
