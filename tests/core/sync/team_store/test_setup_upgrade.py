"""A workspace is upgraded while members of two versions work in it: expand, both side by side, then the old one reads,
then it is told to update. The later migrations are made here."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import PushStatus, WireChange
from chatdesk.core.ids import new_id
from chatdesk.core.paths import team_migrations_dir
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store import postgres, setup, sql_files
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.postgres import Cluster, NoPostgres, TeamDatabase, cluster
from tests.helpers.team_people import some_id

VERSION = """
from alembic import op
from chatdesk.core.sync.team_store.sql_files import migration_statements

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None


def upgrade() -> None:
    for statement in migration_statements(revision):
        op.execute(statement)
"""
# Expand: a column that old clients do not name, and a function of the new protocol beside the old one.
EXPAND = """
ALTER TABLE cd.project ADD COLUMN is_pinned boolean NOT NULL DEFAULT false;

CREATE FUNCTION cd.push_v2(p_project uuid, p_device uuid, p_proto integer, p_rows jsonb)
RETURNS TABLE (o_id text, o_status text, o_seq bigint, o_hlc bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
    v_me uuid := cd.need_me();
BEGIN
    PERFORM cd.need_proto(p_proto);
    PERFORM cd.need_device(p_device, v_me);
    RETURN QUERY SELECT * FROM cd.enter(p_project, v_me, p_device, p_rows);
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION cd.push_v2(uuid, uuid, integer, jsonb) TO %I',
        current_setting('chatdesk.prefix'));
END
$$;

UPDATE cd.meta SET schema_version = 3;
"""
MIGRATIONS = {
    "0003": EXPAND,
    "0004": "UPDATE cd.meta SET schema_version = 4, min_write = 3;\n",
    "0005": "UPDATE cd.meta SET schema_version = 5, min_read = 3;\n",
}


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ChatDesk as it will be: its migrations and three more. A test names its workspace first: the first one of a run
    is made by the migrations that are in force then, and all others are copies."""
    folder = tmp_path / "team"
    shutil.copytree(team_migrations_dir(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = "0002"
    for revision, text in MIGRATIONS.items():
        (folder / "versions" / f"{revision}_later.py").write_text(VERSION.format(revision=revision, before=before))
        (folder / "sql" / revision).mkdir()
        (folder / "sql" / revision / "10_all.sql").write_text(text)
        before = revision
    for module in (setup, sql_files):
        monkeypatch.setattr(module, "team_migrations_dir", lambda: folder)


@pytest.fixture(params=(15, 16, 18))
def on_each_server(request: pytest.FixtureRequest) -> Iterator[TeamDatabase]:
    try:
        server: Cluster = cluster(request.param)
    except NoPostgres as none:
        pytest.skip(str(none))
    made = server.workspace_database()
    yield made
    server.drop(made)


class Client:
    """One computer with a version of ChatDesk: its protocol, and the function that it pushes with."""

    def __init__(self, database: TeamDatabase, proto: int, project: str = "") -> None:
        self.database = database
        self.proto = proto
        self.store: TeamStore = connect(database.address, database.password)
        self.device = new_id()
        self.dseq = 0
        self.hello_mode()
        self.project = project or self.store.shares.create(new_id()).project_id

    def hello_mode(self) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "PROTOCOL", self.proto)
            return self.store.hello(self.device, name="x", version=str(self.proto)).mode

    def push(self) -> PushStatus:
        self.dseq += 1
        body = json.dumps({"title": "T", "of": self.proto})
        change = WireChange(new_id(), self.dseq, "thread", "new", some_id(), "content", (), 1, body)
        if self.proto == 2:
            return self.store.push(self.project, self.device, [change])[0].status
        row = asdict(change) | {"body": json.loads(body)}
        with self.database.connect() as conn:
            found = conn.execute(
                "SELECT o_status FROM cd.push_v2(%s, %s, %s, %s::jsonb)",
                (self.project, self.device, self.proto, json.dumps([row])),
            ).fetchone()
        assert found is not None
        return PushStatus(found[0])

    def pulled(self) -> list[int]:
        return [json.loads(row.body or "{}")["of"] for row in self.store.pull(self.project, 0, limit=10_000)]


def test_two_versions_work_side_by_side_until_the_old_one_is_too_old(on_each_server: TeamDatabase, later: None) -> None:
    workspace = on_each_server
    old = Client(workspace, 2)
    assert old.push() is PushStatus.OK

    setup.upgrade(workspace.account_address, workspace.account_password, target="0003")
    new = Client(workspace, 3, old.project)
    for _ in range(3):
        assert (old.push(), new.push()) == (PushStatus.OK, PushStatus.OK)
    assert old.pulled() == new.pulled() == [2, 2, 3, 2, 3, 2, 3]
    assert (old.hello_mode(), new.hello_mode()) == ("rw", "rw")

    setup.upgrade(workspace.account_address, workspace.account_password, target="0004")
    with pytest.raises(errors.TeamServerTooNew):
        old.push()
    assert new.push() is PushStatus.OK
    assert old.hello_mode() == "read_only"
    assert old.pulled()[-1] == 3

    setup.upgrade(workspace.account_address, workspace.account_password)
    assert (old.hello_mode(), new.hello_mode()) == ("blocked", "rw")
    assert new.push() is PushStatus.OK
    for client in (old, new):
        client.store.close()


def test_an_upgrade_while_members_write_loses_and_refuses_nothing(workspace: TeamDatabase, later: None) -> None:
    clients = [Client(workspace, 2)]
    clients += [Client(workspace, 2, clients[0].project) for _ in range(3)]
    taken = [0] * len(clients)
    failed: list[BaseException] = []
    is_done = threading.Event()

    def write(place: int) -> None:
        while not is_done.is_set():
            try:
                assert clients[place].push() is PushStatus.OK
            except errors.TeamBusy:
                continue  # is tried again by every client
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)
                return
            taken[place] += 1

    threads = [threading.Thread(target=write, args=[place]) for place in range(len(clients))]
    for thread in threads:
        thread.start()
    setup.upgrade(workspace.account_address, workspace.account_password, target="0003")
    is_done.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(clients[0].pulled()) == sum(taken)
    for client in clients:
        client.store.close()
    again = connect(workspace.address, workspace.password)
    assert again.hello(new_id(), name="x", version="1").schema == 3
    again.close()


def test_an_upgrade_that_fails_leaves_everything_as_it_was(workspace: TeamDatabase, later: None) -> None:
    broken = setup.team_migrations_dir() / "sql" / "0004" / "20_broken.sql"
    broken.write_text("SELECT 1 / 0;\n")
    with pytest.raises(errors.TeamError):
        setup.upgrade(workspace.account_address, workspace.account_password)
    store = connect(workspace.address, workspace.password)
    hello = store.hello(new_id(), name="x", version="1")
    store.close()
    assert (hello.schema, hello.mode) == (2, "rw")


@pytest.mark.long
def test_no_member_keeps_a_workspace_from_being_upgraded(workspace: TeamDatabase, later: None) -> None:
    """Neither by the lock under which a workspace is set up, nor by a transaction that stays open and only reads."""
    with workspace.connect(autocommit=False) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [setup.LOCK])
        holder.execute("SELECT count(*) FROM cd.project")
        setup.upgrade(workspace.account_address, workspace.account_password, target="0003")
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")
    with workspace.connect() as member:
        assert member.execute("SELECT schema_version FROM cd.meta").fetchone() == (3,)
