"""Controls the page of memories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from shiboken6 import isValid

from chatdesk.core.domain.memory import Memory, NewMemory
from chatdesk.core.events import MemoriesChanged
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.links import link_to
from chatdesk.core.texts import plural, shortened, shown, tr
from chatdesk.services.parts import address_in
from chatdesk.services.services import Services
from chatdesk.ui.features.memory.edit_memory_dialog import EditMemoryDialog
from chatdesk.ui.features.memory.memories_dialog import MemoriesDialog, MemoryProvider
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_LONGEST_NAMED = 60


class MemoriesBinding(Controller):
    """Controller of ``memory``. ``open_link`` opens the thread of a link. What was deleted can be put back as long as
    the window is open."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        services: Services,
        open_link: Callable[[str], object],
    ) -> None:
        super().__init__(context)
        self._settings = settings
        self._services = services
        self._open_link = open_link
        self._deleted: list[tuple[Memory, ...]] = []
        self.dialog: MemoriesDialog | None = None
        context.panes.commands.bind("memory.open", self.open)
        context.events.subscribe(context.panes.window, MemoriesChanged, lambda _event: self._refresh())

    @in_task("open the memories", is_once=True)
    async def open(self, memory_id: str = "") -> None:
        """Open the page, at a memory where one is named."""
        self._panes.window.come_to_front()
        shown_already = self._shown
        dialog = shown_already or MemoriesDialog(self._panes.theme, self._panes.window)
        if shown_already is None:
            self.dialog = dialog
            dialog.switched.connect(self._switch)
            dialog.addRequested.connect(self._edit)
            dialog.editRequested.connect(self._edit)
            dialog.deleteRequested.connect(self._delete)
            dialog.undoRequested.connect(self._undo)
            dialog.messageRequested.connect(self._show_message)
            dialog.exportRequested.connect(self._export)
            dialog.providerChosen.connect(self._allow)
            await self._fill(dialog)
            self._offer_undo(dialog)
            dialog.open()
        if memory_id:
            dialog.choose(memory_id)

    # Inside

    @property
    def _shown(self) -> MemoriesDialog | None:
        return self.dialog if self.dialog is not None and self.dialog.is_open else None

    @in_task("show the memories", replaces=True)
    async def _refresh(self) -> None:
        if self._shown is not None:
            await self._fill(self._shown)

    async def _fill(self, dialog: MemoriesDialog) -> None:
        memory, accounts = self._services.memory, self._services.accounts
        memories = await memory.list()
        projects = await self._services.library.projects.list(deleted_too=True)
        fixed = await asyncio.to_thread(self._settings.fixed)
        once_allowed = self._current_settings().memory_providers
        labels = {each.profile.id: each.profile.label for each in accounts.accounts if each.profile.id in once_allowed}
        labels |= {each.name: each.label for each in self._services.providers.all()}
        providers = [
            MemoryProvider(
                name, label, address_in(accounts, name), is_allowed, asks_again=name in once_allowed and not is_allowed
            )
            for name, label in labels.items()
            for is_allowed in (memory.is_allowed(name),)
        ]
        if isValid(dialog):
            dialog.show_state(is_on=memory.is_on, is_fixed="memory" in fixed)
            dialog.show_memories(memories, {each.id: each.name for each in projects}, self._panes.sidebar.shared)
            dialog.show_providers(providers)

    def _switch(self, is_on: bool) -> None:
        self._settings.change(replace(self._settings.current, memory=is_on))

    def _allow(self, provider: str, is_allowed: bool) -> None:
        current = self._settings.current
        self._settings.change(self._services.memory.with_provider(current, provider, is_allowed=is_allowed))

    @in_task("edit a memory", is_once=True)
    async def _edit(self, memory_id: str = "") -> None:
        memory = await self._services.memory.get(memory_id) if memory_id else None
        shared, kept = self._panes.sidebar.shared, None if memory is None else memory.project_id
        projects = await self._services.library.projects.list(deleted_too=True)
        offered = {
            each.id: each.name
            for each in projects
            if each.id == kept or (each.deleted_at is None and each.id not in shared)
        }
        if self._shown is not None:
            dialog = EditMemoryDialog(self._panes.theme, memory, offered, self._shown)
            dialog.saved.connect(partial(self._save, dialog, memory_id))
            dialog.open()

    @in_task("save a memory", is_once=True)
    async def _save(
        self, dialog: EditMemoryDialog, memory_id: str, text: str, project_id: str | None, goes_with_source: bool
    ) -> None:
        with dialog.saying_failure():
            if memory_id:
                kept = await self._services.memory.edit(memory_id, text, project_id, goes_with_source=goes_with_source)
            else:
                kept, _is_new = await self._services.memory.add(NewMemory(text, project_id))
            if dialog.is_open:
                dialog.accept()
            await self._show_again(kept.id)

    @in_task("delete memories")
    async def _delete(self, memory_ids: tuple[str, ...]) -> None:
        dialog = self._shown
        if dialog is not None:
            with dialog.saying_failure():
                self._deleted.append(await self._services.memory.delete(memory_ids))
                self._offer_undo(dialog)

    @in_task("undo the deletion of memories", is_once=True)
    async def _undo(self) -> None:
        dialog = self._shown
        if dialog is not None and self._deleted:
            with dialog.saying_failure():
                await self._services.memory.put_back(self._deleted[-1])
                back = self._deleted.pop()
                self._offer_undo(dialog)
                await self._show_again(back[0].id)

    async def _show_again(self, memory_id: str) -> None:
        if self._shown is not None:
            await self._fill(self._shown)
            self._shown.choose(memory_id)

    def _offer_undo(self, dialog: MemoriesDialog) -> None:
        words = ""
        if self._deleted:
            last = self._deleted[-1]
            words = tr("Deleted: “{text}”", text=shortened(visible_controls(last[0].text), _LONGEST_NAMED))
            if len(last) > 1:
                words = shown(plural("{count} memories deleted", "{count} memory deleted", len(last)))
        dialog.show_notice(words, can_undo=bool(words))

    @in_task("show the message of a memory")
    async def _show_message(self, memory_id: str) -> None:
        memory = await self._services.memory.get(memory_id)
        if self._shown is not None and memory.thread_id is not None:
            self._shown.reject()  # a link opens nothing behind a dialog
            self._open_link(link_to(memory.thread_id, memory.message_id))

    @in_task("export the memories")
    async def _export(self, target: Path) -> None:
        dialog = self._shown
        if dialog is not None:
            with dialog.saying_failure():
                count = await self._services.memory.write_file(target)
                words = shown(plural("{count} memories written", "{count} memory written", count))
                dialog.show_notice(words, can_undo=bool(self._deleted))
