"""Adds and changes providers: the controller of their forms, on the first screen and in a dialog, which also saves and
tests for the rows of the settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer, Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.providers.provider_form import ProviderDialog, ProviderForm
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.window.window_context import Controller, WindowContext

# The place for new keys, None if no choice was needed, and the passphrase of the key file.
ChosenPlace = tuple[KeyPlace | None, str]
_NO_CHOICE: ChosenPlace = (None, "")
_TEST = "test provider"
Done = Callable[[], object]


class ProviderEditing(Controller):
    """Controller of the forms of providers. ``connected`` carries the profile of a new one that can answer."""

    connected = Signal(object)

    def __init__(self, context: WindowContext, services: Services) -> None:
        super().__init__(context)
        self._services = services

    # Forms

    def add(self, parent: QWidget) -> None:
        """Open the form of a new provider, over the window or over the page of all providers."""
        dialog = ProviderDialog(self._panes.theme, leads_to_all=parent is self._panes.window, parent=parent)
        dialog.manageRequested.connect(lambda: self._panes.commands.trigger("app.models"))
        self.serve(dialog.form, dialog.accept)
        dialog.open()

    def change(self, known: ShownProvider, parent: QWidget) -> None:
        """Open the form of a known provider."""
        dialog, profile = ProviderDialog(self._panes.theme, known, parent=parent), known.profile
        key = dialog.form.key
        dialog.removeRequested.connect(lambda: self._remove(dialog, profile))
        key.forgotten.connect(lambda: self._forget_key(dialog, profile.id))
        if known.withheld is not None:
            asked = KeyNotAgreed(known.withheld, profile.label)
            key.agreeRequested.connect(lambda: self._agree(dialog, asked, profile.id))
        self.serve(dialog.form, dialog.accept)
        dialog.open()

    def serve(self, form: ProviderForm, done: Done) -> None:
        """Carry out the requests of ``form``. Call ``done`` when its provider is kept, if the form is still there.
        A test ends with the form, but a key that is being stored is stored."""
        form.testRequested.connect(lambda profile, key: self._test(form, done, profile, key))
        form.saveRequested.connect(lambda profile, key: self._save(form, done, profile, key))
        form.keyStateWanted.connect(lambda: self._show_key_state(form))
        form.testCancelled.connect(lambda: self._tasks.cancel(_TEST))
        form.destroyed.connect(lambda: self._tasks.cancel(_TEST))
        if form.is_new:
            form.found.useRequested.connect(
                lambda server: self.use_found(server, lambda: done() if isValid(form) else None)
            )
            self._find_servers(form)

    @in_task("find servers for a form")
    async def _find_servers(self, form: ProviderForm) -> None:
        servers = await self._services.provider_service.find_servers()
        if isValid(form):
            form.found.show_servers(servers)

    @in_task("key state")
    async def _show_key_state(self, form: ProviderForm) -> None:
        state = await self._services.provider_service.keys.state()
        if isValid(form):
            form.show_key_state(state)

    @in_task(_TEST, replaces=True)
    async def _test(self, form: ProviderForm, done: Done, profile: ProviderProfile, key: str) -> None:
        """Test the provider in the form. A new one is kept only if it works."""
        form.show_testing(True)
        try:
            steps = await self.test(profile, key, lambda result: form.show_step(result) if isValid(form) else None)
        finally:
            if isValid(form):
                form.show_testing(False)
        if not form.is_new or not isValid(form):
            return
        failed = next((each for each in reversed(steps.values()) if each.state is StepState.FAILED), None)
        if failed is None:
            self._save(form, done, profile, key)
        else:
            form.show_failed(tr("{problem} Nothing was kept.", problem=failed.text))

    @in_task("save provider", is_once=True)
    async def _save(self, form: ProviderForm, done: Done, profile: ProviderProfile, key: str) -> None:
        place, window, saved = (form.key.place(), form.key.passphrase.text()), form.window(), None
        form.save_button.setEnabled(False)
        try:
            wanted = await self._named(profile) if form.is_new else profile
            saved = await self.save(wanted, key, place, parent=window)
        except ChatDeskError as error:
            if not isValid(form):
                raise
            form.show_failed(shown(error.sentence))
        finally:
            if isValid(form):
                form.save_button.setEnabled(True)
        if saved is not None and form.is_new:
            await self._use(saved, lambda: done() if isValid(form) else None)
        elif saved is not None and isValid(form):
            done()

    async def _named(self, profile: ProviderProfile) -> ProviderProfile:
        """Return the profile to save: the listed one of the same vendor if that has no key yet, so that the vendor is
        not listed twice."""
        for listed in await self._services.provider_service.shown():
            known = listed.profile
            is_same = (known.preset, known.base_url or profile.base_url) == (profile.preset, profile.base_url)
            if is_same and not listed.key and not listed.fixed:
                return replace(known, is_enabled=True)
        return profile

    @in_task("use found server")
    async def use_found(self, server: FoundServer, done: Done) -> None:
        """Keep a server that was found, then call ``done``."""
        found = ProviderProfile("", server.preset, server.label, server.base_url)
        await self._use(await self._services.provider_service.save(found), done)

    async def _use(self, profile: ProviderProfile, done: Done) -> None:
        """Tell of a new provider, once its models are known."""
        can_answer = self._services.providers.has(profile.id)
        if can_answer:
            await self._services.provider_service.models_of(self._services.providers.get(profile.id))
        done()
        if can_answer:
            self.connected.emit(profile)
        else:
            self._panes.window.show_toast(
                tr("{label} is kept. It cannot answer before it has a key.", label=profile.label)
            )

    @in_task("agree")
    async def _agree(self, dialog: ProviderDialog, asked: KeyNotAgreed, name: str) -> None:
        if await self._is_agreed(asked, parent=dialog):
            with dialog.saying_failure():
                await self._services.provider_service.keys.agree(name)
                if dialog.is_open:
                    dialog.form.key.show_agreed()

    @in_task("forget key")
    async def _forget_key(self, dialog: ProviderDialog, name: str) -> None:
        with dialog.saying_failure():
            await self._services.provider_service.keys.forget(name)

    @in_task("remove provider")
    async def _remove(self, dialog: ProviderDialog, profile: ProviderProfile) -> None:
        with dialog.saying_failure():
            if await self.remove(profile, parent=dialog) and dialog.is_open:
                dialog.accept()

    # Forms and rows

    async def remove(self, profile: ProviderProfile, *, parent: QWidget) -> bool:
        """Remove a provider, if the person says yes over ``parent``; return whether they did."""
        is_wanted = await ConfirmDialog(
            self._panes.theme,
            tr("Remove {label}?", label=profile.label),
            tr("Its key is forgotten. Threads keep their answers; a thread that used it asks for another model."),
            yes_text=tr("Remove"),
            is_dangerous=True,
            parent=parent,
        ).ask()
        if is_wanted:
            await self._services.provider_service.remove(profile.id)
        return is_wanted

    async def save(
        self, profile: ProviderProfile, key: str = "", place: ChosenPlace = _NO_CHOICE, *, parent: QWidget
    ) -> ProviderProfile | None:
        """Save a provider and its key. Before a key goes to another server than the one it was given for, or
        unencrypted, the person is asked over ``parent``; None: they refused, and nothing was saved."""
        service = self._services.provider_service
        if place[0] is not None:
            await service.keys.choose_place(place[0], passphrase=place[1])
        try:
            return await service.save(profile, key=key)
        except KeyNotAgreed as asked:
            if not await self._is_agreed(asked, parent=parent):
                return None
        return await service.save(profile, key=key, is_agreed=True)

    async def _is_agreed(self, asked: KeyNotAgreed, *, parent: QWidget) -> bool:
        """Return whether the person wants a key to go there."""
        return await agreement_dialog(self._panes.theme, asked, parent=parent if isValid(parent) else None).ask()

    async def test(
        self, profile: ProviderProfile, key: str, show: Callable[[StepResult], object]
    ) -> dict[Step, StepResult]:
        """Test a provider with a key, empty for the stored one. Show each step as it begins and ends, and return how
        they ended."""
        ended: dict[Step, StepResult] = {}
        async with aclosing(self._services.provider_service.test(profile, key=key)) as results:
            async for result in results:
                show(result)
                if result.state is not StepState.RUNNING:
                    ended[result.step] = result
        return ended


def agreement_dialog(theme: Theme, asked: KeyNotAgreed, *, parent: QWidget | None = None) -> ConfirmDialog:
    return ConfirmDialog(
        theme,
        shown(asked.title),
        tr("{what} Agree only if you made this change yourself and trust that server.", what=asked.what),
        yes_text=tr("Send it there"),
        is_dangerous=True,
        parent=parent,
    )
