"""Joins ChatDesk with the desktop: notices, a tray icon, starting at login, keys of the quick window, fingers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.texts import shown
from chatdesk.ui.features.desktop import autostart
from chatdesk.ui.features.desktop.answer_notices import AnswerNotices
from chatdesk.ui.features.desktop.autostart import set_start_at_login
from chatdesk.ui.features.desktop.quick_keys_binding import QuickKeysBinding
from chatdesk.ui.features.desktop.touch_binding import TouchBinding
from chatdesk.ui.features.desktop.tray_binding import TrayBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.window.window_context import WindowContext


class DesktopBinding(QObject):
    """Controller of the tray, notices and start at login. ``paths`` are those of this data directory, which a start at
    login has to open, too."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        library: LibraryService,
        *,
        paths: AppPaths,
    ) -> None:
        super().__init__()
        self._context = context
        self._settings = settings
        self._login_arguments = ("--data-dir", str(paths.data_dir)) if paths.is_chosen else ()
        self._starts_at_login: bool | None = None  # as far as the file was read or written
        self.notices = AnswerNotices(context)
        self.tray = TrayBinding(context, settings, library)
        self.keys = QuickKeysBinding(context, settings, self._login_arguments)
        self.touch = TouchBinding(context, settings)
        settings.applied.connect(self._on_settings_applied)

    async def end(self) -> None:
        """Remove the icon, the keys and the notices from the desktop, because the window closes."""
        self.tray.end()
        await self.keys.end()
        await self.notices.end()

    def _on_settings_applied(self) -> None:
        self._context.tasks.replace(self._apply_start_at_login(), "start at login")

    async def _change_start_at_login(self, file: Path | None, *, is_on: bool) -> None:
        if file is not None:
            await asyncio.to_thread(set_start_at_login, file, is_on=is_on, arguments=self._login_arguments)
        else:
            await autostart.ask_for_start_at_login(is_on=is_on, arguments=self._login_arguments)

    async def _apply_start_at_login(self) -> None:
        """Add ChatDesk to the programs that start at login, or remove it, where the setting has changed. At first the
        file is read: whoever removed it with a tool of the desktop has changed the setting. In a sandbox there is
        nothing to read."""
        wanted = self._settings.current.start_at_login
        if not wanted and not self._starts_at_login:
            self._starts_at_login = False
            return

        file = None if autostart.is_in_sandbox() else autostart.autostart_file()
        if self._starts_at_login is None:
            self._starts_at_login = await asyncio.to_thread(autostart.starts_at_login, file) if file else wanted
        elif wanted != self._starts_at_login:
            try:
                await self._change_start_at_login(file, is_on=wanted)
                self._starts_at_login = wanted
            except ChatDeskError as error:
                self._context.panes.window.show_toast(shown(error.sentence))
        if self._starts_at_login != wanted:
            self._settings.change(replace(self._settings.current, start_at_login=self._starts_at_login))
