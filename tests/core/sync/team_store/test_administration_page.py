"""The administrators' page does what it says: its queries run, and a backup made by it can be restored by it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import setup
from chatdesk.core.sync.team_store.administration import Administration
from tests.helpers import postgres_binaries
from tests.helpers.postgres import TeamDatabase, cluster

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "team-administration.md").read_text(encoding="utf-8")
WHEN_FULL = (DOCS / "when" / "postgres-down-or-full.md").read_text(encoding="utf-8")
PASSWORD = "a-password-of-hers"


def _queries() -> list[str]:
    blocks = re.findall(r"```sql\n(.*?)```", PAGE + WHEN_FULL, re.DOTALL)
    return [block for block in (*blocks, *re.findall(r"`(SELECT [^`]+)`", WHEN_FULL)) if "CREATE" not in block]


def test_there_are_queries_on_the_page() -> None:
    assert len(_queries()) >= 11


@pytest.mark.parametrize("query", _queries(), ids=lambda text: " ".join(text.split()[:4]))
def test_the_queries_of_the_page_run(workspace: TeamDatabase, query: str) -> None:
    with workspace.as_superuser() as superuser:
        for statement in filter(str.strip, query.split(";\n")):
            superuser.execute(statement.encode())


def test_the_login_for_setting_up_is_made_as_the_page_says(workspace: TeamDatabase) -> None:
    (block,) = (each for each in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if "CREATE ROLE" in each)
    name = f"page_{new_id()[-6:]}"
    with workspace.as_superuser() as superuser:
        wanted = block.replace("chatdesk_setup", name).replace(" team ", f" {name} ")
        for statement in filter(str.strip, wanted.split(";\n")):
            superuser.execute(statement.encode())
    made = replace(workspace, name=name, account=name, account_password="make one up")
    workspace_id = new_id()
    try:
        setup.set_up(
            made.account_address,
            "make one up",
            workspace_id=workspace_id,
            name="Desk",
            my_name="Ana",
            login=f"{setup.role_prefix(workspace_id)}_first",
            verifier=verifier_of(PASSWORD),
        )
    finally:
        workspace.cluster.drop(made)


def test_a_member_who_is_removed_by_hand_is_out_and_an_owner_appointed_by_hand_is_in(workspace: TeamDatabase) -> None:
    removing, appointing = (each for each in _queries() if each.startswith("UPDATE"))
    with Administration.connect(workspace.address, workspace.password) as owner:
        invited = owner.invite(verifier_of(PASSWORD), "Ben", roles={}, expires_at=_in_a_week(owner))
        login = replace(workspace.address, user=invited.login)
        with Administration.connect(login, PASSWORD) as ben:
            ben.accept(workspace.workspace_id, "Ben", verifier_of(PASSWORD))
            with workspace.as_superuser() as superuser:
                superuser.execute(appointing.replace("'Ana'", "'Ben'").encode())
                assert ben.standing().is_owner
                update, close, end = filter(str.strip, removing.split(";\n"))
                superuser.execute(update.encode())
                for (statement,) in superuser.execute(close.encode()).fetchall():
                    superuser.execute(statement.encode())
                superuser.execute(end.encode())
            with pytest.raises(errors.TeamError):
                ben.standing()
    with pytest.raises(errors.TeamLoginClosed):
        Administration.connect(login, PASSWORD)


def _in_a_week(owner: Administration) -> int:
    return owner.standing().server_time_ms + 7 * 86_400_000


@pytest.fixture
def debian() -> Iterator[TeamDatabase]:
    """A server whose own pg_dump is here."""
    found = [each for each in postgres_binaries.found() if (each.folder / "pg_dump").exists()]
    if not found:
        pytest.skip("no pg_dump here")
    server = cluster(found[-1].version)
    made = server.empty_database()
    yield made
    server.drop(made)


def test_a_backup_is_made_and_restored_as_the_page_says(debian: TeamDatabase, tmp_path: Path) -> None:
    programs = postgres_binaries.find(debian.cluster.version).folder
    workspace_id = new_id()
    prefix = setup.role_prefix(workspace_id)
    address, password = debian.account_address, debian.account_password
    login = f"{prefix}_first"
    setup.set_up(
        address,
        password,
        workspace_id=workspace_id,
        name="Desk",
        my_name="Ana",
        login=login,
        verifier=verifier_of(PASSWORD),
    )
    member = replace(address, user=login)
    project = new_id()
    with Administration.connect(member, PASSWORD) as ana:
        ana.row("SELECT cd.create_project(%s)", (project,))

    environment = {
        "PATH": str(programs),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(debian.cluster.port),
        "PGUSER": "postgres",
        "PGPASSWORD": debian.cluster.password,
        "PGSSLMODE": "disable",
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    saving, restoring = re.findall(r"```sh\n(.*?)```", PAGE.split("## Backup")[1].split("##")[0], re.DOTALL)
    assert "pg_dumpall --roles-only" in saving
    assert "pg_dump --format=custom" in saving
    assert "GRANT CONNECT ON DATABASE" in restoring
    assert f"CREATE ROLE {login}" in run("pg_dumpall", "--roles-only")
    run("pg_dump", "--format=custom", "--file", "team.dump", address.database)
    debian.cluster.drop(debian)

    run("createdb", "--owner", debian.account, address.database)
    run("pg_restore", "--exit-on-error", "--dbname", address.database, "team.dump")
    for statement in re.findall(r"-c '([^']*)'", restoring):
        wanted = statement.replace("DATABASE team ", f"DATABASE {address.database} ").replace("cd_ab12cd", prefix)
        run("psql", address.database, "-c", wanted)
    with Administration.connect(member, PASSWORD) as ana:
        assert ana.standing().workspace_id == workspace_id
        assert ana.members()[0].roles == {project: TeamRole.OWNER}
        ana.row("SELECT cd.create_project(%s)", (new_id(),))
        with pytest.raises(errors.TeamError):
            ana.row("UPDATE cd.member SET is_owner = false RETURNING id")
    with pytest.raises(errors.TeamDatabaseNotEmpty):
        setup.set_up(
            address,
            password,
            workspace_id=new_id(),
            name="Desk",
            my_name="Eve",
            login=f"{prefix}_second",
            verifier=verifier_of(PASSWORD),
        )
    setup.upgrade(address, password)
