"""Shows what a link or a file names that another program opened.

What comes in was written by somebody else. It shows a thread or opens a dialog; nothing is stored, sent or joined
before a person presses something there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from chatdesk.core.errors import InvalidInput, NotFound
from chatdesk.core.links import NEW_CHAT, SCHEME, SEARCH, ThreadLink, read_link
from chatdesk.core.local_api.quick_call import QUICK
from chatdesk.core.texts import Text, shown
from chatdesk.ui.dialogs.panel import Panel

if TYPE_CHECKING:
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.window.window_context import WindowContext

_COMMANDS: Final = {QUICK: "app.quick", NEW_CHAT: "thread.new", SEARCH: "go.search"}
_NOT_SHOWN = Text("The message of the link is not shown in this chat: it was deleted, or is in another version.")
_DIALOG_IS_OPEN = Text("Close the open dialog first, then open the link again. Nothing was changed.")


class LinkBinding(QObject):
    """The links of a window. ``import_file`` opens the dialog of an import, ``join`` that of an invitation in a text,
    and ``takes_file`` opens the one of an invitation in a file and returns whether it is one."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        *,
        import_file: Callable[[Path], None],
        join: Callable[[str], None],
        takes_file: Callable[[Path], bool],
    ) -> None:
        super().__init__()
        self._panes = context.panes
        self._tasks = context.tasks
        self._open_thread = context.open_thread
        self._threads = threads
        self._import_file = import_file
        self._join = join
        self._takes_file = takes_file

    def show(self, target: str) -> None:
        """Bring the window to the front, and show what another program opened; empty: the window alone."""
        if target != QUICK:
            self._panes.window.come_to_front()
        self.open(target)

    def open(self, target: str) -> None:
        """Show what a link or the path of a file names; nothing if it is empty."""
        if target in _COMMANDS and (target == QUICK or not self._has_dialog()):
            self._panes.commands.trigger(_COMMANDS[target])
        elif target:
            self._tasks.replace(self._open(target), "open link")

    def _has_dialog(self) -> bool:
        return any(dialog.isVisible() for dialog in self._panes.window.findChildren(Panel))

    async def _open(self, target: str) -> None:
        if self._has_dialog():
            self._panes.window.show_toast(shown(_DIALOG_IS_OPEN))  # it may be in the middle of something
        elif target.lower().startswith(SCHEME):
            await self._open_link(target)
        else:
            self._open_file(Path(target))

    async def _open_link(self, text: str) -> None:
        link = read_link(text)
        if not isinstance(link, ThreadLink):
            self._join(link.text)
            return
        if link.message_id is not None and await self._is_shown(link.thread_id, link.message_id):
            await self._threads.open_at(link.thread_id, link.message_id)
            return
        try:
            await self._open_thread.stored_chat.get_thread(link.thread_id)
        except NotFound:
            raise _NotHere from None
        await self._threads.open(link.thread_id)
        if link.message_id is not None:
            self._panes.window.show_toast(shown(_NOT_SHOWN))

    async def _is_shown(self, thread_id: str, message_id: str) -> bool:
        """Return whether a message stands on the thread's shown path: a link chooses no other version."""
        reader = self._open_thread.stored_chat.reader
        try:
            page = await reader.get_thread_messages(thread_id, 1, around=message_id)
        except NotFound:
            return False
        return any(message.id == message_id for message in page.messages)

    def _open_file(self, path: Path) -> None:
        if not self._takes_file(path):
            self._import_file(path)


class _NotHere(InvalidInput):
    code = "link_to_nothing_here"
    what = Text("The chat of this link is not on this computer.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "If it belongs to a project that is shared with you, wait until it is synced, then open the link again."
    )
