"""Providers in the window: the page of the settings with its tests, and the passphrase of the file of keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from shiboken6 import isValid

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import StepResult
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ProvidersChanged
from chatdesk.core.texts import shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.features.providers.provider_models_binding import ProviderModelsBinding
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.providers.provider_row import ProviderRow
from chatdesk.ui.features.providers.provider_steps import outcome
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_ROWS_AT_ONCE = 2


class ProviderBinding(Controller):
    """Controller of the *Providers* settings page. ``settings`` opens the dialog whose page this fills."""

    def __init__(self, context: WindowContext, settings: SettingsBinding, services: Services) -> None:
        super().__init__(context)
        panes = context.panes
        self._settings = settings
        self._services = services
        self._service = services.provider_service
        self.editing = ProviderEditing(context, services)
        self._context = context
        self._page: ProviderPage | None = None
        self._to_edit = ""
        self._testing: dict[str, asyncio.Task[object]] = {}  # running tests of the page's rows, by provider
        settings.dialogMade.connect(self._on_dialog_made)
        panes.commands.bind("app.add_provider", lambda: self.editing.add(panes.window))
        panes.commands.bind("app.models", lambda: settings.open("Providers"))
        picker = panes.header.model_picker
        picker.addRequested.connect(lambda: panes.commands.trigger("app.add_provider"))
        picker.manageRequested.connect(lambda: panes.commands.trigger("app.models"))
        context.events.subscribe(self, ProvidersChanged, self._on_providers_changed)
        self._tasks.start(self._greet(), "greet providers")

    # The page

    def edit(self, name: str) -> None:
        """Open the settings with the form of one provider, which holds its key and its address."""
        self._to_edit = name
        self._settings.open("Providers")

    def _on_dialog_made(self, dialog: SettingsDialog) -> None:
        wanted, self._to_edit = self._to_edit, ""
        dialog.fill_page("Providers", lambda: self._made_page(dialog, wanted))

    def _made_page(self, dialog: SettingsDialog, wanted: str) -> ProviderPage:
        """Make the page, connect its requests, and fill it. ``wanted``: the provider whose form is to be opened at
        once."""
        page = self._page = ProviderPage(self._panes.theme)
        models = ProviderModelsBinding(self._context, self._services)
        page.rowMade.connect(lambda row: self._join_row(row, dialog, models))
        page.addRequested.connect(lambda: self.editing.add(dialog))
        page.found.useRequested.connect(lambda server: self.editing.use_found(server, self._find))
        page.findingToggled.connect(self._use_finding)
        page.unlockRequested.connect(self.ask_passphrase)
        page.passphraseRequested.connect(lambda: self._change_passphrase(dialog))
        page.destroyed.connect(lambda: self._on_page_destroyed(page))
        self._show()
        self._find()
        if wanted:
            self._edit(wanted, dialog)
        return page

    def _join_row(self, row: ProviderRow, dialog: SettingsDialog, models: ProviderModelsBinding) -> None:
        """Carry out what is asked for in the row of a provider."""
        name = row.provider
        row.editRequested.connect(lambda: self._edit(name, dialog))
        row.modelsRequested.connect(lambda: self._tasks.start(models.open(name, dialog), "open models"))
        row.testRequested.connect(lambda: self._on_test_requested(row))
        row.switchRequested.connect(lambda is_on: self._switch(row, dialog, is_on))
        row.removeRequested.connect(lambda: self._remove(name, dialog))

    def _on_page_destroyed(self, page: ProviderPage) -> None:
        if page is not self._page:
            return  # another dialog is open already
        self._page = None
        for task in self._testing.values():
            task.cancel()

    def _on_providers_changed(self, _event: object) -> None:
        self._settings.providers_changed()
        if self._page is not None:
            self._show()

    @in_task("show providers", replaces=True)
    async def _show(self) -> None:
        service = self._service
        listed = await service.shown()
        page = self._page
        if page is None:
            return
        page.show_notice(shown(service.problem))
        await self._fill(page, listed)
        if self._page is page:
            page.show_finding(service.finds_local_servers)
            page.show_locked(service.keys.is_file_locked, is_open=service.keys.is_file_open)

    async def _fill(self, page: ProviderPage, shown: Sequence[ShownProvider]) -> None:
        """Fill the page a few rows at a time, so that the window stays responsive."""
        if not page.has_rows:
            for count in range(_ROWS_AT_ONCE, len(shown), _ROWS_AT_ONCE):
                page.show_providers(shown[:count])
                await asyncio.sleep(0)
                if self._page is not page:
                    return
        page.show_providers(shown)

    @in_task("find servers", replaces=True)
    async def _find(self) -> None:
        servers = await self._service.find_servers()
        if self._page is not None:
            self._page.found.show_servers(servers)

    @in_task("use finding", replaces=True)
    async def _use_finding(self, is_on: bool) -> None:
        await self._service.use_local_servers(is_on=is_on)
        self._find()

    # A row

    async def _shown(self, name: str) -> ShownProvider | None:
        """Return a provider with what its row shows; None if it is gone, or the page is."""
        found = next((each for each in await self._service.shown() if each.profile.id == name), None)
        return None if self._page is None else found

    @in_task("edit provider")
    async def _edit(self, name: str, dialog: SettingsDialog) -> None:
        found = await self._shown(name)
        if found is not None:
            self.editing.change(found, dialog)

    @in_task("remove provider")
    async def _remove(self, name: str, dialog: SettingsDialog) -> None:
        found = await self._shown(name)
        if found is not None:
            await self.editing.remove(found.profile, parent=dialog)

    @in_task("switch provider")
    async def _switch(self, row: ProviderRow, dialog: SettingsDialog, is_on: bool) -> None:
        found = await self._shown(row.provider)
        if found is None:
            return
        try:
            await self.editing.save(replace(found.profile, is_enabled=is_on), parent=dialog)
        except ChatDeskError as error:
            if not isValid(row):
                raise
            row.show_test(shown(error.sentence), False)

    def _on_test_requested(self, row: ProviderRow) -> None:
        """Test a provider in its row; while that runs, end it."""
        name = row.provider
        running = self._testing.get(name)
        if running is not None and not running.done():
            running.cancel()
        else:
            self._testing[name] = self._tasks.start(self._test(row), f"test {name}")

    async def _test(self, row: ProviderRow) -> None:
        found = await self._shown(row.provider)
        if found is None or not isValid(row):
            return
        row.show_testing(True)
        row.show_test(tr("Testing…"), None)

        def show_step(result: StepResult) -> None:
            if isValid(row):
                row.show_step(result)

        said: tuple[str, bool | None] = tr("Stopped"), None
        try:
            said = outcome(await self.editing.test(found.profile, "", show_step))
        finally:
            if isValid(row):
                row.show_testing(False)
                row.show_test(*said)

    # Keys that are locked

    async def _greet(self) -> None:
        """Once a run, ask for the passphrase where keys are in a file, and show the problems of the file of
        providers."""
        service = self._service
        if service.problem:
            self._panes.window.show_toast(shown(service.problem))
        if service.withheld:
            self._panes.window.show_toast(
                tr("{problem} Nothing was sent; see Settings, Providers.", problem=service.withheld[0])
            )
        if service.keys.is_file_locked:
            self.ask_passphrase()

    def ask_passphrase(self) -> None:
        dialog = PassphraseDialog(self._panes.theme, parent=self._panes.window)
        dialog.given.connect(lambda text: self._close_after(dialog, self._service.keys.unlock(text)))
        dialog.open()

    def _change_passphrase(self, parent: SettingsDialog) -> None:
        dialog = PassphraseDialog(self._panes.theme, is_changing=True, parent=parent)
        dialog.changed.connect(
            lambda old, new: self._close_after(dialog, self._service.keys.change_passphrase(old, new))
        )
        dialog.open()

    @in_task("unlock keys")
    async def _close_after(self, dialog: PassphraseDialog, work: Awaitable[object]) -> None:
        with dialog.saying_failure():
            await work
            if dialog.is_open:
                dialog.accept()
