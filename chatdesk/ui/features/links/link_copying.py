"""Copies links to the open thread and to its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from chatdesk.core.links import link_to
from chatdesk.core.texts import tr

if TYPE_CHECKING:
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.window.window_context import WindowContext


class LinkCopying:
    """Binds the commands of one chat. A temporary one has no links, because nothing of it is stored."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        self._pane = context.panes.pane
        self._threads = threads
        context.panes.message_handlers.bind("link", self.copy_message_link)
        context.panes.commands.bind("thread.copy_link", self.copy_thread_link, lambda: threads.stored_id is not None)

    def copy_thread_link(self) -> None:
        """Put the link to the open thread on the clipboard."""
        if self._threads.stored_id is not None:
            self._copy(link_to(self._threads.stored_id))

    def copy_message_link(self, message_id: str) -> None:
        """Put the link to a message of the open thread on the clipboard."""
        if self._threads.stored_id is None:
            self._pane.show_toast(tr("A temporary chat has no link, because nothing of it is stored."))
        else:
            self._copy(link_to(self._threads.stored_id, message_id))

    def _copy(self, link: str) -> None:
        QGuiApplication.clipboard().setText(link)
        self._pane.show_toast(tr("Link copied. It opens the chat on your computers that have it."))
