"""The open thread's messages: what a person does to them, and what the services say happened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.titles import NEW_THREAD_TITLE
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import StorageError
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.application.drafts import DraftKeeper
from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.application.thread_binding import ThreadBinding
from chatdesk.ui.application.undo_binding import UndoBinding
from chatdesk.ui.application.unsaved import Unsaved
from chatdesk.ui.async_tasks import AsyncTasks

if TYPE_CHECKING:
    from chatdesk.core.chat.service import ChatService
    from chatdesk.core.domain.attachment import Attachment
    from chatdesk.core.events import AnswerFinished, PathChanged, RetryWaiting, TextStreamed
    from chatdesk.ui.application.arriving import ArrivingMessages
    from chatdesk.ui.application.panes import Panes
    from chatdesk.ui.application.settings_binding import SettingsBinding
    from chatdesk.ui.event_bridge import EventBridge

# Enough to find the last question of a thread whose newest messages are tool calls.
_TAIL = 20
# Messages of another path that are shown before it is stored: more than a screen of them.
_AHEAD = 20


class MessageBinding(QObject):
    """Sends, stops, edits, regenerates; and follows the stream. ``busyChanged``: what *Stop* would do changed;
    ``compared``: several models were asked at once."""

    busyChanged = Signal()
    compared = Signal(object)  # Compared

    def __init__(
        self,
        panes: Panes,
        threads: ThreadBinding,
        undo: UndoBinding,
        settings: SettingsBinding,
        *,
        drafts: DraftKeeper,
        handle: ServiceHandle,
        tasks: AsyncTasks,
        unsaved: Unsaved,
    ) -> None:
        super().__init__()
        self._unsaved = unsaved
        self._drafts = drafts
        self._panes = panes
        self._threads = threads
        self._undo = undo
        self._settings = settings
        self._handle = handle
        self._tasks = tasks
        self._editing: Message | None = None
        self._is_sending = False
        self._sending: asyncio.Task[object] | None = None
        self._has_begun = False
        self._early: str | None = None
        self._arriving: ArrivingMessages | None = None
        self._shown_id: str | None = None
        self._titled_id: str | None = None  # whose title the header shows
        self._model: tuple[str, str] | None = None
        self._compared: list[tuple[str, str]] = []
        self._switching = asyncio.Lock()
        self._ahead: tuple[str, str | None] | None = None  # thread and message below which another path is seen
        transcript, composer = panes.transcript, panes.composer
        composer.sendRequested.connect(self._on_composer_send_requested)
        composer.stopRequested.connect(self.stop)
        composer.editLastRequested.connect(self.edit_last)
        transcript.copyRequested.connect(self._on_transcript_copy_requested)
        transcript.regenerateRequested.connect(self.regenerate)
        transcript.editRequested.connect(self.edit)
        transcript.continueRequested.connect(lambda id_: self._do("continue_message", id_))
        transcript.retryRequested.connect(lambda id_: self._do("retry_message", id_))
        transcript.deleteRequested.connect(self.delete)
        transcript.versionRequested.connect(self._on_transcript_version_requested)
        transcript.branchRequested.connect(self.branch)
        threads.opened.connect(self._on_thread_opened)

    def follow(self, bridge: EventBridge) -> None:
        bridge.message_added.connect(lambda event: self._on_message_added(event.message))
        bridge.message_changed.connect(lambda event: self._on_message_changed(event.message))
        bridge.path_changed.connect(self._on_path_changed)
        bridge.turn_started.connect(lambda event: self._on_turn_started(event.thread_id))
        bridge.text_streamed.connect(self._on_text_streamed)
        bridge.retry_waiting.connect(self._on_retry_waiting)
        bridge.answer_finished.connect(self._on_answer_finished)

    def choose_model(self, provider: str, model: str) -> None:
        """For the open thread, and for the next new one."""
        self._model = (provider, model)
        self._compared = []
        self._show_model()
        thread = self._threads.open_thread
        if thread is not None and (thread.provider, thread.model) != self._model:
            self._tasks.start(self._set_model(thread.id, provider, model), "set model")

    async def _set_model(self, thread_id: str, provider: str, model: str) -> None:
        await (await self._handle.chat()).set_thread_model(thread_id, provider, model)

    @property
    def answering_model(self) -> tuple[str | None, str | None]:
        """(provider, model) of the next answer; None: the default one."""
        thread = self._threads.open_thread
        return (thread.provider, thread.model) if thread is not None else self._model or (None, None)

    @property
    def compared_models(self) -> tuple[tuple[str, str], ...]:
        """Those that the next question goes to at once; empty: one model answers."""
        return tuple(self._compared)

    def compare_models(self, models: Sequence[tuple[str, str]]) -> None:
        self._compared = list(models)
        self._show_model()

    # Sending

    async def ask_early(self) -> None:
        """What was sent before anything could be: it begins a thread, as the window shows one that is new."""
        early, self._early = self._early, None
        if early is not None:
            self._is_sending = True
            self._sending = self._tasks.start(self._send(early, self._panes.composer.attached, None), "send")
            await self._sending

    def begin(self) -> None:
        """From now on what is sent goes to the thread that is open; what a person sent while that one was sought still
        stands in the composer."""
        self._early = None
        self._has_begun = True

    async def settle(self) -> None:
        """Until what is being sent is a message: then it is no draft any more."""
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def _on_composer_send_requested(self, text: str) -> None:
        if not self._has_begun:
            self._early = text
        elif not self._is_sending:
            self._is_sending = True
            work = self._send(text, self._panes.composer.attached, self._threads.thread_id)
            self._sending = self._tasks.start(work, "send")

    async def _send(self, text: str, attached: Sequence[Attachment], thread_id: str | None) -> None:
        """What cannot be stored stays in the composer, and is sent as soon as it can be."""
        try:
            await self._send_now(text, attached, thread_id)
        except StorageError as error:
            self._unsaved.keep("question", error, lambda: self._send_again(text))

    async def _send_again(self, text: str) -> None:
        """Unless the person has changed it meanwhile, who then sends it."""
        if self._panes.composer.text().strip() == text.strip() and not self._is_sending:
            self._is_sending = True
            await self._send_now(text, self._panes.composer.attached, self._threads.thread_id)

    async def _send_now(self, text: str, attached: Sequence[Attachment], thread_id: str | None) -> None:
        """The composer is emptied only when the text is on disk; on any failure it stays as it is. Where another thread
        was opened meanwhile, that one stays open."""
        editing = self._editing if self._editing is not None and self._editing.thread_id == thread_id else None
        if editing is not None:
            self._editing = None
        try:
            chat = await self._handle.chat()
            provider, model = self._model or (None, None)
            if editing is None and self._compared:
                await self._compare(chat, text, attached, thread_id)
                return
            if editing is not None:
                await (await self._undo.stack()).edit_message(editing.id, text, attachments=attached)
            elif thread_id is None:
                created = await chat.create_thread(
                    self._threads.new_project_id, "", text, provider=provider, model=model, attachments=attached
                )
                self._drafts.sent(None, text, attached)
                self._threads.adopt(created.thread)
                return
            else:
                await chat.send_message(thread_id, text, attachments=attached)
            self._drafts.sent(thread_id, text, attached, gives_back=editing is not None)
            if thread_id == self._threads.thread_id:
                self._panes.transcript.scroll_to_end()
        except BaseException:
            self._editing = self._editing or editing
            raise
        finally:
            self._is_sending = False
            self.busyChanged.emit()

    async def _compare(
        self, chat: ChatService, text: str, attached: Sequence[Attachment], thread_id: str | None
    ) -> None:
        is_new = thread_id is None
        if thread_id is None:
            created = await chat.create_thread(self._threads.new_project_id, "")
            thread_id = created.thread.id
            if self._threads.adopt(created.thread):
                is_new = False
        compared = await chat.compare(thread_id, text, self._compared, attachments=attached)
        self._drafts.sent(None if is_new else thread_id, text, attached)
        self.compared.emit(compared)

    def stop(self) -> None:
        """Stop the answer of the open thread; while editing instead, give the edit up."""
        thread_id = self._threads.thread_id
        if self._edited is not None and not self._is_answering():
            self.cancel_edit()
        elif thread_id is not None:
            self._do("stop", thread_id)

    def can_stop(self) -> bool:
        return self._edited is not None or self._is_answering()

    @property
    def _edited(self) -> Message | None:
        """The question that what stands in the composer is a new version of; in another thread it waits for the
        reader."""
        editing = self._editing
        return editing if editing is not None and editing.thread_id == self._threads.thread_id else None

    def _is_answering(self) -> bool:
        services, thread_id = self._handle.now(), self._threads.thread_id
        return services is not None and thread_id is not None and services.chat.is_answering(thread_id)

    # Editing

    def edit(self, message_id: str) -> None:
        self._tasks.replace(self._edit(message_id), "edit")

    async def _edit(self, message_id: str) -> None:
        composer = self._panes.composer
        if composer.refusal:
            self._panes.window.show_toast(composer.refusal)
            return
        message = await (await self._handle.chat()).get_message(message_id)
        await self._drafts.load()
        if message.thread_id != self._threads.thread_id:
            return
        if self._edited is None:
            self.end_edit()
            self._drafts.put_aside()
        self._editing = message
        self.busyChanged.emit()
        composer.set_attached(attachments_of(message))
        composer.set_text(message.text)
        composer.set_cursor_position(len(message.text))
        composer.show_notice("Editing a question: sending makes a new version. Esc keeps the old one.")
        composer.setFocus()

    def cancel_edit(self) -> None:
        editing = self._edited
        if editing is not None:
            self._editing = None
            self._panes.composer.clear()
            self._drafts.give_back(editing.thread_id)
            self.busyChanged.emit()

    def end_edit(self) -> None:
        """What is being edited becomes a draft like any other, behind what stood there before."""
        editing, self._editing = self._editing, None
        if editing is not None:
            if self._threads.thread_id == editing.thread_id and self._panes.composer.text() == editing.text:
                self._panes.composer.clear()  # nothing was changed
            self._drafts.give_back(editing.thread_id)

    def edit_last(self) -> None:
        self._tasks.replace(self._edit_last(), "edit")

    async def _edit_last(self) -> None:
        message = await self._last(Role.USER, is_own=True)
        if message is not None:
            await self._edit(message.id)

    async def _last(self, role: Role, *, is_own: bool = False) -> Message | None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return None
        page = await (await self._handle.chat()).get_thread_messages(thread_id, _TAIL)
        found = (message for message in reversed(page.messages) if message.role is role)
        return next((message for message in found if not is_own or message.author_id is None), None)

    # Other actions

    def regenerate(self, message_id: str) -> None:
        self._do("regenerate_response", message_id)

    def regenerate_last(self) -> None:
        async def work() -> None:
            message = await self._last(Role.ASSISTANT)
            if message is not None:
                await (await self._handle.chat()).regenerate_response(message.id)

        self._tasks.start_once(work(), "regenerate")

    def copy_last(self) -> None:
        async def work() -> None:
            message = await self._last(Role.ASSISTANT)
            if message is not None:
                QGuiApplication.clipboard().setText(message.text)
                self._panes.window.show_toast("Copied")

        self._tasks.replace(work(), "copy")

    def branch(self, message_id: str) -> None:
        """Open a new thread that begins with everything up to that message."""

        async def work() -> None:
            thread = await (await self._handle.chat()).branch_thread(message_id)
            await self._threads.open(thread.id)
            self._panes.window.show_toast("This is a branch. The thread it came from stays as it is.")

        self._tasks.start_once(work(), "branch")

    def _on_transcript_copy_requested(self, _text: str) -> None:
        # The transcript has filled the clipboard, in more formats than this text.
        self._panes.window.show_toast("Copied")

    def delete(self, message_id: str) -> None:
        """With messages after it a person has to say how much goes, unless that was said for good; the last one goes at
        once. All of it can be undone."""
        thread = self._threads.open_thread
        known = self._settings.current.delete_messages
        if known != "ask" or (thread is not None and thread.current_leaf_id == message_id):
            self._delete(message_id, with_later=known == "later")
            return
        from chatdesk.ui.dialogs.delete_message import DeleteMessageDialog

        dialog = DeleteMessageDialog(self._panes.theme, parent=self._panes.window)

        def answered(with_later: bool, is_for_good: bool) -> None:
            if is_for_good:
                self._settings.change(delete_messages="later" if with_later else "only")
            self._delete(message_id, with_later=with_later)

        dialog.answered.connect(answered)
        dialog.open()

    def _delete(self, message_id: str, *, with_later: bool) -> None:
        async def work() -> None:
            moved = await (await self._undo.stack()).delete_message(message_id, with_later=with_later)
            count = len(moved.message_ids)
            self._undo.offer("Message moved to the trash" if count == 1 else f"{count:,} messages moved to the trash")

        self._tasks.start(work(), "delete message")

    def _on_transcript_version_requested(self, message_id: str, step: int) -> None:
        self._tasks.start(self._switch_version(message_id, step), "select version")

    async def _switch_version(self, message_id: str, step: int) -> None:
        """The other path is seen before it is stored: choosing it writes to every message that is on it. One after the
        other, so that each press goes on from what the one before it showed."""
        async with self._switching:
            chat, transcript = await self._handle.chat(), self._panes.transcript
            versions = await chat.list_versions(message_id)
            here = next((i for i, version in enumerate(versions) if version.id == message_id), 0)
            if not 0 <= here + step < len(versions):
                return
            there = versions[here + step]
            page = await chat.look_ahead(there.id, _AHEAD)
            if page is not None and transcript.show_ahead(page, there.parent_id):
                self._ahead = (there.thread_id, there.parent_id)
            if there.thread_id != self._threads.thread_id:
                return  # it was left meanwhile, and the press with it
            if there.parent_id is None:
                # Nothing of what was shown is left to hold the place by.
                transcript.jump_to(there.id)
            try:
                await (await self._undo.stack()).select_version(there.id)
            finally:
                if self._ahead is not None:  # nobody said that it is stored
                    self._ahead = None
                    transcript.reload_from(there.parent_id)
            if there.thread_id != self._threads.thread_id:
                return
            announce(transcript, f"Version {here + step + 1} of {len(versions)}{self._by(there)}")

    def _by(self, version: Message) -> str:
        """ ", by Ana" of what another member wrote."""
        services = self._handle.now()
        if version.author_id is None or services is None:
            return ""
        return f", by {services.team.member_name(version.author_id)}"

    def _do(self, method: str, id_: str) -> None:
        async def work() -> None:
            await getattr(await self._handle.chat(), method)(id_)

        self._tasks.start(work(), f"{method} {id_}")

    # Events

    def _on_thread_opened(self, thread: Thread | None) -> None:
        thread_id = thread.id if thread else None
        if thread_id != self._shown_id:
            self._ahead = None  # the pages of the thread that was left are asked for again when it is opened
            if self._arriving is not None:
                self._arriving.forget()
        self._shown_id = thread_id
        title = thread.title if thread else NEW_THREAD_TITLE
        self._panes.header.set_title(title, keeps_edit=thread_id == self._titled_id)
        self._titled_id = thread_id
        self._show_model()
        self._panes.composer.set_streaming(self._is_answering())
        self.busyChanged.emit()

    def _show_model(self) -> None:
        header, thread = self._panes.header, self._threads.open_thread
        services = self._handle.now()
        if self._compared:
            header.set_current("", f"Comparing {len(self._compared)} models")
        elif services is not None:
            default_provider, default_model = services.providers.default()
            project = self._threads.new_project
            if thread is None and project is not None and (project.provider or project.model):
                default_provider, default_model = project.provider or default_provider, project.model or default_model
            chosen = self._model if thread is None else None
            provider = (thread.provider if thread else None) or (chosen or (default_provider, ""))[0]
            model = (thread.model if thread else None) or (chosen or ("", default_model))[1]
            header.set_current(provider, model)

    def _on_message_added(self, message: Message) -> None:
        if message.thread_id != self._threads.thread_id:
            return
        if message.author_id is None and not (self._arriving is not None and self._arriving.is_waiting):
            self._panes.transcript.add_message(message)
            return
        if self._arriving is None:
            from chatdesk.ui.application.arriving import ArrivingMessages

            transcript = self._panes.transcript
            self._arriving = ArrivingMessages(
                transcript.prepare_message, transcript.add_message, transcript.reload_from
            )
        self._arriving.take(message)

    def _on_message_changed(self, message: Message) -> None:
        if message.thread_id == self._threads.thread_id:
            if self._arriving is not None:
                self._arriving.change(message)
            self._panes.transcript.change_message(message)

    def _on_path_changed(self, event: PathChanged) -> None:
        if event.thread_id != self._threads.thread_id:
            return
        if self._arriving is not None:
            self._arriving.forget()
        ahead, self._ahead = self._ahead, None
        if ahead == (event.thread_id, event.from_message_id):
            self._panes.transcript.confirm_ahead()
        else:
            self._panes.transcript.reload_from(event.from_message_id)

    def _on_turn_started(self, thread_id: str) -> None:
        self._panes.sidebar.set_streaming(thread_id, True)
        if thread_id == self._threads.thread_id:
            self._panes.composer.set_streaming(True)
            self.busyChanged.emit()

    def _on_text_streamed(self, event: TextStreamed) -> None:
        if event.thread_id == self._threads.thread_id:
            self._panes.transcript.append_text(event.message_id, event.part_index, event.kind, event.delta)

    def _on_retry_waiting(self, event: RetryWaiting) -> None:
        if event.thread_id == self._threads.thread_id:
            self._panes.transcript.set_notice(event.message_id, waiting_text(event))

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        message = event.message
        services = self._handle.now()
        is_answering = services is not None and services.chat.is_answering(message.thread_id)
        self._panes.sidebar.set_streaming(message.thread_id, is_answering)
        if message.thread_id == self._threads.thread_id:
            self._panes.composer.set_streaming(is_answering)
            self.busyChanged.emit()


def waiting_text(event: RetryWaiting) -> str:
    """What is said while a provider makes us wait."""
    return f"{event.reason} This will be attempt {event.attempt + 1}."
