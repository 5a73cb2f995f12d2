"""Defines the requests and notices that a round (``round``) yields, and the state of a connection between rounds."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeAlias

from chatdesk.core.domain.sharing.sync_results import Applied, PushOutcome
from chatdesk.core.domain.sharing.sync_wire import Hello, TeamView
from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.errors import TeamError

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class ToLocal:
    """A call of a method of the ``SyncStore``. Its result is sent into the round, its exception is thrown into it."""

    method: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToTeam:
    """A call of a method of the ``Carrier``, answered like ``ToLocal``."""

    method: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def to_local(method: Callable[Concatenate[SyncStore, P], Any], *args: P.args, **options: P.kwargs) -> ToLocal:
    """Return the call of a method of the port, whose arguments are checked as those of the method."""
    return ToLocal(method.__name__, args, options)


def to_team(method: Callable[Concatenate[Carrier, P], Any], *args: P.args, **options: P.kwargs) -> ToTeam:
    """Return the call of a method of the port, whose arguments are checked as those of the method."""
    return ToTeam(method.__name__, args, options)


@dataclass(frozen=True, slots=True)
class ViewStored:
    """Notice: members, devices and roles were stored; ``changed`` projects were added or ended."""

    hello: Hello
    view: TeamView
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class PageApplied:
    """Notice: a page of a project was applied. ``done`` of ``total`` rows of this round, over all projects; ``total``
    grows when more is written in the meantime."""

    project_id: str
    applied: Applied
    seq: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class BatchPushed:
    """Notice: the server answered a push. ``sent`` rows were new or known to it."""

    project_id: str
    outcome: PushOutcome
    sent: int


Notice: TypeAlias = ViewStored | PageApplied | BatchPushed
Request: TypeAlias = ToLocal | ToTeam | Notice


class Link:
    """The state of one connection to a team's database, kept from round to round; a new connection needs a new one.
    ``hello`` is None until it was answered."""

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.device = ""
        self.is_viewed = False
        self.checked: set[str] = set()
        self.channels: dict[str, str] = {}  # by project
        self.broken: dict[str, TeamError] = {}  # projects of which the server's log does not fit
        # The number of the last change of each device that was pulled, by project.
        self.numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.acknowledged: dict[str, int] = {}  # the sequence number that the server was last sent, by project
        self.pulled: dict[str, int] = {}  # the number of the last change pulled, by project
        self.version = 0  # the version of the list of members
        self.whole_at = 0  # the time of the last full request, by the server's clock
        self._written: deque[str] = deque()

    def record_written(self, projects: Iterable[str]) -> None:
        """Record that these projects were written, so that they need not wait for the end of a long pull. Safe to call
        from any thread."""
        self._written.extend(projects)

    def news_of(self, changes: Mapping[str, int]) -> set[str] | None:
        """Return the projects with new changes, by their channels; None if all that was named has been pulled already,
        as often when several people write at once."""
        projects = {channel: project for project, channel in self.channels.items()}
        news = [
            channel for channel, seq in changes.items() if not 0 < seq <= self.pulled.get(projects.get(channel, ""), 0)
        ]
        return {projects[channel] for channel in news if channel in projects} if news else None

    def pop_written(self) -> list[str]:
        """Return the projects that were written since the last call, each once, in order."""
        found: dict[str, None] = {}
        while self._written:
            found[self._written.popleft()] = None
        return list(found)

    def forget(self) -> None:
        """Require a new ``hello``."""
        self.hello = None
        self.version = 0
        self.acknowledged.clear()


@dataclass(frozen=True, slots=True)
class RoundResult:
    """The result of a round. ``is_drained``: everything that the server had was applied, and it has everything that may
    be pushed. ``problems``: errors of single projects, the first first."""

    mode: str
    sent: int = 0
    received: int = 0
    refused: int = 0
    changed_projects: frozenset[str] = frozenset()
    problems: tuple[tuple[str, TeamError], ...] = ()
    is_drained: bool = False
