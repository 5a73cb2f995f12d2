"""Stores a draft that another program wrote, but never replaces one that the program has not read."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.storage.engine.repeated_request import StaleEdit, guarding
from chatdesk.core.storage.library.requests import RequestRepository
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class DraftWanted:
    """A draft for a thread; ``thread_id`` None: for a new one with this title, in this project or the default one.
    ``replaces`` is the text that the draft of the thread has now; empty where there is none."""

    text: str
    thread_id: str | None = None
    title: str = ""
    project_id: str | None = None
    replaces: str = ""


async def keep_draft(chat: ChatService, requests: RequestRepository, wanted: DraftWanted) -> str:
    """Keep the draft and return the id of its thread. Raises ``InvalidInput`` for an empty one, and ``NotPossible``
    where the thread has another draft than the caller knows of."""
    if not wanted.text.strip():
        raise InvalidInput(Text("A draft cannot be empty."), safe=Text("Nothing was changed."), next_step="")
    if wanted.thread_id is None:
        thread_id = (await chat.create_thread(wanted.project_id, wanted.title or wanted.text[:60])).thread.id
    else:
        thread_id = (await chat.get_thread(wanted.thread_id)).id
    known = wanted.replaces if wanted.thread_id is not None else ""
    # Looked at in the transaction of the write: a person may be typing.
    guard = requests.guard(unchanged=("draft", thread_id, lambda draft: draft.text == known and not draft.attachments))
    try:
        with guarding(guard):
            await chat.drafts.save(thread_id, wanted.text, len(wanted.text))
    except StaleEdit:
        raise NotPossible(
            Text("The thread has another draft, which a person may be writing."),
            safe=Text("It was not changed."),
            next_step=Text("Write the draft into a new thread."),
        ) from None
    return thread_id
