"""What the server says of pushed changes, one status a row; numbers, chain and stamps are its own."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import body_digest, next_chain
from chatdesk.core.ids import new_id
from tests.helpers.team_people import Person, Row, Team, some_id
from tests.helpers.waiting import wait_until

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def body(thread: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"thread_id": thread, "parent_id": parent, **more}


def test_a_pushed_change_is_in_the_log_with_a_number_an_author_and_a_chain(team: Team) -> None:
    project, olga = team.project(), team.owner
    first = olga.row("project", "new", project, {"name": "P"})
    second = olga.row("thread", "new", some_id(), {"title": "T"}, parents=[first["id"], some_id()])
    assert [row[1:3] for row in olga.push_fully(project, first, second)] == [("ok", 1), ("ok", 2)]
    rows = olga.ask(
        "SELECT id::text, seq, author::text, device_id::text, dseq, chain, parents, hlc, body::text, digest"
        " FROM cd.change ORDER BY seq"
    )
    assert [row[:5] for row in rows] == [
        (first["id"], 1, olga.id, olga.device, 1),
        (second["id"], 2, olga.id, olga.device, 2),
    ]
    assert [row[9] for row in rows] == [body_digest(row[8]) for row in rows]
    chain = next_chain(None, first["id"], olga.device, 1, rows[0][7], rows[0][9])
    ids = uuid.UUID(first["id"]).bytes + uuid.UUID(olga.device).bytes
    numbers = (1).to_bytes(8) + rows[0][7].to_bytes(8)
    assert rows[0][5] == chain == hashlib.sha256(bytes(32) + ids + numbers + rows[0][9]).digest()
    assert rows[1][5] == next_chain(chain, second["id"], olga.device, 2, rows[1][7], rows[1][9])
    assert [str(parent) for parent in rows[1][6]] == second["parents"]
    assert olga.ask("SELECT seq, chain FROM cd.project_head") == [(2, rows[1][5])]


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
@pytest.mark.parametrize("function", ["push", "relay"])
def test_what_somebody_put_in_the_place_of_lost_words_is_not_taken_for_them(
    team: Team, words: str, function: str
) -> None:
    project = team.project()
    vic, eve, ana = (team.join(name, **{project: "editor"}) for name in ("vic", "eve", "ana"))
    thread = vic.thread(project)
    said = vic.row("message", "new", some_id(), {"thread_id": thread, "text": "I approve: 100"})
    assert vic.push(project, said) == ["ok"]
    kept = ana.kept(project)
    team.restore(project, 1)
    body = {"thread_id": thread, "text": words}
    if function == "push":
        forged = {**eve.row("message", "new", said["entity"], body), "id": said["id"]}
    else:
        forged = {**kept[1], "body": body, "seal": "0" * 32}
    assert [row[1] for row in eve.push_fully(project, forged, function=function)] == ["ok"]
    assert vic.push(project, said) == ["id_taken"]
    assert [row[1] for row in ana.push_fully(project, *kept, function="relay")] == ["dup", "id_taken"]
    assert eve.push_fully(project, forged, function=function)[0][1] == "dup"


def test_one_s_own_words_in_another_form_are_not_the_same(team: Team) -> None:
    project, olga = team.project(), team.owner
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    assert olga.push(project, row, {**row, "body": {"title": "U"}}, row) == ["ok", "id_taken", "dup"]


def test_what_was_brought_back_beside_another_change_is_known_the_second_time(team: Team) -> None:
    olga, project = team.owner, team.project()
    ana = team.join("ana", **{project: "editor"})
    first = olga.row("thread", "new", some_id(), {"title": "T"})
    assert olga.push(project, first) == ["ok"]
    kept = ana.kept(project)
    team.restore(project)
    assert olga.push(project, olga.row("thread", "new", some_id(), {}, dseq=first["dseq"])) == ["ok"]
    found = [[row[1] for row in ana.push_fully(project, *kept, function="relay")] for _time in range(2)]
    assert found == [["ok"], ["dup"]]


def test_a_place_of_a_device_that_another_project_has_is_forked(team: Team) -> None:
    olga, project, other = team.owner, team.project(), team.project()
    row = olga.row("thread", "new", some_id(), {"title": "T"})
    copy = olga.row("thread", "new", some_id(), {"title": "T"}, dseq=row["dseq"])
    assert olga.push(project, row) == ["ok"]
    assert olga.push(other, copy) == ["forked"]


def test_ids_that_somebody_took_elsewhere_after_a_restore_do_not_keep_out_what_has_its_seal(team: Team) -> None:
    olga, project = team.owner, team.project()
    eve = team.join("eve", **{project: "editor"})
    thread = olga.thread(project)
    olga.message(project, thread)
    kept = eve.kept(project)
    team.restore(project)
    own = team.project(eve)
    assert eve.push(own, *(eve.row("thread", "new", row["entity"], {}) for row in kept)) == ["ok", "ok"]
    assert [row[1] for row in eve.push_fully(project, *kept, function="relay")] == ["ok", "ok"]


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


def test_what_hangs_below_nothing_is_an_orphan(team: Team) -> None:
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
    query = "SELECT o_status FROM cd.push(%s, %s, 1, %s::jsonb)"
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
        ben.execute("SELECT cd.push(%s, %s, 1, '[]')", [project, some_id()])
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
    columns = "chain, id::text, device_id::text, dseq, hlc, digest"
    for found, *row in team.owner.ask(f"SELECT {columns} FROM cd.change ORDER BY seq"):
        chain = next_chain(chain, *row)
        assert chain == found


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
        holder.execute("SELECT cd.push(%s, %s, 1, %s::jsonb)", [project, olga.device, held])
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


def test_what_the_server_lost_is_brought_back_under_its_author_s_name(team: Team) -> None:
    """Also what its author may do no more, and what who brings it back never might: once it was permitted."""
    project, olga = team.project(), team.owner
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    assert olga.push(project, olga.row("project", "new", project, {"name": "Ünïcode \n \u0001", "size": 1.50})) == [
        "ok"
    ]
    thread = anna.thread(project)
    message = anna.message(project, thread)
    named = olga.row("thread", "edit", thread, {"title": "Olga's"}, reg="title", parents=[some_id(), some_id()])
    deleted = anna.row("message", "del", message, {"covers": {anna.device: 2}}, hlc=2**62, v=7)
    assert [olga.push(project, named), anna.push(project, deleted)] == [["ok"], ["ok"]]
    kept = ben.kept(project)
    before = _log(olga)
    team.restore(project)
    olga.ask("SELECT cd.set_role(%s, %s, 'viewer')", project, anna.id)
    assert [found[1] for found in ben.push_fully(project, *kept, function="relay")] == ["ok"] * 5
    assert _log(olga) == before
    assert [row["relayed_by"] for row in _log(olga, "relayed_by::text")] == [ben.id] * 5
    assert anna.push(project, deleted) == ["dup"]
    # What was brought back can be brought back again.
    kept = ben.kept(project)
    team.restore(project, 2)
    assert [found[1] for found in ben.push_fully(project, *kept, function="relay")] == ["dup"] * 2 + ["ok"] * 3
    assert _log(olga) == before


def _log(person: Person, *columns: str) -> list[dict[str, Any]]:
    wanted = (
        ", ".join(columns) or "id, seq, device_id, dseq, author, kind, op, entity_id, reg, parents, hlc, v, body, chain"
    )
    return [row[0] for row in person.ask(f"SELECT to_jsonb(c) FROM (SELECT {wanted} FROM cd.change ORDER BY seq) c")]


def test_nothing_that_was_not_said_is_brought_back_in_anothers_name(team: Team) -> None:
    """Whoever writes SQL by hand has real seals of real changes, after a restore, too."""
    project, other, olga = team.project(), team.project(), team.owner
    anna, ben = (team.join(name, **{project: "editor", other: "editor"}) for name in ("anna", "ben"))
    thread = anna.thread(project)
    message = anna.message(project, thread)
    ben.thread(project)
    anna.thread(other)
    in_other = ben.kept(other)[0]
    real = ben.kept(project)
    team.restore(project, 1)
    lost = real[1]
    assert (lost["author"], lost["entity"]) == (anna.id, message)
    anew = {"id": some_id(), "entity": some_id()}
    words = {**lost["body"], "text": "forged"}
    attempts: list[Row] = [
        *({**lost, **anew, "seal": seal} for seal in (None, "", "0" * 32, lost["seal"], lost["seal"].upper(), [], 7)),
        {key: value for key, value in {**lost, **anew}.items() if key != "seal"},
        *({**lost, "id": some_id(), "entity": some_id(), "seal": row["seal"]} for row in real),
        {**lost, **anew, "body": words},
        {**lost, "id": some_id()},
        {**lost, "entity": some_id()},
        {**lost, "body": words, "entity": some_id()},
        {**lost, "op": "edit", "body": None, "entity": thread, "kind": "thread", "reg": "title"},
        {**lost, "kind": "summary", "entity": some_id()},
        {**lost, **anew, "reg": "title"},
        {**real[0], "id": some_id(), "op": "edit", "reg": "title", "body": {"title": "forged"}},
        {**real[0], "id": some_id(), "op": "del", "body": {"covers": {}}},
        {**in_other, "entity": some_id()},
        in_other,
        {**real[2], "author": anna.id, "entity": some_id()},
    ]
    for attempt in attempts:
        ben.push_fully(project, attempt, function="relay")
    assert ben.ask("SELECT DISTINCT author::text FROM cd.change WHERE seq > 1 AND project_id = %s", project) == [
        (ben.id,)
    ]
    assert olga.value("SELECT count(*) FROM cd.change WHERE op <> 'new' AND project_id = %s", project) == 0
    # Single things that are said otherwise of a change that is really Anna's.
    for odd in ({"hlc": lost["hlc"] + 1}, {"dseq": 9}, {"device": some_id()}, {"v": 2}, {"parents": [some_id()]}):
        team.restore(project, 1)
        assert [found[1] for found in ben.push_fully(project, {**lost, **odd}, function="relay")] == ["ok"], odd
        (row,) = ben.ask(
            "SELECT author::text, device_id::text, dseq FROM cd.change WHERE project_id = %s AND seq = 2", project
        )
        assert row == (ben.id, lost["id"], 0), odd
    team.restore(project, 1)
    assert [found[1] for found in ben.push_fully(project, lost, function="relay")] == ["ok"]
    assert ben.value("SELECT author::text FROM cd.change WHERE project_id = %s AND seq = 2", project) == anna.id


def test_without_a_seal_an_admin_speaks_in_nobody_else_s_name_either(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    admin = team.join("adam", **{project: "admin"})
    thread = anna.thread(project)
    message = anna.message(project, thread)

    def forged() -> list[Row]:
        rows = (
            anna.row("thread", "edit", thread, {"title": "Forged"}, reg="title"),
            anna.row("thread", "del", thread, {"covers": {}}),
            anna.row("message", "del", message, {"covers": {}}),
        )
        return [{**row, "device": anna.device, "author": anna.id} for row in rows]

    assert [found[1] for found in ben.push_fully(project, *forged(), function="relay")] == ["denied"] * 3
    assert olga.value("SELECT count(*) FROM cd.change") == 2
    for person in (anna, admin):  # what they may do anyway, as themselves
        rows = forged()
        assert [found[1] for found in person.push_fully(project, *rows, function="relay")] == ["ok"] * 3
        found = olga.ask("SELECT author::text FROM cd.change WHERE id = ANY (%s)", [row["id"] for row in rows])
        assert found == [(person.id,)] * 3


def test_a_change_whose_place_is_taken_is_brought_back_as_its_own_device_s(team: Team) -> None:
    project = team.project()
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    anna.thread(project)
    lost = ben.kept(project)[0]
    team.restore(project)
    assert anna.push(project, anna.row("thread", "new", some_id(), {}, dseq=1)) == ["ok"]
    assert [found[1] for found in ben.push_fully(project, lost, function="relay")] == ["ok"]
    columns = "author::text, device_id::text, dseq"
    assert ben.ask(f"SELECT {columns} FROM cd.change WHERE id = %s", lost["id"]) == [(anna.id, lost["id"], 0)]
    # Nobody can take that place before it.
    ben.device = some_id()
    ben.hello()
    assert ben.push(project, ben.row("thread", "new", some_id(), {}, dseq=0)) == ["denied"]
    viewer = team.join("vera", **{project: "viewer"})
    more = {**anna.row("thread", "new", some_id(), {}), "device": anna.device, "author": anna.id}
    assert [found[1] for found in viewer.push_fully(project, more, function="relay")] == ["denied"]
    assert [found[1] for found in ben.push_fully(project, {**more, "author": "x"}, function="relay")] == ["denied"]
