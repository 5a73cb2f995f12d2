"""Joins ChatDesk with the desktop: notices, a tray icon, starting at login, keys of the quick window, fingers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.tools import ApprovalRequest
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import AnswerFinished, ApprovalAsked, ApprovalEnded
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.paths import AppPaths
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.desktop import autostart
from chatdesk.ui.features.desktop.autostart import set_start_at_login
from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.desktop.notify import Notifier
from chatdesk.ui.features.desktop.quick_keys_binding import QuickKeysBinding
from chatdesk.ui.features.desktop.touch_binding import TouchBinding
from chatdesk.ui.features.desktop.tray_binding import TrayBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.window.window_context import Controller, WindowContext


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
        self._starts_at_login: bool | None = None  # None until the file was read or written
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
        """Add ChatDesk to the programs that start at login, or remove it, if the setting has changed. At first the file
        is read: a person who removed it with a tool of the desktop has changed the setting. In a sandbox there is no
        file."""
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


# An answer that took longer is one that a person may have left alone.
LONG_MS: Final = 10_000
_TITLES: Final = {Status.COMPLETE: Text("An answer is ready"), Status.ERROR: Text("An answer failed")}


class AnswerNotices(Controller):
    """Notices of the desktop, one a thread, which show the title of the thread and no text of messages: others may see
    the screen."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._settings = context.settings
        self._chat_of = context.open_thread.chat_of
        self.notifier = Notifier(context.panes.window, context.tasks)
        self.notifier.pressed.connect(context.chats.show_soon)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._on_focus_window_changed)
        context.events.subscribe(self, AnswerFinished, lambda event: self._on_answer_finished(event.message))
        context.events.subscribe(self, ApprovalAsked, lambda event: self._on_approval_asked(event.request))
        context.events.subscribe(self, ApprovalEnded, lambda event: self.notifier.withdraw(event.thread_id))

    async def end(self) -> None:
        """Withdraw the notices, because the window closes."""
        await self.notifier.close()

    def _on_focus_window_changed(self, _window: object) -> None:
        if self._chats.has_person():
            self.notifier.withdraw_others(())  # the person is here, and sees it

    def _is_wanted(self, took_ms: int | None) -> bool:
        if self._chats.has_person():
            return False
        wanted = self._settings().answer_notices
        return wanted == "all" or (wanted == "long" and (took_ms is None or took_ms >= LONG_MS))

    def _on_answer_finished(self, message: Message) -> None:
        title = _TITLES.get(message.status)
        took_ms = (message.completed_at or message.created_at) - message.created_at
        if title is not None and self._is_wanted(took_ms):
            self._tasks.start(self._show(message.thread_id, message.id, shown(title)), "notify of an answer")

    def _on_approval_asked(self, request: ApprovalRequest) -> None:
        if self._is_wanted(None):
            title = tr(
                "{server_name} waits for your approval", server_name=distinct_name(shown(request.tool.server_name))
            )
            self._tasks.start(self._show(request.thread_id, request.message_id, title), "notify of a call")

    async def _show(self, thread_id: str, message_id: str, title: str) -> None:
        try:
            thread = await self._chat_of(thread_id).get_thread(thread_id)
        except ChatDeskError:
            return  # gone by now
        self.notifier.show(Notice(thread_id, message_id, title, shown(thread.name)))
