"""A workspace in an empty database: what is looked at, set-up in one go, upgrades, on every PostgreSQL that is here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from chatdesk.core.domain.sharing.team import TEAM_SCHEMA
from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.core.sync import errors
from chatdesk.core.sync.members import joining
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import connection, setup, setup_checks, sql_files
from chatdesk.core.sync.team_store.connection import open_connection
from chatdesk.core.sync.team_store.failures import translated
from chatdesk.core.sync.team_store.postgres import connect
from chatdesk.core.texts import shown, use_translation
from tests.helpers.postgres import Cluster, NoPostgres, TeamDatabase, cluster

PASSWORD = "a-secret-of-the-owner"


@pytest.fixture(params=(15, 16, 18))
def each_server(request: pytest.FixtureRequest) -> Cluster:
    try:
        return cluster(request.param)
    except NoPostgres as none:
        pytest.skip(str(none))


@pytest.fixture
def each_empty(each_server: Cluster) -> Iterator[TeamDatabase]:
    made = each_server.empty_database()
    yield made
    each_server.drop(made)


def set_up(
    database: TeamDatabase, workspace_id: str | None = None, *, login: str = "olga", **more: str
) -> TeamDatabase:
    found = workspace_id or str(uuid.uuid4())
    name = f"{setup.role_prefix(found)}_{login}"
    setup.set_up(
        database.account_address,
        database.account_password,
        workspace_id=found,
        name=more.get("name", "Desk"),
        my_name=more.get("my_name", "Olga"),
        login=name,
        verifier=verifier_of(more.get("password", PASSWORD)),
    )
    return replace(database, user=name, password=more.get("password", PASSWORD), workspace_id=found)


def states(checks: tuple[setup_checks.SetupCheck, ...]) -> dict[str, CheckState]:
    return {check.name: check.state for check in checks}


def test_an_empty_database_passes_every_check_on_every_server(each_empty: TeamDatabase) -> None:
    found = states(setup.examine(each_empty.account_address, each_empty.account_password))
    encrypted = CheckState.OK if each_empty.cluster.has_tls else CheckState.WARNING
    assert found.pop("Encryption") is encrypted
    assert set(found.values()) == {CheckState.OK}
    assert len(found) == 7


def test_a_workspace_is_set_up_by_a_login_that_is_no_superuser_on_every_server(each_empty: TeamDatabase) -> None:
    made = set_up(each_empty)
    store = connect(made.address, made.password)
    hello = store.hello(str(uuid.uuid4()), name="laptop", version="1")
    store.close()
    assert (hello.workspace_id, hello.workspace_name, hello.member_name) == (made.workspace_id, "Desk", "Olga")
    assert (hello.mode, hello.is_owner, hello.schema) == ("rw", True, TEAM_SCHEMA)
    with made.as_superuser() as root:
        unforced = root.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'cd'::regnamespace AND relkind = 'r'"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
        owner = root.execute(
            "SELECT r.rolname, r.rolsuper, r.rolcanlogin, r.rolcreaterole, r.rolbypassrls FROM pg_namespace n"
            " JOIN pg_roles r ON r.oid = n.nspowner WHERE nspname = 'cd'"
        ).fetchone()
        public = root.execute(
            "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'cd'::regnamespace"
            " AND EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)"
        ).fetchall()
        loose = root.execute(
            "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'cd'::regnamespace"
            " AND NOT coalesce(p.proconfig::text LIKE '%search_path=cd, pg_temp%', false) AND p.prosqlbody IS NULL"
        ).fetchall()
    assert unforced == []
    assert owner == (f"{setup.role_prefix(made.workspace_id)}_owner", False, False, True, False)
    assert public == []
    assert loose == []


def test_the_login_that_set_it_up_reads_nothing_afterwards(each_empty: TeamDatabase) -> None:
    made = set_up(each_empty)
    with made.connect(made.account, made.account_password) as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT * FROM cd.change")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT cd.me()")


def test_checks_are_shown_in_the_language_of_the_person(empty_database: TeamDatabase) -> None:
    address, password = empty_database.account_address, empty_database.account_password
    refused = replace(address, tls="disable", host="db.example.org")
    checks = (*setup.examine(address, password), *setup.examine(address, "wrong"), *joining.examine(refused, "x"))
    use_translation(lambda source, _about, _count: f"‹{source}›")
    try:
        words = [shown(text) for check in checks for text in (check.name, check.sentence)]
    finally:
        use_translation(None)
    assert len(words) > 16
    assert [each for each in words if not each.startswith("‹")] == []


def test_two_workspaces_of_one_server_do_not_meet(each_server: Cluster) -> None:
    first, second = (set_up(each_server.empty_database()) for _ in range(2))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        first.connect(second.user, second.password)
    for each in (first, second):
        each_server.drop(each)


def test_a_database_with_tables_is_left_as_it_is(empty_database: TeamDatabase) -> None:
    with empty_database.connect() as conn:
        conn.execute("CREATE TABLE mine (n int)")
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Empty database"] is CheckState.FAILED
    assert any("there is 1 table or view in it" in check.sentence for check in checks)
    with pytest.raises(errors.TeamDatabaseNotEmpty):
        set_up(empty_database)
    with empty_database.connect() as conn:
        assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'cd'").fetchone() == (0,)


def test_a_login_without_createrole_is_told_so(empty_database: TeamDatabase) -> None:
    with empty_database.as_superuser() as root:
        root.execute(f"ALTER ROLE {empty_database.account} NOCREATEROLE".encode())
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert "CREATEROLE" in next(check.sentence for check in checks if check.name == "Rights")
    with pytest.raises(errors.TeamNoRightForRoles):
        set_up(empty_database)


def test_a_login_that_does_not_own_the_database_is_told_so(empty_database: TeamDatabase) -> None:
    with empty_database.as_superuser() as root:
        root.execute(f"ALTER DATABASE {empty_database.name} OWNER TO postgres".encode())
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Rights"] is CheckState.FAILED
    with pytest.raises(errors.TeamNoRightForRoles):
        set_up(empty_database)


def test_a_server_that_takes_no_changes_or_keeps_other_text_is_told(empty_database: TeamDatabase) -> None:
    with empty_database.as_superuser() as root:
        root.execute(f"ALTER ROLE {empty_database.account} SET default_transaction_read_only = on".encode())
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Changes"] is CheckState.FAILED
    with pytest.raises(errors.TeamServerReadOnly):
        set_up(empty_database)


def test_a_server_that_is_too_old_is_told_so(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "OLDEST_SERVER", 99)
    monkeypatch.setattr(setup_checks, "OLDEST_SERVER", 99)
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Version"] is CheckState.FAILED
    with pytest.raises(errors.TeamServerTooOld):
        set_up(empty_database)


def test_a_pooler_without_notifications_is_told(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.Connection, "notifies", lambda self, **_options: iter(()))
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Direct connection"] is CheckState.FAILED


def test_few_connections_are_a_warning(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_checks, "_FEW_CONNECTIONS", 10_000)
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert states(checks)["Connections"] is CheckState.WARNING


def test_a_wrong_password_is_the_only_check(empty_database: TeamDatabase) -> None:
    checks = setup.examine(empty_database.account_address, "wrong")
    assert states(checks) == {"Connection": CheckState.FAILED}


def test_a_set_up_that_is_repeated_gives_its_owner_the_new_password(empty_database: TeamDatabase) -> None:
    first = set_up(empty_database)
    again = set_up(empty_database, first.workspace_id, password="another-secret", my_name="Olga O.")
    with pytest.raises(errors.TeamLoginRefused):
        connect(first.address, first.password)
    store = connect(again.address, again.password)
    assert store.hello(str(uuid.uuid4()), name="l", version="1").member_name == "Olga O."
    store.close()


def test_a_set_up_that_is_repeated_with_another_login_closes_the_first(empty_database: TeamDatabase) -> None:
    first = set_up(empty_database)
    again = set_up(empty_database, first.workspace_id, login="other")
    with pytest.raises(errors.TeamLoginClosed):
        connect(first.address, first.password)
    connect(again.address, again.password).close()


def test_a_workspace_that_is_used_is_not_set_up_again(empty_database: TeamDatabase) -> None:
    first = set_up(empty_database)
    store = connect(first.address, first.password)
    store.hello(str(uuid.uuid4()), name="l", version="1")
    store.shares.create(str(uuid.uuid4()))
    store.close()
    with pytest.raises(errors.TeamDatabaseNotEmpty):
        set_up(empty_database, first.workspace_id)
    with pytest.raises(errors.TeamDatabaseNotEmpty):
        set_up(empty_database)
    checks = setup.examine(empty_database.account_address, empty_database.account_password)
    assert "There is a workspace" in next(check.sentence for check in checks if check.name == "Empty database")


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_set_up_that_ends_half_way_was_none(
    empty_database: TeamDatabase, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first file, after the migrations, and after everything but the commit."""
    taken = 0
    run_file, migrate = setup.run_file, setup.migrate

    def count() -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            raise KeyboardInterrupt

    def file_then_die(conn: connection.Connection, name: str) -> None:
        run_file(conn, name)
        count()

    def migrate_then_die(conn: connection.Connection, target: str = "head") -> None:
        migrate(conn, target)
        count()

    with monkeypatch.context() as patch:
        patch.setattr(setup, "run_file", file_then_die)
        patch.setattr(setup, "migrate", migrate_then_die)
        with pytest.raises(KeyboardInterrupt):
            set_up(empty_database, "01234567-89ab-4cde-8f01-23456789abcd")
    with empty_database.as_superuser() as root:
        left = root.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'cd_89abcd%'").fetchall()
    assert left == []
    made = set_up(empty_database)
    connect(made.address, made.password).close()


def test_set_ups_at_once_wait_for_each_other(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_LOCK_S", 1)
    with empty_database.connect(autocommit=False) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [setup.LOCK])
        with pytest.raises(errors.TeamBusy):
            set_up(empty_database)


def test_a_database_without_a_workspace_is_told(empty_database: TeamDatabase) -> None:
    store = connect(empty_database.account_address, empty_database.account_password)
    with pytest.raises(errors.NoWorkspaceThere):
        store.hello(str(uuid.uuid4()), name="l", version="1")
    store.close()
    with pytest.raises(errors.NoWorkspaceThere):
        setup.upgrade(empty_database.account_address, empty_database.account_password)


def test_an_upgrade_without_anything_new_changes_nothing(each_empty: TeamDatabase) -> None:
    made = set_up(each_empty)
    setup.upgrade(made.account_address, made.account_password)
    with made.connect(made.account, made.account_password) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT * FROM cd.change")


def test_a_workspace_of_a_newer_chatdesk_is_not_touched(empty_database: TeamDatabase) -> None:
    made = set_up(empty_database)
    with made.as_superuser() as root:
        root.execute("UPDATE cd.alembic_version SET version_num = '9999'")
    with pytest.raises(errors.TeamServerTooNew):
        setup.upgrade(made.account_address, made.account_password)


def test_statements_are_cut_at_their_ends() -> None:
    text = "-- one;\nSELECT 1;\n\nDO $$\nBEGIN;\nEND;\n$$;\nSELECT ';'\n;\n"
    assert list(sql_files.statements(text)) == ["-- one;\nSELECT 1", "DO $$\nBEGIN;\nEND;\n$$", "SELECT ';'\n"]


def test_a_connection_is_unmade_when_its_first_statement_fails(
    empty_database: TeamDatabase,
) -> None:
    with pytest.raises(errors.TeamError):
        open_connection(empty_database.account_address, empty_database.account_password, statement_s=-5)


def test_what_could_not_be_asked_says_what_helps_while_one_sets_up(empty_database: TeamDatabase) -> None:
    """Nobody has invited yet, and nothing is tried again by itself."""
    address = empty_database.account_address
    for wrong, step in (
        (address, "Check the user and the password."),
        (replace(address, port=1), "Check host, port and network"),
        (replace(address, host="nowhere.invalid"), "Check the host, and your network."),
        (replace(address, database="nowhere"), "Check the name of the database."),
    ):
        (check,) = setup.examine(wrong, "wrong" if wrong is address else empty_database.account_password)
        assert check.state is CheckState.FAILED
        assert step in check.sentence
        assert "by itself" not in check.sentence
        assert "invitation" not in check.sentence


@pytest.mark.parametrize("kind", [psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement])
def test_a_pooler_in_transaction_mode_is_named(kind: type[psycopg.Error]) -> None:
    assert "pooler" in translated(kind("prepared statement")).what
