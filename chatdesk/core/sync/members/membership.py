"""Manages membership of workspaces: creating, joining and leaving them, and this person's name and password there.

Everything that reaches the network or the keyring runs in a thread. Each way in can be killed between any two steps and
repeated: a password is kept before the server is told of it, and the profile records a workspace last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.domain.sharing.team_setup import ComputerCode, InvitationView, SetupCheck
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.settings.secrets import SecretSource
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.sync import setup, sharing, team
from chatdesk.core.sync import invitations
from chatdesk.core.sync.address import checked_address
from chatdesk.core.sync.errors import TeamLoginClosed, TeamLoginRefused, TeamNotInvited, TeamPasswordMissing
from chatdesk.core.sync.invitations import SealedCode
from chatdesk.core.sync.members import joining
from chatdesk.core.sync.members.administering import WorkspaceAdministration
from chatdesk.core.sync.members.joining import Joining, check_agreed, check_same, checked_name, connect
from chatdesk.core.sync.members.membership_errors import AlreadyJoined, NotJoined, PassphraseMissing
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.members.server_calls import ServerCalls, recorded_wish
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from chatdesk.core.texts import Text

T = TypeVar("T")
_DAY_MS = 24 * 60 * 60 * 1000
_COMPUTER_CODE_DAYS = 1


class Membership:
    """Creates, joins and leaves workspaces. All methods raise ``TeamError`` where the server refuses,
    ``InvalidInput`` for what was typed, ``StorageError`` for the profile. ``on_changed`` is called with the workspace's
    id once the profile has joined or left it, or reaches it at another address."""

    def __init__(
        self,
        database: Database,
        passwords: TeamPasswords,
        clock: Clock,
        *,
        on_changed: Callable[[str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock
        self._on_changed = on_changed
        self._joining = Joining(passwords, clock)
        self._servers = ServerCalls(database, passwords)
        self.administration = WorkspaceAdministration(
            database, passwords, clock, servers=self._servers, on_changed=on_changed
        )

    async def examine(self, address: ServerAddress, password: str) -> tuple[SetupCheck, ...]:
        """Return the checks of a server for a new workspace, in the order in which they are shown. Does not raise: an
        unreachable server is a failed check."""
        self._passwords.register_secret(password)
        unfinished = await self._database.read(lambda conn: setup.unfinished_setup(conn, address))
        return await asyncio.to_thread(joining.examine, address, password, is_resumed=unfinished is not None)

    async def create_workspace(self, name: str, my_name: str, address: ServerAddress, *, password: str) -> Workspace:
        """Set up a workspace in an empty database with the login that owns it, which is used once and not kept; this
        person becomes its owner. Repeated after a kill, it goes on where it was."""
        names = checked_name(name), checked_name(my_name)
        self._passwords.register_secret(password)
        checked_address(address)
        self._check_writable()
        unfinished = await self._database.read(lambda conn: setup.unfinished_setup(conn, address))
        if unfinished is None:
            unfinished = joining.new_setup()
            chosen = unfinished
            await self._database.write(lambda conn: setup.record_setup(conn, address, chosen))
        return await self._record_joined(partial(self._joining.create, unfinished, names, address, password=password))

    def read_invitation(self, text: str) -> InvitationView:
        """Return the content of a pasted code, link or file; nothing is sent. Raises ``InvitationUnusable``. Cheap."""
        return invitations.view_of(invitations.read_code(text), now_ms=self._clock.now_ms())

    async def join(
        self, text: str, my_name: str, *, passphrase: str | None = None, allows_unencrypted: bool = False
    ) -> Workspace:
        """Join by an invitation, or by the code for a further computer (``passphrase``; ``my_name`` is ignored then).
        May be repeated after a kill. ``allows_unencrypted``: the person agreed to a server without TLS. A workspace
        that no longer admits this profile is joined again, and what waits here is sent then."""
        code = invitations.read_code(text)
        for each in await self._database.read(team.workspaces):
            if each.id == code.workspace_id and await asyncio.to_thread(self._is_let_in, each):
                raise AlreadyJoined
        if isinstance(code, SealedCode):
            if not passphrase:
                raise PassphraseMissing
            login = await asyncio.to_thread(invitations.open_computer_code, code, passphrase)
            check_agreed(login[0], allows_unencrypted=allows_unencrypted)
            return await self._record_joined(partial(self._joining.as_computer, code, login), code.workspace_id)
        check_agreed(code.address, allows_unencrypted=allows_unencrypted)
        return await self._record_joined(
            partial(self._joining.as_member, code, checked_name(my_name)), code.workspace_id
        )

    async def sign_in(self, address: ServerAddress, *, password: str) -> Workspace:
        """Join with the existing login of a member, for a workspace that was set up by hand."""
        self._passwords.register_secret(password)
        return await self._record_joined(partial(self._joining.as_login, checked_address(address), password))

    async def upgrade(self, workspace_id: str, *, user: str, password: str) -> None:
        """Upgrade the team's database to this ChatDesk's version, with the login that set it up, which is not kept.
        Older versions of other members continue, or say what they need."""
        workspace = await self._servers.find(workspace_id)
        self._passwords.register_secret(password)
        address = checked_address(replace(workspace.address, user=user))
        await asyncio.to_thread(joining.upgrade, address, password)
        await self._on_changed(workspace.id)

    async def move(self, workspace_id: str, address: ServerAddress) -> None:
        """Change the address of the server; ``user`` stays. Raises ``OtherWorkspace`` if another workspace is there."""
        workspace = await self._servers.find(workspace_id)
        wanted = replace(checked_address(address), user=workspace.address.user)

        def look() -> None:
            joining.check_private(wanted)
            with self._passwords.open_with(workspace.id, wanted, partial(connect, wanted), is_agreed=True) as server:
                check_same(server, workspace.id)
            self._passwords.move(workspace.id, wanted)

        await asyncio.to_thread(look)
        await self._database.write(lambda conn: team.set_workspace_address(conn, workspace.id, wanted))
        await self._on_changed(workspace.id)

    async def join_again(self, workspace_id: str) -> Workspace:
        """Join a parked workspace again, after the person has agreed to its server. Its projects continue where
        they stopped. The password is the one stored on this computer for the same server; without it, an
        invitation, a code of another computer or a sign-in is needed."""
        workspace = await self._parked(workspace_id)
        address = checked_address(workspace.address)

        def get() -> Workspace:
            joining.check_private(address)
            with self._passwords.open_with(workspace.id, address, partial(connect, address)) as server:
                standing = check_same(server, workspace.id)
            return replace(workspace, address=address, member_name=standing.member_name)

        return await self._record_joined(get)

    async def leave_parked(self, workspace_id: str) -> None:
        """Leave a parked workspace; its projects stay as private copies. Needs no server."""
        workspace, now = await self._parked(workspace_id), self._clock.now_ms()
        await self._database.write(lambda conn: team.leave_workspace(conn, workspace.id, now))
        await self._on_changed(workspace.id)

    async def _parked(self, workspace_id: str) -> Workspace:
        for each in await self._database.read(team.parked):
            if each.id == workspace_id:
                return each
        raise NotJoined

    async def leave(self, workspace_id: str, *, for_good: bool = False) -> None:
        """Stop syncing with a workspace; its projects stay as private copies. The person remains a member, also on
        other computers, and can return by a code of one of these. ``for_good``: end the membership first, which needs
        the server; only a new invitation leads back."""
        workspace = await self._servers.find(workspace_id)
        if for_good:
            async with recorded_wish(self._database, lambda conn: sharing.record_leaving(conn, workspace.id)):
                await self._servers.run(workspace, lambda server: server.remove_member(workspace.member_id))
        now = self._clock.now_ms()
        await self._database.write(lambda conn: team.leave_workspace(conn, workspace.id, now))
        try:
            await asyncio.to_thread(self._passwords.forget, workspace.id)
        finally:  # a file of keys that is locked: the workspace was left all the same
            await self._on_changed(workspace.id)

    async def add_computer(self, workspace_id: str) -> ComputerCode:
        """Return a code for a further computer of this person. Needs no server."""
        workspace = await self._servers.find(workspace_id)
        password = await asyncio.to_thread(self._passwords.find, workspace.id, workspace.address)
        if not password.value:
            raise NotPossible(Text("The password of this workspace is not known here."), next_step=password.problem)
        passphrase = invitations.new_passphrase()
        self._passwords.register_secret(passphrase)
        expires_at = self._clock.now_ms() + workspace.clock_offset_ms + _COMPUTER_CODE_DAYS * _DAY_MS
        code = await asyncio.to_thread(
            invitations.write_computer_code,
            (workspace.address, password.value),
            passphrase,
            workspace=(workspace.id, workspace.name),
            expires_at=expires_at,
        )
        text = invitations.file_text_of(code, workspace_name=workspace.name, expires_at=expires_at)
        return ComputerCode(code, invitations.link_of(code), text, passphrase, expires_at)

    async def rename_me(self, workspace_id: str, name: str) -> None:
        """Change the name that other members see."""
        workspace = await self._servers.find(workspace_id)
        wanted = checked_name(name)
        await self._servers.run(workspace, lambda server: server.rename(wanted))
        await self._on_changed(workspace.id)

    async def change_password(self, workspace_id: str) -> None:
        """Set a new random password. Other computers of this person are disconnected at once and have to be added
        again."""
        workspace = await self._servers.find(workspace_id)

        def change() -> None:
            password = self._passwords.find(workspace.id, workspace.address)
            if password.source is SecretSource.ENVIRONMENT:
                raise NotPossible(
                    Text("The password comes from an environment variable, so ChatDesk cannot change it."),
                    next_step=Text("Remove the variable, type the password once, and change it then."),
                )
            made = self._passwords.make_random()
            with self._servers.connect(workspace) as server:
                self._passwords.keep_next(workspace.id, made, workspace.address)
                server.change_password(verifier_of(made.value))
            self._passwords.promote(workspace.id, workspace.address)
            with connect(workspace.address, made.value) as server:
                server.end_other_connections()

        await asyncio.to_thread(change)
        await self._on_changed(workspace.id)

    async def enter_password(self, workspace_id: str, password: str) -> None:
        """Use a password that the person typed, once the server accepts it."""
        workspace = await self._servers.find(workspace_id)

        def enter() -> None:
            self._passwords.register_secret(password)
            with connect(workspace.address, password) as server:
                check_same(server, workspace.id)
            self._passwords.hold(workspace.id, password, workspace.address)

        await asyncio.to_thread(enter)
        await self._on_changed(workspace.id)

    async def _record_joined(self, get: Callable[[], Workspace], may_be: str = "") -> Workspace:
        """Run ``get`` in a thread and record the workspace that it returns. ``may_be``: the id of a workspace that may
        be joined already."""
        self._check_writable()
        workspace = await asyncio.to_thread(get)
        joined = {each.id for each in await self._database.read(team.workspaces)}
        if workspace.id in joined and workspace.id != may_be:
            raise AlreadyJoined

        def remember(conn: Connection) -> None:
            team.add_workspace(conn, workspace)
            setup.forget_setup(conn)
            # In the same transaction, so that no later write uses the former device.
            self._database.become(own_device(conn))

        try:
            await self._database.write(remember)
        except ChatDeskError:
            self._database.become(await self._database.read(own_device))
            raise
        await self._on_changed(workspace.id)
        return workspace

    def _check_writable(self) -> None:
        if self._database.is_read_only:
            raise self._database.refusal

    def _is_let_in(self, workspace: Workspace) -> bool:
        """Return false if the login was closed or its password has changed. Called in a thread."""
        try:
            with self._servers.connect(workspace) as server:
                check_same(server, workspace.id)
        except (TeamLoginClosed, TeamLoginRefused, TeamNotInvited, TeamPasswordMissing):
            return False
        return True
