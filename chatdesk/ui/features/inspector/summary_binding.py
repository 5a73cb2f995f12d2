"""Controls the summary of the open thread: shown in the inspector, edited, made again, switched off. Before work on
summaries costs more than the limit, the person is asked; its progress is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.summary_service import SummaryService
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.summary import Summary, SummaryStage, SummarySwitches, SummaryWork
from chatdesk.core.domain.usage import Usage
from chatdesk.core.events import SummaryWorkChanged
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.inspector.summary_tab import SummaryTab
from chatdesk.ui.features.inspector.summary_text import ended_words, progress_words, question_words
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.window.window_context import Controller, WindowContext

_PAGE = 100
# Fewer requests are over before a person could read their progress.
_LEAST_REQUESTS_SHOWN = 3


class SummaryBinding(Controller):
    """Controller of the summary tab. ``jump`` shows a message, and first the version of the thread that it belongs
    to."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, *, jump: Callable[[str], None]) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._context = context
        self._newest: Summary | None = None
        self.tab = SummaryTab(panes.theme, self._fetch_sources)
        self.tab.editSaved.connect(self._save)
        self.tab.redoRequested.connect(self._redo)
        self.tab.switchRequested.connect(
            lambda id_, is_on: self._change(lambda summaries, _thread: summaries.switch(id_, is_on=is_on))
        )
        self.tab.threadSwitched.connect(
            lambda is_on: self._change(lambda summaries, thread: summaries.switch_thread(thread, is_on=is_on))
        )
        self.tab.projectSwitched.connect(self._switch_project)
        self.tab.jumpRequested.connect(jump)
        self.tab.agreed.connect(lambda: self._decide(lambda summaries, thread: summaries.agree(thread)))
        self.tab.stopped.connect(lambda: self._decide(lambda summaries, thread: summaries.stop(thread)))

    async def fill(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            self._newest = None
            self.tab.show_summaries((), SummarySwitches(), can_be_made=False)
            self._show_work(None)
            return
        context = self._open_thread.chat.context
        summaries = context.summaries
        found, switches = await summaries.list(thread_id), await summaries.switches(thread_id)
        if thread_id == self._threads.thread_id:
            self._newest = found[0] if found else None
            self.tab.show_summaries(
                found,
                switches,
                can_be_made=summaries.can_be_made,
                waits_for_tomorrow=summaries.waits_for_tomorrow,
                cost_usd=_cost(context, self._newest),
            )
            self._show_work(summaries.work_on(thread_id))

    def _show_work(self, work: SummaryWork | None) -> None:
        stage = None if work is None else work.stage
        is_asking, is_working = stage is SummaryStage.ASKING, stage is SummaryStage.WORKING
        words = question_words(work) if work and is_asking else progress_words(work) if work and is_working else ""
        self.tab.show_work(words, can_agree=is_asking, can_stop=is_working)

    def _decide(self, act: Callable[[SummaryService, str], None]) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            act(self._open_thread.stored_chat.context.summaries, thread_id)

    def _fetch_sources(self, start: int) -> None:
        summary = self._newest
        if summary is not None:
            self._tasks.replace(self._sources(summary, start), "fetch the sources of a summary")

    async def _sources(self, summary: Summary, start: int) -> None:
        context = self._open_thread.chat.context
        page = await context.entries(summary.thread_id, start, _PAGE)
        if self._newest is None or self._newest.id != summary.id:
            return
        end = page.entries[-1].position + 1 if page.entries else summary.to_position + 1
        entries = [
            entry
            for entry in page.entries
            if entry.position <= summary.to_position and entry.reason is not Reason.EMPTY
        ]
        self.tab.sources.add(entries, next_position=end if end <= summary.to_position else None)

    def _save(self, summary_id: str, text: str, facts: tuple[str, ...]) -> None:
        self._change(lambda summaries, _thread: summaries.edit(summary_id, text, pinned_facts=facts))

    def _switch_project(self, is_on: bool) -> None:
        thread = self._threads.open_thread
        if thread is not None:
            self._change(lambda summaries, _thread: summaries.switch_project(thread.project_id, is_on=is_on))

    def _redo(self) -> None:
        async def work() -> None:
            thread_id = self._threads.thread_id
            if thread_id is not None:
                await self._open_thread.chat.context.redo_summary(thread_id)
                self._panes.pane.show_toast(tr("The summary is being made in the background"))

        self._tasks.start(ProviderConsent(self._context).run(work), "redo summary")

    @in_task("change summary")
    async def _change(self, act: Callable[[SummaryService, str], Awaitable[object]]) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            try:
                await act(self._open_thread.chat.context.summaries, thread_id)
            finally:
                await self.fill()


def _cost(context: ContextService, summary: Summary | None) -> float | None:
    """Return the cost of a summary at today's price; the ledger has the price of the day it was made."""
    if summary is None or not summary.input_tokens + summary.output_tokens:
        return None
    usage = Usage(summary.input_tokens, summary.output_tokens)
    return context.models.cost_of(summary.provider, summary.model, usage)


class SummaryWorkBinding(Controller):
    """The binding of the work on summaries. Questions about another thread wait until that one is opened."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        self._threads = threads
        self._bar: Banner | None = None
        self._shown: SummaryWork | None = None
        threads.opened.connect(lambda _thread: self._on_thread_opened())
        context.events.subscribe(self, SummaryWorkChanged, self._on_summary_work_changed)

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
