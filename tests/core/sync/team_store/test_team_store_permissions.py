"""Who may what, by direct SQL: every table and function, for every role, in one's own project and in a foreign one.

The lists here are whole: a table or function that a migration adds is not in them, and the test says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chatdesk.core.sync.members.scram import verifier_of
from tests.helpers.postgres import Cluster, NoPostgres, cluster
from tests.helpers.team_people import Person, Team, some_id

ROLES = ("viewer", "editor", "admin", "owner")
# Tables, and the column that says of which project a row is; None: see the tests.
TABLES = {
    "meta": None,
    "member": None,
    "device": None,
    "project": "id",
    "project_head": "project_id",
    "project_member": "project_id",
    "entity": "project_id",
    "device_count": "project_id",
    "policy": None,
    "rule": None,
    "look_alike": None,
    "turn": None,
    "used": "project_id",
    "change": "project_id",
    "erased_ahead": "project_id",
    "erased_file": "project_id",
    "file_use": "project_id",
    "blob_chunk": "project_id",
    "presence": "project_id",
    "alembic_version": None,
}
# What a member may see of these; the rest is nobody's.
COLUMNS = {"member": "id, display_name, is_owner, status, invited_by, invited_at, accepted_at, removed_at"}
UNREADABLE = {
    "entity",
    "erased_ahead",
    "erased_file",
    "file_use",
    "device_count",
    "rule",
    "look_alike",
    "turn",
    "used",
    "alembic_version",
}
INTERNAL = {
    "now_ms": (),
    "rank": ("'owner'",),
    "need_me": (),
    "need_role": ("%(project)s", "cd.me()"),
    "mode": ("1",),
    "need_proto": ("1",),
    "need_device": ("%(device)s", "cd.me()"),
    "clean_name": ("'x'",),
    "tell": ("%(project)s", "'c:1'"),
    "tell_member": ("%(member)s",),
    "is_uuid": ("'x'",),
    "digest": ("'{}'",),
    "stub": ("'message'", "'new'", "'{}'"),
    "files_of": ("'{}'",),
    "named_by": ("'{}'",),
    "is_erasable": ("%(member)s", "true", "%(member)s", "'thread'", "'new'", "'content'", "'{}'"),
    "may_erase": ("%(project)s", "%(member)s", "true", "'{}'"),
    "erasure_of": ("%(project)s", "%(member)s", "%(member)s", "'thread'", "'new'", "'content'", "'{}'"),
    "erase": ("%(project)s", "%(project)s", "%(member)s", "true", "'{}'"),
    "has_place": ("%(project)s", "%(project)s", "NULL", "false"),
    "use_files": ("%(project)s", "%(project)s", "'message'", "'new'", "'{}'"),
    "count_device": ("%(project)s", "%(device)s", "1"),
    "next_chain": (
        *("''", "%(device)s", "%(device)s", "%(device)s", "%(device)s", "1", "1", "1", "1", "''"),
        *("''", "''", "''", "1::smallint", "''"),
    ),
    "erase_files": ("%(project)s", "'{}'"),
    "remove_unused_files": ("%(project)s", "'{}'"),
    "elsewhere": ("%(project)s", "%(device)s", "'[]'"),
    "enter": ("%(project)s", "%(member)s", "%(device)s", "'[]'"),
    "need_fresh": (),
    "take_turn": ("%(member)s",),
    "end_statements": ("%(member)s",),
    "now_us": (),
    "note_change": (),
    "need_owner": (),
    "lock_project": ("%(project)s", "cd.me()", "1"),
    "lock_workspace": (),
    "name_key": ("'x'",),
    "usage_of": ("%(member)s",),
    "limited": ("'x'",),
    "use_up": ("%(project)s", "%(member)s", "1", "1", "1"),
    "role_in": ("%(project)s", "%(member)s"),
    "presence_in": ("ARRAY[%(project)s]::uuid[]", "%(member)s"),
    "forget_presence": ("%(project)s", "%(member)s", "NULL"),
    "count_piece": (),
    "chain_again": ("%(project)s", "1", "1"),
    "settle_loss": ("%(project)s", "%(project)s", "1"),
    "need_may_invite": ("'{}'",),
    "take_name": ("%(member)s", "'x'"),
    "look": ("'x'",),
    "looks_like": ("'x'", "'x'"),
    "end_backends": ("%(member)s",),
    "clear_removed": ("%(member)s", "NULL"),
    "take_role": ("%(project)s", "%(member)s", "%(member)s"),
    "shut_out": ("%(member)s",),
    "change_role": ("%(project)s", "%(member)s", "'owner'", "%(member)s"),
    "is_last_owner": ("%(project)s", "%(member)s"),
    "may_grant": ("'owner'", "NULL", "'owner'"),
    "make_login": ("'cd_000000_eve1'", "%(verifier)s", "'infinity'"),
    "need_verifier": ("%(verifier)s",),
}
# (arguments, what each role meets in its own project) - "ok" or a state; the last is what strangers meet.
FUNCTIONS: dict[str, tuple[tuple[str, ...], tuple[str, str, str, str], str]] = {
    "me": ((), ("ok",) * 4, "ok"),
    "my_projects": ((), ("ok",) * 4, "ok"),
    "my_projects_and_ended": ((), ("ok",) * 4, "ok"),
    "my_writable": ((), ("ok",) * 4, "ok"),
    "my_peers": ((), ("ok",) * 4, "ok"),
    "is_workspace_owner": ((), ("ok",) * 4, "ok"),
    "tokens": (("'5'",), ("ok",) * 4, "ok"),
    "workspace": ((), ("ok",) * 4, "ok"),
    "hello": (("%(device)s", "'x'", "'1'", "2"), ("ok",) * 4, "ok"),
    "view_since": (("%(device)s", "2", "0"), ("ok",) * 4, "ok"),
    "acknowledge": (("%(device)s", "'{}'"), ("ok",) * 4, "ok"),
    "push": (("%(project)s", "%(device)s", "2", "'[]'"), ("ok",) * 4, "CD005"),
    "poke": (("%(project)s",), ("ok",) * 4, "CD005"),
    "create_project": (("%(project)s",), ("CD010", "CD010", "CD010", "ok"), "CD010"),
    "end_project": (("%(project)s",), ("CD007", "CD007", "CD007", "ok"), "CD005"),
    "erase_project": (("%(project)s",), ("CD007", "CD007", "CD007", "ok"), "CD005"),
    "accept_loss": (("%(project)s", "'[]'", "1"), ("CD007", "CD007", "CD007", "CD015"), "CD005"),
    "tidy": (("%(project)s", "30"), ("CD007", "CD007", "ok", "ok"), "CD005"),
    "set_role": (("%(project)s", "%(victim)s", "'viewer'"), ("CD007", "CD007", "ok", "ok"), "CD005"),
    "leave_project": (("%(project)s",), ("ok", "ok", "ok", "ok"), "CD005"),
    "set_presence": (("%(project)s", "%(device)s", "NULL", "'here'"), ("ok",) * 4, "CD005"),
    "invite": (
        ("%(login)s", "%(verifier)s", "'New'", "%(roles)s::jsonb", "%(until)s"),
        ("CD007",) * 4,
        "CD007",
    ),
    "accept_invite": (("'Name'", "%(verifier)s"), ("CD011",) * 4, "CD011"),
    "change_password": (("%(verifier)s",), ("ok",) * 4, "ok"),
    "rename_me": (("'Name'",), ("ok",) * 4, "ok"),
    "rename_workspace": (("'Mine'",), ("CD007",) * 4, "CD007"),
    "remove_device": (("%(others_device)s",), ("CD006",) * 4, "CD006"),
    "remove_member": (("%(victim)s",), ("CD007",) * 4, "CD007"),
    "set_workspace_owner": (("%(member)s", "true"), ("CD007",) * 4, "CD007"),
    "end_connections": (("%(victim)s",), ("CD007",) * 4, "CD007"),
    "blockers": ((), ("ok",) * 4, "ok"),
    "set_policy": (("'{}'",), ("CD007",) * 4, "CD007"),
    "disconnect_removed": ((), ("ok",) * 4, "ok"),
    "discard_broken_file": (("%(project)s", "'x'"), ("CD007", "ok", "ok", "ok"), "CD005"),
}


@dataclass
class Desk:
    """Two projects of one workspace with one person of each role in each; rows of every table in both."""

    team: Team
    here: str
    there: str
    people: dict[str, Person]
    strangers: dict[str, Person]
    victim: Person
    invited: tuple[str, str, str]
    secrets: dict[str, str]


@pytest.fixture(
    params=((15, 0), (16, 0), (18, 0), (18, 16)), ids=lambda each: f"{each[0]}-in-{each[1]}", scope="module"
)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """By version of PostgreSQL, and into how many partitions the tables are divided."""
    version, partitions = request.param
    try:
        server: Cluster = cluster(version)
    except NoPostgres as none:
        pytest.skip(str(none))
    database = server.workspace_database(partitions=partitions)
    team = Team(database)
    here, there = team.project(), team.project()
    people = {role: team.join(f"{role}_h", **{here: role}) for role in ROLES}
    strangers = {role: team.join(f"{role}_t", **{there: role}) for role in ROLES}
    victim = team.join("victim", **{here: "viewer", there: "viewer"})
    invited = team.invite("ina", **{here: "owner"})
    secrets = {}
    for project, owner in ((here, people["owner"]), (there, strangers["owner"])):
        secrets[project] = f"secret of {project}"
        thread = owner.thread(project)
        owner.push(project, owner.row("message", "new", some_id(), {"thread_id": thread, "t": secrets[project]}))
        owner.ask(
            "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 2, %b)",
            *(project, "a" * 64, secrets[project].encode()),
        )
        owner.ask("SELECT cd.set_presence(%s, %s, NULL, 'here')", project, owner.device)
    yield Desk(team, here, there, people, strangers, victim, invited, secrets)
    team.close()
    server.drop(database)


@pytest.fixture(autouse=True)
def undone(desk: Desk) -> Iterator[None]:
    """Every statement of a test is a transaction that is rolled back."""
    for person in desk.team.people:
        person.conn.autocommit = False
    yield
    for person in desk.team.people:
        person.conn.rollback()
        person.conn.autocommit = True


def outcome(person: Person, query: str, values: dict[str, Any] | None = None) -> tuple[str, list[tuple[Any, ...]]]:
    try:
        cursor = person.conn.execute(query.encode(), values)
        return "ok", cursor.fetchall() if cursor.description is not None else []
    except psycopg.Error as error:
        return error.sqlstate or "", []
    finally:
        person.conn.rollback()


def test_the_lists_are_whole(desk: Desk) -> None:
    with desk.team.database.as_superuser() as root:
        tables = root.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'cd'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        ).fetchall()
        functions = root.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'cd'::regnamespace").fetchall()
    assert {row[0] for row in tables} == set(TABLES)
    assert {row[0] for row in functions} == set(INTERNAL) | set(FUNCTIONS)
    assert len(functions) == len(INTERNAL) + len(FUNCTIONS)


def test_partitions_are_reached_through_their_table_only(desk: Desk) -> None:
    with desk.team.database.as_superuser() as root:
        parts = root.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'cd'::regnamespace AND relispartition AND relkind = 'r'"
        ).fetchall()
        open_ones = root.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'cd'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
    assert open_ones == []
    for (part,) in parts:
        assert outcome(desk.people["owner"], f"SELECT * FROM cd.{part}")[0] == "42501"


@pytest.mark.parametrize("role", ROLES)
def test_each_reads_own_projects_and_nothing_of_foreign_ones(desk: Desk, role: str) -> None:
    person = desk.people[role]
    for table, column in TABLES.items():
        found, rows = outcome(person, f"SELECT {COLUMNS.get(table, '*')} FROM cd.{table}")
        assert found == ("42501" if table in UNREADABLE else "ok"), table
        if table in COLUMNS:
            assert outcome(person, f"SELECT * FROM cd.{table}")[0] == "42501"
        if column is None or table in UNREADABLE:
            continue
        found, projects = outcome(person, f"SELECT DISTINCT {column}::text FROM cd.{table}")
        assert projects == [(desk.here,)], table
        assert desk.secrets[desk.there] not in repr(rows)
    _found, devices = outcome(person, "SELECT member_id::text FROM cd.device")
    assert devices == [(person.id,)]
    _found, members = outcome(person, "SELECT id::text FROM cd.member")
    known = {desk.team.owner.id, desk.victim.id, desk.invited[2], *(each.id for each in desk.people.values())}
    assert {row[0] for row in members} == known


@pytest.mark.parametrize("role", ROLES)
def test_all_writes_go_through_functions(desk: Desk, role: str) -> None:
    person = desk.people[role]
    with desk.team.database.as_superuser() as root:
        columns = {
            table: [
                row[0]
                for row in root.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [f"cd.{table}"]
                )
            ]
            for table in TABLES
        }
    for table, names in columns.items():
        for query in (
            f"INSERT INTO cd.{table} DEFAULT VALUES",
            f"INSERT INTO cd.{table} SELECT * FROM cd.{table}",
            f"UPDATE cd.{table} SET {names[0]} = {names[0]}",
            f"DELETE FROM cd.{table}",
            f"TRUNCATE cd.{table}",
            f"SELECT * FROM cd.{table} FOR UPDATE",
            f"LOCK TABLE cd.{table} IN ACCESS EXCLUSIVE MODE",
            f"ALTER TABLE cd.{table} DISABLE ROW LEVEL SECURITY",
            f"DROP TABLE cd.{table}",
            f"CREATE POLICY eve ON cd.{table} USING (true)",
            f"MERGE INTO cd.{table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
        ):
            assert outcome(person, query)[0] == "42501", query


@pytest.mark.parametrize("role", ROLES)
def test_pieces_of_files_are_brought_by_writers_into_their_own_projects(desk: Desk, role: str) -> None:
    person = desk.people[role]
    query = "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%(p)s, %(h)s, 1, 2, 'x')"
    expected = "42501" if role == "viewer" else "ok"
    assert outcome(person, query, {"p": desk.here, "h": "a" * 64})[0] == expected
    assert outcome(person, query, {"p": desk.there, "h": "a" * 64})[0] == "42501"
    dated = query.replace("(project_id", "(at, project_id").replace("(%(p)s", "(now(), %(p)s")
    assert outcome(person, dated, {"p": desk.here, "h": "a" * 64})[0] == "42501"


@pytest.mark.parametrize("role", ROLES)
def test_functions_do_what_the_role_permits_and_nothing_in_foreign_projects(desk: Desk, role: str) -> None:
    person, place = desk.people[role], ROLES.index(role)
    for name, (arguments, own, foreign) in FUNCTIONS.items():
        query = f"SELECT cd.{name}({', '.join(arguments)})"
        for project, expected in ((desk.here, own[place]), (desk.there, foreign)):
            values = {
                "project": project,
                "device": person.device,
                "others_device": desk.victim.device,
                "member": person.id,
                "victim": desk.victim.id,
                "login": f"cd_000000_{some_id()[:8]}",
                "verifier": verifier_of("x"),
                "roles": f'{{"{project}": "viewer"}}',
                "until": datetime.now(UTC) + timedelta(days=1),
            }
            assert outcome(person, query, values)[0] == expected, (name, project == desk.here)


@pytest.mark.parametrize("role", ["owner"])
def test_internal_functions_cannot_be_called(desk: Desk, role: str) -> None:
    person = desk.people[role]
    values = {
        "project": desk.here,
        "device": person.device,
        "member": person.id,
        "verifier": verifier_of("x"),
    }
    for name, arguments in INTERNAL.items():
        assert outcome(person, f"SELECT cd.{name}({', '.join(arguments)})", values)[0] == "42501", name


def test_only_active_members_read_and_call_functions(desk: Desk) -> None:
    login, password, _member = desk.invited
    with desk.team.database.connect(login, password) as conn:
        for table in set(TABLES) - UNREADABLE:
            assert conn.execute(f"SELECT {COLUMNS.get(table, '*')} FROM cd.{table}".encode()).fetchall() == [], table
        for query in (
            f"SELECT cd.push('{desk.here}', '{some_id()}', 2, '[]')",
            f"SELECT cd.create_project('{some_id()}')",
            f"SELECT cd.hello('{some_id()}', 'x', '1', 2)",
            f"SELECT cd.end_project('{desk.here}')",
            "SELECT cd.change_password('x')",
        ):
            with pytest.raises(psycopg.Error) as caught:
                conn.execute(query.encode())
            assert caught.value.sqlstate == "CD003", query


def test_the_account_of_the_database_reads_nothing(desk: Desk) -> None:
    database = desk.team.database
    with database.connect(database.account, database.account_password) as conn:
        for query in ("SELECT * FROM cd.change", "SELECT cd.me()", "DELETE FROM cd.change", "SELECT cd.my_projects()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(query.encode())


def test_nobody_makes_anything_of_their_own_or_becomes_somebody_else(desk: Desk) -> None:
    person, other = desk.people["owner"], desk.strangers["owner"]
    for query in (
        "CREATE TEMP TABLE member (id uuid)",
        "CREATE TABLE public.t (n int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION cd.me2() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE eve",
        f"ALTER ROLE {other.login} PASSWORD 'x'",
        f"GRANT {other.login} TO {person.login}",
        f"SET ROLE {other.login}",
        f"SET ROLE {person.login[:9]}_owner",
        "SET ROLE postgres",
        f"SET SESSION AUTHORIZATION {other.login}",
        "SET row_security = off; SELECT * FROM cd.change",
        "COPY cd.change FROM STDIN",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "ALTER FUNCTION cd.me() OWNER TO CURRENT_USER",
        "CREATE OR REPLACE FUNCTION cd.me() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    ):
        assert outcome(person, query)[0] == "42501", query
    found, rows = outcome(person, f"SET ROLE {person.login[:9]}; SELECT cd.me()::text")
    assert (found, rows) in (("ok", [(person.id,)]), ("ok", []))  # the group's role changes nothing of who one is


def test_questions_that_fail_on_purpose_tell_nothing_of_foreign_rows(desk: Desk) -> None:
    person = desk.people["owner"]
    for query in (
        "SELECT * FROM cd.change WHERE 1 / (CASE WHEN body::text LIKE '%secret of {there}%' THEN 0 ELSE 1 END) = 0",
        "SELECT * FROM cd.change WHERE 1 / (CASE WHEN project_id = '{there}' THEN 0 ELSE 1 END) = 0",
        "SELECT * FROM cd.project WHERE 1 / (CASE WHEN id = '{there}' THEN 0 ELSE 1 END) = 0",
        "SELECT (body->>'t')::int FROM cd.change WHERE project_id = '{there}'",
        "SELECT convert_from(data, 'UTF8')::int FROM cd.blob_chunk WHERE project_id = '{there}'",
        "SELECT * FROM cd.project_member WHERE project_id = '{there}' AND role::int > 0",
        "SELECT id FROM cd.member WHERE 1 / (CASE WHEN display_name LIKE '%\\_t' THEN 0 ELSE 1 END) = 0",
        "SELECT count(*) FROM cd.team_usage WHERE project_id = '{there}' HAVING count(*) > 0",
    ):
        found, rows = outcome(person, query.replace("{there}", desk.there))
        assert (found, rows) == ("ok", []), query


def test_what_a_leaky_function_and_shadowing_tables_see(desk: Desk) -> None:
    """With TEMP, which set-up takes away, given back on purpose."""
    person = desk.people["viewer"]
    database = desk.team.database
    with database.as_superuser() as root:
        root.execute(f"GRANT TEMP ON DATABASE {database.name} TO PUBLIC".encode())
    heard: list[str] = []
    try:
        with database.connect(person.login, person.password) as conn:
            conn.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
            conn.execute(
                b"CREATE FUNCTION pg_temp.leak(jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
                b" $f$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $f$"
            )
            seen = conn.execute("SELECT count(*) FROM cd.change WHERE pg_temp.leak(body)").fetchone()
            assert seen == (2,)
            assert desk.secrets[desk.here] in "".join(heard)
            assert desk.secrets[desk.there] not in "".join(heard)
            for table in ("member", "project_member", "project", "meta"):
                conn.execute(f"CREATE TEMP TABLE {table} AS SELECT {COLUMNS.get(table, '*')} FROM cd.{table}".encode())
            conn.execute(
                "INSERT INTO pg_temp.project_member (project_id, member_id, role, added_at)"
                " SELECT %s, cd.me(), 'owner', now()",
                [desk.there],
            )
            conn.execute("CREATE FUNCTION pg_temp.now_ms() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'")
            conn.execute("SET search_path = pg_temp, cd")
            assert conn.execute("SELECT DISTINCT project_id::text FROM cd.change").fetchall() == [(desk.here,)]
            with pytest.raises(psycopg.Error) as caught:
                conn.execute("SELECT cd.push(%s, %s, 2, '[]')", [desk.there, person.device])
            assert caught.value.sqlstate == "CD005"
    finally:
        with database.as_superuser() as root:
            root.execute(f"REVOKE TEMP ON DATABASE {database.name} FROM PUBLIC".encode())


def test_a_connection_that_a_pool_gives_to_another_member_shows_that_member_s_rows(desk: Desk) -> None:
    """Also with statements that were prepared, and planned, for the member before."""
    query = "SELECT DISTINCT project_id::text FROM cd.change WHERE seq > %s"
    with desk.team.database.as_superuser() as pooled:
        for _round in range(3):
            for person, expected in (
                (desk.people["editor"], [(desk.here,)]),
                (desk.strangers["viewer"], [(desk.there,)]),
            ):
                pooled.execute(f"SET SESSION AUTHORIZATION {person.login}".encode())
                for _again in range(3):
                    assert pooled.execute(query, [0], prepare=True).fetchall() == expected
                found = pooled.execute("SELECT cd.me()::text", prepare=True).fetchone()
                assert found == (person.id,)
                pooled.execute("RESET SESSION AUTHORIZATION")


def test_a_pool_that_only_sets_a_role_shows_nothing_of_it(desk: Desk) -> None:
    """A member is who logged in: a shared login that switches roles is no member."""
    person = desk.people["owner"]
    with desk.team.database.as_superuser() as pooled:
        pooled.execute(f"SET ROLE {person.login}".encode())
        assert pooled.execute("SELECT * FROM cd.change").fetchall() == []
        assert pooled.execute("SELECT cd.me()").fetchone() == (None,)
