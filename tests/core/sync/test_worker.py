"""The thread of sync without a server: what it says of how things are, when it tries again, and how it ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_results import ShareMark
from chatdesk.core.domain.sharing.sync_wire import Hello, PresenceRow, ProjectHead, TeamView
from chatdesk.core.domain.sharing.team import TEAM_SCHEMA, ServerAddress, SyncPhase, SyncRound, SyncStatus, Workspace
from chatdesk.core.errors import StorageFull
from chatdesk.core.sync import worker as worker_module
from chatdesk.core.sync.errors import TeamError, TeamUnreachable
from chatdesk.core.sync.presence import PresenceBoard
from chatdesk.core.sync.requests import BatchPushed, PageApplied, RoundResult, ViewStored
from chatdesk.core.sync.team_servers import Client
from chatdesk.core.sync.team_store.listening import Notifications
from chatdesk.core.sync.worker import SyncWorker
from chatdesk.core.system.thread_turns import SHORT_S
from tests.helpers.waiting import PATIENCE_S, wait_until

WORKSPACE = Workspace("w1", "Team", ServerAddress("h", 1, "d", "u"), "m1", is_owner=True, joined_at=0)


class Local:
    """A profile with nothing in it."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.device_id = "device"

    def device(self) -> str:
        return self.device_id

    def shares(self) -> dict[str, ShareMark]:
        return {}

    def store_view(self, _hello: Hello, _view: TeamView, _before: Mapping[str, ShareMark]) -> frozenset[str]:
        if self.failure is not None:
            raise self.failure
        return frozenset()

    def cursors(self) -> list[Any]:
        return []


_LATER_US = 1_000_000_000


class Team:
    """A server that knows nobody else; ``rounds`` counts how often it was asked who there is."""

    def __init__(self) -> None:
        self.mode = "rw"
        self.workspace_id = "w1"
        self.ahead_ms = 0
        self.rounds = 0
        self.said: list[tuple[str, str | None, str]] = []
        self.others: list[PresenceRow] = []
        self.heard: Notifications = Notifications()
        self.blocks_in = ""  # the call that is never answered
        self.is_closed = False
        self.is_deaf = False
        self.is_silent = threading.Event()
        self.asked_since: list[int] = []
        self._woken = threading.Event()
        self._aborted = threading.Event()

    def hello(self, _device: str, *, name: str, version: str) -> Hello:
        assert name == "Desk"
        assert version == "1"
        self._answer("hello")
        return self._said()

    def _said(self) -> Hello:
        return Hello(self.workspace_id, "Team", TEAM_SCHEMA, self.mode, "m1", "Me", True, self._now_ms())

    def _answer(self, call: str) -> None:
        if self.blocks_in == call:
            self.is_silent.set()
            self._aborted.wait(20)
            raise TeamUnreachable

    def _now_ms(self) -> int:
        return Clock().now_ms() + self.ahead_ms

    def view(self, _device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        self._answer("view")
        self.rounds += 1
        self.asked_since.append(since)
        heads = (ProjectHead("p1", "editor", "channel1", 0),)
        return self._said(), TeamView(heads, presence=tuple(self.others), version=self.rounds * _LATER_US)

    def listen(self, channels: Iterable[str]) -> None:
        assert tuple(channels) == ("channel1",)

    def wait(self, timeout_s: float) -> Notifications:
        self._woken.wait(timeout_s)
        self._woken.clear()
        if self._aborted.is_set():
            raise TeamUnreachable
        heard, self.heard = self.heard, Notifications()
        return heard

    def say(self, heard: Notifications) -> None:
        self.heard = heard
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    def abort(self) -> None:
        self._aborted.set()
        self._woken.set()

    def close(self) -> None:
        self.is_closed = True

    def set_presence(self, project_id: str, _device: str, thread_id: str | None, state: str) -> None:
        self._answer("set_presence")
        self.said.append((project_id, thread_id, state))

    def presence(self) -> list[PresenceRow]:
        self._answer("presence")
        return self.others


class SyncListener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.statuses: list[SyncStatus] = []
        self.lines: list[SyncRound] = []
        self.presence: list[PresenceRow] = []
        self.waiting = 0
        self.has_parked = False
        self.news = threading.Condition()

    def on_status(self, status: SyncStatus) -> None:
        with self.news:
            self.statuses.append(status)
            self.news.notify_all()

    def on_view(self, _notice: ViewStored) -> None: ...

    def on_page(self, _notice: PageApplied, _me: str) -> None: ...

    def on_pushed(self, _notice: BatchPushed) -> None: ...

    def on_presence(self, rows: Iterable[PresenceRow], me: str) -> None:
        assert me == "m1"
        self.presence = list(rows)

    def on_round(self, line: SyncRound | None, _result: RoundResult | None) -> None:
        if line is not None:
            self.lines.append(line)

    def on_parked(self) -> None:
        self.has_parked = True

    def count(self) -> tuple[int, int]:
        return self.waiting, 0

    def wait_for(self, is_met: Callable[[SyncStatus], bool], seconds: float = PATIENCE_S) -> SyncStatus:
        with self.news:
            assert self.news.wait_for(lambda: any(map(is_met, self.statuses)), seconds), self.statuses
            return next(filter(is_met, reversed(self.statuses)))


@contextmanager
def working(
    open_team: Callable[[], Any],
    *,
    local: Local | None = None,
    board: PresenceBoard | None = None,
    poll_s: float = 25.0,
    waiting: int = 0,
) -> Iterator[tuple[SyncWorker, SyncListener]]:
    listener = SyncListener()
    clock = Clock()
    worker = SyncWorker(
        WORKSPACE,
        local=local or Local(),  # type: ignore[arg-type] - only what a round without projects asks for
        open_team=open_team,
        client=Client("Desk", "1"),
        listener=listener,
        board=board or PresenceBoard(clock),
        clock=clock,
        poll_s=poll_s,
    )
    listener.waiting = waiting
    worker.start()
    try:
        yield worker, listener
    finally:
        worker.ask_to_stop()
        assert worker.join(PATIENCE_S)
        assert worker.status.phase is SyncPhase.OFF


def synced(status: SyncStatus) -> bool:
    return status.phase is SyncPhase.SYNCED


def test_a_first_round_ends_in_synced_and_the_connection_is_closed_at_the_end() -> None:
    team = Team()
    with working(lambda: team) as (worker, listener):
        status = listener.wait_for(synced)
        assert status.synced_at is not None
        assert status.problem == ""
        assert worker.status == status
    assert team.is_closed
    assert listener.lines == []  # a round that found nothing


def test_other_threads_wait_for_short_turns_only_while_it_runs() -> None:
    before_s, team = sys.getswitchinterval(), Team()
    with working(lambda: team) as (_, listener):
        listener.wait_for(synced)
        assert sys.getswitchinterval() == pytest.approx(SHORT_S)
    assert sys.getswitchinterval() == before_s


def test_a_workspace_that_has_to_be_joined_again_is_told_and_left_alone() -> None:
    team, local = Team(), Local()
    with working(lambda: team, local=local) as (worker, listener):
        listener.wait_for(synced)
        local.device_id = ""
        worker.request_round()
        status = listener.wait_for(lambda each: each.phase is SyncPhase.REFUSED)
        assert status.code == "team_parked"
        assert "Connect again" in status.next_step
        wait_until(lambda: listener.has_parked)
        assert team.is_closed
        rounds = team.rounds
        worker.request_round()
        worker.record_written(["p1"])
        assert worker.status.phase is SyncPhase.REFUSED
        assert team.rounds == rounds


def test_a_server_that_cannot_be_reached_is_named_and_tried_again() -> None:
    team, tries = Team(), []

    def open_team() -> Team:
        tries.append(1)
        if len(tries) < 2:
            raise TeamUnreachable("Nobody answers at h:1.")
        return team

    with working(open_team) as (worker, listener):
        status = listener.wait_for(lambda each: each.phase is SyncPhase.OFFLINE and each.next_try_at is not None)
        assert status.problem == "Nobody answers at h:1."
        assert status.next_try_at is not None
        worker.request_round()
        again = listener.wait_for(synced)
        assert again.problem == ""
        assert again.next_try_at is None


def test_a_refusal_is_not_called_offline() -> None:
    def open_team() -> Team:
        raise TeamError("The password was not accepted.", next_step="Enter it again.")

    with working(open_team) as (_worker, listener):
        status = listener.wait_for(lambda each: each.phase is SyncPhase.REFUSED)
        assert status.problem == "The password was not accepted."
        assert status.next_step == "Enter it again."


def test_a_full_disk_here_is_told_in_its_words_and_passes() -> None:
    local, team = Local(), Team()
    local.failure = StorageFull()
    with working(lambda: team, local=local) as (worker, listener):
        status = listener.wait_for(lambda each: each.phase is SyncPhase.OFFLINE)
        assert status.problem == StorageFull.what
        assert listener.lines[0].problem == StorageFull.what
        local.failure = None
        worker.request_round()
        listener.wait_for(synced)


def test_an_unexpected_failure_is_logged_and_retried(caplog: pytest.LogCaptureFixture) -> None:
    local, team = Local(), Team()
    local.failure = ZeroDivisionError()
    with working(lambda: team, local=local) as (worker, listener):
        listener.wait_for(lambda each: each.phase is SyncPhase.REFUSED)
        local.failure = None
        worker.request_round()
        listener.wait_for(synced)
    assert "ZeroDivisionError" in caplog.text
    caplog.clear()


def test_another_teams_database_is_refused() -> None:
    team = Team()
    team.workspace_id = "w2"
    with working(lambda: team) as (_worker, listener):
        status = listener.wait_for(lambda each: each.phase is SyncPhase.REFUSED)
        assert "another team's database" in status.problem


@pytest.mark.parametrize(("mode", "phase"), [("read_only", SyncPhase.READ_ONLY), ("blocked", SyncPhase.REFUSED)])
def test_an_old_chatdesk_is_told_to_update(mode: str, phase: SyncPhase) -> None:
    team = Team()
    team.mode = mode
    with working(lambda: team) as (_worker, listener):
        status = listener.wait_for(lambda each: each.phase is phase)
        assert status.next_step == "Update ChatDesk."


def test_an_older_database_is_told_and_everything_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with working(Team) as (_worker, listener):
        assert not listener.wait_for(synced).is_outdated
    monkeypatch.setattr(worker_module, "TEAM_SCHEMA", TEAM_SCHEMA + 1)
    with working(Team) as (_worker, listener):
        assert listener.wait_for(synced).is_outdated


@pytest.mark.parametrize(
    ("ahead_ms", "words"),
    [(-7 * 86_400_000, "clock is 7 days ahead of"), (2 * 3_600_000 + 5_000, "clock is 2 hours behind")],
)
def test_a_wrong_clock_is_said_as_long_as_it_is_wrong_and_breaks_nothing(ahead_ms: int, words: str) -> None:
    team = Team()
    team.ahead_ms = ahead_ms
    with working(lambda: team) as (worker, listener):
        status = listener.wait_for(synced)
        assert words in status.problem
        worker.request_round()
        wait_until(lambda: team.rounds >= 2)
        assert words in worker.status.problem
    team.ahead_ms = 0
    with working(lambda: team) as (_worker, listener):
        assert listener.wait_for(synced).problem == ""


def test_the_server_is_asked_again_by_itself() -> None:
    team = Team()
    with working(lambda: team, poll_s=0.02):
        wait_until(lambda: team.rounds >= 3)


def test_a_change_on_an_unknown_channel_is_a_reason_to_look_at_everything() -> None:
    team = Team()
    with working(lambda: team) as (_worker, listener):
        listener.wait_for(synced)
        team.say(Notifications(changes={"channel1": 0}))
        team.say(Notifications(changes={"channel9": 0}))
        wait_until(lambda: team.rounds >= 2)


def test_presence_is_said_and_heard() -> None:
    team, board = Team(), PresenceBoard(Clock())
    with working(lambda: team, board=board) as (worker, listener):
        listener.wait_for(synced)
        if board.stand("p1", "t1", is_typing=True):
            worker.send_presence()
        wait_until(lambda: team.said)
        assert team.said == [("p1", "t1", "typing")]
        team.others = [PresenceRow("p1", "m2", "d2", None, "here")]
        team.say(Notifications(presence=frozenset(("channel1",))))
        wait_until(lambda: listener.presence)


def test_it_ends_at_once_while_it_waits_and_while_the_server_is_silent() -> None:
    for is_silent in (False, True):
        team = Team()
        team.blocks_in = "hello" if is_silent else ""
        with working(lambda team=team: team) as (worker, listener):
            if is_silent:
                assert team.is_silent.wait(PATIENCE_S)
            else:
                listener.wait_for(synced)
            worker.ask_to_stop()
            assert worker.join(15.0)  # neither the 20 s of the server nor the 25 s until the next round


@pytest.mark.parametrize("call", ["hello", "view", "set_presence", "presence"])
def test_a_call_that_is_never_answered_is_broken_off(call: str) -> None:
    team = Team()
    board = PresenceBoard(Clock())
    board.stand("p1", "t1", is_typing=True)
    team.blocks_in = call
    with working(lambda: team, board=board) as (worker, listener):
        team.say(Notifications(presence=frozenset({"channel1"})))  # who is here is asked for when somebody came

        def is_offline() -> bool:
            worker.break_off(0.05)
            return worker.status.phase is SyncPhase.OFFLINE

        wait_until(is_offline)
        assert listener.wait_for(lambda status: status.phase is SyncPhase.OFFLINE).problem


def test_changes_made_offline_are_counted() -> None:
    def open_team() -> Team:
        raise TeamUnreachable

    with working(open_team) as (worker, listener):
        listener.wait_for(lambda each: each.next_try_at is not None)
        listener.waiting = 12
        worker.record_written(("p1",))
        listener.wait_for(lambda each: each.waiting == 12)


def test_waiting_changes_are_reported_before_the_server_answers() -> None:
    answers = threading.Event()

    def open_team() -> Team:
        answers.wait(PATIENCE_S)
        return Team()

    with working(open_team, waiting=12) as (_, listener):
        assert listener.wait_for(lambda each: each.waiting == 12).phase is SyncPhase.CONNECTING
        answers.set()


def test_people_who_changed_are_asked_for_at_once_from_when_they_did() -> None:
    team = Team()
    with working(lambda: team) as (_, listener):
        listener.wait_for(lambda status: status.phase is SyncPhase.SYNCED)
        wait_until(lambda: team.rounds == 2)  # before and after it listened
        team.say(Notifications(people_at=2 * _LATER_US - 5))
        wait_until(lambda: team.rounds == 3)
        team.say(Notifications(people_at=1))  # anybody can say that it was long ago: all of it is not read again
        wait_until(lambda: team.rounds == 4)
    assert team.asked_since == [0, _LATER_US, 2 * _LATER_US - 5, 3 * _LATER_US - 600_000_000]


def test_missing_notifications_are_reported() -> None:
    team = Team()
    team.is_deaf = True
    with working(lambda: team) as (_, listener):
        status = listener.wait_for(lambda status: bool(status.problem))
    assert status.phase is SyncPhase.SYNCED
    assert "notifications do not arrive" in status.problem
    assert "direct address" in status.next_step
