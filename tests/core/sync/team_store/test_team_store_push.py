"""What the server says of pushed changes, one status a row; numbers, chain and stamps are its own."""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import PROTOCOL
from chatdesk.core.ids import new_id
from tests.helpers.team_people import Person, Team, pulled, some_id
from tests.helpers.waiting import wait_until

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def body(thread: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"thread_id": thread, "parent_id": parent, **more}


def test_a_pushed_change_is_in_the_log_with_a_number_an_author_and_a_chain(team: Team) -> None:
    project, olga = team.project(), team.owner
    first = olga.row("project", "new", project, {"name": "P"})
    second = olga.row("thread", "new", some_id(), {"title": "T"}, parents=[first["id"], some_id()])
    assert [row[1:3] for row in olga.push_fully(project, first, second)] == [("ok", 1), ("ok", 2)]
    one, two = pulled(olga)
    assert [(row.id, row.seq, row.author, row.device, row.dseq, row.number) for row in (one, two)] == [
        (first["id"], 1, olga.id, olga.device, 1, 1),
        (second["id"], 2, olga.id, olga.device, 2, 2),
    ]
    assert all(row.has_accepted_body for row in (one, two))
    assert [one.chain, two.chain] == [one.chain_after(None), two.chain_after(one.chain)]
    assert [str(parent) for parent in two.parents] == second["parents"]
    assert olga.ask("SELECT seq, chain FROM cd.project_head") == [(2, two.chain)]


def test_changes_are_counted_by_device_and_project_without_gaps(team: Team) -> None:
    olga, project, other = team.owner, team.project(), team.project()
    again = team.again(olga)
    again.hello()
    for person, where in ((olga, project), (olga, other), (again, project), (olga, project), (olga, other)):
        refused = person.row("thread", "new", some_id(), {}, reg="title")
        assert person.push(where, refused, person.row("thread", "new", some_id(), {})) == ["denied", "ok"]
    assert sorted(olga.ask("SELECT project_id::text, device_id::text, number FROM cd.change")) == sorted(
        [
            *((project, olga.device, 1), (project, olga.device, 2), (project, again.device, 1)),
            *((other, olga.device, 1), (other, olga.device, 2)),
        ]
    )


def test_a_repeated_push_is_dup_with_the_number_it_has(team: Team) -> None:
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    taken = olga.push_fully(project, row)[0]
    assert olga.push_fully(project, row) == [(row["id"], "dup", 1, taken[3])]
    assert olga.value("SELECT count(*) FROM cd.change") == 1


def test_the_same_change_of_another_device_is_dup(team: Team) -> None:
    """Two computers with copies of one project enter it under the same ids."""
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    other = team.again(olga)
    other.hello()
    assert olga.push(project, row) == ["ok"]
    assert other.push(project, {**row, "dseq": 77}) == ["dup"]


@pytest.mark.parametrize("change", [{"op": "edit", "reg": "title"}, {"entity": str(uuid.uuid4())}, {"op": "del"}])
def test_an_id_that_means_something_else_is_taken(team: Team, change: dict[str, str]) -> None:
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    assert olga.push(project, row, {**row, **change}) == ["ok", "id_taken"]


def test_an_id_of_another_project_is_taken(team: Team) -> None:
    olga, project, other = team.owner, team.project(), team.project()
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    assert olga.push(project, row) == ["ok"]
    assert olga.push(other, row) == ["id_taken"]


def test_another_change_in_the_same_place_of_a_device_is_forked(team: Team) -> None:
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    copy = olga.row("thread", "new", some_id(), {"title": "T"}, dseq=row["dseq"])
    assert olga.push(project, row, copy) == ["ok", "forked"]


@pytest.mark.parametrize("words", ["I approve: 999", "I approve: 100"])
def test_what_somebody_put_in_the_place_of_lost_words_is_not_taken_for_them(team: Team, words: str) -> None:
    project = team.project()
    vic, eve = (team.join(name, **{project: "editor"}) for name in ("vic", "eve"))
    thread = vic.thread(project)
    said = vic.row("message", "new", some_id(), {"thread_id": thread, "text": "I approve: 100"})
    assert vic.push(project, said) == ["ok"]
    team.restore(project, 1)
    body = {"thread_id": thread, "text": words}
    forged = {**eve.row("message", "new", said["entity"], body), "id": said["id"], "author": vic.id}
    assert eve.push(project, {**forged, "device": vic.device, "dseq": 99}) == ["denied"]
    assert eve.push(project, forged) == ["ok"]
    assert vic.push(project, said) == ["id_taken"]
    assert eve.push(project, forged) == ["dup"]
    assert [row.author for row in pulled(eve)] == [vic.id, eve.id]


def test_one_s_own_words_in_another_form_are_not_the_same(team: Team) -> None:
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    assert olga.push(project, row, {**row, "body": {"title": "U"}}, row) == ["ok", "id_taken", "dup"]


def test_a_place_of_a_device_that_another_project_has_is_forked(team: Team) -> None:
    olga, project, other = team.owner, team.project(), team.project()
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    copy = olga.row("thread", "new", some_id(), {"title": "T"}, dseq=row["dseq"])
    assert olga.push(project, row) == ["ok"]
    assert olga.push(other, copy) == ["forked"]


def test_a_thing_that_exists_is_not_new(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread = olga.thread(project)
    assert olga.push(project, olga.row("thread", "new", thread, {"title": "again"})) == ["id_taken"]


def test_a_thing_of_another_member_or_project_is_not_taken_over(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    thread = anna.thread(project)
    other = team.project()
    assert team.owner.push(other, team.owner.row("thread", "new", thread, {})) == ["id_taken"]
    assert team.owner.push(other, team.owner.row("thread", "edit", thread, {}, reg="title")) == ["orphan"]


def test_a_change_without_its_parent_is_an_orphan(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread, other = olga.thread(project), olga.thread(project)
    parent = olga.message(project, thread)
    elsewhere = team.project()
    abroad = olga.thread(elsewhere)
    assert olga.push(
        project,
        olga.row("message", "new", some_id(), body(some_id())),
        olga.row("message", "new", some_id(), body(abroad)),
        olga.row("message", "new", some_id(), body(thread, some_id())),
        olga.row("message", "new", some_id(), body(other, parent)),
        olga.row("summary", "new", some_id(), body(abroad)),
        olga.row("thread", "edit", some_id(), {}, reg="title"),
        olga.row("message", "del", some_id(), {}),
        olga.row("message", "new", some_id(), body(thread, parent)),
    ) == ["orphan"] * 7 + ["ok"]


def test_later_rows_may_hang_below_earlier_ones_of_the_same_push(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread, question = some_id(), some_id()
    assert (
        olga.push(
            project,
            olga.row("thread", "new", thread, {}),
            olga.row("message", "new", question, body(thread)),
            olga.row("message", "new", some_id(), body(thread, question)),
            olga.row("summary", "new", some_id(), body(thread)),
        )
        == ["ok"] * 4
    )


MALFORMED: tuple[dict[str, Any], ...] = (
    {"id": "no-uuid"},
    {"id": "019bc3c2-7c1e-7cc0-98f6-3D2A1B4C5D6E"},
    {"id": None},
    {"entity": ""},
    {"kind": "member"},
    {"op": "grant"},
    {"reg": "Title"},
    {"reg": "x" * 121},
    {"reg": ""},
    {"dseq": -1},
    {"dseq": 1.5},
    {"dseq": 10**20},
    {"hlc": "soon"},
    {"hlc": -1},
    {"v": 12345},
    {"parents": "none"},
    {"parents": {}},
    {"parents": ["x"]},
    {"parents": [None]},
    {"parents": [str(uuid.uuid4()), None]},
    {"entity": "-" * 36},
    {"entity": "019bc3c2-7c1e-7cc0-98f6--d2a1b4c5d6e"},
    {"parents": [f"{uuid.uuid4()},"]},
    {"parents": [str(uuid.UUID(int=n)) for n in range(201)]},
    {"body": "text"},
    {"body": [1]},
    {"body": 1},
)


def test_a_malformed_row_is_denied_and_stops_no_other(team: Team) -> None:
    project, olga = team.project(), team.owner
    for change in MALFORMED:
        bad = {**olga.row("thread", "new", some_id(), {"title": "T"}), **change}
        good = olga.row("thread", "new", some_id(), {"title": "T"})
        assert olga.push(project, bad, good) == ["denied", "ok"], change


def test_rows_that_are_none_break_nothing(team: Team) -> None:
    project, olga = team.project(), team.owner
    query = "SELECT o_status FROM cd.push(%s, %s, 2, %s::jsonb)"
    for rows in ("[1]", "[null]", "[[]]", '["x"]'):
        assert olga.ask(query, project, olga.device, rows) == [("denied",)]
    for rows in ("1", '"x"', "{}", "null"):
        assert state(olga.ask, query, project, olga.device, rows) == "CD009"


def test_more_rows_than_one_push_takes_are_refused(team: Team) -> None:
    project, olga = team.project(), team.owner
    with pytest.raises(psycopg.Error, match="1000"):
        olga.push(project, *[{}] * 1001)


def test_a_message_is_deleted_and_brought_back_but_never_rewritten(team: Team) -> None:
    project, olga = team.project(), team.owner
    message = olga.message(project, olga.thread(project))
    assert olga.push(
        project,
        olga.row("message", "edit", message, {"parts": []}),
        olga.row("message", "del", message, {"covers": {}}),
        olga.row("message", "edit", message),
    ) == ["denied", "ok", "ok"]


def test_a_body_that_is_too_large_is_too_big(team: Team) -> None:
    project, olga = team.project(), team.owner
    large = olga.row("thread", "new", some_id(), {"title": "x" * 1_600_000})
    fits = olga.row("thread", "new", some_id(), {"title": "x" * 999_000})
    assert olga.push(project, large, fits) == ["too_big", "ok"]


def test_a_stamp_from_the_future_is_lowered(team: Team) -> None:
    project, olga = team.project(), team.owner
    now = int(time.time() * 1000)
    week = (now + 7 * 86_400_000) << 16
    rows = olga.push_fully(
        project,
        olga.row("thread", "new", some_id(), {}, hlc=week),
        olga.row("thread", "new", some_id(), {}, hlc=9_999_999_999_999_999_999),
        olga.row("thread", "new", some_id(), {}, hlc=5),
    )
    ahead = [(row[3] >> 16) - now for row in rows]
    assert all(50_000 < one < 70_000 for one in ahead[:2])
    assert rows[2][3] == 5


def test_what_each_role_may_write(team: Team) -> None:
    project, olga = team.project(), team.owner
    people = {role: team.join(role, **{project: role}) for role in ("viewer", "editor", "admin", "owner")}
    thread = olga.thread(project)
    message = olga.message(project, thread)
    summary = some_id()
    assert olga.push(
        project, olga.row("project", "new", project, {}), olga.row("summary", "new", summary, body(thread))
    )
    expected = {
        "viewer": ["denied"] * 10,
        "editor": ["ok", "ok", "ok", "denied", "ok", "denied", "denied", "denied", "ok", "denied"],
        "admin": ["ok"] * 10,
        "owner": ["ok"] * 10,
    }
    for role, person in people.items():
        mine = some_id()
        assert (
            person.push(
                project,
                person.row("thread", "new", mine, {}),
                person.row("thread", "edit", mine, {}, reg="title"),
                person.row("thread", "del", mine, {"covers": {}}),
                person.row("thread", "edit", thread, {}, reg="title"),
                person.row("thread", "edit", thread, {}, reg="lww.model"),
                person.row("thread", "del", thread, {"covers": {}}),
                person.row("message", "del", message, {"covers": {}}),
                person.row("project", "edit", project, {"name": "X"}, reg="name"),
                person.row("summary", "edit", summary, {}, reg="lww.enabled"),
                person.row("summary", "del", summary, {}),
            )
            == expected[role]
        ), role


def test_a_project_s_first_row_is_its_owner_s_and_is_not_deleted_by_a_row(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    assert anna.push(project, anna.row("project", "new", project, {}), anna.row("project", "new", some_id(), {})) == [
        "denied",
        "denied",
    ]
    olga = team.owner
    assert olga.push(project, olga.row("project", "new", some_id(), {})) == ["denied"]
    assert olga.push(project, olga.row("project", "new", project, {}), olga.row("project", "del", project, {})) == [
        "ok",
        "denied",
    ]


def state(call: Any, *args: Any, **options: Any) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        call(*args, **options)
    return caught.value.sqlstate


def test_conditions_of_a_whole_push_have_states_of_their_own(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna = team.join("anna")
    row = olga.row("thread", "new", some_id(), {})
    assert state(olga.push, project, row, proto=0) == "CD001"
    assert state(olga.push, project, row, device=anna.device) == "CD006"
    assert state(olga.push, project, row, device=some_id()) == "CD006"
    assert state(olga.push, some_id(), row) == "CD005"
    assert state(anna.push, project, row) == "CD005"
    olga.ask("SELECT cd.end_project(%s)", project)
    assert state(olga.push, project, row) == "CD004"
    olga.ask("SELECT cd.remove_member(%s)", anna.id)
    assert state(anna.push, project, row) == "57P01"
    login, password, _member = team.invite("ben")
    with team.database.connect(login, password) as ben, pytest.raises(psycopg.Error) as caught:
        ben.execute("SELECT cd.push(%s, %s, 2, '[]')", [project, some_id()])
    assert caught.value.sqlstate == "CD003"


def test_a_removed_device_comes_back_by_hello(team: Team) -> None:
    project, olga = team.project(), team.owner
    olga.ask("SELECT cd.remove_device(%s)", olga.device)
    assert state(olga.push, project, olga.row("thread", "new", some_id(), {})) == "CD006"
    olga.hello()
    olga.thread(project)


def test_numbers_are_dense_and_in_the_order_of_commits_under_sixteen_writers(team: Team) -> None:
    project = team.project()
    people = [team.owner, *[team.join(f"m{n}", **{project: "editor"}) for n in range(3)]]
    writers = [team.again(people[n % 4]) for n in range(16)]
    for writer in writers:
        writer.hello()
    seen: list[int] = []
    gaps: list[tuple[int, ...]] = []
    done = threading.Event()

    def write(writer: Person) -> None:
        for _ in range(12):
            rows = [writer.row("thread", "new", new_id(), {}) for _ in range(3)]
            assert writer.push(project, *rows) == ["ok"] * 3

    def read() -> None:
        """As a client does: what comes after the newest known; a number that appears later below it would be lost."""
        reader = team.again(team.owner)
        last = 0
        while not (done.is_set() and last == 16 * 36):
            new = [row[0] for row in reader.ask("SELECT seq FROM cd.change WHERE seq > %s ORDER BY seq", last)]
            if new != list(range(last + 1, last + 1 + len(new))):
                gaps.append((last, *new))
                return
            seen.extend(new)
            last += len(new)

    threads = [threading.Thread(target=write, args=[writer]) for writer in writers]
    reading = threading.Thread(target=read)
    for thread in (*threads, reading):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reading.join()
    assert gaps == []
    assert seen == list(range(1, 16 * 36 + 1))
    chain: bytes | None = None
    for row in pulled(team.owner):
        chain = row.chain_after(chain)
        assert chain == row.chain


def test_a_member_who_holds_the_lock_is_not_waited_for_longer_than_five_seconds(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna = team.join("anna", **{project: "editor"})
    push = "cd.push(uuid, uuid, integer, jsonb)"
    with team.database.as_superuser() as root:
        settings = root.execute("SELECT proconfig FROM pg_proc WHERE oid = %s::regprocedure", [push]).fetchone()
        assert settings is not None
        assert "lock_timeout=5s" in settings[0]
        root.execute(f"ALTER FUNCTION {push} SET lock_timeout = '200ms'".encode())
    with team.database.connect(olga.login, olga.password, autocommit=False) as holder:
        held = json.dumps([olga.row("thread", "new", some_id(), {})])
        holder.execute(f"SELECT cd.push(%s, %s, {PROTOCOL}, %s::jsonb)", [project, olga.device, held])
        assert state(anna.push, project, anna.row("thread", "new", some_id(), {})) == "55P03"
        assert anna.ask("SELECT seq FROM cd.project_head") == [(0,)]


def test_a_push_that_waits_while_its_member_is_removed_fails(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna = team.join("anna", **{project: "editor"})
    states: list[str | None] = []
    with team.database.connect(olga.login, olga.password, autocommit=False) as remover:
        remover.execute("SELECT cd.set_role(%s, %s, NULL)", [project, anna.id])
        row = anna.row("thread", "new", some_id(), {})
        waiting = threading.Thread(target=lambda: states.append(state(anna.push, project, row)))
        waiting.start()
        with team.database.as_superuser() as watcher:
            wait_until(lambda: watcher.execute(_WAITING).fetchone() or not waiting.is_alive())
            assert waiting.is_alive()
        remover.commit()
        waiting.join()
    assert states == ["CD005"]
    assert olga.value("SELECT count(*) FROM cd.change") == 0


def test_what_a_restored_server_lost_is_sent_again_by_its_author_from_any_of_their_computers(team: Team) -> None:
    project = team.project()
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    other = team.again(anna)
    other.hello()
    thread = anna.thread(project)
    message = anna.message(project, thread)
    deleted = anna.row("message", "del", message, {"covers": {anna.device: 2}}, hlc=2**62, v=7)
    assert anna.push(project, deleted) == ["ok"]
    kept = other.kept(project)
    before = [replace(row, at=0, chain=b"") for row in pulled(ben)]
    for is_known in (True, False):
        team.restore(project)
        if not is_known:  # the computer came after the backup, and is gone
            with team.database.as_superuser() as root:
                root.execute("DELETE FROM cd.device WHERE id = %s", [anna.device])
        if is_known:
            assert ben.push(project, *kept) == ["denied"] * 3
        assert other.push(project, *kept) == ["ok"] * 3
        assert [replace(row, at=0, chain=b"") for row in pulled(ben)] == before
        assert other.push(project, *kept) == ["dup"] * 3
        listed = {row[0] for row in anna.ask("SELECT id::text FROM cd.device WHERE removed_at IS NULL")}
        assert (anna.device in listed) is is_known
    assert anna.hello()
    assert anna.push(project, anna.row("thread", "new", some_id(), {})) == ["ok"]


def test_only_a_computers_own_member_numbers_its_changes(team: Team) -> None:
    project = team.project()
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    forged = ben.row("thread", "new", some_id(), {}, device=anna.device)
    assert ben.push(project, forged) == ["denied"]
    assert ben.push(project, {**forged, "device": "x"}) == ["denied"]
    assert ben.push(project, {**forged, "dseq": 0}) == ["denied"]


def test_a_change_whose_place_is_taken_travels_as_its_own_device_s(team: Team) -> None:
    project = team.project()
    anna = team.join("anna", **{project: "editor"})
    other = team.again(anna)
    other.hello()
    anna.thread(project)
    lost = other.kept(project)[0]
    team.restore(project)
    assert anna.push(project, anna.row("thread", "new", some_id(), {}, dseq=1)) == ["ok"]
    assert other.push(project, lost) == ["ok"]
    assert [(row.device, row.dseq, row.number) for row in pulled(anna)][1:] == [(lost["id"], 0, 1)]
    team.restore(project, 1)
    assert other.push(project, {**lost, "device": lost["id"], "dseq": 0}) == ["ok"]
    assert [(row.device, row.dseq, row.number) for row in pulled(anna)][1:] == [(lost["id"], 0, 1)]
    assert other.push(project, other.row("thread", "new", some_id(), {}, dseq=0)) == ["denied"]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_no_two_projects_hold_the_same_place_of_an_own_computer(team: Team, where: str) -> None:
    """A third computer sends what another one wrote, whose copied profile used the place in another project."""
    project, other_project = team.project(), team.project()
    anna = team.join("anna", **{project: "editor", other_project: "editor"})
    third = team.again(anna)
    third.hello()
    anna.thread(project)
    lost = anna.kept(project)[0]
    team.restore(project)
    taken = project if where == "here" else other_project
    assert anna.push(taken, anna.row("thread", "new", some_id(), {}, dseq=1)) == ["ok"]
    assert third.push(project, lost) == ["ok"]
    places = [(row.device, row.dseq) for row in pulled(anna)]
    assert sorted(places) == sorted([(anna.device, 1), (lost["id"], 0)])


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_taken_place_tells_nothing_of_another_member_s_computer(team: Team, where: str) -> None:
    project, other_project = team.project(), team.project()
    anna = team.join("anna", **{project: "editor", other_project: "editor"})
    ben = team.join("ben", **{project: "editor"})
    anna.thread(project if where == "here" else other_project)
    assert ben.push(project, ben.row("thread", "new", some_id(), {}, device=anna.device, dseq=1)) == ["denied"]


@pytest.mark.parametrize("lost", ["message", "thread"])
def test_a_reply_below_something_lost_is_taken_and_joined_when_that_comes_back(team: Team, lost: str) -> None:
    project = team.project()
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    thread = anna.thread(project)
    message = anna.message(project, thread)
    kept = anna.kept(project)
    reply = ben.row("message", "new", some_id(), body(thread, message))
    team.restore(project, 1 if lost == "message" else 0)
    assert ben.push(project, reply) == ["orphan"]
    assert ben.push(project, {**reply, "is_gone": 1}) == ["orphan"]
    assert ben.push(project, {**reply, "is_gone": True}) == ["ok"]
    # What is there, and is something else, is no place.
    odd = ben.row("message", "new", some_id(), body(thread, reply["entity"], thread_id=some_id()), is_gone=True)
    assert ben.push(project, odd) == ["orphan"]
    assert ben.push(project, ben.row("thread", "edit", thread, {"is_pinned": 1}, reg="lww.pinned", is_gone=True)) == [
        "ok" if lost == "message" else "orphan"
    ]
    assert anna.push(project, *kept) == (["dup", "ok"] if lost == "message" else ["ok", "ok"])
    with team.database.as_superuser() as root:
        places = root.execute("SELECT id::text, created_by::text FROM cd.entity WHERE project_id = %s", [project])
        assert set(places.fetchall()) == {(thread, anna.id), (message, anna.id), (reply["entity"], ben.id)}
