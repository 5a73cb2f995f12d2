"""Asks from the quick window: a thread of its own for each run of questions, in the default project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QTimer

from chatdesk.core import events
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import QUICK_DRAFT
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown
from chatdesk.ui.features.chat.shared_drafts import DraftContent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.quick.quick_context import QuickContext
from chatdesk.ui.features.quick.quick_window import QuickWindow
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.qt.save_timer import SaveTimer
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.window_context import Controller, ShownChat, WindowContext

_AT_REST_MS: Final = 2_000
_UNTIL_HIDDEN_S: Final = 0.2  # a desktop takes a window away in this time


@dataclass(eq=False, slots=True)
class _Run:
    """A run of questions and its thread, which the first question makes. *New* begins another run; earlier questions
    still belong to this one."""

    thread_id: str | None = None


class QuickBinding(Controller):
    """Controller of the quick window. ``make_view`` makes the view of the answers. The window is made when it is first
    wanted, and stays."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        attachments: AttachmentService,
        make_view: Callable[[MessageFetcher], TranscriptView],
        *,
        settings: SettingsBinding,
    ) -> None:
        super().__init__(context)
        self._context = context
        self._threads = threads
        self._make_view = make_view
        self._run = _Run()
        self._about = QuickContext(attachments)
        self._about.changed.connect(self._on_about_changed)
        self._about.failed.connect(self._on_about_failed)
        self._timer = SaveTimer(self)
        self._timer.timeout.connect(self._on_timer_timeout)
        self.window: QuickWindow | None = None
        self._loading = asyncio.Lock()
        self._is_loaded = False
        self._at_rest = QTimer(self, singleShot=True, interval=_AT_REST_MS)
        self._at_rest.timeout.connect(self._on_at_rest_timeout)
        settings.applied.connect(self._on_settings_applied)
        context.panes.commands.bind("app.quick", self.toggle)

    def toggle(self) -> None:
        """Show the window, or hide it where it has the keys."""
        window = self._made()
        if window.isVisible() and window.isActiveWindow():
            window.hide()
        else:
            window.editor.is_send_on_enter = self._context.settings().send_on_enter
            window.come_up()

    async def save(self) -> None:
        """Store the unsent text."""
        self._timer.stop()
        await self._load()
        if self.window is not None:
            text = self.window.editor.written()
            await self._context.open_thread.stored_chat.drafts.save(QUICK_DRAFT, text, len(text))

    async def end(self) -> None:
        """Close the window, because the program ends; typed text is kept."""
        self._at_rest.stop()
        if self.window is not None:
            while self._timer.isActive():  # a person may type until the text is stored
                with suppress(ChatDeskError):  # the window says that nothing can be saved
                    await self.save()
            self.window.hide()
            self.window.deleteLater()
            self.window = None

    def _on_settings_applied(self) -> None:
        if self._context.settings().quick_keys and self.window is None:
            self._at_rest.start()

    def _on_at_rest_timeout(self) -> None:
        """Prepare the window in advance for a person who has set a hotkey."""
        self._made().prepare()

    def _made(self) -> QuickWindow:
        if self.window is None:
            self.window = self._make()
        return self.window

    def _make(self) -> QuickWindow:
        window = QuickWindow(self._panes.theme, self._view)
        self._context.tasks.start(self._load(), "load quick question")
        window.editor.writtenChanged.connect(self._timer.record_change)
        window.asked.connect(self._on_asked)
        window.stopRequested.connect(self._on_stop_requested)
        window.openRequested.connect(self._on_open_requested)
        window.newRequested.connect(self._start_over)
        window.contextRequested.connect(self._on_context_requested)
        window.contextRemoved.connect(self._about.clear)
        subscribe = self._context.events.subscribe
        subscribe(window, events.MessageAdded, lambda event: self._on_message(event.message, is_new=True))
        subscribe(window, events.MessageChanged, lambda event: self._on_message(event.message, is_new=False))
        subscribe(window, events.TextStreamed, self._on_text_streamed)
        subscribe(window, events.PathChanged, self._on_path_changed)
        subscribe(window, events.TurnStarted, lambda event: self._on_turn_started(event.thread_id))
        subscribe(window, events.AnswerFinished, lambda event: self._on_answer_finished(event.message.thread_id))
        subscribe(window, events.ThreadDeleted, lambda event: self._on_thread_deleted(event.thread_id))
        return window

    def _view(self) -> TranscriptView:
        view, transcript = self._make_view(self._threads.fetch_messages), self._panes.transcript
        view.actionRequested.connect(self._on_view_action_requested)
        own, shared = view.parts.actions, transcript.parts.actions
        own.linkActivated.connect(shared.linkActivated)
        own.saveRequested.connect(shared.saveRequested)
        view.copyRequested.connect(transcript.copyRequested)
        view.quoteRequested.connect(self._on_view_quote_requested)
        own.remembered.connect(self._on_view_remembered)
        view.announced.connect(transcript.announced)
        return view

    async def _load(self) -> None:
        """Insert the unsent text of an earlier run before text typed in the meantime; nothing is stored in its place
        sooner."""
        async with self._loading:
            if self._is_loaded:
                return
            draft = await self._context.open_thread.stored_chat.drafts.get(QUICK_DRAFT)
            self._is_loaded = True
            if self.window is not None and draft is not None and draft.text:
                typed = self.window.editor.written()
                self.window.editor.replace_all(f"{draft.text}\n{typed}" if typed else draft.text)

    def _on_timer_timeout(self) -> None:
        self._context.tasks.start(self.save(), "save quick question")

    # Actions of the person

    def _on_asked(self, text: str) -> None:
        self._context.tasks.start_once(self._ask(text, self._run), "ask from the quick window")

    async def _ask(self, text: str, run: _Run) -> None:
        """Ask the question; the field is emptied when it is on the disk, and says why where it is not."""
        chat, window = self._context.open_thread.stored_chat, self.window
        assert window is not None
        try:
            attached = await self._about.attached()
            if run.thread_id is None:
                created = await chat.create_thread(None, "", text, attachments=attached)
                run.thread_id = created.thread.id
                if self.window is window and self._run is run:
                    window.show_thread(run.thread_id)
                    window.set_answering(chat.is_answering(run.thread_id))
            else:
                await chat.send_message(run.thread_id, text, attachments=attached)
                if self.window is window and self._run is run and window.view is not None:
                    window.view.scrolling.to_end()
        except ChatDeskError as error:
            if self.window is window:
                window.show_problem(shown(error.sentence))
            return
        if self.window is not window:  # the program ends
            return
        window.show_problem("")
        self._about.clear_attached()
        written = DraftContent(window.editor.written())
        rest = written.without(DraftContent(text)).text
        if rest == written.text and rest.rstrip().endswith(f"\n{text}"):  # an older draft came in the meantime
            rest = rest.rstrip().removesuffix(text).rstrip()
        if rest != written.text:
            window.editor.replace_all(rest)

    def _on_stop_requested(self) -> None:
        if self._run.thread_id is not None:
            self._context.tasks.start(
                self._context.open_thread.stored_chat.stop(self._run.thread_id), "stop quick answer"
            )

    def _on_open_requested(self) -> None:
        self._go_on(lambda _chat: None)

    def _on_view_action_requested(self, name: str, message_id: str) -> None:
        """Run an action on a message in the large window, which has room for further questions."""
        if name in self._panes.message_handlers.bound:
            self._go_on(lambda chat: chat.panes.message_handlers.run(name, message_id))

    def _on_view_quote_requested(self, text: str) -> None:
        self._go_on(lambda chat: chat.panes.transcript.quoteRequested.emit(text))

    def _on_view_remembered(self, text: str, message_id: str) -> None:
        self._go_on(lambda chat: chat.panes.transcript.parts.actions.remembered.emit(text, message_id))

    def _go_on(self, then: Callable[[ShownChat], object]) -> None:
        """Go on in a large window, at the same thread."""
        thread_id = self._run.thread_id
        if self.window is None or thread_id is None:
            return

        async def work() -> None:
            await chat.threads.open(thread_id)
            then(chat)

        self.window.hide()
        chat = self._context.chats.bring(thread_id)
        self._start_over()
        chat.tasks.replace(work(), "open thread")

    def _start_over(self) -> None:
        self._run = _Run()
        if self.window is not None:
            self.window.show_thread(None)
            self.window.set_answering(False)
            self.window.show_problem("")
            self.window.editor.setFocus()

    def _on_context_requested(self, kind: str) -> None:
        if kind == "screenshot":
            self._context.tasks.start_once(self._add_screenshot(), "take a screenshot")
        else:
            self._about.add_text(kind)

    async def _add_screenshot(self) -> None:
        """Add a screenshot, hiding the window while it is taken."""
        window = self.window
        assert window is not None
        window.show_problem("")
        window.hide()
        try:
            await asyncio.sleep(_UNTIL_HIDDEN_S)
            await self._about.add_screenshot()
        finally:
            if self.window is window:
                window.come_up()

    def _on_about_changed(self) -> None:
        if self.window is not None:
            self.window.show_context(self._about.words, self._about.picture)
            self.window.show_problem("")

    def _on_about_failed(self, sentence: str) -> None:
        if self.window is not None:
            self.window.show_problem(sentence)

    # What happens

    def _view_of(self, thread_id: str) -> TranscriptView | None:
        """Return the view if it shows this thread, else None."""
        return self.window.view if self.window is not None and thread_id == self._run.thread_id else None

    def _on_message(self, message: Message, *, is_new: bool) -> None:
        if (view := self._view_of(message.thread_id)) is not None:
            (view.conversation.add_message if is_new else view.conversation.change_message)(message)

    def _on_text_streamed(self, event: events.TextStreamed) -> None:
        if (view := self._view_of(event.thread_id)) is not None:
            view.conversation.append_text(event.message_id, event.part_index, event.kind, event.delta)

    def _on_path_changed(self, event: events.PathChanged) -> None:
        if (view := self._view_of(event.thread_id)) is not None:
            view.reload_from(event.from_message_id)

    def _on_turn_started(self, thread_id: str) -> None:
        if self.window is not None and thread_id == self._run.thread_id:
            self.window.set_answering(True)

    def _on_answer_finished(self, thread_id: str) -> None:
        if self.window is not None and thread_id == self._run.thread_id:
            self.window.set_answering(self._context.open_thread.stored_chat.is_answering(thread_id))

    def _on_thread_deleted(self, thread_id: str) -> None:
        if thread_id == self._run.thread_id:
            self._start_over()
