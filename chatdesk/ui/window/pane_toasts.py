"""Shows the short messages of a chat: one at a time, kept until a person sees it, and ended with its subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.toast import Toast

# Messages that wait until they are seen; the oldest make room.
MOST_UNSEEN: Final = 8


@dataclass(frozen=True, slots=True)
class ToastMessage:
    """A short message with at most one button and its action. ``is_of_thread``: it ends with the open thread."""

    text: str
    action_text: str | None = None
    run: Callable[[], object] | None = None
    is_of_thread: bool = False


class PaneToasts(QObject):
    """The messages over ``area``. ``toast`` shows them."""

    def __init__(self, theme: Theme, area: QWidget) -> None:
        super().__init__(area)
        self.toast = Toast(theme, area)
        self._area = area
        self._shown = ToastMessage("")
        self._unseen: list[ToastMessage] = []
        area.installEventFilter(self)
        self.toast.actionTriggered.connect(self._on_toast_action_triggered)
        # Only after the button of the one before has run.
        self.toast.closed.connect(self._show_unseen, Qt.ConnectionType.QueuedConnection)

    def show(self, message: ToastMessage) -> None:
        """Show a message in place of the previous one. While the chat is hidden, the message waits."""
        if self._is_seen:
            self._show(message)
        else:
            self.add_unseen([message])

    def show_failure(self, text: str) -> None:
        """Show why an action in the open thread failed, until it was read or is no longer true."""
        self.show(ToastMessage(text, is_of_thread=True))

    def end_failures(self) -> None:
        """Hide why an action failed, because the reason may be gone: an answer has ended, or another thread is open."""
        self._unseen = [each for each in self._unseen if not each.is_of_thread]
        if self._shown.is_of_thread:
            self.toast.dismiss()

    def add_unseen(self, messages: Sequence[ToastMessage]) -> None:
        """Show the unseen messages, one after the other, once this chat is visible."""
        self._unseen = [*self._unseen, *messages][-MOST_UNSEEN:]
        self._show_unseen()

    def remove_unseen(self) -> Sequence[ToastMessage]:
        """Return the unseen messages, and stop showing them here."""
        unseen, self._unseen = self._unseen, []
        return unseen

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._show_unseen()
        return super().eventFilter(watched, event)

    @property
    def _is_seen(self) -> bool:
        """Return whether a person can see a toast here: neither another chat nor the inspector covers the pane."""
        return self._area.isVisible() and not self._area.window().isMinimized()

    def _show_unseen(self) -> None:
        if self._unseen and self._is_seen and self.toast.isHidden():
            self._show(self._unseen.pop(0))

    def _show(self, message: ToastMessage) -> None:
        self._shown = message
        self.toast.show_message(message.text, action_text=message.action_text)

    def _on_toast_action_triggered(self) -> None:
        run, self._shown = self._shown.run, ToastMessage("")
        if run is not None:
            run()
