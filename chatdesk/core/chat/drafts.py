"""Keeps unsent text: a draft for each thread, and one for the thread that does not exist yet."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import NEW_DRAFT, QUICK_DRAFT, Draft
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.drafts import DraftRepository


class Drafts:
    """Stores unsent texts; ``ChatService.drafts`` exposes it. The thread None is the new one; ``QUICK_DRAFT`` is the
    quick window."""

    def __init__(self, drafts: DraftRepository) -> None:
        self._drafts = drafts

    async def get(self, thread_id: str | None) -> Draft | None:
        return await self._drafts.get(_slot_of(thread_id))

    async def save(
        self, thread_id: str | None, text: str, cursor: int, *, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Keep unsent text and its attachments; an empty draft is removed."""
        if text or attachments:
            await self._drafts.save(_slot_of(thread_id), text, cursor, attachments=attachments)
        else:
            await self._drafts.delete(_slot_of(thread_id))


def _slot_of(thread_id: str | None) -> str:
    if thread_id is None:
        return NEW_DRAFT
    return thread_id if thread_id == QUICK_DRAFT else checked_id(thread_id)
