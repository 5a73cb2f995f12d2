"""Every operation on every kind in every register, by every role, in one's own place and in another member's: what the
server answers and all that it does are what ``cd.rule`` says.

What is expected is made from the table of rules; each cell is tried in a transaction that is rolled back.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.sharing.sync_wire import PROTOCOL
from chatdesk.core.ids import new_id
from tests.helpers.examples import examples
from tests.helpers.postgres import Cluster
from tests.helpers.team_people import Person, Row, Team

OPS = ("new", "edit", "del")
KINDS = ("project", "thread", "message", "summary")
REGISTERS = ("content", "title", "name", "system_prompt", "lww.model", "lww.of_tomorrow", "erased", "of_nobody")
CALLERS = ("outsider", "viewer", "editor_own", "editor_others", "admin")
RANKS = {"viewer": 1, "editor": 2, "admin": 3, "owner": 4}
# How a row names what is not its own: not at all, in its body, in its parents; and a row without a body.
NAMES = ("plain", "in_body", "in_parents", "empty")
# All that a push can reach. The head's chain and the times of rows differ from one try to the next.
EFFECTS = {
    "change": "SELECT id::text, author::text, body, erased, digest FROM cd.change",
    "entity": "SELECT id::text, project_id::text, kind, thread_id::text, created_by::text FROM cd.entity",
    "file_use": "SELECT sha256, change_id::text FROM cd.file_use",
    "erased_ahead": "SELECT change_id::text FROM cd.erased_ahead",
    "erased_file": "SELECT sha256 FROM cd.erased_file",
    "blob_chunk": "SELECT sha256, idx FROM cd.blob_chunk",
    "team_usage": "SELECT member_id::text, kind, answers, completion_tokens FROM cd.team_usage",
    "head": "SELECT project_id::text, seq FROM cd.project_head",
    "project": "SELECT id::text, deleted_at, erased_at FROM cd.project",
    "role": "SELECT project_id::text, member_id::text, role FROM cd.project_member",
}


@dataclass
class Desk:
    """A project with an owner, an editor, an admin and a viewer; the owner and the editor each made a thread with a
    message, its file, an answer, a summary and a title, and the owner deleted one message and named the project."""

    team: Team
    root: psycopg.Connection[Any]
    project: str
    unnamed: str
    people: dict[str, Person]
    things: dict[tuple[str, str], str] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=lambda: {"editor": [], "owner": []})
    decisions: list[str] = field(default_factory=list)
    before: dict[str, set[Any]] = field(default_factory=dict)

    def state(self) -> dict[str, set[Any]]:
        return {
            name: {tuple(json.dumps(v) if isinstance(v, dict) else v for v in row) for row in self.root.execute(query)}
            for name, query in EFFECTS.items()
        }

    def try_out(self, person: Person, project: str, row: Row) -> tuple[str, dict[str, set[Any]], dict[str, set[Any]]]:
        """What the server answered, and what is there only after it, and only before it."""
        before = self.before = self.before or self.state()
        with self.root.transaction(force_rollback=True):
            self.root.execute(f"SET LOCAL SESSION AUTHORIZATION {person.login}".encode())
            try:
                with self.root.transaction():
                    query = f"SELECT o_status FROM cd.push(%s, %s, {PROTOCOL}, %s::jsonb)"
                    found = self.root.execute(query, [project, person.device, json.dumps([row])]).fetchone()
                status = "" if found is None else str(found[0])
            except psycopg.Error as error:
                status = error.sqlstate or ""
            self.root.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
            after = self.state()
        return (
            status,
            {name: after[name] - before[name] for name in EFFECTS if after[name] - before[name]},
            {name: before[name] - after[name] for name in EFFECTS if before[name] - after[name]},
        )


@pytest.fixture(scope="module", params=(0, 16), ids=("whole", "in-16"))
def desk(request: pytest.FixtureRequest, postgres: Cluster) -> Iterator[Desk]:
    database = postgres.workspace_database(partitions=request.param)
    team = Team(database)
    project, unnamed = team.project(), team.project()
    people = {
        "owner": team.owner,
        "outsider": team.join("out"),
        **{role: team.join(role, **{project: role, unnamed: role}) for role in ("viewer", "editor", "admin")},
    }
    root = database.as_superuser()
    made = Desk(team, root, project, unnamed, people)
    _push(made, "owner", team.owner.row("project", "new", project, {"name": "P"}), is_decision=True)
    for number, name in enumerate(("editor", "owner")):
        _fill(made, name, f"{number + 1}" * 64)
    message = made.things["message", "owner"]
    _push(made, "owner", team.owner.row("message", "del", message, {"covers": {}}), is_decision=True)
    yield made
    root.close()
    team.close()
    postgres.drop(database)


def _push(desk: Desk, name: str, row: Row, *, is_decision: bool = False) -> str:
    assert desk.people[name].push(desk.project, row) == ["ok"]
    (desk.decisions if is_decision else desk.said[name]).append(row["id"])
    return str(row["entity"])


def _fill(desk: Desk, name: str, sum_: str) -> None:
    person = desk.people[name]
    person.ask(
        "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, 0, 2, 'x')",
        *(desk.project, sum_),
    )
    thread = _push(desk, name, person.row("thread", "new", new_id(), {"title": "T"}))
    said = {"thread_id": thread, "role": "user", "files": [sum_]}
    message = _push(desk, name, person.row("message", "new", new_id(), said))
    answered = {"thread_id": thread, "parent_id": message, "role": "assistant", "completion_tokens": 5}
    _push(desk, name, person.row("message", "new", new_id(), answered))
    summary = _push(desk, name, person.row("summary", "new", new_id(), {"thread_id": thread, "author": "user"}))
    _push(desk, name, person.row("thread", "edit", thread, {"title": "U"}, reg="title"))
    things = {"project": desk.project, "thread": thread, "message": message, "summary": summary}
    desk.things |= {(kind, name): entity for kind, entity in things.items()}


def _body(desk: Desk, op: str, kind: str, reg: str, by: str) -> Any:
    """As a client would write it, in the place of ``by``."""
    if reg == "erased":
        return {"changes": desk.said[by]}
    if op == "new" and kind in ("message", "summary"):
        used = {"completion_tokens": 999_999, "output_tokens": 0, "files": ["3" * 64]}
        return {"thread_id": desk.things["thread", by], "role": "assistant", **used}
    if (op, reg) == ("edit", "content"):
        return None
    return {"title": "V"}


def _expected(desk: Desk, rule: Any, cell: tuple[str, str, str], caller: str, body: Any) -> str:
    op, kind, _reg = cell
    if caller == "outsider":
        return "CD005"
    if rule is None or (body is not None and not rule["may_have_body"]):
        return "denied"
    rank = RANKS[caller.split("_")[0]]
    is_own = caller == "editor_own" or op == "new"
    if rank < RANKS[rule["own" if is_own and kind != "project" else "others"]]:
        return "denied"
    if op == "new" and kind in ("message", "summary") and body is None:
        return "denied"
    if rule["effect"] == "erase":
        named = set((body or {}).get("changes", ()))
        may = {*desk.said["editor"], *(desk.said["owner"] if rank >= 3 else ())}
        return "ok" if named and named <= may else "denied"
    return "ok"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("op", OPS)
def test_a_push_does_what_its_rule_says_and_nothing_else(desk: Desk, op: str, kind: str) -> None:
    rules = {
        (row[0], row[1], row[2]): {"own": row[3], "others": row[4], "effect": row[5], "may_have_body": row[6]}
        for row in desk.root.execute("SELECT op, kind, reg, own, others, effect, may_have_body FROM cd.rule")
    }
    everything = [*desk.said["owner"], *desk.said["editor"], *desk.decisions]
    cells = list(itertools.product(REGISTERS, CALLERS, NAMES))
    for reg, caller, naming in random.Random(f"{op} {kind}").sample(cells, examples(len(cells))):
        by = "editor" if caller == "editor_own" else "owner"
        person = desk.people["editor" if caller.startswith("editor") else caller]
        project = desk.unnamed if (op, kind) == ("new", "project") else desk.project
        entity = project if kind == "project" else new_id() if op == "new" else desk.things[kind, by]
        body = None if naming == "empty" else _body(desk, op, kind, reg, by)
        if naming == "in_body" and not (op == "edit" and reg == "content"):
            body = {**(body or {}), "changes": [*everything, *([] if reg == "erased" else [new_id()])]}
        parents = everything if naming == "in_parents" else []
        row = {**person.row(kind, op, entity, body, reg=reg), "parents": parents}
        person.dseq -= 1
        status, added, removed = desk.try_out(person, project, row)

        rule = rules.get((op, kind, "lww.*" if reg.startswith("lww.") else reg))
        where = f"{op} {kind} {reg} by {caller}, {naming}"
        assert status == _expected(desk, rule, (op, kind, reg), caller, body), where
        if status != "ok":
            assert (added, removed) == ({}, {}), where
            continue
        assert rule is not None
        named = set(body["changes"]) if rule["effect"] == "erase" else set()
        assert {each[0] for each in added.pop("change")} == {row["id"], *named}, where
        assert {each[0] for each in removed.pop("change", set())} == named, where
        assert len(added.pop("head")) == len(removed.pop("head")) == 1, where
        if rule["effect"] == "make":
            assert {each[0] for each in added.pop("entity")} == {entity}, where
            is_message = kind == "message"
            assert added.pop("file_use", set()) == ({("3" * 64, row["id"])} if is_message else set()), where
            assert ("team_usage" in added) == (kind in ("message", "summary")), where
        elif rule["effect"] == "erase":
            assert removed.pop("file_use")
            assert removed.pop("blob_chunk")
            assert added.pop("erased_file")
        added.pop("team_usage", None)
        removed.pop("team_usage", None)
        assert (added, removed) == ({}, {}), where


def test_every_rule_is_of_a_cell_that_is_tried(desk: Desk) -> None:
    tried = {"lww.*" if reg.startswith("lww.") else reg for reg in REGISTERS}
    for op, kind, reg in desk.root.execute("SELECT op, kind, reg FROM cd.rule"):
        assert op in OPS
        assert kind in KINDS
        assert reg in tried


def test_tidying_removes_what_was_replaced_in_the_same_register_of_the_same_thing(team: Team) -> None:
    project = team.project()
    ed = team.join("ed", **{project: "editor"})
    theirs, mine = team.owner.thread(project), ed.thread(project)
    values = [
        team.owner.row("project", "new", project, {"name": "P"}),
        team.owner.row("project", "edit", project, {"days": 3}, reg="lww.retention"),
        team.owner.row("thread", "edit", theirs, {"is_pinned": 1}, reg="lww.pinned"),
        team.owner.row("thread", "edit", theirs, {"model": "m"}, reg="lww.model"),
    ]
    assert team.owner.push(project, *values) == ["ok"] * 4
    kept = ed.row("thread", "edit", mine, {"model": "m"}, reg="lww.model")
    named = [row["id"] for row in (*values[1:], kept)]
    newer = ed.row("thread", "edit", mine, {"model": "n"}, reg="lww.model", parents=named)
    assert ed.push(project, kept, newer) == ["ok"] * 2
    with team.database.as_superuser() as root:
        root.execute("UPDATE cd.change SET at = 1")
        root.execute("UPDATE cd.device SET acked = jsonb_build_object(%s::text, 1000)", [project])
    team.owner.ask("SELECT cd.tidy(%s, NULL)", project)
    gone = team.owner.ask("SELECT id::text FROM cd.change WHERE body IS NULL AND reg LIKE 'lww.%%'")
    assert gone == [(kept["id"],)]
