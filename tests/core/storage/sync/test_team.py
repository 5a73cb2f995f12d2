"""What a profile knows of its teams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_results import Cursor, ShareMark
from chatdesk.core.domain.sharing.sync_wire import DeviceRow, Hello, MemberRow, ProjectHead, TeamView
from chatdesk.core.domain.sharing.team import (
    EndReason,
    MemberStatus,
    ServerAddress,
    ShareState,
    SyncRound,
    TeamRole,
    Workspace,
)
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.own_log import log_of
from chatdesk.core.storage.sync import (
    entering,
    own_carrying,
    own_places,
    parked_workspaces,
    rounds,
    sharing,
    team,
    team_notes,
)
from chatdesk.core.storage.sync.store import SyncStore
from tests.helpers.store import Store

T = TypeVar("T")
WORKSPACE, ME, HER = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e", new_id(), new_id()
ADDRESS = ServerAddress("db.example", 5432, "team", "cd_me", ca="PEM")


def do(store: Store, work: Callable[[Connection], T]) -> T:
    return store.db.write_now(work)


def join(store: Store, workspace_id: str = WORKSPACE, at: int = 5) -> Workspace:
    made = Workspace(workspace_id, "Team", ADDRESS, ME, is_owner=False, joined_at=at)
    do(store, lambda conn: team.add_workspace(conn, made))
    return made


def hello(**values: Any) -> Hello:
    return Hello(
        **{
            "workspace_id": WORKSPACE,
            "workspace_name": "The  team",
            "schema": 1,
            "mode": "rw",
            "member_id": ME,
            "member_name": "Me",
            "is_owner": True,
            "server_time_ms": 1_800_000_600_000,
        }
        | values
    )


def view(
    projects: tuple[ProjectHead, ...] = (),
    members: tuple[MemberRow, ...] = (),
    roles: tuple[tuple[str, str, str], ...] = (),
    devices: tuple[DeviceRow, ...] = (),
) -> TeamView:
    return TeamView(projects, members, devices, roles)


def take(store: Store, what: TeamView, before: dict[str, ShareMark] | None = None) -> frozenset[str]:
    """``before``: shares as they were when the view was asked for, where that was a while ago."""

    def work(conn: Connection) -> frozenset[str]:
        known = team.shares(conn) if before is None else before
        return team.store_view(conn, store.db.origin, hello(), what, before=known)

    return do(store, work)


def project(store: Store, project_id: str) -> Any:
    return do(store, lambda conn: team.shared_project(conn, project_id))


async def test_a_workspace_is_kept_without_its_password_and_forgotten_when_it_is_left(store: Store) -> None:
    assert not do(store, parked_workspaces.is_joined)
    made = join(store)
    assert do(store, team.workspaces) == [made]
    assert do(store, parked_workspaces.is_joined)
    moved = ServerAddress("new.example", 5433, "team", "cd_me", tls="require")
    do(store, lambda conn: team.set_workspace_address(conn, WORKSPACE, moved))
    assert do(store, team.workspaces)[0].address == moved
    head = ProjectHead(new_id(), "editor", "c", 3)
    take(store, view((head,), (MemberRow(HER, "Her", False, "active", None),)))
    assert do(store, lambda conn: team.leave_workspace(conn, WORKSPACE, 9)) == {head.project_id}
    assert do(store, team.workspaces) == []
    assert project(store, head.project_id).ended is EndReason.LEFT
    assert do(store, team.member_names)[HER] == "Her"
    join(store, at=20)
    assert [each.joined_at for each in do(store, team.workspaces)] == [20]


async def test_a_damaged_address_is_an_empty_one(store: Store) -> None:
    join(store)
    do(store, lambda conn: conn.exec_driver_sql("UPDATE workspaces SET address = 'nonsense'"))
    assert do(store, team.workspaces)[0].address == ServerAddress("", 5432, "", "")


async def test_members_devices_and_roles_are_those_that_the_server_told_last(store: Store) -> None:
    join(store)
    head = ProjectHead(new_id(), "admin", "c", 0)
    own, other = store.db.device_id, new_id()
    take(
        store,
        view(
            (head,),
            (MemberRow(ME, "Me", True, "active", None), MemberRow(HER, "Her\nself", False, "invited", 7)),
            ((head.project_id, HER, "viewer"), (head.project_id, ME, "emperor")),
            (DeviceRow(own, ME, "desk", "1.0", 5), DeviceRow(other, HER, "lap", "1.1", None)),
        ),
    )
    me, her = sorted(do(store, lambda conn: team.members(conn, WORKSPACE)), key=lambda each: not each.is_owner)
    assert (her.name, her.status, her.invited_at, her.roles) == (
        "Her self",
        MemberStatus.INVITED,
        7,
        {head.project_id: TeamRole.VIEWER},
    )
    assert me.roles == {}
    devices = do(store, lambda conn: team.devices(conn, WORKSPACE))
    assert [(each.id, each.is_this) for each in devices] == [(own, True), (other, False)]
    workspace = do(store, team.workspaces)[0]
    assert (workspace.name, workspace.is_owner) == ("The team", True)
    assert abs(workspace.clock_offset_ms - 600_000) < 10_000
    take(store, view((head,), (MemberRow(ME, "Me", True, "odd", None),)))
    assert {each.status for each in do(store, lambda conn: team.members(conn, WORKSPACE))} == {MemberStatus.REMOVED}
    assert do(store, team.member_names)[HER] == "Her self"


async def test_projects_appear_change_their_role_and_end(store: Store) -> None:
    join(store)
    kept, gone, deleted = (ProjectHead(new_id(), "editor", "c", 4) for _ in range(3))
    assert take(store, view((kept, gone, deleted))) == {each.project_id for each in (kept, gone, deleted)}
    do(store, lambda conn: conn.exec_driver_sql("UPDATE shared_projects SET seq = 4"))
    ended = ProjectHead(deleted.project_id, "editor", "c", 4, is_deleted=True)
    now_viewer = ProjectHead(kept.project_id, "viewer", "other channel", 4)
    assert take(store, view((now_viewer, ended))) == {gone.project_id, deleted.project_id}
    assert project(store, kept.project_id).role is TeamRole.VIEWER
    assert project(store, gone.project_id).ended is EndReason.REMOVED
    assert project(store, deleted.project_id).ended is EndReason.DELETED
    assert take(store, view((now_viewer, ended))) == frozenset()
    assert do(store, team.read_only_projects) == {kept.project_id}
    assert take(store, view((now_viewer, gone))) == {gone.project_id}
    assert project(store, gone.project_id).state is not ShareState.ENDED


async def test_a_project_that_was_shared_this_moment_is_not_ended_by_an_older_list(store: Store) -> None:
    join(store)
    mine = (await store.projects.default()).id
    before = do(store, team.shares)
    do(store, lambda conn: sharing.start(conn, store.db.origin, mine, WORKSPACE, TeamRole.OWNER, "c"))
    assert take(store, view(), before) == frozenset()
    assert take(store, view((ProjectHead(mine, "owner", "c", 0, is_deleted=True),)), before) == frozenset()
    assert take(store, view()) == {mine}


async def test_a_server_takes_no_project_of_another_team_and_no_odd_role(store: Store) -> None:
    join(store)
    mine = (await store.projects.default()).id
    do(store, lambda conn: sharing.start(conn, store.db.origin, mine, new_id(), TeamRole.OWNER, "c"))
    odd = ProjectHead(new_id(), "emperor", "c", 0)
    theirs = ProjectHead(mine, "viewer", "c", 5, is_deleted=True)
    assert take(store, view((odd, theirs), roles=((mine, HER, "owner"),))) == frozenset()
    assert project(store, mine).role is TeamRole.OWNER
    assert project(store, odd.project_id) is None
    assert do(store, lambda conn: conn.exec_driver_sql("SELECT count(*) FROM team_roles").scalar()) == 0


async def test_where_one_may_only_read_is_known_after_a_view_and_after_a_start(store: Store) -> None:
    join(store)
    head = ProjectHead(new_id(), "viewer", "c", 0)
    sync = SyncStore(WORKSPACE, store.db)
    assert sync.store_view(hello(), view((head,)), sync.shares()) == {head.project_id}
    assert store.db.log_watch.read_only == {head.project_id}
    await store.reopen()
    assert store.db.log_watch.read_only == {head.project_id}


async def test_only_what_can_be_pulled_again_does_not_wait_for_the_disk(store: Store) -> None:
    join(store)
    said: list[bool] = []

    class Recorded(Database):
        def write_now(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
            said.append(is_durable)
            return super().write_now(work, is_durable=is_durable)

        def start_write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> Callable[[], T]:
            said.append(is_durable)
            return super().start_write(work, is_durable=is_durable)

    head = ProjectHead(new_id(), "editor", "c", 0)
    store.db.__class__ = Recorded
    sync = SyncStore(WORKSPACE, store.db)
    sync.store_view(hello(), view((head,)), sync.shares())
    sync.record_push_results(head.project_id, ())
    assert said == [True, True]
    page = sync.read_page(())
    sync.finish_apply(sync.start_apply(head.project_id, page, after=Cursor(head.project_id, 0, None)))
    assert said == [True, True, False]


async def test_the_newest_rounds_are_kept(store: Store) -> None:
    join(store)

    def work(conn: Connection) -> None:
        for n in range(rounds.ROUNDS_KEPT + 20):
            rounds.add(conn, SyncRound(n, WORKSPACE, sent=1, received=2, took_ms=3, problem="p\0"))

    do(store, work)
    found = do(store, lambda conn: rounds.newest(conn, WORKSPACE))
    assert len(found) == rounds.ROUNDS_KEPT
    assert found[0] == SyncRound(rounds.ROUNDS_KEPT + 19, WORKSPACE, 1, 2, 3, "p\ufffd")
    assert len(do(store, lambda conn: rounds.newest(conn, WORKSPACE, limit=3))) == 3


async def test_notes_name_people_once_until_they_are_seen(store: Store) -> None:
    join(store)
    thread = await store.thread()
    take(store, view(members=(MemberRow(HER, "Her", False, "active", None),)))

    def work(conn: Connection) -> None:
        for code, details in (
            ("thread_back", {"del": "x", "deleted_by": HER, "by": new_id()}),
            ("newer", {}),
        ):
            conn.exec_driver_sql(
                "INSERT INTO team_notes (at, thread_id, code, details) VALUES (7, ?, ?, ?)",
                (thread, code, json.dumps(details)),
            )

    do(store, work)
    notes = do(store, lambda conn: team_notes.notes_of(conn, thread))
    assert [note.sentence for note in notes] == [
        "Her deleted this thread; it is back because another member wrote in it at the same time.",
    ]
    do(store, lambda conn: team_notes.mark_notes_seen(conn, thread, 9))
    assert do(store, lambda conn: team_notes.notes_of(conn, thread)) == []


async def test_unread_counts_go_when_a_thread_is_read(store: Store) -> None:
    thread, other = await store.thread(), await store.thread()
    do(
        store,
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO unread_threads (thread_id, messages) VALUES (?, 3), (?, 0)", (thread, other)
        ),
    )
    assert do(store, team_notes.unread) == {thread: 3}
    do(store, lambda conn: team_notes.mark_read(conn, thread))
    assert do(store, team_notes.unread) == {}
    assert do(store, team.shared_projects) == []
    assert do(store, lambda conn: team.shared_projects(conn, WORKSPACE)) == []


async def test_what_is_private_is_not_taken_up_because_a_server_names_it(store: Store) -> None:
    join(store)
    mine = (await store.projects.default()).id
    for role in ("editor", "owner"):
        assert take(store, view((ProjectHead(mine, role, "c", 5),))) == frozenset()
        assert project(store, mine) is None
    # Shared by this person, from another computer that has a copy of it.
    assert take(store, view((ProjectHead(mine, "owner", "c", 5, is_own=True),))) == {mine}


@pytest.mark.parametrize("is_own", [False, True])
@pytest.mark.parametrize("role", ["viewer", "editor", "admin", "owner"])
@pytest.mark.parametrize("named", ["the team itself", "another team", "own computers"])
async def test_no_team_names_a_project_as_the_log_of_all_private_projects_is_named(
    store: Store, named: str, role: str, is_own: bool
) -> None:
    join(store)
    other = new_id()
    if named != "the team itself":
        made = Workspace(other, "Other", ADDRESS, ME, is_owner=True, joined_at=5)
        do(store, lambda conn: team.add_workspace(conn, made))
    if named == "own computers":
        do(store, lambda conn: own_places.pause(conn, other, "/folder", is_paused=False))
        do(store, lambda conn: own_carrying.open_log(conn, store.db.origin, other))
    before = do(store, lambda conn: conn.exec_driver_sql("SELECT * FROM shared_projects").all())
    head = ProjectHead(WORKSPACE if named == "the team itself" else other, role, "c", 3, is_own=is_own)
    assert take(store, view((head,))) == frozenset()
    assert do(store, lambda conn: conn.exec_driver_sql("SELECT * FROM shared_projects").all()) == before


async def test_a_project_named_as_its_team_gets_nothing_that_is_private(store: Store) -> None:
    join(store)
    mine = (await store.projects.default()).id
    do(store, lambda conn: sharing.start(conn, store.db.origin, mine, new_id(), TeamRole.OWNER, "c"))
    do(
        store,
        lambda conn: conn.exec_driver_sql(
            "UPDATE shared_projects SET project_id = ?1, workspace_id = ?1", (WORKSPACE,)
        ),
    )
    assert do(store, lambda conn: log_of(conn, mine)) == (mine, False)
    assert do(store, lambda conn: log_of(conn, WORKSPACE)) == (WORKSPACE, False)
    do(store, lambda conn: own_places.pause(conn, WORKSPACE, "/folder", is_paused=False))
    assert do(store, lambda conn: log_of(conn, mine)) == (WORKSPACE, True)


async def test_a_private_copy_in_which_something_was_written_waits_for_the_person(store: Store) -> None:
    join(store)
    mine = (await store.projects.default()).id
    do(store, lambda conn: sharing.start(conn, store.db.origin, mine, WORKSPACE, TeamRole.EDITOR, "c"))
    while do(store, lambda conn: entering.log_batch(conn, store.db.origin, mine)) is not None:
        pass
    do(store, lambda conn: conn.exec_driver_sql("UPDATE changes SET state = 1"))
    do(store, lambda conn: sharing.end(conn, mine, EndReason.REMOVED))
    back = view((ProjectHead(mine, "editor", "c", 5, is_own=True),))
    thread = await store.thread()
    assert take(store, back) == {mine}, "the person is told"
    assert project(store, mine).state is ShareState.ENDED
    assert take(store, back) == frozenset()
    do(store, lambda conn: conn.exec_driver_sql("DELETE FROM changes WHERE entity = ?", (thread,)))
    assert take(store, back) == {mine}


async def test_names_of_a_team_are_read_without_what_hides_and_no_name_stays_none(store: Store) -> None:
    join(store)

    def spoil(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE workspaces SET name = 'Te\u202eam\x1b[2J'")
        for id_, name in ((HER, "An\u200ba\n\x9b31m"), (ME, "")):
            conn.exec_driver_sql(
                "INSERT INTO team_members (workspace_id, id, name, is_owner, status) VALUES (?, ?, ?, 0, 'active')",
                (WORKSPACE, id_, name),
            )
            conn.exec_driver_sql(
                "INSERT INTO team_devices (workspace_id, id, member_id, name, app_version) VALUES (?, ?, ?, ?, '1')",
                (WORKSPACE, new_id(), id_, name),
            )

    do(store, spoil)
    assert [each.name for each in do(store, team.workspaces)] == ["Team [2J"]
    assert {each.name for each in do(store, lambda conn: team.members(conn, WORKSPACE))} == {"Ana 31m", ""}
    assert {each.name for each in do(store, lambda conn: team.devices(conn, WORKSPACE))} == {"Ana 31m", ""}
    assert set(do(store, team.member_names).values()) == {"Ana 31m", ""}
