"""One round of sync against a model of the server and a toy of a profile."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest

from chatdesk.core.domain.sharing.sync_wire import (
    PROTOCOL,
    PULL_ROWS,
    PUSH_ROWS,
    Hello,
    PulledChange,
    PushResult,
    PushStatus,
    TeamView,
)
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.ids import new_id
from chatdesk.core.sync.delays import Backoff
from chatdesk.core.sync.errors import (
    HistoryChanged,
    OtherWorkspace,
    TeamBusy,
    TeamLogBroken,
    TeamParked,
    TeamUnreachable,
)
from chatdesk.core.sync.requests import (
    BatchPushed,
    Link,
    Notice,
    PageApplied,
    Request,
    RoundResult,
    ToLocal,
    ToTeam,
    ViewStored,
)
from chatdesk.core.sync.round import perform, sync_round
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.model_server import ModelServer, ModelTeam
from tests.helpers.sync_sim.toy_store import ToyStore

NOW = 1_800_000_000_000


class Desk:
    """One profile with its connection."""

    def __init__(self, server: ModelServer, member: str, *projects: str) -> None:
        self.store = ToyStore(*projects)
        self.server = server
        self.member = member
        self.notices: list[Notice] = []
        self.connect()

    def connect(self) -> None:
        self.team = ModelTeam(self.server, self.member)
        self.link = Link()

    def steps(self, **options: Any) -> Generator[Request, Any, RoundResult]:
        return sync_round(self.link, name="a desk", version="1", workspace_id=self.server.workspace_id, **options)

    def round(self, **options: Any) -> RoundResult:
        return drive(self.steps(**options), self.store, self.team, tell=self.notices.append)

    def ids(self, project_id: str) -> set[str]:
        return set(self.store.projects[project_id].changes)


class Team:
    def __init__(self) -> None:
        self.server = ModelServer(new_id(), lambda: NOW)
        self.project = new_id()
        self.ann, self.bob = new_id(), new_id()
        self.server.add_member(self.ann, "Ann", is_owner=True)
        self.server.add_member(self.bob, "Bob")
        self.server.create_project(self.ann, self.project)
        self.server.set_role(self.project, self.bob, "editor")
        self.first = Desk(self.server, self.ann, self.project)
        self.second = Desk(self.server, self.bob, self.project)

    @property
    def rows(self) -> list[PulledChange]:
        return self.server.projects[self.project].rows


@pytest.fixture
def team() -> Team:
    return Team()


def calls(steps: Generator[Request, Any, RoundResult], desk: Desk) -> list[str]:
    """The methods that a round calls, in order."""
    seen: list[str] = []
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            return seen
        if isinstance(request, ToLocal | ToTeam):
            seen.append(request.method)
        answer = perform(request, desk.store, desk.team)


def test_a_change_reaches_the_other_profile_and_is_confirmed(team: Team) -> None:
    written = team.first.store.write(team.project)
    sent = team.first.round()
    assert (sent.sent, sent.received, sent.is_drained) == (1, 1, True)
    assert team.first.store.states(team.project) == {ChangeState.CONFIRMED}
    got = team.second.round()
    assert (got.sent, got.received) == (0, 1)
    assert team.second.ids(team.project) == {written}


def test_a_second_round_of_a_connection_asks_for_little(team: Team) -> None:
    team.first.round()
    assert calls(team.first.steps(), team.first) == [
        "device",
        "shares",
        "view",  # one statement, which also tells the time and what one may
        "store_view",
        "cursors",
        "share_step",
        "pending",
        "make_places",
        "tending",
    ]


def test_a_quick_round_leaves_other_projects_alone(team: Team) -> None:
    other = new_id()
    team.server.create_project(team.ann, other)
    team.first.round()
    team.first.store.write(other)
    team.first.store.write(team.project)
    result = team.first.round(is_fresh=False, only=[team.project])
    assert result.sent == 1
    assert team.first.store.states(other) == {ChangeState.PENDING}
    assert team.first.store.views == 2  # of the first round, before and after it listened


def test_listeners_are_told_before_the_answer_is_kept(team: Team) -> None:
    team.first.store.write(team.project)
    seen = calls(team.first.steps(), team.first)
    assert seen.index("push") < seen.index("poke") < seen.index("record_push_results")
    assert seen.index("listen") < seen.index("pull")


def test_what_happened_before_the_channels_were_listened_to_is_not_missed(team: Team) -> None:
    steps = team.first.steps()
    ended: list[bool] = []
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        if isinstance(request, ToTeam) and request.method == "listen":
            team.server.end_project(team.project)  # nobody is told who does not listen yet
        if isinstance(request, ViewStored):
            ended.append(request.view.projects[0].is_deleted)
        answer = perform(request, team.first.store, team.first.team)
    assert ended[0] is False
    assert ended[-1] is True


def test_a_server_that_changes_its_channels_each_time_is_not_asked_for_ever(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = team.first.team.view

    def restless(device: str, *, since: int) -> tuple[Hello, TeamView]:
        hello, found = view(device, since=since)
        return hello, replace(found, projects=tuple(replace(each, channel=new_id()) for each in found.projects))

    monkeypatch.setattr(team.first.team, "view", restless)
    assert calls(team.first.steps(), team.first).count("view") < 5


def test_what_is_written_during_a_long_pull_is_sent_between_two_pages(team: Team) -> None:
    for _ in range(3):
        team.second.store.write(team.project)
    team.second.round()
    steps = team.first.steps(pull_rows=1)
    seen: list[str] = []
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        answer = perform(request, team.first.store, team.first.team)
        if isinstance(request, PageApplied) and request.seq == 1:
            team.first.store.write(team.project)
            team.first.link.record_written([team.project, team.project, "a private project"])
        if isinstance(request, ToTeam):
            seen.append(request.method)
    # The second page is asked for while the first is taken over, and what was written comes before the third.
    pages = ["pull", "pull", "push", "poke", "pull", "pull", "pull", "pull", "acknowledge"]
    assert seen[seen.index("pull") :] == pages
    assert len(team.first.ids(team.project)) == 4
    assert team.first.store.states(team.project) == {ChangeState.CONFIRMED}


class Pull:
    """A round that is looked at step by step."""

    def __init__(self, desk: Desk, **options: Any) -> None:
        self.desk = desk
        self.steps = desk.steps(**options)
        self.seen: list[str] = []
        self._answer: Any = None
        self._error: Exception | None = None

    def go(self, until: str = "") -> Request | None:
        """To the next call of this method, which is made with the next one; None at the end."""
        while True:
            try:
                step = self.steps.send(self._answer) if self._error is None else self.steps.throw(self._error)
            except StopIteration:
                return None
            self._answer = self._error = None
            try:
                self._answer = perform(step, self.desk.store, self.desk.team)
            except Exception as error:  # noqa: BLE001 - the round decides what it means
                self._error = error
            if isinstance(step, ToLocal | ToTeam):
                self.seen.append(step.method)
                if step.method == until:
                    return step


def pages(team: Team, count: int) -> None:
    """Bob writes as many changes, each of which is a page of Ann's."""
    for _ in range(count):
        team.second.store.write(team.project)
    team.second.round()


def test_the_next_page_is_pulled_and_read_while_one_is_taken_over(team: Team) -> None:
    pages(team, 2)
    pull = Pull(team.first, pull_rows=1)
    pull.go()
    first = pull.seen.index("start_apply")
    assert pull.seen[first - 2 : first + 4] == [
        "pull", "read_page", "start_apply", "pull", "read_page", "finish_apply",
    ]  # fmt: skip
    assert team.first.store.projects[team.project].seq == 2


def test_one_page_in_all_is_held_ahead(team: Team) -> None:
    other = new_id()
    team.server.create_project(team.bob, other)
    team.server.set_role(other, team.ann, "viewer")
    team.second.round()
    for project in (team.project, other):
        for _ in range(4):
            team.second.store.write(project)
    team.second.round()
    pull = Pull(team.first, pull_rows=1)
    pull.go()
    steps = {"read_page": 1, "start_apply": -1}
    held = list(accumulate(steps.get(name, 0) for name in pull.seen))
    assert max(held) == 2  # that, and the one whose turn it is
    for project in (team.project, other):
        assert team.first.store.projects[project].seq == 4


def test_a_page_that_ends_early_because_its_changes_are_large_is_not_the_last(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        team.second.store.write(team.project, body=json.dumps({"title": "x" * 50}))
    team.second.round()
    pull = team.first.team.pull
    monkeypatch.setattr("chatdesk.core.sync.project_turn.PULL_BYTES", 100)
    monkeypatch.setattr(team.first.team, "pull", lambda project, after, limit: pull(project, after, limit=2))
    result = team.first.round()
    assert (result.received, result.is_drained) == (4, True)


def test_what_goes_wrong_with_the_next_page_is_told_in_its_turn(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    pages(team, 3)
    pull = team.first.team.pull

    def busy(project: str, after: int, *, limit: int) -> list[PulledChange]:
        if after == 1:
            raise TeamBusy
        return pull(project, after, limit=limit)

    monkeypatch.setattr(team.first.team, "pull", busy)
    result = team.first.round(pull_rows=1)
    assert [type(error) for _, error in result.problems] == [TeamBusy]
    assert result.received == 1
    assert [type(notice) for notice in team.first.notices] == [ViewStored, ViewStored, PageApplied]
    monkeypatch.undo()
    assert team.first.round(pull_rows=1).received == 2


def test_a_page_of_a_history_that_is_not_the_servers_any_more_is_forgotten(team: Team) -> None:
    pages(team, 1)
    backup = team.server.snapshot()
    pages(team, 2)
    pull = Pull(team.first, pull_rows=1)
    for _ in range(2):
        pull.go("pull")  # the second is ahead
    team.server.become(backup)
    team.second.connect()
    team.second.store.write(team.project)
    team.second.round()
    pull.go()
    assert team.first.round().is_drained
    assert team.first.ids(team.project) >= {row.id for row in team.rows}
    assert team.first.store.projects[team.project].seq == len(team.rows)


def test_a_project_that_was_written_in_comes_before_the_others(team: Team) -> None:
    others = [new_id() for _ in range(5)]
    for project in others:
        team.server.create_project(team.ann, project)
    team.first.round()
    team.first.store.write(others[4])
    team.first.link.record_written([others[4]])
    steps = team.first.steps(is_fresh=False)
    order = []
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        if isinstance(request, ToLocal) and request.method == "pending":
            order.append(request.args[0])
        answer = perform(request, team.first.store, team.first.team)
    assert order[0] == others[4]


def test_projects_take_turns(team: Team) -> None:
    other = new_id()
    team.server.create_project(team.bob, other)
    team.server.set_role(other, team.ann, "viewer")
    team.second.round()
    for project in (team.project, other):
        for _ in range(3):
            team.second.store.write(project)
    team.second.round()
    team.first.round(pull_rows=1)
    pages = [notice.project_id for notice in team.first.notices if isinstance(notice, PageApplied)]
    assert set(pages[:2]) == set(pages[2:4]) == {team.project, other}
    totals = [(notice.done, notice.total) for notice in team.first.notices if isinstance(notice, PageApplied)]
    assert totals == [(place, 6) for place in range(1, 7)]


def test_large_batches_are_cut_and_pages_pulled_in_between(team: Team) -> None:
    for _ in range(PUSH_ROWS * 5):
        team.first.store.write(team.project)
    seen = calls(team.first.steps(), team.first)
    moves = [name for name in seen if name in ("push", "pull")]
    assert moves[:6] == ["push", "push", "pull", "push", "push", "pull"]
    assert len(team.rows) == PUSH_ROWS * 5
    assert team.first.store.states(team.project) == {ChangeState.CONFIRMED}


def test_existing_content_is_entered_before_anything_is_pulled(team: Team) -> None:
    team.first.store.projects[team.project].shares_left = 3
    seen = calls(team.first.steps(), team.first)
    assert [name for name in seen if name in ("share_step", "pull", "push")][:4] == [
        "share_step",
        "share_step",
        "share_step",
        "push",
    ]
    assert len(team.rows) == 3


def test_a_version_that_is_too_old_to_write_only_reads(team: Team) -> None:
    team.second.store.write(team.project)
    team.second.round()
    team.server.min_write = PROTOCOL + 1
    team.first.store.write(team.project)
    result = team.first.round()
    assert (result.mode, result.sent, result.received) == ("read_only", 0, 1)
    assert ChangeState.PENDING in team.first.store.states(team.project)
    assert not result.is_drained


def test_a_blocked_version_does_nothing(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    hello = team.first.team.hello
    monkeypatch.setattr(
        team.first.team, "hello", lambda *args, **options: replace(hello(*args, **options), mode="blocked")
    )
    assert calls(team.first.steps(), team.first) == ["device", "hello"]
    assert team.first.round().mode == "blocked"


def test_another_database_is_not_touched(team: Team) -> None:
    team.server.workspace_id = new_id()
    steps = sync_round(team.first.link, name="a", version="1", workspace_id=new_id())
    with pytest.raises(OtherWorkspace):
        drive(steps, team.first.store, team.first.team)
    assert team.first.store.views == 0


def test_a_refused_change_is_kept_and_does_not_hold_up_others(team: Team) -> None:
    team.first.store.write(team.project, new_id(), op="edit")
    team.first.store.write(team.project)
    result = team.first.round()
    assert (result.sent, result.refused, result.is_drained) == (1, 1, True)
    assert team.first.store.states(team.project) == {ChangeState.REFUSED, ChangeState.CONFIRMED}


@pytest.mark.parametrize("has_written", [True, False])
def test_a_copied_profile_sends_nothing_before_it_joins_again_and_everything_then(
    team: Team, has_written: bool
) -> None:
    """Whether it notices by what it sends or by what it pulls."""
    team.first.store.write(team.project)
    team.first.round()
    clone = Desk(team.server, team.ann, team.project)
    clone.store = copy.deepcopy(team.first.store)
    mine = {team.first.store.write(team.project)}
    theirs = {clone.store.write(team.project)} if has_written else set()
    team.first.round()
    with pytest.raises(TeamParked):
        clone.round()
    assert clone.store.is_parked
    assert len(team.rows) == 2
    theirs.add(clone.store.write(team.project))
    with pytest.raises(TeamParked):
        clone.round()
    assert len(team.rows) == 2
    clone.store.join_again()
    clone.connect()
    assert clone.round().is_drained
    assert mine | theirs <= clone.ids(team.project)
    team.first.round()
    assert team.first.ids(team.project) == clone.ids(team.project)


def test_a_parked_profile_asks_the_server_for_nothing(team: Team) -> None:
    team.first.store.park()
    steps = team.first.steps()
    request = next(steps)
    assert isinstance(request, ToLocal)
    answer = perform(request, team.first.store, team.first.team)
    with pytest.raises(TeamParked):
        steps.send(answer)


def test_a_device_of_another_member_is_a_copys(team: Team) -> None:
    team.first.round()
    team.second.store.device_id = team.first.store.device_id
    with pytest.raises(TeamParked):
        team.second.round()
    assert team.second.store.is_parked


def test_a_restored_profile_notices_its_own_lost_changes(team: Team) -> None:
    team.first.store.write(team.project)
    old = copy.deepcopy(team.first.store)
    team.first.round()
    lost = team.first.store.write(team.project)
    team.first.round()
    team.first.store = old
    team.first.connect()
    with pytest.raises(TeamParked):
        team.first.round()
    old.join_again()
    assert team.first.round().is_drained
    assert lost in team.first.ids(team.project)
    assert len(team.rows) == 2


def test_what_a_restored_server_lost_is_sent_again_by_those_who_wrote_it_alone(team: Team) -> None:
    thread = new_id()
    made = team.first.store.write(team.project, thread)
    backup = team.server.snapshot()
    team.first.round()
    team.second.round()
    answer = team.second.store.write(team.project)
    team.second.round()
    team.first.round()
    team.server.become(backup)
    team.first.connect()
    team.second.connect()
    assert team.second.round().is_drained
    assert {row.id for row in team.rows} == {answer}
    team.first.round()
    assert {(row.id, row.author) for row in team.rows} == {(answer, team.bob), (made, team.ann)}


def test_a_server_that_loses_what_it_took_is_told_again_but_not_for_ever(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        team.first.team,
        "push",
        lambda project, device, changes: [PushResult(each.id, PushStatus.OK, 1, each.hlc) for each in changes],
    )
    team.first.store.write(team.project)
    result = team.first.round()
    assert [type(error) for _, error in result.problems] == [HistoryChanged]
    assert not result.is_drained


def test_a_server_that_answers_nothing_is_not_asked_for_ever(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team.first.team, "push", lambda project, device, changes: [])
    team.first.store.write(team.project)
    team.first.round()
    assert team.first.store.states(team.project) == {ChangeState.PENDING}


def test_a_server_whose_pages_never_fit_is_given_up_in_this_round(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.second.store.write(team.project)
    team.second.round()
    pull = team.first.team.pull
    monkeypatch.setattr(
        team.first.team,
        "pull",
        lambda project, after, limit: [replace(row, chain=bytes(32)) for row in pull(project, after, limit=limit)],
    )
    assert [type(error) for _, error in team.first.round().problems] == [TeamLogBroken]


def test_a_server_that_finds_forks_everywhere_is_left_alone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        team.first.team,
        "push",
        lambda project, device, changes: [PushResult(each.id, PushStatus.FORKED) for each in changes],
    )
    team.first.store.write(team.project)
    with pytest.raises(TeamParked):
        team.first.round()
    assert team.first.store.states(team.project) == {ChangeState.PENDING}


def test_others_changes_come_even_if_ones_own_cannot_be_sent(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.second.store.write(team.project)
    team.second.round()

    def busy(*_args: object) -> None:
        raise TeamBusy

    monkeypatch.setattr(team.first.team, "push", busy)
    team.first.store.write(team.project)
    result = team.first.round()
    assert result.received == 1
    assert [type(error) for _, error in result.problems] == [TeamBusy]


def test_a_project_in_trouble_does_not_stop_the_others(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    other = new_id()
    team.server.create_project(team.ann, other)
    team.first.round()
    pull = team.first.team.pull

    def troubled(project: str, after: int, *, limit: int) -> list[PulledChange]:
        if project == team.project:
            raise TeamBusy
        return pull(project, after, limit=limit)

    monkeypatch.setattr(team.first.team, "pull", troubled)
    for project in (team.project, other):
        team.first.store.write(project)
    result = team.first.round()
    assert [project for project, _ in result.problems] == [team.project]
    assert team.first.store.states(other) == {ChangeState.CONFIRMED}
    assert team.first.store.states(team.project) == {ChangeState.ACKNOWLEDGED}


def test_a_profile_that_became_another_device_meanwhile_says_hello_before_it_sends(team: Team) -> None:
    team.first.round()
    team.first.store.write(team.project)
    steps = team.first.steps(is_fresh=False)
    answer: Any = None
    devices = []
    before = team.first.store.device_id
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        is_asked = isinstance(request, ToLocal) and request.method == "pending"
        if is_asked and team.first.store.device_id == before:
            team.first.store.join_again()  # in another workspace
        if isinstance(request, ToTeam) and request.method == "push":
            devices.append(request.args[1])
        answer = perform(request, team.first.store, team.first.team)
    assert devices == [team.first.store.device_id]
    assert team.server.devices.keys() >= {team.first.store.device_id}


def test_notices_tell_what_happened(team: Team) -> None:
    team.first.store.write(team.project)
    team.first.round()
    assert [type(notice) for notice in team.first.notices] == [ViewStored, ViewStored, BatchPushed, PageApplied]


def test_a_viewer_brings_nothing_back(team: Team) -> None:
    team.first.store.write(team.project)
    backup = team.server.snapshot()
    team.first.round()
    team.second.round()
    team.server.become(backup)
    team.server.set_role(team.project, team.bob, "viewer")
    team.second.store.is_viewer = True
    team.second.connect()
    team.second.round()
    assert team.rows == []
    assert team.second.store.states(team.project) == {ChangeState.ORPHANED}


class _Cut(Exception):
    """The process dies."""


Failure = Callable[[Request, Desk], Any]


def lost_request(request: Request, desk: Desk) -> Any:
    desk.team.abort()
    raise TeamUnreachable


def lost_reply(request: Request, desk: Desk) -> Any:
    perform(request, desk.store, desk.team)
    desk.team.abort()
    raise TeamUnreachable


def killed_before(request: Request, desk: Desk) -> Any:
    raise _Cut


def killed_after(request: Request, desk: Desk) -> Any:
    perform(request, desk.store, desk.team)
    raise _Cut


def failing_at(place: int, desk: Desk, failure: Failure) -> bool:
    """A round in which one request fails; False if it has fewer."""
    steps = desk.steps(pull_rows=2)
    answer: Any = None
    error: Exception | None = None
    count = 0
    while True:
        try:
            request = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration:
            return count > place
        except TeamUnreachable:
            return True
        answer = error = None
        if not isinstance(request, ToLocal | ToTeam):
            continue
        try:
            if count == place and (isinstance(request, ToTeam) or failure in (killed_before, killed_after)):
                answer = failure(request, desk)
            else:
                answer = perform(request, desk.store, desk.team)
        except _Cut:
            steps.close()
            return True
        except Exception as caught:  # noqa: BLE001 - what a store raises is for the round
            error = caught
        count += 1


def everything_happens(team: Team) -> None:
    """A first round that has to share, push, be refused, notice a restored server and pull."""
    shared = team.first.store.write(team.project)
    team.first.round()
    team.second.round()
    backup = team.server.snapshot()
    for _ in range(2):
        team.second.store.write(team.project)
    team.second.round()
    team.first.round()
    team.second.store.projects[team.project].changes.clear()  # Bob's computer is destroyed
    clone = copy.deepcopy(team.first.store)
    team.first.store.write(team.project, shared, op="edit")
    team.first.store.write(team.project)
    team.first.round()
    team.server.become(backup)
    team.first.store.write(team.project, new_id(), op="edit")
    team.first.store = clone
    clone.write(team.project)
    clone.projects[team.project].shares_left = 2
    team.first.connect()
    team.second = Desk(team.server, team.bob, team.project)


@pytest.mark.parametrize("failure", [lost_request, lost_reply, killed_before, killed_after])
def test_every_step_may_fail_and_the_next_round_makes_up_for_it(failure: Failure) -> None:
    place = 0
    while True:
        team = Team()
        everything_happens(team)
        was_reached = failing_at(place, team.first, failure)
        team.first.connect()
        assert team.first.round().is_drained
        team.second.round()
        team.first.round()
        assert team.first.ids(team.project) >= team.second.ids(team.project) == {row.id for row in team.rows}
        assert not team.first.store.states(team.project) & {
            ChangeState.PENDING,
            ChangeState.ACKNOWLEDGED,
        }
        assert [row.seq for row in team.rows] == list(range(1, len(team.rows) + 1))
        if not was_reached:
            break
        place += 1
    assert place > 20


def test_pages_are_as_large_as_the_protocol_says(team: Team) -> None:
    asked = [request for request in _requests(team) if isinstance(request, ToTeam) and request.method == "pull"]
    assert {request.options["limit"] for request in asked} == {PULL_ROWS}


def _requests(team: Team) -> list[Request]:
    team.first.store.write(team.project)
    seen: list[Request] = []
    steps = team.first.steps()
    answer: Any = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            return seen
        seen.append(request)
        answer = perform(request, team.first.store, team.first.team)


def test_waits_double_up_to_a_minute_with_jitter_and_begin_anew() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.next_s() == 1
    assert all(0.5 <= Backoff().next_s() <= 1 for _ in range(20))
