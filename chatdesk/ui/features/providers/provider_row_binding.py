"""The binding of the rows on the page of providers: entering a key or an address, testing, switching on and off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.domain.typed_values import full_address
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import shown, tr
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.features.settings.provider_page import ProviderPage
from chatdesk.ui.features.settings.provider_steps import outcome
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.window.window_context import Panes

# Opens the form of a provider, with a key that was typed elsewhere.
OpenForm = Callable[["ShownProvider", str], None]


class ProviderRowBinding:
    """Controller of the rows of one page, until the page is closed."""

    def __init__(
        self,
        panes: Panes,
        page: ProviderPage,
        dialog: SettingsDialog,
        *,
        editing: ProviderEditing,
        open_form: OpenForm,
        tasks: AsyncTasks,
    ) -> None:
        self._panes = panes
        self._page: ProviderPage | None = page
        self._dialog = dialog
        self._editing = editing
        self._open_form = open_form
        self._tasks = tasks
        self._testing: dict[str, asyncio.Task[object]] = {}
        page.testRequested.connect(self._on_page_test_requested)
        page.keyGiven.connect(lambda name, key: tasks.start(self._keep_key(name, key), f"keep key {name}"))
        page.addressGiven.connect(lambda name, typed: tasks.start(self._move(name, typed), f"move {name}"))
        page.switchRequested.connect(lambda name, is_on: tasks.start(self._switch(name, is_on), f"switch {name}"))

    def end(self) -> None:
        """Cancel the tests that were started on the page, because the page is gone."""
        self._page = None
        for task in self._testing.values():
            task.cancel()

    async def _shown(self, name: str) -> ShownProvider | None:
        shown = await self._editing.service.shown()
        return next((each for each in shown if each.profile.id == name), None)

    # Keys and addresses

    async def _keep_key(self, name: str, key: str) -> None:
        """Keep a key and test it. Where nobody decided yet where keys are here, the form asks."""
        service = self._editing.service
        shown = await self._shown(name)
        if shown is None or self._page is None:
            return
        state = await service.keys.state()
        needs_passphrase = state.place is KeyPlace.FILE and (state.is_file_locked or not state.has_file)
        if needs_passphrase or (state.place is KeyPlace.KEYRING and not state.has_keyring):
            self._page.row(name).key.clear()
            self._open_form(shown, key)
        elif await self._save(name, replace(shown.profile, is_enabled=True), key):
            if self._page is not None:
                self._page.row(name).key.clear()
            self._on_page_test_requested(name, is_anew=True)

    async def _move(self, name: str, typed: str) -> None:
        """Change the address; a stored key goes there only when the person agrees."""
        shown = await self._shown(name)
        if shown is None or self._page is None:
            return
        address = full_address(typed, path="" if shown.profile.api is Api.ANTHROPIC else "/v1")
        if await self._save(name, replace(shown.profile, base_url=address)):
            if self._page is not None:
                self._page.row(name).address.setText(address)
            self._on_page_test_requested(name, is_anew=True)

    async def _switch(self, name: str, is_on: bool) -> None:
        shown = await self._shown(name)
        if shown is not None:
            await self._save(name, replace(shown.profile, is_enabled=is_on))

    async def _save(self, name: str, profile: ProviderProfile, key: str = "") -> bool:
        """Return whether a provider was saved. A failure is shown in its row."""
        try:
            saved = await self._editing.save(profile, key, parent=self._dialog)
        except ChatDeskError as error:
            if self._page is None:
                raise
            self._page.show_status(name, shown(error.sentence), False)
            return False
        if saved is None and self._page is not None:
            self._page.row(name).address.restore()
        return saved is not None

    # Tests

    def _on_page_test_requested(self, name: str, *, is_anew: bool = False) -> None:
        """Test a provider; while that runs, end it, or begin again."""
        running = self._testing.get(name)
        if running is not None and not running.done():
            running.cancel()
            if not is_anew:
                return
        self._testing[name] = self._tasks.start(self._test(name), f"test {name}")

    async def _test(self, name: str) -> None:
        shown = await self._shown(name)
        page = self._page
        if shown is None or page is None:
            return
        page.show_testing(name, True)
        page.show_status(name, tr("Testing…"), None)

        def show_step(result: StepResult) -> None:
            if self._page is not None:
                self._page.show_step(name, result)

        try:
            steps = await self._editing.test(shown.profile, "", show_step)
        except asyncio.CancelledError:
            if self._page is not None:
                self._page.show_status(name, tr("Stopped"), None)
            raise
        finally:
            if self._page is not None:
                self._page.show_testing(name, False)
        if self._page is not None:
            self._page.show_status(name, *outcome(steps))
            key = steps.get(Step.KEY)
            if key is not None and key.state is StepState.FAILED and shown.key_source.value != "environment":
                self._page.ask_for_key(name, tr("Paste a key") if not shown.key else tr("Paste another key"))
