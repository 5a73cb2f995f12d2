"""Runs the actions of the dialogs about shared projects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import (
    MemberStatus,
    SharedProject,
    SyncStatus,
    TeamRole,
    Workspace,
)
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.team.pages.share_project import (
    SharedProjectDialog,
    ShareProjectDialog,
    end_words,
    erase_words,
)
from chatdesk.ui.features.team.pages.team_retention import is_shorter, kept_sentence, shorter_words
from chatdesk.ui.features.team.team_desk import TeamDesk, Work


class TeamSharing:
    """Runs the dialogs that share projects."""

    def __init__(
        self, desk: TeamDesk, *, lists: ThreadListBinding, invite: Callable[[str, str | None], Awaitable[None]]
    ) -> None:
        self._desk = desk
        self._team = desk.team
        self._services = desk.services
        self._lists = lists
        self._invite = invite
        self._shared: SharedProjectDialog | None = None

    def show_status(self, status: SyncStatus) -> None:
        """Show the changed sync state of a workspace."""
        shared = self._shared
        if shared is not None and isValid(shared) and shared.project.workspace_id == status.workspace_id:
            shared.show_status(status)

    async def open_share(self) -> None:
        """Open the dialog that shares the listed project; where all are listed, the one that new threads go to."""
        project = self._lists.project or await self._services.chat.projects.default()
        workspaces = await self._team.records.workspaces()
        if not workspaces:
            self._desk.open_page(tr("To share a project, create a workspace or join one first."))
            return
        shared = self._team.known.shared_project(project.id)
        if shared is not None and shared.ended is None:
            await self.open_shared(shared.workspace_id, project.id)
            return
        await self._offer_share(project.id, project.name, workspaces)

    async def _offer_share(self, project_id: str, name: str, workspaces: Sequence[Workspace]) -> None:
        default = await self._services.chat.projects.default()
        dialog = ShareProjectDialog(
            self._desk.theme, name, workspaces, takes_new_chats=default.id == project_id, parent=self._desk.parent()
        )
        dialog.newProjectRequested.connect(lambda: self._desk.panes.commands.trigger("project.new"))

        async def count() -> None:
            found = await self._team.sharing.share_count(project_id)
            if isValid(dialog):
                dialog.show_count(found)

        async def share(workspace_id: str) -> None:
            await self._team.sharing.share(project_id, workspace_id)
            self._desk.finish(
                dialog, tr("“{name}” is shared. The line below the threads shows how much has been sent.", name=name)
            )

        dialog.shareRequested.connect(lambda of: self._desk.do(dialog, lambda: share(of), "share project"))
        dialog.open()
        self._desk.do(dialog, count, "count what goes up")

    async def open_shared(self, workspace_id: str, project_id: str) -> None:
        """Open the dialog of a shared project, with its members and the way to end the share, or the dialog that shares
        it again."""
        shared = self._team.known.shared_project(project_id)
        workspace = next((each for each in await self._team.records.workspaces() if each.id == workspace_id), None)
        name = (await self._desk.project_names()).get(project_id, tr("A project"))
        if shared is not None and workspace is not None and shared.is_let_in:
            await self._offer_share(project_id, name, (workspace,))
            return
        if shared is None or workspace is None or shared.ended is not None:
            self._desk.show_text(tr("That project is no longer shared."))
            return
        members = await self._team.records.members(workspace_id)
        dialog = self._shared = SharedProjectDialog(
            self._desk.theme,
            name,
            shared,
            members,
            me=workspace.member_id,
            workspace_name=workspace.name,
            kept_days=await self._team.erasing.retention(project_id),
            parent=self._desk.parent(),
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
            lambda *of: self._desk.do(dialog, lambda: set_role(*of), "set role", on_failure=show_roles)
        )
        dialog.retentionRequested.connect(
            lambda days: self._desk.do(dialog, lambda: self._ask_to_keep(dialog, name, days), "ask for retention")
        )
        dialog.inviteRequested.connect(lambda: self._desk.tasks.start(invite(), "team: invite"))
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
                self._desk.do(dialog, keep if is_yes else show, "set retention", on_failure=show)

        if days is None or not is_shorter(days, current):
            on_answered(True)
        elif isValid(dialog):
            dialog.end_busy()
            question, text, yes = shorter_words(name, days)
            confirm = ConfirmDialog(self._desk.theme, question, text, yes_text=yes, is_dangerous=True, parent=dialog)
            confirm.answered.connect(on_answered)
            confirm.open()

    def _ask_to_end(self, dialog: SharedProjectDialog, shared: SharedProject, name: str, others: int) -> None:
        async def end() -> None:
            await self._team.sharing.unshare(shared.project_id)
            self._desk.finish(dialog, tr("“{name}” is a private project on this computer now.", name=name))

        self._ask_in(dialog, end_words(shared, name, others), end)

    def _ask_to_erase(self, dialog: SharedProjectDialog, shared: SharedProject, name: str, others: int) -> None:
        async def erase() -> None:
            await self._team.sharing.unshare(shared.project_id, and_erase=True)
            self._desk.finish(dialog, tr("“{name}” is erased.", name=name))

        self._ask_in(dialog, erase_words(name, others), erase)

    def _ask_in(self, dialog: SharedProjectDialog, words: tuple[str, str, str], work: Work) -> None:
        self._desk.ask(words, lambda: self._desk.do_busy(dialog, work, tr("Telling the server…")), parent=dialog)
