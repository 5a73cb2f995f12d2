"""One round of one workspace: everything that is to be said and heard now, as a generator without I/O.

It yields calls to either side (``ToLocal``, ``ToTeam``) and is sent what they return, or thrown what they raise; and
it yields notices, to which nothing is answered. Dropping it between any two is the same as a crash: all that must last
is in the two stores. Projects take turns of a few calls each, in which sending comes first, so that neither a long
first pull nor a large project makes a person's words wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any

from chatdesk.core.domain.sync_wire import PULL_ROWS, Hello, TeamView
from chatdesk.core.domain.team import SyncMode
from chatdesk.core.sync.errors import (
    OtherWorkspace,
    TeamDeviceUnknown,
    TeamError,
    TeamServerTooNew,
    TeamUnreachable,
)
from chatdesk.core.sync.ports import LocalStore, TeamStore
from chatdesk.core.sync.project_turn import ProjectTurns
from chatdesk.core.sync.requests import Forked, Link, Notice, Request, RoundResult, ToLocal, ToTeam, ViewTaken

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
    """``name`` and ``version``: of this device. ``is_fresh``: ask who is in the team and which projects there are,
    which the first round of a connection always does. ``only``: these projects, for a quick round after a notification
    or a local write; what ``Link.written`` names comes in any case. ``pull_rows``: how large a page is.

    Raises ``TeamUnreachable`` and ``StorageError``, ``OtherWorkspace`` if the database is not that of
    ``workspace_id``; what a single project runs into is told in the result, and the others go on.
    """
    return (
        yield from _Round(link, name=name, version=version, workspace_id=workspace_id, pull_rows=pull_rows).run(
            is_fresh, None if only is None else frozenset(only)
        )
    )


def perform(request: Request, local: LocalStore, team: TeamStore) -> Any:
    """Make the call that a round asks for. A notice is not one, and gives None."""
    if isinstance(request, ToLocal):
        return getattr(local, request.method)(*request.args, **request.options)
    if isinstance(request, ToTeam):
        return getattr(team, request.method)(*request.args, **request.options)
    return None


def drive(
    steps: Generator[Request, Any, RoundResult],
    local: LocalStore,
    team: TeamStore,
    *,
    tell: Callable[[Notice], None] | None = None,
) -> RoundResult:
    """The whole round, in this thread."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            request = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            result: RoundResult = end.value
            return result
        answer = error = None
        if tell is not None and not isinstance(request, ToLocal | ToTeam):
            tell(request)
        try:
            answer = perform(request, local, team)
        except Exception as caught:  # noqa: BLE001 - the round decides what it means
            error = caught


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
        if is_fresh:
            link.hello = None  # what it said is of then: the time, names, what this person and this version may do
        yield from self.greet()
        hello = self.hello
        if hello.mode == SyncMode.BLOCKED:
            return RoundResult(hello.mode)
        changed: frozenset[str] = frozenset()
        heads: dict[str, int] = {}
        if is_fresh or not link.is_viewed:
            changed, heads = yield from self._view(hello)
        turns = ProjectTurns(
            link, self.greet, heads=heads, may_write=hello.mode == SyncMode.READ_WRITE, pull_rows=self._pull_rows
        )
        yield from self._take_turns(turns, only)
        if any(isinstance(problem, TeamServerTooNew) for problem in self._problems.values()):
            # Upgraded just now: hello says what this version may still do, and that is no trouble of single projects.
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
        return replace(
            turns.result(hello.mode),
            changed_projects=changed,
            problems=tuple(self._problems.items()),
            is_drained=turns.is_drained and not self._problems,
        )

    @property
    def hello(self) -> Hello:
        if self._link.hello is None:
            raise RuntimeError(_NO_HELLO)
        return self._link.hello

    def greet(self) -> Generator[Request, Any, None]:
        """Say hello, if this connection does not know this device yet."""
        link = self._link
        device: str = yield ToLocal("device")
        if link.hello is not None and link.device == device:
            return
        link.forget()
        says = {"name": self._name, "version": self._version}
        try:
            hello: Hello = yield ToTeam("hello", (device,), says)
        except TeamDeviceUnknown:
            # Another member's: this person's own before they were removed and invited again, or a colleague's whose
            # profile was copied.
            device = yield ToLocal("fork")
            yield Forked(device)
            hello = yield ToTeam("hello", (device,), says)
        if self._workspace_id is not None and hello.workspace_id != self._workspace_id:
            raise OtherWorkspace
        link.device = device
        link.hello = hello

    def _view(self, hello: Hello) -> Generator[Request, Any, tuple[frozenset[str], dict[str, int]]]:
        view: TeamView = yield ToTeam("view")
        changed: frozenset[str] = yield ToLocal("take_view", (hello, view))
        yield ViewTaken(hello, view, changed)
        self._link.is_viewed = True
        channels = {head.project_id: head.channel for head in view.projects if not head.is_deleted}
        if channels != self._link.channels:
            # Before anything is pulled, so that nothing that comes later goes unheard.
            yield ToTeam("listen", (tuple(channels.values()),))
            self._link.channels = channels
            view = yield ToTeam("view")
        return changed, {head.project_id: head.seq for head in view.projects}

    def _take_turns(self, turns: ProjectTurns, only: frozenset[str] | None) -> Generator[Request, Any, None]:
        cursors = yield ToLocal("cursors")
        known = {cursor.project_id: cursor for cursor in cursors}
        waiting = deque(project for project in known if only is None or project in only)
        for project in waiting:
            turns.begin(known[project])
        while True:
            for project in reversed(self._link.take_written()):
                if project in known and project not in self._problems:
                    turns.wake(known[project])
                    _to_front(waiting, project)
            if not waiting:
                return
            project = waiting.popleft()
            try:
                is_unfinished = yield from turns.take(project)
            except TeamUnreachable:
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
        news = {project: seq for project, seq in seqs.items() if seq and self._link.told.get(project) != seq}
        if news:
            yield ToTeam("acknowledge", (self._link.device, news))
            self._link.told.update(news)


def _to_front(waiting: deque[str], project: str) -> None:
    if project in waiting:
        waiting.remove(project)
    waiting.appendleft(project)
