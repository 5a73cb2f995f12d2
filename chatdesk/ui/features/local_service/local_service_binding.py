"""Controls the local service: its page in the settings, and the tokens that are made and revoked there.

Small, because every window has it: page and dialog are imported when the settings are opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from shiboken6 import isValid

from chatdesk.core.domain.thread import Project
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.texts import shown, tr
from chatdesk.services.service_switch import ServiceState, ServiceSwitch
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.local_service.local_service_page import LocalServicePage
from chatdesk.ui.features.local_service.new_token import NewTokenDialog
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_PAGE: Final = "Local service"
_ON: Final = "service_on"


class LocalServiceBinding(Controller):
    """Controller of the local service's settings page. ``switch`` gives the switch of the service; None where this
    process may not serve."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        *,
        switch: Callable[[], ServiceSwitch | None],
        projects: Callable[[], Awaitable[Sequence[Project]]],
    ) -> None:
        super().__init__(context)
        self._settings = settings
        self._switch = switch
        self._projects = projects
        self._is_following = False
        self._dialog: SettingsDialog | None = None
        self._page: LocalServicePage | None = None
        settings.dialogMade.connect(self._on_settings_dialog_made)

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        if self._switch() is not None:
            self._dialog = dialog
            fixed = next((each.env for each in all_settings() if each.name == _ON and _ON in dialog.fixed), "")
            dialog.fill_page(_PAGE, partial(self._make_page, fixed))

    def _make_page(self, fixed_by: str) -> LocalServicePage:
        page = self._page = LocalServicePage(self._panes.theme, fixed_by=fixed_by)
        page.switched.connect(self._on_page_switched)
        page.tryAgainRequested.connect(self._the_switch.try_again)
        page.tokensWanted.connect(lambda: self._tasks.replace(self._show_tokens(page), "list tokens"))
        page.newTokenRequested.connect(lambda: self._tasks.start(self._open_new_token(page), "new token"))
        page.revokeRequested.connect(lambda token_id, name: self._revoke(page, token_id, name))
        if not self._is_following:
            self._is_following = True
            self._the_switch.follow(self._on_state_changed)
        page.show_state(self._the_switch.state)
        return page

    @property
    def _the_switch(self) -> ServiceSwitch:
        switch = self._switch()
        assert switch is not None  # without it the page does not exist
        return switch

    def _on_state_changed(self, state: ServiceState) -> None:
        if self._page is not None and isValid(self._page):
            self._page.show_state(state)

    def _on_page_switched(self, is_on: bool) -> None:
        self._settings.change(replace(self._settings.current, service_on=is_on))

    async def _show_tokens(self, page: LocalServicePage) -> None:
        tokens = await self._the_switch.tokens()
        names = await self._names_of_projects() if any(each.projects for each in tokens) else {}
        if not isValid(page):
            return
        for _step in page.show_tokens(tokens, names):
            await asyncio.sleep(0)
            if not isValid(page):
                return

    async def _names_of_projects(self) -> dict[str, str]:
        return {each.id: each.name for each in await self._projects()}

    async def _open_new_token(self, page: LocalServicePage) -> None:
        projects = await self._names_of_projects()
        if not isValid(page):
            return
        dialog = NewTokenDialog(self._panes.theme, parent=self._dialog)
        for _step in dialog.add_projects(projects):
            await asyncio.sleep(0)
            if not isValid(dialog):
                return
        dialog.requested.connect(
            lambda name, scopes, reached, days: self._tasks.start(
                self._make_token(page, dialog, name, scopes, projects=reached, days=days), "make token"
            )
        )
        dialog.open()

    async def _make_token(
        self,
        page: LocalServicePage,
        dialog: NewTokenDialog,
        name: str,
        scopes: Sequence[str],
        *,
        projects: Sequence[str],
        days: int | None,
    ) -> None:
        try:
            text = await self._the_switch.make_token(name, scopes, projects=projects, days=days)
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.end_busy()
                dialog.show_problem(shown(error.sentence))
            return
        if isValid(dialog):
            dialog.show_token(text)
        if isValid(page):
            page.tokensWanted.emit()

    @in_task("revoke token")
    async def _revoke(self, page: LocalServicePage, token_id: str, name: str) -> None:
        dialog = ConfirmDialog(
            self._panes.theme,
            tr("Revoke the token “{name}”?", name=name),
            tr("Programs that use it are refused from now on, and what they are doing ends. This cannot be undone."),
            yes_text=tr("Revoke"),
            is_dangerous=True,
            parent=self._dialog,
        )
        if not await dialog.ask():
            return
        try:
            await self._the_switch.revoke_token(token_id)
        except ChatDeskError as error:
            if isValid(page):
                page.show_problem(shown(error.sentence))
        if isValid(page):
            page.tokensWanted.emit()
