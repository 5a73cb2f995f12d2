"""Notifications of the desktop: one a thread, replaced and never stacked. A press on one leads to its message."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Container

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from chatdesk.ui.features.desktop.notice import Notice, NoticeBackend
from chatdesk.ui.features.desktop.notify_bus import open_bus
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.theme.icons import icon

_log = logging.getLogger(__name__)


class Notifier(QObject):
    """A queue of desktop notices. They are shown by a task, only the newest of each thread, so that nothing waits for
    the desktop."""

    pressed = Signal(str, str)  # thread, message

    def __init__(self, window: QWidget, tasks: AsyncTasks) -> None:
        super().__init__(window)
        self._window = window
        self._tasks = tasks
        self._wanted: dict[str, Notice | None] = {}
        self.shown: dict[str, Notice] = {}
        self._backend: NoticeBackend | None = None
        self.running: asyncio.Task[object] | None = None
        self._has_failed = False

    def show(self, notice: Notice) -> None:
        self._wanted.pop(notice.thread_id, None)
        self._wanted[notice.thread_id] = notice
        self._go_on()

    def withdraw_others(self, thread_ids: Container[str]) -> None:
        """Withdraw the notices of all other threads: they were read in the meantime."""
        for thread_id in [each for each in {**self.shown, **self._wanted} if each not in thread_ids]:
            self.withdraw(thread_id)

    def withdraw(self, thread_id: str) -> None:
        """Withdraw the notice of a thread, if there is one."""
        self._wanted.pop(thread_id, None)
        if thread_id in self.shown:
            self._wanted[thread_id] = None
            self._go_on()

    async def close(self) -> None:
        """Withdraw all notices and end."""
        if self.running is not None:
            self.running.cancel()
        await self._close_backend()

    async def _close_backend(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.close()

    def press(self, thread_id: str) -> None:
        """Handle a press on a notice; called by the desktop's interface."""
        notice = self.shown.pop(thread_id, None)
        if notice is not None:
            self.pressed.emit(notice.thread_id, notice.message_id)

    def _go_on(self) -> None:
        if self.running is None or self.running.done():
            self.running = self._tasks.start(self._work(), "notify")

    async def _work(self) -> None:
        try:
            if self._backend is None:
                self._backend = await self._open()
            while self._wanted:
                thread_id = next(iter(self._wanted))
                notice = self._wanted.pop(thread_id)
                if notice is None:
                    self.shown.pop(thread_id, None)
                    await self._backend.withdraw(thread_id)
                else:
                    self.shown[thread_id] = notice
                    await self._backend.show(notice)
        except OSError as error:
            # Said once; the next notice tries again, for a desktop may come back.
            _log.log(logging.DEBUG if self._has_failed else logging.WARNING, "no notifications: %s", error)
            self._has_failed = True
            self._wanted.clear()
            await self._close_backend()

    async def _open(self) -> NoticeBackend:
        if sys.platform.startswith("linux") and os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
            try:
                return await open_bus(self.press)
            except OSError as error:
                _log.info("no notifications over the session bus: %s", error)
        return TrayNotices(self._window, self)


class TrayNotices(QObject):
    """Shows notices as balloons of a tray icon, which exists only while one is shown. Raises ``OSError`` without a
    tray."""

    def __init__(self, window: QWidget, notifier: Notifier) -> None:
        from PySide6.QtWidgets import QSystemTrayIcon

        if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
            raise OSError("there is no tray")
        super().__init__(window)
        self._notifier = notifier
        self._last = ""
        self._icon: QSystemTrayIcon = QSystemTrayIcon(icon("messages-square", window.palette().text().color()), self)
        self._icon.setToolTip("ChatDesk")
        self._icon.messageClicked.connect(self._on_icon_message_clicked)

    async def show(self, notice: Notice) -> None:
        self._last = notice.thread_id
        self._icon.show()
        self._icon.showMessage(notice.title, notice.text)

    async def withdraw(self, thread_id: str) -> None:
        if thread_id == self._last:
            self._icon.hide()

    async def close(self) -> None:
        self._icon.hide()

    def _on_icon_message_clicked(self) -> None:
        self._icon.hide()
        self._notifier.press(self._last)
