"""Carries out the actions of a message's menu: asks again, continues, copies, branches and deletes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from PySide6.QtGui import QGuiApplication

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.texts import Text, tr
from chatdesk.ui.features.chat.delete_message import DeleteMessageDialog
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding, moved_words
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

# Enough to find the last question of a thread whose newest messages are tool calls.
_TAIL = 20


class MessageActions(Controller):
    """The controller of the actions on messages that need nothing of the composer. ``consent`` asks the person before a
    shared choice of a provider is used."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, undo: UndoBinding, settings: SettingsBinding
    ) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._undo = undo
        self._settings = settings
        self.consent = ProviderConsent(context)
        bind = context.panes.message_handlers.bind
        bind("answer", self.regenerate)
        bind("regenerate", self.regenerate)
        bind("continue", lambda id_: self.run("continue", id_, lambda chat: chat.continue_message(id_)))
        bind("retry", lambda id_: self.run("retry", id_, lambda chat: chat.retry_message(id_)))
        bind("delete", self.delete)
        bind("branch", self.branch)
        context.panes.transcript.copyRequested.connect(self._on_transcript_copy_requested)

    def run(self, name: str, id_: str, work: Callable[[ChatService], Awaitable[object]]) -> None:
        """Start ``work`` on the open thread as a task, once the person agrees to its provider."""
        chat = self._open_thread.chat_of(self._threads.thread_id)
        self._tasks.start(self.consent.run(work, chat), f"{name} {id_}")

    def regenerate(self, message_id: str) -> None:
        """Ask for another version of an answer, or for the first one to a question."""
        self.run("regenerate", message_id, lambda chat: chat.regenerate_response(message_id))

    @in_task("regenerate", is_once=True)
    async def regenerate_last(self) -> None:
        with self._undo.change():
            message = await self._last(Role.ASSISTANT, Role.USER)
            if message is not None:
                await self.consent.run(self._open_thread.chat.regenerate_response, message.id)

    @in_task("copy", replaces=True)
    async def copy_last(self) -> None:
        message = await self._last(Role.ASSISTANT)
        if message is not None:
            QGuiApplication.clipboard().setText(message.text)
            self._panes.pane.show_toast(tr("Copied"))

    def branch(self, message_id: str) -> None:
        """Open a new thread that begins with everything up to that message."""
        if self._threads.offers_to_keep(tr("A temporary chat cannot have branches."), partial(self.branch, message_id)):
            return

        async def work() -> None:
            with self._undo.change() as stack:
                thread = await self._open_thread.chat.paths.branch_thread(message_id)
                await self._threads.open(thread.id)
                stack.record_lasting(Text("branch"), thread_id=thread.id)
            self._panes.pane.show_toast(tr("This is a branch. The thread it came from stays as it is."))

        self._tasks.start_once(work(), "branch")

    def _on_transcript_copy_requested(self, _text: str) -> None:
        # The transcript has filled the clipboard, in more formats than this text.
        self._panes.pane.show_toast(tr("Copied"))

    def delete(self, message_id: str) -> None:
        """Delete a message. With messages after it the person is asked how much goes, unless that was answered for
        good; the last one goes at once. Every deletion can be undone."""
        thread, known = self._threads.open_thread, self._settings.current.delete_messages
        if known != "ask" or (thread is not None and thread.current_leaf_id == message_id):
            self._delete(message_id, with_later=known == "later")
            return

        dialog = DeleteMessageDialog(self._panes.theme, parent=self._panes.window)

        def answered(with_later: bool, is_for_good: bool) -> None:
            if is_for_good:
                chosen = "later" if with_later else "only"
                self._settings.change(replace(self._settings.current, delete_messages=chosen))
            self._delete(message_id, with_later=with_later)

        dialog.answered.connect(answered)
        dialog.open()

    @in_task("delete message")
    async def _delete(self, message_id: str, *, with_later: bool) -> None:
        moved = await (await self._undo.stack()).delete_message(message_id, with_later=with_later)
        self._undo.offer(moved_words(len(moved.message_ids)))

    async def _last(self, *roles: Role) -> Message | None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return None
        page = await self._open_thread.chat.reader.get_thread_messages(thread_id, _TAIL)
        said = (message for message in reversed(page.messages) if not message.is_note)
        return next((message for message in said if message.role in roles), None)
