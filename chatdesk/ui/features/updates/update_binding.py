"""Joins the window with the updates of this installation: the dialog, the daily look, and the question before it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject
from shiboken6 import isValid

from chatdesk import __version__
from chatdesk.core.background_import import import_beside
from chatdesk.core.child_process import is_packaged
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown, tr
from chatdesk.ui.widgets.banner import Banner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chatdesk.core.updates.release import Release
    from chatdesk.core.updates.update_service import UpdateService
    from chatdesk.services.services import Services
    from chatdesk.ui.features.settings.settings_binding import SettingsBinding
    from chatdesk.ui.features.updates.update_dialog import UpdateDialog
    from chatdesk.ui.window.window_context import WindowContext

_log = logging.getLogger(__name__)

_TASK: Final = "updates"
_SETTLE_S, _LOOK_EVERY_S = 60.0, 3600.0


async def load_updates(services: Services) -> UpdateService:
    """Return the service for updates, imported beside the loop."""
    module = await import_beside("chatdesk.services.updates")
    made: UpdateService = module.build_updates(services)
    return made


class UpdateBinding(QObject):
    """Controller of updates. ``load`` makes the service, when it is first used."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        load: Callable[[], Awaitable[UpdateService]],
    ) -> None:
        super().__init__()
        self._context = context
        self._settings = settings
        self._load = load
        self._made: UpdateService | None = None
        self._notice: Banner | None = None
        self._run_notice: Callable[[], object] = self.open
        self._dialog: UpdateDialog | None = None
        context.panes.commands.bind("app.updates", self.open)

    def start(self) -> None:
        """Check for updates once a day from now on, if the person wants it. Only packages have a feed."""
        if is_packaged():
            self._context.tasks.start(self.follow(), "check for updates")

    async def follow(self) -> None:
        """Ask once whether to check for updates, and check once a day if that is wanted, while the window is open."""
        await asyncio.sleep(_SETTLE_S)
        service = await self._service()
        if not service.has_feed:
            return
        try:
            if (
                self._context.panes.empty_state.first_screen is None and await service.may_ask()
            ):  # not on the first screen
                await service.record_asked()
                self._ask()
        except ChatDeskError as error:
            _log.info("updates: nothing was asked: %s", error.code)
        shown_release: Release | None = None
        while True:
            try:
                found = await service.check_if_due()
            except ChatDeskError as error:
                found = None  # the dialog says it to whoever asks; a day later it is tried again
                _log.info("updates: %s", error.code)
            if found is not None and found != shown_release:
                shown_release = found
                words = tr("ChatDesk {version} is available.", version=str(found.version))
                self._show_notice(words, tr("What is new…"), self.open)
            await asyncio.sleep(_LOOK_EVERY_S)

    def open(self) -> None:
        """Open the dialog."""
        self._context.tasks.start_once(self._open(), _TASK)

    def _ask(self) -> None:
        words = tr("Should ChatDesk look for new versions? It installs none by itself.")
        self._show_notice(words, tr("Once a day"), self._turn_on, other_text=tr("No"))

    def _turn_on(self) -> None:
        self._settings.change(replace(self._settings.current, updates_check=True))

    def _show_notice(
        self, text: str, action_text: str, run: Callable[[], object], *, other_text: str | None = None
    ) -> None:
        if self._notice is None:
            self._notice = Banner(self._context.panes.theme)
            self._notice.setObjectName("updateNotice")
            self._notice.actionTriggered.connect(self._on_notice_action_triggered)
            for ended in (self._notice.closed, self._notice.otherTriggered):
                ended.connect(self._hide_notice)
            self._context.panes.pane.add_bar(self._notice)
        self._run_notice = run
        self._notice.show_message(text, kind="info", action_text=action_text, other_text=other_text)

    def _on_notice_action_triggered(self) -> None:
        self._hide_notice()
        self._run_notice()

    def _hide_notice(self) -> None:
        if self._notice is not None:
            self._notice.setVisible(False)

    async def _service(self) -> UpdateService:
        if self._made is None:
            self._made = await self._load()
        return self._made

    async def _open(self) -> None:
        module = await import_beside("chatdesk.ui.features.updates.update_dialog")
        service = await self._service()
        panes = self._context.panes
        dialog: UpdateDialog = module.UpdateDialog(
            panes.theme, __version__, shown(service.summary), has_feed=service.has_feed, parent=panes.window
        )
        self._dialog = dialog
        start = self._context.tasks.start_once
        dialog.checkRequested.connect(lambda: start(self._check(dialog, service), "check for updates now"))
        dialog.installRequested.connect(lambda: start(self._install(dialog, service), "install update"))
        dialog.settingsRequested.connect(partial(self._open_settings, dialog))
        dialog.finished.connect(self._on_dialog_finished)
        if service.offered is not None:
            dialog.show_release(service.offered)
        elif service.is_installed:
            dialog.show_installed()
        dialog.open()

    def _open_settings(self, dialog: UpdateDialog) -> None:
        dialog.reject()
        self._settings.open("General")

    def _on_dialog_finished(self) -> None:
        self._dialog = None
        for name in ("check for updates now", "install update"):
            self._context.tasks.cancel(name)

    async def _check(self, dialog: UpdateDialog, service: UpdateService) -> None:
        dialog.show_step("check", -1)
        try:
            found = await service.check()
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.show_failed(shown(error.sentence))
            return
        if isValid(dialog):
            dialog.show_release(found)

    async def _install(self, dialog: UpdateDialog, service: UpdateService) -> None:
        release = dialog.release  # not what was found in the meantime: nobody has read about that
        if release is None:
            return

        def report(step: str, percent: int) -> None:
            if self._dialog is dialog:
                dialog.show_step(step, percent)

        try:
            await service.install(release, report)
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.show_failed(shown(error.sentence))
            return
        if isValid(dialog):
            dialog.show_installed()
