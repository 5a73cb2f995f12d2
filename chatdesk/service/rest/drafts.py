"""Endpoints of drafts: the unsent text and files of a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.thread import Draft
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY
from chatdesk.service.rest.attachments import AttachmentAnswer, AttachmentGiven, attachment_answer, given_files
from chatdesk.service.rest.threads import reached_thread
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """A draft; an empty text if there is none."""

    thread_id: str
    text: str
    cursor: int
    updated_at: str | None
    attachments: tuple[AttachmentAnswer, ...]


@dataclass(frozen=True)
class NewDraft:
    """A draft to store; an empty one removes the draft. ``cursor`` is a place in the text; without it, its end."""

    __pydantic_config__ = BODY
    text: str
    cursor: int | None = None
    attachments: tuple[AttachmentGiven, ...] = ()


def draft_answer(draft: Draft) -> DraftAnswer:
    return DraftAnswer(
        draft.thread_id or "",
        draft.text,
        draft.cursor,
        iso(draft.updated_at) if draft.updated_at else None,
        tuple(attachment_answer(each) for each in draft.attachments),
    )


async def _read(call: Call[Any, Any]) -> Draft:
    thread = await reached_thread(call, call.path["thread_id"])
    return await call.services.chat.drafts.get(thread.id) or Draft(thread.id, "", 0, 0)


async def _write(call: Call[None, NewDraft]) -> Draft:
    thread, body = await reached_thread(call, call.path["thread_id"]), call.body
    end = len(body.text)
    cursor = end if body.cursor is None else max(0, min(body.cursor, end))
    attachments = await given_files(call, body.attachments)
    await call.services.chat.drafts.save(thread.id, body.text, cursor, attachments=attachments)
    return await _read(call)


async def _written(call: Call[Any, Any], _done: DoneRequest) -> Draft:
    return await _read(call)


async def _delete(call: Call[Any, Any]) -> None:
    thread = await reached_thread(call, call.path["thread_id"])
    await call.services.chat.drafts.save(thread.id, "", 0)


_ONE: Final = "/api/v1/threads/{thread_id}/draft"
ENDPOINTS: Final = (
    Endpoint("GET", _ONE, _read, "Read the draft of a thread", draft_answer),
    Endpoint(
        "PUT",
        _ONE,
        _write,
        "Keep a draft",
        draft_answer,
        scope=Scope.WRITE,
        body=NewDraft,
        again=_written,
        guards="draft",
    ),
    Endpoint(
        "DELETE", _ONE, _delete, "Forget the draft of a thread", scope=Scope.WRITE, status=204, again=nothing_again
    ),
)
