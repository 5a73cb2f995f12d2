"""Implements the ways into a workspace: creating one, accepting an invitation, adding a further computer.

A server gives the same answer to a wrong password, an expired one and an unknown login; the profile's own data tells
them apart.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import MemberStatus, ServerAddress, Workspace
from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.ids import new_id
from chatdesk.core.settings.secrets import Secret, SecretSource
from chatdesk.core.storage.sync.setup import UnfinishedSetup
from chatdesk.core.sync import invitations
from chatdesk.core.sync.address import checked_address, is_private
from chatdesk.core.sync.errors import OtherWorkspace, TeamInvitationEnded, TeamLoginRefused
from chatdesk.core.sync.invitations import MemberCode, SealedCode
from chatdesk.core.sync.members.membership_errors import (
    CodeOutOfDate,
    InvitationExpired,
    InvitationUsed,
    NameUnusable,
    UnencryptedAfar,
    UnencryptedNotAgreed,
)
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.members.team_passwords import TeamPasswords, check_password
from chatdesk.core.sync.team_store import setup, setup_checks
from chatdesk.core.sync.team_store.administration import Administration, Standing
from chatdesk.core.texts import Sentences, Text


class Joining:
    """Creates and joins workspaces. Every method blocks on the network and the keyring, and returns the workspace that
    this profile is in afterwards."""

    def __init__(self, passwords: TeamPasswords, clock: Clock) -> None:
        self._passwords = passwords
        self._clock = clock

    def create(
        self, unfinished: UnfinishedSetup, names: tuple[str, str], address: ServerAddress, *, password: str
    ) -> Workspace:
        check_private(address)
        own = replace(address, user=unfinished.login)
        kept = self._passwords.find(unfinished.workspace_id, own, is_agreed=True)
        if kept.value:
            try:
                return self._joined(own, kept.value, unfinished.workspace_id)  # an attempt before this one got so far
            except TeamLoginRefused:
                pass
        made = kept if kept.value else self._passwords.make()
        check_password(made.value)
        self._passwords.keep(unfinished.workspace_id, made, own)
        setup.set_up(
            address,
            password,
            workspace_id=unfinished.workspace_id,
            name=names[0],
            my_name=names[1],
            login=unfinished.login,
            verifier=verifier_of(made.value),
        )
        return self._joined(own, made.value, unfinished.workspace_id)

    def as_member(self, code: MemberCode, my_name: str) -> Workspace:
        self._passwords.register_secret(code.secret)
        check_private(code.address)
        try:
            server = connect(code.address, code.secret)
        except TeamLoginRefused:
            return self._join_again(code, my_name)
        with server:
            password = self._passwords.make()
            self._passwords.keep(code.workspace_id, password, code.address)
            server.accept(code.workspace_id, my_name, verifier_of(password.value))
        # Whoever else holds the invitation may have come in with it before.
        with connect(code.address, password.value) as server:
            server.end_other_connections()
        return self._joined(code.address, password.value, code.workspace_id)

    def _join_again(self, code: MemberCode, my_name: str) -> Workspace:
        """Join with a secret that the server rejects: this profile may have used it before it was killed, and kept then
        that its password is for that server. One from the environment may be shared with somebody else who used it,
        whose name is another. Raises ``InvitationExpired`` or ``InvitationUsed`` otherwise."""
        kept = self._passwords.find(code.workspace_id, code.address)
        if kept.value:
            try:
                workspace = self._joined(code.address, kept.value, code.workspace_id)
            except TeamLoginRefused:
                pass
            else:
                if kept.source is not SecretSource.ENVIRONMENT or workspace.member_name == checked_name(my_name):
                    return workspace
        raise InvitationExpired if code.expires_at <= self._clock.now_ms() else InvitationUsed

    def as_computer(self, code: SealedCode, login: tuple[ServerAddress, str]) -> Workspace:
        address, password = login
        self._passwords.register_secret(password)
        check_private(address)
        try:
            workspace = self._joined(address, password, code.workspace_id)
        except TeamLoginRefused:
            raise CodeOutOfDate from None
        if code.expires_at <= self._clock.now_ms() + workspace.clock_offset_ms:  # the server's clock
            raise InvitationExpired(
                Text("The code has expired."), next_step=Text("Make a new one on your other computer.")
            )
        self._passwords.keep(code.workspace_id, Secret(password), address)
        return workspace

    def as_login(self, address: ServerAddress, password: str) -> Workspace:
        check_private(address)
        with connect(address, password) as server:
            workspace_id = server.standing().workspace_id
        workspace = self._joined(address, password, workspace_id)
        if self._passwords.kept(workspace_id, address).value != password:  # an attempt before this one may have it
            self._passwords.keep(workspace_id, Secret(password), address)
        return workspace

    def _joined(self, address: ServerAddress, password: str, workspace_id: str) -> Workspace:
        with connect(address, password) as server:
            standing = check_same(server, workspace_id)
        if standing.status is not MemberStatus.ACTIVE:
            raise TeamInvitationEnded
        now = self._clock.now_ms()
        return Workspace(
            standing.workspace_id,
            standing.workspace_name,
            address,
            standing.member_id,
            standing.is_owner,
            joined_at=now,
            clock_offset_ms=standing.server_time_ms - now,
            member_name=standing.member_name,
        )


def checked_name(name: str) -> str:
    """Return the name as one line without invisible characters. Raises ``NameUnusable``."""
    shown = invitations.shown_name(name)
    if not shown or len(" ".join(name.split())) > invitations.LONGEST_NAME:
        raise NameUnusable
    return shown


def new_setup() -> UnfinishedSetup:
    """Return a new workspace id and login. Roles belong to the whole server, so the login begins with a part of the
    id."""
    workspace_id = new_id()
    return UnfinishedSetup(workspace_id, f"cd_{workspace_id[-6:]}_{secrets.token_hex(5)}")


def examine(address: ServerAddress, password: str, *, is_resumed: bool = False) -> tuple[SetupCheck, ...]:
    """Return the checks of a server for a new workspace. ``is_resumed``: this profile has begun to set up a workspace
    there, so the database may contain it already."""
    try:
        check_private(checked_address(address))
    except ChatDeskError as error:
        return (SetupCheck(Text("Address"), CheckState.FAILED, Sentences.of(error.what, error.next_step)),)
    checks = setup_checks.examine(address, password)
    if not is_resumed:
        return checks
    return tuple(
        SetupCheck(
            each.name,
            CheckState.WARNING,
            Sentences.of(
                each.sentence, Text("If you began to set up a workspace here, setting it up again finishes that.")
            ),
        )
        if each.name == "Empty database" and each.state is CheckState.FAILED
        else each
        for each in checks
    )


def upgrade(address: ServerAddress, password: str) -> None:
    setup.upgrade(address, password)


def connect(address: ServerAddress, password: str) -> Administration:
    return Administration.connect(address, password)


def check_same(server: Administration, workspace_id: str) -> Standing:
    standing = server.standing()
    if standing.workspace_id != workspace_id:
        raise OtherWorkspace
    return standing


def check_agreed(address: ServerAddress, *, allows_unencrypted: bool) -> None:
    if address.tls == "disable" and not allows_unencrypted:
        raise UnencryptedNotAgreed


def check_private(address: ServerAddress) -> None:
    """Refuse an unencrypted server outside of private networks. Blocks on a DNS lookup. Raises ``UnencryptedAfar``."""
    if address.tls == "disable" and not is_private(address.host, address.port):
        raise UnencryptedAfar
