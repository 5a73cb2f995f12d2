"""Answers that are not asked for yet, because something has to pass first."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.attachment import Attachment


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """``reason`` is a sentence for a person; ``sends_at`` is when it is sent at the earliest (milliseconds UTC; None:
    nobody knows). ``before`` counts those that come before it."""

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
    """An answer that was asked for, in milliseconds UTC."""

    sent_at: int
    provider: str
    project_id: str
