"""Erasing on the team's server, as SQL of members meets it: who may, what goes, what stays, what is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import psycopg
import pytest

from chatdesk.core.ids import new_id
from tests.helpers.team_people import Person, Row, Team, pulled, some_id

SECRET = "my secret words"


def message_row(person: Person, thread: str, **more: Any) -> Row:
    body = {"thread_id": thread, "role": "user", "status": "complete", "parts": [{"content": {"text": SECRET}}], **more}
    return person.row("message", "new", new_id(), body)


def said(team: Team, project: str, person: Person, thread: str, **more: Any) -> Row:
    row = message_row(person, thread, **more)
    assert person.push(project, row) == ["ok"]
    return row


def erasure(person: Person, thread: str, *changes: str, **more: Any) -> Row:
    return person.row("thread", "del", thread, {"changes": list(changes)}, **{"reg": "erased", **more})


def held(person: Person, change: str) -> tuple[Any, bool]:
    body, is_erased = person.ask("SELECT body, erased FROM cd.change WHERE id = %s", change)[0]
    return body, is_erased


def test_an_author_erases_their_own_words_and_the_log_stays_whole(team: Team) -> None:
    project = team.project()
    ed = team.join("ed", **{project: "editor"})
    thread = team.owner.thread(project)
    row = said(team, project, ed, thread)
    digest = ed.value("SELECT digest FROM cd.change WHERE id = %s", row["id"])
    assert ed.push(project, erasure(ed, thread, row["id"])) == ["ok"]
    assert held(ed, row["id"]) == (
        {"thread_id": thread, "role": "user", "status": "complete", "is_purged": True},
        True,
    )
    chain = None
    for each in pulled(ed):
        chain = each.chain_after(chain)
        assert each.chain == chain
        assert each.has_accepted_body
    assert ed.value("SELECT digest FROM cd.change WHERE id = %s", row["id"]) == digest


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", "denied"), ("editor", "denied"), ("admin", "ok"), ("owner", "ok")]
)
def test_only_who_manages_a_project_erases_what_others_wrote(team: Team, role: str, status: str) -> None:
    project = team.project()
    eve = team.join("eve", **{project: role})
    thread = team.owner.thread(project)
    row = said(team, project, team.owner, thread)
    assert eve.push(project, erasure(eve, thread, row["id"])) == [status]
    assert held(team.owner, row["id"])[1] is (status == "ok")


def test_nobody_erases_a_bit_of_what_they_may_not(team: Team) -> None:
    """One of the named changes is another's: then nothing is done."""
    project = team.project()
    eve = team.join("eve", **{project: "editor"})
    thread = team.owner.thread(project)
    mine, theirs = said(team, project, eve, thread), said(team, project, team.owner, thread)
    assert eve.push(project, erasure(eve, thread, mine["id"], theirs["id"])) == ["denied"]
    assert not held(eve, mine["id"])[1]


def test_a_removed_member_erases_nothing(team: Team) -> None:
    project = team.project()
    eve = team.join("eve", **{project: "admin"})
    thread = team.owner.thread(project)
    row = said(team, project, eve, thread)
    team.owner.ask("SELECT cd.set_role(%s, %s, NULL)", project, eve.id)
    with pytest.raises(psycopg.Error) as refused:
        eve.push(project, erasure(eve, thread, row["id"]))
    assert refused.value.sqlstate == "CD005"


def test_an_owner_reaches_nothing_of_another_project(team: Team) -> None:
    here = team.project()
    eve = team.join("eve", **{here: "viewer"})
    theirs = team.project(eve)
    thread, row_thread = eve.thread(theirs), team.owner.thread(here)
    row = said(team, here, team.owner, row_thread)
    assert eve.push(theirs, erasure(eve, thread, row["id"])) == ["ok"], "it might have been lost by a restore"
    assert not held(team.owner, row["id"])[1]


@pytest.mark.parametrize(
    "more",
    [
        {"op": "edit"},
        {"kind": "message"},
        {"body": {"changes": "all"}},
        {"body": {"changes": ["x"]}},
        {"body": {"changes": []}},
        {"body": None},
        {"body": {"changes": [some_id() for _ in range(1001)]}},
    ],
)
def test_an_invalid_erasure_is_denied(team: Team, more: dict[str, Any]) -> None:
    project = team.project()
    thread = team.owner.thread(project)
    assert team.owner.push(project, {**erasure(team.owner, thread, new_id()), **more}) == ["denied"]


def test_what_decides_what_is_shown_cannot_be_erased(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread = olga.thread(project)
    deletion = olga.row("thread", "del", thread, {"covers": {}})
    assert olga.push(project, deletion) == ["ok"]
    first = erasure(olga, thread, new_id())
    assert olga.push(project, first) == ["ok"]
    for named in (deletion["id"], first["id"]):
        assert olga.push(project, erasure(olga, thread, named)) == ["denied"]


def test_a_placeholder_is_taken_only_where_an_erasure_names_it(team: Team) -> None:
    """From its author, and from nobody else."""
    project = team.project()
    eve, vic = (team.join(name, **{project: "editor"}) for name in ("eve", "vic"))
    thread = team.owner.thread(project)
    row = said(team, project, vic, thread)
    assert vic.push(project, erasure(vic, thread, row["id"])) == ["ok"]
    kept = next(each for each in vic.kept(project) if each["id"] == row["id"])
    team.restore(project, 1)
    for stub in (kept, {**kept, "erased": "0" * 64}):
        assert vic.push(project, stub) == ["orphan"]
        assert eve.push(project, {**stub, "device": eve.device, "dseq": 1}) == ["orphan"]
    assert vic.push(project, {**kept, "erased": "x"}) == ["denied"]
    # An erasure by somebody who may not ask for it takes nothing, and lets nothing in.
    assert eve.push(project, erasure(eve, thread, row["id"])) == ["ok"]
    assert vic.push(project, kept) == ["orphan"]
    assert vic.push(project, erasure(vic, thread, row["id"]), kept) == ["ok", "ok"]
    body, is_erased = held(eve, row["id"])
    assert (body["thread_id"], is_erased) == (thread, True)


@pytest.mark.parametrize("by", ["author", "editor", "owner"])
def test_words_that_come_after_their_erasure_are_entered_as_a_stub_where_it_might_name_them(
    team: Team, by: str
) -> None:
    project = team.project()
    eve, ed = (team.join(name, **{project: "editor"}) for name in ("eve", "ed"))
    thread = team.owner.thread(project)
    words = message_row(eve, thread)
    person = {"author": eve, "editor": ed, "owner": team.owner}[by]
    assert person.push(project, erasure(person, thread, words["id"])) == ["ok"]
    assert eve.push(project, {**words, "dseq": 77}) == ["ok"]
    body, is_erased = held(eve, words["id"])
    assert is_erased is (by != "editor")
    assert (SECRET in json.dumps(body)) is (by == "editor")


def test_what_decides_what_is_shown_cannot_be_erased_ahead(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread = olga.thread(project)
    deletion = olga.row("thread", "del", thread, {"covers": {}})
    made = olga.row("project", "new", project, {"name": "P"})
    assert olga.push(project, erasure(olga, thread, deletion["id"], made["id"])) == ["ok"]
    assert olga.push(project, {**deletion, "dseq": 77}, {**made, "dseq": 78}) == ["ok"] * 2
    assert [held(olga, each["id"])[1] for each in (deletion, made)] == [False, False]


def test_an_author_s_words_are_taken_back_where_no_erasure_took_them(team: Team) -> None:
    project = team.project()
    eve, ed = (team.join(name, **{project: "editor"}) for name in ("eve", "ed"))
    thread = team.owner.thread(project)
    lost, gone = (said(team, project, eve, thread, files=["a" * 64]) for _time in range(2))
    assert eve.push(project, erasure(eve, thread, gone["id"])) == ["ok"]
    before = eve.ask("SELECT seq, chain FROM cd.change ORDER BY seq")
    with team.database.as_superuser() as root:
        root.execute(
            "UPDATE cd.change SET body = cd.stub(kind, op, body), erased = true, erased_by = NULL WHERE id = %s",
            [lost["id"]],
        )
        root.execute("DELETE FROM cd.file_use")
    assert ed.push(project, {**lost, "dseq": 1}) == ["id_taken"]
    assert eve.push(project, {**lost, "body": {**lost["body"], "role": "assistant"}}, gone) == ["id_taken", "dup"]
    assert held(eve, lost["id"])[1]
    assert eve.push_fully(project, lost)[0][1:3] == ("ok", 2)
    assert held(eve, lost["id"]) == (lost["body"], False)
    assert held(eve, gone["id"])[1]
    assert eve.push(project, lost) == ["dup"]
    assert eve.ask("SELECT seq, chain FROM cd.change ORDER BY seq") == before
    with team.database.as_superuser() as root:
        assert root.execute("SELECT change_id::text FROM cd.file_use").fetchall() == [(lost["id"],)]


def test_files_go_when_nothing_names_them_any_more(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread = olga.thread(project)
    data = b"a file"
    name = hashlib.sha256(data).hexdigest()
    olga.ask(
        "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 1, %s)",
        project,
        name,
        data,
    )
    parts = [{"content": {"text": SECRET}, "artifacts": [{"sha256": name}]}]
    first = said(team, project, olga, thread, parts=parts)
    second = said(team, project, olga, thread, parts_file={"sha256": "0" * 64, "size_bytes": 5}, files=[name])
    there = "SELECT count(*) FROM cd.blob_chunk"
    assert olga.push(project, erasure(olga, thread, first["id"])) == ["ok"]
    assert olga.value(there) == 1, "the other message names it, too"
    assert olga.push(project, erasure(olga, thread, second["id"])) == ["ok"]
    assert olga.value(there) == 0


def test_a_project_that_is_erased_leaves_no_words_and_cannot_be_shared_again(team: Team) -> None:
    project = team.project()
    eve = team.join("eve", **{project: "admin"})
    thread = team.owner.thread(project)
    said(team, project, team.owner, thread)
    with pytest.raises(psycopg.Error) as refused:
        eve.ask("SELECT cd.erase_project(%s)", project)
    assert refused.value.sqlstate == "CD007"
    team.owner.ask("SELECT cd.erase_project(%s)", project)
    with team.database.as_superuser() as root:
        words = root.execute("SELECT string_agg(body::text, '') FROM cd.change").fetchone()
        left = root.execute("SELECT count(*), bool_and(erased) FROM cd.change").fetchone()
    assert words is not None
    assert SECRET not in words[0]
    assert left == (2, True)
    with pytest.raises(psycopg.Error) as refused:
        team.owner.ask("SELECT cd.create_project(%s)", project)
    assert refused.value.sqlstate == "CD004"


def _age(team: Team, days: int) -> None:
    with team.database.as_superuser() as root:
        root.execute("UPDATE cd.change SET at = at - %s::bigint * 86400000", [days])
        root.execute("UPDATE cd.blob_chunk SET at = at - make_interval(days => %s)", [days])


def test_old_values_are_compacted_once_every_computer_has_what_replaced_them(team: Team) -> None:
    project, olga = team.project(), team.owner
    ed = team.join("ed", **{project: "editor"})
    thread = olga.thread(project)
    first = olga.row("thread", "edit", thread, {"model": "old"}, reg="lww.model")
    tag = olga.row("thread", "edit", thread, {"name": "red", "is_on": True}, reg="lww.tag.x")
    title = olga.row("thread", "edit", thread, {"title": "Old"}, reg="title")
    assert olga.push(project, first, tag, title) == ["ok"] * 3
    for old, reg, body in (
        (first, "lww.model", {"model": "new"}),
        (tag, "lww.tag.x", {}),
        (title, "title", {"title": "N"}),
    ):
        assert olga.push(project, olga.row("thread", "edit", thread, body, reg=reg, parents=[old["id"]])) == ["ok"]
    _age(team, 100)

    def erased() -> list[str]:
        return [row[0] for row in olga.ask("SELECT id::text FROM cd.change WHERE erased")]

    olga.ask("SELECT cd.acknowledge(%s, %s::jsonb)", olga.device, json.dumps({project: 7}))
    olga.ask("SELECT * FROM cd.tidy(%s, NULL)", project)
    assert erased() == [], "Ed's computer did not come that far"
    ed.ask("SELECT cd.acknowledge(%s, %s::jsonb)", ed.device, json.dumps({project: 7}))
    olga.ask("SELECT * FROM cd.tidy(%s, NULL)", project)
    assert erased() == [first["id"]], "no tag, no version of a text"


def test_many_replaced_values_are_tidied_a_part_at_a_time(team: Team) -> None:
    project, olga = team.project(), team.owner
    thread = olga.thread(project)
    first = olga.row("thread", "edit", thread, {"model": "0"}, reg="lww.model")
    assert olga.push(project, first) == ["ok"]
    with team.database.as_superuser() as root:
        root.execute(
            "INSERT INTO cd.change SELECT (jsonb_populate_record(c, jsonb_build_object('id', md5(n::text)::uuid,"
            " 'seq', c.seq + n, 'dseq', c.dseq + n, 'number', c.number + n, 'parents', jsonb_build_array("
            " CASE WHEN n = 1 THEN c.id ELSE md5((n - 1)::text)::uuid END)))).*"
            " FROM cd.change c, generate_series(1, 4500) AS n WHERE c.id = %s",
            [first["id"]],
        )
        root.execute("UPDATE cd.change SET at = 1")
        root.execute("UPDATE cd.device SET acked = jsonb_build_object(%s::text, 10000)", [project])
    for count in (2000, 4000, 4500, 4500):
        olga.ask("SELECT * FROM cd.tidy(%s, NULL)", project)
        assert olga.value("SELECT count(*) FROM cd.change WHERE erased") == count


def test_files_that_nobody_names_are_swept_after_a_month_and_erased_ones_after_a_day(team: Team) -> None:
    project, olga = team.project(), team.owner
    ed = team.join("ed", **{project: "editor"})
    thread = olga.thread(project)
    words = ("never named", "named", "erased", "erased, of two", "erased, and named again", "erased ahead")
    sums = {hashlib.sha256(each.encode()).hexdigest(): each for each in words}
    names = list(sums)

    def send(person: Person, sha256: str) -> None:
        person.ask(
            "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 1, %s)"
            " ON CONFLICT DO NOTHING",
            *(project, sha256, sums[sha256].encode()),
        )

    def left() -> set[str]:
        olga.ask("SELECT * FROM cd.tidy(%s, NULL)", project)
        return {sums[row[0]] for row in olga.ask("SELECT sha256 FROM cd.blob_chunk")}

    def naming(*sha256: str) -> str:
        return str(
            said(team, project, olga, thread, parts=[{"artifacts": [{"sha256": each} for each in sha256]}])["id"]
        )

    for each in sums:
        send(olga, each)
    erased = [naming(*names[2:4]), naming(names[3]), naming(names[4])]
    naming(names[1])
    late = message_row(olga, thread, parts=[{"artifacts": [{"sha256": names[5]}]}])
    assert olga.push(project, erasure(olga, thread, *erased, late["id"]), late) == ["ok", "ok"]
    assert left() == {"never named", "named"}
    for each in sums:
        send(ed, each)
    naming(names[4])
    assert left() == set(words), "they may still be going up"
    _age(team, 2)
    assert left() == {"never named", "named", "erased, and named again"}
    _age(team, 31)
    assert left() == {"named", "erased, and named again"}


def test_tidying_names_what_the_time_is_over_of(team: Team) -> None:
    project, olga = team.project(), team.owner
    living, ended = olga.thread(project), olga.thread(project)
    old, older = said(team, project, olga, living), said(team, project, olga, ended)
    _age(team, 40)
    said(team, project, olga, living)
    query = "SELECT o_thread::text, o_change::text FROM cd.tidy(%s, %s)"
    made = olga.value("SELECT id::text FROM cd.change WHERE entity_id = %s AND op = 'new'", ended)
    assert set(olga.ask(query, project, 30)) == {(living, old["id"]), (ended, older["id"]), (ended, made)}
    assert olga.ask(query, project, 60) == olga.ask(query, project, None) == []
    assert olga.push(project, erasure(olga, ended, older["id"], made)) == ["ok"]
    assert olga.ask(query, project, 30) == [(living, old["id"])]
    with pytest.raises(psycopg.Error) as refused:
        olga.ask(query, project, 0)
    assert refused.value.sqlstate == "CD009"
