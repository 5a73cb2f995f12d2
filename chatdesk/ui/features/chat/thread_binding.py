"""Controls the open thread: the one place that changes it, and keeps sidebar, header, transcript and composer in
step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.message import MessagePage, ThreadSizes
from chatdesk.core.domain.text_match import ThreadMatches
from chatdesk.core.domain.thread import NEW_THREAD_TITLE, Project, Thread, title_text
from chatdesk.core.errors import NotFound
from chatdesk.core.events import MessageAdded, ThreadChanged, ThreadDeleted, ThreadsChanged
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.contract import ScrollAnchor
from chatdesk.ui.window.window_context import Controller, WindowContext

_ABOVE_FOUND_PX = 24
_FIND = "find in thread"


class ThreadBinding(Controller):
    """Owns the open thread (None: the one that does not exist yet)."""

    opened = Signal(object)  # Thread | None
    keepOffered = Signal(str, object)  # why a temporary thread must be kept first, and the action that follows

    def __init__(self, context: WindowContext, drafts: DraftKeeper) -> None:
        super().__init__(context, context.panes.pane)
        self._drafts = drafts
        self._thread: Thread | None = None
        self._anchors: dict[str, ScrollAnchor] = {}
        self._new_project: Project | None = None
        self._has_shown = False
        self._is_blank = True
        self._reported: dict[str, Thread | None] = {}  # changes reported while a thread is read; None: it is gone
        self._reads = 0
        self._unnamed_changes = 0  # how often an event named no threads, because many changed
        context.events.subscribe(self, MessageAdded, lambda event: self._on_message_added(event.message.thread_id))
        context.events.subscribe(self, ThreadChanged, lambda event: self._on_thread_changed(event.thread))
        context.events.subscribe(self, ThreadDeleted, lambda event: self._on_thread_deleted(event.thread_id))
        context.events.subscribe(self, ThreadsChanged, lambda event: self._on_threads_changed(event.threads))

    @property
    def thread_id(self) -> str | None:
        return self._thread.id if self._thread else None

    @property
    def stored_id(self) -> str | None:
        """The id of the open thread, or None when it is temporary or new: for what works with stored threads only."""
        return None if self._open_thread.is_temporary(self.thread_id) else self.thread_id

    @property
    def is_temporary(self) -> bool:
        """Return whether the open thread is not stored at all."""
        return self._open_thread.is_temporary(self.thread_id)

    def offers_to_keep(self, why: str, then: Callable[[], object]) -> bool:
        """Return whether the open thread is temporary, so that ``then`` cannot be done with it. If so, show ``why``
        with a button that keeps the thread and runs ``then``."""
        if self.is_temporary:
            self.keepOffered.emit(why, then)
        return self.is_temporary

    @property
    def open_thread(self) -> Thread | None:
        return self._thread

    @property
    def is_blank(self) -> bool:
        """Return whether the open thread has no message yet."""
        return self._is_blank

    @property
    def has_shown(self) -> bool:
        """Return whether a thread, or a new one, has been shown; before that ``thread_id`` says nothing."""
        return self._has_shown

    @property
    def new_project(self) -> Project | None:
        """The project of threads that begin now; None for the oldest project."""
        return self._new_project

    @property
    def new_project_id(self) -> str | None:
        return None if self._new_project is None else self._new_project.id

    def set_new_project(self, project: Project | None) -> None:
        """Choose the project of the next new thread. A new thread that is open is shown again, since its model and
        prompt may differ."""
        self._new_project = project
        if self._thread is None:
            self.opened.emit(None)

    def anchors(self) -> dict[str, ScrollAnchor]:
        """Return the scroll position of each thread that was read in this run, the open one included, by thread id."""
        self._remember_anchor()
        return {each: anchor for each, anchor in self._anchors.items() if not self._open_thread.is_temporary(each)}

    def restore_anchors(self, anchors: dict[str, ScrollAnchor]) -> None:
        self._anchors.update(anchors)

    # Opening

    def open_soon(self, thread_id: str | None) -> None:
        self._tasks.replace(self.open(thread_id), "open thread")

    async def open(self, thread_id: str | None, *, takes_focus: bool = True) -> None:
        """Show a thread with its place and its draft; a missing one opens the new thread instead. The focus goes to its
        composer, unless the person did not ask for the thread."""
        focus = self._panes.window.focusWidget()
        if thread_id is None or thread_id != self.thread_id:
            thread = None if thread_id is None else await self._read(thread_id)
            self._remember_anchor()
            self._panes.pane.leave_thread()
            # without first showing the previous state of the thread for a moment
            self._panes.composer.notice.show_standing()
            self._show(thread)
            if takes_focus:
                announce(self._panes.window, shown_title(self))
        if takes_focus:
            self._focus_composer(focus)
        await self._drafts.load()  # also for the open thread: an earlier opening may have been interrupted before this

    def _focus_composer(self, before: QWidget | None) -> None:
        """Focus the composer unless the focus has left ``before``: then the person has moved on and types there. If
        ``before`` is gone, as with the search in the previous thread, Qt has moved the focus."""
        is_gone = before is not None and not (isValid(before) and before.isVisible())
        if is_gone or self._panes.window.focusWidget() in (None, before):
            self._panes.composer.setFocus()

    async def open_at(self, thread_id: str, message_id: str) -> None:
        """Show a thread with ``message_id`` at the top, wherever the reader was in it before."""
        if thread_id == self.thread_id:
            self._panes.transcript.jump_to(message_id)
            return
        self._anchors[thread_id] = ScrollAnchor(message_id, -_ABOVE_FOUND_PX, False)
        await self.open(thread_id)

    async def open_first(self, thread_id: str | None) -> None:
        """Open a thread at start-up. Unlike ``open``, this keeps text, questions and choices from the meantime."""
        thread = None if thread_id is None else await self._read(thread_id)
        if not self._has_shown:
            thread = None if thread is None or thread.deleted_at is not None else thread
            self._drafts.start(thread.id if thread else None)
            self._show(thread)
        await self._drafts.load()

    async def _read(self, thread_id: str) -> Thread | None:
        """Return the current thread, or None when it is gone. Events that arrive during the read are newer than its
        result."""
        chat = self._open_thread.chat_of(thread_id)
        self._reads += 1
        try:
            changes = -1
            while changes != self._unnamed_changes:
                changes = self._unnamed_changes
                thread = await chat.get_thread(thread_id)
            return self._reported.get(thread_id, thread)
        except NotFound:
            self._panes.sidebar.remove_thread(thread_id)
            return None
        finally:
            self._reads -= 1
            if not self._reads:
                self._reported.clear()

    def adopt(self, thread: Thread) -> bool:
        """Make the new thread, which got its first message, the open one. Return False if another thread was opened
        in the meantime, which stays."""
        if self._thread is not None or self._drafts.thread_id is not None:
            return False
        self._drafts.adopt(thread.id)
        self._show(thread)
        return True

    def _show(self, thread: Thread | None) -> None:
        self._tasks.cancel(_FIND)
        self._has_shown = True
        self._thread = thread
        self._open_thread.id = self.thread_id
        self._drafts.show(self.thread_id)
        panes = self._panes
        if panes.pane.is_marked_in_list:
            panes.sidebar.thread_list.show_open(self.stored_id)
        panes.transcript.show_thread(thread.id if thread else None, self._anchors.get(thread.id) if thread else None)
        self._is_blank = thread is None or thread.current_leaf_id is None
        panes.pane.show_transcript(not self._is_blank)
        self.opened.emit(thread)

    def _remember_anchor(self) -> None:
        if self._thread is not None:
            self._anchors[self._thread.id] = self._panes.transcript.scrolling.anchor()

    # Fetching for the panes

    @in_task("fetch messages")
    async def fetch_messages(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
        at: int | None = None,
    ) -> None:
        chat = self._open_thread.chat_of(thread_id)
        try:
            page = await chat.reader.get_thread_messages(thread_id, limit, before, after, around=around, at=at)
        except NotFound:
            if around is None:
                raise
            page = await chat.reader.get_thread_messages(thread_id, limit)
        # Deltas may have been published since the read; the view's page must contain all of them.
        deliver(replace(page, messages=tuple(chat.reader.with_live_text(message) for message in page.messages)))

    @in_task("fetch sizes", replaces=True)
    async def fetch_sizes(self, thread_id: str, deliver: Callable[[ThreadSizes], None]) -> None:
        deliver(await self._open_thread.chat_of(thread_id).reader.get_thread_sizes(thread_id))

    def find_in_thread(self, thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None:
        async def work() -> None:
            deliver(await self._open_thread.chat_of(thread_id).reader.find_in_thread(thread_id, text))

        self._tasks.replace(work(), _FIND)

    # Events

    def _on_message_added(self, thread_id: str) -> None:
        if self._is_blank and thread_id == self.thread_id:
            self._is_blank = False
            self._panes.pane.show_transcript(True)

    def _on_thread_changed(self, thread: Thread) -> None:
        self._record_change(thread.id, thread)
        if thread.id == self.thread_id:
            self._thread = thread
            self.opened.emit(thread)

    def _on_threads_changed(self, threads: Sequence[Thread] | None) -> None:
        if threads is None:
            self._unnamed_changes += 1
            self._tasks.replace(self._reload_thread(), "reload open thread")
            return
        for thread in threads:
            if thread.deleted_at is not None:
                self._on_thread_deleted(thread.id)
            else:
                self._on_thread_changed(thread)

    async def _reload_thread(self) -> None:
        """Read the open thread again after a change that no event described in detail."""
        if self._thread is None:
            return
        thread_id, was_deleted = self._thread.id, self._thread.deleted_at is not None
        thread = await self._read(thread_id)
        if thread is None:
            self._on_thread_deleted(thread_id)
        elif thread.deleted_at is not None and not was_deleted:
            self._on_thread_deleted(thread.id)
        else:
            self._on_thread_changed(thread)

    def _record_change(self, thread_id: str, thread: Thread | None) -> None:
        if self._reads:
            self._reported[thread_id] = thread

    def _on_thread_deleted(self, thread_id: str) -> None:
        self._record_change(thread_id, None)
        self._anchors.pop(thread_id, None)
        if thread_id == self.thread_id:
            self._thread = self._open_thread.id = None
            self.open_soon(None)


def shown_title(threads: ThreadBinding) -> str:
    """Return the name of what is open, for people."""
    title = NEW_THREAD_TITLE if threads.open_thread is None else threads.open_thread.title
    return tr("Temporary chat") if threads.is_temporary and title == NEW_THREAD_TITLE else shown(title_text(title))
