"""What the server says of pushed changes, one status a row; numbers, chain and stamps are its own."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.chain import next_chain
from chatdesk.core.ids import new_id
from tests.helpers.team_people import Person, Row, Team, some_id


def body(thread: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {"thread_id": thread, "parent_id": parent, **more}


def test_a_pushed_change_is_in_the_log_with_a_number_an_author_and_a_chain(team: Team) -> None:
    project, olga = team.project(), team.owner
    first = olga.row("project", "new", project, {"name": "P"})
    second = olga.row("thread", "new", some_id(), {"title": "T"}, parents=[first["id"], some_id()])
    assert [row[1:3] for row in olga.push_fully(project, first, second)] == [("ok", 1), ("ok", 2)]
    rows = olga.ask(
        "SELECT id::text, seq, author::text, device_id::text, dseq, chain, parents, hlc FROM cd.change ORDER BY seq"
    )
    assert [row[:5] for row in rows] == [
        (first["id"], 1, olga.id, olga.device, 1),
        (second["id"], 2, olga.id, olga.device, 2),
    ]
    chain = next_chain(None, first["id"], olga.device, 1, rows[0][7])
    ids = uuid.UUID(first["id"]).bytes + uuid.UUID(olga.device).bytes
    numbers = (1).to_bytes(8) + rows[0][7].to_bytes(8)
    assert rows[0][5] == chain == hashlib.sha256(bytes(32) + ids + numbers).digest()
    assert rows[1][5] == next_chain(chain, second["id"], olga.device, 2, rows[1][7])
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


@pytest.mark.parametrize("change", [{"op": "edit", "reg": "title"}, {"entity": str(uuid.uuid4())}, {"reg": "title"}])
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
    assert state(anna.push, project, row) in ("42501", "CD002")
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
    for found, *row in team.owner.ask("SELECT chain, id::text, device_id::text, dseq, hlc FROM cd.change ORDER BY seq"):
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
        holder.execute("SELECT cd.push(%s, %s, 1, %s::jsonb)", [project, olga.device, "[]"])
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
        time.sleep(0.2)
        remover.commit()
        waiting.join()
    assert states == ["CD005"]
    assert olga.value("SELECT count(*) FROM cd.change") == 0


def test_what_the_server_lost_is_brought_back_under_its_author_s_name(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    thread = some_id()
    row = {**anna.row("thread", "new", thread, {"title": "T"}), "device": anna.device, "author": anna.id}
    title = {**anna.row("thread", "edit", thread, {}, reg="title"), "device": anna.device, "author": anna.id}
    assert [found[1] for found in ben.push_fully(project, row, title, function="relay")] == ["ok", "ok"]
    assert (
        olga.ask("SELECT author::text, relayed_by::text, device_id::text FROM cd.change ORDER BY seq")
        == [(anna.id, ben.id, anna.device)] * 2
    )
    assert anna.push(project, row, title) == ["dup", "dup"]
    assert anna.push(project, anna.row("thread", "del", thread, {})) == ["ok"]


def test_an_editor_brings_back_no_edit_of_what_its_author_did_not_make(team: Team) -> None:
    project, olga = team.project(), team.owner
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    thread = anna.thread(project)
    by_olga = {**olga.row("thread", "del", thread, {}), "device": olga.device, "author": olga.id}
    settings = {**olga.row("project", "edit", project, {}, reg="name"), "device": olga.device, "author": olga.id}
    assert olga.push(project, olga.row("project", "new", project, {})) == ["ok"]
    assert [found[1] for found in ben.push_fully(project, by_olga, settings, function="relay")] == ["denied"] * 2
    assert [found[1] for found in olga.push_fully(project, by_olga, settings, function="relay")] == ["ok"] * 2


def test_an_editor_changes_nothing_of_others_in_their_name(team: Team) -> None:
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
    own = [{**row, "device": anna.device, "author": anna.id} for row in forged()]
    assert [found[1] for found in anna.push_fully(project, *own, function="relay")] == ["ok"] * 3
    assert [found[1] for found in admin.push_fully(project, *forged(), function="relay")] == ["ok"] * 3


def test_a_change_whose_place_is_taken_is_brought_back_as_its_own_device_s(team: Team) -> None:
    project = team.project()
    anna, ben = (team.join(name, **{project: "editor"}) for name in ("anna", "ben"))
    anna.thread(project)
    lost = {**anna.row("thread", "new", some_id(), {}, dseq=1), "device": anna.device, "author": anna.id}
    assert [found[1] for found in ben.push_fully(project, lost, function="relay")] == ["ok"]
    assert ben.ask("SELECT device_id::text, dseq FROM cd.change WHERE id = %s", lost["id"]) == [(lost["id"], 0)]
    viewer = team.join("vera", **{project: "viewer"})
    more = {**anna.row("thread", "new", some_id(), {}), "device": anna.device, "author": anna.id}
    assert [found[1] for found in viewer.push_fully(project, more, function="relay")] == ["denied"]
    assert [found[1] for found in ben.push_fully(project, {**more, "author": "x"}, function="relay")] == ["denied"]
