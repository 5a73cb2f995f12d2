"""Connecting a provider, on the first screen and in the dialog: tested, kept, and asked from then on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import FoundServer, StepResult, StepState
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown, tr
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:
    from chatdesk.core.chat.provider_setup.provider_service import ProviderService
    from chatdesk.core.domain.provider_profile import ProviderProfile
    from chatdesk.services.groups import ModelServices
    from chatdesk.ui.features.chat.message_binding import MessageBinding
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.features.first_screen.connect_provider import ConnectProvider
    from chatdesk.ui.features.settings.settings_binding import SettingsBinding

_TASK = "connect provider"


class ConnectBinding(Controller):
    """Controller of the fields that connect a provider. ``serve`` obeys one set of fields, as long as it is there; *Add
    a provider…* opens one in a dialog."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        messages: MessageBinding,
        settings: SettingsBinding,
        *,
        models: ModelServices,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        self._models = models
        panes.commands.bind("app.add_provider", self.open)
        panes.commands.bind("app.models", lambda: settings.open("Providers"))
        picker = panes.header.model_picker
        picker.addRequested.connect(lambda: panes.commands.trigger("app.add_provider"))
        picker.manageRequested.connect(lambda: panes.commands.trigger("app.models"))

    def open(self) -> None:
        """Open the dialog that connects a provider."""
        from chatdesk.ui.features.first_screen.connect_dialog import ConnectDialog

        dialog = ConnectDialog(self._panes.theme, parent=self._panes.window)
        dialog.manageRequested.connect(lambda: self._panes.commands.trigger("app.models"))
        self.serve(dialog.connection, dialog.accept)
        dialog.open()

    def serve(self, fields: ConnectProvider, done: Callable[[], object]) -> None:
        """Obey ``fields``; ``done`` is called when a provider is connected, if they are still there."""
        served = _Served(fields, done)
        fields.connectRequested.connect(
            lambda profile, key: self._tasks.replace(self._connect(served, profile, key), _TASK)
        )
        fields.saveRequested.connect(lambda profile, key: self._tasks.replace(self._save(served, profile, key), _TASK))
        fields.useRequested.connect(lambda server: self._tasks.replace(self._use_found(served, server), _TASK))
        fields.keyStateWanted.connect(lambda: self._tasks.start(self._show_key_state(served), "key state"))
        fields.cancelled.connect(lambda: self._tasks.cancel(_TASK))
        fields.destroyed.connect(lambda: self._tasks.cancel(_TASK) if served.is_testing else None)
        self._tasks.start(self._prepare(served), "prepare to connect")

    async def _prepare(self, served: _Served) -> None:
        service = self._models.provider_service
        servers = await service.find_servers()
        if served.fields is not None:
            served.fields.show_found(servers)

    async def _show_key_state(self, served: _Served) -> None:
        state = await self._models.provider_service.keys.state()
        if served.fields is not None:
            served.fields.show_key_state(state)

    async def _connect(self, served: _Served, profile: ProviderProfile, key: str) -> None:
        """Test what was entered; only what works is kept."""
        if served.fields is None:
            return
        service, failed = self._models.provider_service, None
        served.fields.show_connecting(True)
        served.is_testing = True
        try:
            async with aclosing(service.test(profile, key=key)) as results:
                async for result in results:
                    failed = self._show_step(served, result) or failed
        finally:
            served.is_testing = False
            if served.fields is not None:
                served.fields.show_connecting(False)
        if failed is None:
            await self._save(served, profile, key)
        elif served.fields is not None:
            served.fields.show_failed(tr("{problem} Nothing was kept.", problem=failed.text))

    def _show_step(self, served: _Served, result: StepResult) -> StepResult | None:
        if served.fields is not None:
            served.fields.show_step(result)
        return result if result.state is StepState.FAILED else None

    async def _save(self, served: _Served, profile: ProviderProfile, key: str, *, is_agreed: bool = False) -> None:
        if served.fields is None:
            return
        service = self._models.provider_service
        place, passphrase = served.fields.key_place()
        try:
            if place is not None:
                await service.keys.choose_place(place, passphrase=passphrase)
            saved = await service.save(await self._named(service, profile), key=key, is_agreed=is_agreed)
        except KeyNotAgreed as asked:
            self._ask_to_agree(served, asked, profile, key)
        except ChatDeskError as error:
            if served.fields is None:
                raise
            served.fields.show_failed(shown(error.sentence))
        else:
            await self._use(served, saved)

    async def _named(self, service: ProviderService, profile: ProviderProfile) -> ProviderProfile:
        """Return the profile to save: the listed one of the same vendor if that has no key yet, so that the vendor is
        not listed twice."""
        for listed in await service.shown():
            known = listed.profile
            is_same = (known.preset, known.base_url or profile.base_url) == (profile.preset, profile.base_url)
            if is_same and not listed.key and not listed.fixed:
                return replace(known, is_enabled=True)
        return profile

    def _ask_to_agree(self, served: _Served, asked: KeyNotAgreed, profile: ProviderProfile, key: str) -> None:
        from chatdesk.ui.features.providers.key_agreement import agreement_dialog

        parent = self._panes.window if served.fields is None else served.fields.window()
        confirm = agreement_dialog(self._panes.theme, asked, parent=parent)

        def on_answered(is_yes: bool) -> None:
            if is_yes:
                self._tasks.replace(self._save(served, profile, key, is_agreed=True), _TASK)

        confirm.answered.connect(on_answered)
        confirm.open()

    async def _use_found(self, served: _Served, server: FoundServer) -> None:
        from chatdesk.core.domain.provider_profile import ProviderProfile

        service = self._models.provider_service
        await self._use(served, await service.save(ProviderProfile("", server.preset, server.label, server.base_url)))

    async def _use(self, served: _Served, profile: ProviderProfile) -> None:
        """Use the new provider in new threads, since whoever adds one wants to ask it; in the open thread say how to
        change to it."""
        if profile.id not in {each.name for each in self._models.providers.all()}:
            self._panes.window.show_toast(
                tr("{label} is kept. It cannot answer before it has a key.", label=profile.label)
            )
            return
        await self._models.provider_service.models_of(self._models.providers.get(profile.id))
        provider, model = self._models.providers.resolve(profile.id, None)
        if self._threads.open_thread is None and model:
            self._messages.models.choose(provider, model)
        if served.fields is not None:
            served.done()
        said = (
            tr("{label} is connected.", label=profile.label)
            if not model
            else tr("{label} is connected. {model} answers.", label=profile.label, model=model)
        )
        self._panes.window.show_toast(
            said if self._threads.open_thread is None else tr("{label} is connected.", label=profile.label)
        )
        self._panes.pane.focus_composer()


class _Served:
    """Fields that may close while work for them runs: a test ends then, but a key that is being stored is stored."""

    def __init__(self, fields: ConnectProvider, done: Callable[[], object]) -> None:
        self.fields: ConnectProvider | None = fields
        self.done = done
        self.is_testing = False
        fields.destroyed.connect(self._on_fields_destroyed)

    def _on_fields_destroyed(self) -> None:
        self.fields = None
