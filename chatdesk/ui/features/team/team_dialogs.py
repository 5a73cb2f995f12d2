"""Runs the actions of a workspace's dialogs: members, computers, leaving."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import MemberStatus, TeamMember
from chatdesk.core.texts import shown, tr
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, RenameWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_members import NEW_LOGIN_TEXT, MemberDialog, invited_words, removal_words
from chatdesk.ui.features.team.pages.team_page import WorkspaceView
from chatdesk.ui.features.team.pages.team_rows import REMOVAL_TEXT
from chatdesk.ui.features.team.pages.team_text import ended_connections_words, removed_with_words
from chatdesk.ui.features.team.sync_details_actions import SyncDetails
from chatdesk.ui.features.team.team_desk import TeamDesk
from chatdesk.ui.features.team.team_inviting import TeamInviting
from chatdesk.ui.features.team.team_onboarding import TeamOnboarding
from chatdesk.ui.features.team.team_server import TeamServer
from chatdesk.ui.features.team.team_sharing import TeamSharing


class TeamDialogs:
    """Dialogs open over the settings where these are open, else over the window. ``inviting`` has those that let
    somebody in, ``onboarding`` those that make a workspace or join one, ``sharing`` those about projects, ``details``
    that about how sync is, ``server`` those about its database."""

    def __init__(self, desk: TeamDesk, lists: ThreadListBinding) -> None:
        self.desk = desk
        self._team = desk.team
        self.inviting = TeamInviting(desk)
        self.sharing = TeamSharing(desk, lists=lists, invite=self.inviting.invite)
        self.details = SyncDetails(desk)
        self.onboarding = TeamOnboarding(desk, invite=self.inviting.invite, open_project=lists.show_project)
        self.server = TeamServer(desk)

    # The page

    async def fill_page(self) -> None:
        names = await self.desk.project_names()
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
        page = self.desk.page()
        if page is not None:
            page.show_parked(parked)
            page.show_workspaces(views, now_ms=_now_ms())

    # People and computers

    async def member(self, workspace_id: str, member_id: str) -> None:
        workspace = await self.desk.workspace(workspace_id)
        members = {each.id: each for each in await self._team.records.members(workspace_id)}
        if member_id not in members:
            return
        dialog = MemberDialog(
            self.desk.theme, members[member_id], is_me=member_id == workspace.member_id, parent=self.desk.parent()
        )
        membership = self._team.membership

        async def rename(name: str) -> None:
            await membership.rename_me(workspace_id, name)
            self.desk.finish(dialog, tr("The others see you as {name} from the next sync on.", name=name))

        async def set_owner(is_owner: bool) -> None:
            await membership.administration.set_workspace_owner(workspace_id, member_id, is_owner=is_owner)
            if isValid(dialog):
                dialog.show_owner(is_owner)

        async def show_owner() -> None:
            found = {each.id: each for each in await self._team.records.members(workspace_id)}
            if isValid(dialog) and member_id in found:
                dialog.show_owner(found[member_id].is_owner)

        dialog.ownerToggled.connect(
            lambda of: self.desk.do(dialog, lambda: set_owner(of), "set owner", on_failure=show_owner)
        )
        dialog.renameRequested.connect(lambda name: self.desk.do(dialog, lambda: rename(name), "rename member"))
        dialog.removeRequested.connect(lambda: self._ask_to_remove(dialog, workspace_id, members[member_id]))
        dialog.disconnectRequested.connect(partial(self._disconnect, dialog, workspace_id))
        dialog.passwordRequested.connect(lambda: self._ask_for_new_password(dialog, workspace_id))
        dialog.open()

    def _disconnect(self, dialog: MemberDialog, workspace_id: str) -> None:
        async def disconnect() -> None:
            ended = await self._team.membership.administration.end_connections(workspace_id, dialog.member.id)
            self.desk.finish(dialog, ended_connections_words(ended, dialog.member.name))

        self.desk.do(dialog, disconnect, "end connections")

    def _ask_to_remove(self, dialog: MemberDialog, workspace_id: str, member: TeamMember) -> None:
        async def remove() -> None:
            await self._team.membership.administration.remove_member(workspace_id, member.id)
            self.desk.finish(dialog, tr("{name} was removed, and can no longer log in.", name=member.name))
            await self._offer_to_remove_invited(workspace_id, member)

        self.desk.ask(
            (tr("Remove {name} from the workspace?", name=member.name), removal_words(member.name), tr("Remove")),
            lambda: self.desk.do_busy(dialog, remove, tr("Removing the member…")),
            parent=dialog,
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
            self.desk.show_text(removed_with_words(len(invited), member.name))

        self.desk.ask(
            (
                tr("Remove the people {name} invited?", name=member.name),
                invited_words(member.name, [each.name for each in invited]),
                tr("Remove them"),
            ),
            lambda: self.desk.tasks.start(self.desk.run(remove()), "team: remove invited"),
        )

    def _ask_for_new_password(self, dialog: MemberDialog, workspace_id: str) -> None:
        async def change() -> None:
            await self._team.membership.change_password(workspace_id)
            self.desk.finish(dialog, tr("This computer has a new password. Add your other computers again."))

        self.desk.ask(
            (tr("Make a new password?"), shown(NEW_LOGIN_TEXT), tr("New password")),
            lambda: self.desk.do_busy(dialog, change, tr("Changing the password…")),
            parent=dialog,
        )

    async def remove_device(self, workspace_id: str, device_id: str) -> None:
        device = next((each for each in await self._team.records.devices(workspace_id) if each.id == device_id), None)
        if device is None:
            return

        name = device.name or tr("A computer")

        async def remove() -> None:
            self.desk.show_text(tr("Taking the computer off the list…"))
            await self._team.membership.administration.remove_device(workspace_id, device_id)
            self.desk.show_text(tr("{name} is off the list.", name=name))

        self.desk.ask(
            (tr("Take {name} off the list?", name=name), shown(REMOVAL_TEXT), tr("Take off")),
            lambda: self.desk.tasks.start(self.desk.run(remove()), "remove device"),
        )

    async def rename(self, workspace_id: str) -> None:
        """Open the dialog that renames the workspace for everybody."""
        workspace = await self.desk.workspace(workspace_id)
        dialog = RenameWorkspaceDialog(self.desk.theme, workspace.name, parent=self.desk.parent())

        async def rename(name: str) -> None:
            await self._team.membership.administration.rename_workspace(workspace_id, name)
            self.desk.finish(dialog, tr("The workspace is called “{name}” now.", name=name))

        dialog.given.connect(lambda name: self.desk.do(dialog, lambda: rename(name), "rename workspace"))
        dialog.open()

    # Leaving, and a password that is missing

    async def leave(self, workspace_id: str) -> None:
        workspace = await self.desk.workspace(workspace_id)
        dialog = LeaveWorkspaceDialog(
            self.desk.theme,
            workspace.name,
            waiting=self._team.status(workspace_id).waiting,
            is_owner=workspace.is_owner,
            parent=self.desk.parent(),
        )

        async def leave(is_for_good: bool) -> None:
            await self._team.membership.leave(workspace_id, for_good=is_for_good)
            self.desk.finish(dialog, tr("You left “{name}”. Its projects are private copies now.", name=workspace.name))

        dialog.leaveRequested.connect(lambda *of: self.desk.do(dialog, lambda: leave(*of), "leave workspace"))
        dialog.open()

    async def join_again(self, workspace_id: str) -> None:
        """Join again after the page has shown which server it is."""
        workspace = await self._team.membership.join_again(workspace_id)
        self.desk.show_text(tr("You are in “{name}” again.", name=workspace.name))

    async def leave_parked(self, workspace_id: str) -> None:
        await self._team.membership.leave_parked(workspace_id)
        self.desk.show_text(tr("You left the workspace. Its projects are private copies now."))

    async def ask_password(self, workspace_id: str) -> None:
        workspace = await self.desk.workspace(workspace_id)
        dialog = TeamPasswordDialog(self.desk.theme, workspace.name, workspace.address, parent=self.desk.parent())

        async def use(password: str) -> None:
            await self._team.membership.enter_password(workspace_id, password)
            if isValid(dialog):
                dialog.accept()
            self._team.sync_now(workspace_id)

        dialog.given.connect(lambda text: self.desk.do(dialog, lambda: use(text), "enter team password"))
        dialog.open()


def _now_ms() -> int:
    return int(datetime.now(tz=UTC).timestamp() * 1000)
