"""The port of sync over a real PostgreSQL: changes, files, presence, listening, and every way to fail in words."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import (
    MAX_BODY_BYTES,
    PushStatus,
    TeamView,
    WireChange,
    body_digest,
)
from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.errors import NoWorkspaceThere, TeamError, TeamUnreachable
from chatdesk.core.sync.team_store import connection, failures
from chatdesk.core.sync.team_store.connection import open_connection
from chatdesk.core.sync.team_store.listening import Notifications
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.postgres import Cluster, NoPostgres, TeamDatabase, cluster
from tests.helpers.team_people import Person, Team
from tests.helpers.waiting import PATIENCE_S

DEEP = '{"a":' + "[" * 50_000 + "]" * 50_000 + "}"


class Desk:
    """A store that said hello, and a project of its own."""

    def __init__(self, address: ServerAddress, password: str) -> None:
        self.store = connect(address, password)
        self.device = new_id()
        self.hello = self.store.hello(self.device, name="laptop", version="1.2")
        self.dseq = 0

    def view(self, *, since: int = 0) -> TeamView:
        return self.store.view(self.device, since=since)[1]

    def change(self, kind: str, op: str, entity: str, body: str | None = "{}", **more: Any) -> WireChange:
        self.dseq += 1
        values = {"reg": "content", "parents": (), "hlc": 7, **more}
        return WireChange(id=new_id(), dseq=self.dseq, kind=kind, op=op, entity=entity, body=body, **values)

    def threads(self, project: str, count: int) -> list[WireChange]:
        made = [self.change("thread", "new", new_id(), '{"title":"T"}') for _ in range(count)]
        assert {result.status for result in self.store.push(project, self.device, made)} == {PushStatus.OK}
        return made


@pytest.fixture
def desk(workspace: TeamDatabase) -> Iterator[Desk]:
    made = Desk(workspace.address, workspace.password)
    yield made
    made.store.close()


@pytest.fixture
def project(desk: Desk) -> str:
    return desk.store.shares.create(new_id()).project_id


def desk_of(person: Person, team: Team) -> Desk:
    return Desk(team.database.cluster.address(team.database.name, person.login), person.password)


def test_it_is_the_port(desk: Desk) -> None:
    store: TeamStore = desk.store
    assert store is desk.store


def test_pushed_changes_are_pulled_unchanged(desk: Desk, project: str) -> None:
    first = desk.change("project", "new", project, '{"name":"Ä 🙂"}')
    parents = (new_id(), new_id())
    second = desk.change("thread", "new", new_id(), None, parents=parents, v=3)
    results = desk.store.push(project, desk.device, [first, second])
    assert [(one.id, one.status, one.seq, one.hlc) for one in results] == [
        (first.id, PushStatus.OK, 1, 7),
        (second.id, PushStatus.OK, 2, 7),
    ]
    one, two = desk.store.pull(project, 0, limit=10)
    assert (one.id, one.seq, one.device, one.dseq, one.author) == (first.id, 1, desk.device, 1, desk.hello.member_id)
    assert (one.kind, one.op, one.entity, one.reg, one.parents) == ("project", "new", project, "content", ())
    assert json.loads(one.body or "") == {"name": "Ä 🙂"}
    assert (two.parents, two.body, two.v, two.number) == (parents, None, 3, 2)
    assert abs(one.at - time.time() * 1000) < 60_000
    assert (one.digest, one.is_erased, one.has_accepted_body, two.has_accepted_body) == (
        body_digest(one.body),
        False,
        True,
        True,
    )
    chain = one.chain_after(None)
    assert (one.chain, desk.store.chain_at(project, 1)) == (chain, chain)
    assert desk.store.chain_at(project, 3) is None
    assert [row.id for row in desk.store.pull(project, 1, limit=10)] == [second.id]
    assert len(desk.store.pull(project, 0, limit=1)) == 1


@pytest.mark.parametrize(
    "chunks", ["generate_series(1, 10000000)", "repeat('x', 1000000) FROM generate_series(1, 10000)"]
)
def test_a_server_that_answers_without_end_is_not_listened_to(desk: Desk, workspace: TeamDatabase, chunks: str) -> None:
    project = new_id()
    with workspace.as_superuser() as root:
        root.execute("ALTER TABLE cd.blob_chunk RENAME TO real_chunk")
        root.execute(
            f"CREATE VIEW cd.blob_chunk (project_id, sha256, idx) AS SELECT '{project}'::uuid, 'x', {chunks}".encode()
        )
        root.execute("GRANT SELECT ON cd.blob_chunk TO PUBLIC")
    began = time.monotonic()
    with pytest.raises(TeamUnreachable):
        desk.store.chunks.have(project, "x")
    assert time.monotonic() - began < 40
    with pytest.raises(TeamUnreachable):
        desk.store.presence()


@pytest.mark.parametrize(
    "said",
    [
        "'[]'",
        "'{}'",
        "'7'",
        "jsonb_set(cd.told(), '{member_id}', to_jsonb('../x'::text))",
        "jsonb_set(cd.told(), '{server_time_ms}', to_jsonb('x'::text))",
        "jsonb_set(cd.told(), '{workspace_id}', 'null')",
    ],
)
def test_a_lookalike_workspace_is_refused(desk: Desk, team: Team, said: str) -> None:
    with team.database.as_superuser() as root:
        root.execute("ALTER FUNCTION cd.hello RENAME TO real_hello")
        root.execute(
            "CREATE FUNCTION cd.told() RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object("
            "'workspace_id', gen_random_uuid(), 'workspace_name', 'x', 'schema', 1, 'mode', 'rw', 'member_id',"
            " gen_random_uuid(), 'member_name', 'x', 'is_owner', true, 'channel', 'c', 'server_time_ms', 1) $$"
        )
        root.execute("GRANT EXECUTE ON FUNCTION cd.told() TO PUBLIC")
        root.execute(
            "CREATE FUNCTION cd.hello(uuid, text, text, integer) RETURNS jsonb LANGUAGE sql"
            f" AS $$ SELECT ({said})::jsonb $$".encode()
        )
        root.execute("GRANT EXECUTE ON FUNCTION cd.hello(uuid, text, text, integer) TO PUBLIC")
    with pytest.raises(NoWorkspaceThere):
        desk.store.hello(new_id(), name="x", version="1")


def test_a_body_over_the_limit_is_not_sent_and_one_at_the_limit_is(desk: Desk, project: str) -> None:
    text = "é" * ((MAX_BODY_BYTES - 20) // 2)
    fits = desk.change("thread", "new", new_id(), json.dumps({"title": text}, ensure_ascii=False))
    large = desk.change("thread", "new", new_id(), json.dumps({"title": text + "é" * 20}, ensure_ascii=False))
    after = desk.change("thread", "new", new_id())
    found = desk.store.push(project, desk.device, [large, fits, after])
    assert [(one.id, one.status) for one in found] == [
        (large.id, PushStatus.TOO_BIG),
        (fits.id, PushStatus.OK),
        (after.id, PushStatus.OK),
    ]
    assert desk.store.push(project, desk.device, [large])[0].status is PushStatus.TOO_BIG


@pytest.mark.parametrize("body", ['{"a":"\\u0000"}', '{"a":"\\ud800"}', "{broken", '{"a":1}, "b"', DEEP])
def test_a_body_that_no_database_can_hold_is_denied_alone(desk: Desk, project: str, body: str) -> None:
    rows = [desk.change("thread", "new", new_id()) for _ in range(5)]
    rows.insert(2, desk.change("thread", "new", new_id(), body))
    found = desk.store.push(project, desk.device, rows)
    assert [one.id for one in found] == [row.id for row in rows]
    assert [one.status.value for one in found] == ["ok", "ok", "denied", "ok", "ok", "ok"]


def test_what_another_computer_of_the_same_member_made_is_sent_again_as_it_was(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    here, there = desk_of(team.again(anna), team), desk_of(anna, team)
    change = there.change("thread", "new", new_id(), '{"b": 1e2,\n"a": "ü"}')
    there.store.push(project, there.device, [change])
    lost = here.store.pull(project, 0, limit=5)[0]
    team.restore(project)
    found = here.store.push(project, here.device, [replace(change, hlc=lost.hlc, device=lost.device)])
    row = here.store.pull(project, 0, limit=5)[0]
    for each in (here, there):
        each.store.close()
    assert found[0].status is PushStatus.OK
    assert row == replace(lost, at=row.at, chain=row.chain)


def test_the_view_holds_projects_members_devices_and_roles(team: Team) -> None:
    project, ended, foreign = team.project(), team.project(), new_id()
    anna = team.join("anna", **{project: "editor", ended: "viewer"})
    team.join("ben").ask("SELECT cd.create_project(%s)", foreign)
    here = desk_of(anna, team)
    here.threads(project, 2)
    team.owner.ask("SELECT cd.end_project(%s)", ended)
    view = here.view()
    here.store.close()
    heads = {head.project_id: head for head in view.projects}
    assert set(heads) == {project, ended}
    assert (heads[project].role, heads[project].seq, heads[project].is_deleted) == ("editor", 2, False)
    assert heads[ended].is_deleted
    assert {(row.name, row.status, row.is_owner) for row in view.members} == {
        ("Olga Owner", "active", True),
        ("anna", "active", False),
    }
    assert {row.name for row in view.devices} == {"laptop", "anna's"}
    assert set(view.roles) == {(project, team.owner.id, "owner"), (project, anna.id, "editor")}


def test_files_travel_and_a_broken_one_can_be_sent_again(desk: Desk, project: str) -> None:
    pieces = [bytes([n]) * 1000 for n in range(3)]
    sha256 = hashlib.sha256(b"".join(pieces)).hexdigest()
    store = desk.store
    assert store.chunks.get(project, sha256, 0) is None
    store.chunks.put(project, sha256, 0, 3, pieces[0])
    store.chunks.put(project, sha256, 0, 3, b"something else")
    assert store.chunks.have(project, sha256) == {0}
    store.chunks.put(project, sha256, 1, 3, pieces[1])
    store.chunks.put(project, sha256, 2, 3, b"broken")
    assert store.chunks.get(project, sha256, 1) == (3, pieces[1])
    assert store.chunks.discard_broken(project, sha256)
    assert store.chunks.have(project, sha256) == set()
    assert not store.chunks.discard_broken(project, sha256)


def test_a_page_ends_before_its_bodies_are_too_much(desk: Desk, project: str) -> None:
    desk.threads(project, 3)
    title = json.dumps({"title": "x" * 900_000})
    large = [desk.change("thread", "new", new_id(), title) for _ in range(20)]
    for change in large:
        desk.store.push(project, desk.device, [change])
    found: list[int] = []
    while page := desk.store.pull(project, found[-1] if found else 0, limit=500):
        assert sum(len(row.body or "") for row in page) < 17_000_000
        found += [row.seq for row in page]
    assert found == list(range(1, 24))


def test_a_viewer_s_piece_of_a_file_is_not_allowed(team: Team) -> None:
    project = team.project()
    here = desk_of(team.join("vera", **{project: "viewer"}), team)
    with pytest.raises(errors.TeamNotAllowed):
        here.store.chunks.put(project, "a" * 64, 0, 2, b"x")
    here.store.close()


def test_presence_is_of_the_others(team: Team) -> None:
    project = team.project()
    anna, ben = (desk_of(team.join(name, **{project: "viewer"}), team) for name in ("anna", "ben"))
    thread = new_id()
    anna.store.set_presence(project, anna.device, thread, "typing")
    rows = ben.store.presence()
    assert [(row.project_id, row.member_id, row.thread_id, row.state) for row in rows] == [
        (project, anna.hello.member_id, thread, "typing")
    ]
    assert anna.store.presence() == []
    anna.store.set_presence(project, anna.device, None, "gone")
    assert ben.store.presence() == []
    for each in (anna, ben):
        each.store.close()


def test_what_was_heard_is_told_by_kind_also_when_it_came_during_another_call(team: Team) -> None:
    project = team.project()
    anna, ben = (desk_of(team.join(name, **{project: "editor"}), team) for name in ("anna", "ben"))
    channel = ben.view().projects[0].channel
    ben.store.listen([channel])
    assert ben.store.wait(0) == Notifications()
    begun = time.monotonic()
    threading.Timer(0.1, anna.store.poke, [project]).start()
    assert ben.store.wait(60) == Notifications(changes={channel: 0})
    assert time.monotonic() - begun < 30
    anna.store.set_presence(project, anna.device, None, "here")
    deadline = time.monotonic() + PATIENCE_S
    heard = Notifications()
    while heard == Notifications() and time.monotonic() < deadline:
        ben.view()
        heard = ben.store.wait(0)
    assert heard == Notifications(presence=frozenset({channel}))
    ben.store.poke(project)
    assert ben.store.wait(0.2) == Notifications()  # one's own
    ben.store.listen([])
    anna.store.poke(project)
    assert ben.store.wait(0.2) == Notifications()
    for each in (anna, ben):
        each.store.close()


def test_the_newest_number_of_several_notifications_is_heard_unless_one_names_none(team: Team) -> None:
    project = team.project()
    here = desk_of(team.join("anna", **{project: "editor"}), team)
    channel = here.view().projects[0].channel
    here.store.listen([channel])
    for payloads, seq in (
        (("c:3", "c:12", "c:5"), 12),
        (("c:3", "c:0"), 0),
        (("c:0", "c:3"), 0),
        (("c:3", "c:-1"), 0),
        (("c:99999999999999999999",), 0),
        (("x",), 0),
    ):
        with team.owner.conn.transaction():  # all of them at once
            for payload in payloads:
                team.owner.conn.execute("SELECT pg_notify(%s, %s)", [channel, payload])
        assert here.store.wait(PATIENCE_S) == Notifications(changes={channel: seq})
    here.store.close()


def test_being_let_into_a_project_is_heard(team: Team) -> None:
    project = team.project()
    anna = team.join("anna")
    here = desk_of(anna, team)
    here.store.listen([])
    team.owner.ask("SELECT cd.set_role(%s, %s, 'viewer')", project, anna.id)
    assert here.store.wait(PATIENCE_S).people_at is not None
    here.store.close()


def test_waiting_ends_when_woken_also_when_that_came_before(desk: Desk) -> None:
    desk.store.wake()
    desk.store.wake()
    begun = time.monotonic()
    assert desk.store.wait(60) == Notifications()
    threading.Timer(0.1, desk.store.wake).start()
    assert desk.store.wait(60) == Notifications()
    assert time.monotonic() - begun < 30


def test_a_channel_that_is_no_name_is_not_listened_on(desk: Desk) -> None:
    for bad in ('x"; DROP TABLE cd.change; --', "x" * 64, "ü"):
        with pytest.raises(errors.TeamNotTaken):
            desk.store.listen([bad])


def test_whatever_is_under_way_fails_at_once_when_it_is_broken_off(
    desk: Desk, project: str, workspace: TeamDatabase
) -> None:
    with workspace.connect(autocommit=False) as holder:
        held = desk.change("thread", "new", new_id())
        holder.execute(
            "SELECT cd.push(%s, %s, 2, jsonb_build_array(jsonb_build_object('id', %s::text, 'entity', %s::text,"
            " 'dseq', %s::int, 'kind', 'thread', 'op', 'new', 'reg', 'content', 'hlc', 1)))",
            [project, desk.device, held.id, held.entity, held.dseq],
        )
        begun = time.monotonic()
        threading.Timer(0.1, desk.store.abort).start()
        with pytest.raises(errors.TeamUnreachable):
            desk.store.push(project, desk.device, [desk.change("thread", "new", new_id())])
        assert time.monotonic() - begun < 10
    with pytest.raises(errors.TeamUnreachable):
        desk.store.wait(5)
    desk.store.close()
    desk.store.abort()
    desk.store.wake()


def test_a_server_that_ends_while_one_waits_is_unreachable_and_comes_back(workspace: TeamDatabase) -> None:
    here = Desk(workspace.address, workspace.password)
    project = here.store.shares.create(new_id()).project_id
    here.threads(project, 3)
    end = threading.Timer(0.1, workspace.cluster.kill)
    end.start()
    with pytest.raises(errors.TeamUnreachable):
        here.store.wait(PATIENCE_S)
    end.join()
    here.store.close()
    with pytest.raises(errors.TeamUnreachable):
        connect(workspace.address, workspace.password)
    workspace.cluster.start()
    again = Desk(workspace.address, workspace.password)
    assert [row.seq for row in again.store.pull(project, 0, limit=5)] == [1, 2, 3]
    again.store.close()


def test_a_server_that_hangs_is_not_waited_for(workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_S", 1)
    with workspace.cluster.paused():
        begun = time.monotonic()
        with pytest.raises(errors.TeamTimeout):
            connect(workspace.address, workspace.password)
        assert time.monotonic() - begun < 30
    gc.collect()  # the half-made connection hangs on its error; the server would wait a minute for its password


def test_a_statement_that_takes_too_long_is_ended(workspace: TeamDatabase) -> None:
    conn = open_connection(workspace.address, workspace.password, statement_s=1)
    with pytest.raises(errors.TeamTimeout), failures.our_errors():
        conn.execute("SELECT pg_sleep(60)")
    conn.close()


def refused(address: ServerAddress, password: str) -> type[TeamError]:
    with pytest.raises(TeamError) as caught, contextlib.closing(connect(address, password)) as store:
        store.hello(new_id(), name="l", version="1")
    return type(caught.value)


def test_connections_that_do_not_come_about_have_words(workspace: TeamDatabase) -> None:
    address, password = workspace.address, workspace.password
    assert refused(address, "wrong") is errors.TeamLoginRefused
    assert refused(replace(address, user="nobody_here"), password) is errors.TeamLoginRefused
    assert refused(replace(address, database="nowhere"), password) is errors.TeamDatabaseMissing
    assert refused(replace(address, host="host.invalid"), password) is errors.TeamHostUnknown
    assert refused(replace(address, port=1), password) is errors.TeamUnreachable
    assert refused(replace(address, database="postgres"), password) is errors.NoWorkspaceThere
    with workspace.as_superuser() as root:
        root.execute(f"ALTER ROLE {address.user} CONNECTION LIMIT 0".encode())
        assert refused(address, password) is errors.TeamConnectionsUsedUp
        root.execute(f"ALTER ROLE {address.user} CONNECTION LIMIT 5 NOLOGIN".encode())
        assert refused(address, password) is errors.TeamLoginClosed
        root.execute(f"ALTER ROLE {address.user} LOGIN VALID UNTIL '2020-01-01'".encode())
        assert refused(address, password) is errors.TeamLoginRefused
        root.execute(f"ALTER ROLE {address.user} VALID UNTIL 'infinity'".encode())
        root.execute(f"ALTER ROLE {address.user} SET default_transaction_read_only = on".encode())
        assert refused(address, password) is errors.TeamServerReadOnly


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted(empty_database: TeamDatabase) -> None:
    if empty_database.cluster.has_tls:
        pytest.skip("this server has TLS")
    address = replace(empty_database.address, tls="verify-full")
    assert refused(address, empty_database.password) is errors.TeamTlsRefused


@pytest.fixture
def encrypted() -> Iterator[TeamDatabase]:
    try:
        server: Cluster = cluster(15)
    except NoPostgres as none:
        pytest.skip(str(none))
    if not server.has_tls:
        pytest.skip("this server has no TLS")
    made = server.empty_database()
    yield made
    server.drop(made)


def test_a_certificate_has_to_be_of_the_authority_that_was_given(encrypted: TeamDatabase) -> None:
    conn = open_connection(encrypted.address, encrypted.password)
    assert conn.pgconn.ssl_in_use
    conn.close()
    assert refused(replace(encrypted.address, ca=""), encrypted.password) is errors.TeamCertificateNotTrusted
    assert refused(replace(encrypted.address, host="localhost"), encrypted.password) is errors.TeamCertificateNotTrusted


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (psycopg.errors.DiskFull, errors.TeamServerFull),
        (psycopg.errors.TooManyConnections, errors.TeamConnectionsUsedUp),
        (psycopg.errors.AdminShutdown, errors.TeamUnreachable),
        (psycopg.errors.CannotConnectNow, errors.TeamUnreachable),
        (psycopg.errors.ConnectionFailure, errors.TeamUnreachable),
        (psycopg.errors.DeadlockDetected, errors.TeamBusy),
        (psycopg.errors.LockNotAvailable, errors.TeamBusy),
        (psycopg.errors.ReadOnlySqlTransaction, errors.TeamServerReadOnly),
        (psycopg.errors.UndefinedFunction, errors.NoWorkspaceThere),
        (psycopg.errors.InternalError_, TeamError),
    ],
)
def test_states_of_the_server_have_words(kind: type[psycopg.Error], expected: type[TeamError]) -> None:
    found = failures.translated(kind("as the server says"))
    assert type(found) is expected
    assert found.sentence.count(".") >= 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("FATAL: no pg_hba.conf entry for host, no encryption", errors.TeamTlsRequired),
        ("FATAL: sorry, too many clients already", errors.TeamConnectionsUsedUp),
        ("FATAL: remaining connection slots are reserved", errors.TeamConnectionsUsedUp),
        ("SSL error: certificate verify failed", errors.TeamCertificateNotTrusted),
        ("SSL error: unexpected eof while reading", errors.TeamUnreachable),
        ("connection timeout expired", errors.TeamTimeout),
        ("FATAL: permission denied for database", errors.TeamNotInvited),
        ("Verbindung abgelehnt", errors.TeamUnreachable),
    ],
)
def test_words_of_a_failed_connection_are_understood(said: str, expected: type[TeamError]) -> None:
    assert type(failures.translated(psycopg.OperationalError(said))) is expected


def test_those_that_pass_by_themselves_are_tried_again() -> None:
    passing = {
        errors.TeamUnreachable,
        errors.TeamTimeout,
        errors.TeamHostUnknown,
        errors.TeamConnectionsUsedUp,
        errors.TeamServerReadOnly,
        errors.TeamServerFull,
        errors.TeamBusy,
        errors.TeamDeviceUnknown,
    }
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TeamError)}
    assert {kind for kind in kinds if kind.is_passing} - {errors.HistoryChanged} == passing
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_projects_are_ended_and_left(team: Team) -> None:
    project, other = team.project(), team.project()
    here = desk_of(team.join("anna", **{project: "owner", other: "viewer"}), team)
    here.store.shares.end(project)
    here.store.shares.leave(other)
    assert {head.project_id: head.is_deleted for head in here.view().projects} == {project: True}
    for call in (lambda: here.store.pull(project, 0, limit=5), lambda: here.store.presence()):
        assert call() == []
    with pytest.raises(errors.TeamProjectDeleted):
        here.store.poke(project)
    with pytest.raises(errors.TeamNotInProject):
        here.store.poke(other)
    here.store.close()


def test_how_far_one_pulled_is_told(desk: Desk, project: str, workspace: TeamDatabase) -> None:
    desk.store.acknowledge(desk.device, {project: 12})
    with workspace.as_superuser() as root:
        assert root.execute("SELECT acked FROM cd.device").fetchone() == ({project: 12},)


def test_a_store_is_closed_twice_without_harm(workspace: TeamDatabase) -> None:
    store: TeamStore = connect(workspace.address, workspace.password)
    store.close()
    store.close()
