"""Controls the inspector: fills its tabs for the open thread and its questions, and handles a person's actions
there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.undo import choose_passage
from chatdesk.core.domain.knowledge import PassageChoice, PassagePlace
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.events import (
    AnswerFinished,
    ContextChanged,
    MemoriesChanged,
    MessageAdded,
    PathChanged,
    ProjectFilesChanged,
    SummaryFailed,
    SummaryWorkChanged,
    TurnStarted,
    UsageRecorded,
)
from chatdesk.core.texts import Text, shown, tr
from chatdesk.core.usage.usage_service import UsageService
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.inspector.context_tab import ContextTab
from chatdesk.ui.features.inspector.questions_binding import QuestionsBinding
from chatdesk.ui.features.inspector.summary_binding import SummaryBinding
from chatdesk.ui.features.inspector.tree_tab import TreeTab
from chatdesk.ui.features.inspector.usage_tab import UsageTab
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.focus_ring import reason_of_press
from chatdesk.ui.window.inspector import Inspector
from chatdesk.ui.window.window_context import Controller, WindowContext

Fill = Callable[[], Coroutine[Any, Any, None]]


CONTEXT, SUMMARY, USAGE, TREE, QUESTIONS = (
    Text("Context"),
    Text("Summary"),
    Text("Usage"),
    Text("Tree"),
    Text("Questions"),
)
ARTIFACTS = Text("Artifacts")
_CHOSEN = {
    PassageChoice.PINNED: Text("Pinned: it goes with every question of this thread"),
    PassageChoice.LEFT_OUT: Text("Left out of this thread"),
    PassageChoice.NONE: Text("Sent where it fits the question"),
}
_SETTLE_MS = 200
_PAGE = 100


class InspectorBinding(Controller):
    """Builds the inspector when it is first asked for. A hidden tab is not kept up to date; it is filled when shown.
    ``pricesRequested``: the person wants to type what a model costs. ``memoryRequested`` has the id of a memory to be
    shown, ``passageRequested`` the link of a passage of the project's files. ``tabLeft``: another tab is shown than
    before."""

    pricesRequested = Signal()
    memoryRequested = Signal(str)
    tabLeft = Signal()
    passageRequested = Signal(str)

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        usage_of: Callable[[str | None], UsageService],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self._usage_of = usage_of
        self._window_context = context
        self.inspector: Inspector | None = None
        self._more: dict[str, tuple[Callable[[], QWidget], Fill]] = {}
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._fill)
        panes.commands.bind("view.inspector", self.toggle)
        panes.commands.describe(
            "view.inspector", title=lambda: tr("Hide the inspector") if self.is_open else tr("Show the inspector")
        )
        panes.commands.bind("view.tree", lambda: self.open(TREE))
        panes.commands.bind("view.summary", lambda: self.open(SUMMARY))
        panes.commands.bind("view.usage", lambda: self.open(USAGE))
        panes.commands.bind("view.context", lambda: self.open(CONTEXT))
        panes.commands.bind("go.outline", self.open_questions)
        panes.header.outlineRequested.connect(self.open_questions)
        threads.opened.connect(lambda thread: panes.header.set_outline_offered(thread is not None))
        panes.header.inspectorRequested.connect(self._on_header_inspector_requested)
        panes.pane.composerWanted.connect(self.close)
        threads.opened.connect(lambda _thread: self._fill_soon())
        panes.composer.textChanged.connect(self._fill_soon)
        for kind in (
            MessageAdded,
            PathChanged,
            AnswerFinished,
            TurnStarted,
            ContextChanged,
            MemoriesChanged,
            UsageRecorded,
            SummaryWorkChanged,
            ProjectFilesChanged,
        ):
            context.events.subscribe(self, kind, lambda _event: self._fill_soon())
        context.events.subscribe(self, PathChanged, lambda _event: self._forget_questions())
        # The maker of summaries reports it once, until one succeeds; requests continue without it.
        context.events.subscribe(self, SummaryFailed, self._on_summary_failed)

    def add_tab(self, name: str, make: Callable[[], QWidget], fill: Fill) -> None:
        """Add a tab of another controller, made with the inspector; ``fill`` is run when it is shown and when the
        thread changes."""
        self._more[name] = (make, fill)

    @property
    def is_open(self) -> bool:
        return self.inspector is not None and self.inspector.isVisible()

    def toggle(self) -> None:
        if self.is_open:
            self.close()
        else:
            self.open()

    def open(self, tab: str | None = None, *, reason: Qt.FocusReason = Qt.FocusReason.ShortcutFocusReason) -> None:
        """Open the inspector. ``reason`` is the way it was asked for: after a click its tabs show no focus ring."""
        inspector = self._built()
        self._panes.pane.show_inspector(inspector)
        self._panes.header.set_inspector_open(True)
        if tab is not None:
            inspector.show_tab(tab)
        inspector.focus(reason)
        self._fill()

    def open_questions(self) -> None:
        """Open the list of questions with the focus in the field that narrows it."""
        if self._threads.thread_id is not None:
            self.open(QUESTIONS)
            self._questions.tab.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _forget_questions(self) -> None:
        if self.inspector is not None:
            self._questions.forget()

    def _on_questions_went(self) -> None:
        """Close the inspector where it covers the thread."""
        if self.inspector is not None and self.inspector.is_filling:
            self.close()

    def _on_header_inspector_requested(self) -> None:
        if self.is_open:
            self.close()
        else:
            self.open(reason=reason_of_press(self._panes.header.inspector_button))

    def close(self) -> None:
        self._panes.pane.hide_inspector()
        self._panes.header.set_inspector_open(False)
        self._panes.pane.focus_composer()

    def end(self) -> None:
        """Stop filling the inspector, because the window closes."""
        self._settle.timeout.disconnect(self._fill)
        self._settle.stop()

    def _built(self) -> Inspector:
        if self.inspector is None:
            theme = self._panes.theme
            self._context = ContextTab(theme, self._fetch_entries)
            self._context.jumpRequested.connect(self._panes.transcript.jump_to)
            self._context.markRequested.connect(self._mark)
            self._context.startRequested.connect(self._start_at)
            self._context.copyRequested.connect(self._copy_request)
            self._context.memories.chosen.connect(self.memoryRequested)
            self._context.found.choiceRequested.connect(self._choose_passage)
            self._context.found.openRequested.connect(self.passageRequested)
            self._tree = TreeTab(theme)
            self._tree.jumpRequested.connect(self.jump)
            self._tree.restoreRequested.connect(self._undo.restore_message)
            self.inspector = Inspector(theme)
            self.inspector.add_tab(CONTEXT, self._context)
            self._summary = SummaryBinding(self._window_context, self._threads, jump=self.jump)
            self.inspector.add_tab(SUMMARY, self._summary.tab)
            self._usage = UsageTab(theme)
            self._usage.pricesRequested.connect(self.pricesRequested)
            self.inspector.add_tab(USAGE, self._usage)
            self.inspector.add_tab(TREE, self._tree)
            self._questions = QuestionsBinding(self._window_context, self._threads)
            self._questions.went.connect(self._on_questions_went)
            self.inspector.add_tab(QUESTIONS, self._questions.tab)
            for name, (make, _fill) in self._more.items():
                self.inspector.add_tab(name, make())
            self.inspector.tabShown.connect(self._on_tab_shown)
            self.inspector.closed.connect(self.close)
        return self.inspector

    def _on_tab_shown(self, _name: str) -> None:
        self.tabLeft.emit()
        self._fill()

    def _on_summary_failed(self, event: SummaryFailed) -> None:
        chats, panes = self._window_context.chats, self._panes
        if chats.announces_for(panes, event.thread_id) or chats.notifies_of(panes, event.thread_id):
            panes.pane.show_toast(shown(event.sentence))

    # Filling

    def _fill_soon(self) -> None:
        if self.is_open:
            self._settle.start()

    def _fill(self) -> None:
        if self.inspector is not None and self.is_open:
            fills = {
                TREE: self._fill_tree,
                SUMMARY: self._summary.fill,
                USAGE: self._fill_usage,
                QUESTIONS: self._questions.fill,
                **{name: fill for name, (_make, fill) in self._more.items()},
            }
            fill = fills.get(self.inspector.tab, self._fill_context)
            self._tasks.replace(fill(), "fill inspector")

    async def _fill_tree(self) -> None:
        thread_id = self._threads.thread_id
        rows = () if thread_id is None else await self._open_thread.chat.reader.get_tree(thread_id)
        if thread_id == self._threads.thread_id:
            self._tree.show_rows(rows)

    async def _fill_usage(self) -> None:
        thread_id = self._threads.thread_id
        report = None
        if thread_id is not None:
            report = await self._usage_of(thread_id).of_thread(thread_id)
        if thread_id == self._threads.thread_id:
            self._usage.show_report(report)

    async def _fill_context(self) -> None:
        thread_id = self._threads.thread_id
        report = None
        if thread_id is not None:
            composer, chat = self._panes.composer, self._open_thread.chat
            report = await chat.context.report(thread_id, composer.text(), attachments=composer.files.attached)
            if words := await chat.tools.cost_sentence(thread_id):
                report = replace(report, notes=(*report.notes, words))
        if thread_id == self._threads.thread_id:
            self._context.show_report(report)

    @in_task("fetch context entries", replaces=True)
    async def _fetch_entries(self, below: int | None) -> None:
        thread_id = self._threads.thread_id
        if thread_id is None:
            return
        chat = self._open_thread.chat
        end = below
        if end is None:
            newest = (await chat.reader.get_thread_messages(thread_id, 1)).messages
            end = newest[-1].position + 1 if newest else 0
        start = max(0, end - _PAGE)
        page = await chat.context.entries(thread_id, start, _PAGE)
        if thread_id == self._threads.thread_id:
            found = [entry for entry in reversed(page.entries) if entry.position < end]
            self._context.add_entries(found, has_older=start > 0)

    # What a person does

    @in_task("jump", replaces=True)
    async def jump(self, message_id: str) -> None:
        """Jump to a message, showing its version first."""
        thread_id = self._threads.thread_id
        await (await self._undo.stack()).select_version(message_id)
        self._panes.commands.refresh()
        if thread_id == self._threads.thread_id:  # else the reader has opened another thread
            self._panes.transcript.jump_to(message_id)

    @in_task("mark message")
    async def _mark(self, message_id: str, mark: ContextMark) -> None:
        await (await self._undo.stack()).mark_message(message_id, mark)
        self._panes.commands.refresh()
        self._fill_soon()

    @in_task("choose passage")
    async def _choose_passage(self, place: PassagePlace, choice: PassageChoice) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            files = self._open_thread.chat.context.project_files
            await choose_passage(await self._undo.stack(), files, thread_id, place, choice)
            self._panes.commands.refresh()
            announce(self._context.found, shown(_CHOSEN[choice]))

    @in_task("start context")
    async def _start_at(self, message_id: str | None) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            await (await self._undo.stack()).start_context(thread_id, message_id)
            self._panes.commands.refresh()
            self._fill_soon()

    @in_task("copy request", replaces=True)
    async def _copy_request(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            context = self._open_thread.chat.context
            composer = self._panes.composer
            body = await context.request_json(thread_id, composer.text(), attachments=composer.files.attached)
            QGuiApplication.clipboard().setText(body.decode("utf-8"))
            self._panes.pane.show_toast(tr("Request copied"))
