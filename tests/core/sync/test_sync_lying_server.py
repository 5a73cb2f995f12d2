"""A server that drops, rewrites, empties or invents rows, or answers wrongly: either all heals, or one sentence says
what does not fit and since when, and the project is not called synced; and with an honest server sync goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.sharing.sync_wire import PulledChange, PushResult, PushStatus, body_digest
from chatdesk.core.domain.sharing.team import SyncPhase
from chatdesk.core.ids import new_id
from chatdesk.core.sync.team_store.postgres import PostgresTeamStore
from tests.helpers.examples import sample
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, until, until_same

Rows = list[PulledChange]
Lie = Callable[[Rows], Rows]

_OTHER: dict[type, Callable[[Any], Any]] = {
    int: lambda value: value + 1,
    bool: lambda value: not value,
    bytes: lambda value: bytes(32),
    tuple: lambda value: (new_id(),),
    str: lambda value: new_id() if len(value) == 36 else "whatever",
    type(None): lambda value: "{}",
}


def _in_the_middle(change: Callable[[PulledChange], PulledChange]) -> Lie:
    return lambda rows: [change(row) if at == len(rows) // 2 else row for at, row in enumerate(rows)]


def _other(name: str) -> Lie:
    def change(row: PulledChange) -> PulledChange:
        value = getattr(row, name)
        return replace(row, **{name: _OTHER[type(value)](value)})

    return _in_the_middle(change)


def _rewritten(body: str) -> Lie:
    return _in_the_middle(lambda row: replace(row, body=body, digest=body_digest(body)))


LIES: dict[str, Lie] = {
    **{f"another {field.name}": _other(field.name) for field in dataclasses.fields(PulledChange)},
    "the first row is dropped": lambda rows: rows[1:],
    "a row in the middle is dropped": lambda rows: [*rows[: len(rows) // 2], *rows[len(rows) // 2 + 1 :]],
    "the last row is dropped": lambda rows: rows[:-1],
    "all are dropped": lambda rows: [],
    "the first row comes twice": lambda rows: [*rows[:1], *rows],
    "two are swapped": lambda rows: [*rows[1::-1], *rows[2:]],
    "a body with its digest": _rewritten('{"title": "I never said this"}'),
    "a body that is no JSON": _rewritten("no JSON"),
    "an emptied row": _in_the_middle(lambda row: replace(row, body=None, is_erased=True)),
    "an operation that nobody knows": _in_the_middle(lambda row: replace(row, op="whatever", v=99)),
    "one row more": lambda rows: [*rows, *(replace(row, id=new_id(), seq=row.seq + 1) for row in rows[-1:])],
}

ANSWERS: dict[str, Callable[[list[PushResult]], list[PushResult]]] = {
    **{
        status.value: lambda results, status=status: [replace(each, status=status) for each in results]
        for status in PushStatus
    },
    "another number": lambda results: [replace(each, seq=(each.seq or 0) + 7) for each in results],
    "of something else": lambda results: [replace(each, id=new_id()) for each in results],
    "none": lambda results: [],
}


class Liar:
    """Lies on one computer's connections, of one project, while ``lie`` or ``answer`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, project: str, device: str) -> None:
        self.lie: Lie | None = None
        self.answer: Callable[[list[PushResult]], list[PushResult]] | None = None
        told: set[int] = set()
        hello, pull, push = PostgresTeamStore.hello, PostgresTeamStore.pull, PostgresTeamStore.push

        def said_hello(store: PostgresTeamStore, to: str, *, name: str, version: str) -> Any:
            if to == device:
                told.add(store.backend_pid)
            return hello(store, to, name=name, version=version)

        def pulled(store: PostgresTeamStore, of: str, after_seq: int, *, limit: int) -> Rows:
            rows = pull(store, of, after_seq, limit=limit)
            return self.lie(rows) if self.lie and of == project and store.backend_pid in told and rows else rows

        def pushed(store: PostgresTeamStore, of: str, by: str, changes: Sequence[Any]) -> list[PushResult]:
            results = push(store, of, by, changes)
            return self.answer(results) if self.answer and of == project and store.backend_pid in told else results

        monkeypatch.setattr(PostgresTeamStore, "hello", said_hello)
        monkeypatch.setattr(PostgresTeamStore, "pull", pulled)
        monkeypatch.setattr(PostgresTeamStore, "push", pushed)


async def test_lies_in_what_is_pulled_are_told_or_heal(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        other = await ben.shared("Another")
        told = []
        played = set()
        for name, lie in sample([*LIES.items()], 9):
            played.add(name)
            await until_same(project, [ana, ben])
            await ben.close()
            await ana.ask(await ana.thread(project, name))
            await until(lambda: _is_sent(ana))
            liar.lie = lie
            ben.make_anew()
            await ben.open()
            await ben.thread(other, name)
            await until(lambda: _is_told_or_healed(ana, ben, project))
            if (sentence := _misfit(ben, project)) != "":
                told.append(name)
                assert "Since 20" in sentence, name
                assert "“Together”" in sentence, name
                await until(lambda: ben.phase is SyncPhase.REFUSED)
                assert ben.team.status(ben.workspace_id).problem == sentence, name
                await until(lambda: _is_sent(ben))
                assert _misfit(ben, other) == "", name
            liar.lie = None
            await until_same(project, [ana, ben])
            await until(lambda: ben.phase is SyncPhase.SYNCED and _misfit(ben, project) == "")
        assert played - set(told) <= {"the first row comes twice", "one row more"}


async def test_wrong_answers_to_pushes_heal(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        for name, answer in sample([*ANSWERS.items()], 5):
            await ben.close()
            liar.answer = answer
            ben.make_anew()
            await ben.open()
            await ben.thread(project, name)
            await until(lambda name=name: _has(ana, project, name))
            liar.answer = None
            await until_same(project, [ana, ben])
            await until(lambda: ben.phase is SyncPhase.SYNCED)


def _misfit(desk: Desk, project: str) -> str:
    shared = desk.team.known.shared_project(project)
    return "" if shared is None else shared.misfit


async def _is_sent(desk: Desk) -> bool:
    return not await desk.waiting()


async def _has(desk: Desk, project: str, title: str) -> bool:
    return title in await desk.titles(project)


async def _is_told_or_healed(ana: Desk, ben: Desk, project: str) -> bool:
    if _misfit(ben, project):
        return True
    return ben.phase is SyncPhase.SYNCED and await ben.digest(project) == await ana.digest(project)
