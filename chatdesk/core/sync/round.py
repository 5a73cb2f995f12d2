"""Implements a round of sync of one workspace: sends and receives everything that is due, as a generator without I/O.

The generator yields calls to either side (``ToLocal``, ``ToTeam``) and is sent their results or thrown their
exceptions; and it yields notices, which get no answer. Dropping it between any two steps is the same as a crash: all
lasting state is in the two stores. Projects take turns of a few calls each, in which sending comes first, so that
neither a long first pull nor a large project delays a person's changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any

from chatdesk.core.domain.sharing.sync_results import ShareMark, Tending
from chatdesk.core.domain.sharing.sync_wire import PULL_ROWS, Hello, TeamView
from chatdesk.core.domain.sharing.team import SyncMode
from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.errors import (
    OtherWorkspace,
    TeamDeviceUnknown,
    TeamError,
    TeamParked,
    TeamServerTooNew,
    TeamUnreachable,
)
from chatdesk.core.sync.project_turn import ProjectTurns
from chatdesk.core.sync.requests import (
    Link,
    Request,
    RoundResult,
    ToLocal,
    ToTeam,
    ViewStored,
    to_local,
    to_team,
)

# A server whose channels differ each time it is asked is asked again in the next round.
_MOST_VIEWS = 3
# All that is known of people is asked for again that often, whatever hints were lost.
WHOLE_EVERY_MS = 3_600_000
_NO_HELLO = "hello was not said"


def sync_round(
    link: Link,
    *,
    name: str,
    version: str,
    workspace_id: str | None = None,
    is_fresh: bool = True,
    only: Iterable[str] | None = None,
    pull_rows: int = PULL_ROWS,
) -> Generator[Request, Any, RoundResult]:
    """Run one round. ``name`` and ``version``: of this device. ``is_fresh``: ask who is in the team and which projects
    there are, which the first round of a connection always does. ``only``: these projects, for a quick round after a
    notification or a local write; projects of ``Link.record_written`` are always included. ``pull_rows``: the size of a
    page in changes.

    Raises ``TeamUnreachable`` and ``StorageError``, ``OtherWorkspace`` if the database is not that of ``workspace_id``,
    and ``TeamParked`` if the person has to join again, as where a copy of this profile is in use. Errors of a single
    project are in the result, and the other projects continue.
    """
    return (
        yield from _Round(link, name=name, version=version, workspace_id=workspace_id, pull_rows=pull_rows).run(
            is_fresh, None if only is None else frozenset(only)
        )
    )


def perform(request: Request, local: SyncStore, team: Carrier) -> Any:
    """Make the call that a round requests and return its result; None for a notice."""
    if isinstance(request, ToLocal):
        return getattr(local, request.method)(*request.args, **request.options)
    if isinstance(request, ToTeam):
        return getattr(team, request.method)(*request.args, **request.options)
    return None


class _Round:
    def __init__(self, link: Link, *, name: str, version: str, workspace_id: str | None, pull_rows: int) -> None:
        self._link = link
        self._name = name
        self._version = version
        self._workspace_id = workspace_id
        self._pull_rows = pull_rows
        self._problems: dict[str, TeamError] = {}

    def run(self, is_fresh: bool, only: frozenset[str] | None) -> Generator[Request, Any, RoundResult]:
        link = self._link
        if link.hello is not None and link.hello.mode == SyncMode.BLOCKED:
            link.hello = None  # perhaps it is permitted again
        yield from self.greet()
        changed: frozenset[str] = frozenset()
        heads: dict[str, int] = {}
        if self.hello.mode != SyncMode.BLOCKED and (is_fresh or not link.is_viewed):
            changed, heads = yield from self._view()
        hello = self.hello
        if hello.mode == SyncMode.BLOCKED:
            return RoundResult(hello.mode)
        turns = ProjectTurns(
            link, self.greet, heads=heads, may_write=hello.mode == SyncMode.READ_WRITE, pull_rows=self._pull_rows
        )
        yield from self._run_turns(turns, only)
        if any(isinstance(problem, TeamServerTooNew) for problem in self._problems.values()):
            # The server was just upgraded: its hello says what this version may still do, so these are not faults of
            # single projects.
            self._problems = {
                project: problem
                for project, problem in self._problems.items()
                if not isinstance(problem, TeamServerTooNew)
            }
            link.forget()
            yield from self.greet()
            hello = self.hello
        if is_fresh and hello.mode != SyncMode.BLOCKED:
            yield from self._acknowledge(turns.seqs)
        if is_fresh and hello.mode == SyncMode.READ_WRITE:
            yield from self._tend(turns.seqs)
        return replace(
            turns.result(hello.mode),
            changed_projects=changed,
            problems=tuple({**self._problems, **link.broken}.items()),
            is_drained=turns.is_drained and not self._problems,
        )

    @property
    def hello(self) -> Hello:
        if self._link.hello is None:
            raise RuntimeError(_NO_HELLO)
        return self._link.hello

    def greet(self) -> Generator[Request, Any, None]:
        """Send ``hello``, unless this connection has done so for this device."""
        link = self._link
        device: str = yield to_local(SyncStore.device)
        if not device:
            raise TeamParked
        if link.hello is not None and link.device == device:
            return
        link.forget()
        try:
            hello: Hello = yield to_team(Carrier.hello, device, name=self._name, version=self._version)
        except TeamDeviceUnknown:
            # Another member's, whose profile was copied.
            yield to_local(SyncStore.park)
            raise TeamParked from None
        self._check(hello)
        link.device = device
        link.hello = hello

    def _view(self) -> Generator[Request, Any, tuple[frozenset[str], dict[str, int]]]:
        """Read the state of the team: one statement where nothing happened. Returns the ids of the projects that
        changed, and the newest sequence number by project."""
        link = self._link
        changed: frozenset[str] = frozenset()
        heads: dict[str, int] = {}
        for _ in range(_MOST_VIEWS):
            before: dict[str, ShareMark] = yield to_local(SyncStore.shares)
            hello, view = yield from self._ask_for_view()
            if hello.mode == SyncMode.BLOCKED:
                break
            touched: frozenset[str] = yield to_local(SyncStore.store_view, hello, view, before)
            link.version, link.is_viewed = view.version, True
            yield ViewStored(hello, view, touched)
            changed |= touched
            heads = {head.project_id: head.seq for head in view.projects}
            channels = {head.project_id: head.channel for head in view.projects if not head.is_deleted}
            if channels == link.channels:
                break
            # The channel changed: a member left, or the log was closed over its gaps.
            link.checked -= {each for each, channel in channels.items() if link.channels.get(each) != channel}
            # Listen before pulling, so that no later change goes unnoticed; changes in between are found by another
            # look.
            yield to_team(Carrier.listen, tuple(channels.values()))
            link.channels = channels
        return changed, heads

    def _ask_for_view(self) -> Generator[Request, Any, tuple[Hello, TeamView]]:
        link = self._link
        if link.is_viewed and self.hello.server_time_ms - link.whole_at > WHOLE_EVERY_MS:
            link.forget()  # an owner's hello runs the server's postponed work
            yield from self.greet()
        try:
            answer = yield to_team(Carrier.view, link.device, since=link.version)
        except TeamDeviceUnknown:  # removed in the meantime, or a copy of this profile went on under its name
            link.forget()
            yield from self.greet()
            answer = yield to_team(Carrier.view, link.device, since=0)
        found: tuple[Hello, TeamView] = answer
        hello, view = found
        self._check(hello)
        link.hello = hello
        if view.is_whole:
            link.whole_at = hello.server_time_ms
        return hello, view

    def _check(self, hello: Hello) -> None:
        if self._workspace_id is not None and hello.workspace_id != self._workspace_id:
            raise OtherWorkspace

    def _run_turns(self, turns: ProjectTurns, only: frozenset[str] | None) -> Generator[Request, Any, None]:
        """Run turns of the projects, one after the other, until none needs another."""
        cursors = yield to_local(SyncStore.cursors)
        known = {cursor.project_id: cursor for cursor in cursors}
        self._link.broken = {of: error for of, error in self._link.broken.items() if of in known}
        waiting = deque(project for project in known if only is None or project in only)
        for project in waiting:
            turns.add(known[project])
        while True:
            for project in reversed(self._link.pop_written()):
                if project in known and project not in self._problems:
                    turns.wake(known[project])
                    _to_front(waiting, project)
            if not waiting:
                return
            project = waiting.popleft()
            try:
                is_unfinished = yield from turns.run(project)
            except (TeamUnreachable, TeamParked):
                raise
            except TeamError as error:
                self._problems[project] = error
                self._link.hello = None  # perhaps the server does not know this device any more
                continue
            problem = turns.problem(project)
            if problem is not None:
                self._problems.setdefault(project, problem)
            if is_unfinished:
                waiting.append(project)

    def _acknowledge(self, seqs: dict[str, int]) -> Generator[Request, Any, None]:
        news = {project: seq for project, seq in seqs.items() if seq and self._link.acknowledged.get(project) != seq}
        if news:
            yield to_team(Carrier.acknowledge, self._link.device, news)
            self._link.acknowledged.update(news)

    def _tend(self, projects: Iterable[str]) -> Generator[Request, Any, None]:
        """Clean up projects, about once a day: no process of the server does, so owners and admins do."""
        for project in projects:
            if project in self._problems:
                continue
            wanted: Tending | None = yield to_local(SyncStore.tending, project)
            if wanted is None:
                continue
            try:
                expired = yield to_team(Carrier.tidy, project, wanted.days)
            except TeamUnreachable:
                raise
            except TeamError:
                continue  # busy, or no admin any more: another day
            yield to_local(SyncStore.tended, project, expired)


def _to_front(waiting: deque[str], project: str) -> None:
    if project in waiting:
        waiting.remove(project)
    waiting.appendleft(project)
