"""Making, joining and leaving workspaces, against a real server."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import MemberStatus, ServerAddress, TeamRole, Workspace
from chatdesk.core.domain.sharing.team_setup import CheckState, CodeKind, Invitation
from chatdesk.core.errors import ChatDeskError, InvalidId, NotPossible, StorageError
from chatdesk.core.ids import new_id
from chatdesk.core.paths import migrations_dir
from chatdesk.core.settings.key_file import KeyFileUnusable
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.sync import parked_workspaces, sharing
from chatdesk.core.storage.sync import team as sync_team
from chatdesk.core.sync import errors, invitations
from chatdesk.core.sync.invitations import InvitationUnusable, WrongCodePassphrase
from chatdesk.core.sync.members import joining, membership, membership_errors, team_passwords
from chatdesk.core.sync.members.membership import Membership
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.members.team_passwords import VARIABLE, PasswordNotKept, PasswordUnusable, TeamPasswords
from chatdesk.core.sync.team_store import setup
from chatdesk.core.sync.team_store.administration import Administration
from tests.helpers.postgres import TeamDatabase
from tests.helpers.waiting import PATIENCE_S

DAY_MS = 86_400_000


class Killed(BaseException):
    """The process ended here."""


class Keyring(dict[str, str]):
    """A keyring in memory."""

    def get_password(self, _service: str, name: str) -> str | None:
        return self.get(name)

    def set_password(self, _service: str, name: str, value: str) -> None:
        self[name] = value

    def delete_password(self, _service: str, name: str) -> None:
        del self[name]


class Clock(Clock):
    """The real one, moved."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@dataclass
class Profile:
    """One person's ChatDesk on one computer."""

    database: Database
    membership: Membership
    keyring: Keyring
    passwords: TeamPasswords
    clock: Clock
    environ: dict[str, str]
    place: list[KeyPlace]
    logged: list[str]
    changed: list[str] = field(default_factory=list)

    async def workspaces(self) -> list[Workspace]:
        return await self.database.read(sync_team.workspaces)

    def password(self, workspace: Workspace) -> str:
        return self.passwords.kept(workspace.id, workspace.address).value

    async def shared(self, workspace: Workspace, name: str = "Notes") -> str:
        """A project that this person shares."""
        project = await ProjectRepository(self.database).create(name=name)
        with Administration.connect(workspace.address, self.password(workspace)) as server:
            server.row("SELECT cd.create_project(%s)", (project.id,))
        origin = self.database.origin
        await self.database.write(
            lambda conn: sharing.start(conn, origin, project.id, workspace.id, TeamRole.OWNER, "cd_x")
        )
        return project.id


Make = Callable[[str], Any]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Profile] = []

    async def one(name: str) -> Profile:
        folder = tmp_path / name
        folder.mkdir()
        clock, keyring, environ, place, logged = Clock(), Keyring(), {}, [KeyPlace.KEYRING], []  # type: ignore[var-annotated]
        database = ProfileDatabase(
            folder / "chatdesk.db", clock=clock, backup_dir=folder / "backups", migrations_dir=migrations_dir()
        )
        await database.open()
        secrets = SecretStore(register=logged.append, environ=environ, load_backend=lambda: keyring)
        changed: list[str] = []

        async def note(workspace_id: str) -> None:
            changed.append(workspace_id)

        passwords = TeamPasswords(secrets, lambda: place[0])
        entry = Membership(database, passwords, clock, on_changed=note)
        profile = Profile(database, entry, keyring, passwords, clock, environ, place, logged, changed)
        made.append(profile)
        return profile

    yield one
    for profile in made:
        await profile.database.close()


async def _created(profile: Profile, team: TeamDatabase) -> Workspace:
    return await profile.membership.create_workspace("Research", "Ana", team.address, password=team.password)


@pytest.fixture
def team(workspace: TeamDatabase) -> TeamDatabase:
    """A workspace that somebody owns already."""
    return workspace


async def _owning(profile: Profile, team: TeamDatabase) -> Workspace:
    """As if this profile had made it."""
    with Administration.connect(team.address, team.password) as server:
        standing = server.standing()
        server.rename("Ana")
    workspace = Workspace(
        team.workspace_id, "Research", team.address, standing.member_id, is_owner=True, joined_at=profile.clock.now_ms()
    )
    profile.passwords.hold(workspace.id, team.password, workspace.address)
    await profile.database.write(lambda conn: sync_team.add_workspace(conn, workspace))
    return workspace


async def _invited(profile: Profile, workspace: Workspace, name: str = "Ben", **roles: TeamRole) -> Invitation:
    return await profile.membership.administration.invite(workspace.id, name, roles=roles)


async def _joined(profile: Profile, invitation: Invitation, name: str = "Ben") -> Workspace:
    return await profile.membership.join(invitation.code, name, allows_unencrypted=True)


def _is_alive(workspace: Workspace, password: str) -> bool:
    try:
        with Administration.connect(workspace.address, password) as server:
            return server.standing().status is MemberStatus.ACTIVE
    except errors.TeamError:
        return False


async def test_a_workspace_is_made_and_its_set_up_password_kept_nowhere(
    make: Make, empty_database: TeamDatabase
) -> None:
    ana = await make("ana")
    workspace = await _created(ana, empty_database)
    assert (workspace.name, workspace.is_owner) == ("Research", True)
    assert workspace.address.user.startswith("cd_")
    assert workspace.address.user != empty_database.account
    assert await ana.workspaces() == [workspace]
    assert ana.changed == [workspace.id]
    assert [each.partition("/")[2] for each in ana.keyring] == [f"team:{workspace.id}"]
    assert not any(empty_database.password in each for each in ana.keyring.values())
    assert {empty_database.password, ana.password(workspace)} <= set(ana.logged)  # redacted from logs from then on
    assert abs(workspace.clock_offset_ms) < 60_000
    assert _is_alive(workspace, ana.password(workspace))


async def test_a_person_is_invited_and_joins_with_a_password_of_their_own(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    project_id = await ana.shared(workspace)
    invitation = await _invited(ana, workspace, **{project_id: TeamRole.EDITOR})
    view = ben.membership.read_invitation(invitation.file_text)
    assert view.kind is CodeKind.MEMBER
    assert (view.workspace_name, view.invited_by, view.member_name) == ("Research", "Ana", "Ben")
    assert view.projects == (("Notes", TeamRole.EDITOR),)
    assert abs(view.expires_at - ben.clock.now_ms() - 7 * DAY_MS) < 60_000

    joined = await _joined(ben, invitation, "Benjamin")
    assert joined.id == workspace.id
    assert joined.member_id == invitation.member_id
    assert not joined.is_owner
    assert ben.changed == [workspace.id]
    with Administration.connect(joined.address, ben.password(joined)) as server:
        assert server.standing().member_name == "Benjamin"
        row = server.row("SELECT role FROM cd.project_member WHERE member_id = cd.me()")
        assert row == ("editor",)
    with team.as_superuser() as superuser:
        kept = superuser.execute(
            "SELECT rolpassword, rolvaliduntil::text FROM pg_authid WHERE rolname = %s", [joined.address.user]
        ).fetchone()
    assert kept is not None
    assert kept[0].startswith("SCRAM-SHA-256$4096:")
    assert kept[1] == "infinity"


async def test_an_invitation_used_twice_says_so(make: Make, team: TeamDatabase) -> None:
    ana, ben, eve = await make("ana"), await make("ben"), await make("eve")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    await _joined(ben, invitation)
    with pytest.raises(membership_errors.InvitationUsed, match="used already"):
        await _joined(eve, invitation)
    assert await eve.workspaces() == []
    assert not eve.keyring
    with pytest.raises(membership_errors.AlreadyJoined):
        await _joined(ben, invitation)


@pytest.mark.parametrize("has_named", [False, True], ids=["", "server-named"])
@pytest.mark.parametrize("name", ["Ben", "Eve", "ben", "Ben B"])
async def test_a_used_invitation_lets_nobody_in_as_whoever_used_it(
    make: Make, team: TeamDatabase, name: str, has_named: bool
) -> None:
    """All know one password of the environment; only who used the invitation, or says so, is let in again."""
    ana, ben, eve = await make("ana"), await make("ben"), await make("eve")
    invitation = await _invited(ana, await _owning(ana, team))
    ben.environ[VARIABLE] = eve.environ[VARIABLE] = "a-password-of-the-environment"
    server = team_passwords.server_named(invitations.read_code(invitation.code).address)  # type: ignore[union-attr]
    if has_named:
        eve.environ[team_passwords.SERVER_VARIABLE] = server
    joined = await _joined(ben, invitation)
    if has_named and name == "Ben":
        assert (await _joined(eve, invitation, name)).member_name == "Ben"
    else:
        with pytest.raises(membership_errors.InvitationUsed):
            await _joined(eve, invitation, name)
        assert await eve.workspaces() == []
    await ben.database.write(lambda conn: sync_team.leave_workspace(conn, joined.id, 1))  # as killed before it was kept
    assert (await _joined(ben, invitation)).member_name == "Ben"


async def test_who_has_not_accepted_or_is_gone_is_said_to_be(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    project = await ana.shared(workspace)
    change = ana.membership.administration
    invitation = await _invited(ana, workspace)
    nobody = new_id()
    for is_owner in (True, False):
        with pytest.raises(errors.TeamMemberInvited, match="not accepted"):
            await change.set_workspace_owner(workspace.id, invitation.member_id, is_owner)
        with pytest.raises(errors.TeamMemberGone):
            await change.set_workspace_owner(workspace.id, nobody, is_owner)
    await change.set_role(project, invitation.member_id, TeamRole.EDITOR)  # they get it when they accept
    await _joined(ben, invitation)
    await change.remove_member(workspace.id, invitation.member_id)
    with pytest.raises(errors.TeamMemberGone):
        await change.set_workspace_owner(workspace.id, invitation.member_id, True)
    with pytest.raises(errors.TeamMemberGone):
        await change.set_role(project, invitation.member_id, TeamRole.EDITOR)
    with pytest.raises(errors.TeamMemberGone):
        await change.remove_member(workspace.id, nobody)


async def test_whoever_came_in_with_a_stolen_invitation_is_out_once_it_is_used(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    code = invitations.read_code(invitation.code)
    assert isinstance(code, invitations.MemberCode)
    waiting, hasty = (Administration.connect(code.address, code.secret) for _ in range(2))
    try:
        accept = Administration.accept

        def then_the_thief(server: Administration, *values: str) -> str:
            done = accept(server, *values)
            with pytest.raises(errors.TeamUnreachable):
                accept(hasty, workspace.id, "Thief", verifier_of("a-password-of-theirs"))
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Administration, "accept", then_the_thief)
            joined = await _joined(ben, invitation)
        for thief in (waiting, hasty):
            with pytest.raises(errors.TeamError):
                thief.standing()
    finally:
        waiting.close()
        hasty.close()
    assert _is_alive(joined, ben.password(joined))


async def test_a_change_of_the_password_ends_what_a_lost_computer_has_open(
    make: Make, empty_database: TeamDatabase
) -> None:
    ana = await make("ana")
    workspace = await _created(ana, empty_database)
    lost = Administration.connect(workspace.address, ana.password(workspace))
    try:
        await ana.membership.change_password(workspace.id)
        with pytest.raises(errors.TeamError):
            lost.standing()
    finally:
        lost.close()


async def test_an_expired_invitation_says_so(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    login = ana.membership.read_invitation(invitation.code).address
    assert login is not None
    with team.as_superuser() as superuser:
        superuser.execute(f"ALTER ROLE {login.user} VALID UNTIL '2020-01-01'".encode())
    ben.clock.ahead_ms = 8 * DAY_MS
    assert ben.membership.read_invitation(invitation.code).is_expired
    with pytest.raises(membership_errors.InvitationExpired, match="has expired"):
        await _joined(ben, invitation)


async def test_a_clock_that_is_weeks_off_does_not_keep_anybody_out(make: Make, empty_database: TeamDatabase) -> None:
    """What the server takes is good; only the sentence for a refusal looks at this computer's clock."""
    ana, ben = await make("ana"), await make("ben")
    ana.clock.ahead_ms = -14 * DAY_MS
    workspace = await _created(ana, empty_database)
    assert abs(workspace.clock_offset_ms - 14 * DAY_MS) < 60_000
    invitation = await _invited(ana, workspace)
    ben.clock.ahead_ms = 30 * DAY_MS
    assert (await _joined(ben, invitation)).id == workspace.id


async def test_removal_ends_open_connections_at_once(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    project_id = await ana.shared(workspace)
    joined = await _joined(ben, await _invited(ana, workspace, **{project_id: TeamRole.EDITOR}))
    with Administration.connect(workspace.address, ana.password(workspace)) as server:
        before = server.row("SELECT channel FROM cd.project WHERE id = %s", (project_id,))
    open_one = Administration.connect(joined.address, ben.password(joined))
    try:
        await ana.membership.administration.remove_member(workspace.id, joined.member_id)
        with pytest.raises(errors.TeamError):
            open_one.standing()
    finally:
        open_one.close()
    with pytest.raises(errors.TeamLoginClosed, match="no longer a member"):
        await ben.membership.rename_me(workspace.id, "Benny")
    with Administration.connect(workspace.address, ana.password(workspace)) as server:
        assert server.row("SELECT channel FROM cd.project WHERE id = %s", (project_id,)) != before
    with pytest.raises(NotPossible, match="cannot remove yourself"):
        await ana.membership.administration.remove_member(workspace.id, workspace.member_id)


async def test_only_owners_of_the_workspace_remove_and_only_managers_give_roles(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    project_id = await ana.shared(workspace)
    joined = await _joined(ben, await _invited(ana, workspace, **{project_id: TeamRole.VIEWER}))
    for attempt in (
        ben.membership.administration.remove_member(workspace.id, workspace.member_id),
        ben.membership.administration.invite(workspace.id, "Eve", roles={}),
        ben.membership.administration.invite(workspace.id, "Eve", roles={project_id: TeamRole.VIEWER}),
        ben.membership.administration.rename_workspace(workspace.id, "Mine"),
        ben.membership.administration.set_workspace_owner(workspace.id, joined.member_id, True),
    ):
        with pytest.raises(ChatDeskError):
            await attempt
    with pytest.raises(NotPossible, match="not shared"):
        await ben.membership.administration.set_role(new_id(), joined.member_id, TeamRole.OWNER)

    await ana.membership.administration.set_role(project_id, joined.member_id, TeamRole.ADMIN)
    with pytest.raises(errors.TeamLastOwner, match="always be an owner"):
        await ana.membership.administration.set_role(project_id, workspace.member_id, None)
    await ana.membership.administration.set_role(project_id, joined.member_id, None)
    with pytest.raises(errors.TeamLastOwner):
        await ana.membership.administration.set_workspace_owner(workspace.id, workspace.member_id, False)
    await ana.membership.administration.set_workspace_owner(workspace.id, joined.member_id, True)
    await ben.membership.administration.rename_workspace(workspace.id, "Ours")
    await ben.membership.rename_me(workspace.id, "Ben the second")
    with Administration.connect(workspace.address, ana.password(workspace)) as server:
        assert server.standing().workspace_name == "Ours"


async def test_leaving_keeps_the_membership_unless_it_is_for_good(
    make: Make, team: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "write_computer_code", partial(invitations.write_computer_code, work=2**10))
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    joined = await _joined(ben, await _invited(ana, workspace))
    password = ben.password(joined)
    code = await ben.membership.add_computer(joined.id)
    await ben.membership.leave(joined.id)
    assert await ben.workspaces() == []
    assert not ben.keyring
    assert ben.changed[-1] == joined.id
    assert _is_alive(joined, password)
    with pytest.raises(membership_errors.NotJoined):
        await ben.membership.leave(joined.id)

    back = await ben.membership.join(code.code, "", passphrase=code.passphrase, allows_unencrypted=True)
    assert back.member_id == joined.member_id
    ben.changed.clear()

    def is_locked(_passwords: TeamPasswords, _workspace_id: str) -> None:
        raise KeyFileUnusable

    with monkeypatch.context() as patch:
        patch.setattr(TeamPasswords, "forget", is_locked)
        with pytest.raises(KeyFileUnusable):
            await ben.membership.leave(joined.id, for_good=True)
    assert ben.changed == [joined.id]  # it is left all the same
    assert await ben.workspaces() == []
    assert not _is_alive(joined, password)
    with pytest.raises(errors.TeamLastOwner):
        await ana.membership.leave(workspace.id, for_good=True)
    assert await ana.workspaces() == [workspace]


async def test_a_further_computer_of_the_same_person_gets_the_same_login(
    make: Make, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "write_computer_code", partial(invitations.write_computer_code, work=2**10))
    desk, lap = await make("desk"), await make("lap")
    workspace = await _created(desk, empty_database)
    code = await desk.membership.add_computer(workspace.id)
    view = lap.membership.read_invitation(code.file_text)
    assert view.needs_passphrase
    with pytest.raises(membership_errors.PassphraseMissing):
        await lap.membership.join(code.code, "Ana", allows_unencrypted=True)
    with pytest.raises(WrongCodePassphrase):
        await lap.membership.join(code.code, "Ana", passphrase="aaaa-bbbb-cccc", allows_unencrypted=True)
    if not empty_database.cluster.has_tls:
        with pytest.raises(membership_errors.UnencryptedNotAgreed):
            await lap.membership.join(code.code, "Ana", passphrase=code.passphrase)
    joined = await lap.membership.join(code.code, "Ana", passphrase=code.passphrase, allows_unencrypted=True)
    assert replace(joined, joined_at=0, clock_offset_ms=0) == replace(workspace, joined_at=0, clock_offset_ms=0)
    assert lap.password(joined) == desk.password(workspace)

    late = await make("late")
    late.clock.ahead_ms = 2 * DAY_MS  # wrong, and the server's is not
    assert await late.membership.join(code.code, "Ana", passphrase=code.passphrase, allows_unencrypted=True)
    monkeypatch.setattr(membership, "_COMPUTER_CODE_DAYS", 0)
    old, later = await desk.membership.add_computer(workspace.id), await make("later")
    with pytest.raises(membership_errors.InvitationExpired, match="code has expired"):
        await later.membership.join(old.code, "Ana", passphrase=old.passphrase, allows_unencrypted=True)
    assert not later.keyring

    await desk.membership.change_password(workspace.id)
    third = await make("third")
    with pytest.raises(membership_errors.CodeOutOfDate):
        await third.membership.join(code.code, "Ana", passphrase=code.passphrase, allows_unencrypted=True)
    with pytest.raises(errors.TeamLoginRefused):
        await lap.membership.enter_password(workspace.id, "wrong-password")
    await lap.membership.enter_password(workspace.id, desk.password(workspace))
    assert lap.password(joined) == desk.password(workspace)


async def test_a_computer_is_taken_off_the_list_and_stands_there_again_once_it_connects(
    make: Make, empty_database: TeamDatabase
) -> None:
    ana = await make("ana")
    workspace = await _created(ana, empty_database)
    device = ana.database.device_id
    with Administration.connect(workspace.address, ana.password(workspace)) as server:
        server.row("SELECT cd.hello(%s, 'desk', '0.1.0', 2)", (device,))
        await ana.membership.administration.remove_device(workspace.id, device)
        removed = server.row("SELECT removed_at IS NOT NULL FROM cd.device")
        server.row("SELECT cd.hello(%s, 'desk', '0.1.0', 2)", (device,))
        assert (removed, server.row("SELECT removed_at IS NOT NULL FROM cd.device")) == ((True,), (False,))
    with pytest.raises(errors.TeamDeviceUnknown):
        await ana.membership.administration.remove_device(workspace.id, new_id())


async def test_an_invitation_without_encryption_needs_a_word(make: Make, team: TeamDatabase) -> None:
    if team.cluster.has_tls:
        pytest.skip("this server has TLS")
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    assert ben.membership.read_invitation(invitation.code).is_unencrypted
    with pytest.raises(membership_errors.UnencryptedNotAgreed, match="no encryption"):
        await ben.membership.join(invitation.code, "Ben")


async def test_afar_there_is_no_way_without_encryption(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await make("ana")
    monkeypatch.setattr(joining, "is_private", lambda _host, _port: False)
    address = ServerAddress(host="127.0.0.1", port=1, database="team", user="ana", tls="disable")
    with pytest.raises(membership_errors.UnencryptedAfar, match="encryption only"):
        await ana.membership.create_workspace("Research", "Ana", address, password="secret")
    checks = await ana.membership.examine(address, "secret")
    assert [each.state for each in checks] == [CheckState.FAILED]


async def test_a_server_that_is_away_and_names_that_cannot_be(make: Make, empty_database: TeamDatabase) -> None:
    ana = await make("ana")
    away = replace(empty_database.address, port=1)
    with pytest.raises(errors.TeamUnreachable):
        await ana.membership.create_workspace("Research", "Ana", away, password="x")
    with pytest.raises(errors.TeamLoginRefused, match="wrong, or it has expired"):
        await ana.membership.create_workspace("Research", "Ana", empty_database.address, password="wrong")
    for bad in ("", "  ", "\n", "x" * 81):
        with pytest.raises(membership_errors.NameUnusable):
            await ana.membership.create_workspace(bad, "Ana", empty_database.address, password="x")
    workspace = await _created(ana, empty_database)
    for days in (0, 61):
        with pytest.raises(NotPossible, match="1 to 60 days"):
            await ana.membership.administration.invite(workspace.id, "Ben", roles={}, valid_days=days)
    with pytest.raises(InvitationUnusable):
        await ana.membership.join("hello", "Ana")
    with pytest.raises(InvalidId):
        await ana.membership.leave("nothing")
    with pytest.raises(membership_errors.NotJoined):
        await ana.membership.add_computer(new_id())


async def test_a_database_that_is_in_use_is_left_alone(make: Make, empty_database: TeamDatabase) -> None:
    ana, eve = await make("ana"), await make("eve")
    workspace = await _created(ana, empty_database)
    with pytest.raises(errors.TeamDatabaseNotEmpty, match="not empty"):
        await _created(eve, empty_database)
    assert _is_alive(workspace, ana.password(workspace))


async def test_each_bad_case_has_words_of_its_own(make: Make, empty_database: TeamDatabase) -> None:
    ana = await make("ana")
    stranger, password = f"stranger_{new_id()[-6:]}", "a-password-of-theirs"
    with empty_database.as_superuser() as superuser:
        superuser.execute(f"CREATE ROLE {stranger} LOGIN CREATEROLE PASSWORD '{password}'".encode())
    not_owner = replace(empty_database.account_address, user=stranger)
    with pytest.raises(errors.TeamNoRightForRoles, match="own the database and create roles"):
        await ana.membership.create_workspace("Research", "Ana", not_owner, password=password)
    with empty_database.as_superuser() as superuser:
        superuser.execute(f"ALTER ROLE {empty_database.account} NOCREATEROLE".encode())
    with pytest.raises(errors.TeamNoRightForRoles):
        await _created(ana, empty_database)
    with empty_database.as_superuser() as superuser:
        superuser.execute(f"ALTER ROLE {empty_database.account} CREATEROLE".encode())
        superuser.execute("CREATE TABLE theirs (a int)")
    with pytest.raises(errors.TeamDatabaseNotEmpty):
        await _created(ana, empty_database)
    with empty_database.as_superuser() as superuser:
        superuser.execute("DROP TABLE theirs")
    workspace = await _created(ana, empty_database)  # goes on with what it had chosen

    with pytest.raises(errors.TeamNotInvited, match="not a member"):
        await (await make("eve")).membership.sign_in(not_owner, password=password)
    missing = replace(workspace.address, database="nothing_of_the_kind")
    with pytest.raises(errors.TeamDatabaseMissing):
        await ana.membership.move(workspace.id, missing)
    with pytest.raises(errors.TeamNotInvited):
        await ana.membership.upgrade(workspace.id, user=stranger, password=password)
    assert await ana.workspaces() == [workspace]


async def test_another_workspace_at_the_same_address_is_never_taken_for_the_one_that_was_joined(
    make: Make, empty_database: TeamDatabase
) -> None:
    ana = await make("ana")
    workspace = await _created(ana, empty_database)
    with empty_database.as_superuser() as superuser:
        superuser.execute("UPDATE cd.meta SET workspace_id = gen_random_uuid()")
    with pytest.raises(errors.OtherWorkspace, match="another team's database"):
        await ana.membership.enter_password(workspace.id, ana.password(workspace))
    invitation = await _invited(ana, workspace)
    ben = await make("ben")
    with pytest.raises(errors.OtherWorkspace):
        await _joined(ben, invitation)
    with empty_database.as_superuser() as superuser:
        row = superuser.execute("SELECT status FROM cd.member WHERE id = %s", [invitation.member_id]).fetchone()
    assert row == ("invited",)


@pytest.mark.parametrize(
    "answer",
    ["'{}'", "'[]'", "'7'", """'{"workspace_id": "x", "workspace_name": "R", "group": "g"}'""", "'{\"group\": [1]}'"],
)
async def test_a_server_that_only_pretends_to_be_a_teams_is_none(
    make: Make, empty_database: TeamDatabase, answer: str
) -> None:
    """An invitation may lead anywhere, and what is there may answer anything."""
    with empty_database.as_superuser() as superuser:
        superuser.execute("CREATE SCHEMA cd")
        superuser.execute(
            f"CREATE FUNCTION cd.workspace() RETURNS jsonb LANGUAGE sql AS $$ SELECT {answer}::jsonb $$".encode()
        )
        superuser.execute("CREATE TABLE cd.member (id uuid, display_name text, is_owner boolean, role_name name)")
        superuser.execute(f"GRANT ALL ON SCHEMA cd TO {empty_database.account}".encode())
        superuser.execute(f"GRANT ALL ON cd.member TO {empty_database.account}".encode())
    ana = await make("ana")
    with pytest.raises(errors.NoWorkspaceThere):
        await ana.membership.sign_in(empty_database.account_address, password=empty_database.account_password)
    assert await ana.workspaces() == []


async def test_without_a_place_for_the_password_nothing_is_changed(make: Make, team: TeamDatabase) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    ben.place[0] = KeyPlace.MEMORY
    with pytest.raises(PasswordNotKept, match="cannot keep the password"):
        await _joined(ben, invitation)
    ben.environ[VARIABLE] = "short"
    with pytest.raises(PasswordUnusable):
        await _joined(ben, invitation)
    ben.environ[VARIABLE] = "a-password-of-ones-own"
    joined = await _joined(ben, invitation)
    assert not ben.keyring
    assert _is_alive(joined, "a-password-of-ones-own")
    with pytest.raises(NotPossible, match="environment variable"):
        await ben.membership.change_password(joined.id)
    await ben.membership.rename_me(joined.id, "Benny")
    del ben.environ[VARIABLE]
    with pytest.raises(errors.TeamPasswordMissing):
        await ben.membership.rename_me(joined.id, "Benny")
    with pytest.raises(NotPossible, match="password of this workspace is not known"):
        await ben.membership.add_computer(joined.id)
    await ben.membership.enter_password(joined.id, "a-password-of-ones-own")
    await ben.membership.rename_me(joined.id, "Benny")


async def test_who_signs_in_with_the_variable_needs_no_place_for_the_password(make: Make, team: TeamDatabase) -> None:
    ana = await make("ana")
    ana.place[0] = KeyPlace.MEMORY
    with pytest.raises(PasswordNotKept):
        await ana.membership.sign_in(team.address, password=team.password)
    ana.environ[VARIABLE] = team.password
    workspace = await ana.membership.sign_in(team.address, password=team.password)
    assert not ana.keyring
    await ana.membership.rename_me(workspace.id, "Anna")


def _park(conn: Connection) -> None:
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    parked_workspaces.park_all(raw, 1)


async def test_a_parked_workspace_is_joined_again_at_its_own_server_only(make: Make, team: TeamDatabase) -> None:
    ana = await make("ana")
    workspace = await _owning(ana, team)
    await ana.database.write(_park)
    assert await ana.database.read(sync_team.workspaces) == []
    with pytest.raises(membership_errors.NotJoined):
        await ana.membership.rename_me(workspace.id, "Anna")
    elsewhere = replace(workspace.address, port=1)
    await ana.database.write(lambda conn: sync_team.set_workspace_address(conn, workspace.id, elsewhere))
    with pytest.raises(errors.TeamPasswordMissing):  # that of another server is not shown to this one
        await ana.membership.join_again(workspace.id)
    assert len(await ana.database.read(sync_team.parked)) == 1
    await ana.database.write(lambda conn: sync_team.set_workspace_address(conn, workspace.id, workspace.address))
    assert (await ana.membership.join_again(workspace.id)).id == workspace.id
    assert await ana.database.read(sync_team.parked) == []
    await ana.membership.rename_me(workspace.id, "Anna")
    await ana.database.write(_park)
    await ana.membership.leave_parked(workspace.id)
    assert await ana.database.read(sync_team.parked) == []


async def test_a_profile_that_can_only_be_read_joins_nothing(make: Make, empty_database: TeamDatabase) -> None:
    ana = await make("ana")
    ana.database.is_read_only = True
    with pytest.raises(StorageError):
        await _created(ana, empty_database)
    ana.database.is_read_only = False


# Killed between any two steps


def _kill(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The next call of ``name`` is the last thing that this process does; right before it is right after the one
    before."""
    real = getattr(owner, name)

    def dying(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(owner, name, real)
        done = real(*args, **more)
        if isinstance(done, Administration):
            done.close()
        raise Killed

    monkeypatch.setattr(owner, name, dying)


_JOIN_STEPS = [
    (TeamPasswords, "register_secret"),
    (joining, "connect"),
    (TeamPasswords, "make"),
    (TeamPasswords, "keep"),
    (Administration, "accept"),
    (Administration, "standing"),
    (joining.Joining, "_joined"),
    (sync_team, "add_workspace"),
]


@pytest.mark.parametrize("step", range(len(_JOIN_STEPS)))
async def test_a_join_that_is_killed_is_taken_again(
    make: Make, team: TeamDatabase, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    ana, ben = await make("ana"), await make("ben")
    workspace = await _owning(ana, team)
    invitation = await _invited(ana, workspace)
    _kill(monkeypatch, *_JOIN_STEPS[step])
    with pytest.raises(Killed):
        await asyncio.wait_for(_joined(ben, invitation), PATIENCE_S)
    if await ben.workspaces():  # killed when everything was done
        return
    joined = await _joined(ben, invitation)
    assert joined.member_id == invitation.member_id
    assert _is_alive(joined, ben.password(joined))


_CREATE_STEPS = [
    (TeamPasswords, "find"),
    (TeamPasswords, "make"),
    (TeamPasswords, "keep"),
    (setup, "set_up"),
    (joining.Joining, "_joined"),
    (sync_team, "add_workspace"),
]


@pytest.mark.parametrize("step", range(len(_CREATE_STEPS)))
async def test_a_workspace_whose_making_is_killed_is_made_by_the_next_attempt(
    make: Make, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    ana = await make("ana")
    _kill(monkeypatch, *_CREATE_STEPS[step])
    with pytest.raises(Killed):
        await asyncio.wait_for(_created(ana, empty_database), PATIENCE_S)
    workspace = await _created(ana, empty_database)
    assert await ana.workspaces() == [workspace]
    assert _is_alive(workspace, ana.password(workspace))
    with empty_database.as_superuser() as superuser:
        members = superuser.execute("SELECT count(*) FROM cd.member").fetchone()
    assert members == (1,)


@pytest.mark.parametrize("step", ["keep_next", "change_password", "promote"])
async def test_a_killed_change_of_the_password_locks_no_member_out(
    make: Make, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ana = await make("ana")
    workspace = await _created(ana, empty_database)
    old = ana.password(workspace)
    _kill(monkeypatch, Administration if step == "change_password" else TeamPasswords, step)
    with pytest.raises(Killed):
        await ana.membership.change_password(workspace.id)
    await ana.membership.rename_me(workspace.id, "Ana the second")
    await ana.membership.change_password(workspace.id)
    assert ana.password(workspace) != old
    assert [each.partition("/")[2] for each in ana.keyring] == [f"team:{workspace.id}"]
    assert _is_alive(workspace, ana.password(workspace))
    assert not _is_alive(workspace, old)
