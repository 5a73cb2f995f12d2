"""Controls the ways in which a person makes a memory in a thread: a selection, and "remember that …"."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from chatdesk.core.domain.memory import LONGEST_MEMORY, Memory, MemoryOrigin, NewMemory, checked_memory
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import MemoriesChanged, MessageAdded
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.memory.remember_sentence import fact_to_remember
from chatdesk.core.texts import shortened, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.memory.remember_dialog import RememberDialog
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_LONGEST_NAMED = 60
_MOST_CLEANED = 4 * LONGEST_MEMORY  # of a selection, which may be a whole thread


@dataclass(frozen=True, slots=True)
class _Offer:
    """A fact that the person asked to be remembered, and the message that says so."""

    fact: str
    thread_id: str
    message_id: str | None


class RememberBinding(Controller):
    """Offers to keep memories in one chat. Nothing is kept unless the person confirms it, and memory is turned on only
    by a button that says so. An offer ends with the open thread."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, settings: SettingsBinding, memory: MemoryService
    ) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._settings = settings
        self._memory = memory
        self._typed = ""  # the message that was sent from here last, if it asks to remember something
        self._offer: _Offer | None = None
        self._says_on = True  # whether the shown offer says that memory is on
        panes = context.panes
        panes.composer.sendRequested.connect(self._on_composer_send_requested)
        panes.composer.above.questionAnswered.connect(self._on_composer_question_answered)
        panes.transcript.parts.actions.remembered.connect(self._on_transcript_remembered)
        threads.opened.connect(self._on_thread_opened)
        context.events.subscribe(self, MessageAdded, lambda event: self._on_message_added(event.message))
        context.events.subscribe(self, MemoriesChanged, lambda _event: self._show())

    def _on_transcript_remembered(self, text: str, message_id: str) -> None:
        line = clean_line(text[:_MOST_CLEANED])
        if line:
            self._ask_about(line, message_id or None)
        else:
            self._panes.pane.show_toast(tr("Select the words to remember first."))

    @in_task("remember the selection", is_once=True)
    async def _ask_about(self, line: str, message_id: str | None) -> None:
        thread, is_temporary = self._threads.open_thread, self._threads.is_temporary
        is_fixed = await self._is_fixed_off()
        if thread is None or thread.id != self._threads.thread_id:
            return
        has_own = not is_temporary and thread.project_id not in self._panes.sidebar.shared
        source = None if is_temporary else message_id
        dialog = RememberDialog(
            self._panes.theme,
            line,
            project_id=thread.project_id if has_own else None,
            has_message=source is not None,
            is_on=self._memory.is_on,
            is_fixed=is_fixed,
            parent=self._panes.window,
        )
        dialog.kept.connect(partial(self._keep_selection, dialog, source, self._memory.is_on))
        dialog.open()

    @in_task("keep the selection", is_once=True)
    async def _keep_selection(
        self,
        dialog: RememberDialog,
        message_id: str | None,
        said_on: bool,
        text: str,
        project_id: str | None,
        goes_with_source: bool,
    ) -> None:
        new = NewMemory(text, project_id, MemoryOrigin.SELECTION, message_id, goes_with_source)
        with dialog.saying_failure():
            await self._keep(new, may_turn_on=not said_on)
            if dialog.is_open:
                dialog.accept()

    def _on_composer_send_requested(self, text: str) -> None:
        self._typed = text.strip() if fact_to_remember(text) else ""

    def _on_message_added(self, message: Message) -> None:
        is_own = message.role is Role.USER and message.author_id is None and not message.is_note
        open_id = self._threads.thread_id  # a new thread is opened after its first message
        if not self._typed or not is_own or open_id not in (None, message.thread_id):
            return
        if message.text.strip() == self._typed:
            source = None if self._open_thread.is_temporary(message.thread_id) else message.id
            self._offer = _Offer(fact_to_remember(self._typed), message.thread_id, source)
            self._typed = ""
            self._show()

    def _on_thread_opened(self, thread: Thread | None) -> None:
        if self._offer is not None and (thread is None or self._offer.thread_id != thread.id):
            self._end_offer()
        elif self._offer is not None:
            self._show()

    @in_task("offer a memory", replaces=True)
    async def _show(self) -> None:
        """Show the offer of the open thread in the words that hold now."""
        is_fixed = self._offer is not None and await self._is_fixed_off()
        offer, above = self._offer, self._panes.composer.above
        if offer is None or offer.thread_id != self._threads.thread_id:
            return
        if is_fixed:
            self._end_offer()
            words = tr("Nothing is remembered: memory is off, and an environment variable decides that.")
            self._panes.pane.show_toast(words)  # a notice of the composer would end with the answer
        else:
            fact, self._says_on = shortened(offer.fact, _LONGEST_NAMED), self._memory.is_on
            words, yes = tr("Keep “{fact}” as a memory?", fact=fact), tr("Keep")
            if not self._says_on:
                words, yes = tr("Memory is off. Turn it on and keep “{fact}”?", fact=fact), tr("Turn on and keep")
            above.set_question(words, yes=yes, no=tr("No"))

    def _on_composer_question_answered(self, is_kept: bool) -> None:
        if is_kept:
            self._keep_offer()
        else:
            self._end_offer()

    def _end_offer(self) -> None:
        self._offer = None
        self._panes.composer.above.set_question("")

    @in_task("keep a memory", is_once=True)
    async def _keep_offer(self) -> None:
        offer = self._offer
        if offer is not None:
            await self._keep(NewMemory(offer.fact, message_id=offer.message_id), may_turn_on=not self._says_on)
            if self._offer is offer:
                self._end_offer()

    async def _is_fixed_off(self) -> bool:
        """Return whether memory is off and an environment variable decides that."""
        return not self._memory.is_on and "memory" in await asyncio.to_thread(self._settings.fixed)

    async def _keep(self, new: NewMemory, *, may_turn_on: bool) -> None:
        """Keep a memory; with ``may_turn_on`` the person has agreed to turn memory on for it."""
        checked_memory(new.text)  # a text that is refused turns nothing on
        if may_turn_on and not self._memory.is_on:
            await self._settings.use(replace(self._settings.current, memory=True))
        memory, is_new = await self._memory.add(new)
        if is_new:
            self._panes.pane.show_toast(tr("Kept as a memory."), tr("Undo"), partial(self._undo, memory))
        else:
            self._panes.pane.show_toast(tr("This is remembered already."))

    @in_task("undo a memory")
    async def _undo(self, memory: Memory) -> None:
        await self._memory.delete((memory.id,))
