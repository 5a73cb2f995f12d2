"""Controls *Erase for everyone…* for threads and messages of shared projects, which first warns that it cannot be
undone, and the list of deleted messages, from which they are restored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.sharing.team import Erasure
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.erasing import Erasing
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.chat.deleted_messages import DeletedMessagesDialog
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:  # imported only with a team
    from chatdesk.core.sync.team_service import TeamService

_WARNING: Final = Text(
    "It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the"
    " server and of computers until they are replaced, private copies of members who left, and what somebody copied or"
    " exported."
)


class ErasingBinding:
    def __init__(
        self, context: WindowContext, threads: ThreadBinding, load_team: Callable[[], Awaitable[TeamService]]
    ) -> None:
        self._panes = panes = context.panes
        self._threads = threads
        self._load_team = load_team
        self._tasks = context.tasks
        panes.message_handlers.bind("erase", self.ask_about_message)
        panes.commands.bind("thread.erase", self.ask_about_open, lambda: threads.stored_id is not None)
        panes.commands.describe("thread.erase", is_offered=self._is_shared, is_rare=True)

    def _is_shared(self) -> bool:
        """Return whether the open thread is shared; an unshared one only offers *Delete*."""
        thread = self._threads.open_thread
        return thread is not None and thread.project_id in self._panes.sidebar.shared

    def ask_about_open(self) -> None:
        thread = self._threads.open_thread
        if thread is not None:
            self._ask(
                tr("Erase this thread for everyone?"),
                lambda erasing: erasing.of_thread(thread.id),
                lambda erasing: erasing.erase_thread(thread.id),
            )

    def ask_about_message(self, message_id: str) -> None:
        self._ask(
            tr("Erase this message for everyone?"),
            lambda erasing: erasing.of_message(message_id),
            lambda erasing: erasing.erase_message(message_id),
        )

    @in_task("ask to erase")
    async def _ask(
        self,
        question: str,
        look: Callable[[Erasing], Awaitable[Erasure]],
        erase: Callable[[Erasing], Awaitable[Erasure]],
    ) -> None:
        try:
            found = await look(await self._erasing())
        except ChatDeskError as error:
            self._panes.pane.show_toast(" ".join(shown(each) for each in (error.what, error.next_step) if each))
            return
        dialog = ConfirmDialog(
            self._panes.theme,
            question,
            f"{erasure_words(found)} {shown(_WARNING)}",
            yes_text=tr("Erase for everyone"),
            is_dangerous=True,
            parent=self._panes.window,
        )
        if await dialog.ask():
            await erase(await self._erasing())
            self._panes.pane.show_toast(tr("It is in the trash, and is erased as soon as the server has taken it."))

    async def _erasing(self) -> Erasing:
        return (await self._load_team()).erasing


def erasure_words(found: Erasure) -> str:
    """Return sentences on the messages that an erasure removes and those of others that stay."""
    words = shown(
        plural(
            "{count} messages go, with attached files and the summaries that mention them.",
            "{count} message goes, with attached files and the summaries that mention them.",
            found.messages,
        )
    )
    if found.others:
        stay = shown(
            plural(
                "{count} messages of others stay in the trash: only owners and admins of the project erase what others"
                " wrote.",
                "{count} message of others stays in the trash: only owners and admins of the project erase what others"
                " wrote.",
                found.others,
            )
        )
        words = f"{words} {stay}"
    return words


class DeletedMessagesBinding(Controller):
    def __init__(self, context: WindowContext, undo: UndoBinding, library: LibraryService) -> None:
        super().__init__(context)
        panes = context.panes
        self._undo = undo
        self._library = library
        panes.commands.bind("trash.messages", self.open)
        panes.sidebar.deletedMessagesRequested.connect(self.open)

    @in_task("open deleted messages", replaces=True)
    async def open(self) -> None:
        messages = await self._library.trash.list_messages()
        dialog = DeletedMessagesDialog(self._panes.theme, messages, self._panes.window)
        dialog.restoreRequested.connect(self._restore)
        dialog.threadRequested.connect(self._chats.show_soon)
        dialog.open()

    @in_task("restore deleted message")
    async def _restore(self, message_id: str) -> None:
        moved = await (await self._undo.stack()).restore_message(message_id)
        if moved.message_ids:
            chat = self._chats.bring(moved.thread.id)
            await chat.threads.open_at(moved.thread.id, message_id)
            self._undo.offer(tr("Message restored"), chat.panes.pane)
