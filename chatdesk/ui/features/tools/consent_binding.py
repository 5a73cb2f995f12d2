"""Shows the calls that wait for a person: a card above the text of their thread, a word elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chatdesk.core.chat.tool_calls.approvals import Approvals
from chatdesk.core.domain.tools import Answer, ApprovalRequest
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ApprovalAsked, ApprovalEnded
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import shown, tr
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.tools.request_binding import RequestBinding
from chatdesk.ui.features.tools.sign_in_binding import SignInBinding
from chatdesk.ui.window.window_context import Controller, WindowContext


class ConsentBinding(Controller):
    """The card is made when a call waits for the first time. It never takes the focus by itself, so that typing
    continues and cannot allow anything."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, *, in_use: Callable[[], Awaitable[ToolService | None]]
    ) -> None:
        super().__init__(context)
        self._threads = threads
        self._card: ConsentCard | None = None
        threads.opened.connect(lambda _thread: self._show())
        self._consent = ProviderConsent(context)
        self._requests = RequestBinding(context, threads)
        self._requests.changed.connect(self._show)
        self._sign_ins = SignInBinding(context, threads, in_use=in_use)
        self._sign_ins.changed.connect(self._show)
        context.panes.commands.bind("message.approve", self._focus_waiting, self._is_any_waiting)
        context.panes.message_handlers.bind("ask-calls", self._ask_again)
        context.events.subscribe(self, ApprovalAsked, lambda event: self._on_asked(event.request))
        context.events.subscribe(self, ApprovalEnded, lambda _event: self._show())

    @property
    def _approvals(self) -> Approvals:
        return self._open_thread.chat.tools.approvals

    def _is_any_waiting(self) -> bool:
        return bool(self._approvals.waiting()) or self._requests.is_any_waiting() or self._sign_ins.is_shown

    def _on_asked(self, request: ApprovalRequest) -> None:
        name, server = (
            distinct_name(shown(request.tool.title) or request.tool.name),
            distinct_name(shown(request.tool.server_name)),
        )
        if request.thread_id == self._threads.thread_id:
            self._show()
        self._chats.ask_for_attention(
            self._panes,
            request.thread_id,
            here=tr("{name} of {server} waits for your approval: Ctrl+Shift+Y.", name=name, server=server),
            elsewhere=tr("{name} waits for your approval in another thread.", name=name),
        )
        self._panes.commands.refresh()

    def _show(self) -> None:
        """Show one card: a server's request stays until it is answered, then come calls, then signing in."""
        waiting = self._approvals.waiting(self._threads.thread_id) if self._threads.thread_id else ()
        if self._requests.is_shown:
            waiting = ()
        self._requests.show(has_place=not waiting)
        self._sign_ins.show(has_place=not waiting and not self._requests.is_shown)
        if self._card is None:
            if waiting:
                self._make_card()
            return
        self._card.show_first(waiting, leave=self._panes.pane.focus_composer)
        self._panes.commands.refresh()

    def _make_card(self) -> None:
        if self._card is None:
            card = self._card = ConsentCard(self._panes.theme)
            card.hide()
            card.answered.connect(self._on_answered)
            self._panes.pane.add_bar(card, is_below=True)
        self._show()

    def _ask_again(self, answer_id: str) -> None:
        """Continue an answer whose calls were left open, and ask for consent to each call."""
        chat = self._open_thread.chat_of(self._threads.thread_id)
        work = self._consent.run(chat.continue_message, answer_id, asks_again=True)
        self._tasks.start(work, f"ask about the calls of {answer_id}")

    def _focus_waiting(self) -> None:
        if self._requests.is_shown and self._requests.focus_waiting():
            return
        here = self._approvals.waiting(self._threads.thread_id) if self._threads.thread_id else ()
        if here and self._card is not None:
            self._card.focus_answer()
            return
        waiting = self._approvals.waiting()
        if waiting:
            self._chats.show_soon(waiting[0].thread_id)
        elif not self._requests.focus_waiting():
            self._sign_ins.focus_waiting()

    def _on_answered(
        self, request_id: str, answer: Answer, arguments: Mapping[str, Any] | None, only_reads: bool
    ) -> None:
        try:
            self._approvals.answer(request_id, answer, arguments, only_reads=only_reads)
        except ChatDeskError as error:
            if self._card is not None:
                self._card.show_problem(shown(error.sentence))
        self._show()
