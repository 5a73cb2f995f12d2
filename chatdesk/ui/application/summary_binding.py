"""The summary of the open thread: shown in the inspector, edited, made anew, switched off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.core.domain.summary import SummarySwitches
from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.application.thread_binding import ThreadBinding
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.inspector.summary_tab import SummaryTab

if TYPE_CHECKING:
    from chatdesk.core.chat.summary_service import SummaryService
    from chatdesk.ui.application.panes import Panes


class SummaryBinding(QObject):
    def __init__(self, panes: Panes, threads: ThreadBinding, *, handle: ServiceHandle, tasks: AsyncTasks) -> None:
        super().__init__()
        self._panes = panes
        self._threads = threads
        self._handle = handle
        self._tasks = tasks
        self.tab = SummaryTab(panes.theme)
        self.tab.editSaved.connect(self._save)
        self.tab.redoRequested.connect(self._redo)
        self.tab.switchRequested.connect(
            lambda id_, is_on: self._change(lambda summaries, _thread: summaries.switch(id_, is_on=is_on))
        )
        self.tab.threadSwitched.connect(
            lambda is_on: self._change(lambda summaries, thread: summaries.switch_thread(thread, is_on=is_on))
        )
        self.tab.projectSwitched.connect(self._switch_project)
        self.tab.jumpRequested.connect(panes.transcript.jump_to)

    async def fill(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            self.tab.show_summaries((), SummarySwitches(), can_be_made=False)
            return
        summaries = (await self._handle.chat()).context.summaries
        found, switches = await summaries.list(thread_id), await summaries.switches(thread_id)
        if thread_id == self._threads.thread_id:
            self.tab.show_summaries(
                found, switches, can_be_made=summaries.can_be_made, waits_for_tomorrow=summaries.waits_for_tomorrow
            )

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
                await (await self._handle.chat()).context.redo_summary(thread_id)
                self._panes.window.show_toast("The summary is being made in the background")

        self._tasks.start(work(), "redo summary")

    def _change(self, act: Callable[[SummaryService, str], Awaitable[object]]) -> None:
        async def work() -> None:
            thread_id = self._threads.thread_id
            if thread_id is not None:
                try:
                    await act((await self._handle.chat()).context.summaries, thread_id)
                finally:
                    await self.fill()

        self._tasks.start(work(), "change summary")
