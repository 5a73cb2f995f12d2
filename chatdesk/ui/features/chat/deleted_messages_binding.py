"""The list of deleted messages: filled from the library, restored with a way back."""

from __future__ import annotations

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.deleted_messages import DeletedMessagesDialog
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.window.window_context import Controller, WindowContext


class DeletedMessagesBinding(Controller):
    def __init__(self, context: WindowContext, undo: UndoBinding, library: LibraryService) -> None:
        super().__init__(context)
        panes = context.panes
        self._undo = undo
        self._library = library
        panes.commands.bind("trash.messages", self.open)
        panes.sidebar.deletedMessagesRequested.connect(self.open)

    def open(self) -> None:
        async def work() -> None:
            messages = await self._library.trash.list_messages()
            dialog = DeletedMessagesDialog(self._panes.theme, messages, self._panes.window)
            dialog.restoreRequested.connect(self._restore)
            dialog.threadRequested.connect(self._chats.show_soon)
            dialog.open()

        self._tasks.replace(work(), "open deleted messages")

    def _restore(self, message_id: str) -> None:
        async def work() -> None:
            moved = await (await self._undo.stack()).restore_message(message_id)
            if moved.message_ids:
                chat = self._chats.bring(moved.thread.id)
                await chat.threads.open_at(moved.thread.id, message_id)
                self._undo.offer(tr("Message restored"), chat.panes.pane)

        self._tasks.start(work(), "restore deleted message")
