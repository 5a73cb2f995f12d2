"""Stores messages that no model writes: notes, and answers that a person edited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from chatdesk.core.chat.answer_starter import AnswerStarter
from chatdesk.core.chat.attachment_rules import attachments_of, names_of
from chatdesk.core.chat.path_changes import PathChanges
from chatdesk.core.chat.results import Edited, Noted
from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, MessageAdded, ThreadChanged
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.texts import Text


class ManualMessages:
    """Stores notes and answers that a person wrote; ``ChatService.manual_messages`` exposes it. ``checked_text``
    refuses text that cannot be stored, ``titled`` gives a thread its title from its first message."""

    def __init__(
        self,
        messages: MessageRepository,
        starter: AnswerStarter,
        paths: PathChanges,
        bus: EventBus,
        *,
        checked_text: Callable[[str, Sequence[Attachment]], str],
        titled: Callable[[Thread, str], Awaitable[Thread]],
    ) -> None:
        self._messages = messages
        self._starter = starter
        self._paths = paths
        self._bus = bus
        self._checked_text = checked_text
        self._titled = titled

    @uninterruptible
    async def add_note(self, thread_id: str, text: str, *, attachments: Sequence[Attachment] = ()) -> Noted:
        """Write a note at the end of the shown path. Nobody answers it, and the model does not see it unless the person
        includes it. Not possible while an answer is being written."""
        checked = checked_id(thread_id)
        words = self._checked_text(text, attachments) or names_of(attachments)
        with self._starter.room_in(checked, is_alone=True):
            note, thread = await self._messages.add_note(checked, text, attachments=attachments)
            if thread.message_count <= 1:
                thread = await self._titled(thread, words)
            self._bus.publish(MessageAdded(note))
            self._bus.publish(ThreadChanged(thread))
            return Noted(thread, note)

    @uninterruptible
    async def edit_note(self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None) -> Noted:
        """Add another version of a note, which is a note, too; ``attachments`` as for ``edit_message``."""
        old = await self._messages.get(checked_id(message_id))
        kept = attachments_of(old) if attachments is None else tuple(attachments)
        self._checked_text(text, kept)
        if not old.is_note:
            raise NotPossible(Text("That is no note."))
        note, thread = await self._messages.add_note(old.thread_id, text, attachments=kept, instead_of=old.id)
        self._paths.publish(thread, note.parent_id)
        return Noted(thread, note)

    @uninterruptible
    async def edit_answer(
        self, message_id: str, text: str, *, attachments: Sequence[Attachment] | None = None
    ) -> Edited:
        """Add a text that a person wrote as another version of an answer; it is sent to the model as its answer. The
        old version stays, with all that came after it. Not possible while an answer is being written in that thread.
        ``attachments`` as for ``edit_message``."""
        old = await self._messages.get(checked_id(message_id))
        kept = attachments_of(old) if attachments is None else tuple(attachments)
        self._checked_text(text, kept)
        with self._starter.room_in(old.thread_id, is_alone=True):
            answer, thread = await self._messages.add_edited_answer(old.id, text, attachments=kept)
            self._paths.publish(thread, answer.parent_id)
            return Edited(thread, answer)
