"""Members who keep a transaction open: nobody keeps rights that were taken, and nobody keeps others from theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chatdesk.core.domain.sharing.sync_wire import PushStatus, WireChange
from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.administration import Administration
from chatdesk.core.sync.team_store.postgres import connect
from tests.helpers import team_attack_locks as locks
from tests.helpers.postgres import NoPostgres, cluster
from tests.helpers.team_people import Team, some_id


@pytest.fixture(params=((15, 0), (16, 0), (18, 16)), ids=lambda each: f"{each[0]}-in-{each[1]}")
def any_team(request: pytest.FixtureRequest) -> Iterator[Team]:
    version, partitions = request.param
    try:
        server = cluster(version)
    except NoPostgres as none:
        pytest.skip(str(none))
    database = server.workspace_database(partitions=partitions)
    team = Team(database)
    yield team
    team.close()
    server.drop(database)


def test_no_function_answers_in_an_old_snapshot(any_team: Team) -> None:
    assert len(locks.functions(any_team)) > 25
    assert locks.stale_calls(any_team) == []


def test_who_was_demoted_or_removed_does_nothing_from_an_old_snapshot(any_team: Team) -> None:
    assert locks.stale_rights(any_team) == []


@pytest.mark.parametrize("role", [None, "viewer", "editor", "owner"])
def test_nobody_keeps_an_owner_from_removing_anybody_nor_without_rank_others_from_writing(
    team: Team, role: str | None
) -> None:
    assert locks.held_up(team, role) == []


@pytest.mark.parametrize("version", [15, 16, 18])
def test_a_viewer_blocks_no_writer_on_any_version(version: int) -> None:
    try:
        server = cluster(version)
    except NoPostgres as none:
        pytest.skip(str(none))
    database = server.workspace_database()
    team = Team(database)
    try:
        assert locks.held_up(team, "viewer") == []
    finally:
        team.close()
        server.drop(database)


@pytest.mark.long
def test_who_holds_up_the_others_is_named_and_ended_after_a_while(team: Team) -> None:
    project, olga = team.project(), team.owner
    eve, ben = (team.join(name, **{project: "editor"}) for name in ("eve", "ben"))
    eve.conn.execute("BEGIN")
    eve.push(project, eve.row("thread", "new", some_id(), {}))
    store = connect(replace(team.database.address, user=ben.login), ben.password)
    store.hello(ben.device, name="x", version="1")
    change = WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1 << 16, "{}")
    with contextlib.closing(store):
        with pytest.raises(errors.TeamBusy) as caught:
            store.push(project, ben.device, [change])
        result = None
        while result is None:
            with contextlib.suppress(errors.TeamBusy):
                [result] = store.push(project, ben.device, [change])
    assert caught.value.by == ("eve",)
    assert "eve" in caught.value.what
    assert result.status is PushStatus.OK
    assert locks.state_of(lambda: eve.ask("SELECT 1")) != "ok"
    assert olga.value("SELECT seq FROM cd.project_head") == 1


def test_an_owner_of_the_workspace_ends_a_member_s_connections(team: Team) -> None:
    project, olga = team.project(), team.owner
    eve = team.join("eve", **{project: "admin"})
    again = team.again(eve)
    assert locks.state_of(lambda: eve.ask("SELECT cd.end_connections(%s)", olga.id)) == "CD007"
    with Administration.connect(team.database.address, team.database.password) as desk:
        assert desk.end_connections(eve.id) == 2
    for each in (eve, again):
        assert locks.state_of(lambda each=each: each.ask("SELECT 1")) != "ok"  # type: ignore[misc]
    assert team.again(eve).ask("SELECT 1") == [(1,)]


def test_what_is_left_of_a_removed_member_is_cleared_once_nobody_holds_it(team: Team) -> None:
    """A project whose only owner was removed, while an editor held it, has an owner again after the next hello."""
    olga = team.owner
    boss = team.join("boss")
    project = team.project(boss)
    ben = team.join("ben")
    boss.ask("SELECT cd.set_role(%s, %s, 'editor')", project, ben.id)
    ben.conn.execute("BEGIN")
    ben.push(project, ben.row("thread", "new", some_id(), {}))
    olga.ask("SELECT cd.remove_member(%s)", boss.id)
    assert locks.state_of(lambda: boss.ask("SELECT 1")) != "ok"
    with team.database.as_superuser() as root:
        roles = (
            "SELECT m.display_name, p.role FROM cd.project_member p JOIN cd.member m ON m.id = p.member_id ORDER BY 1"
        )
        assert root.execute(roles).fetchall() == [("ben", "editor"), ("boss", "owner")]
        ben.conn.execute("COMMIT")
        olga.hello()
        assert root.execute(roles).fetchall() == [("ben", "owner"), ("boss", None)]
