"""Shows the requests of tool servers to a person: a card above the text of their thread, a notice in other chats."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal

from chatdesk.core.chat.tool_calls.approvals import ServerQuestions
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ServerRequestsChanged
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import shown, tr
from chatdesk.core.tools.server_requests import ServerRequest
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.tools.request_card import RequestCard
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext


class RequestBinding(Controller):
    """Controller of the requests of tool servers. ``changed``: something waits or does not any more; whoever shows
    other cards in the same place calls ``show`` then. The card is made when a server asks for the first time, and never
    takes the focus by itself."""

    changed = Signal()

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        self._threads = threads
        self._card: RequestCard | None = None
        self._announced: set[str] = set()
        context.open_thread.stored_chat.tools.questions.attend()
        context.events.subscribe(self, ServerRequestsChanged, self._on_changed)

    @property
    def is_shown(self) -> bool:
        """Return whether the card shows a request that still waits; it then stays in its place."""
        card = self._card
        return card is not None and not card.isHidden() and card.request in self._here()

    def is_any_waiting(self) -> bool:
        """Return whether a server waits for a person, in whichever thread."""
        return bool(self._questions.waiting())

    def show(self, *, has_place: bool) -> None:
        """Show the first waiting request of the open thread, if there is room for the card."""
        waiting = self._here() if has_place else ()
        if self._card is None:
            if waiting:
                self._make_card()
            return
        self._card.show_first(waiting, leave=self._panes.pane.focus_composer)

    def focus_waiting(self) -> bool:
        """Go to the waiting request: into the card if it is in the open thread, else to its thread. Return whether
        anything waits."""
        if self._card is not None and self._card.isVisible():
            self._card.focus_answer()
            return True
        waiting = self._questions.waiting()
        if waiting:
            self._chats.show_soon(waiting[0].asker.thread_id)
        return bool(waiting)

    @property
    def _questions(self) -> ServerQuestions:
        return self._open_thread.chat.tools.questions

    def _here(self) -> tuple[ServerRequest, ...]:
        thread_id = self._threads.thread_id
        return self._questions.waiting(thread_id) if thread_id else ()

    def _on_changed(self, event: ServerRequestsChanged) -> None:
        waiting = self._open_thread.chat_of(event.thread_id).tools.questions.waiting()
        for request in waiting:
            if request.id not in self._announced:
                self._announce(request)
        self._announced = {each.id for each in waiting}
        self.changed.emit()
        self._panes.commands.refresh()

    def _announce(self, request: ServerRequest) -> None:
        server = distinct_name(shown(request.asker.server_name))
        self._chats.ask_for_attention(
            self._panes,
            request.asker.thread_id,
            here=tr("{server} asks you for something: Ctrl+Shift+Y.", server=server),
            elsewhere=tr("{server} asks you for something in another thread.", server=server),
        )

    def _make_card(self) -> None:
        if self._card is None:
            card = self._card = RequestCard(self._panes.theme)
            card.hide()
            card.answered.connect(self._on_answered)
            card.pageRequested.connect(self._on_page_requested)
            self._panes.pane.add_bar(card, is_below=True)
        self.changed.emit()

    def _on_page_requested(self, address: str) -> None:
        if problem := open_outside(address):
            self._panes.pane.toasts.show_failure(problem)

    def _on_answered(self, request_id: str, action: str, values: Any) -> None:
        try:
            self._questions.answer(request_id, action, values)
        except ChatDeskError as error:
            if self._card is not None:
                self._card.show_problem(shown(error.sentence))
        self.changed.emit()
