"""Providers in the window: the page of the settings, the form, tests, servers that are found, the passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer, StepResult
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ProvidersChanged
from chatdesk.core.texts import shown, tr
from chatdesk.services.groups import ModelServices
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.features.providers.provider_form import ProviderForm
from chatdesk.ui.features.providers.provider_models_binding import ProviderModelsBinding
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.providers.provider_steps import outcome
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_ROWS_AT_ONCE = 2


class ProviderBinding(Controller):
    """Controller of the *Providers* settings page. ``settings`` opens the dialog whose page this fills.
    ``addRequested`` has that dialog: a provider is to be added over it."""

    addRequested = Signal(object)

    def __init__(self, context: WindowContext, settings: SettingsBinding, models: ModelServices) -> None:
        super().__init__(context)
        self._settings = settings
        self._models = models
        self._service = models.provider_service
        self._editing = ProviderEditing(context.panes.theme, self._service)
        self._context = context
        self._page: ProviderPage | None = None
        self._to_edit = ""
        self._testing: dict[str, asyncio.Task[object]] = {}  # running tests of the page's rows, by provider
        settings.dialogMade.connect(self._on_dialog_made)
        context.subscribe(self, ProvidersChanged, self._on_providers_changed)
        self._tasks.start(self._greet(), "greet providers")

    # The page

    def _on_dialog_made(self, dialog: SettingsDialog) -> None:
        wanted, self._to_edit = self._to_edit, ""
        dialog.fill_page("Providers", lambda: self._made_page(dialog, wanted))

    def _made_page(self, dialog: SettingsDialog, wanted: str) -> ProviderPage:
        """Make the page, connect its requests, and fill it. ``wanted``: the provider whose form is to be opened at
        once."""
        models = ProviderModelsBinding(self._context, self._models)
        page = self._page = ProviderPage(self._panes.theme)
        page.addRequested.connect(lambda: self.addRequested.emit(dialog))
        page.testRequested.connect(self._on_test_requested)
        page.switchRequested.connect(lambda name, is_on: self._switch(name, dialog, is_on))
        page.destroyed.connect(lambda: self._on_page_destroyed(page))
        page.foundRequested.connect(lambda server: self._tasks.start(self._add_found(server), "add server"))
        page.editRequested.connect(lambda name: self._tasks.start(self._edit(name, dialog), "edit provider"))
        page.modelsRequested.connect(lambda name: self._tasks.start(models.open(name, dialog), "open models"))
        page.removeRequested.connect(lambda name: self._remove_row(name, dialog))
        page.findingToggled.connect(lambda is_on: self._tasks.start(self._use_finding(is_on), "find servers"))
        page.unlockRequested.connect(self.ask_passphrase)
        page.passphraseRequested.connect(lambda: self._change_passphrase(dialog))
        self._tasks.replace(self._show(), "show providers")
        self._tasks.replace(self._find(), "find servers")
        if wanted:
            page.editRequested.emit(wanted)
        return page

    def _on_page_destroyed(self, page: ProviderPage) -> None:
        if page is not self._page:
            return  # another dialog is open already
        self._page = None
        for task in self._testing.values():
            task.cancel()

    def _on_providers_changed(self, _event: object) -> None:
        self._settings.providers_changed()
        if self._page is not None:
            self._tasks.replace(self._show(), "show providers")

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

    async def _find(self) -> None:
        servers = await self._service.find_servers()
        if self._page is not None:
            self._page.show_found(servers)

    async def _use_finding(self, is_on: bool) -> None:
        await self._service.use_local_servers(is_on=is_on)
        await self._find()

    # Adding and changing

    def edit(self, name: str) -> None:
        """Open the settings with the form of one provider, which holds its key and its address."""
        self._to_edit = name
        self._settings.open("Providers")

    async def _add_found(self, server: FoundServer) -> None:
        await self._service.save(ProviderProfile("", server.preset, server.label, server.base_url))
        await self._find()

    async def _shown(self, name: str) -> ShownProvider | None:
        """Return a provider with what its row shows; None if it is gone, or the page is."""
        found = next((each for each in await self._service.shown() if each.profile.id == name), None)
        return None if self._page is None else found

    async def _edit(self, name: str, dialog: SettingsDialog) -> None:
        found = await self._shown(name)
        if found is not None:
            self._open_form(found, dialog)

    def _open_form(self, shown: ShownProvider, dialog: SettingsDialog) -> None:
        form, profile = ProviderForm(self._panes.theme, shown, parent=dialog), shown.profile
        form.saved.connect(lambda wanted, key: self._save(form, wanted, key))
        form.testRequested.connect(lambda wanted, key: self._test(form, wanted, key))
        form.testCancelled.connect(lambda: self._tasks.cancel("test provider"))
        form.removeRequested.connect(lambda: self._remove(form, profile))
        form.keyForgotten.connect(lambda: self._forget_key(form, profile.id))
        if shown.withheld is not None:
            asked = KeyNotAgreed(shown.withheld, profile.label)
            form.agreeRequested.connect(lambda: self._agree(form, asked, profile.id))
        form.open()
        self._show_key_state(form)

    @in_task("key state", replaces=True)
    async def _show_key_state(self, form: ProviderForm) -> None:
        state = await self._service.keys.state()
        if form.is_open:
            form.show_key_state(state)

    @in_task("save provider", replaces=True)
    async def _save(self, form: ProviderForm, profile: ProviderProfile, key: str) -> None:
        form.save_button.setEnabled(False)
        place, saved = (form.key.place(), form.key.passphrase.text()), None
        with form.saying_failure():
            saved = await self._editing.save(profile, key, place, parent=form)
        if form.is_open:
            form.save_button.setEnabled(True)
            if saved is not None:
                form.accept()

    @in_task("agree")
    async def _agree(self, form: ProviderForm, asked: KeyNotAgreed, name: str) -> None:
        if await self._editing.is_agreed(asked, parent=form):
            with form.saying_failure():
                await self._service.keys.agree(name)
                if form.is_open:
                    form.key.show_agreed()

    @in_task("forget key")
    async def _forget_key(self, form: ProviderForm, name: str) -> None:
        with form.saying_failure():
            await self._service.keys.forget(name)

    @in_task("remove provider")
    async def _remove(self, form: ProviderForm, profile: ProviderProfile) -> None:
        if await self._is_removal_wanted(form, profile):
            with form.saying_failure():
                await self._service.remove(profile.id)
                if form.is_open:
                    form.accept()

    @in_task("remove provider")
    async def _remove_row(self, name: str, dialog: SettingsDialog) -> None:
        found = await self._shown(name)
        if found is not None and await self._is_removal_wanted(dialog, found.profile):
            await self._service.remove(name)

    @in_task("switch provider")
    async def _switch(self, name: str, dialog: SettingsDialog, is_on: bool) -> None:
        found = await self._shown(name)
        if found is None:
            return
        try:
            await self._editing.save(replace(found.profile, is_enabled=is_on), parent=dialog)
        except ChatDeskError as error:
            if self._page is None:
                raise
            self._page.show_status(name, shown(error.sentence), False)

    async def _is_removal_wanted(self, parent: QWidget, profile: ProviderProfile) -> bool:
        return await ConfirmDialog(
            self._panes.theme,
            tr("Remove {label}?", label=profile.label),
            tr("Its key is forgotten. Threads keep their answers; a thread that used it asks for another model."),
            yes_text=tr("Remove"),
            is_dangerous=True,
            parent=parent,
        ).ask()

    @in_task("test provider", replaces=True)
    async def _test(self, form: ProviderForm, profile: ProviderProfile, key: str) -> None:
        form.show_testing(True)
        try:
            await self._editing.test(profile, key, lambda result: form.show_step(result) if form.is_open else None)
        finally:
            if form.is_open:
                form.show_testing(False)

    def _on_test_requested(self, name: str) -> None:
        """Test a provider in its row; while that runs, end it."""
        running = self._testing.get(name)
        if running is not None and not running.done():
            running.cancel()
        else:
            self._testing[name] = self._tasks.start(self._test_row(name), f"test {name}")

    async def _test_row(self, name: str) -> None:
        found, page = await self._shown(name), self._page
        if found is None or page is None:
            return
        page.show_testing(name, True)
        page.show_status(name, tr("Testing…"), None)

        def show_step(result: StepResult) -> None:
            if self._page is page:
                page.show_step(name, result)

        said: tuple[str, bool | None] = tr("Stopped"), None
        try:
            said = outcome(await self._editing.test(found.profile, "", show_step))
        finally:
            if self._page is page:
                page.show_testing(name, False)
                page.show_status(name, *said)

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
