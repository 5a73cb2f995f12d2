"""A workspace of schema 1 with a log is upgraded: chains and numbers are made anew, erasures keep what they took."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from chatdesk.core.ids import new_id
from chatdesk.core.sync import errors
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import setup
from chatdesk.core.sync.team_store.postgres import connect
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_people import Person, pulled


@pytest.fixture(params=[0, 16], ids=["whole", "in-16"])
def old(
    request: pytest.FixtureRequest, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TeamDatabase]:
    workspace_id, password = str(uuid.uuid4()), "a-long-password"
    login = f"{setup.role_prefix(workspace_id)}_olga"
    with monkeypatch.context() as patch:
        patch.setattr(setup, "migrate", partial(setup.migrate, target="0001"))
        setup.set_up(
            empty_database.account_address,
            empty_database.password,
            workspace_id=workspace_id,
            name="Desk",
            my_name="Olga",
            login=login,
            verifier=verifier_of(password),
            partitions=request.param,
        )
    return replace(empty_database, user=login, password=password, workspace_id=workspace_id)


def test_names_that_looked_alike_are_kept(old: TeamDatabase) -> None:
    with old.as_superuser() as root:
        root.execute(
            "INSERT INTO cd.member (role_name, display_name, status, accepted_at)"
            " VALUES ('another', '\u041elga', 'active', now())"
        )
        setup.upgrade(old.account_address, old.account_password)
        names = root.execute("SELECT display_name FROM cd.member WHERE status = 'active' ORDER BY 1").fetchall()
    assert [each[0] for each in names] == ["Olga", "\u041elga"]
    with old.connect() as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute("SELECT cd.rename_me('\u039flga')")
    assert caught.value.sqlstate == "CD014"


def test_a_log_of_schema_1_is_chained_anew_and_goes_on(old: TeamDatabase) -> None:
    project, again = new_id(), new_id()
    with old.connect() as conn:
        olga = Person("Olga", old.user, old.password, "", conn)
        olga.id = olga.hello(proto=1)["member_id"]
        for each in (project, again):
            olga.ask("SELECT cd.create_project(%s)", each)
        thread = new_id()
        rows = [
            olga.row("thread", "new", thread, {"title": "Ü"}, parents=[new_id()]),
            *(olga.row("thread", "edit", thread, {"title": str(n)}, reg="title") for n in range(3)),
        ]
        taken, emptied, ahead = rows[1]["id"], rows[2]["id"], new_id()
        asked = olga.row("thread", "del", thread, {"changes": [taken, ahead]}, reg="erased")
        forged = olga.row("thread", "new", new_id(), {"changes": [emptied, new_id()]}, reg="erased")
        assert olga.push(project, *rows, asked, forged, proto=1) == ["ok"] * 6
        assert olga.push(again, olga.row("thread", "new", new_id(), {}), proto=1) == ["ok"]
        store = connect(old.address, old.password)
        with pytest.raises(errors.TeamNotUpgraded, match="older ChatDesk"):
            store.hello(olga.device, name="x", version="1")
        store.close()
        setup.upgrade(old.account_address, old.account_password)
        assert olga.hello(proto=1)["mode"] == "blocked"
        assert olga.hello()["schema"] == 2
        # What was emptied by no erasure is taken back, and what one took is not.
        assert olga.push(project, rows[1], rows[2]) == ["dup", "ok"]
        late = olga.row("thread", "edit", thread, {"title": "late"}, reg="title", id=ahead)
        assert olga.push(project, late, olga.row("thread", "new", new_id(), {})) == ["ok"] * 2
        chains: dict[str, bytes] = {}
        found = {str(row[0]): str(row[1]) for row in olga.ask("SELECT id, project_id FROM cd.change")}
        for row in pulled(olga):
            chain = row.chain_after(chains.get(found[row.id]))
            assert row.chain == chain
            assert row.has_accepted_body
            chains[found[row.id]] = chain
        assert olga.ask("SELECT chain FROM cd.project_head ORDER BY project_id") == [
            (chains[each],) for each in sorted(chains)
        ]
        of_project = [row for row in pulled(olga) if found[row.id] == project]
        assert [row.number for row in of_project] == list(range(1, 9))
        assert {row.id for row in of_project if row.is_erased} == {taken, ahead}
