"""Controls the editing of a message: a new version is written in the composer, and the old one is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from PySide6.QtCore import Signal

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.errors import NotFound
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.shared_drafts import DraftContent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

# Enough to find the last question of a thread whose newest messages are tool calls.
_TAIL = 20


class MessageEdit(Controller):
    """The editing of a question, which is asked again, or of an answer, which becomes the person's own. ``changed`` is
    emitted when another message, or none, is being edited."""

    changed = Signal()

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, undo: UndoBinding, *, drafts: DraftKeeper
    ) -> None:
        super().__init__(context)
        self._threads = threads
        self._undo = undo
        self._drafts = drafts
        self._editing: Message | None = None
        self.left_id: str | None = None  # the message that is edited again after a restart
        self._later = 0  # number of messages below it on the shown path
        self._is_idle = asyncio.Event()  # set while no message is being sent
        self._is_idle.set()

    @property
    def edited(self) -> Message | None:
        """The message that the text in the composer is a new version of; in another thread it waits for the reader."""
        return self.edited_in(self._threads.thread_id)

    def edited_in(self, thread_id: str | None) -> Message | None:
        editing = self._editing
        return editing if editing is not None and editing.thread_id == thread_id else None

    @property
    def words(self) -> str:
        """The sentence that is above the text during editing; empty without an edit."""
        if self.edited is None:
            return ""
        stays = later_words(self._later, self.edited.version_index)
        if self.edited.role is Role.ASSISTANT:
            sent = stays or tr("Sending makes a version that is marked as yours.")
            return " ".join((tr("Editing an answer."), sent))
        if stays:
            return " ".join((tr("Editing a question."), stays))
        return tr("Editing your last question. Sending makes a new version.")

    def start(self, message_id: str) -> None:
        self._tasks.replace(self._start(message_id), "edit")

    @in_task("edit", replaces=True)
    async def start_last(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return
        page = await self._open_thread.chat.reader.get_thread_messages(thread_id, _TAIL)
        own = (each for each in reversed(page.messages) if each.role is Role.USER and each.author_id is None)
        message = next(own, None)
        if message is not None:
            await self._start(message.id)

    def cancel(self) -> None:
        """Keep the old version; the composer's earlier text comes back. The changed text can be brought back, too."""
        editing, dropped = self.edited, self._drafts.content()
        if editing is None:
            return
        self._drop()
        if dropped.text != editing.text or dropped.attached != attachments_of(editing):
            self._undo.record(
                tr("leave the edit"),
                partial(self._resume, editing, dropped),
                self._drop_soon,
                thread_id=editing.thread_id,
            )
            self._undo.offer(tr("Your changes were left out"))

    def _drop(self) -> None:
        editing = self.edited
        if editing is not None:
            self._set(None)
            self._panes.composer.clear()
            self._drafts.restore_aside(editing.thread_id)

    async def _drop_soon(self) -> None:
        self._drop()

    async def _resume(self, message: Message, written: DraftContent) -> None:
        """Edit a message again, with the stored text of its new version."""
        await self._threads.open(message.thread_id)
        try:
            await self._start(message.id)
        except NotFound:
            await self._drafts.prepend(message.thread_id, written.text, written.attached)
        if self.edited is not None and self.edited.id == message.id:
            self._drafts.show_content(written)

    async def bring_back(self, message_ids: Sequence[str]) -> None:
        """Go on with the edit that this chat was left in; its draft is the text of the new version."""
        for message_id in message_ids:
            with suppress(NotFound):
                message = await self._open_thread.chat.reader.get_message(message_id)
                if message.thread_id == self._threads.thread_id and self._editing is None:
                    await self._start(message_id, takes_draft=True)

    def end(self, *, is_left: bool = False) -> None:
        """End the edit: its text becomes an ordinary draft, behind what was in the composer before. ``is_left``: the
        chat is closed, and the edit may come back with it."""
        editing, left_id = self._editing, self.left_id
        if editing is not None:
            self._set(None, left_id=left_id if is_left else None)
            if self._threads.thread_id == editing.thread_id and self._panes.composer.text() == editing.text:
                self._panes.composer.clear()  # nothing was changed
            self._drafts.restore_aside(editing.thread_id)

    def is_unchanged(self, thread_id: str | None, text: str, attached: Sequence[Attachment]) -> bool:
        """Return whether an answer is edited and has every word as it was. An unchanged question may be asked again; an
        unchanged answer would only get a wrong author."""
        editing = self.edited_in(thread_id)
        if editing is None or editing.role is not Role.ASSISTANT:
            return False
        return text == editing.text and tuple(attached) == attachments_of(editing)

    def start_sending(self, thread_id: str | None) -> tuple[Message | None, str]:
        """End the edit because it is sent. Return the message that the new version replaces, and the sentence to show
        once it was sent. Call ``restore`` if sending fails, and ``finish_sending`` in any case."""
        self._is_idle.clear()
        editing = self.edited_in(thread_id)
        stays = "" if editing is None else later_words(self._later, editing.version_index)
        if editing is not None:
            self._set(None, later=self._later)
        return editing, stays

    def restore(self, editing: Message | None) -> None:
        if editing is not None and self._editing is None:
            self._set(editing, later=self._later)

    def finish_sending(self) -> None:
        """Allow the next edit, because sending has ended: the draft that was set aside for this one is back, or the
        edit."""
        self._is_idle.set()

    async def _start(self, message_id: str, *, takes_draft: bool = False) -> None:
        composer = self._panes.composer
        if composer.refusal:
            self._panes.pane.show_toast(composer.refusal)
            return
        chat = self._open_thread.chat
        message = await chat.reader.get_message(message_id)
        is_answer = message.role is Role.ASSISTANT
        if is_answer and not message.status.is_final:
            self._panes.pane.show_toast(tr("Wait for the answer, or press Esc to stop it. Then it can be edited."))
            return
        # Counts messages of the shown path; the answer to a question goes with it and is not counted.
        page = await chat.reader.get_thread_messages(message.thread_id, 1)
        below = page.messages[-1].position - message.position if page.messages else 0
        later = max(0, below if is_answer else below - 1)
        await self._is_idle.wait()
        await self._drafts.load()
        if message.thread_id != self._threads.thread_id:
            return
        if self.edited is not None and self.edited.id == message.id:
            composer.setFocus()  # the text changed so far stays
            return
        self.end()
        written = self._drafts.content() if takes_draft else DraftContent()
        if written:
            composer.clear()
        self._drafts.set_aside()
        aside = self._drafts.set_aside_in(message.thread_id)
        is_alone = aside is None or not aside.draft  # else the draft has text besides the edit
        self._set(message, later=later, left_id=message.id if is_alone else None)
        composer.files.set_attached(attachments_of(message))
        composer.set_text(message.text)
        composer.set_cursor_position(len(message.text))
        if written:
            self._drafts.show_content(written)
        composer.setFocus()

    def _set(self, editing: Message | None, *, later: int = 0, left_id: str | None = None) -> None:
        self._editing, self._later, self.left_id = editing, later, left_id
        self._panes.transcript.conversation.mark_edited(None if editing is None else editing.id)
        self.changed.emit()


def later_words(count: int, version: int) -> str:
    """Return a sentence about the later messages that stay in the old version; empty when there are none."""
    if count <= 0:
        return ""
    return shown(
        plural(
            "{count} later messages stay in version {version}.",
            "{count} later message stays in version {version}.",
            count,
            version=version,
        )
    )
