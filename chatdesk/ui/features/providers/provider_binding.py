"""Providers in the window: the page of the settings, the form, tests, servers that are found, the passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.events import ProvidersChanged
from chatdesk.core.texts import shown, tr
from chatdesk.services.groups import ModelServices
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.features.providers.provider_form import ProviderForm
from chatdesk.ui.features.providers.provider_models_binding import ProviderModelsBinding
from chatdesk.ui.features.providers.provider_row_binding import ProviderRowBinding
from chatdesk.ui.features.settings.provider_page import ProviderPage
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_ROWS_AT_ONCE = 2


class ProviderBinding(Controller):
    """Controller of the *Providers* settings page. ``settings`` opens the dialog whose page this fills."""

    def __init__(self, context: WindowContext, settings: SettingsBinding, models: ModelServices) -> None:
        super().__init__(context)
        self._settings = settings
        self._models = models
        self._service = models.provider_service
        self._editing = ProviderEditing(context.panes.theme, self._service)
        self._context = context
        self._page: ProviderPage | None = None
        self._to_edit = ""
        self._rows: ProviderRowBinding | None = None
        settings.dialogMade.connect(self._on_dialog_made)
        context.subscribe(self, ProvidersChanged, self._on_providers_changed)
        self._tasks.start(self._greet(), "greet providers")

    # The page

    def _on_dialog_made(self, dialog: SettingsDialog) -> None:
        wanted, self._to_edit = self._to_edit, ""
        dialog.providerPageMade.connect(lambda page: self._join(page, dialog, wanted))

    def _join(self, page: ProviderPage, dialog: SettingsDialog, wanted: str) -> None:
        """Connect the requests of ``page``, and fill it. ``wanted``: the provider whose form is to be opened at
        once."""
        models = ProviderModelsBinding(self._context, self._models)
        self._page = page
        self._rows = ProviderRowBinding(
            self._panes,
            page,
            dialog,
            editing=self._editing,
            open_form=lambda shown, key: self._open_form(shown, dialog, key=key),
            tasks=self._tasks,
        )
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

    def _on_page_destroyed(self, page: ProviderPage) -> None:
        if page is not self._page:
            return  # another dialog is open already
        self._page = None
        if self._rows is not None:
            self._rows.end()

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

    async def _edit(self, name: str, dialog: SettingsDialog) -> None:
        for each in await self._service.shown():
            if each.profile.id == name and self._page is not None:
                self._open_form(each, dialog)

    def _open_form(self, shown: ShownProvider, dialog: SettingsDialog, *, key: str = "") -> None:
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
        if key:
            form.key.enter(key)
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
        shown = next((each for each in await self._service.shown() if each.profile.id == name), None)
        if shown is not None and self._page is not None and await self._is_removal_wanted(dialog, shown.profile):
            await self._service.remove(name)

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
