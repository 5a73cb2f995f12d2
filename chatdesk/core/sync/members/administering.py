"""Administers a workspace: invitations, removal of people and computers, roles, permissions and limits.

Everything that reaches the network runs in a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import TeamMember, TeamRole, WorkspacePolicy
from chatdesk.core.domain.sharing.team_setup import Invitation
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import team
from chatdesk.core.sync import invitations
from chatdesk.core.sync.invitations import MemberCode
from chatdesk.core.sync.members.joining import checked_name
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.members.server_calls import ServerCalls
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from chatdesk.core.texts import Text

LONGEST_DAYS = 60
_DAY_MS = 24 * 60 * 60 * 1000


def check_days(days: int) -> None:
    """Raise ``NotPossible`` for a time for which no invitation is good."""
    if not 1 <= days <= LONGEST_DAYS:
        raise NotPossible(
            Text("An invitation is good for 1 to {longest_days} days.", longest_days=str(LONGEST_DAYS)),
            next_step=Text("Choose fewer days."),
        )


class WorkspaceAdministration:
    """The use cases of a workspace's owners and administrators; ``Membership.administration`` exposes it. All methods
    raise ``TeamError`` if the server refuses, ``InvalidInput`` for invalid text. ``on_changed`` is called with the
    workspace's id after a change."""

    def __init__(
        self,
        database: Database,
        passwords: TeamPasswords,
        clock: Clock,
        *,
        servers: ServerCalls,
        on_changed: Callable[[str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock
        self._servers = servers
        self._on_changed = on_changed

    async def invite(
        self, workspace_id: str, name: str, *, roles: Mapping[str, TeamRole], valid_days: int = 7
    ) -> Invitation:
        """Create an invitation. ``roles``: by project id, shared projects that this person manages; may be empty."""
        workspace = await self._servers.find(workspace_id)
        member_name = checked_name(name)
        check_days(valid_days)
        shown = await self._database.read(
            lambda conn: tuple((projects.get_project(conn, each).name, role) for each, role in roles.items())
        )
        expires_at = self._clock.now_ms() + workspace.clock_offset_ms + valid_days * _DAY_MS
        secret = invitations.new_secret()
        self._passwords.register_secret(secret)
        verifier = verifier_of(secret)
        invited = await self._servers.run(
            workspace, lambda server: server.invite(verifier, member_name, roles=roles, expires_at=expires_at)
        )
        code = invitations.write_member_code(
            MemberCode(
                replace(workspace.address, user=invited.login),
                secret,
                workspace.id,
                workspace.name,
                expires_at,
                member_name=member_name,
                invited_by=invited.invited_by,
                projects=shown,
            )
        )
        await self._on_changed(workspace.id)
        return Invitation(
            code,
            invitations.link_of(code),
            invitations.file_text_of(code, workspace_name=workspace.name, expires_at=expires_at),
            expires_at,
            invited.member_id,
            member_name,
        )

    async def members(self, workspace_id: str) -> tuple[TeamMember, ...]:
        """Return the members as the server lists them now, by name; removed ones last."""
        workspace = await self._servers.find(workspace_id)
        return await self._servers.run(workspace, lambda server: server.members())

    async def remove_member(self, workspace_id: str, member_id: str) -> None:
        """Remove a member: their login is closed, their connections end, and channels change, all at once."""
        workspace = await self._servers.find(workspace_id)
        if member_id == workspace.member_id:
            raise NotPossible(Text("You cannot remove yourself."), next_step=Text("Leave the workspace instead."))
        await self._servers.run(workspace, lambda server: server.remove_member(member_id))
        await self._on_changed(workspace.id)

    async def end_connections(self, workspace_id: str, member_id: str) -> int:
        """End the connections of a member whose transaction blocks others, as an owner; their ChatDesk reconnects by
        itself. Returns how many were ended."""
        workspace = await self._servers.find(workspace_id)
        return await self._servers.run(workspace, lambda server: server.end_connections(member_id))

    async def policy(self, workspace_id: str) -> WorkspacePolicy:
        """Return the workspace's permissions and limits."""
        workspace = await self._servers.find(workspace_id)
        return await self._servers.run(workspace, lambda server: server.policy())

    async def set_policy(self, workspace_id: str, changed: Mapping[str, str | int]) -> None:
        """Change fields of ``WorkspacePolicy``, by name, as an owner; the others stay. Raises ``TeamNotTaken`` for an
        invalid value."""
        workspace = await self._servers.find(workspace_id)
        await self._servers.run(workspace, lambda server: server.set_policy(**changed))

    async def remove_device(self, workspace_id: str, device_id: str) -> None:
        """Remove a retired computer from the list. A computer that has its password can still connect: after a loss,
        change the password, too."""
        workspace = await self._servers.find(workspace_id)
        await self._servers.run(workspace, lambda server: server.remove_device(device_id))
        await self._on_changed(workspace.id)

    async def set_role(self, project_id: str, member_id: str, role: TeamRole | None) -> None:
        """Set a member's role in a shared project; None removes the member from the project."""
        shared = await self._database.read(lambda conn: team.shared_project(conn, project_id))
        if shared is None or shared.ended is not None:
            raise NotPossible(Text("This project is not shared."), next_step=Text("Share it first."))
        workspace = await self._servers.find(shared.workspace_id)
        await self._servers.run(workspace, lambda server: server.set_role(project_id, member_id, role))
        await self._on_changed(workspace.id)

    async def set_workspace_owner(self, workspace_id: str, member_id: str, is_owner: bool) -> None:
        """Make a member an owner of the workspace, or no longer one. Owners invite and remove members; at least one
        owner remains."""
        workspace = await self._servers.find(workspace_id)
        await self._servers.run(workspace, lambda server: server.set_workspace_owner(member_id, is_owner))
        await self._on_changed(workspace.id)

    async def rename_workspace(self, workspace_id: str, name: str) -> None:
        """Rename the workspace for everybody, as an owner."""
        workspace = await self._servers.find(workspace_id)
        wanted = checked_name(name)
        await self._servers.run(workspace, lambda server: server.rename_workspace(wanted))
        await self._on_changed(workspace.id)
