"""Administers a workspace on the server: invitations, roles, removals, names, passwords.

Each task has a connection of its own, which ends soon, because a person waits for it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any

import psycopg

from chatdesk.core.domain.sharing.team import (
    Blocker,
    MemberStatus,
    ServerAddress,
    TeamMember,
    TeamRole,
    WorkspacePolicy,
)
from chatdesk.core.errors import InvalidId
from chatdesk.core.ids import checked_id
from chatdesk.core.name_order import name_key
from chatdesk.core.sync.errors import (
    NoWorkspaceThere,
    OtherWorkspace,
    TeamBusy,
    TeamMemberGone,
    TeamMemberInvited,
    TeamNotInvited,
    TeamNotTaken,
    TeamTaken,
)
from chatdesk.core.sync.invitations import shown_name
from chatdesk.core.sync.team_store.connection import Connection, open_connection
from chatdesk.core.sync.team_store.failures import our_errors

_TRIES = 3
_LATEST_MS = 2**52
# By how a field of ``WorkspacePolicy`` is annotated.
_POLICY_TYPES: dict[str, Callable[[Any], Any]] = {"str": str, "int": int}


@dataclass(frozen=True, slots=True)
class Standing:
    """This login's place in a workspace. ``member_id`` and ``member_name`` are empty before an invitation is
    accepted."""

    workspace_id: str
    workspace_name: str
    group: str
    member_id: str
    member_name: str
    is_owner: bool
    status: MemberStatus
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class Invited:
    """The result of ``invite``: the new login, its member's id, and the name of the inviting member."""

    login: str
    member_id: str
    invited_by: str


class Administration:
    """Administers a workspace over one connection. Every method raises ``TeamError``. A context manager that closes the
    connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def connect(cls, address: ServerAddress, password: str) -> Administration:
        """Connect to the server. Blocks for some seconds at most."""
        return cls(open_connection(address, password))

    def __enter__(self) -> Administration:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def standing(self) -> Standing:
        """Return this login's place in the workspace. Raises ``TeamNotInvited`` if the login does not belong to a
        member."""
        row = self.row(
            "SELECT cd.workspace(), m.id::text, m.display_name, m.is_owner,"
            " floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
            " FROM (VALUES (1)) AS one LEFT JOIN cd.member m ON m.id = cd.me()"
        )
        if row[0] is None:
            raise TeamNotInvited
        try:
            return _standing(row)
        except (KeyError, IndexError, TypeError, ValueError, InvalidId):
            raise NoWorkspaceThere from None  # something else that answers to these names

    def members(self) -> tuple[TeamMember, ...]:
        """Return the members that this login may see, by name; removed ones last."""
        with our_errors():
            rows = self._connection.execute(
                "SELECT m.id::text, m.display_name, m.is_owner, m.status,"
                " floor(extract(epoch FROM m.invited_at) * 1000)::bigint,"
                " coalesce(jsonb_object_agg(p.project_id, p.role) FILTER (WHERE p.role IS NOT NULL), '{}'),"
                " m.invited_by::text FROM cd.member m LEFT JOIN cd.project_member p ON p.member_id = m.id"
                " GROUP BY m.id"
            ).fetchall()
        try:
            found = [_member(row) for row in rows]
        except (TypeError, ValueError, AttributeError, InvalidId):
            raise NoWorkspaceThere from None
        return tuple(
            sorted(found, key=lambda each: (each.status is MemberStatus.REMOVED, name_key(each.name), each.id))
        )

    def invite(self, verifier: str, name: str, *, roles: Mapping[str, TeamRole], expires_at: int) -> Invited:
        """Create a login for a new member with these roles by project. Its password is good until ``expires_at``
        (milliseconds UTC by the server's clock)."""
        standing = self.standing()
        given = json.dumps({project_id: role.value for project_id, role in roles.items()})
        for left in reversed(range(_TRIES)):
            login = f"{standing.group}_{secrets.token_hex(5)}"
            try:
                row = self.row(
                    "SELECT cd.invite(%s, %s, %s, %s::jsonb, to_timestamp(%s / 1000.0))::text",
                    (login, verifier, name, given, expires_at),
                )
            except TeamTaken:  # the name of a login, by chance
                if not left:
                    raise
            else:
                return Invited(login, str(row[0]), standing.member_name)
        raise TeamTaken

    def accept(self, workspace_id: str, name: str, verifier: str) -> str:
        """Become a member for good, with a password of one's own. Returns the member's id. Raises ``OtherWorkspace``
        before anything is changed, ``TeamInvitationUsed``."""
        if self.standing().workspace_id != workspace_id:
            raise OtherWorkspace
        return str(self.row("SELECT cd.accept_invite(%s, %s)::text", (name, verifier))[0])

    def set_role(self, project_id: str, member_id: str, role: TeamRole | None) -> None:
        with self._explaining(member_id):
            self.row("SELECT cd.set_role(%s, %s, %s)", (project_id, member_id, None if role is None else role.value))

    def set_workspace_owner(self, member_id: str, is_owner: bool) -> None:
        with self._explaining(member_id):
            self.row("SELECT cd.set_workspace_owner(%s, %s)", (member_id, is_owner))

    @contextmanager
    def _explaining(self, member_id: str) -> Iterator[None]:
        """Replace a ``TeamNotTaken`` that is raised inside by ``TeamMemberInvited`` or ``TeamMemberGone``, where the
        server does not take this member."""
        try:
            yield
        except TeamNotTaken as refused:
            status = next((each.status for each in self.members() if each.id == member_id), MemberStatus.REMOVED)
            if status is MemberStatus.ACTIVE:
                raise
            raise (TeamMemberInvited if status is MemberStatus.INVITED else TeamMemberGone) from refused

    def remove_member(self, member_id: str) -> None:
        """Remove a member and their open invitations, at once, whatever they or others hold. Their connections are
        ended again after the commit: one may have been made in between."""
        standing = self.standing()
        with self._explaining(member_id):
            self.row("SELECT cd.remove_member(%s)", (member_id,))
        if member_id != standing.member_id:  # a member who left by themselves has no more rights
            self.row("SELECT cd.disconnect_removed()")

    def end_connections(self, member_id: str) -> int:
        """End the connections of a member, as an owner; they can connect again. Returns how many there were."""
        return int(self.row("SELECT cd.end_connections(%s)", (member_id,))[0])

    def policy(self) -> WorkspacePolicy:
        """Return the workspace's permissions and limits."""
        try:
            stored = dict(self.row("SELECT to_jsonb(p) - 'one' FROM cd.policy p")[0])
            return WorkspacePolicy(
                **{each.name: _POLICY_TYPES[str(each.type)](stored[each.name]) for each in fields(WorkspacePolicy)}
            )
        except (KeyError, TypeError, ValueError):
            raise NoWorkspaceThere from None

    def set_policy(self, **changed: str | int) -> None:
        """Change fields of ``WorkspacePolicy``, by name, as an owner; the others stay. Raises ``TeamNotTaken`` for an
        invalid value."""
        self.row("SELECT cd.set_policy(%s::jsonb)", (json.dumps(changed),))

    def remove_device(self, device_id: str) -> None:
        self.row("SELECT cd.remove_device(%s)", (device_id,))

    def rename(self, name: str) -> None:
        """Rename the member of this login."""
        self.row("SELECT cd.rename_me(%s)", (name,))

    def rename_workspace(self, name: str) -> None:
        self.row("SELECT cd.rename_workspace(%s)", (name,))

    def change_password(self, verifier: str) -> None:
        """Set this login's password, from the next connection on; ``end_other_connections`` ends the present ones."""
        self.row("SELECT cd.change_password(%s)", (verifier,))

    def end_other_connections(self) -> None:
        """End all other connections of this login, made with a password that is no longer valid."""
        self.row(
            "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a"
            " WHERE a.usename = session_user AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
        )

    def row(self, query: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """Run one statement as the person logged in and return its first row; one None where it has no rows."""
        with naming_blockers(self._connection), our_errors():
            row = self._connection.execute(query.encode(), values or None).fetchone()
        return row or (None,)


def _standing(row: tuple[Any, ...]) -> Standing:
    """Return the checked answer of a server, which may be hostile."""
    workspace, member_id, member_name, is_owner, server_time_ms = row
    return Standing(
        workspace_id=checked_id(workspace["workspace_id"]),
        workspace_name=shown_name(workspace["workspace_name"]),
        group=str(workspace["group"])[:63],
        member_id="" if member_id is None else checked_id(member_id),
        member_name="" if member_name is None else shown_name(member_name),
        is_owner=bool(is_owner),
        # Policies show one's own row to active members only.
        status=MemberStatus.INVITED if member_id is None else MemberStatus.ACTIVE,
        server_time_ms=max(0, min(int(server_time_ms), _LATEST_MS)),
    )


def _member(row: tuple[Any, ...]) -> TeamMember:
    return TeamMember(
        checked_id(row[0]),
        shown_name(row[1]),
        is_owner=bool(row[2]),
        status=MemberStatus(row[3]),
        invited_at=None if row[4] is None else int(row[4]),
        roles={checked_id(project_id): TeamRole(role) for project_id, role in row[5].items()},
        invited_by=None if row[6] is None else checked_id(row[6]),
    )


def blockers(conn: Connection) -> tuple[Blocker, ...]:
    """Return the blocking members; the name is "" for those unknown to this login. The server ends transactions that
    are open far longer than any of ChatDesk's. Raises ``psycopg.Error``."""
    rows = conn.execute("SELECT o_member::text, o_name, o_seconds, o_is_ended FROM cd.blockers()").fetchall()
    return tuple(
        Blocker(
            member_id=None if row[0] is None else str(row[0]),
            name="" if row[1] is None else shown_name(row[1]),
            seconds=int(row[2]),
            is_ended=bool(row[3]),
        )
        for row in rows
    )


@contextmanager
def naming_blockers(conn: Connection) -> Iterator[None]:
    """Add the names of the blocking members to a ``TeamBusy`` that is raised inside."""
    try:
        yield
    except TeamBusy as busy:
        try:
            names = dict.fromkeys(each.name for each in blockers(conn) if each.name)
        except (psycopg.Error, TypeError, ValueError, IndexError):
            raise busy from None
        raise TeamBusy(tuple(names)) from busy
