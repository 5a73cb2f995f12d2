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
from chatdesk.core.storage.sync import team as sync_team
from chatdesk.core.sync.team_store.postgres import TeamStore
from chatdesk.core.sync.team_store.statements import Statements
from tests.helpers.examples import sample
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, member_of, until, until_same

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
    """Lies on one computer's connections, of one project, while one of these is set. ``pages``: how many are honest
    before ``lie``; ``limit``: of rows in a page (0: as asked); ``others``: what is made of the answers to other calls;
    ``rebuilt``: every row of the log, which is chained anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, project: str, device: str) -> None:
        self.lie: Lie | None = None
        self.answer: Callable[[list[PushResult]], list[PushResult]] | None = None
        self.others: dict[str, Callable[[Any], Any]] = {}
        self.rebuilt: Callable[[PulledChange], PulledChange] | None = None
        self.pages = self.limit = 0
        self.project, self.device = project, device
        self._told: set[int] = set()
        self._honest = {name: getattr(TeamStore, name) for name in ("hello", "pull", "push", "chain_at", "erased")}
        self._value = Statements.value
        for name in self._honest:
            monkeypatch.setattr(TeamStore, name, self._bound(name, getattr(self, f"_{name}")))
        monkeypatch.setattr(Statements, "value", self._bound("value", self._said))

    def _bound(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def bound(store: Any, *args: Any, **options: Any) -> Any:
            return method(store, *args, **options)

        bound.__name__ = name  # by which a round names what it calls
        return bound

    def _is_told(self, store: TeamStore, of: str) -> bool:
        return of == self.project and store.backend_pid in self._told

    def _log(self, store: TeamStore) -> Rows:
        rows: Rows = []
        for row in self._honest["pull"](store, self.project, 0, limit=10_000):
            made = self.rebuilt(row) if self.rebuilt else row
            rows.append(replace(made, chain=made.chain_after(rows[-1].chain if rows else None)))
        return rows

    def _hello(self, store: TeamStore, to: str, **options: Any) -> Any:
        if to == self.device:
            self._told.add(store.backend_pid)
        return self._honest["hello"](store, to, **options)

    def _pull(self, store: TeamStore, of: str, after_seq: int, *, limit: int) -> Rows:
        if self.rebuilt and self._is_told(store, of):
            return [row for row in self._log(store) if row.seq > after_seq][:limit]
        rows: Rows = self._honest["pull"](store, of, after_seq, limit=self.limit or limit)
        if not (self.lie and rows and self._is_told(store, of)):
            return rows
        if self.pages:
            self.pages -= 1
            return rows
        return self.lie(rows)

    def _push(self, store: TeamStore, of: str, by: str, changes: Sequence[Any]) -> list[PushResult]:
        results: list[PushResult] = self._honest["push"](store, of, by, changes)
        return self.answer(results) if self.answer and self._is_told(store, of) else results

    def _chain_at(self, store: TeamStore, of: str, seq: int) -> Any:
        if self.rebuilt and self._is_told(store, of):
            return next((row.chain for row in self._log(store) if row.seq == seq), None)
        return self._other("chain_at", store, of, seq)

    def _erased(self, store: TeamStore, of: str, ids: Sequence[str]) -> Any:
        return self._other("erased", store, of, ids)

    def _other(self, name: str, store: TeamStore, of: str, *args: Any) -> Any:
        said = self._honest[name](store, of, *args)
        return self.others[name](said) if name in self.others and self._is_told(store, of) else said

    def _said(self, statements: Statements, query: str, *values: Any) -> Any:
        said = self._value(statements, query, *values)
        is_view = "view" in self.others and "view_since" in query and values[0] == self.device
        return self.others["view"](said) if is_view else said


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


def _view(place: int, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A view in which a value of each project is another one."""

    def lie(said: Any) -> Any:
        return {**said, "projects": [[*row[:place], change(row[place]), *row[place + 1 :]] for row in said["projects"]]}

    return lie


def _head(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return _view(3, change)


_NONSENSE = "no workspace of ChatDesk"
# With the sentence that is told; "": it heals by itself.
OTHER_LIES: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "an invented head": ("view", _head(lambda seq: seq + 5), "does not send all changes"),
    "a head far away": ("view", _head(lambda seq: 2**52), "does not send all changes"),
    "a head beyond all numbers": ("view", _head(lambda seq: 2**63 - 1), _NONSENSE),
    "a head that no database holds": ("view", _head(lambda seq: 2**70), _NONSENSE),
    "an older head": ("view", _head(lambda seq: max(0, seq - 3)), ""),
    "no head": ("view", _head(lambda seq: 0), ""),
    "a head below all": ("view", _head(lambda seq: -5), _NONSENSE),
    "a head of letters": ("view", _head(lambda seq: "many"), _NONSENSE),
    "nothing as a head": ("view", _head(lambda seq: None), _NONSENSE),
    "a part as a head": ("view", _head(lambda seq: seq + 0.5), _NONSENSE),
    "a list as a head": ("view", _head(lambda seq: [seq]), _NONSENSE),
    "an id of letters": ("view", _view(0, lambda of: "x"), _NONSENSE),
    "no id": ("view", _view(0, lambda of: None), _NONSENSE),
    "a role that nobody knows": ("view", _view(1, lambda role: "emperor"), _NONSENSE),
    "the role of an owner": ("view", _view(1, lambda role: "owner"), ""),
    "another channel": ("view", _view(2, lambda channel: "cd_" + "0" * 32), ""),
    "made by somebody else": ("view", _view(5, lambda is_mine: not is_mine), ""),
    "other names": ("view", lambda said: said | {"members": [[row[0], "O", *row[2:]] for row in said["members"]]}, ""),
    "nobody": ("view", lambda said: said | {"members": [], "roles": [], "is_whole": True}, ""),
    "another chain": ("chain_at", lambda chain: bytes(32), ""),
    "no chain": ("chain_at", lambda chain: None, ""),
    "a chain of letters": ("chain_at", lambda chain: "chain", ""),
    "nobody erased it": ("erased", lambda ids: set(), "are emptied"),
    "others were erased": ("erased", lambda ids: {new_id() for _ in ids}, "are emptied"),
}


@pytest.mark.parametrize("name", sample([*OTHER_LIES], 6))
async def test_lies_in_other_answers_are_told_or_heal_and_lose_nothing(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    method, lie, wanted = OTHER_LIES[name]
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        await ana.ask(await ana.thread(project, "before"))
        await until_same(project, [ana, ben])
        await ben.close()
        thread = await ana.thread(project, "of Ana")
        await ana.ask(thread)
        await until(lambda: _is_sent(ana))
        if method == "erased":
            await ana.repositories.erasures.erase_thread(thread)
            await until(lambda: _is_sent(ana))
        liar.others = {method: lie}
        ben.make_anew()
        await ben.open()
        await ben.thread(project, "of Ben")
        if wanted:
            await until(lambda: wanted in (ben.team.status(ben.workspace_id).problem or ""), within_s=8)
            assert ben.phase is SyncPhase.REFUSED
        else:
            await until(lambda: _is_told_or_healed(ana, ben, project), within_s=8)
            assert _misfit(ben, project) == ""
        liar.others = {}
        await until_same(project, [ana, ben])
        await until(lambda: ben.phase is SyncPhase.SYNCED and _misfit(ben, project) == "")
        assert "of Ben" in await ana.titles(project)
        assert ben.team.known.shared_project(project).ended is None


@pytest.mark.parametrize(
    "rebuilt",
    [
        lambda row: replace(row, kind="whatever"),
        lambda row: replace(row, op="edit", reg="whatever", v=99),
        lambda row: replace(row, id=new_id(), kind="whatever"),
    ],
    ids=["of no known kind", "of no known register", "other rows of no known kind"],
)
async def test_a_history_that_is_rebuilt_of_what_nobody_knows_takes_no_words(
    tmp_path: Path,
    workspace: TeamDatabase,
    monkeypatch: pytest.MonkeyPatch,
    rebuilt: Callable[[PulledChange], PulledChange],
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        await ana.ask(await ana.thread(project, "of Ana"))
        await ben.ask(await ben.thread(project, "of Ben"))
        await until_same(project, [ana, ben])
        await ben.close()
        liar.rebuilt = rebuilt
        ben.make_anew()
        await ben.open()
        await until(lambda: ben.phase is SyncPhase.REFUSED or ben.team.known.shared_project(project).seq > 0)
        await until(lambda: ben.phase in (SyncPhase.REFUSED, SyncPhase.SYNCED))
        assert await ben.titles(project) == ["of Ana", "of Ben"]
        liar.rebuilt = None
        await _join_again(ben)  # if there were changes that this computer seemed to have made
        await ben.close()
        ben.make_anew()
        await ben.open()
        await until_same(project, [ana, ben])
        await until(lambda: ben.phase is SyncPhase.SYNCED and _misfit(ben, project) == "")
        assert await ana.titles(project) == ["of Ana", "of Ben"]


async def test_what_did_not_fit_is_forgotten_with_the_project(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        await until_same(project, [ana, ben])
        await ben.close()
        await ana.ask(await ana.thread(project, "a thread"))
        await until(lambda: _is_sent(ana))
        liar.lie = LIES["the first row is dropped"]
        ben.make_anew()
        await ben.open()
        await until(lambda: ben.phase is SyncPhase.REFUSED)
        await ana.team.membership.administration.set_role(project, (await member_of(ana, "ben")).id, None)
        await until(lambda: ben.team.known.shared_project(project).ended is not None)
        await until(lambda: ben.phase is SyncPhase.SYNCED)
        assert ben.team.status(ben.workspace_id).problem == ""


@pytest.mark.parametrize(
    "lie", sample(["the first row is dropped", "another number", "an emptied row", "a body with its digest"], 2)
)
async def test_lies_after_honest_pages_stop_at_the_first_row_that_does_not_fit(
    tmp_path: Path, workspace: TeamDatabase, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    async with desks(tmp_path, workspace, ["ben"], poll_s=0.2) as (project, [ana, ben]):
        liar = Liar(monkeypatch, project, ben.database.device_id)
        await until_same(project, [ana, ben])
        await ben.close()
        for number in range(8):
            await ana.ask(await ana.thread(project, f"thread {number}"))
        await until(lambda: _is_sent(ana))
        before = await _head_of(ana, project)
        liar.limit, liar.pages, liar.lie = 3, 3, LIES[lie]
        ben.make_anew()
        await ben.open()
        await until(lambda: _misfit(ben, project) != "")
        shared = ben.team.known.shared_project(project)
        assert shared is not None
        assert 9 <= shared.seq < before
        liar.lie = None
        await until_same(project, [ana, ben])
        await until(lambda: ben.phase is SyncPhase.SYNCED and _misfit(ben, project) == "")


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
            if name == PushStatus.FORKED:  # as where a copy of the profile is in use
                await until(lambda: ben.team.status(ben.workspace_id).code == "team_parked")
                liar.answer = None
                await _join_again(ben)
            await until(lambda name=name: _has(ana, project, name))
            liar.answer = None
            await until_same(project, [ana, ben])
            await until(lambda: ben.phase is SyncPhase.SYNCED)


async def _join_again(desk: Desk) -> None:
    """*Connect again*, where there is anything to be connected to."""
    for parked in await desk.database.read(sync_team.parked):
        await desk.record_joined(parked)


async def _head_of(desk: Desk, project: str) -> int:
    return int(await desk.one("SELECT seq FROM shared_projects WHERE project_id = ?", project))


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
