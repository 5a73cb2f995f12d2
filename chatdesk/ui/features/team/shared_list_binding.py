"""Shows the team in the list of threads: shared and formerly shared projects, unread counts, and the state of sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.sharing.team import ShareState, SyncPhase, SyncStatus
from chatdesk.core.domain.thread import Project
from chatdesk.core.events import ProjectChanged, SyncStatusChanged, TeamChanged, UnreadChanged
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import tr
from chatdesk.ui.features.team.shared_text import (
    closed_words,
    ended_words,
    let_in_words,
    role_words,
    too_old_words,
)
from chatdesk.ui.features.team.sync_status_text import status_line
from chatdesk.ui.local_forms import time_of
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

# The server's refusals of a former member, and of a version that is too old.
_CLOSED, _TOO_OLD = "team_login_closed", "team_client_too_old"


class SharedListBinding(Controller):
    """Controller of the team's part of the sidebar, built once a workspace was joined. It reports on projects in the
    active chat."""

    def __init__(
        self,
        context: WindowContext,
        team: TeamService,
        library: LibraryService,
        *,
        open_details: Callable[[], object],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._team = team
        self._library = library
        self._refusals: dict[str, tuple[str, str]] = {}  # by workspace: the reason, and the sentence of its banner
        self._names: dict[str, str] = {}
        self._workspaces: dict[str, str] = {}
        panes.sidebar.teamPressed.connect(open_details)
        panes.sidebar.markReadRequested.connect(self._mark_read)
        context.events.subscribe(self, SyncStatusChanged, lambda _event: self._show_status())
        context.events.subscribe(self, TeamChanged, lambda _event: self._read())
        context.events.subscribe(self, UnreadChanged, lambda event: self._panes.sidebar.rows.set_unread(event.counts))
        context.events.subscribe(self, ProjectChanged, lambda event: self._on_project_changed(event.project))
        self._panes.sidebar.rows.set_unread(self._team.known.unread())
        self._read()

    def offer_mark_read(self, panes: Panes) -> None:
        """Bind the command that marks threads as read, in one of the windows."""
        panes.registry.bind("thread.mark_read", self._mark_selected, lambda: bool(self._team.known.unread()))

    def _mark_read(self, thread_ids: Sequence[str]) -> None:
        async def work() -> None:
            for thread_id in thread_ids:
                if self._team.known.unread().get(thread_id):
                    await self._team.mark_read(thread_id)

        self._tasks.start(work(), "mark as read")

    def _mark_selected(self) -> None:
        """Mark the selected threads as read, else the one in the active chat; other windows have no list."""
        chat = self._chats.active()
        open_id = chat.threads.thread_id
        selected = self._panes.sidebar.selected_ids() if chat.panes.window is self._panes.window else ()
        self._mark_read(selected or (() if open_id is None else (open_id,)))

    # What is shared

    def _read(self) -> None:
        """Workspaces, projects and roles may be others."""
        self._tasks.replace(self._read_state(), "read what is shared")

    async def _read_state(self) -> None:
        self._workspaces = {each.id: each.name for each in await self._team.records.workspaces()}
        projects = {each.project_id: each for each in await self._team.records.projects()}
        self._names = {each.id: each.name for each in await self._library.projects.list(deleted_too=True)}
        live = {key: each for key, each in projects.items() if each.state is not ShareState.ENDED}
        self._panes.sidebar.set_shared_projects(
            {key: role_words(each.role) for key, each in live.items()},
            read_only=frozenset(key for key, each in live.items() if not each.role.can_write),
            workspaces={key: self._workspaces.get(each.workspace_id, "") for key, each in live.items()},
        )
        for workspace_id in self._refusals.keys() - self._workspaces.keys():
            self._hide_refusal(workspace_id)
        self._show_status()
        sentences = [
            ended_words(self._names.get(each.project_id, tr("A project")), each.ended)
            for each in self._team.known.pop_ended()
            if each.ended is not None
        ]
        sentences += [
            let_in_words(self._names.get(each.project_id, tr("A project"))) for each in self._team.known.pop_let_in()
        ]
        if sentences:
            self._chats.active().panes.pane.show_banner(" ".join(sentences), is_danger=False)

    def _on_project_changed(self, project: Project) -> None:
        self._names[project.id] = project.name

    # The state of sync

    def _show_refusal(self, status: SyncStatus) -> None:
        name = self._workspaces.get(status.workspace_id)
        if status.phase is SyncPhase.SYNCED:
            self._hide_refusal(status.workspace_id)
        reason = status.code if status.phase is SyncPhase.REFUSED else status.phase.value
        if name is None or reason not in (_CLOSED, _TOO_OLD, SyncPhase.READ_ONLY.value):
            return
        if self._refusals.get(status.workspace_id, ("", ""))[0] != reason:
            is_closed = reason == _CLOSED
            words = closed_words(name) if is_closed else too_old_words(name, status)
            self._refusals[status.workspace_id] = (reason, words)
            self._chats.active().panes.pane.show_banner(words, is_danger=is_closed)

    def _hide_refusal(self, workspace_id: str) -> None:
        """Hide that a workspace's server refuses, because it does not any more, or the workspace was left."""
        _reason, words = self._refusals.pop(workspace_id, ("", ""))
        if words:
            for chat in self._chats.listed():
                chat.panes.pane.hide_banner(words)

    def _show_status(self) -> None:
        for status in self._team.statuses():
            self._show_refusal(status)
        line = status_line(self._team.statuses(), self._workspaces, time_of)
        self._panes.sidebar.lines.show_team(line.text, tone=line.tone, tip=line.tip, is_under_way=line.is_under_way)
