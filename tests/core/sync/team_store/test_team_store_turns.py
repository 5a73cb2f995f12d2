"""Limits that two transactions reach at once, and what is running while a right is taken."""

from __future__ import annotations

import threading

import psycopg
import pytest

from chatdesk.core.ids import new_id
from chatdesk.core.sync.members.scram import verifier_of
from tests.helpers.team_people import Team
from tests.helpers.waiting import wait_until

_BUSY = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def _limit(team: Team, name: str, value: int) -> None:
    with team.database.as_superuser() as root:
        root.execute(f"UPDATE cd.policy SET {name} = %s".encode(), [value])


def _meanwhile(team: Team, first: tuple[str, tuple[object, ...]], second: tuple[str, tuple[object, ...]]) -> str | None:
    """What the second statement meets that begins while the first one's transaction is open."""
    states: list[str | None] = []

    def ask() -> None:
        with team.database.connect(team.owner.login, team.owner.password) as conn:
            try:
                conn.execute(second[0].encode(), second[1])
                states.append(None)
            except psycopg.Error as error:
                states.append(error.sqlstate)

    with (
        team.database.connect(team.owner.login, team.owner.password, autocommit=False) as holder,
        team.database.as_superuser() as watcher,
    ):
        holder.execute(first[0].encode(), first[1])
        waiting = threading.Thread(target=ask)
        waiting.start()
        wait_until(lambda: watcher.execute(_BUSY).fetchone() is not None or not waiting.is_alive())
        holder.commit()
        waiting.join()
    return states[0]


def test_a_project_too_many_is_not_made_in_two_transactions(team: Team) -> None:
    _limit(team, "projects_each", 1)
    make = "SELECT cd.create_project(%s)"
    assert _meanwhile(team, (make, (new_id(),)), (make, (new_id(),))) == "CD013"


def test_an_invitation_too_many_is_not_made_in_two_transactions(team: Team) -> None:
    _limit(team, "invitations", 1)
    group = team.owner.login.rsplit("_", 2)[0]
    invite = "SELECT cd.invite(%s, %s, 'New', '{}', now() + interval '1 day')"
    verifier = verifier_of("x", iterations=4096)
    calls = [(invite, (f"{group}_new{number}_{new_id()[-6:]}", verifier)) for number in range(2)]
    assert _meanwhile(team, calls[0], calls[1]) == "CD013"


def test_changes_too_many_are_not_taken_in_two_projects_at_once(team: Team) -> None:
    here, there = team.project(), team.project()
    _limit(team, "changes_each_minute", 60)
    push = (
        "SELECT count(*) FROM cd.push(%s, %s, 2, (SELECT jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'dseq',"
        " n, 'kind', 'thread', 'op', 'new', 'reg', 'content', 'entity', gen_random_uuid(), 'parents', '[]'::jsonb,"
        " 'hlc', 1, 'body', '{}'::jsonb)) FROM generate_series(%s::int, %s::int) AS n))"
    )
    device = team.owner.device
    assert _meanwhile(team, (push, (here, device, 1, 50)), (push, (there, device, 51, 100))) == "CD013"


@pytest.mark.parametrize("role", ["viewer", None])
def test_pieces_of_a_file_that_are_on_their_way_end_with_the_right_to_send_them(team: Team, role: str | None) -> None:
    project = team.project()
    ed = team.join("ed", **{project: "editor"})
    query = (
        "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) SELECT %s, repeat('a', 64), i, 300, 'x'"
        " FROM generate_series(0, 299) AS i, LATERAL (SELECT pg_sleep(0.1 + 0 * i)) AS s"
    )
    failed = threading.Event()

    def send() -> None:
        try:
            ed.ask(query, project)
        except psycopg.Error:
            failed.set()

    sending = threading.Thread(target=send)
    sending.start()
    with team.database.as_superuser() as root:
        begun = "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND state = 'active'"
        wait_until(lambda: root.execute(begun, [ed.login]).fetchone() is not None)
    team.owner.ask("SELECT cd.set_role(%s, %s, %s)", project, ed.id, role)
    sending.join()
    assert failed.is_set()
    assert team.owner.value("SELECT count(*) FROM cd.blob_chunk") == 0


@pytest.mark.parametrize("is_member", [False, True], ids=["an invitation", "a password"])
def test_whoever_else_came_in_with_a_password_is_out_once_it_is_another(team: Team, is_member: bool) -> None:
    login, password, _member = team.invite("ina")
    new, others = (verifier_of(each, iterations=4096) for each in "yz")
    if is_member:
        with team.database.connect(login, password) as first:
            first.execute("SELECT cd.accept_invite('Ina', %s)", [verifier_of(password)])
    with team.database.connect(login, password) as other, team.database.connect(login, password) as winner:
        if is_member:
            winner.execute("SELECT cd.change_password(%s)", [new])
        else:
            winner.execute("SELECT cd.accept_invite('Ina', %s)", [new])
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT cd.change_password(%s)", [others])
        assert winner.execute("SELECT cd.me()").fetchone() != (None,)
