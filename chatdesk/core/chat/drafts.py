"""Keeps what is written and not sent, a draft for each thread and one for the thread that does not exist yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import Draft
from chatdesk.core.ids import checked_id

if TYPE_CHECKING:  # loaded on the storage thread, after the window is up
    from chatdesk.core.storage.chat.drafts import DraftRepository


class Drafts:
    """Reached as ``ChatService.drafts``; the thread None is the new one."""

    def __init__(self, drafts: DraftRepository) -> None:
        self._drafts = drafts

    async def get(self, thread_id: str | None) -> Draft | None:
        return await self._drafts.get(None if thread_id is None else checked_id(thread_id))

    async def save(
        self, thread_id: str | None, text: str, cursor: int, *, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Keep unsent text and what is attached to it; an empty draft is forgotten."""
        checked = None if thread_id is None else checked_id(thread_id)
        if text or attachments:
            await self._drafts.put(checked, text, cursor, attachments=attachments)
        else:
            await self._drafts.delete(checked)
