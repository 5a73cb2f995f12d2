"""The actions behind the dialogs of a workspace: members, computers, leaving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import MemberStatus, TeamMember, TeamRole, Workspace
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.groups import TeamServices
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.dialog_work import run_in_dialog, sentence_of
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, RenameWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_members import NEW_LOGIN_TEXT, MemberDialog, invited_words, removal_words
from chatdesk.ui.features.team.pages.team_page import TeamPage, WorkspaceView
from chatdesk.ui.features.team.pages.team_rows import REMOVAL_TEXT
from chatdesk.ui.features.team.pages.team_text import ended_connections_words, removed_with_words
from chatdesk.ui.features.team.sync_details_actions import SyncDetails
from chatdesk.ui.features.team.team_inviting import TeamInviting
from chatdesk.ui.features.team.team_onboarding import TeamOnboarding
from chatdesk.ui.features.team.team_server import TeamServer
from chatdesk.ui.features.team.team_sharing import TeamSharing
from chatdesk.ui.window.window_context import WindowContext


class TeamDialogs:
    """Dialogs open over the settings where these are open, else over the window. ``inviting`` has those that let
    somebody in, ``onboarding`` those that make a workspace or join one, ``sharing`` those about projects and about how
    sync is, ``server`` those about its database."""

    def __init__(
        self,
        context: WindowContext,
        services: TeamServices,
        team: TeamService,
        *,
        lists: ThreadListBinding,
        open_thread: Callable[[str], None],
        open_page: Callable[[str], None],
        page: Callable[[], TeamPage | None],
        settings: Callable[[], SettingsDialog | None],
    ) -> None:
        self._panes = panes = context.panes
        self._team = team
        self._tasks = context.tasks
        self._page = page
        self._settings = settings
        self.inviting = TeamInviting(
            panes.theme, team, project_names=self._project_names, find=self._workspace, do=self._do, parent=self.parent
        )
        self.sharing = TeamSharing(
            context,
            services,
            team,
            lists=lists,
            open_page=open_page,
            invite=self.inviting.invite,
            show_text=self.show_text,
            parent=self.parent,
        )
        self.details = SyncDetails(
            context,
            team,
            open_thread=open_thread,
            open_page=open_page,
            show_text=self.show_text,
            parent=self.parent,
        )
        self.onboarding = TeamOnboarding(
            context,
            services,
            team,
            show_text=self.show_text,
            parent=self.parent,
            invite=self.inviting.invite,
            open_project=lists.show_project,
        )
        self.server = TeamServer(
            panes.theme,
            team.membership,
            find=self._workspace,
            do=self._do,
            show_text=self.show_text,
            parent=self.parent,
        )

    def parent(self) -> QWidget:
        """Return the widget over which a dialog opens now: the settings if open, else the window."""
        settings = self._settings()
        return settings if settings is not None and settings.isVisible() else self._panes.window

    def show_text(self, text: str) -> None:
        """Show a text on the team page where that is open, else for a moment in the window."""
        page = self._page()
        if page is not None and page.isVisible():
            page.show_result(text)
        else:
            self._panes.window.show_toast(text)

    async def run(self, work: Awaitable[None]) -> None:
        """Run work that has no dialog of its own. A failure is shown on the team page where that is open, since the
        window is dimmed then; otherwise it is raised."""
        try:
            await work
        except ChatDeskError as error:
            page = self._page()
            if page is None or not page.isVisible():
                raise
            page.show_result(sentence_of(error))

    # The page

    async def fill_page(self) -> None:
        names = await self.sharing.project_names()
        projects = await self._team.records.projects()
        views = [
            WorkspaceView(
                workspace,
                self._team.status(workspace.id),
                [each for each in projects if each.workspace_id == workspace.id],
                await self._team.records.members(workspace.id),
                await self._team.records.devices(workspace.id),
                names,
            )
            for workspace in await self._team.records.workspaces()
        ]
        parked = await self._team.records.parked()
        page = self._page()
        if page is not None:
            page.show_parked(parked)
            page.show_workspaces(views, now_ms=_now_ms())

    # People and computers

    async def member(self, workspace_id: str, member_id: str) -> None:
        workspace = await self._workspace(workspace_id)
        members = {each.id: each for each in await self._team.records.members(workspace_id)}
        if member_id not in members:
            return
        names = await self.sharing.project_names()
        shared = [
            each
            for each in await self._team.records.projects()
            if each.workspace_id == workspace_id and each.ended is None
        ]
        known = {each.project_id: names.get(each.project_id, tr("A project")) for each in shared}
        dialog = MemberDialog(
            self._panes.theme,
            members[member_id],
            known,
            {each.project_id: each.role for each in shared},
            is_me=member_id == workspace.member_id,
            is_owner=workspace.is_owner,
            parent=self.parent(),
        )
        membership = self._team.membership

        async def show_roles() -> None:
            found = {each.id: each for each in await self._team.records.members(workspace_id)}
            if isValid(dialog) and member_id in found:
                dialog.show_roles(found[member_id].roles, known)

        async def set_role(project_id: str, role: TeamRole | None) -> None:
            await self._team.membership.administration.set_role(project_id, member_id, role)
            if isValid(dialog):
                dialog.end_busy()

        async def rename(name: str) -> None:
            await membership.rename_me(workspace_id, name)
            if isValid(dialog):
                dialog.accept()
            self.show_text(tr("The others see you as {name} from the next sync on.", name=name))

        async def set_owner(is_owner: bool) -> None:
            await membership.administration.set_workspace_owner(workspace_id, member_id, is_owner=is_owner)
            if isValid(dialog):
                dialog.show_owner(is_owner)

        async def show_owner() -> None:
            found = {each.id: each for each in await self._team.records.members(workspace_id)}
            if isValid(dialog) and member_id in found:
                dialog.show_owner(found[member_id].is_owner)

        dialog.ownerToggled.connect(
            lambda of: self._do(dialog, lambda: set_owner(of), "set owner", on_failure=show_owner)
        )
        dialog.roleRequested.connect(
            lambda *of: self._do(dialog, lambda: set_role(*of), "set role", on_failure=show_roles)
        )
        dialog.renameRequested.connect(lambda name: self._do(dialog, lambda: rename(name), "rename member"))
        dialog.removeRequested.connect(lambda: self._ask_to_remove(dialog, workspace_id, members[member_id]))
        dialog.disconnectRequested.connect(partial(self._disconnect, dialog, workspace_id))
        dialog.passwordRequested.connect(lambda: self._ask_for_new_password(dialog, workspace_id))
        dialog.open()

    def _disconnect(self, dialog: MemberDialog, workspace_id: str) -> None:
        async def disconnect() -> None:
            ended = await self._team.membership.administration.end_connections(workspace_id, dialog.member.id)
            if isValid(dialog):
                dialog.accept()
            self.show_text(ended_connections_words(ended, dialog.member.name))

        self._do(dialog, disconnect, "end connections")

    def _ask_to_remove(self, dialog: MemberDialog, workspace_id: str, member: TeamMember) -> None:
        async def remove() -> None:
            await self._team.membership.administration.remove_member(workspace_id, member.id)
            if isValid(dialog):
                dialog.accept()
            self.show_text(tr("{name} was removed, and can no longer log in.", name=member.name))
            await self._offer_to_remove_invited(workspace_id, member)

        self._ask(
            tr("Remove {name} from the workspace?", name=member.name),
            removal_words(member.name),
            yes_text=tr("Remove"),
            parent=dialog,
            run=lambda: self._start(dialog, remove, tr("Removing the member…")),
        )

    async def _offer_to_remove_invited(self, workspace_id: str, member: TeamMember) -> None:
        membership = self._team.membership
        invited = [
            each
            for each in await membership.administration.members(workspace_id)
            if each.invited_by == member.id and each.status is not MemberStatus.REMOVED
        ]
        if not invited:
            return

        async def remove() -> None:
            for each in invited:
                await membership.administration.remove_member(workspace_id, each.id)
            self.show_text(removed_with_words(len(invited), member.name))

        self._ask(
            tr("Remove the people {name} invited?", name=member.name),
            invited_words(member.name, [each.name for each in invited]),
            yes_text=tr("Remove them"),
            parent=self.parent(),
            run=lambda: self._tasks.start(self.run(remove()), "team: remove invited"),
        )

    def _ask_for_new_password(self, dialog: MemberDialog, workspace_id: str) -> None:
        async def change() -> None:
            await self._team.membership.change_password(workspace_id)
            if isValid(dialog):
                dialog.accept()
            self.show_text(tr("This computer has a new password. Add your other computers again."))

        self._ask(
            tr("Make a new password?"),
            shown(NEW_LOGIN_TEXT),
            yes_text=tr("New password"),
            parent=dialog,
            run=lambda: self._start(dialog, change, tr("Changing the password…")),
        )

    async def remove_device(self, workspace_id: str, device_id: str) -> None:
        device = next((each for each in await self._team.records.devices(workspace_id) if each.id == device_id), None)
        if device is None:
            return

        async def remove() -> None:
            self.show_text(tr("Taking the computer off the list…"))
            await self._team.membership.administration.remove_device(workspace_id, device_id)
            self.show_text(
                tr("{name} is off the list.", name=device.name) if device.name else tr("The computer is off the list.")
            )

        self._ask(
            tr("Take {name} off the list?", name=device.name)
            if device.name
            else tr("Take this computer off the list?"),
            shown(REMOVAL_TEXT),
            yes_text=tr("Take off"),
            parent=self.parent(),
            run=lambda: self._tasks.start(self.run(remove()), "remove device"),
        )

    async def rename(self, workspace_id: str) -> None:
        """Open the dialog that renames the workspace for everybody."""
        workspace = await self._workspace(workspace_id)
        dialog = RenameWorkspaceDialog(self._panes.theme, workspace.name, parent=self.parent())

        async def rename(name: str) -> None:
            await self._team.membership.administration.rename_workspace(workspace_id, name)
            if isValid(dialog):
                dialog.accept()
            self.show_text(tr("The workspace is called “{name}” now.", name=name))

        dialog.given.connect(lambda name: self._do(dialog, lambda: rename(name), "rename workspace"))
        dialog.open()

    # Leaving, and a password that is missing

    async def leave(self, workspace_id: str) -> None:
        workspace = await self._workspace(workspace_id)
        dialog = LeaveWorkspaceDialog(
            self._panes.theme,
            workspace.name,
            waiting=self._team.status(workspace_id).waiting,
            is_owner=workspace.is_owner,
            parent=self.parent(),
        )

        async def leave(is_for_good: bool) -> None:
            await self._team.membership.leave(workspace_id, for_good=is_for_good)
            if isValid(dialog):
                dialog.accept()
            self.show_text(tr("You left “{name}”. Its projects are private copies now.", name=workspace.name))

        dialog.leaveRequested.connect(lambda *of: self._do(dialog, lambda: leave(*of), "leave workspace"))
        dialog.open()

    async def join_again(self, workspace_id: str) -> None:
        """Join again after the page has shown which server it is."""
        workspace = await self._team.membership.join_again(workspace_id)
        self.show_text(tr("You are in “{name}” again.", name=workspace.name))

    async def leave_parked(self, workspace_id: str) -> None:
        await self._team.membership.leave_parked(workspace_id)
        self.show_text(tr("You left the workspace. Its projects are private copies now."))

    async def ask_password(self, workspace_id: str) -> None:
        workspace = await self._workspace(workspace_id)
        dialog = TeamPasswordDialog(self._panes.theme, workspace.name, workspace.address, parent=self.parent())

        async def use(password: str) -> None:
            await self._team.membership.enter_password(workspace_id, password)
            if isValid(dialog):
                dialog.accept()
            self._team.sync_now(workspace_id)

        dialog.given.connect(lambda text: self._do(dialog, lambda: use(text), "enter team password"))
        dialog.open()

    # Inside

    async def _project_names(self) -> Mapping[str, str]:
        return await self.sharing.project_names()

    async def _workspace(self, workspace_id: str) -> Workspace:
        found = [each for each in await self._team.records.workspaces() if workspace_id in ("", each.id)]
        if not found:
            raise NotPossible(
                Text("This computer is in no workspace."),
                safe=Text("Nothing was changed."),
                next_step=Text("Create or join one in Settings, Team sync."),
            )
        return found[0]

    def _start(self, dialog: TaskPanel, work: Callable[[], Awaitable[None]], words: str) -> None:
        if isValid(dialog):
            dialog.show_busy(words)
            self._do(dialog, work, words)

    def _do(
        self,
        dialog: TaskPanel,
        work: Callable[[], Awaitable[None]],
        name: str,
        *,
        on_failure: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._tasks.start(run_in_dialog(dialog, work, on_failure), f"team: {name}")

    def _ask(self, question: str, text: str, *, yes_text: str, parent: QWidget, run: Callable[[], object]) -> None:
        confirm = ConfirmDialog(self._panes.theme, question, text, yes_text=yes_text, is_dangerous=True, parent=parent)
        confirm.answered.connect(lambda is_yes: run() if is_yes else None)
        confirm.open()


def _now_ms() -> int:
    return int(datetime.now(tz=UTC).timestamp() * 1000)
