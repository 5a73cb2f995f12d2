"""Controls prompts in the window: the list above the composer, the values of variables, and the library.

Menu and dialogs are imported on first use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from PySide6.QtGui import QGuiApplication

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.prompts.prompt_variables import Template, expand, read_template
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.domain.prompt import Prompt, PromptHead, PromptKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import ProjectChanged, PromptsChanged
from chatdesk.core.texts import shortened, shown, tr
from chatdesk.ui.composer.text_editor import SLASH, select_mark_query
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.prompts.assistant_chooser import AssistantChooser
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.prompt_library import PromptLibrary
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from chatdesk.ui.features.prompts.server_offers import ServerPrompts
from chatdesk.ui.features.prompts.system_prompt_binding import CreateThread, SystemPromptBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.words import with_commas
from chatdesk.ui.window.window_context import Controller, WindowContext

_MOST_REMEMBERED = 100
_LONGEST_GATHERING_S = 5.0
_LONGEST_PROJECT = 40


class PromptBinding(Controller):
    """Controller of prompts in a chat. ``save_text`` serves other places with *Save as prompt*."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        create_thread: CreateThread,
        prompts: PromptService,
        system_prompts: SystemPromptService,
        open_assistants: Callable[[], AssistantChooser],
        server_prompts: ServerPrompts,
    ) -> None:
        super().__init__(context)
        self._server_prompts = server_prompts
        self._open_assistants = open_assistants
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self._prompts = prompts
        self._system_prompts = system_prompts
        tasks = context.tasks
        self._menu: PromptMenu | None = None
        self._library: PromptLibrary | None = None
        self._last_values: dict[str, dict[str, str]] = {}
        self.system_prompts = SystemPromptBinding(
            context, threads, undo, create_thread=create_thread, system_prompts=system_prompts, prompts=prompts
        )
        composer, commands = panes.composer, panes.commands
        composer.editor.slashTyped.connect(lambda: tasks.replace(self._open_menu(is_after_slash=True), "list prompts"))
        commands.bind("prompt.insert", self.open_menu, lambda: composer.can_write)
        commands.bind("prompt.library", self.open_library)
        commands.bind("prompt.save", self._save_composed, lambda: not composer.editor.is_blank())
        threads.opened.connect(lambda _thread: self._show_placeholder_soon())
        context.events.subscribe(self, ProjectChanged, lambda _event: self._show_placeholder_soon())
        context.events.subscribe(self, PromptsChanged, lambda _event: self._refresh())

    async def save(self) -> None:
        """Store the unsaved edits of the library, because the window closes."""
        if self._library is not None:
            await self._library.save()

    # The menu

    def open_menu(self) -> None:
        """Open the list of prompts with a field to search in, or close it when it is open."""
        if self._menu is not None and self._menu.is_listed:
            self._menu.close_menu()
        elif self._panes.composer.can_write:
            self._tasks.replace(self._open_menu(is_after_slash=False), "list prompts")

    async def _open_menu(self, *, is_after_slash: bool) -> None:
        heads = await self._menu_heads(await self._prompts.list())
        if self._menu is None:
            self._menu = PromptMenu(self._panes.theme, self._panes.composer)
            self._menu.chosen.connect(self._insert_soon)
            self._menu.manageRequested.connect(self.open_library)
            self._panes.pane.threadLeft.connect(self._menu.close_menu)
        if is_after_slash:
            self._menu.open_after_mark(heads)
        else:
            self._menu.open_to_search(heads)
        self._server_prompts.ask(self._refresh)

    async def _menu_heads(self, stored: Sequence[PromptHead]) -> list[PromptHead]:
        """Return the templates of the library, then the prompts that are known of tool servers."""
        templates = [head for head in stored if head.kind is PromptKind.TEMPLATE]
        return [*templates, *await self._server_prompts.heads()]

    def _refresh(self) -> None:
        async def work() -> None:
            heads = await self._prompts.list()
            if self._menu is not None:
                self._menu.update_heads(await self._menu_heads(heads))
            if self._library is not None:
                self._library.show_heads(heads)

        if self._menu is not None or self._library is not None:
            self._tasks.replace(work(), "refresh prompts")

    # Inserting

    def _insert_soon(self, prompt_id: str, is_after_slash: bool = False) -> None:
        if not self._server_prompts.insert(prompt_id, is_after_slash=is_after_slash):
            self._tasks.replace(self._insert(prompt_id, is_after_slash=is_after_slash), "insert prompt")

    async def text_of(self, prompt_id: str) -> str | None:
        """Return the current text of a prompt. If it has fields to fill in, insert it into the composer and return
        None."""
        prompt = await self._prompts.get(prompt_id)
        template = await asyncio.to_thread(read_template, prompt.text)
        if template.fields:
            await self._insert(prompt_id, is_after_slash=False)
            return None
        known, _notes = await self._known_values(template)
        return (await asyncio.to_thread(expand, template, known, datetime.now().astimezone())).text

    async def _insert(self, prompt_id: str, *, is_after_slash: bool) -> None:
        prompt = await self._prompts.get(prompt_id)
        template = await asyncio.to_thread(read_template, prompt.text)
        insert = partial(
            self._insert_filled, prompt, template, thread_id=self._threads.thread_id, is_after_slash=is_after_slash
        )
        if not template.fields:
            await insert({})
            return

        dialog = PromptFieldsDialog(
            self._panes.theme,
            prompt.name,
            template.fields,
            last_values=self._last_values.get(prompt.id, {}),
            problems=template.problems,
            parent=self._panes.window,
        )

        def fill(values: dict[str, str]) -> None:
            self._remember(prompt.id, values)
            self._tasks.replace(insert(values), "insert prompt")

        dialog.filled.connect(fill)
        dialog.finished.connect(lambda _result: self._panes.pane.focus_composer())
        dialog.open()

    async def _insert_filled(
        self,
        prompt: Prompt,
        template: Template,
        values: dict[str, str],
        *,
        thread_id: str | None,
        is_after_slash: bool,
    ) -> None:
        known, notes = await self._known_values(template)
        missing = [each for each in template.fields if not each.default and not values.get(each.name, "").strip()]
        values |= {each.name: f"[{each.label}]" for each in missing}
        if missing:
            notes.append(tr("Still to fill in: {missing}.", missing=with_commas(each.label for each in missing)))
        made = await asyncio.to_thread(expand, template, {**values, **known}, datetime.now().astimezone())
        composer = self._panes.composer
        if self._threads.thread_id != thread_id or composer.editor.isReadOnly():
            self._panes.pane.show_toast(tr("The prompt was not inserted: another thread is open now."))
            return
        if is_after_slash:
            select_mark_query(composer.editor, SLASH)
        composer.insert_text(made.text)
        self._panes.pane.focus_composer()
        notes += made.notes
        if template.problems and not template.fields:  # with fields, the dialog has shown the problem
            notes.append(shown(template.problems[0].sentence))
        if notes:
            composer.notice.show_passing(" ".join(notes))
        await self._prompts.record_use(prompt.id)

    async def _known_values(self, template: Template) -> tuple[dict[str, str], list[str]]:
        """Return the values the window knows for a template's variables, and sentences about those that are empty."""
        thread, notes = self._threads.open_thread, []
        values = {"thread": thread.title if thread else tr("New thread")}
        if template.needs("clipboard"):
            values["clipboard"] = QGuiApplication.clipboard().text()
            if not values["clipboard"]:
                notes.append(tr("There is no text in the clipboard."))
        if template.needs("selection"):
            values["selection"] = await self._selected_text()
            if not values["selection"]:
                notes.append(tr("Nothing is selected in the thread."))
        if template.needs("project"):
            values["project"] = await self._project_name(thread)
        if template.needs("model"):
            provider, model = (thread.provider, thread.model) if thread else (None, None)
            values["model"] = self._open_thread.stored_chat.context.models.info(provider, model).id
        return values, notes

    async def _selected_text(self) -> str:
        delivered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def deliver(text: str) -> None:
            if not delivered.done():
                delivered.set_result(text)

        self._panes.transcript.selected_text(deliver)
        try:
            return await asyncio.wait_for(delivered, _LONGEST_GATHERING_S)
        except TimeoutError:
            return ""

    def _remember(self, prompt_id: str, values: dict[str, str]) -> None:
        """Remember the values that were filled in, to offer them next time until the window closes."""
        self._last_values.pop(prompt_id, None)
        self._last_values[prompt_id] = values
        while len(self._last_values) > _MOST_REMEMBERED:
            del self._last_values[next(iter(self._last_values))]

    # The library

    def open_library(self) -> None:
        self._tasks.start(self._opened_library(), "open prompts")

    def start_assistant(self) -> None:
        """Open the library with a new assistant."""
        self._start(PromptKind.ASSISTANT, "")

    def _save_composed(self) -> None:
        """Open the library with a new prompt that has the text of the composer."""
        self._start(PromptKind.TEMPLATE, self._panes.composer.text())

    @in_task("start a prompt")
    async def _start(self, kind: PromptKind, text: str) -> None:
        (await self._opened_library()).start_prompt(kind, text)

    async def _opened_library(self) -> PromptLibrary:
        if self._library is None:
            self._library = PromptLibrary(
                self._panes, self._undo, self._prompts, tasks=self._tasks, assistants=self._open_assistants()
            )
            self._library.insertRequested.connect(self._insert_soon)
        self._library.open()
        self._library.show_heads(await self._prompts.list())
        return self._library

    # The composer's words

    @in_task("show placeholder", replaces=True)
    async def _show_placeholder_soon(self) -> None:
        thread = self._threads.open_thread
        name = await self._project_name(thread)
        if thread is not self._threads.open_thread:
            return  # another one was opened in the meantime, whose own words come next
        words = tr("Message {name} — drop files here, / for prompts", name=shortened(name, _LONGEST_PROJECT))
        self._panes.composer.set_placeholder(words)

    async def _project_name(self, thread: Thread | None) -> str:
        if thread is None:
            return (self._threads.new_project or await self._open_thread.stored_chat.projects.default()).name
        return (await self._system_prompts.of_project(thread.project_id)).project_name
