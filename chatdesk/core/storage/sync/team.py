"""Stores the known state of teams: workspaces, members, computers, roles and rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_results import ShareMark
from chatdesk.core.domain.sharing.sync_wire import Hello, MemberRow, ProjectHead, TeamView
from chatdesk.core.domain.sharing.team import (
    NOWHERE,
    ChangeState,
    EndReason,
    MemberStatus,
    ServerAddress,
    SharedProject,
    ShareState,
    TeamDevice,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.chat.projects import read_only_projects as read_only_projects
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.own_log import IS_PLACE
from chatdesk.core.storage.engine.plain_text import from_json, json_value, one_of, shown_name
from chatdesk.core.storage.sync import (
    erased_project,
    joining_again,
    misfits,
    outbox,
    own_carrying,
    own_places,
    parked_workspaces,
    sharing,
    team_view_cleaning,
)

_SHARED = f"""
SELECT s.project_id, s.workspace_id, s.role, s.state, s.seq, s.ended,
  (SELECT count(*) FROM changes c WHERE c.project_id = s.project_id AND c.state = 0),
  (SELECT count(*) FROM changes c WHERE c.project_id = s.project_id AND c.state = 2 AND c.mine = 1),
  coalesce({json_value("s.progress", "let_in")}, 0), {json_value("s.progress", "misfit")},
  {json_value("s.progress", "misfit_since")}, (SELECT p.name FROM projects p WHERE p.id = s.project_id)
FROM shared_projects s
"""  # noqa: S608

_OF_TEAMS: Final = f" WHERE s.workspace_id NOT IN (SELECT id FROM workspaces WHERE {IS_PLACE})"  # noqa: S608


# Workspaces


def add_workspace(conn: Connection, workspace: Workspace) -> None:
    """Store a joined workspace, replacing an earlier entry of it. One that was parked continues as ``join_again`` says.
    If this person is another member than before, the team's changes of the former member no longer count as theirs, and
    this profile is another device, because the server knows the former as the other member's."""
    joining_again.join_again(conn, workspace.id, workspace.joined_at)
    before = conn.exec_driver_sql(
        "DELETE FROM workspaces WHERE id = ? RETURNING member_id", (workspace.id,)
    ).scalar_one_or_none()
    if before is not None and before != workspace.member_id:
        _give_to(conn, workspace.id, before)
        joining_again.become_another_device(conn, workspace.joined_at)
    conn.exec_driver_sql(
        "INSERT INTO workspaces (id, name, address, member_id, is_owner, joined_at, clock_offset_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            workspace.id,
            team_view_cleaning.shown(workspace.name),
            json.dumps({"place": workspace.place} if workspace.place else asdict(workspace.address)),
            workspace.member_id,
            int(workspace.is_owner),
            workspace.joined_at,
            workspace.clock_offset_ms,
        ),
    )


def _give_to(conn: Connection, workspace_id: str, member_id: str) -> None:
    """Attribute to this member the changes that the server accepted from here before."""
    taken = (
        "project_id IN (SELECT project_id FROM shared_projects WHERE workspace_id = ?)"  # noqa: S608 - constants
        f" AND mine = 1 AND state = {int(ChangeState.CONFIRMED)}"
    )
    for table, kind in (("threads", "thread"), ("messages", "message"), ("summaries", "summary")):
        conn.exec_driver_sql(
            f"UPDATE {table} SET author_id = ? WHERE author_id IS NULL AND id IN"  # noqa: S608 - constants
            f" (SELECT entity FROM changes WHERE {taken} AND op = 'new' AND kind = ?)",
            (member_id, workspace_id, kind),
        )
    conn.exec_driver_sql(
        f"UPDATE changes SET mine = 0, author = ? WHERE {taken}",  # noqa: S608 - constants
        (member_id, workspace_id),
    )


def workspaces(conn: Connection) -> list[Workspace]:
    """Return the workspaces that were joined and not left, in the order of joining."""
    return _workspaces(conn, f"left_at IS NULL AND NOT {IS_PLACE}")


def places(conn: Connection, *, is_parked: bool = False) -> list[Workspace]:
    """Return the workspaces that are folders of this person's own computers, like ``workspaces`` or ``parked``."""
    condition = parked_workspaces.CONDITION if is_parked else "left_at IS NULL"
    return _workspaces(conn, f"{condition} AND {IS_PLACE}")


def parked(conn: Connection) -> list[Workspace]:
    """Return the workspaces of a restored or salvaged profile that were neither joined again nor left since."""
    return _workspaces(conn, f"{parked_workspaces.CONDITION} AND NOT {IS_PLACE}")


def _workspaces(conn: Connection, condition: str) -> list[Workspace]:
    rows = conn.exec_driver_sql(
        "SELECT id, name, address, member_id, is_owner, joined_at, clock_offset_ms FROM workspaces"  # noqa: S608 - constants
        f" WHERE {condition} ORDER BY joined_at, id"
    )
    return [
        Workspace(
            id_,
            shown_name(name),
            _address(address),
            member,
            bool(owner),
            joined_at=at,
            clock_offset_ms=offset,
            place=own_places.place_in(address),
            is_paused=own_places.is_paused_in(address),
        )
        for id_, name, address, member, owner, at, offset in rows
    ]


def leave_workspace(conn: Connection, workspace_id: str, now: int) -> frozenset[str]:
    """Leave a workspace. Its projects stay as private copies, whose ids are returned; members' names stay known."""
    projects = sharing.running(conn, workspace_id)
    for project_id in projects:
        sharing.end(conn, project_id, EndReason.LEFT)
    conn.exec_driver_sql("UPDATE workspaces SET left_at = ? WHERE id = ?", (now, workspace_id))
    parked_workspaces.forget(conn, workspace_id)
    return frozenset(projects)


def set_workspace_address(conn: Connection, workspace_id: str, address: ServerAddress) -> None:
    conn.exec_driver_sql("UPDATE workspaces SET address = ? WHERE id = ?", (json.dumps(asdict(address)), workspace_id))


def _address(stored: str) -> ServerAddress:
    value = from_json(stored)
    if own_places.place_in(stored):
        return NOWHERE
    port = value.get("port")
    words = {
        name: value[name] for name in ("host", "database", "user", "tls", "ca") if isinstance(value.get(name), str)
    }
    return ServerAddress(
        **{"host": "", "database": "", "user": "", **words}, port=port if isinstance(port, int) else 5432
    )


# The server's view of people and projects


def shares(conn: Connection) -> dict[str, ShareMark]:
    """Return every project that is or was shared, by id, as ``SyncStore.shares``."""
    rows = conn.exec_driver_sql("SELECT project_id, workspace_id, state, shared_at FROM shared_projects")
    return {row[0]: ShareMark(row[1], row[2] == ShareState.ENDED, row[3]) for row in rows}


def store_view(
    conn: Connection, origin: Origin, hello: Hello, view: TeamView, *, before: Mapping[str, ShareMark]
) -> frozenset[str]:
    """Store the server's view, as ``SyncStore.store_view``. The server is trusted about members, but not about
    projects that are private here or shared with another team."""
    workspace_id, now = hello.workspace_id, origin.now()
    if own_places.is_left(conn, workspace_id):  # while the folder was looked into
        return frozenset()
    view = team_view_cleaning.cleaned(view, () if view.is_whole else _known_members(conn, workspace_id))
    conn.exec_driver_sql(
        "UPDATE workspaces SET name = ?, member_id = ?, is_owner = ?, clock_offset_ms = ? WHERE id = ?",
        (
            team_view_cleaning.shown(hello.workspace_name),
            hello.member_id,
            int(hello.is_owner),
            max(-(2**53), min(hello.server_time_ms - now, 2**53)),
            workspace_id,
        ),
    )
    _record_people(conn, workspace_id, view)
    outbox.offer_again(conn, workspace_id)
    is_own = own_places.is_place(conn, workspace_id)
    known = shares(conn)
    changed = {project_id for project_id, _ in known.items() ^ before.items()}
    there = {head.project_id for head in view.projects if not head.is_deleted}
    touched = {
        head.project_id
        for head in view.projects
        if head.project_id not in changed
        and not (is_own and head.project_id != workspace_id)
        and _apply_head(conn, origin, workspace_id, head, known.get(head.project_id))
    }
    if is_own:  # nobody takes a project away from a person, and their computers carry all
        head = next((each for each in view.projects if each.project_id == workspace_id), None)
        return frozenset(touched | set(own_carrying.carry(conn, origin, workspace_id, head)))
    touched |= {
        project_id
        for project_id, share in known.items()
        if share.workspace_id == workspace_id
        and project_id not in changed | there | touched
        and _apply_absence(conn, project_id, share)
    }
    return frozenset(touched)


def _apply_head(conn: Connection, origin: Origin, workspace_id: str, head: ProjectHead, mine: ShareMark | None) -> bool:
    """Add, update or end a project that the server names. Returns whether it was added, opened or ended."""
    if mine is not None and not mine.is_ended:
        if mine.workspace_id != workspace_id:
            return False  # another team has it already
        if head.is_deleted:
            _end(conn, origin, head)
            return True
        sharing.update(conn, head)
        return False
    if head.is_deleted or (mine is not None and mine.workspace_id != workspace_id):
        return False
    if sharing.may_adopt(conn, head, is_ended=mine is not None):
        sharing.adopt(conn, origin, head, workspace_id)
        return True
    return mine is not None and sharing.record_admission(conn, head.project_id, is_let_in=True)


def _apply_absence(conn: Connection, project_id: str, share: ShareMark) -> bool:
    """Handle a project that the server no longer names. Returns whether this ended or closed it."""
    if share.is_ended:
        return sharing.record_admission(conn, project_id, is_let_in=False)
    sharing.end(conn, project_id, EndReason.REMOVED)
    return True


def _end(conn: Connection, origin: Origin, head: ProjectHead) -> None:
    """End a share because its owner ended it for everybody."""
    if head.is_erased:
        erased_project.erase(conn, origin, head.project_id)
    else:
        sharing.end(conn, head.project_id, EndReason.DELETED)


def _record_people(conn: Connection, workspace_id: str, view: TeamView) -> None:
    """Store members, devices and roles. Members that are no longer named keep their names."""
    if view.is_whole:
        _forget_people(conn, workspace_id)
    members = [
        (
            workspace_id,
            member.id,
            member.name,
            int(member.is_owner),
            member.status,
            member.invited_at,
        )
        for member in view.members
    ]
    if members:
        conn.exec_driver_sql(
            "INSERT INTO team_members (workspace_id, id, name, is_owner, status, invited_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (workspace_id, id) DO UPDATE SET name = excluded.name, is_owner = excluded.is_owner,"
            " status = excluded.status, invited_at = excluded.invited_at",
            members,
        )
    devices = [
        (workspace_id, each.id, each.member_id, each.name, each.app_version, each.last_seen_at)
        for each in view.devices
        if not each.is_removed
    ]
    if devices:
        conn.exec_driver_sql("INSERT OR REPLACE INTO team_devices VALUES (?, ?, ?, ?, ?, ?)", devices)
    gone = [(workspace_id, each.id) for each in view.devices if each.is_removed]
    if gone:
        conn.exec_driver_sql("DELETE FROM team_devices WHERE workspace_id = ? AND id = ?", gone)
    elsewhere = {
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT project_id FROM shared_projects WHERE workspace_id <> ?", (workspace_id,)
        )
    }
    roles = [each for each in view.roles if each[0] not in elsewhere]
    if any(role is not None for *_, role in roles):
        given = [each for each in roles if each[2] is not None]
        conn.exec_driver_sql("INSERT OR REPLACE INTO team_roles VALUES (?, ?, ?)", given)
    taken = [(project, member) for project, member, role in roles if role is None]
    if taken:
        conn.exec_driver_sql("DELETE FROM team_roles WHERE project_id = ? AND member_id = ?", taken)


def _forget_people(conn: Connection, workspace_id: str) -> None:
    conn.exec_driver_sql(
        "UPDATE team_members SET status = ? WHERE workspace_id = ?", (MemberStatus.REMOVED.value, workspace_id)
    )
    conn.exec_driver_sql("DELETE FROM team_devices WHERE workspace_id = ?", (workspace_id,))
    conn.exec_driver_sql(
        "DELETE FROM team_roles WHERE project_id IN (SELECT project_id FROM shared_projects WHERE workspace_id = ?)",
        (workspace_id,),
    )


def _known_members(conn: Connection, workspace_id: str) -> list[MemberRow]:
    rows = conn.exec_driver_sql(
        "SELECT id, name, is_owner, status, invited_at FROM team_members WHERE workspace_id = ?", (workspace_id,)
    )
    return [MemberRow(*row) for row in rows]


def members(conn: Connection, workspace_id: str) -> list[TeamMember]:
    """Return active and invited members by name, then removed ones."""
    roles: dict[str, dict[str, TeamRole]] = {}
    for project_id, member_id, role in conn.exec_driver_sql(
        "SELECT r.project_id, r.member_id, r.role FROM team_roles r JOIN shared_projects s"
        " ON s.project_id = r.project_id WHERE s.workspace_id = ? AND s.state <> 'ended'",
        (workspace_id,),
    ):
        roles.setdefault(member_id, {})[project_id] = one_of(TeamRole, role, TeamRole.VIEWER)
    rows = conn.exec_driver_sql(
        "SELECT id, name, is_owner, status, invited_at FROM team_members WHERE workspace_id = ?",
        (workspace_id,),
    )
    found = [
        TeamMember(
            row[0],
            clean_line(row[1]),
            bool(row[2]),
            one_of(MemberStatus, row[3], MemberStatus.REMOVED),
            row[4],
            roles.get(row[0], {}),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.status is MemberStatus.REMOVED, name_key(each.name), each.id))


def devices(conn: Connection, workspace_id: str) -> list[TeamDevice]:
    """Return the computers of members, the most recently used first."""
    own = conn.exec_driver_sql("SELECT id FROM devices WHERE is_mine = 1").scalar()
    rows = conn.exec_driver_sql(
        "SELECT id, member_id, name, app_version, last_seen_at FROM team_devices WHERE workspace_id = ?"
        " ORDER BY last_seen_at IS NULL, last_seen_at DESC, id",
        (workspace_id,),
    )
    return [TeamDevice(row[0], row[1], clean_line(row[2]), row[3], row[4], is_this=row[0] == own) for row in rows]


def member_names(conn: Connection) -> dict[str, str]:
    """Return names by member id, also of former members and of workspaces that were left."""
    return {
        row[0]: clean_line(row[1])
        for row in conn.exec_driver_sql(
            "SELECT m.id, m.name FROM team_members m LEFT JOIN workspaces w ON w.id = m.workspace_id"
            " ORDER BY w.left_at IS NOT NULL DESC, w.joined_at"
        )
    }


def shared_projects(conn: Connection, workspace_id: str | None = None) -> list[SharedProject]:
    """Return the projects that are or were shared, of one workspace or of all teams."""
    condition, values = (_OF_TEAMS, ()) if workspace_id is None else (" WHERE s.workspace_id = ?", (workspace_id,))
    return [_shared(row) for row in conn.exec_driver_sql(f"{_SHARED}{condition} ORDER BY s.project_id", values)]


def shared_project(conn: Connection, project_id: str) -> SharedProject | None:
    row = conn.exec_driver_sql(f"{_SHARED} WHERE s.project_id = ?", (project_id,)).first()
    return None if row is None else _shared(row)


def _shared(row: Sequence[Any]) -> SharedProject:
    state = one_of(ShareState, row[3], ShareState.ENDED)
    return SharedProject(
        project_id=row[0],
        workspace_id=row[1],
        role=one_of(TeamRole, row[2], TeamRole.VIEWER),
        state=state,
        seq=row[4],
        waiting=0 if state is ShareState.ENDED else row[6],
        refused=row[7],
        ended=None if row[5] is None else one_of(EndReason, row[5], EndReason.UNSHARED),
        is_let_in=state is ShareState.ENDED and bool(row[8]),
        misfit=misfits.sentence(*row[9:12]) if state is not ShareState.ENDED else "",
    )
