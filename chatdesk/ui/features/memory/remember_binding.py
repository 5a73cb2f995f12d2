"""Controls the ways in which a person makes a memory in a thread: a selection, "remember that …", and a proposal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from chatdesk.core.domain.memory import LONGEST_MEMORY, Memory, MemoryOrigin, NewMemory, checked_memory
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import AnswerFinished, MemoriesChanged, MessageAdded
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.memory.proposed_fact import fact_to_propose
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
    """A fact that the person asked to be remembered, or that is proposed, and the message that says so."""

    fact: str
    thread_id: str
    message_id: str | None
    origin: MemoryOrigin = MemoryOrigin.PERSON


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
        self._proposal: _Offer | None = None  # waits for the end of the answer
        self._refused: set[str] = set()  # proposals that were answered with No since the start
        self._says_on = True  # whether the shown offer says that memory is on
        panes = context.panes
        panes.composer.sendRequested.connect(self._on_composer_send_requested)
        panes.composer.above.questionAnswered.connect(self._on_composer_question_answered)
        panes.transcript.parts.actions.remembered.connect(self._on_transcript_remembered)
        threads.opened.connect(self._on_thread_opened)
        context.events.subscribe(self, MessageAdded, lambda event: self._on_message_added(event.message))
        context.events.subscribe(self, AnswerFinished, lambda event: self._on_answer_finished(event.message))
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
        if self._offer is not None and self._offer.origin is MemoryOrigin.PROPOSAL:
            self._end_offer()  # it was ignored
        self._typed = text.strip() if fact_to_remember(text) or self._fact_to_propose(text) else ""

    def _fact_to_propose(self, text: str) -> str:
        proposes = self._memory.is_on and self._settings.current.memory_proposals and not self._threads.is_temporary
        return fact_to_propose(text) if proposes else ""

    def _on_message_added(self, message: Message) -> None:
        is_own = message.role is Role.USER and message.author_id is None and not message.is_note
        open_id = self._threads.thread_id  # a new thread is opened after its first message
        if not self._typed or not is_own or open_id not in (None, message.thread_id):
            return
        if message.text.strip() == self._typed:
            is_temporary = self._open_thread.is_temporary(message.thread_id)
            asked, self._typed = self._typed, ""
            if fact := fact_to_remember(asked):
                self._offer = _Offer(fact, message.thread_id, None if is_temporary else message.id)
                self._show()
            elif (fact := fact_to_propose(asked)) and fact.casefold() not in self._refused and not is_temporary:
                self._proposal = _Offer(fact, message.thread_id, message.id, MemoryOrigin.PROPOSAL)

    def _on_answer_finished(self, answer: Message) -> None:
        proposal = self._proposal
        if proposal is not None and answer.parent_id == proposal.message_id:
            self._proposal = None
            if answer.status is Status.COMPLETE and proposal.thread_id == self._threads.thread_id:
                self._propose(proposal)

    @in_task("propose a memory", replaces=True)
    async def _propose(self, proposal: _Offer) -> None:
        """Offer a fact that is not remembered yet, unless another one waits for an answer."""
        known = {each.text.casefold() for each in await self._memory.list()}
        is_open = proposal.thread_id == self._threads.thread_id and self._offer is None
        if is_open and self._memory.is_on and proposal.fact.casefold() not in known:
            self._offer = proposal
            self._show()

    def _on_thread_opened(self, thread: Thread | None) -> None:
        if self._proposal is not None and (thread is None or self._proposal.thread_id != thread.id):
            self._proposal = None
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
        if offer.origin is MemoryOrigin.PROPOSAL and not self._memory.is_on:
            self._end_offer()
        elif is_fixed:
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
            if self._offer is not None and self._offer.origin is MemoryOrigin.PROPOSAL:
                self._refused.add(self._offer.fact.casefold())
            self._end_offer()

    def _end_offer(self) -> None:
        self._offer = None
        self._panes.composer.above.set_question("")

    @in_task("keep a memory", is_once=True)
    async def _keep_offer(self) -> None:
        offer = self._offer
        if offer is not None:
            new = NewMemory(offer.fact, origin=offer.origin, message_id=offer.message_id)
            await self._keep(new, may_turn_on=not self._says_on)
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
