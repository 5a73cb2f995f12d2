"""Shows the thread or dialog named by a link or file that another program opened, and copies links.

Such a link is untrusted. It shows a thread or opens a dialog; nothing is stored, sent or joined before the person
confirms it there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtGui import QGuiApplication

from chatdesk.core.errors import InvalidInput, NotFound
from chatdesk.core.links import NEW_CHAT, SCHEME, SEARCH, PassageLink, ThreadLink, UnusableLink, link_to, read_link
from chatdesk.core.local_api.quick_call import QUICK
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.chat_window import ChatWindow
from chatdesk.ui.window.window_context import Controller, ShownChat, WindowContext

_COMMANDS: Final = {QUICK: "app.quick", NEW_CHAT: "thread.new", SEARCH: "go.search"}
_NOT_SHOWN = Text("The message of the link is not shown in this thread: it was deleted, or is in another version.")
_DIALOG_IS_OPEN = Text("Close the open dialog first, then open the link again. Nothing was changed.")


class LinkBinding(Controller):
    """The links of a window. ``import_file`` opens the dialog of an import, ``join`` that of an invitation in a text,
    ``open_if_invitation`` opens the one of an invitation in a file and returns whether it is one, and ``show_passage``
    opens that of a passage of a project's files."""

    def __init__(
        self,
        context: WindowContext,
        *,
        import_file: Callable[[Path], None],
        join: Callable[[str], None],
        open_if_invitation: Callable[[Path], bool],
        show_passage: Callable[[str], object],
    ) -> None:
        super().__init__(context)
        self._stored_chat = context.open_thread.stored_chat
        self._import_file = import_file
        self._join = join
        self._open_if_invitation = open_if_invitation
        self._show_passage = show_passage

    def show(self, target: str) -> None:
        """Show the target that another program opened; if empty, the window that was in front last."""
        if target:
            self.open(target)
        else:
            self._chats.bring(None)

    def open(self, target: str) -> None:
        """Show the thread or dialog that a link or the path of a file names; do nothing if it is empty."""
        if target == QUICK:
            self._panes.commands.trigger(_COMMANDS[target])
        elif target in _COMMANDS:
            chat = self._chats.bring(None)
            if not _has_dialog(chat.panes.window):
                chat.panes.commands.trigger(_COMMANDS[target])
        elif target:
            self._chats.active().tasks.replace(self._open(target), "open link")

    async def _open(self, target: str) -> None:
        try:
            link = read_link(target) if target.lower().startswith(SCHEME) else None
        except UnusableLink:
            self._chats.bring(None)
            raise
        if isinstance(link, ThreadLink):
            chat = self._chats.bring(link.thread_id)
            if self._may_open_in(chat.panes.window):
                chat.tasks.replace(self._open_linked_thread(chat, link), "open thread")
            return
        window = self._panes.window
        window.come_to_front()
        if not self._may_open_in(window):
            return
        if isinstance(link, PassageLink):
            self._show_passage(target)
        elif link is not None:
            self._join(link.text)
        else:
            self._open_file(Path(target))

    def _may_open_in(self, window: ChatWindow) -> bool:
        """Return whether no dialog is open in a window; one may be in the middle of something, and the window says
        so."""
        has_dialog = _has_dialog(window)
        if has_dialog:
            window.show_toast(shown(_DIALOG_IS_OPEN))
        return not has_dialog

    async def _open_linked_thread(self, chat: ShownChat, link: ThreadLink) -> None:
        if link.message_id is not None and await self._is_shown(link.thread_id, link.message_id):
            await chat.threads.open_at(link.thread_id, link.message_id)
            return
        try:
            await self._stored_chat.get_thread(link.thread_id)
        except NotFound:
            raise _ThreadNotHere from None
        await chat.threads.open(link.thread_id)
        if link.message_id is not None:
            chat.panes.pane.show_toast(shown(_NOT_SHOWN))

    async def _is_shown(self, thread_id: str, message_id: str) -> bool:
        """Return whether a message is on the thread's shown path: a link chooses no other version."""
        try:
            page = await self._stored_chat.reader.get_thread_messages(thread_id, 1, around=message_id)
        except NotFound:
            return False
        return any(message.id == message_id for message in page.messages)

    def _open_file(self, path: Path) -> None:
        if not self._open_if_invitation(path):
            self._import_file(path)


def _has_dialog(window: ChatWindow) -> bool:
    return any(dialog.isVisible() for dialog in window.findChildren(Panel))


class _ThreadNotHere(InvalidInput):
    code = "link_to_nothing_here"
    what = Text("The thread of this link is not on this computer.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "If it belongs to a project that is shared with you, wait until it is synced, then open the link again."
    )


class LinkCopying:
    """Binds the link commands of one chat. A temporary thread has no links, because it is not stored."""

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
        self._pane.show_toast(tr("Link copied. It opens the thread on your computers that have it."))
