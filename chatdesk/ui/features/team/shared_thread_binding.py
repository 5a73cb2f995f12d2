"""The team's part of a window: names and rights in the open thread, its notes, what is unread, which projects are
shared and which no longer are, and the state of sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer

from chatdesk.core.domain.sharing.team import SharedProject, ShareState, SyncPhase, SyncStatus
from chatdesk.core.events import (
    ProjectChanged,
    SharedFilesChanged,
    SharedMessagesArrived,
    SyncStatusChanged,
    TeamChanged,
    UnreadChanged,
)
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.features.team.shared_text import (
    arrived_words,
    closed_words,
    ended_words,
    let_in_words,
    managers_of,
    refusal_words,
    refused_here_words,
    role_words,
    too_old_words,
)
from chatdesk.ui.features.team.sync_status_text import status_line
from chatdesk.ui.transcript.contract import SharedWith
from chatdesk.ui.transcript.drawing.moments import time_of

if TYPE_CHECKING:
    from chatdesk.core.chat.library import LibraryService
    from chatdesk.core.domain.project import Project
    from chatdesk.core.domain.thread import Thread
    from chatdesk.core.sync.service import TeamService
    from chatdesk.ui.event_subscriptions import Subscribe
    from chatdesk.ui.features.chat.thread_binding import ThreadBinding
    from chatdesk.ui.window.window_context import WindowContext

_READ_AFTER_MS = 700
#: What a server says to somebody who is no member any more, and to a version that is too old.
_CLOSED, _TOO_OLD = "team_login_closed", "team_client_too_old"
_READ_STATE, _READ_NOTES = "read what is shared", "read notes of a thread"


class SharedThreadBinding(QObject):
    """Made once a workspace was joined. What is asked while something is shown are the service's kept values."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        team: TeamService,
        library: LibraryService,
        *,
        open_details: Callable[[], object],
    ) -> None:
        super().__init__(context.panes.window)  # with which its timer ends
        self._panes = panes = context.panes
        self._threads = threads
        self._team = team
        self._library = library
        self._tasks = context.tasks
        self._told: dict[str, str] = {}  # by workspace: what a banner said of it
        self._names: dict[str, str] = {}
        self._workspaces: dict[str, str] = {}
        self._refusal_of = ("", "")  # project, and what is said in it
        self._refused = 0  # changes, as last told
        self._shown: tuple[object, ...] = ()
        self._read = QTimer(self, singleShot=True, interval=_READ_AFTER_MS)
        self._read.timeout.connect(self._on_read_timeout)
        sidebar = panes.sidebar
        sidebar.teamPressed.connect(open_details)
        sidebar.markReadRequested.connect(self.mark_read)
        panes.commands.bind("thread.mark_read", self._mark_selected, lambda: bool(team.known.unread()))
        threads.opened.connect(self._on_thread_opened)
        panes.transcript.anchorChanged.connect(self._look_if_read)
        panes.transcript.set_file_states(team.known.file_state)
        panes.window.installEventFilter(self)
        self._subscribe(context.subscribe)

    def _subscribe(self, subscribe: Subscribe) -> None:
        subscribe(self, SyncStatusChanged, self._on_sync_status_changed)
        subscribe(self, TeamChanged, lambda _event: self.read())
        subscribe(self, UnreadChanged, self._on_unread_changed)
        subscribe(self, SharedMessagesArrived, self._on_shared_messages_arrived)
        subscribe(
            self, SharedFilesChanged, lambda _event: self._panes.transcript.set_file_states(self._team.known.file_state)
        )
        subscribe(self, ProjectChanged, lambda event: self._on_project_changed(event.project))
        self._panes.sidebar.rows.set_unread(self._team.known.unread())
        self.read()

    def read(self) -> None:
        """Workspaces, projects and roles may be others."""
        self._tasks.replace(self._read_state(), _READ_STATE)

    def mark_read(self, thread_ids: Sequence[str]) -> None:
        async def work() -> None:
            for thread_id in thread_ids:
                if self._team.known.unread().get(thread_id):
                    await self._team.mark_read(thread_id)

        self._tasks.start(work(), "mark as read")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.WindowActivate:
            self._look_if_read()
        return super().eventFilter(watched, event)

    # What is shared

    async def _read_state(self) -> None:
        self._workspaces = {each.id: each.name for each in await self._team.records.workspaces()}
        projects = {each.project_id: each for each in await self._team.records.projects()}
        self._names = {each.id: each.name for each in await self._library.projects.list(deleted_too=True)}
        self._refusal_of = ("", "")
        live = {key: each for key, each in projects.items() if each.state is not ShareState.ENDED}
        self._panes.sidebar.set_shared_projects(
            {key: role_words(each.role) for key, each in live.items()},
            read_only=frozenset(key for key, each in live.items() if not each.role.can_write),
            workspaces={key: self._workspaces.get(each.workspace_id, "") for key, each in live.items()},
        )
        self._show_status()
        self._shown = ()
        await self._show_rights(self._threads.open_thread)
        told = [
            ended_words(self._names.get(each.project_id, tr("A project")), each.ended)
            for each in self._team.known.take_ended()
            if each.ended is not None
        ]
        told += [
            let_in_words(self._names.get(each.project_id, tr("A project"))) for each in self._team.known.take_let_in()
        ]
        if told:
            self._panes.window.show_banner(" ".join(told), is_danger=False)

    def _on_project_changed(self, project: Project) -> None:
        self._names[project.id] = project.name

    def _shared_of(self, thread: Thread | None) -> SharedProject | None:
        project_id = thread.project_id if thread is not None else self._threads.new_project_id
        return None if project_id is None else self._team.known.shared_project(project_id)

    def _on_thread_opened(self, thread: Thread | None) -> None:
        """Also told of every change of the open thread, so it has to cost nothing then."""
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
        self._look_if_read()
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
        self._panes.header.set_title(thread.title, is_editable=False)

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
        self._tasks.start(self._team.decisions.note_seen(thread_id), "notes were read")

    # What is unread

    def _on_unread_changed(self, event: UnreadChanged) -> None:
        self._panes.sidebar.rows.set_unread(event.counts)
        self._look_if_read()

    def _on_shared_messages_arrived(self, event: SharedMessagesArrived) -> None:
        if event.thread_id == self._threads.thread_id:
            announce(self._panes.transcript, arrived_words(event.authors, len(event.message_ids)))
            self._tasks.replace(self._show_notes(self._threads.open_thread), _READ_NOTES)

    def _look_if_read(self) -> None:
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
            self._read.start()  # its messages are still on their way
        elif transcript.isVisible() and transcript.parts.layout.is_at_end:
            self.mark_read((thread_id,))

    def _mark_selected(self) -> None:
        selected = self._panes.sidebar.selected_ids()
        open_id = self._threads.thread_id
        self.mark_read(selected or (() if open_id is None else (open_id,)))

    # How it stands

    def _on_sync_status_changed(self, _event: SyncStatusChanged) -> None:
        self._show_status()

    def _tell_whom_it_keeps_out(self, status: SyncStatus) -> None:
        name = self._workspaces.get(status.workspace_id)
        if status.phase is SyncPhase.SYNCED:
            self._told.pop(status.workspace_id, None)
        reason = status.code if status.phase is SyncPhase.REFUSED else status.phase.value
        if name is None or reason not in (_CLOSED, _TOO_OLD, SyncPhase.READ_ONLY.value):
            return
        if self._told.get(status.workspace_id) != reason:
            self._told[status.workspace_id] = reason
            is_closed = reason == _CLOSED
            words = closed_words(name) if is_closed else too_old_words(name, status)
            self._panes.window.show_banner(words, is_danger=is_closed)

    def _show_status(self) -> None:
        for status in self._team.statuses():
            self._tell_whom_it_keeps_out(status)
        refused = sum(each.refused for each in self._team.statuses())
        if refused != self._refused:
            self._refused = refused
            self._tasks.replace(self._show_notes(self._threads.open_thread), _READ_NOTES)
        line = status_line(self._team.statuses(), self._workspaces, time_of)
        self._panes.sidebar.lines.show_team(line.text, tone=line.tone, tip=line.tip, is_under_way=line.is_under_way)


def _may_rename(thread: Thread, shared: SharedProject) -> bool:
    """Everybody their own, and whoever manages the project every thread."""
    is_own = thread.author_id is None and shared.role.can_write
    return shared.state is ShareState.ENDED or is_own or shared.role.can_manage
