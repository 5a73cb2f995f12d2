"""Binds the comparison: the choice of models, their answers side by side, and keeping one of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import Signal

from chatdesk.core.chat.results import Compared
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import NotFound
from chatdesk.core.events import (
    MessageAdded,
    MessageChanged,
    PathChanged,
    QueueChanged,
    RetryWaiting,
    TextStreamed,
    TurnStarted,
)
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.message_follower import retry_of
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.compare.compare_models import CompareModelsDialog
from chatdesk.ui.features.compare.view import CompareView, ViewMaker
from chatdesk.ui.features.usage.usage_binding import waiting_words
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.window_context import Controller, WindowContext

_DEMO = "offline"  # the provider without a server
_MOST = 4
_OPEN = "compare versions"
_SEEN_HERE = ("compare", "version-previous", "version-next")  # the versions are side by side already


class CompareBinding(Controller):
    """The view exists from the first comparison on, and is shown while one is looked at. A thread that was left with
    it is opened with it again. ``changed``: ``left_ids`` are others."""

    changed = Signal()

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, messages: MessageBinding, *, make_view: ViewMaker
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        self._make_view = make_view
        self._view: CompareView | None = None
        self._thread_id: str | None = None
        self._answers: dict[str, str] = {}  # by thread, left ones too: the first of its compared answers
        panes.commands.bind("message.compare", self.choose_models)
        panes.header.compareRequested.connect(self.choose_models)
        panes.header.compareLeft.connect(lambda: messages.models.compare(()))
        panes.message_handlers.bind("compare", self.open_versions)
        messages.compared.connect(self._on_messages_compared)
        threads.opened.connect(self._on_thread_opened)
        context.events.subscribe(self, MessageChanged, lambda event: self._on_message_changed(event.message))
        context.events.subscribe(self, MessageAdded, lambda event: self._close_if_shown(event.message.thread_id))
        context.events.subscribe(self, PathChanged, self._on_path_changed)
        context.events.subscribe(self, TextStreamed, self._on_text_streamed)
        context.events.subscribe(self, RetryWaiting, self._on_retry_waiting)
        context.events.subscribe(self, TurnStarted, self._on_turn_started)
        context.events.subscribe(self, QueueChanged, lambda event: self._show_waiting(event.waiting))

    @property
    def view(self) -> CompareView | None:
        """The view of the compared answers while it is shown; otherwise None."""
        return self._view if self._thread_id is not None else None

    @property
    def left_ids(self) -> Sequence[str]:
        """The answers that are seen beside their other versions when their threads are opened again."""
        is_temporary = self._open_thread.is_temporary
        return [answer_id for thread_id, answer_id in self._answers.items() if not is_temporary(thread_id)]

    async def bring_back(self, message_ids: Sequence[str]) -> None:
        """Show again the comparisons that were seen at the end of the last run, once their threads are opened."""
        for message_id in message_ids:
            with suppress(NotFound):
                thread_id = (await self._open_thread.stored_chat.reader.get_message(message_id)).thread_id
                self._answers.setdefault(thread_id, message_id)
        self._show_again()

    def choose_models(self) -> None:
        """Ask for the two to four that the next questions go to."""
        header, window = self._panes.header, self._panes.window
        if sum(len(choices) for _provider, _label, choices in header.models) < 2:
            self._panes.pane.show_toast(tr("There is only one model yet: add another in Settings"))
            return
        dialog = CompareModelsDialog(
            self._panes.theme,
            header.models,
            self._chosen(),
            is_comparing=bool(self._messages.models.compared),
            parent=window,
        )
        dialog.chosen.connect(self._messages.models.compare)
        header.model_picker.modelsChanged.connect(lambda models: dialog.show_models(models, self._chosen()))
        dialog.open()

    def _chosen(self) -> Sequence[tuple[str, str]]:
        """Return the models that are compared already, else the only two there are beside the demo's, else the one that
        answers now, beside which others are to be chosen."""
        header = self._panes.header
        of_servers = [(provider, choices) for provider, _label, choices in header.models if provider != _DEMO]
        own = [(provider, model) for provider, choices in of_servers for model, _its_label in choices]
        current = header.model_picker.current
        usual = own if len(own) == 2 else () if current is None else (current,)
        return self._messages.models.compared or usual

    def open_versions(self, message_id: str) -> None:
        """Show an answer beside the other versions of it, four at most."""
        self._tasks.replace(self._open_versions(message_id), _OPEN)

    async def _open_versions(self, message_id: str) -> None:
        chat = self._open_thread.chat
        versions = await chat.reader.list_versions(message_id)
        question_id = versions[0].parent_id
        if question_id is None:
            return
        place = next(place for place, version in enumerate(versions) if version.id == message_id)
        start = max(0, min(place, len(versions) - _MOST))
        question = await chat.reader.get_message(question_id)
        self._show(question, [chat.reader.with_live_text(each) for each in versions[start : start + _MOST]])

    def _show_again(self) -> None:
        """Show the comparison that the open thread was left with."""
        thread_id = self._threads.thread_id
        answer_id = None if thread_id is None else self._answers.get(thread_id)

        async def work(thread_id: str, answer_id: str) -> None:
            try:
                await self._open_versions(answer_id)
            except NotFound:
                self._forget(thread_id)

        if thread_id is not None and answer_id is not None and self.view is None:
            self._tasks.replace(work(thread_id, answer_id), _OPEN)

    def _forget(self, thread_id: str) -> None:
        if self._answers.pop(thread_id, None) is not None:
            self.changed.emit()

    def _show(self, question: Message, answers: Sequence[Message]) -> None:
        if question.thread_id != self._threads.thread_id:
            return
        if self._view is None:
            self._view = CompareView(
                self._panes.theme, self._make_answer_view, live=self._open_thread.stored_chat.reader.with_live_text
            )
            self._view.keepRequested.connect(self._keep)
            self._view.stopRequested.connect(self._stop)
            self._view.closed.connect(self._close)
        self._thread_id = question.thread_id
        self._answers[question.thread_id] = answers[0].id
        self.changed.emit()
        self._view.show_answers(question, answers)
        self._panes.pane.show_pane(self._view)
        self._show_waiting(self._open_thread.stored_chat.queue.waiting)
        waiting = [answer.id for answer in answers if not answer.status.is_final]
        if waiting:
            self._tasks.replace(self._catch_up(waiting), "catch up with compared answers")

    async def _catch_up(self, message_ids: Sequence[str]) -> None:
        """Apply the changes of answers from before there was a view: a quick one ends before the others were
        requested."""
        chat = self._open_thread.chat
        for message_id in message_ids:
            message = await chat.reader.get_message(message_id)
            if message.status.is_final:
                self._on_message_changed(message)

    def _make_answer_view(self, fetch: MessageFetcher) -> TranscriptView:
        """Return a view of one compared answer, with the same actions as in the thread; continuing happens in place."""
        view = self._make_view(fetch)
        view.actionRequested.connect(self._on_answer_action_requested)
        view.quoteRequested.connect(self._panes.transcript.quoteRequested)
        own, shared = view.parts.actions, self._panes.transcript.parts.actions
        own.linkActivated.connect(shared.linkActivated)
        own.saveRequested.connect(shared.saveRequested)
        own.remembered.connect(shared.remembered)
        own.pageRequested.connect(shared.pageRequested)
        view.copyRequested.connect(self._panes.transcript.copyRequested)
        return view

    def _on_answer_action_requested(self, action: str, message_id: str) -> None:
        if action in ("continue", "retry"):
            self._go_on(message_id)
        elif action in ("edit", "edit-answer"):
            self._edit(message_id)
        elif action not in _SEEN_HERE:
            self._panes.message_handlers.run(action, message_id)

    def _close(self) -> None:
        if self._thread_id is None:
            return
        self._forget(self._thread_id)
        self._leave()
        self._panes.pane.show_transcript(self._threads.thread_id is not None)
        self._panes.pane.focus_composer()

    def _leave(self) -> None:
        """Hide the comparison, which belongs to a thread that is not open any more or was closed."""
        self._thread_id = None
        if self._view is not None:
            self._view.clear()

    def _close_if_shown(self, thread_id: str) -> None:
        """Close the comparison of a thread that goes on; one that was left is not seen again."""
        if thread_id == self._thread_id:
            self._close()
        else:
            self._forget(thread_id)

    @in_task("keep version", replaces=True)
    async def _keep(self, message_id: str) -> None:
        """Continue the thread with the model whose answer the person prefers."""
        chat = self._open_thread.chat
        answer = await chat.reader.get_message(message_id)
        await chat.paths.select_version(message_id)
        if answer.provider is not None and answer.model is not None:
            self._messages.models.choose(answer.provider, answer.model)
        self._panes.pane.show_toast(tr("Kept. The other answers stay as versions."))

    @in_task("edit a compared answer", replaces=True)
    async def _edit(self, message_id: str) -> None:
        """Edit the answer in the thread, which shows the version that is edited."""
        await self._open_thread.chat.paths.select_version(message_id)
        self._close()
        self._messages.edit.start(message_id)

    @in_task("stop one")
    async def _stop(self, message_id: str) -> None:
        await self._open_thread.chat.stop(message_id)

    @in_task("continue one")
    async def _go_on(self, message_id: str) -> None:
        await self._open_thread.chat.continue_message(message_id)

    # Events

    def _on_messages_compared(self, compared: Compared) -> None:
        self._show(compared.question, compared.answers)

    def _on_thread_opened(self, thread: object) -> None:
        if self._thread_id is not None and self._threads.thread_id != self._thread_id:
            self._leave()
        self._show_again()

    def _on_path_changed(self, event: PathChanged) -> None:
        self._close_if_shown(event.thread_id)

    def _on_message_changed(self, message: Message) -> None:
        if self.view is not None:
            self.view.change_message(message)

    def _on_text_streamed(self, event: TextStreamed) -> None:
        if self.view is not None:
            self.view.append_text(event.message_id, event.part_index, event.kind, event.delta)

    def _show_waiting(self, waiting: Sequence[WaitingAnswer]) -> None:
        if self.view is not None:
            notices = {each.message_id: (waiting_words(each), each.before) for each in waiting}
            for column in self.view.columns:
                column.view.conversation.progress.set_waiting(notices)

    def _on_turn_started(self, event: TurnStarted) -> None:
        if self.view is not None:
            self.view.record_request(event.message_id, Clock().now_ms())

    def _on_retry_waiting(self, event: RetryWaiting) -> None:
        retry = retry_of(event)
        if self.view is not None and retry is not None:
            self.view.set_retry(event.message_id, retry)
