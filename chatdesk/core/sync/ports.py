"""The interfaces that a round of sync needs: this profile's database and the team's.

Every method is one transaction, blocks (but for ``start_apply``), and is called from the thread of sync; an exception
ends the round. The round itself (``round``) knows neither SQL nor the network, so that a simulation can replace both
sides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor, PushOutcome, ShareMark, Tending
from chatdesk.core.domain.sharing.sync_wire import (
    Hello,
    PresenceRow,
    PulledChange,
    PushResult,
    TeamView,
    WireChange,
)
from chatdesk.core.domain.sharing.team import Misfit

__all__ = [
    "Applied",
    "Cursor",
    "FileChunks",
    "LocalStore",
    "Notifications",
    "PendingApply",
    "PulledPage",
    "PushOutcome",
    "TeamStore",
    "Tending",
]


@dataclass(frozen=True, slots=True)
class Notifications:
    """Notifications that arrived, by channel. ``changes``: channels with new changes (``c:…``) and the highest sequence
    number that was named, or 0 if any was about something else. ``presence``: channels where presence changed (``p``).
    ``people_at``: the earliest time that was named at which people or roles changed (``v:…``), in units of
    ``TeamView.version``. All are only hints, which anybody with a login can send."""

    changes: Mapping[str, int] = field(default_factory=dict)
    presence: frozenset[str] = frozenset()
    people_at: int | None = None


class PulledPage(Protocol):
    """Rows of a pull, parsed for being applied."""

    @property
    def pulled(self) -> Sequence[PulledChange]:
        """Return the changes in commit order (ascending ``seq``)."""
        ...


# A page that is being applied. Calling it waits for the result.
PendingApply: TypeAlias = Callable[[], Applied]


class LocalStore(Protocol):
    """The interface to this profile's database. Raises ``StorageError``."""

    def device(self) -> str:
        """Return the id of the device that changes are made under now; empty if the workspace is not to be connected
        to until the person joins it again."""
        ...

    def cursors(self) -> list[Cursor]:
        """Return the cursors of the workspace's shared projects, the most recently used first."""
        ...

    def shares(self) -> dict[str, ShareMark]:
        """Return every project that is or was shared with a team, by id; read before a view is requested."""
        ...

    def store_view(self, hello: Hello, view: TeamView, before: Mapping[str, ShareMark]) -> frozenset[str]:
        """Store members, devices and roles; add new projects, end those that are gone. Returns the ids of projects that
        were added or ended. ``before``: what ``shares`` returned before the view was requested. A project whose share
        began or ended here since is left alone: the view may be older than that."""
        ...

    def share_step(self, project_id: str) -> bool:
        """Write the next batch of a project's earlier content into the log. Returns whether more is left."""
        ...

    def pending(self, project_id: str, *, max_rows: int, max_bytes: int) -> list[WireChange]:
        """Return the next changes to push, by ``dseq``; at least one if there is any, however large."""
        ...

    def record_push_results(self, project_id: str, results: Sequence[PushResult]) -> PushOutcome:
        """Record the server's results of a push: accepted changes are acknowledged (and get its stamp), refused ones
        are kept as refused."""
        ...

    def read_page(self, rows: Sequence[PulledChange]) -> PulledPage:
        """Parse pulled rows for ``start_apply``; changes nothing. Never raises: rows are hostile input."""
        ...

    def start_apply(
        self, project_id: str, page: Any, *, after: Cursor, erased: Collection[str] | None = None
    ) -> PendingApply:
        """Start to apply a page of ``read_page`` that follows ``after`` without a gap, and to move the cursor, in one
        transaction. It continues while this thread does something else, and ends even if nobody waits for it.
        Rows from the first that does not fit are left out. ``erased``: the placeholders that ``TeamStore.erased``
        returned; others do not fit."""
        ...

    def finish_apply(self, applying: PendingApply) -> Applied:
        """Wait until a page is applied. Raises ``HistoryChanged``, with nothing applied, if its first row
        contradicts the local log."""
        ...

    def record_misfit(self, project_id: str, misfit: Misfit | None) -> str:
        """Record the misfit of a project's log at the server, and since when; None: all of it fits. Returns the
        sentence that says so."""
        ...

    def make_places(self, project_id: str) -> Applied | None:
        """Show, when everything was pulled, what hangs below something that is not in the log. Returns None if there is
        nothing."""
        ...

    def requeue_lost(self, project_id: str) -> int:
        """Queue again the changes that were acknowledged but missing although everything was pulled. Returns how
        many."""
        ...

    def start_over(self, project_id: str) -> None:
        """Start a project over, because the server's history is another one: this member's changes become pending,
        others' orphaned, the cursor 0."""
        ...

    def tending(self, project_id: str) -> Tending | None:
        """Return the clean-up of a project that this person's computer is to request today, or None."""
        ...

    def tended(self, project_id: str, expired: Sequence[tuple[str, str]]) -> None:
        """Record that the server cleaned a project up. ``expired``: the changes that are older than it keeps, as
        (thread, change)."""
        ...

    def park(self) -> None:
        """Leave the device to a copy of this profile: no workspace is connected to until the person joins it again."""
        ...


class FileChunks(Protocol):
    """The interface to the attached files at a team's database, for each project by SHA-256. Raises ``TeamError``."""

    def have(self, project_id: str, sha256: str) -> set[int]:
        """Return the numbers of the chunks that the server has."""
        ...

    def put(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None: ...

    def get(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        """Return how many chunks the file has, and the bytes of this one; None if the server does not have it."""
        ...

    def discard_broken(self, project_id: str, sha256: str) -> bool:
        """Remove a file whose chunks are complete and do not match its SHA-256. Returns whether it was removed."""
        ...


class TeamStore(Protocol):
    """The interface to the team's database: one connection to its Postgres. Raises ``TeamError`` (``sync/errors``)."""

    def hello(self, device: str, *, name: str, version: str) -> Hello: ...

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        """Return the same as ``hello``, and what changed of people since ``TeamView.version`` was ``since``; 0 returns
        everything. The view is empty if this ChatDesk is too old even to read."""
        ...

    @property
    def is_deaf(self) -> bool:
        """Return whether notifications do not arrive, not even one's own: poolers between here and the server can cause
        this."""
        ...

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        """Return the chain hash up to one change; None if the server has no such change."""
        ...

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]: ...

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]: ...

    def erased(self, project_id: str, change_ids: Sequence[str]) -> set[str]:
        """Return those of these emptied changes whose words an erasure in the log took, or that newer values
        replaced."""
        ...

    def poke(self, project_id: str) -> None:
        """Notify listeners that something was pushed; only a hint."""
        ...

    def tidy(self, project_id: str, days: int | None) -> list[tuple[str, str]]:
        """Remove rows that nothing needs any more. Returns the changes that are older than ``days``, as (thread,
        change)."""
        ...

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        """Report how far this device has pulled, by project; used for cleaning up only."""
        ...

    @property
    def chunks(self) -> FileChunks:
        """The attached files of the workspace's projects."""
        ...

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None: ...

    def presence(self) -> list[PresenceRow]: ...

    def listen(self, channels: Sequence[str]) -> None:
        """Listen on exactly these channels."""
        ...

    def wait(self, timeout_s: float) -> Notifications:
        """Return the notifications as soon as there are any; empty when woken or after ``timeout_s``."""
        ...

    def wake(self) -> None:
        """End the current ``wait``, or the next one if there is none. Safe to call from any thread."""
        ...

    def abort(self) -> None:
        """Make the current call and all that follow fail at once. Safe to call from any thread."""
        ...

    def close(self) -> None: ...
