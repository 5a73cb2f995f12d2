"""Connecting a provider, on the first screen and in the dialog: tested, kept, and asked from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.provider_check import FoundServer, StepResult, StepState
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown, tr
from chatdesk.services.groups import ModelServices
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.providers.connect_provider import ConnectDialog, ConnectProvider
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

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
        self._editing = ProviderEditing(panes.theme, models.provider_service)
        panes.commands.bind("app.add_provider", lambda: self.open(panes.window))
        panes.commands.bind("app.models", lambda: settings.open("Providers"))
        picker = panes.header.model_picker
        picker.addRequested.connect(lambda: panes.commands.trigger("app.add_provider"))
        picker.manageRequested.connect(lambda: panes.commands.trigger("app.models"))

    def open(self, parent: QWidget) -> None:
        """Open the dialog that connects a provider, over the window or over the page of all providers."""
        dialog = ConnectDialog(self._panes.theme, leads_to_all=parent is self._panes.window, parent=parent)
        dialog.manageRequested.connect(lambda: self._panes.commands.trigger("app.models"))
        self.serve(dialog.connection, dialog.accept)
        dialog.open()

    def serve(self, fields: ConnectProvider, done: Callable[[], object]) -> None:
        """Carry out the requests of ``fields``; call ``done`` when a provider is connected, if the fields are still
        there."""
        opened = _OpenFields(fields, done)
        fields.connectRequested.connect(
            lambda profile, key: self._tasks.replace(self._connect(opened, profile, key), _TASK)
        )
        fields.saveRequested.connect(lambda profile, key: self._tasks.replace(self._save(opened, profile, key), _TASK))
        fields.useRequested.connect(lambda server: self._tasks.replace(self._use_found(opened, server), _TASK))
        fields.keyStateWanted.connect(lambda: self._tasks.start(self._show_key_state(opened), "key state"))
        fields.cancelled.connect(lambda: self._tasks.cancel(_TASK))
        fields.destroyed.connect(lambda: self._tasks.cancel(_TASK) if opened.is_testing else None)
        self._tasks.start(self._prepare(opened), "prepare to connect")

    async def _prepare(self, opened: _OpenFields) -> None:
        service = self._models.provider_service
        servers = await service.find_servers()
        if opened.fields is not None:
            opened.fields.show_found(servers)

    async def _show_key_state(self, opened: _OpenFields) -> None:
        state = await self._models.provider_service.keys.state()
        if opened.fields is not None:
            opened.fields.show_key_state(state)

    async def _connect(self, opened: _OpenFields, profile: ProviderProfile, key: str) -> None:
        """Test the provider that was entered; it is saved only if it works."""
        if opened.fields is None:
            return

        def show_step(result: StepResult) -> None:
            if opened.fields is not None:
                opened.fields.show_step(result)

        opened.fields.show_connecting(True)
        opened.is_testing = True
        try:
            steps = await self._editing.test(profile, key, show_step)
        finally:
            opened.is_testing = False
            if opened.fields is not None:
                opened.fields.show_connecting(False)
        failed = next((each for each in reversed(steps.values()) if each.state is StepState.FAILED), None)
        if failed is None:
            await self._save(opened, profile, key)
        elif opened.fields is not None:
            opened.fields.show_failed(tr("{problem} Nothing was kept.", problem=failed.text))

    async def _save(self, opened: _OpenFields, profile: ProviderProfile, key: str) -> None:
        fields = opened.fields
        if fields is None:
            return
        try:
            named = await self._named(profile)
            saved = await self._editing.save(named, key, fields.key_place(), parent=fields.window())
        except ChatDeskError as error:
            if opened.fields is None:
                raise
            opened.fields.show_failed(shown(error.sentence))
            return
        if saved is not None:
            await self._use(opened, saved)

    async def _named(self, profile: ProviderProfile) -> ProviderProfile:
        """Return the profile to save: the listed one of the same vendor if that has no key yet, so that the vendor is
        not listed twice."""
        for listed in await self._models.provider_service.shown():
            known = listed.profile
            is_same = (known.preset, known.base_url or profile.base_url) == (profile.preset, profile.base_url)
            if is_same and not listed.key and not listed.fixed:
                return replace(known, is_enabled=True)
        return profile

    async def _use_found(self, opened: _OpenFields, server: FoundServer) -> None:
        service = self._models.provider_service
        await self._use(opened, await service.save(ProviderProfile("", server.preset, server.label, server.base_url)))

    async def _use(self, opened: _OpenFields, profile: ProviderProfile) -> None:
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
        if opened.fields is not None:
            opened.done()
        said = (
            tr("{label} is connected.", label=profile.label)
            if not model
            else tr("{label} is connected. {model} answers.", label=profile.label, model=model)
        )
        self._panes.window.show_toast(
            said if self._threads.open_thread is None else tr("{label} is connected.", label=profile.label)
        )
        self._panes.pane.focus_composer()


class _OpenFields:
    """The fields, until their dialog is closed: a test ends then, but a key that is being stored is stored."""

    def __init__(self, fields: ConnectProvider, done: Callable[[], object]) -> None:
        self.fields: ConnectProvider | None = fields
        self.done = done
        self.is_testing = False
        fields.destroyed.connect(self._on_fields_destroyed)

    def _on_fields_destroyed(self) -> None:
        self.fields = None
