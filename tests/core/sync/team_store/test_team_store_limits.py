"""How much each may do, who may invite, and by which names they go: settings of the workspace, held by its server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import PushStatus, WireChange
from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import setup
from chatdesk.core.sync.team_store.administration import Administration
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.team_attack_locks import state_of
from tests.helpers.team_people import Person, Team, some_id


def allow(team: Team, **policy: object) -> None:
    team.owner.ask("SELECT cd.set_policy(%s::jsonb)", json.dumps(policy))


def asks(person: Person, query: str, *values: object) -> str:
    return state_of(lambda: person.ask(query, *values))


@pytest.fixture
def ben(team: Team) -> Person:
    return team.join("ben")


@pytest.fixture
def project(team: Team, ben: Person) -> str:
    made = team.project()
    team.owner.ask("SELECT cd.set_role(%s, %s, 'editor')", made, ben.id)
    return made


@pytest.fixture
def store(team: Team, ben: Person) -> Iterator[TeamStore]:
    made = connect(replace(team.database.address, user=ben.login), ben.password)
    made.hello(ben.device, name="x", version="1")
    yield made
    made.close()


def thread(dseq: int, *, letters: int = 1) -> WireChange:
    return WireChange(
        new_id(), dseq, "thread", "new", new_id(), "content", (), 1 << 16, json.dumps({"t": "x" * letters})
    )


# -- how much --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["bytes_each", "bytes_project"])
def test_text_of_a_day_is_limited_for_a_member_and_for_a_project(
    team: Team, store: TeamStore, ben: Person, project: str, limit: str
) -> None:
    allow(team, **{limit: 1_000_000})
    [taken] = store.push(project, ben.device, [thread(1, letters=900_000)])
    assert taken.status is PushStatus.OK
    with pytest.raises(errors.TeamLimited) as caught:
        store.push(project, ben.device, [thread(2), thread(3, letters=200_000)])
    assert (caught.value.limit, caught.value.is_passing) == (limit, True)
    assert ben.value("SELECT seq FROM cd.project_head") == 1  # all of a push or nothing
    other = team.project()
    by_owner = (
        team.owner.push(project, team.owner.row("thread", "new", some_id(), {"t": "x" * 200_000}))
        if limit == "bytes_each"
        else team.owner.push(other, team.owner.row("thread", "new", some_id(), {}))
    )
    assert by_owner == ["ok"]


def test_yesterday_s_use_and_the_minute_s_before_do_not_count(team: Team, ben: Person, project: str) -> None:
    allow(team, changes_each_minute=60)
    rows = [ben.row("thread", "new", some_id(), {}) for _ in range(61)]
    with team.database.as_superuser() as root:
        while True:
            # Both pushes have to be of one minute.
            root.execute("DELETE FROM cd.used")
            first, second = datetime.now(UTC), None
            assert ben.push(project, *rows[:60])[0] in ("ok", "dup")
            found = state_of(lambda: ben.push(project, ben.row("thread", "new", some_id(), {})))
            second = datetime.now(UTC)
            if first.minute == second.minute:
                break
        assert found == "CD013"
        root.execute("UPDATE cd.used SET minute = minute - interval '1 minute'")
        assert ben.push(project, rows[60]) == ["ok"]
        allow(team, bytes_each=1_000_000)
        root.execute("UPDATE cd.used SET bytes = 1000000, minute = minute - interval '1 hour'")
        assert state_of(lambda: ben.push(project, ben.row("thread", "new", some_id(), {}))) == "CD013"
        root.execute("UPDATE cd.used SET day = day - 1")
        assert ben.push(project, ben.row("thread", "new", some_id(), {})) == ["ok"]


@pytest.mark.parametrize("limit", ["file_bytes_each", "file_bytes_project"])
def test_files_of_a_day_are_limited_however_they_are_put_there(
    team: Team, store: TeamStore, ben: Person, project: str, limit: str
) -> None:
    allow(team, **{limit: 1_000_000})
    store.chunks.put(project, "a" * 64, 0, 3, b"x" * 900_000)
    store.chunks.put(project, "a" * 64, 0, 3, b"x" * 900_000)  # is there already, and takes no room
    with pytest.raises(errors.TeamLimited) as caught:
        store.chunks.put(project, "a" * 64, 1, 3, b"x" * 200_000)
    assert caught.value.limit == limit
    query = "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 2, 3, %b)"
    assert asks(ben, query, project, "a" * 64, b"x" * 200_000) == "CD013"
    assert asks(team.owner, query, project, "a" * 64, b"x" * 200_000) == (
        "ok" if limit == "file_bytes_each" else "CD013"
    )


def test_members_invitations_and_projects_are_limited_in_number(team: Team, ben: Person) -> None:
    allow(team, projects_each=1, invitations=1)
    team.project(ben)
    assert asks(ben, "SELECT cd.create_project(%s)", new_id()) == "CD013"
    login, password, _member = team.invite("cleo")
    assert state_of(lambda: team.invite("dora")) == "CD013"
    allow(team, members=2)
    with team.database.connect(login, password) as cleo, pytest.raises(psycopg.Error) as caught:
        cleo.execute("SELECT cd.accept_invite('cleo', %s)", [verifier_of("x")])
    assert caught.value.sqlstate == "CD013"
    allow(team, members=3)
    with team.database.connect(login, password) as cleo:
        cleo.execute("SELECT cd.accept_invite('cleo', %s)", [verifier_of("x")])


def test_a_member_has_no_more_connections_than_the_workspace_says(team: Team, ben: Person) -> None:
    allow(team, connections_each=2)
    second = team.again(ben)
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        team.again(ben)
    allow(team, connections_each=3)
    third = team.again(ben)
    for each in (second, third):
        each.conn.close()


def test_settings_are_read_by_members_and_set_by_owners_of_the_workspace(team: Team, ben: Person) -> None:
    address = team.database.address
    with Administration.connect(address, team.database.password) as desk:
        was = desk.policy()
        desk.set_policy(who_invites="admins", members=50)
        assert desk.policy() == replace(was, who_invites="admins", members=50)
        bad: dict[str, object]
        for bad in ({"members": 0}, {"members": "many"}, {"who_invites": "anybody"}, {"one": False}, {"x": 1}):
            with pytest.raises(errors.TeamNotTaken):
                desk.set_policy(**bad)  # type: ignore[arg-type]
        assert desk.policy() == replace(was, who_invites="admins", members=50)
    with Administration.connect(replace(address, user=ben.login), ben.password) as desk:
        assert desk.policy().members == 50
        with pytest.raises(errors.TeamNotAllowed):
            desk.set_policy(members=60)


def test_who_makes_projects_is_a_setting(team: Team, ben: Person) -> None:
    allow(team, who_creates="owners")
    assert asks(ben, "SELECT cd.create_project(%s)", new_id()) == "CD007"
    team.project()


# -- what was prepared -----------------------------------------------------------------------------------------------


def test_invitations_of_who_is_removed_are_withdrawn(team: Team) -> None:
    project = team.project()
    admin = team.join("admin", **{project: "admin"})
    allow(team, who_invites="admins")
    olga = team.owner
    team.owner = admin
    login, password, member = team.invite("eve", **{project: "editor"})
    puppet = team.join("puppet", **{project: "viewer"})
    team.owner = olga
    olga.ask("SELECT cd.remove_member(%s)", admin.id)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        team.database.connect(login, password)
    found = dict(olga.ask("SELECT id::text, status FROM cd.member WHERE invited_by = %s", admin.id))
    assert found == {member: "removed", puppet.id: "active"}  # whom they let in is shown, and for an owner to decide
    with Administration.connect(team.database.address, team.database.password) as desk:
        assert {each.id for each in desk.members() if each.invited_by == admin.id} == {member, puppet.id}


def test_an_invitation_gives_only_what_its_maker_may_still_give(team: Team) -> None:
    project, other = team.project(), team.project()
    admin = team.join("admin", **{project: "admin", other: "admin"})
    allow(team, who_invites="admins")
    olga = team.owner
    team.owner = admin
    login, password, _member = team.invite("eve", **{project: "editor", other: "viewer"})
    team.owner = olga
    olga.ask("SELECT cd.set_role(%s, %s, 'viewer')", project, admin.id)
    with team.database.connect(login, password) as eve:
        eve.execute("SELECT cd.accept_invite('eve', %s)", [verifier_of("x")])
        assert eve.execute("SELECT unnest(cd.my_projects())::text").fetchall() == [(other,)]


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Olga Owner",
        "OLGA OWNER",
        "olga  owner",
        "Ol\u200bga Owner",
        "\u202eOlga Owner",
        "\uff2flga Owner",
        "Olga\u00a0Owner",
        "\u041elga Owner",
        "Olg\u0430 Owner",
        "O lga Owner",
        "OlgaOwner",
        "Olg\u00e0 Owner",
        "Olga\u0301 Owner",
        "OIga Owner",
        "o1ga owner",
        "0LGA OWNER",
        "O\u2113ga \U0001d40ewner",
        "\u039flga \u0555wner",
        "Olga 0w\u0578er",
        "\u041e\u04c0\u0261\u0430 \u041ewn\u0435r",
    ],
)
def test_a_name_that_looks_like_another_is_refused(team: Team, ben: Person, name: str) -> None:
    assert asks(ben, "SELECT cd.rename_me(%s)", name) == "CD014"
    login, password, _member = team.invite("eve")
    with team.database.connect(login, password) as eve, pytest.raises(psycopg.Error) as caught:
        eve.execute("SELECT cd.accept_invite(%s, %s)", [name, verifier_of("x")])
    assert caught.value.sqlstate == "CD014"


@pytest.mark.parametrize(("one", "other"), [("Lan", "Ian"), ("Ольга", "Olga"), ("山田", "田山"), ("が", "か")])
def test_names_that_look_different_are_two(team: Team, ben: Person, one: str, other: str) -> None:
    ben.ask("SELECT cd.rename_me(%s)", one)
    team.join("eve").ask("SELECT cd.rename_me(%s)", other)


def test_every_sign_of_a_name_is_compared_by_its_looks(team: Team) -> None:
    """Unicode's table of confusable signs, row by row."""
    with team.database.as_superuser() as root:
        assert root.execute("SELECT count(*) > 2000 FROM cd.look_alike").fetchone() == (True,)
        assert root.execute("SELECT sign FROM cd.look_alike WHERE NOT cd.looks_like(sign, look)").fetchall() == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (" A\u200b\u200d\ufeffna\u202e ", "Ana"),
        ("A\tn\n\u3000a", "A n a"),
        ("\u05d0\u200f\u05d1", "\u05d0\u05d1"),
        ("José 山田", "José 山田"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_a_name_has_no_invisible_characters(team: Team, ben: Person, name: str, kept: str) -> None:
    ben.ask("SELECT cd.rename_me(%s)", name)
    assert ben.value("SELECT display_name FROM cd.member WHERE id = cd.me()") == kept


@pytest.mark.parametrize("name", ["", " ", "\u200b\u2060", "\u3164", "x" * 201])
def test_an_invisible_name_is_refused(ben: Person, name: str) -> None:
    assert asks(ben, "SELECT cd.rename_me(%s)", name) == "CD009"


def test_a_removed_members_name_is_free(team: Team) -> None:
    team.owner.ask("SELECT cd.remove_member(%s)", team.join("ben").id)
    team.join("BEN".lower())


# -- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("iterations", [1, 4095, 600_001, 9_999_999])
def test_a_verifier_that_would_keep_the_server_busy_or_protects_nothing_is_refused(
    ben: Person, iterations: int
) -> None:
    made = verifier_of("x", iterations=4096).replace("$4096:", f"${iterations}:")
    assert asks(ben, "SELECT cd.change_password(%s)", made) == "CD009"


def test_logins_are_named_after_this_workspace_only(team: Team) -> None:
    query = "SELECT cd.invite(%s, %s, 'Eve', '{}', %s)"
    until = datetime.now(UTC) + timedelta(days=1)
    group = team.owner.value("SELECT grp FROM cd.meta")
    for login in ("cd_ffffff_eve1", f"{group}_owner", f"{group}_Eve1", f"x{group}_eve1", group, f"{group}_e"):
        assert asks(team.owner, query, login, verifier_of("x"), until) == "CD009", login


def test_members_do_not_see_the_logins_and_channels_of_others(team: Team, ben: Person) -> None:
    for column in ("channel", "role_name", "valid_until"):
        assert asks(ben, f"SELECT {column} FROM cd.member") == "42501"
        assert asks(team.owner, f"SELECT {column} FROM cd.member") == "42501"


# -- what only a superuser can take away -----------------------------------------------------------------------------


def test_a_hardened_database_has_neither_large_objects_nor_advisory_locks_and_works(
    team: Team, ben: Person, project: str
) -> None:
    text = (Path(__file__).parents[4] / "packaging" / "team" / "server" / "harden.sql").read_text(encoding="utf-8")
    attempts = (
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_create(0)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
    )
    assert {asks(ben, each) for each in attempts} == {"ok"}
    with team.database.as_superuser() as root:
        root.execute(text.encode())
    assert {asks(ben, each) for each in attempts} == {"42501"}
    assert ben.push(project, ben.row("thread", "new", some_id(), {})) == ["ok"]
    setup.upgrade(team.database.account_address, team.database.account_password)
