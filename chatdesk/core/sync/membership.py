"""Being in a team: making a workspace, inviting, joining, leaving, and what owners and administrators do.

Everything that reaches the network or the keyring runs in a thread. Each way in can be killed between any two steps and
taken again: the server is told first what it must know, and the profile remembers a workspace last.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatdesk.core.domain.team import ServerAddress, TeamRole, Workspace
from chatdesk.core.domain.team_setup import ComputerCode, Invitation, InvitationView, SetupCheck


class Membership:
    """One of a profile. All methods raise ``TeamError`` where the server does not do it, ``InvalidInput`` for what was
    typed, ``StorageError`` for the profile; each with words."""

    async def examine(self, address: ServerAddress, password: str) -> tuple[SetupCheck, ...]:
        """What a workspace needs of this server, check by check, in the order in which they are shown. Does not raise:
        what could not be reached is a failed check."""
        raise NotImplementedError

    async def create_workspace(self, name: str, my_name: str, address: ServerAddress, *, password: str) -> Workspace:
        """Set up an empty database with an owner's login, which is used once and not kept; this person is its owner."""
        raise NotImplementedError

    async def invite(
        self, workspace_id: str, name: str, *, roles: Mapping[str, TeamRole], valid_days: int = 7
    ) -> Invitation:
        """``roles``: by project id, shared ones that this person manages; may be empty."""
        raise NotImplementedError

    def read_invitation(self, text: str) -> InvitationView:
        """What a pasted code, link or file says; nothing is sent. Raises ``InvitationUnusable``. Cheap."""
        raise NotImplementedError

    async def join(
        self, text: str, my_name: str, *, passphrase: str | None = None, allows_unencrypted: bool = False
    ) -> Workspace:
        """Take an invitation, or the code for a further computer (``passphrase``; ``my_name`` does not matter then).
        May be repeated after a kill. ``allows_unencrypted``: the person agreed to a server without TLS."""
        raise NotImplementedError

    async def leave(self, workspace_id: str) -> None:
        """This profile syncs with it no more; projects stay as private copies. The person stays a member, and can come
        back by a code of another computer or a new invitation."""
        raise NotImplementedError

    async def add_computer(self, workspace_id: str) -> ComputerCode:
        """A code for a further computer of this person. Needs no server."""
        raise NotImplementedError

    async def remove_member(self, workspace_id: str, member_id: str) -> None:
        """At once: their login is closed, their connections end, and channels change."""
        raise NotImplementedError

    async def remove_device(self, workspace_id: str, device_id: str) -> None:
        """Take a computer off the list. It comes back when it connects; changing the password keeps it out."""
        raise NotImplementedError

    async def set_role(self, project_id: str, member_id: str, role: TeamRole | None) -> None:
        """None takes the project from the member."""
        raise NotImplementedError

    async def rename_me(self, workspace_id: str, name: str) -> None:
        """The name that the others see."""
        raise NotImplementedError

    async def change_password(self, workspace_id: str) -> None:
        """A new random password; other computers of this person have to be added anew."""
        raise NotImplementedError

    async def enter_password(self, workspace_id: str, password: str) -> None:
        """Use a password that the person typed, once the server takes it."""
        raise NotImplementedError
