"""The model of the server answers what the real one answers: the simulation is worth as much as that."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import PulledChange, PushResult, PushStatus, WireChange
from chatdesk.core.ids import new_id
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.sync.team_store.postgres import TeamStore, connect
from tests.helpers.sync_sim.model_server import ModelServer, ModelTeam
from tests.helpers.team_people import Person, Team

_ROLES = {"olga": "owner", "adam": "admin", "anna": "editor", "vera": "viewer"}


@dataclass
class Both:
    """The same team on either server."""

    team: Team
    model: ModelServer
    people: dict[str, Person]
    real: dict[str, TeamStore]
    projects: list[str]

    def ask(self, name: str, call: Callable[[TeamStore], Any]) -> tuple[Any, Any]:
        """What the model and the real server say to one call; a refusal is a word."""
        return (
            _said(lambda: call(ModelTeam(self.model, self.people[name].id))),
            _said(lambda: call(self.real[name])),
        )

    def set_role(self, project: str, name: str, role: str | None) -> None:
        person = self.people[name]
        self.people["olga"].ask("SELECT cd.set_role(%s, %s, %s)", project, person.id, role)
        self.model.set_role(project, person.id, role)


def _said(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except TeamError:
        return "refused"


@pytest.fixture
def both(team: Team) -> Iterator[Both]:
    with ExitStack() as closing:
        yield _both(team, closing)


def _both(team: Team, closing: ExitStack) -> Both:
    projects = [team.project(), team.project()]
    people = {"olga": team.owner}
    for name in ("adam", "anna", "vera"):
        people[name] = team.join(name, **{projects[0]: _ROLES[name], projects[1]: "editor"})
    model = ModelServer(new_id(), Clock().now_ms)
    real = {}
    for name, person in people.items():
        model.add_member(person.id, name, is_owner=name == "olga")
        real[name] = connect(replace(team.database.address, user=person.login), person.password)
        closing.callback(real[name].close)
    for place, project in enumerate(projects):
        model.create_project(people["olga"].id, project)
        for name in ("adam", "anna", "vera"):
            model.set_role(project, people[name].id, "editor" if place else _ROLES[name])
    made = Both(team, model, people, real, projects)
    for name, person in people.items():
        assert made.ask(name, _hello(person)) == ("rw", "rw")
    return made


def _hello(person: Person) -> Callable[[TeamStore], Any]:
    return lambda store: store.hello(person.device, name="a desk", version="1").mode


def rng_sample(rng: random.Random, ids: list[str]) -> list[str]:
    return rng.sample(ids, rng.randint(1, min(3, len(ids))))


class Script:
    """Changes that fit together often enough, and often do not."""

    def __init__(self, rng: random.Random, both: Both) -> None:
        self.rng = rng
        self.both = both
        self.things: list[tuple[str, str, str | None]] = []  # entity, kind, thread
        self.sent: list[WireChange] = []
        self.dseqs: Counter[str] = Counter()

    def change(self, device: str) -> WireChange:
        rng = self.rng
        if self.sent and rng.random() < 0.2:
            again = rng.choice(self.sent)
            return rng.choice([again, again, again, again, replace(again, reg="title"), replace(again, kind="summary")])
        if self.sent and rng.random() < 0.12:
            return self._erasure(device)
        self.dseqs[device] += 1
        dseq = self.dseqs[device] if rng.random() < 0.93 else rng.randint(1, self.dseqs[device])
        op = rng.choice(["new", "new", "new", "edit", "del"])
        kind = rng.choice(["thread", "message", "message", "summary", "project"])
        reg = "content" if op != "edit" else rng.choice(["title", "lww.model", "content", "lww.switch", "Odd Reg"])
        entity, body = new_id(), None
        if op == "new":
            body = self._body(kind)
            if kind == "project":
                entity = rng.choice([*self.both.projects, entity])
            elif self.things and rng.random() < 0.08:
                entity = rng.choice(self.things)[0]
            if kind != "project":
                self.things.append((entity, kind, json.loads(body or "{}").get("thread_id")))
        else:
            entity, kind = self._thing(kind)
            body = rng.choice([None, '{"title":"T"}'])
        made = WireChange(new_id(), dseq, kind, op, entity, reg, (), rng.choice([1, 2**61]), body)
        self.sent.append(made)
        return made

    def _erasure(self, device: str) -> WireChange:
        self.dseqs[device] += 1
        named = rng_sample(self.rng, [change.id for change in self.sent[-20:]])
        if self.rng.random() < 0.1:
            named.append(self.rng.choice([new_id(), "nothing"]))
        body = {"changes": named} if self.rng.random() < 0.95 else {"changes": "all"}
        entity, kind = self._thing("thread")
        op = self.rng.choice(["del"] * 9 + ["edit"])
        made = WireChange(
            new_id(), self.dseqs[device], kind, op, entity, "erased", (), self.rng.choice([1, 2**61]), json.dumps(body)
        )
        self.sent.append(made)
        return made

    def _thing(self, kind: str) -> tuple[str, str]:
        if not self.things or self.rng.random() < 0.1:
            return self.rng.choice([new_id(), *self.both.projects]), kind
        entity, its_kind, _ = self.rng.choice(self.things)
        return entity, its_kind if self.rng.random() < 0.9 else kind

    def _body(self, kind: str) -> str | None:
        if kind == "thread":
            return '{"title":"T"}'
        if kind == "project":
            return '{"name":"P"}'
        threads = [entity for entity, its_kind, _ in self.things if its_kind == "thread"]
        thread = self.rng.choice([*threads[-4:], *threads[-4:], new_id()])
        parents = [entity for entity, its_kind, its in self.things if its_kind == "message" and its == thread]
        parent = self.rng.choice([None, *parents, new_id()]) if self.rng.random() < 0.9 else self._thing("message")[0]
        return self.rng.choice([json.dumps({"thread_id": thread, "parent_id": parent})] * 9 + ['{"thread_id":7}'])


def _push(project: str, device: str, changes: list[WireChange]) -> Callable[[TeamStore], Any]:
    return lambda store: store.push(project, device, changes)


def _in_short(results: Any) -> Any:
    if results == "refused":
        return results
    return [(result.id, result.status, result.seq) for result in results]


@pytest.mark.parametrize("seed", range(4))
def test_model_and_server_give_equal_answers(both: Both, seed: int) -> None:
    rng = random.Random(seed)
    script = Script(rng, both)
    statuses: Counter[str] = Counter()
    for _ in range(30):
        name, project = rng.choice(list(both.people)), rng.choice([both.projects[0], both.projects[0], *both.projects])
        person = both.people[name]
        changes = [script.change(person.device) for _ in range(rng.randint(1, 6))]
        if rng.random() < 0.2:
            devices = [None, person.device, new_id(), *(each.device for each in both.people.values())]
            changes = [
                replace(
                    change,
                    device=rng.choice([*devices, change.id]),
                    erased=rng.choice([None, bytes(32)]),
                    is_gone=rng.random() < 0.5,
                )
                for change in changes
            ]
            modelled, real = both.ask(name, _push(project, person.device, changes))
        else:
            device = person.device if rng.random() < 0.95 else both.people["olga"].device
            modelled, real = both.ask(name, _push(project, device, changes))
        assert _in_short(modelled) == _in_short(real)
        statuses.update([real] if real == "refused" else [result.status for result in real])
        if rng.random() < 0.1:
            both.set_role(both.projects[1], "anna", rng.choice(["viewer", "editor", "admin", None]))
    for name in both.people:
        for project in both.projects:
            _same_log(both, name, project)
    assert statuses.keys() >= {PushStatus.OK, PushStatus.DENIED, PushStatus.ORPHAN}


def _same_log(both: Both, name: str, project: str) -> None:
    modelled, real = both.ask(name, lambda store: store.pull(project, 0, limit=1000))
    # Each clamps stamps that are ahead by its own time, and so its chain differs from there on.
    assert _plain(real) == _plain(modelled)
    halves = both.ask(name, lambda store: [row.seq for row in store.pull(project, len(real) // 2, limit=3)])
    assert halves[0] == halves[1]
    assert all(said is None for said in both.ask(name, lambda store: store.chain_at(project, len(real) + 1)))
    if real:
        assert both.real[name].chain_at(project, len(real)) == real[-1].chain


def _plain(rows: Sequence[PulledChange]) -> list[PulledChange]:
    """Without what follows from the server's clock. Each writes JSON in its own way."""
    return [replace(row, at=0, chain=b"", hlc=min(row.hlc, 2), body=_read(row.body), digest=b"") for row in rows]


def _read(body: str | None) -> Any:
    return None if body is None else json.loads(body)


def test_chains_are_made_alike(both: Both) -> None:
    person, project = both.people["olga"], both.projects[0]
    changes = [
        WireChange(new_id(), place, "thread", "new", new_id(), "content", (new_id(),), place, '{"title":"T"}')
        for place in range(1, 4)
    ]
    both.ask("olga", lambda store: store.push(project, person.device, changes))
    for rows in both.ask("olga", lambda store: store.pull(project, 0, limit=9)):
        chain = None
        for row in rows:
            chain = row.chain_after(chain)
            assert row.chain == chain


def test_views_agree_on_projects_and_roles(both: Both) -> None:
    both.set_role(both.projects[0], "anna", None)
    both.real["olga"].shares.end(both.projects[1])
    both.model.end_project(both.projects[1])
    for name in both.people:
        modelled, real = both.ask(
            name,
            lambda store, device=both.people[name].device: {
                (head.project_id, head.role, head.seq, head.is_deleted) for head in store.view(device)[1].projects
            },
        )
        assert modelled == real
        change = WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1, "{}")
        assert both.ask(name, _push(both.projects[1], both.people[name].device, [change])) == ("refused", "refused")


def test_a_removed_member_is_refused_and_reads_nothing(both: Both) -> None:
    anna, project = both.people["anna"], both.projects[0]
    both.people["olga"].ask("SELECT cd.remove_member(%s)", anna.id)
    both.model.remove_member(anna.id)
    change = WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1, "{}")
    results = both.ask("anna", lambda store: store.push(project, anna.device, [change]))
    assert results == ("refused", "refused")
    assert both.ask("anna", _hello(anna)) == ("refused", "refused")
    assert both.ask("anna", lambda store: store.view(anna.device)) == ("refused", "refused")


def test_a_place_that_is_taken_is_a_fork(both: Both) -> None:
    anna, project = both.people["anna"], both.projects[0]
    first, second = (
        WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1, '{"title":"T"}') for _time in range(2)
    )
    both.ask("anna", lambda store: store.push(project, anna.device, [first]))
    forked = both.ask("anna", lambda store: [each.status for each in store.push(project, anna.device, [second])])
    assert forked == ([PushStatus.FORKED], [PushStatus.FORKED])


def test_what_is_repeated_is_known_and_something_else_under_its_id_is_not_taken(both: Both) -> None:
    anna, (first, second) = both.people["anna"], both.projects
    change = WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1, "{}")
    answers = []
    for project, sent in ((first, change), (first, change), (first, replace(change, dseq=9)), (second, change)):
        modelled, real = both.ask("anna", _push(project, anna.device, [sent]))
        assert _in_short(modelled) == _in_short(real)
        answers.append(real[0].status)
    assert answers == [PushStatus.OK, PushStatus.DUP, PushStatus.DUP, PushStatus.ID_TAKEN]


def test_large_bodies_and_results(both: Both) -> None:
    anna, project = both.people["anna"], both.projects[0]
    body = json.dumps({"title": random.Random(1).randbytes(1_200_000).hex()})
    large = WireChange(new_id(), 1, "thread", "new", new_id(), "content", (), 1, body)
    answers: tuple[list[PushResult], list[PushResult]]
    answers = both.ask("anna", lambda store: store.push(project, anna.device, [large]))
    assert [each.status for each in (*answers[0], *answers[1])] == [PushStatus.TOO_BIG] * 2
