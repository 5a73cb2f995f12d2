"""Asks before summaries of the open thread cost more than the limit, shows how far they are, and stops them."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.chat.context.summary_service import SummaryService
from chatdesk.core.domain.summary import SummaryStage, SummaryWork
from chatdesk.core.events import SummaryWorkChanged
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.inspector.summary_text import ended_words, progress_words, question_words
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.window.window_context import Controller, WindowContext

# Fewer requests are over before anybody could read how far they are.
_LEAST_REQUESTS_SHOWN = 3


class SummaryWorkBinding(Controller):
    """The binding of the work on summaries. Questions about another thread wait until that one is opened."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        self._threads = threads
        self._bar: Banner | None = None
        self._shown: SummaryWork | None = None
        threads.opened.connect(lambda _thread: self._on_thread_opened())
        context.subscribe(self, SummaryWorkChanged, self._on_summary_work_changed)

    def _on_thread_opened(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            self._show(None)
        else:
            self._show(self._open_thread.stored_chat.context.summaries.work_on(thread_id))

    def _on_summary_work_changed(self, event: SummaryWorkChanged) -> None:
        work = event.work
        if work.thread_id != self._threads.thread_id:
            return
        if work.stage in (SummaryStage.MADE, SummaryStage.STOPPED):
            self._show(None)
            if work.requests:
                self._panes.pane.show_toast(ended_words(work))
        else:
            self._show(work)

    def _show(self, work: SummaryWork | None) -> None:
        self._shown = work
        is_asking = work is not None and work.stage is SummaryStage.ASKING
        is_long = work is not None and work.planned_requests >= _LEAST_REQUESTS_SHOWN
        if work is None or not (is_asking or (is_long and work.stage is SummaryStage.WORKING)):
            if self._bar is not None:
                self._bar.setVisible(False)
        elif is_asking:
            self._built().show_message(
                question_words(work),
                kind="info",
                action_text=tr("Summarise"),
                other_text=tr("Not now"),
                is_closable=False,
            )
        else:
            self._built().show_message(progress_words(work), kind="info", action_text=tr("Stop"), is_closable=False)

    def _built(self) -> Banner:
        if self._bar is None:
            self._bar = Banner(self._panes.theme)
            self._bar.setObjectName("summaryBar")
            self._bar.actionTriggered.connect(self._on_action_triggered)
            self._bar.otherTriggered.connect(self._stop)
            self._panes.pane.add_bar(self._bar)
        return self._bar

    def _on_action_triggered(self) -> None:
        if self._shown is not None and self._shown.stage is SummaryStage.ASKING:
            thread_id = self._shown.thread_id
            self._with_service(lambda summaries: summaries.agree(thread_id))
        else:
            self._stop()

    def _stop(self) -> None:
        if self._shown is not None:
            thread_id = self._shown.thread_id
            self._with_service(lambda summaries: summaries.stop(thread_id))

    def _with_service(self, act: Callable[[SummaryService], None]) -> None:
        act(self._open_thread.stored_chat.context.summaries)
        self._panes.pane.focus_composer()
