"""Deletes threads of the trash for good, after a question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.library.active_chat import ActiveChat
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext


class TrashBinding(Controller):
    """Binds *Delete for good* and *Empty the trash*; ``active`` returns the chat whose window asks."""

    def __init__(
        self,
        context: WindowContext,
        active: Callable[[], ActiveChat],
        *,
        library: LibraryService,
        search: SearchService,
        team_is_joined: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__(context)
        self._active = active
        self._library = library
        self._search = search
        self._team_is_joined = team_is_joined
        context.panes.sidebar.emptyTrashRequested.connect(self.ask_to_empty)
        context.panes.commands.bind("trash.empty", self.ask_to_empty)

    @in_task("ask to purge")
    async def ask_to_purge(self, ids: Sequence[str], title: str) -> None:
        question = shown(plural("Delete {count} threads for good?", "Delete this thread for good?", len(ids)))
        text = tr("{title}: all messages are removed. This cannot be undone.", title=title)
        await self._purge_if_wanted(ids, question, text, tr("Delete for good"))

    @in_task("ask to empty trash")
    async def ask_to_empty(self) -> None:
        count = await self._library.count_threads(ThreadQuery("trash"))
        if not count:
            self._active().panes.window.show_toast(tr("The trash is empty."))
            return
        await self._purge_if_wanted(None, tr("Empty the trash?"), whole_trash_text(count), tr("Empty the trash"))

    async def _about_shared(self) -> str:
        """Return a sentence on the fate of shared threads; empty when this profile is in no team."""
        is_joined = await self._team_is_joined()
        return f" {shared_text()}" if is_joined else ""

    async def _purge_if_wanted(self, ids: Sequence[str] | None, question: str, text: str, yes: str) -> None:
        """Ask ``question``, and after a yes delete these threads for good; None: all in the trash."""
        window, said = self._active().panes.window, text + await self._about_shared()
        dialog = ConfirmDialog(self._panes.theme, question, said, yes_text=yes, is_dangerous=True, parent=window)
        if not await dialog.ask():
            return
        library = self._library
        with self._active().undo.change() as stack:
            count = await (library.trash.empty() if ids is None else library.trash.delete_for_good(ids))
            stack.record_lasting(Text("delete for good"))
        self._panes.sidebar.thread_list.marks.set(())
        self._active().panes.window.show_toast(
            shown(plural("{count} threads are gone.", "{count} thread is gone.", count))
        )
        await library.trash.sweep(trash_days=self._current_settings().trash_days)
        await self._search.fill()


# The sentences before threads are deleted for good.


def whole_trash_text(count: int) -> str:
    """Return a sentence on the threads and messages that emptying the trash removes."""
    return shown(
        plural(
            "{count} threads of all projects, with all messages, will be removed. This cannot be undone.",
            "{count} thread of all projects, with all messages, will be removed. This cannot be undone.",
            count,
        )
    )


def shared_text() -> str:
    """Return a sentence on the fate of threads in shared projects."""
    return tr(
        "In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The "
        "rest is hidden on this computer only."
    )
