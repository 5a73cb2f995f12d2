"""The SQL for administrators who set up by hand: the same as what ChatDesk does, and it runs."""

from __future__ import annotations

import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from chatdesk.core.domain.sharing.team import TEAM_SCHEMA
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import setup
from chatdesk.core.sync.team_store.postgres import connect
from tests.helpers import postgres_binaries
from tests.helpers.postgres import TeamDatabase

FOLDER = Path(__file__).resolve().parents[4] / "packaging" / "team"


def psql(database: TeamDatabase, file: str, **variables: str) -> str:
    program = postgres_binaries.find().folder / "psql"
    if not program.is_file():
        pytest.skip("no psql here")
    values = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    done = subprocess.run(
        [program, "-X", "-q", *values, "-f", FOLDER / file],
        env={
            "PGHOST": "127.0.0.1",
            "PGPORT": str(database.cluster.port),
            "PGDATABASE": database.name,
            "PGUSER": database.account,
            "PGPASSWORD": database.account_password,
            "PGSSLMODE": "disable",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_files_are_what_the_migrations_make() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "write_sql.py", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("partitions", [0, 16])
def test_a_workspace_that_was_set_up_by_hand_is_used_and_upgraded(
    empty_database: TeamDatabase, partitions: int
) -> None:
    more = {"partitions": str(partitions)} if partitions else {}
    workspace_id = str(uuid.uuid4())
    psql(
        empty_database,
        "setup.sql",
        workspace_id=workspace_id,
        workspace_name="Desk of O'Hara",
        member_name="Olga",
        login="olga",
        verifier=verifier_of("a-long-password"),
        **more,
    )
    with empty_database.as_superuser() as root:
        parts = root.execute(
            "SELECT count(*) FROM pg_class WHERE relispartition AND relname LIKE 'change%' AND relkind = 'r'"
        )
        assert parts.fetchone() == (partitions,)
    user = f"{setup.role_prefix(workspace_id)}_olga"
    made = replace(empty_database, user=user, password="a-long-password")
    for _round in range(2):
        psql(empty_database, "upgrade.sql")
        setup.upgrade(made.account_address, made.account_password)
    store = connect(made.address, made.password)
    hello = store.hello(str(uuid.uuid4()), name="laptop", version="1")
    store.close()
    assert (hello.workspace_id, hello.workspace_name) == (workspace_id, "Desk of O'Hara")


def test_the_newest_migration_is_the_schema_that_an_upgrade_is_offered_for() -> None:
    head = ScriptDirectory.from_config(setup.alembic_config()).get_current_head()
    assert head is not None
    assert int(head) == TEAM_SCHEMA
