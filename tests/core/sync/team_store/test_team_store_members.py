"""Members, roles, devices, presence, attached files and usage on the server."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import psycopg
import pytest

from chatdesk.core.sync.members.scram import verifier_of
from tests.helpers.team_people import Person, Team, some_id
from tests.helpers.waiting import PATIENCE_S

VERIFIER = verifier_of("one-password-of-many")


def state(person: Person, query: str, *values: Any) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        person.ask(query, *values)
    return caught.value.sqlstate


def roles(person: Person, project: str) -> dict[str, str]:
    rows = person.ask("SELECT member_id::text, role FROM cd.project_member WHERE project_id = %s", project)
    return {member: role for member, role in rows if role is not None}


def set_role(person: Person, project: str, member: Person, role: str | None) -> str | None:
    try:
        person.ask("SELECT cd.set_role(%s, %s, %s)", project, member.id, role)
    except psycopg.Error as error:
        return error.sqlstate
    return "ok"


def test_who_is_invited_sees_nothing_until_they_accept(team: Team) -> None:
    project = team.project()
    login, password, member = team.invite("anna", **{project: "editor"})
    with team.database.connect(login, password) as anna:
        for table in ("meta", "device", "project", "project_head", "project_member", "change", "presence"):
            assert anna.execute(f"SELECT * FROM cd.{table}".encode()).fetchall() == []
        assert anna.execute("SELECT id FROM cd.member").fetchall() == []
        assert anna.execute("SELECT cd.me()").fetchone() == (None,)
        said = anna.execute("SELECT cd.workspace()").fetchone()
        assert said is not None
        assert said[0]["workspace_id"] == team.database.workspace_id
        anna.execute("SELECT cd.accept_invite('Anna', %s)", [verifier_of("my own")])
        assert anna.execute("SELECT cd.me()::text").fetchone() == (member,)
        assert anna.execute("SELECT count(*) FROM cd.project").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        team.database.connect(login, password)
    team.database.connect(login, "my own").close()
    with team.database.as_superuser() as root:
        until = root.execute("SELECT rolvaliduntil::text FROM pg_roles WHERE rolname = %s", [login]).fetchone()
    assert until == ("infinity",)


def test_an_invitation_that_has_ended_is_refused(team: Team) -> None:
    login, password, member = team.invite("anna")
    anna = team.database.connect(login, password)
    with team.database.as_superuser() as root:
        root.execute("UPDATE cd.member SET valid_until = now() - interval '1 s' WHERE id = %s", [member])
    with pytest.raises(psycopg.Error) as caught:
        anna.execute("SELECT cd.accept_invite('Anna', %s)", [VERIFIER])
    assert caught.value.sqlstate == "CD003"
    anna.close()


IMPOSSIBLE: tuple[dict[str, Any], ...] = (
    {"login": "postgres"},
    {"login": "cd_0000001_x"},
    {"login": 'cd_000000_x"; DROP'},
    {"login": None},
    {"login": "cd_000000_owner"},
    {"verifier": "clear"},
    {"verifier": None},
    {"verifier": VERIFIER + "' SUPERUSER"},
    {"name": " \x07 "},
    {"name": "x" * 201},
    {"roles": "[]"},
    {"roles": "null"},
    {"days": -1},
    {"days": 90},
)


def test_an_invitation_that_cannot_be_is_refused(team: Team) -> None:
    query = "SELECT cd.invite(%s, %s, %s, %s::jsonb, %s)"
    for given in IMPOSSIBLE:
        values = {"login": "cd_000000_anna", "verifier": VERIFIER, "name": "Anna", "roles": "{}", "days": 7, **given}
        until = datetime.now(UTC) + timedelta(days=values.pop("days"))
        assert state(team.owner, query, *values.values(), until) == "CD009", given
    assert team.owner.value("SELECT count(*) FROM cd.member") == 1


def test_an_existing_login_is_not_given_to_another_person(team: Team) -> None:
    anna = team.join("anna")
    until = datetime.now(UTC) + timedelta(days=1)
    query = "SELECT cd.invite(%s, %s, 'Eve', '{}', %s)"
    assert state(team.owner, query, anna.login, VERIFIER, until) == "CD010"


def test_who_manages_a_project_invites_into_it_and_nowhere_else(team: Team) -> None:
    project, other = team.project(), team.project()
    admin = team.join("admin", **{project: "admin"})
    editor = team.join("editor", **{project: "editor"})
    until = datetime.now(UTC) + timedelta(days=1)
    query = "SELECT cd.invite(%s, %s, 'New', %s::jsonb, %s)"
    group = team.owner.value("SELECT grp FROM cd.meta")

    def invite(person: Person, roles: str) -> str | None:
        login = f"{group}_{some_id()[:8]}"
        try:
            person.ask(query, login, VERIFIER, roles, until)
        except psycopg.Error as error:
            return error.sqlstate
        return "ok"

    assert invite(admin, f'{{"{project}": "editor"}}') == "CD007"
    team.owner.ask("SELECT cd.set_policy(%s::jsonb)", '{"who_invites": "admins"}')
    assert invite(admin, f'{{"{project}": "editor"}}') == "ok"
    assert invite(admin, f'{{"{project}": "admin"}}') == "CD007"
    assert invite(admin, f'{{"{project}": "king"}}') == "CD009"
    assert invite(admin, f'{{"{other}": "viewer"}}') == "CD005"
    assert invite(admin, "{}") == "CD007"
    assert invite(editor, f'{{"{project}": "viewer"}}') == "CD007"
    assert invite(team.owner, "{}") == "ok"


def test_roles_are_given_by_those_above(team: Team) -> None:
    project = team.project()
    admin, other, editor, viewer = (
        team.join(name, **{project: role})
        for name, role in (("a", "admin"), ("b", "admin"), ("e", "editor"), ("v", "viewer"))
    )
    stranger = team.join("s")
    assert set_role(editor, project, viewer, "editor") == "CD007"
    assert set_role(viewer, project, editor, None) == "CD007"
    assert set_role(stranger, project, viewer, None) == "CD005"
    assert set_role(admin, project, viewer, "editor") == "ok"
    assert set_role(admin, project, viewer, "admin") == "CD007"
    assert set_role(admin, project, other, "viewer") == "CD007"
    assert set_role(admin, project, team.owner, None) == "CD007"
    assert set_role(admin, project, admin, "owner") == "CD007"
    assert set_role(admin, project, viewer, "king") == "CD009"
    assert set_role(admin, project, viewer, None) == "ok"
    assert set_role(team.owner, project, team.owner, "admin") == "CD008"
    assert set_role(team.owner, project, admin, "owner") == "ok"
    assert set_role(team.owner, project, team.owner, "admin") == "ok"
    assert roles(admin, project) == {admin.id: "owner", other.id: "admin", editor.id: "editor", team.owner.id: "admin"}


def test_who_loses_a_role_sees_nothing_at_once_and_listens_in_vain(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    anna.thread(project)
    before = anna.value("SELECT channel FROM cd.project")
    assert set_role(team.owner, project, anna, None) == "ok"
    for table in ("project", "project_head", "project_member", "change"):
        assert anna.ask(f"SELECT * FROM cd.{table}") == []
    assert team.owner.value("SELECT channel FROM cd.project") != before
    assert team.owner.ask("SELECT display_name FROM cd.member WHERE id = %s", anna.id) == [("anna",)]


def test_changes_of_roles_are_told_to_members_and_to_whom_they_concern(team: Team) -> None:
    project = team.project()
    anna = team.join("anna")
    channels = {anna.hello()["channel"]: "anna"}
    channels[team.owner.value("SELECT channel FROM cd.project")] = "project"
    with team.database.connect(anna.login, anna.password) as listener:
        for channel in channels:
            listener.execute(f"LISTEN {channel}".encode())
        set_role(team.owner, project, anna, "viewer")
        heard = {channels[note.channel] for note in listener.notifies(timeout=PATIENCE_S, stop_after=2)}
    assert heard == {"anna", "project"}


def test_a_project_can_be_left_but_not_by_its_last_owner(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "viewer"})
    assert state(team.owner, "SELECT cd.leave_project(%s)", project) == "CD008"
    anna.ask("SELECT cd.leave_project(%s)", project)
    assert anna.ask("SELECT * FROM cd.project") == []
    assert state(anna, "SELECT cd.leave_project(%s)", project) == "CD005"
    team.invite("never", **{project: "owner"})
    assert state(team.owner, "SELECT cd.leave_project(%s)", project) == "CD008"
    team.join("bea", **{project: "owner"})
    team.owner.ask("SELECT cd.leave_project(%s)", project)


def test_a_project_is_ended_by_an_owner_and_its_log_is_closed(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "admin"})
    anna.thread(project)
    assert state(anna, "SELECT cd.end_project(%s)", project) == "CD007"
    team.owner.ask("SELECT cd.end_project(%s)", project)
    assert anna.ask("SELECT id::text, deleted_at IS NOT NULL FROM cd.project") == [(project, True)]
    assert anna.ask("SELECT * FROM cd.change") == []
    assert state(anna, "SELECT cd.poke(%s)", project) == "CD004"


def test_a_project_that_was_ended_is_shared_again_with_its_log_and_without_the_others(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna = team.join("anna", **{project: "admin"})
    olga.thread(project)
    olga.ask("SELECT cd.end_project(%s)", project)
    assert state(anna, "SELECT cd.create_project(%s)", project) == "CD010"
    olga.ask("SELECT cd.create_project(%s)", project)
    assert olga.value("SELECT count(*) FROM cd.change") == 1
    assert anna.ask("SELECT * FROM cd.project") == []
    olga.ask("SELECT cd.create_project(%s)", project)
    assert roles(olga, project) == {olga.id: "owner"}


def test_a_removed_member_is_out_at_once(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    again = team.again(anna)
    team.owner.ask("SELECT cd.remove_member(%s)", anna.id)
    assert team.owner.value("SELECT cd.disconnect_removed()") == 0
    for each in (anna, again):
        with pytest.raises(psycopg.OperationalError):
            each.ask("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        team.database.connect(anna.login, anna.password)
    assert team.owner.ask("SELECT status FROM cd.member WHERE id = %s", anna.id) == [("removed",)]
    assert roles(team.owner, project) == {team.owner.id: "owner"}
    assert state(team.owner, "SELECT cd.set_role(%s, %s, 'viewer')", project, anna.id) == "CD009"


def test_projects_of_a_removed_member_go_to_the_member_with_most_rights(team: Team) -> None:
    anna, ben, cora = (team.join(name) for name in ("anna", "ben", "cora"))
    shared, alone = team.project(anna), team.project(anna)
    for member, role in ((ben, "editor"), (cora, "admin")):
        anna.ask("SELECT cd.set_role(%s, %s, %s)", shared, member.id, role)
    team.owner.ask("SELECT cd.remove_member(%s)", anna.id)
    assert roles(cora, shared) == {ben.id: "editor", cora.id: "owner"}
    with team.database.as_superuser() as root:
        rows = root.execute("SELECT id::text FROM cd.project WHERE deleted_at IS NOT NULL").fetchall()
    assert rows == [(alone,)]


def test_members_are_removed_by_owners_of_the_workspace_or_by_themselves(team: Team) -> None:
    anna, ben = team.join("anna"), team.join("ben")
    assert state(anna, "SELECT cd.remove_member(%s)", ben.id) == "CD007"
    assert state(team.owner, "SELECT cd.remove_member(%s)", team.owner.id) == "CD008"
    assert state(team.owner, "SELECT cd.remove_member(%s)", some_id()) == "CD009"
    assert state(anna, "SELECT cd.set_workspace_owner(%s, true)", anna.id) == "CD007"
    assert state(team.owner, "SELECT cd.set_workspace_owner(%s, false)", team.owner.id) == "CD008"
    assert state(team.owner, "SELECT cd.set_workspace_owner(%s, true)", some_id()) == "CD009"
    team.owner.ask("SELECT cd.set_workspace_owner(%s, true)", anna.id)
    team.owner.ask("SELECT cd.remove_member(%s)", team.owner.id)
    ben.ask("SELECT cd.remove_member(%s)", ben.id)
    assert [row[0] for row in anna.ask("SELECT display_name FROM cd.member WHERE status = 'active'")] == ["anna"]


def test_names_and_passwords_are_one_s_own(team: Team) -> None:
    anna = team.join("anna")
    anna.ask("SELECT cd.rename_me(%s)", " Anna\tMaria ")
    assert team.owner.ask("SELECT display_name FROM cd.member WHERE id = %s", anna.id) == [("Anna Maria",)]
    anna.ask("SELECT cd.change_password(%s)", verifier_of("another"))
    team.database.connect(anna.login, "another").close()
    assert state(anna, "SELECT cd.change_password('another')") == "CD009"
    assert state(anna, "SELECT cd.rename_workspace('Mine')") == "CD007"
    team.owner.ask("SELECT cd.rename_workspace('Ours')")
    assert team.owner.hello()["workspace_name"] == "Ours"


def test_a_device_is_one_member_s(team: Team) -> None:
    anna = team.join("anna")
    assert state(anna, "SELECT cd.hello(%s, 'x', '1', 2)", team.owner.device) == "CD006"
    assert state(anna, "SELECT cd.remove_device(%s)", team.owner.device) == "CD006"
    assert [str(row[0]) for row in anna.ask("SELECT id FROM cd.device")] == [anna.device]
    assert len(team.owner.ask("SELECT id FROM cd.device")) == 2
    team.owner.ask("SELECT cd.remove_device(%s)", anna.device)
    assert anna.ask("SELECT id FROM cd.device WHERE removed_at IS NULL") == []


def test_how_far_a_device_pulled_is_kept_for_its_own_projects_only(team: Team) -> None:
    project, olga = team.project(), team.owner
    olga.ask("SELECT cd.acknowledge(%s, jsonb_build_object(%s::text, 5, %s::text, 7))", olga.device, project, some_id())
    assert olga.value("SELECT acked FROM cd.device WHERE id = %s", olga.device) == {project: 5}
    assert state(olga, "SELECT cd.acknowledge(%s, '[]')", olga.device) == "CD009"
    assert state(olga, "SELECT cd.acknowledge(%s, '{}')", some_id()) == "CD006"


def test_versions_say_who_may_write_and_who_may_read(team: Team) -> None:
    project, olga = team.project(), team.owner
    assert [olga.hello(proto)["mode"] for proto in (0, 1, 2)] == ["blocked", "blocked", "rw"]
    with team.database.as_superuser() as root:
        root.execute("UPDATE cd.meta SET min_write = 3")
    assert [olga.hello(proto)["mode"] for proto in (2, 3)] == ["read_only", "rw"]
    with pytest.raises(psycopg.Error) as caught:
        olga.push(project, proto=2)
    assert caught.value.sqlstate == "CD001"
    assert olga.push(project, olga.row("thread", "new", some_id(), {}), proto=3) == ["ok"]


def heard(listener: psycopg.Connection[Any], team: Team, channel: str) -> list[str]:
    """Return what was notified so far: the server delivers in the order of commits, so a last one ends it."""
    with team.database.as_superuser() as root:
        root.execute("SELECT pg_notify(%s, 'end')", [channel])
    notes = (note.payload for note in listener.notifies(timeout=PATIENCE_S))
    return list(takewhile(lambda payload: payload != "end", notes))


def test_presence_ends_by_the_server_s_clock_and_is_told_when_it_changes(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "viewer"})
    thread = some_id()
    query = "SELECT cd.set_presence(%s, %s, %s, %s)"
    with team.database.connect(team.owner.login, team.owner.password) as listener:
        channel = team.owner.value("SELECT channel FROM cd.project")
        listener.execute(f"LISTEN {channel}".encode())
        for _ in range(3):
            anna.ask(query, project, anna.device, thread, "here")
        anna.ask(query, project, anna.device, thread, "typing")
        assert heard(listener, team, channel) == ["p", "p"]
        rows = team.owner.ask("SELECT member_id::text, thread_id::text, state FROM cd.presence")
        assert rows == [(anna.id, thread, "typing")]
        with team.database.as_superuser() as root:
            root.execute("UPDATE cd.presence SET expires_at = now() - interval '1 s'")
        assert team.owner.ask("SELECT * FROM cd.presence") == []
        anna.ask(query, project, anna.device, thread, "typing")
        anna.ask(query, project, anna.device, None, "gone")
        assert heard(listener, team, channel) == ["p", "p"]
    assert state(anna, query, project, anna.device, None, "away") == "CD009"
    assert state(anna, query, project, team.owner.device, None, "here") == "CD006"


def chunk(person: Person, project: str, sha256: str, idx: int, total: int, data: bytes) -> None:
    person.ask(
        "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, %s, %s, %b)"
        " ON CONFLICT (project_id, sha256, idx) DO NOTHING",
        *(project, sha256, idx, total, data),
    )


def test_files_travel_in_pieces_that_only_writers_bring(team: Team) -> None:
    project = team.project()
    editor, viewer = (team.join(role, **{project: role}) for role in ("editor", "viewer"))
    whole = hashlib.sha256(b"ab").hexdigest()
    chunk(editor, project, whole, 0, 2, b"a")
    chunk(editor, project, whole, 0, 2, b"x")
    chunk(editor, project, whole, 1, 2, b"b")
    rows = viewer.ask("SELECT idx, data FROM cd.blob_chunk ORDER BY idx")
    assert rows == [(0, b"a"), (1, b"b")]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        chunk(viewer, project, whole, 0, 2, b"a")
    for bad in (
        (project, hashlib.sha256(b"c").hexdigest(), 0, 1, b"not c"),
        (project, "../../etc/passwd", 0, 1, b"x"),
        (project, whole, 2, 2, b"x"),
        (project, whole, 0, 5000, b"x"),
        (project, whole, 1, 3, bytes(1024 * 1024 + 1)),
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            chunk(editor, *bad)


def test_a_file_that_is_not_what_it_says_is_removed_and_a_good_one_is_not(team: Team) -> None:
    project = team.project()
    editor, viewer = (team.join(role, **{project: role}) for role in ("editor", "viewer"))
    good, bad = hashlib.sha256(b"ab").hexdigest(), hashlib.sha256(b"cd").hexdigest()
    for name in (good, bad):
        chunk(editor, project, name, 0, 2, b"a")
    query = "SELECT cd.discard_broken_file(%s, %s)"
    assert editor.value(query, project, bad) is False  # still being sent
    for name in (good, bad):
        chunk(editor, project, name, 1, 2, b"b")
    assert editor.value(query, project, good) is False
    assert state(viewer, query, project, bad) == "CD007"
    assert editor.value(query, project, bad) is True
    assert editor.ask("SELECT DISTINCT sha256 FROM cd.blob_chunk") == [(good,)]
    # A good one is not removed by putting something beside it, and what is no file of one size is.
    chunk(editor, project, good, 4, 5, b"x")
    assert editor.value(query, project, good) is False
    assert editor.value("SELECT count(*) FROM cd.blob_chunk WHERE total = 2") == 2
    chunk(editor, project, bad, 0, 2, b"c")
    chunk(editor, project, bad, 1, 3, b"x")
    assert editor.value(query, project, bad) is True


def test_the_usage_view_counts_answers_by_member_model_and_day(team: Team) -> None:
    project, olga = team.project(), team.owner
    other = team.project()
    anna = team.join("anna", **{project: "editor"})
    thread, hidden = olga.thread(project), olga.thread(other)
    answer = {"thread_id": thread, "role": "assistant", "provider": "acme", "model": "big"}
    for tokens in ({"prompt_tokens": 10, "completion_tokens": 5}, {"prompt_tokens": 7, "cached_tokens": 3}):
        anna.push(project, anna.row("message", "new", some_id(), {**answer, **tokens}))
    anna.push(project, anna.row("message", "new", some_id(), {"thread_id": thread, "role": "user", "prompt_tokens": 9}))
    anna.push(project, anna.row("message", "new", some_id(), {**answer, "prompt_tokens": "x", "reasoning_tokens": -5}))
    anna.push(project, anna.row("message", "new", some_id(), {**answer, "prompt_tokens": 10**300}))
    olga.push(
        project, olga.row("summary", "new", some_id(), {"thread_id": thread, "model": "small", "input_tokens": 4})
    )
    olga.push(other, olga.row("message", "new", some_id(), {**answer, "thread_id": hidden, "prompt_tokens": 1}))
    rows = anna.ask(
        "SELECT member, provider, model, kind, answers, prompt_tokens, completion_tokens, cached_tokens,"
        " reasoning_tokens, day FROM cd.team_usage ORDER BY member, kind"
    )
    today = datetime.now(UTC).date()
    assert [row[:-1] for row in rows] == [
        ("Olga Owner", None, "small", "summary", 1, 4, 0, 0, 0),
        ("anna", "acme", "big", "message", 4, 17, 5, 3, 0),
    ]
    assert all(abs((row[-1] - today).days) <= 1 for row in rows)
    assert len(olga.ask("SELECT * FROM cd.team_usage")) == 3


def test_too_many_devices_of_one_member_are_refused(team: Team) -> None:
    with team.database.as_superuser() as root:
        root.execute(
            "INSERT INTO cd.device (id, member_id, name, app_version)"
            " SELECT gen_random_uuid(), %s, 'x', '' FROM generate_series(1, 250)",
            [team.owner.id],
        )
    assert state(team.owner, "SELECT cd.hello(%s, 'x', '1', 2)", some_id()) == "CD009"
    team.owner.hello()


def test_a_server_s_clock_is_told(team: Team) -> None:
    assert abs(team.owner.hello()["server_time_ms"] - time.time() * 1000) < 5000
