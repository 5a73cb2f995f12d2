"""Sends messages to the open thread, and edits and stops them; ``message_actions`` has the actions of their menu."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import Signal

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.question_queue import QuestionQueue
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import StorageError
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.message_actions import MessageActions
from chatdesk.ui.features.chat.message_edit import MessageEdit
from chatdesk.ui.features.chat.message_follower import MessageFollower
from chatdesk.ui.features.chat.next_model import NextAssistant, NextModel
from chatdesk.ui.features.chat.next_questions import compared_words
from chatdesk.ui.features.chat.thread_binding import ThreadBinding, shown_title
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.chat.version_steps import VersionSteps
from chatdesk.ui.window.window_context import Controller, WindowContext

_WAIT = Text("Wait for the answer, or press Esc to stop it. Your text is kept.")


class MessageBinding(Controller):
    """The controller that sends, stops and edits messages. ``busyChanged``: *Stop* acts on another answer,
    or on none; ``compared``: several models were asked at once. ``models`` says who answers, ``follower`` shows what
    happens, ``may_send`` may hold files back."""

    busyChanged = Signal()
    compared = Signal(object)  # Compared
    waitingEditRequested = Signal()  # the last of the questions that wait in the open thread

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        actions: MessageActions,
        *,
        drafts: DraftKeeper,
        models: NextModel,
        questions: Callable[[], QuestionQueue],
        member_name: Callable[[str], str],
    ) -> None:
        super().__init__(context, context.panes.pane)
        self._drafts = drafts
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self.actions = actions
        self.models = models
        self._questions = questions
        self._consent = actions.consent
        self.edit = MessageEdit(context, threads, undo, drafts=drafts)
        self.assistants = NextAssistant(context, threads, models)
        self.may_send: Callable[[Sequence[Attachment]], Awaitable[bool]] | None = None
        self._is_sending = False
        self._sending: asyncio.Task[object] | None = None
        self._is_started = False
        self._early: str | None = None
        self._shown_id: str | None = None
        self._titled_id: str | None = None  # the thread whose title the header shows
        self.versions = VersionSteps(context, threads, undo, member_name=member_name)
        self.follower = MessageFollower(context, threads, self.versions)
        composer = panes.composer
        composer.sendRequested.connect(self._on_composer_send_requested)
        composer.noteRequested.connect(self._on_composer_note_requested)
        composer.stopRequested.connect(self.stop)
        composer.above.stateLeft.connect(self._on_composer_state_left)
        composer.editLastRequested.connect(self._on_composer_edit_last_requested)
        self.edit.changed.connect(self._on_edit_changed)
        self.models.questions.changed.connect(self._show_state)
        self.assistants.changed.connect(self._show_state)
        self.follower.busyChanged.connect(self.busyChanged)
        panes.message_handlers.bind("edit", self.edit.start)
        panes.message_handlers.bind("edit-answer", self.edit.start)
        threads.opened.connect(self._on_thread_opened)

    async def create_thread(self, project_id: str | None) -> str:
        """Make the new chat a thread before its first message, with the composer's text as its draft; return its id."""
        created = await self._open_thread.chat.create_thread(project_id, "", **self.assistants.of_new_thread())
        if self._adopt(created.thread):
            await self._drafts.save()
            await self._drafts.forget_new()
        return created.thread.id

    def _adopt(self, thread: Thread) -> bool:
        self.models.questions.adopt(thread.id)
        return self._threads.adopt(thread)

    # Sending

    async def ask_early(self) -> None:
        """Send the text that was sent before the services were ready, as the first question of a new thread."""
        early, self._early = self._early, None
        if early is not None:
            self._is_sending = True
            self._sending = self._tasks.start(self._send(early, self._panes.composer.files.attached, None), "send")
            await self._sending

    def start(self) -> None:
        """Send to the open thread from now on. Text that was sent while that thread was sought still is in the
        composer."""
        self._early = None
        self._is_started = True

    async def wait_until_sent(self) -> None:
        """Wait until the text being sent is stored as a message. A question that waits for consent is not sent."""
        self._consent.refuse()
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def _on_composer_send_requested(self, text: str) -> None:
        if not self._is_started:
            self._early = text
        elif not self._is_sending:
            self._is_sending, attached = True, self._panes.composer.files.attached
            self._sending = self._tasks.start(self._send(text, attached, self._threads.thread_id), "send")

    async def _send(self, text: str, attached: Sequence[Attachment], thread_id: str | None) -> None:
        """Send a question. When it cannot be stored it stays in the composer and is sent as soon as it can be."""
        try:
            with self._undo.change(thread_id):
                if self.may_send is None or await self.may_send(attached):
                    await self._send_now(text, attached, thread_id)
        except StorageError as error:
            self._drafts.unsaved.retry_later("question", error, lambda: self._send_again(text))
        finally:
            self._is_sending = False

    def _on_composer_note_requested(self, text: str) -> None:
        if self.edit.edited is not None:  # a new version keeps the role of the message that is edited
            self._panes.composer.notice.show_passing(tr("Send or cancel what you are editing first."))
        elif self._is_started and not self._is_sending:
            self._is_sending = True
            work = self._add_note(text, self._panes.composer.files.attached, self._threads.thread_id)
            self._sending = self._tasks.start(work, "add note")

    async def _add_note(self, text: str, attached: Sequence[Attachment], thread_id: str | None) -> None:
        """Store the composer's text as a note, then empty the composer; a new chat begins with the note."""
        try:
            chat, known_id = self._open_thread.chat_of(thread_id), thread_id
            with self._undo.change(thread_id):
                if self.may_send is not None and not await self.may_send(attached):
                    return
                if known_id is None:
                    begun = self.assistants.of_new_thread()
                    known_id = (await chat.create_thread(self._threads.new_project_id, "", **begun)).thread.id
                noted = await chat.manual_messages.add_note(known_id, text, attachments=attached)
            self._drafts.sent(thread_id, text, attached)
            announce(self._panes.composer, tr("Added as a note"))
            if thread_id is None:
                self._adopt(noted.thread)
            elif thread_id == self._threads.thread_id:
                self._panes.transcript.scrolling.to_end()
        finally:
            self._is_sending = False
            self.busyChanged.emit()

    async def _send_again(self, text: str) -> None:
        """Send the text again unless the person has changed it in the meantime; then they send it."""
        if self._panes.composer.text().strip() == text.strip() and not self._is_sending:
            self._is_sending = True
            await self._send_now(text, self._panes.composer.files.attached, self._threads.thread_id)

    async def _send_now(self, text: str, attached: Sequence[Attachment], thread_id: str | None) -> None:
        """Send the composer's text. The composer is emptied only when the text is on disk; on any failure it stays as
        it is. Where another thread was opened in the meantime, that one stays open."""
        editing, stays = None, ""
        run = self._consent.run
        try:
            chat = self._open_thread.chat_of(thread_id)
            if thread_id is not None and chat.is_answering(thread_id):
                await self._wait_for_answer(text, attached, thread_id)
                return
            if self.edit.is_unchanged(thread_id, text, attached):
                self.edit.cancel()
                self._panes.pane.show_toast(tr("Nothing was changed, so the answer stays as it is."))
                return
            editing, stays = self.edit.start_sending(thread_id)
            asked_id = self.assistants.once_id
            if editing is None and thread_id is None and asked_id is not None:
                thread_id = await self.create_thread(self._threads.new_project_id)
            if editing is None and self.models.questions.of(thread_id).models:
                await self._compare(chat, text, attached, thread_id)
                return
            if editing is not None:
                stack = await self._undo.stack(thread_id)
                edit = stack.edit_answer if editing.role is Role.ASSISTANT else stack.edit_message
                is_sent = await run(edit, editing.id, text, attachments=attached)
            elif thread_id is None:
                begun = self.assistants.of_new_thread()
                created = await run(
                    chat.create_thread, self._threads.new_project_id, "", text, attachments=attached, **begun
                )
                if created is not None:
                    self._drafts.sent(None, text, attached)
                    self._adopt(created.thread)
                return
            else:
                is_sent = await run(chat.send_message, thread_id, text, attachments=attached, assistant_id=asked_id)
            if is_sent is None:
                self.edit.restore(editing)
                return
            self.assistants.ask_once(None)
            if stays:
                self._undo.offer(stays)
            self._drafts.sent(thread_id, text, attached, restores_aside=editing is not None)
            if thread_id == self._threads.thread_id:
                self._panes.transcript.scrolling.to_end()
        except BaseException:
            self.edit.restore(editing)
            raise
        finally:
            self.edit.finish_sending()
            self._is_sending = False
            self.busyChanged.emit()

    async def _wait_for_answer(self, text: str, attached: Sequence[Attachment], thread_id: str) -> None:
        """Queue the question until the answer that is being written has ended."""
        chosen = self.models.questions.of(thread_id)
        is_special = chosen.models or chosen.once_id is not None or self.edit.edited_in(thread_id) is not None
        if is_special or self._open_thread.is_temporary(thread_id):  # the queue is stored, a temporary thread is not
            self._panes.composer.notice.show_passing(shown(_WAIT))
            return
        await self._questions().add(thread_id, text, attached)
        self._drafts.sent(thread_id, text, attached)

    def _on_composer_edit_last_requested(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None and self._questions().in_thread(thread_id):
            self.waitingEditRequested.emit()
        else:
            self.edit.start_last()

    async def _compare(
        self, chat: ChatService, text: str, attached: Sequence[Attachment], thread_id: str | None
    ) -> None:
        is_new, models = thread_id is None, self.models.questions.of(thread_id).models
        if thread_id is None:
            created = await chat.create_thread(self._threads.new_project_id, "")
            thread_id = created.thread.id
            if self._adopt(created.thread):
                is_new = False
        compared = await chat.compare(thread_id, text, models, attachments=attached)
        self._drafts.sent(None if is_new else thread_id, text, attached)
        self.compared.emit(compared)

    def stop(self) -> None:
        """Stop the answer of the open thread; while editing instead, give the edit up."""
        thread_id = self._threads.thread_id
        if self.edit.edited is not None and not self._is_answering():
            self.edit.cancel()
        elif thread_id is not None:
            self.actions.run("stop", thread_id, lambda chat: chat.stop(thread_id))

    def can_stop(self) -> bool:
        return self.edit.edited is not None or self._is_answering()

    def _is_answering(self) -> bool:
        thread_id = self._threads.thread_id
        return thread_id is not None and self._open_thread.chat_of(thread_id).is_answering(thread_id)

    def _show_state(self, *_changed: object) -> None:
        """Show above the text which message is edited, how many models are asked, or which assistant."""
        words, leave = self.edit.words or self.assistants.words, tr("Cancel")
        if self.edit.edited is None and self.models.compared:
            words, leave = compared_words(self.models.compared), tr("Stop comparing")
        self._panes.composer.above.set_state(words, leave=leave if words else "")

    def _on_edit_changed(self) -> None:
        self._show_state()
        self.busyChanged.emit()

    def _on_composer_state_left(self) -> None:
        if self.edit.edited is not None:
            self.edit.cancel()
        elif self.models.compared:
            self.models.compare(())
        else:
            self.assistants.ask_once(None)
        self._panes.composer.setFocus()

    def _on_thread_opened(self, thread: Thread | None) -> None:
        thread_id = thread.id if thread else None
        if thread_id != self._shown_id:
            self.versions.forget()
            self.follower.forget()
        self._shown_id = thread_id
        # A new chat gets its name with its first message; a temporary one may have another once it is kept.
        is_editable = thread is not None and not self._threads.is_temporary
        self._panes.header.set_title(
            shown_title(self._threads), is_editable=is_editable, keeps_edit=thread_id == self._titled_id
        )
        self._titled_id = thread_id
        self.models.show()
        self._show_state()
        self._panes.composer.set_streaming(self._is_answering())
        self.busyChanged.emit()
