"""Connects the library's dialog with the service: each change is stored, and can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.prompts.prompt_variables import read_template
from chatdesk.core.chat.undo import Step, UndoStack
from chatdesk.core.domain.prompt import Prompt, PromptHead, PromptKind
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.dialogs.file_dialogs import ask_for_file, ask_where_to_save
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.prompts.assistant_chooser import AssistantChooser
from chatdesk.ui.features.prompts.prompt_form import Written
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.window.window_context import Panes

_FILTER = Text("Prompts (*.json)")
_UNKNOWN = Text("Something went wrong. Nothing was stored; the text is kept here.")


class PromptLibrary(QObject):
    """The dialog of prompts, one at a time, and its work. Many saves of one prompt are one step to undo."""

    insertRequested = Signal(str)

    def __init__(
        self,
        panes: Panes,
        undo: UndoBinding,
        prompts: PromptService,
        *,
        tasks: AsyncTasks,
        assistants: AssistantChooser,
    ) -> None:
        super().__init__()
        self._assistants = assistants
        self._panes = panes
        self._undo = undo
        self._prompts = prompts
        self._tasks = tasks
        self.dialog: PromptsDialog | None = None
        self._before: Prompt | None = None
        self._made: set[str] = set()
        self._deletion: Step | None = None
        self._wanted: str | None = None  # the prompt that was asked for last

    def open(self) -> None:
        if self.dialog is not None:
            return
        dialog = self.dialog = PromptsDialog(self._panes.theme, parent=self._panes.window)
        dialog.saveRequested.connect(lambda *what: self._do(self._save(*what), "save prompt"))
        dialog.form.parametersRequested.connect(lambda now: self._assistants.ask_for_parameters(dialog, now))
        dialog.form.filesRequested.connect(lambda: self._assistants.ask_for_files(dialog, self._add_file_soon))
        dialog.openRequested.connect(lambda id_: self._do(self._show(id_), "open prompt"))
        dialog.duplicateRequested.connect(lambda id_: self._do(self._duplicate(id_), "duplicate prompt"))
        dialog.deleteRequested.connect(lambda id_: self._do(self._delete(id_), "delete prompt"))
        dialog.restoreRequested.connect(lambda id_: self._do(self._restore(id_), "restore prompt"))
        dialog.checkRequested.connect(lambda *what: self._tasks.replace(self._check(*what), "check prompt"))
        dialog.insertRequested.connect(self.insertRequested)
        dialog.importRequested.connect(self._ask_for_import)
        dialog.exportRequested.connect(self._ask_for_export)
        dialog.finished.connect(self._on_dialog_finished)
        dialog.open()
        self._do(self._offer(), "list what assistants can be given")

    def show_heads(self, heads: Sequence[PromptHead]) -> None:
        if self.dialog is not None:
            self.dialog.show_heads(heads)

    def start_prompt(self, kind: PromptKind, text: str) -> None:
        if self.dialog is not None:
            self.dialog.start_prompt(kind, text)

    async def save(self) -> None:
        """Store the edits in the dialog now, while the services are still open. Raises ``ChatDeskError``."""
        dialog = self.dialog
        if dialog is not None and dialog.is_changed:
            written = dialog.form.written()
            await self._save(dialog.prompt_id, written)

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run the work as a task and show its failure in the dialog, which the person is looking at."""

        async def run() -> None:
            try:
                await work
            except Exception as error:
                if self.dialog is None:
                    raise
                if isinstance(error, ChatDeskError):
                    self.dialog.show_failure(shown(error.sentence))
                else:
                    self.dialog.show_failure(shown(_UNKNOWN))
                    raise

        self._tasks.start(run(), name)

    async def _offer(self) -> None:
        choices = await self._assistants.choices()
        if self.dialog is not None:
            self.dialog.form.offer(choices)

    def _add_file_soon(self, path: Path) -> None:
        self._do(self._add_file(path), "add a file")

    async def _add_file(self, path: Path) -> None:
        file = await self._assistants.add_file(path)
        fields = None if self.dialog is None else self.dialog.form.assistant
        if fields is not None:
            fields.add_file(file)

    async def _save(self, prompt_id: str | None, written: Written) -> None:
        kind, name, text, setup = written.kind, written.name, written.text, written.setup
        if prompt_id is None:
            with self._undo.change() as stack:
                prompt = await self._prompts.create(kind, name, text, setup)
                self._made.add(prompt.id)
                self._did_make(stack, tr("add prompt"), [prompt.id])
        else:
            if self._before is None and prompt_id not in self._made:
                self._before = await self._prompts.get(prompt_id)
            prompt = await self._prompts.edit(prompt_id, kind, name, text, setup)
        if self.dialog is not None:
            self.dialog.saved(prompt)

    async def _show(self, prompt_id: str) -> None:
        self._wanted = prompt_id
        await self._record_edit()
        prompt = await self._prompts.get(prompt_id)
        if self.dialog is not None and self._wanted == prompt_id:
            self.dialog.show_prompt(prompt)

    async def _duplicate(self, prompt_id: str) -> None:
        with self._undo.change() as stack:
            prompt = await self._prompts.duplicate(prompt_id)
            self._did_make(stack, tr("add prompt"), [prompt.id])
        await self._show(prompt.id)

    async def _delete(self, prompt_id: str) -> None:
        await self._record_edit()
        with self._undo.change() as stack:
            prompt = await self._prompts.get(prompt_id)
            await self._prompts.delete([prompt_id])
            back, forth = partial(self._prompts.restore, [prompt_id]), partial(self._prompts.delete, [prompt_id])
            stack.record(tr("delete prompt"), back, forth)
            self._deletion = stack.last
        if self.dialog is not None:
            self.dialog.show_deleted(prompt_id, prompt.name)

    async def _restore(self, prompt_id: str) -> None:
        """Undo the last step, as Ctrl+Z would."""
        stack = await self._undo.stack()
        if self._deletion is not None:
            await stack.undo(self._deletion)
        self._panes.commands.refresh()
        await self._show(prompt_id)

    async def _check(self, text: str, is_system: bool) -> None:
        template = await asyncio.to_thread(read_template, text, is_system=is_system)
        if self.dialog is not None:
            self.dialog.form.show_problems([shown(problem.sentence) for problem in template.problems[:5]])

    async def _record_edit(self) -> None:
        """Record the edits since the prompt was opened as one step to undo."""
        before, self._before = self._before, None
        if before is None:
            return
        with self._undo.change() as stack:
            after = await self._prompts.get(before.id)
            back, forth = (
                partial(self._prompts.edit, each.id, each.kind, each.name, each.text, each.setup)
                for each in (before, after)
            )
            stack.record(tr("edit prompt"), back, forth)

    def _did_make(self, stack: UndoStack, label: str, prompt_ids: list[str]) -> None:
        stack.record(label, partial(self._prompts.delete, prompt_ids), partial(self._prompts.restore, prompt_ids))

    # Files

    def _ask_for_import(self) -> None:
        ask_for_file(
            self.dialog,
            tr("Import prompts"),
            lambda path: self._do(self.import_file(path), "prompts in a file"),
            kinds=shown(_FILTER),
        )

    def _ask_for_export(self) -> None:
        ask_where_to_save(
            self.dialog,
            tr("Export prompts"),
            "prompts.json",
            lambda path: self._do(self.export_file(path), "prompts in a file"),
            kinds=shown(_FILTER),
            suffix="json",
        )

    async def import_file(self, source: Path) -> None:
        with self._undo.change() as stack:
            added = await self._prompts.read_file(source)
            if added:
                self._did_make(stack, tr("import prompts"), [prompt.id for prompt in added])
        self._notice(
            shown(
                plural(
                    "Added: {count} prompts. What was there already stays as it is.",
                    "Added: {count} prompt. What was there already stays as it is.",
                    len(added),
                )
            )
        )

    async def export_file(self, target: Path) -> None:
        self._notice(
            shown(
                plural(
                    "Exported: {count} prompts to {name}.",
                    "Exported: {count} prompt to {name}.",
                    await self._prompts.write_file(target),
                    name=target.name,
                )
            )
        )

    def _notice(self, sentence: str) -> None:
        if self.dialog is not None:
            self.dialog.show_notice(sentence)

    def _on_dialog_finished(self) -> None:
        self.dialog = None
        self._made.clear()
        self._tasks.start(self._record_edit(), "record edit")
        self._panes.pane.focus_composer()
