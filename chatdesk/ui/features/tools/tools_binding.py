"""Connects the page *Tools* of the settings with the service of tool servers.

Small, because every window has it: page and form are imported when the settings are opened, the service when the page
is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final

from shiboken6 import isValid

from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ToolServersChanged
from chatdesk.core.hidden_characters import told_apart
from chatdesk.core.settings.secrets import SecretNotKept
from chatdesk.core.texts import Text, shown, tr
from chatdesk.core.tools.permissions import Permission
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.core.tools.web_search.choice import WEB
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.tools.search_form import search_words
from chatdesk.ui.features.tools.server_form import ServerForm
from chatdesk.ui.features.tools.sign_in_binding import open_sign_in_page
from chatdesk.ui.features.tools.tools_page import ToolsPage
from chatdesk.ui.features.tools.web_search_binding import WebSearchBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_PAGE: Final = "Tools"
_SIGNED_OUT: Final = {
    True: Text("Signed out, here and at the server."),
    False: Text(
        "Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there."
    ),
}


class ToolsBinding(Controller):
    """Controller of the *Tools* settings page. ``load`` returns the service of tool servers, and makes it where there
    is none yet."""

    def __init__(
        self, context: WindowContext, settings: SettingsBinding, *, load: Callable[[], Awaitable[ToolService]]
    ) -> None:
        super().__init__(context)
        self._load = load
        self._dialog: SettingsDialog | None = None
        self._page: ToolsPage | None = None
        settings.dialogMade.connect(self._on_settings_dialog_made)
        context.panes.commands.bind("app.tools", lambda: settings.open(_PAGE))
        context.events.subscribe(self, ToolServersChanged, lambda _event: self._refresh())

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        self._dialog = dialog
        dialog.fill_page(_PAGE, self._make_page)

    def _make_page(self) -> ToolsPage:
        page = self._page = ToolsPage(self._panes.theme)
        page.addRequested.connect(lambda: self._tasks.start(self._open_form(None), "add a server"))
        page.editRequested.connect(lambda id_: self._tasks.start(self._edit(id_), "edit a server"))
        page.testRequested.connect(lambda id_: self._tasks.replace(self._test(page, id_), f"test {id_}"))
        page.switchRequested.connect(lambda id_, is_on: self._do(page, lambda each: each.switch(id_, is_on=is_on)))
        page.signInRequested.connect(
            lambda id_, is_in: self._tasks.replace(self._sign(page, id_, is_in=is_in), f"sign in {id_}")
        )
        page.askModelRequested.connect(lambda id_, may: self._do(page, partial(_set_may_ask, server_id=id_, may=may)))
        page.removeRequested.connect(lambda id_: self._tasks.start(self._ask_whether_to_remove(page, id_), "remove"))
        page.revokeRequested.connect(lambda permission: self._do(page, lambda each: each.revoke(permission)))
        self._refresh()
        return page

    def _refresh(self) -> None:
        if self._page is not None and isValid(self._page):
            self._tasks.replace(self._show(self._page), "show tool servers")

    async def _show(self, page: ToolsPage) -> None:
        service = await self._load()
        permissions: tuple[Permission, ...] = await service.permissions()
        if isValid(page):
            page.show_servers(service.statuses(), search=search_words(service.search.choice, service.search.goes_to))
            if service.problem:
                page.show_problem(shown(service.problem))
            page.show_permissions(permissions, told_apart({each.id: shown(each.name) for each in service.servers}))

    @in_task("change tool servers")
    async def _do(self, page: ToolsPage, act: Callable[[ToolService], Awaitable[None]]) -> None:
        try:
            await act(await self._load())
        except ChatDeskError as error:
            if isValid(page):
                page.show_problem(shown(error.sentence))

    async def _test(self, page: ToolsPage, server_id: str) -> None:
        service = await self._load()
        server = service.server(server_id)
        if server is None or not isValid(page):
            return
        page.show_testing(server_id)
        async with aclosing(service.check(server)) as checks:  # type: ignore[type-var]
            async for check in checks:
                if not isValid(page):
                    return
                page.show_check(server_id, check)

    async def _sign(self, page: ToolsPage, server_id: str, *, is_in: bool) -> None:
        """Sign in to a server, or out. The page opens because a person pressed the button; another press begins
        again."""
        service = await self._load()

        def open_page(address: str) -> None:
            said = open_sign_in_page(address)
            if isValid(page):
                page.show_sign_in(server_id, said)

        words = ""
        page.show_sign_in(server_id, tr("Asking where to sign in…") if is_in else tr("Signing out…"))
        try:
            if not is_in:
                words = shown(_SIGNED_OUT[await service.sign_ins.sign_out(server_id)])
            elif await service.sign_ins.sign_in(server_id, open_page):
                words = tr("Signed in.")
            else:
                words = tr("It did not ask you to sign in.")
        except ChatDeskError as error:
            words = shown(error.sentence)
        if isValid(page):
            page.show_sign_in(server_id, words)

    async def _edit(self, server_id: str) -> None:
        if server_id != WEB:
            await self._open_form(server_id)
        elif self._dialog is not None and isValid(self._dialog):
            search = WebSearchBinding(self._panes.theme, self._tasks, load=self._load, show_problem=self._show_problem)
            await search.open_form(self._dialog)

    def _show_problem(self, sentence: str) -> None:
        if self._page is not None and isValid(self._page):
            self._page.show_problem(sentence)

    async def _open_form(self, server_id: str | None) -> None:
        service = await self._load()
        server = None if server_id is None else service.server(server_id)
        if self._dialog is None or not isValid(self._dialog):
            return
        form = ServerForm(self._panes.theme, server, parent=self._dialog)
        form.saved.connect(
            lambda made, secrets: self._tasks.start(self._save(service, form, made, secrets), "save a server")
        )
        form.open()

    async def _save(self, service: ToolService, form: ServerForm, made: ToolServer, secrets: Mapping[str, str]) -> None:
        server = made if made.id else replace(made, id=service.new_id(made.name))
        try:
            await service.save(server, secrets)
        except SecretNotKept as error:
            self._show_problem(shown(error.sentence))
        except ChatDeskError as error:
            if isValid(form):
                form.end_busy()
                form.show_problem(shown(error.sentence))
            return
        if isValid(form):
            form.accept()

    async def _ask_whether_to_remove(self, page: ToolsPage, server_id: str) -> None:
        service = await self._load()
        server = service.server(server_id)
        if server is None or not isValid(page):
            return
        dialog = ConfirmDialog(
            self._panes.theme,
            tr("Remove {name}?", name=server.name),
            tr(
                "Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it"
                " answered."
            ),
            yes_text=tr("Remove"),
            is_dangerous=True,
            parent=self._dialog,
        )
        if await dialog.ask():
            self._do(page, lambda each: each.remove(server_id))


async def _set_may_ask(service: ToolService, *, server_id: str, may: bool) -> None:
    """Allow or forbid a server to ask for answers of models. It is restarted, since servers learn this at their
    start."""
    server = service.server(server_id)
    if server is not None:
        await service.save(replace(server, may_ask_model=may))
