"""Providers in the window: the page of the settings, the form, tests, servers that are found, the passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.provider_setup.provider_service import ProviderService, ShownProvider
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ProvidersChanged
from chatdesk.core.settings.presets import preset_of
from chatdesk.core.texts import shown, tr
from chatdesk.services.groups import ModelServices
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_form import ProviderForm
from chatdesk.ui.features.providers.provider_key import agreement_dialog
from chatdesk.ui.features.providers.provider_models_binding import ProviderModelsBinding
from chatdesk.ui.features.providers.provider_row_binding import ProviderRowBinding
from chatdesk.ui.features.settings.provider_page import ProviderPage
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.window.window_context import Controller, WindowContext

_ROWS_AT_ONCE = 2


class ProviderBinding(Controller):
    """Controller of the *Providers* settings page. ``settings`` opens the dialog whose page this fills."""

    def __init__(self, context: WindowContext, settings: SettingsBinding, models: ModelServices) -> None:
        super().__init__(context)
        self._settings = settings
        self._models = models
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
            service=self._models.provider_service,
            open_form=lambda shown, key: self._open_form(shown.profile, shown, dialog, key=key),
            tasks=self._tasks,
        )
        page.destroyed.connect(lambda: self._on_page_destroyed(page))
        page.addRequested.connect(lambda preset: self._add(preset, dialog))
        page.foundRequested.connect(lambda server: self._tasks.start(self._add_found(server), "add server"))
        page.editRequested.connect(lambda name: self._tasks.start(self._edit(name, dialog), "edit provider"))
        page.modelsRequested.connect(lambda name: self._tasks.start(models.open(name, dialog), "open models"))
        page.removeRequested.connect(lambda name: self._tasks.start(self._remove_row(name, dialog), "remove provider"))
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
        service = self._models.provider_service
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
        servers = await self._models.provider_service.find_servers()
        if self._page is not None:
            self._page.show_found(servers)

    async def _use_finding(self, is_on: bool) -> None:
        await self._models.provider_service.use_local_servers(is_on=is_on)
        await self._find()

    # Adding and changing

    def edit(self, name: str) -> None:
        """Open the settings with the form of one provider, which holds its key and its address."""
        self._to_edit = name
        self._settings.open("Providers")

    def _add(self, preset: str, dialog: SettingsDialog) -> None:
        known = preset_of(preset)
        label = "" if known.id == "other" else known.label
        profile = ProviderProfile("", known.id, label, known.base_url, api=known.api, model=known.model)
        self._open_form(profile, None, dialog)

    async def _add_found(self, server: FoundServer) -> None:
        await self._models.provider_service.save(ProviderProfile("", server.preset, server.label, server.base_url))
        await self._find()

    async def _edit(self, name: str, dialog: SettingsDialog) -> None:
        for each in await self._models.provider_service.shown():
            if each.profile.id == name and self._page is not None:
                self._open_form(each.profile, each, dialog)

    def _open_form(
        self, profile: ProviderProfile, shown: ShownProvider | None, dialog: SettingsDialog, *, key: str = ""
    ) -> None:
        form = ProviderForm(self._panes.theme, profile, shown=shown, parent=dialog)
        opened = _OpenDialog(form)
        form.saved.connect(lambda wanted, key: self._tasks.replace(self._save(opened, wanted, key), "save provider"))
        form.testRequested.connect(
            lambda wanted, key: self._tasks.replace(self._test_form(opened, wanted, key), "test provider")
        )
        form.testCancelled.connect(lambda: self._tasks.cancel("test provider"))
        if shown is not None and shown.withheld is not None:
            asked = KeyNotAgreed(shown.withheld, profile.label)
            form.agreeRequested.connect(
                lambda: self._ask_to_agree(
                    form, asked, lambda: self._tasks.start(self._agree(opened, profile.id), "agree")
                )
            )
        form.removeRequested.connect(
            lambda: self._ask_to_remove(form, profile, lambda: self._remove(opened, profile.id))
        )
        form.keyForgotten.connect(
            lambda: self._tasks.start(
                self._run_in_form(opened, lambda service: service.keys.forget(profile.id)), "forget key"
            )
        )
        form.open()
        if key:
            form.key.enter(key)
        self._tasks.replace(self._show_key_state(opened), "key state")

    async def _show_key_state(self, opened: _OpenDialog) -> None:
        state = await self._models.provider_service.keys.state()
        if opened.form is not None:
            opened.form.show_key_state(state)

    async def _save(self, opened: _OpenDialog, profile: ProviderProfile, key: str, *, is_agreed: bool = False) -> None:
        form = opened.form
        if form is None:
            return

        def save_agreed() -> None:
            self._tasks.replace(self._save(opened, profile, key, is_agreed=True), "save provider")

        place, passphrase = form.key.place(), form.key.passphrase.text()

        async def work(service: ProviderService) -> None:
            if place is not None:
                await service.keys.choose_place(place, passphrase=passphrase)
            await service.save(profile, key=key, is_agreed=is_agreed)

        form.save_button.setEnabled(False)
        is_saved = False
        try:
            is_saved = await self._run_in_form(opened, work)
        except KeyNotAgreed as asked:
            self._ask_to_agree(form, asked, save_agreed)
        if opened.form is not None:
            opened.form.save_button.setEnabled(True)
            if is_saved:
                opened.form.accept()

    async def _run_in_form(self, opened: _OpenDialog, work: Callable[[ProviderService], Awaitable[object]]) -> bool:
        """Do ``work``; what a person must know is said in the form, or in the window when it is closed by then."""
        try:
            await work(self._models.provider_service)
        except ChatDeskError as error:
            if opened.form is None or isinstance(error, KeyNotAgreed):
                raise
            opened.form.show_problem(shown(error.sentence))
            return False
        return True

    def _ask_to_agree(self, form: ProviderForm, asked: KeyNotAgreed, go_on: Callable[[], object]) -> None:
        """Ask whether a key may go to another server than the one it was given for, or travel unencrypted."""
        confirm = agreement_dialog(self._panes.theme, asked, parent=form)
        confirm.answered.connect(lambda is_yes: go_on() if is_yes else None)
        confirm.open()

    async def _agree(self, opened: _OpenDialog, name: str) -> None:
        if await self._run_in_form(opened, lambda service: service.keys.agree(name)) and opened.form is not None:
            opened.form.key.show_agreed()

    async def _remove_row(self, name: str, dialog: SettingsDialog) -> None:
        service = self._models.provider_service
        shown = next((each for each in await service.shown() if each.profile.id == name), None)
        if shown is not None and self._page is not None:
            self._ask_to_remove(dialog, shown.profile, lambda: service.remove(name))

    def _ask_to_remove(
        self, parent: QWidget, profile: ProviderProfile, remove: Callable[[], Coroutine[Any, Any, object]]
    ) -> None:
        confirm = ConfirmDialog(
            self._panes.theme,
            tr("Remove {label}?", label=profile.label),
            tr("Its key is forgotten. Threads keep their answers; a thread that used it asks for another model."),
            yes_text=tr("Remove"),
            is_dangerous=True,
            parent=parent,
        )

        def on_answered(is_yes: bool) -> None:
            if is_yes:
                self._tasks.start(remove(), "remove provider")

        confirm.answered.connect(on_answered)
        confirm.open()

    async def _remove(self, opened: _OpenDialog, name: str) -> None:
        if await self._run_in_form(opened, lambda service: service.remove(name)) and opened.form is not None:
            opened.form.accept()

    # Testing

    async def _test_form(self, opened: _OpenDialog, profile: ProviderProfile, key: str) -> None:
        service = self._models.provider_service
        if opened.form is not None:
            opened.form.show_testing(True)
        try:
            async with aclosing(service.test(profile, key=key)) as results:
                async for result in results:
                    if opened.form is not None:
                        opened.form.show_step(result)
        finally:
            if opened.form is not None:
                opened.form.show_testing(False)

    # Keys that are locked

    async def _greet(self) -> None:
        """Once a run, ask for the passphrase where keys are in a file, and show the problems of the file of
        providers."""
        service = self._models.provider_service
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
        opened = _OpenDialog(dialog)
        dialog.given.connect(
            lambda text: self._tasks.start_once(
                self._unlocked(opened, lambda service: service.keys.unlock(text)), "unlock keys"
            )
        )
        dialog.open()

    def _change_passphrase(self, dialog: SettingsDialog) -> None:
        asking = PassphraseDialog(self._panes.theme, is_changing=True, parent=dialog)
        opened = _OpenDialog(asking)
        asking.changed.connect(
            lambda old, new: self._tasks.start_once(
                self._unlocked(opened, lambda service: service.keys.change_passphrase(old, new)), "unlock keys"
            )
        )
        asking.open()

    async def _unlocked(self, opened: _OpenDialog, work: Callable[[ProviderService], Awaitable[object]]) -> None:
        try:
            await work(self._models.provider_service)
        except ChatDeskError as error:
            if opened.passphrase is not None:
                opened.passphrase.show_problem(shown(error.sentence))
            return
        if opened.passphrase is not None:
            opened.passphrase.accept()


class _OpenDialog:
    """A dialog, until it is closed: work that was started in it goes on without it."""

    def __init__(self, dialog: ProviderForm | PassphraseDialog) -> None:
        self._dialog: ProviderForm | PassphraseDialog | None = dialog
        dialog.finished.connect(self._on_dialog_finished)

    @property
    def form(self) -> ProviderForm | None:
        return self._dialog  # type: ignore[return-value]

    @property
    def passphrase(self) -> PassphraseDialog | None:
        return self._dialog  # type: ignore[return-value]

    def _on_dialog_finished(self) -> None:
        self._dialog = None
