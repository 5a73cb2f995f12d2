"""Controls the icon in the tray: its tooltip, its menu, and whether ChatDesk stays there after the window closes."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.events import AnswerFinished, MessageAdded, UnreadChanged
from chatdesk.core.texts import Text, shown
from chatdesk.ui.features.desktop.tray_icon import TrayIcon, is_there_a_tray
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

_RECENT = 5
_STAYS = Text("ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.")


class TrayBinding(Controller):
    """Shows the icon while the setting says so and the desktop has a tray."""

    def __init__(
        self,
        context: WindowContext,
        settings: SettingsBinding,
        library: LibraryService,
    ) -> None:
        super().__init__(context)
        self._context = context
        self._library = library
        self._has_said = False
        self._writing: set[str] = set()
        self._unread = 0
        self.icon: TrayIcon | None = None
        context.panes.window.hides_on_close = self._hides_on_close
        context.events.subscribe(self, MessageAdded, lambda event: self._on_message_added(event.message))
        context.events.subscribe(self, AnswerFinished, lambda event: self._on_answer_finished(event.message))
        context.events.subscribe(self, UnreadChanged, lambda event: self._on_unread_changed(sum(event.counts.values())))
        settings.applied.connect(self.apply)

    def apply(self) -> None:
        """Show or hide the icon, as the settings say now."""
        if self._context.settings().tray == "off":
            if self.icon is not None:
                self.icon.hide()
            return

        if is_there_a_tray():
            if self.icon is None:
                self.icon = self._make_icon()
            self.icon.show()
            self._show_state()

    def end(self) -> None:
        """Remove the icon, because the window closes."""
        if self.icon is not None:
            self.icon.hide()

    def _make_icon(self) -> TrayIcon:
        panes = self._panes
        icon = TrayIcon(panes.theme, panes.window)
        icon.openRequested.connect(self._open_window)
        icon.newThreadRequested.connect(lambda: self._context.chats.show_soon(None))
        icon.threadChosen.connect(self._context.chats.show_soon)
        icon.quickRequested.connect(lambda: panes.commands.trigger("app.quick"))
        icon.quitRequested.connect(lambda: panes.commands.trigger("app.quit"))
        icon.menuOpened.connect(self._list_threads)
        self._list_threads()
        return icon

    def _open_window(self) -> None:
        self._context.chats.bring(None)

    def _list_threads(self) -> None:
        async def work() -> None:
            page = await self._library.list_threads(ThreadQuery(), limit=_RECENT)
            if self.icon is not None:
                self.icon.show_threads(page.threads)

        self._context.tasks.replace(work(), "threads of the tray")

    def _hides_on_close(self) -> bool:
        is_ending = QGuiApplication.instance().isSavingSession()  # type: ignore[union-attr]
        if is_ending or self.icon is None or not self.icon.is_visible or self._context.settings().tray != "close":
            return False
        if not self._has_said:
            self._has_said = True
            self.icon.show_message(shown(_STAYS))
        return True

    def _on_message_added(self, message: Message) -> None:
        if message.role is Role.ASSISTANT and message.status in (Status.PENDING, Status.STREAMING):
            self._writing.add(message.id)
            self._show_state()

    def _on_answer_finished(self, message: Message) -> None:
        self._writing.discard(message.id)
        self._show_state()

    def _on_unread_changed(self, count: int) -> None:
        self._unread = count
        self._show_state()

    def _show_state(self) -> None:
        if self.icon is not None:
            self.icon.show_state(running=len(self._writing), unread=self._unread)
