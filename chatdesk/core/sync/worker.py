"""Runs the thread that syncs one workspace: connects, runs rounds, waits for work.

It owns the connection. Other threads only report local writes or request a round, and get its events through
``SyncListener``, whose methods are called on this thread. It ends within a second of being asked to: calls to the
server are aborted, because every step can be repeated.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import Hello
from chatdesk.core.domain.sharing.team import TEAM_SCHEMA, SyncPhase, SyncStatus, Workspace
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.delays import FIRST_S, Backoff, NotifyThrottle
from chatdesk.core.sync.errors import TeamError, TeamParked, TeamUnreachable
from chatdesk.core.sync.presence import PresenceBoard
from chatdesk.core.sync.requests import (
    BatchPushed,
    Link,
    PageApplied,
    Request,
    RoundResult,
    ToLocal,
    ToTeam,
    ViewStored,
)
from chatdesk.core.sync.round import perform, sync_round
from chatdesk.core.sync.status_report import StatusReport, SyncListener
from chatdesk.core.sync.team_servers import Client, close_quietly
from chatdesk.core.system.thread_turns import short_turns

_log = logging.getLogger(__name__)

# Hints can be lost, so the server is asked anyway; each member at a time of their own.
POLL_S: Final = 25.0
_POLL_JITTER: Final = 0.2
# Several changes of one moment go together.
_GATHER_S: Final = 0.004
STOP_S: Final = 0.9
# How long a transaction on members may have stayed open, in microseconds.
_LATE_US: Final = 600_000_000
# A requested round aborts a call that has been silent for so long: the person has a reason to doubt the connection.
_SUSPICIOUS_S: Final = 10.0
_MS_PER_S: Final = 1000


class _Stopped(Exception):
    pass


class SyncWorker:
    """Syncs one workspace. ``open_team`` connects, which may take seconds, and raises ``TeamError``."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        local: SyncStore,
        open_team: Callable[[], Carrier],
        client: Client,
        listener: SyncListener,
        board: PresenceBoard,
        clock: Clock,
        poll_s: float = POLL_S,
    ) -> None:
        self.workspace = workspace
        self._local = local
        self._open_team = open_team
        self._client = client
        self._listener = listener
        self._board = board
        self._clock = clock
        self._poll_s = poll_s
        self._backoff = Backoff()
        self._throttle = NotifyThrottle()
        self._report = StatusReport(workspace, listener, clock)
        self._team: Carrier | None = None
        self._link = Link()
        self._lock = threading.Lock()  # guards the connection and the records below
        self._written: set[str] = set()
        self._heard: set[str] = set()
        self._is_look_wanted = True
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._hello_at = 0
        self._call_began_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"sync-{workspace.id[-6:]}", daemon=True)

    @property
    def status(self) -> SyncStatus:
        """Return the current status. Safe to call from any thread."""
        return self._report.status

    def start(self) -> None:
        """Start the thread. Called once."""
        self._thread.start()

    # From any thread

    def record_written(self, projects: Iterable[str]) -> None:
        """Record that changes of these projects were committed, which may have to be sent."""
        with self._lock:
            self._written.update(projects)
            self._link.record_written(projects)
        self._wake()

    def request_round(self) -> None:
        """Request a whole round at once; aborts a call that has been silent for seconds."""
        with self._lock:
            self._is_look_wanted = True
        self._backoff.reset()
        self.break_off(_SUSPICIOUS_S)
        self._wake()

    def break_off(self, stuck_s: float) -> None:
        """Abort the connection if a call takes longer than ``stuck_s`` seconds."""
        began, team = self._call_began_s, self._team
        if began is not None and team is not None and self._clock.monotonic_s() - began > stuck_s:
            _log.info("a call of workspace %s is broken off", self.workspace.id)
            team.abort()

    def send_presence(self) -> None:
        """Wake the thread, because a presence update is due."""
        self._wake()

    def ask_to_stop(self) -> None:
        """Abort the work under way; ``join`` waits for the end."""
        with self._lock:
            self._stopping.set()
            team = self._team
        self._woken.set()
        if team is not None:
            team.abort()

    def join(self, timeout_s: float = STOP_S) -> bool:
        """Wait until the thread ends. Returns false if it did not, which is safe but worth a line in the log."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _wake(self) -> None:
        self._woken.set()
        with self._lock:
            team = self._team
        if team is not None:
            team.wake()

    # On the thread of sync from here on

    def _run(self) -> None:
        with short_turns():  # the window's thread waits for its turn while a page is read here
            self._sync_until_stopped()

    def _sync_until_stopped(self) -> None:
        self._report.count_waiting()  # a person may look, or leave, before the server answers
        while not self._stopping.is_set():
            try:
                self._connect()
                while True:
                    self._round()
                    self._wait()
            except _Stopped:
                break
            except ChatDeskError as error:
                if self._stopping.is_set():  # the round was aborted
                    break
                self._report.fail(error)
                if isinstance(error, TeamParked):
                    self._disconnect()
                    self._listener.on_parked()
                    self._stopping.wait()  # joining again starts another worker
                    break
            except Exception:  # noqa: BLE001 - see below
                # The last resort of this thread: a window that shows a wrong state for ever would be worse.
                _log.exception("the sync of workspace %s failed", self.workspace.id)
                self._report.fail(TeamError())
            self._disconnect()
            self._rest()
        self._disconnect()
        self._report.change(phase=SyncPhase.OFF)

    def _connect(self) -> None:
        self._check_stop()
        if self._report.status.phase is not SyncPhase.CONNECTING:
            self._report.change(phase=SyncPhase.CONNECTING, next_try_at=None)
        team = self._open_team()
        with self._lock:
            self._team = team
            self._link = Link()
            self._is_look_wanted = True
        self._board.start_over()

    def _disconnect(self) -> None:
        with self._lock:
            team, self._team = self._team, None
        close_quietly(team)

    def _round(self) -> None:
        """Run one round: a whole one where it is due, else one of the projects with notifications or local writes."""
        with self._lock:
            is_fresh, self._is_look_wanted = self._is_look_wanted, False
            heard = frozenset(self._heard)
            only = None if is_fresh else heard | self._written
            self._written.clear()
            self._heard.clear()
            self._woken.clear()
        if is_fresh or only:
            result = self._play(is_fresh, only)
            if result.received:
                self._throttle.reset()
            if heard and not is_fresh and not result.received:
                # A notification that brought no change is about people or roles.
                self._is_look_wanted = True
                self._woken.set()
        self._exchange_presence(is_news=False)

    def _play(self, is_fresh: bool, only: frozenset[str] | None) -> RoundResult:
        began_at, began_s = self._clock.now_ms(), self._clock.monotonic_s()
        steps = sync_round(
            self._link,
            name=self._client.name,
            version=self._client.version,
            workspace_id=self.workspace.id,
            is_fresh=is_fresh,
            only=only,
        )
        result = self._drive(steps)
        took_ms = round((self._clock.monotonic_s() - began_s) * _MS_PER_S)
        self._report.record_round(result, began_at=began_at, took_ms=took_ms)
        self._finish_round(result)
        return result

    def _drive(self, steps: Generator[Request, Any, RoundResult]) -> RoundResult:
        answer: Any = None
        failure: Exception | None = None
        while True:
            self._check_stop()
            try:
                request = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as end:
                result: RoundResult = end.value
                return result
            answer = failure = None
            if isinstance(request, ToLocal | ToTeam):
                try:
                    answer = self._perform(request)
                except Exception as caught:  # noqa: BLE001 - the round decides what it means
                    self._check_stop()
                    failure = caught
            else:
                self._hear(request)

    def _perform(self, request: Request) -> Any:
        team = self._team
        if team is None:
            raise TeamUnreachable
        with self._watched_call() if isinstance(request, ToTeam) else contextlib.nullcontext():
            answer = perform(request, self._local, team)
        if isinstance(answer, Hello):
            self._hello_at = self._clock.now_ms()
        return answer

    @contextlib.contextmanager
    def _watched_call(self) -> Iterator[None]:
        """Let ``break_off`` end the connection while a call to the server takes too long."""
        self._call_began_s = self._clock.monotonic_s()
        try:
            yield
        finally:
            self._call_began_s = None

    def _hear(self, notice: Request) -> None:
        if isinstance(notice, ViewStored):
            self._listener.on_view(notice)
            self._throttle.presence_was_read(self._clock.monotonic_s())
            self._listener.on_presence(notice.view.presence, self.workspace.member_id)
        elif isinstance(notice, PageApplied):
            if notice.total > notice.done or self._report.status.done is not None:
                self._report.change(
                    phase=SyncPhase.SYNCING, done=notice.done, total=notice.total, problem="", next_step=""
                )
            self._listener.on_page(notice, self.workspace.member_id)
        elif isinstance(notice, BatchPushed):
            self._listener.on_pushed(notice)

    def _finish_round(self, result: RoundResult) -> None:
        """Publish the status after a round, and reset the delay before the next try."""
        team, hello = self._team, self._link.hello
        self._report.finish_round(
            result,
            is_deaf=team is not None and team.is_deaf,
            is_outdated=hello is not None and hello.schema < TEAM_SCHEMA,
            ahead_ms=0 if hello is None else self._hello_at - hello.server_time_ms,
        )
        self._backoff.reset()

    # Waiting

    def _wait(self) -> None:
        """Wait until something is notified, written or requested, or the next poll is due."""
        team = self._team
        if team is None:
            raise TeamUnreachable
        jitter = random.uniform(1 - _POLL_JITTER, 1 + _POLL_JITTER)  # noqa: S311 - no secret
        deadline_s = self._clock.monotonic_s() + self._poll_s * jitter
        while True:
            self._check_stop()
            if self._woken.is_set():
                self._gather()
                return
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                self._is_look_wanted = True
                return
            heard = team.wait(min([left_s, *self._due_s()]))
            if heard.presence:
                self._throttle.want_presence()
            if 0.0 in self._due_s():
                self._exchange_presence(is_news=self._throttle.presence_due_s(self._clock.monotonic_s()) == 0)
            news = self._link.news_of(heard.changes)
            if heard.people_at is not None:
                # The change may have been committed after later changes and after the last request. Since any member
                # can claim an old time, only a few minutes are requested again.
                self._link.version = min(self._link.version, max(heard.people_at, self._link.version - _LATE_US))
                self._is_look_wanted = True
                news = news or set()
            if news is not None:
                # A local write ends this wait.
                self._woken.wait(self._throttle.delay_s(self._clock.monotonic_s()))
                self._heard.update(news)
                # Unknown channels mean that projects or members changed.
                self._is_look_wanted = self._is_look_wanted or not news
                return

    def _due_s(self) -> list[float]:
        """Return in how many seconds presence is to be sent, and to be read."""
        due = (self._board.wait_s(), self._throttle.presence_due_s(self._clock.monotonic_s()))
        return [max(each, 0.0) for each in due if each is not None]

    def _gather(self) -> None:
        """Wait a few milliseconds: one action of a person often writes several transactions."""
        if self._written and not self._stopping.is_set():
            self._stopping.wait(_GATHER_S)

    def _exchange_presence(self, *, is_news: bool) -> None:
        team = self._team
        if team is None:
            return
        said = self._board.pop_due()
        try:
            for each in said:
                device = self._local.device()
                with self._watched_call():
                    team.set_presence(each.project_id, device, each.thread_id, each.state)
            if is_news:
                self._throttle.presence_was_read(self._clock.monotonic_s())
                with self._watched_call():
                    present = team.presence()
                self._listener.on_presence(present, self.workspace.member_id)
        except TeamUnreachable:
            raise
        except TeamError as error:  # such as a project that was just taken away
            _log.info("presence was not told: %s", error.code)

    def _rest(self) -> None:
        """Wait after a failure: until the next try is due, or is requested sooner."""
        if self._stopping.is_set():
            return
        wait_s = self._backoff.next_s()
        self._report.change(next_try_at=self._clock.now_ms() + round(wait_s * _MS_PER_S))
        until_s = self._clock.monotonic_s() + wait_s
        while not self._stopping.is_set():
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0 or not self._woken.wait(left_s):
                return
            self._woken.clear()
            if self._is_look_wanted:
                return
            if self._written:
                # Count the waiting changes and try soon: a person who writes wants them sent.
                self._written.clear()
                self._report.count_waiting()
                until_s = min(until_s, self._clock.monotonic_s() + FIRST_S)

    def _check_stop(self) -> None:
        if self._stopping.is_set():
            raise _Stopped
