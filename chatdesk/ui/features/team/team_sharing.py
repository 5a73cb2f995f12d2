"""The actions behind the dialogs about shared projects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import (
    MemberStatus,
    SharedProject,
    SyncStatus,
    TeamRole,
    Workspace,
)
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import tr
from chatdesk.services.groups import TeamServices
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.library.project import names_told_apart
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.team.dialog_work import run_in_dialog
from chatdesk.ui.features.team.pages.share_project import (
    SharedProjectDialog,
    ShareProjectDialog,
    end_words,
    erase_words,
)
from chatdesk.ui.features.team.pages.team_retention import is_shorter, kept_sentence, shorter_words
from chatdesk.ui.window.window_context import WindowContext


class TeamSharing:
    """Runs the dialogs that share projects. ``show_text`` shows a text on the team page or in the window, ``parent`` is
    what a dialog opens over."""

    def __init__(
        self,
        context: WindowContext,
        services: TeamServices,
        team: TeamService,
        *,
        lists: ThreadListBinding,
        open_page: Callable[[str], None],
        invite: Callable[[str, str | None], Awaitable[None]],
        show_text: Callable[[str], None],
        parent: Callable[[], QWidget],
    ) -> None:
        self._panes = context.panes
        self._services = services
        self._team = team
        self._tasks = context.tasks
        self._lists = lists
        self._open_page = open_page
        self._invite = invite
        self._show_text = show_text
        self._parent = parent
        self._shared: SharedProjectDialog | None = None

    def show_status(self, status: SyncStatus) -> None:
        """Show the changed sync state of a workspace."""
        shared = self._shared
        if shared is not None and isValid(shared) and shared.project.workspace_id == status.workspace_id:
            shared.show_status(status)

    async def project_names(self) -> dict[str, str]:
        projects = await self._services.library.projects.list(deleted_too=True)
        here = [each for each in projects if each.deleted_at is None]
        return {each.id: each.name for each in projects} | names_told_apart(here, self._panes.sidebar.workspaces)

    async def open_share(self) -> None:
        """Open the dialog that shares the listed project; where all are listed, the one that new threads go to."""
        project = self._lists.project or await self._services.chat.projects.default()
        workspaces = await self._team.records.workspaces()
        if not workspaces:
            self._open_page(tr("To share a project, create a workspace or join one first."))
            return
        shared = self._team.known.shared_project(project.id)
        if shared is not None and shared.ended is None:
            await self.open_shared(shared.workspace_id, project.id)
            return
        await self._offer_share(project.id, project.name, workspaces)

    async def _offer_share(self, project_id: str, name: str, workspaces: Sequence[Workspace]) -> None:
        default = await self._services.chat.projects.default()
        dialog = ShareProjectDialog(
            self._panes.theme, name, workspaces, takes_new_chats=default.id == project_id, parent=self._parent()
        )
        dialog.newProjectRequested.connect(lambda: self._panes.commands.trigger("project.new"))

        async def count() -> None:
            found = await self._team.sharing.share_count(project_id)
            if isValid(dialog):
                dialog.show_count(found)

        async def share(workspace_id: str) -> None:
            await self._team.sharing.share(project_id, workspace_id)
            if isValid(dialog):
                dialog.accept()
            self._show_text(
                tr("“{name}” is shared. The line below the threads shows how much has been sent.", name=name)
            )

        dialog.shareRequested.connect(lambda of: self._do(dialog, lambda: share(of), "share project"))
        dialog.open()
        self._do(dialog, count, "count what goes up")

    async def open_shared(self, workspace_id: str, project_id: str) -> None:
        """Open the dialog of a shared project, with its members and the way to end the share, or the dialog that shares
        it again."""
        shared = self._team.known.shared_project(project_id)
        workspace = next((each for each in await self._team.records.workspaces() if each.id == workspace_id), None)
        name = (await self.project_names()).get(project_id, tr("A project"))
        if shared is not None and workspace is not None and shared.is_let_in:
            await self._offer_share(project_id, name, (workspace,))
            return
        if shared is None or workspace is None or shared.ended is not None:
            self._show_text(tr("That project is no longer shared."))
            return
        members = await self._team.records.members(workspace_id)
        dialog = self._shared = SharedProjectDialog(
            self._panes.theme,
            name,
            shared,
            members,
            me=workspace.member_id,
            workspace_name=workspace.name,
            kept_days=await self._team.erasing.retention(project_id),
            parent=self._parent(),
        )

        async def show_roles() -> None:
            found = await self._team.records.members(workspace_id)
            if isValid(dialog):
                dialog.show_roles(found)

        async def set_role(member_id: str, role: TeamRole | None) -> None:
            await self._team.membership.administration.set_role(project_id, member_id, role)
            if isValid(dialog):
                dialog.end_busy()

        async def invite() -> None:
            dialog.accept()
            await self._invite(workspace_id, project_id)

        others = sum(
            each.id != workspace.member_id and each.status is MemberStatus.ACTIVE and project_id in each.roles
            for each in members
        )
        dialog.roleRequested.connect(
            lambda *of: self._do(dialog, lambda: set_role(*of), "set role", on_failure=show_roles)
        )
        dialog.retentionRequested.connect(
            lambda days: self._do(dialog, lambda: self._ask_to_keep(dialog, name, days), "ask for retention")
        )
        dialog.inviteRequested.connect(lambda: self._tasks.start(invite(), "team: invite"))
        dialog.endRequested.connect(lambda: self._ask_to_end(dialog, shared, name, others))
        dialog.eraseRequested.connect(lambda: self._ask_to_erase(dialog, shared, name, others))
        dialog.show_status(self._team.status(workspace_id))
        dialog.open()

    async def _ask_to_keep(self, dialog: SharedProjectDialog, name: str, days: int | None) -> None:
        """Ask before changing the retention, which another member may have changed since the dialog was opened."""
        erasing, project_id = self._team.erasing, dialog.project.project_id
        current = await erasing.retention(project_id)

        async def show() -> None:
            kept = await erasing.retention(project_id)
            if isValid(dialog):
                dialog.show_retention(kept)

        async def keep() -> None:
            await erasing.set_retention(project_id, days)
            await show()
            if isValid(dialog):
                announce(dialog, kept_sentence(days))

        def on_answered(is_yes: bool) -> None:
            if isValid(dialog):
                self._do(dialog, keep if is_yes else show, "set retention", on_failure=show)

        if days is None or not is_shorter(days, current):
            on_answered(True)
        elif isValid(dialog):
            dialog.end_busy()
            question, text, yes = shorter_words(name, days)
            confirm = ConfirmDialog(self._panes.theme, question, text, yes_text=yes, is_dangerous=True, parent=dialog)
            confirm.answered.connect(on_answered)
            confirm.open()

    def _ask_to_end(self, dialog: SharedProjectDialog, shared: SharedProject, name: str, others: int) -> None:
        question, text, yes = end_words(shared, name, others)
        confirm = ConfirmDialog(self._panes.theme, question, text, yes_text=yes, is_dangerous=True, parent=dialog)

        async def end() -> None:
            await self._team.sharing.unshare(shared.project_id)
            if isValid(dialog):
                dialog.accept()
            self._show_text(tr("“{name}” is a private project on this computer now.", name=name))

        def on_answered(is_yes: bool) -> None:
            if is_yes and isValid(dialog):
                dialog.show_busy(tr("Telling the server…"))
                self._do(dialog, end, "end sharing")

        confirm.answered.connect(on_answered)
        confirm.open()

    def _ask_to_erase(self, dialog: SharedProjectDialog, shared: SharedProject, name: str, others: int) -> None:
        question, text, yes = erase_words(name, others)
        confirm = ConfirmDialog(self._panes.theme, question, text, yes_text=yes, is_dangerous=True, parent=dialog)

        async def erase() -> None:
            await self._team.sharing.unshare(shared.project_id, and_erase=True)
            if isValid(dialog):
                dialog.accept()
            self._show_text(tr("“{name}” is erased.", name=name))

        def on_answered(is_yes: bool) -> None:
            if is_yes and isValid(dialog):
                dialog.show_busy(tr("Telling the server…"))
                self._do(dialog, erase, "erase project")

        confirm.answered.connect(on_answered)
        confirm.open()

    def _do(
        self,
        dialog: TaskPanel,
        work: Callable[[], Awaitable[None]],
        name: str,
        *,
        on_failure: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._tasks.start(run_in_dialog(dialog, work, on_failure), f"team: {name}")
