"""Controls the system prompts of the open thread and its project: shown, measured, stored, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.prompts.prompt_variables import read_template
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.domain.prompt import PromptKind, PromptSource, SystemPrompts
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ProjectChanged, ThreadChanged
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from chatdesk.ui.window.window_context import Controller, WindowContext

FROM_FILE = Text("An imported system prompt is sent with your question.")
_MOST_PROBLEMS = 4
_MOST_CHOICES = 40


# Makes a thread of the new chat, in this project; its id.
CreateThread = Callable[[str], Awaitable[str]]


class SystemPromptBinding(Controller):
    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        create_thread: CreateThread,
        system_prompts: SystemPromptService,
        prompts: PromptService,
    ) -> None:
        super().__init__(context)
        self._create_thread = create_thread
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self._system_prompts = system_prompts
        self._prompts = prompts
        self.dialog: SystemPromptDialog | None = None
        panes.commands.bind("thread.system_prompt", self.open_thread)
        panes.commands.bind("project.system_prompt", self.open_project)
        threads.opened.connect(self._on_threads_opened)
        context.events.subscribe(self, ThreadChanged, self._on_bridge_thread_changed)
        context.events.subscribe(
            self, ProjectChanged, lambda _event: self._on_threads_opened(self._threads.open_thread)
        )

    def _on_threads_opened(self, thread: Thread | None) -> None:
        self._tasks.replace(self._remind(thread), "remind of a system prompt")

    def _on_bridge_thread_changed(self, event: ThreadChanged) -> None:
        if event.thread.id == self._threads.thread_id:
            self._tasks.replace(self._remind(event.thread), "remind of a system prompt")

    async def _remind(self, thread: Thread | None) -> None:
        """Show a reminder where the system prompt comes from an imported file or another member."""
        prompts = self._system_prompts
        thread_id = None if thread is None else thread.id
        words = ""
        try:
            name = None if thread_id is None else await prompts.changed_by_other(thread_id)
            if name is not None:
                words = tr("{name} changed the system prompt; it is sent with your question.", name=name)
            elif await prompts.is_from_file(thread_id, self._threads.new_project_id):
                words = shown(FROM_FILE)
        except ChatDeskError:  # deleted in the meantime, or unreadable, which is reported where the prompt is shown
            words = ""
        self._panes.composer.notice.set_reminder(words)

    def open_thread(self) -> None:
        """Open the system prompt of the open thread; a new chat becomes a thread when it gets one."""
        self._tasks.replace(self._open(PromptSource.THREAD, None), "open system prompt")

    def open_project(self, project_id: str | None = None) -> None:
        """Open the system prompt of a project; None means the one of the open thread, or the default one."""
        self._tasks.replace(self._open(PromptSource.PROJECT, project_id), "open system prompt")

    async def _open(self, source: PromptSource, project_id: str | None) -> None:
        if source is PromptSource.THREAD and self._threads.offers_to_keep(
            tr("A temporary chat has the instructions of its project."), self.open_thread
        ):
            return
        prompts = await self._find(project_id)
        if self.dialog is not None:
            return

        dialog = self.dialog = SystemPromptDialog(self._panes.theme, prompts, source=source, parent=self._panes.window)
        dialog.edited.connect(lambda text: self._tasks.replace(self._measure(prompts, text), "measure system prompt"))
        dialog.saveRequested.connect(lambda changes: self._tasks.start(self._save(prompts, changes), "system prompt"))
        dialog.libraryRequested.connect(lambda id_: self._tasks.replace(self._use(id_), "use prompt"))
        dialog.keepRequested.connect(lambda text: self._tasks.start(self._keep(text), "keep system prompt"))
        dialog.finished.connect(self._on_dialog_finished)
        dialog.open()
        self._tasks.replace(self._measure(prompts, prompts.of(source)), "measure system prompt")
        await self._show_library()

    async def _find(self, project_id: str | None) -> SystemPrompts:
        thread_id = self._threads.stored_id
        if project_id is not None:
            return await self._system_prompts.of_project(project_id)
        if thread_id is not None:
            return await self._system_prompts.of_thread(thread_id)
        project = self._threads.new_project or await self._open_thread.stored_chat.projects.default()
        return await self._system_prompts.of_project(project.id)

    async def _show_library(self) -> None:
        heads = [head for head in await self._prompts.list() if head.kind is PromptKind.SYSTEM]
        if self.dialog is not None:
            self.dialog.show_library(heads[:_MOST_CHOICES])

    async def _measure(self, prompts: SystemPrompts, text: str) -> None:
        size = await self._system_prompts.size(prompts, text)
        template = await asyncio.to_thread(read_template, text, is_system=True)
        if self.dialog is not None:
            self.dialog.show_size(size)
            self.dialog.show_problems([shown(problem.sentence) for problem in template.problems[:_MOST_PROBLEMS]])

    async def _use(self, prompt_id: str) -> None:
        prompts = self._prompts
        prompt = await prompts.get(prompt_id)
        if self.dialog is not None:
            self.dialog.use_text(prompt.text)
        await prompts.record_use(prompt_id)

    async def _keep(self, text: str) -> None:
        try:
            with self._undo.change() as stack:
                prompt = await self._prompts.create(PromptKind.SYSTEM, "", text)
                back, forth = partial(self._prompts.delete, [prompt.id]), partial(self._prompts.restore, [prompt.id])
                stack.record(tr("add prompt"), back, forth)
        except ChatDeskError as error:
            if self.dialog is None:
                raise
            self.dialog.show_failure(shown(error.sentence))
            return
        if self.dialog is not None:
            self.dialog.show_notice(tr("Saved to the library: {name}", name=prompt.name))
        await self._show_library()

    async def _save(self, prompts: SystemPrompts, changes: Mapping[PromptSource, str]) -> None:
        service = self._system_prompts
        before = {source: prompts.of(source) for source in changes}
        try:
            with self._undo.change() as stack:
                if prompts.thread_id is None and changes.get(PromptSource.THREAD, "").strip():
                    prompts = replace(prompts, thread_id=await self._create_thread(prompts.project_id))
                await service.change(prompts, changes)
                stack.record(
                    tr("change system prompt"),
                    partial(service.change, prompts, before),
                    partial(service.change, prompts, changes),
                    thread_id=prompts.thread_id if set(changes) == {PromptSource.THREAD} else None,
                )
        except ChatDeskError as error:
            if self.dialog is None:
                raise
            self.dialog.show_failure(shown(error.sentence))
            return
        if self.dialog is not None:
            self.dialog.close_saved()
        self._undo.offer(tr("The system prompt was changed"))

    def _on_dialog_finished(self) -> None:
        self.dialog = None
        self._panes.pane.focus_composer()
