"""Controls the team's part of a chat: names and rights in its thread, its notes, and when it counts as read."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QTimer

from chatdesk.core.domain.sharing.team import SharedProject, ShareState
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import (
    SharedFilesChanged,
    SharedMessagesArrived,
    SyncStatusChanged,
    TeamChanged,
    UnreadChanged,
)
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import shown
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.team.shared_text import (
    arrived_words,
    managers_of,
    refusal_words,
    refused_here_words,
)
from chatdesk.ui.transcript.contract import SharedWith
from chatdesk.ui.window.window_context import Controller, WindowContext

_READ_AFTER_MS = 700
_READ_NOTES = "read notes of a thread"


class SharedThreadBinding(Controller):
    """Controller of the team's part of a chat, built once a workspace was joined. While it updates widgets it reads
    only values that the service keeps in memory."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        team: TeamService,
    ) -> None:
        super().__init__(context, context.panes.pane)
        panes = context.panes
        self._threads = threads
        self._team = team
        self._refusal_of = ("", "")  # the project whose change was refused, and the sentence shown
        self._refused = 0  # changes, as last told
        self._shown: tuple[object, ...] = ()
        self._read = QTimer(self, singleShot=True, interval=_READ_AFTER_MS)
        self._read.timeout.connect(self._on_read_timeout)
        threads.opened.connect(self._on_thread_opened)
        panes.transcript.anchorChanged.connect(self._start_read_timer)
        panes.transcript.set_file_states(team.known.file_state)
        panes.window.installEventFilter(self)
        context.events.subscribe(self, SyncStatusChanged, self._on_sync_status_changed)
        context.events.subscribe(self, TeamChanged, lambda _event: self._read_again())
        context.events.subscribe(self, UnreadChanged, lambda _event: self._start_read_timer())
        context.events.subscribe(self, SharedMessagesArrived, self._on_shared_messages_arrived)
        context.events.subscribe(
            self, SharedFilesChanged, lambda _event: self._panes.transcript.set_file_states(self._team.known.file_state)
        )
        self._read_again()

    def _read_again(self) -> None:
        """Workspaces, projects and roles may be others."""
        self._refusal_of = ("", "")
        self._shown = ()
        self._tasks.replace(self._show_rights(self._threads.open_thread), _READ_NOTES)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.WindowActivate:
            self._start_read_timer()
        return super().eventFilter(watched, event)

    # What is shared

    def _shared_of(self, thread: Thread | None) -> SharedProject | None:
        project_id = thread.project_id if thread is not None else self._threads.new_project_id
        return None if project_id is None else self._team.known.shared_project(project_id)

    def _on_thread_opened(self, thread: Thread | None) -> None:
        """Show the team's part of the thread. Runs also after every change of the open thread, so it must be cheap
        then."""
        shared = self._shared_of(thread)
        now = (thread.id if thread is not None else None, shared and (shared.project_id, shared.role, shared.state))
        if now != self._shown:
            self._tasks.replace(self._show_rights(thread), _READ_NOTES)
        elif thread is not None and shared is not None and not _may_rename(thread, shared):
            self._lock_title(thread)

    async def _show_rights(self, thread: Thread | None) -> None:
        shared, panes = self._shared_of(thread), self._panes
        self._shown = (
            thread.id if thread is not None else None,
            shared and (shared.project_id, shared.role, shared.state),
        )
        panes.transcript.conversation.set_shared(self._shared_with(shared))
        can_write = shared is None or shared.state is ShareState.ENDED or shared.role.can_write
        if can_write:
            panes.composer.set_refusal("")
        elif shared is not None:
            panes.composer.set_refusal(await self._refusal(shared))
        if thread is not None and shared is not None and not _may_rename(thread, shared):
            self._lock_title(thread)
        self._start_read_timer()
        await self._show_notes(thread if shared is not None else None)

    def _shared_with(self, shared: SharedProject | None) -> SharedWith | None:
        if shared is None:
            return None
        if shared.state is ShareState.ENDED:
            return SharedWith(self._team.known.member_name, can_manage=True)
        return SharedWith(
            self._team.known.member_name, can_write=shared.role.can_write, can_manage=shared.role.can_manage
        )

    def _lock_title(self, thread: Thread) -> None:
        self._panes.header.set_title(shown(thread.name), is_editable=False)

    async def _refusal(self, shared: SharedProject) -> str:
        if self._refusal_of[0] != shared.project_id:
            mine = {each.id: each.member_id for each in await self._team.records.workspaces()}
            members = await self._team.records.members(shared.workspace_id)
            names = managers_of(shared.project_id, members, me=mine.get(shared.workspace_id, ""))
            self._refusal_of = (shared.project_id, refusal_words(names))
        return self._refusal_of[1]

    # Notes

    async def _show_notes(self, thread: Thread | None) -> None:
        pane = self._panes.pane
        notes = () if thread is None else await self._team.decisions.notes(thread.id)
        refused = 0
        if thread is not None and any(each.refused for each in self._team.statuses()):
            refused = sum(each.thread_id == thread.id for each in await self._team.decisions.refused())
        if thread is None or not (notes or refused):
            pane.hide_note()
            return
        sentences = list(dict.fromkeys(shown(note.sentence) for note in notes))
        if refused:
            sentences.append(refused_here_words(refused))
        pane.show_note(" ".join(sentences), partial(self._forget_notes, thread.id))

    def _forget_notes(self, thread_id: str) -> None:
        self._tasks.start(self._team.decisions.mark_notes_seen(thread_id), "notes were read")

    # What is unread

    def _on_shared_messages_arrived(self, event: SharedMessagesArrived) -> None:
        if event.thread_id == self._threads.thread_id:
            if self._chats.announces_for(self._panes, event.thread_id):
                announce(self._panes.transcript, arrived_words(event.authors, len(event.message_ids)))
            self._tasks.replace(self._show_notes(self._threads.open_thread), _READ_NOTES)

    def _start_read_timer(self) -> None:
        """Start the timer that marks new messages as read once the end of the thread was in view for a moment."""
        if self._has_unread() and not self._read.isActive():
            self._read.start()

    def _has_unread(self) -> bool:
        thread_id = self._threads.thread_id
        return thread_id is not None and bool(self._team.known.unread().get(thread_id))

    def _on_read_timeout(self) -> None:
        transcript, thread_id = self._panes.transcript, self._threads.thread_id
        if thread_id is None or not self._has_unread() or not self._panes.window.isActiveWindow():
            return
        if transcript.isVisible() and not transcript.entries:
            self._read.start()  # its messages are not loaded yet
        elif transcript.isVisible() and transcript.parts.layout.is_at_end:
            self._tasks.start(self._team.mark_read(thread_id), "mark as read")

    def _on_sync_status_changed(self, _event: SyncStatusChanged) -> None:
        refused = sum(each.refused for each in self._team.statuses())
        if refused != self._refused:
            self._refused = refused
            self._tasks.replace(self._show_notes(self._threads.open_thread), _READ_NOTES)


def _may_rename(thread: Thread, shared: SharedProject) -> bool:
    """Return whether this person may rename the thread: everybody may rename their own, managers of the project every
    thread."""
    is_own = thread.author_id is None and shared.role.can_write
    return shared.state is ShareState.ENDED or is_own or shared.role.can_manage
