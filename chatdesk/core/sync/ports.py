"""What a round of sync needs of both sides: this profile's database and the team's.

Every method is one transaction, blocks (but for ``begin_apply``), and is called from the thread of sync; what it raises
ends the round. The round itself (``round``) knows neither SQL nor the network, so that a simulation can put anything in
their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor, Settled, ShareMark, Tending
from chatdesk.core.domain.sharing.sync_wire import (
    Hello,
    PresenceRow,
    PulledChange,
    PushResult,
    RelayedChange,
    TeamView,
    WireChange,
)

__all__ = ["Applied", "Cursor", "Heard", "LocalStore", "PulledPage", "Settled", "Taking", "TeamStore", "Tending"]


@dataclass(frozen=True, slots=True)
class Heard:
    """Channels on which something was said: of new changes (``c:…``), with the newest number that was named, or 0 where
    it was about something else, too; of who is there (``p``). ``people_at``: the earliest moment that was named at
    which people or roles changed (``v:…``), as ``TeamView.version`` counts. Only hints, which anybody with a login
    can send."""

    changes: Mapping[str, int] = field(default_factory=dict)
    presence: frozenset[str] = frozenset()
    people_at: int | None = None


class PulledPage(Protocol):
    """Rows of a pull that were read for being taken over."""

    @property
    def pulled(self) -> Sequence[PulledChange]:
        """As they came."""
        ...


#: A page that is being taken over: waits for its end.
Taking: TypeAlias = Callable[[], Applied]


class LocalStore(Protocol):
    """This profile's side. Raises ``StorageError``."""

    def device(self) -> str:
        """The id under which changes are made now."""
        ...

    def cursors(self) -> list[Cursor]:
        """The shared projects of the workspace, those that were used last first."""
        ...

    def shares(self) -> dict[str, ShareMark]:
        """Every project that is or was shared with a team, by id; read before a view is asked for."""
        ...

    def take_view(self, hello: Hello, view: TeamView, before: Mapping[str, ShareMark]) -> frozenset[str]:
        """Keep members, devices and roles; take up projects that are new, end those that are gone. Returns the ids of
        projects that were taken up or ended. ``before``: what ``shares`` returned before the view was asked for. A
        project whose share began or ended here since is left alone: the view may be older than that."""
        ...

    def share_step(self, project_id: str) -> bool:
        """Enter some more of what was there before a project was shared into the log; whether there is more."""
        ...

    def pending(self, project_id: str, *, max_rows: int, max_bytes: int) -> list[WireChange]:
        """The next changes to push, by ``dseq``; at least one if there is any, however large."""
        ...

    def settle(self, project_id: str, results: Sequence[PushResult]) -> Settled:
        """Take the server's word: taken changes are acknowledged (and adopt its stamp), refused ones kept as such."""
        ...

    def read_page(self, rows: Sequence[PulledChange]) -> PulledPage:
        """Read pulled rows for ``begin_apply``, which changes nothing. Never raises: rows are hostile input."""
        ...

    def begin_apply(self, project_id: str, page: Any, *, after: Cursor, is_damaged: bool = False) -> Taking:
        """Begin to take over a page of ``read_page`` that follows ``after`` without a gap, and to move the cursor, in
        one transaction: it goes on while this thread does something else, and ends also where nobody waits for it.
        ``is_damaged``: gaps are noted, and what is there is taken over."""
        ...

    def end_apply(self, taking: Taking) -> Applied:
        """Wait until a page is taken over. Raises ``HistoryChanged`` where numbers or chain did not fit, and then
        nothing of it was."""
        ...

    def requeue_lost(self, project_id: str) -> int:
        """Changes that were acknowledged and did not come although everything was pulled: pending again."""
        ...

    def begin_again(self, project_id: str) -> None:
        """The server's history is another one: own changes are pending, others' orphaned, the cursor is at 0."""
        ...

    def lost_by_server(self, project_id: str, *, limit: int) -> list[RelayedChange]:
        """Others' changes that are still orphaned when everything was pulled."""
        ...

    def settle_relayed(self, project_id: str, results: Sequence[PushResult]) -> None: ...

    def tending(self, project_id: str) -> Tending | None:
        """What this person is to do for a project today, if anything."""
        ...

    def tended(self, project_id: str, expired: Sequence[tuple[str, str]]) -> None:
        """The server tidied a project up; of these, as (thread, change), the time is over."""
        ...

    def fork(self) -> str:
        """Become another device: what is not confirmed is numbered anew under its id, which is returned."""
        ...


class TeamStore(Protocol):
    """The team's side: one connection to its Postgres. Raises ``TeamError`` (``sync/errors``)."""

    def hello(self, device: str, *, name: str, version: str) -> Hello: ...

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        """How things stand now, as ``hello`` says it, and what changed of people since ``TeamView.version`` was
        ``since``; 0: everything. Where this version may not even read, the view is empty."""
        ...

    @property
    def is_deaf(self) -> bool:
        """Whether notifications do not arrive, not even one's own: something between here and the server keeps no
        connection for one client, as poolers do."""
        ...

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        """The chain up to one change; None where the server has no such change."""
        ...

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]: ...

    def relay(self, project_id: str, device: str, changes: Sequence[RelayedChange]) -> list[PushResult]: ...

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]: ...

    def poke(self, project_id: str) -> None:
        """Tell listeners that something was pushed; only a hint."""
        ...

    def tidy(self, project_id: str, days: int | None) -> list[tuple[str, str]]:
        """Remove what nothing needs any more. Returns, as (thread, change), what is older than this many days."""
        ...

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        """Tell how far this device has pulled; for clearing up only."""
        ...

    def have_chunks(self, project_id: str, sha256: str) -> set[int]: ...

    def put_chunk(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None: ...

    def get_chunk(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        """(how many there are, these bytes)."""
        ...

    def discard_broken_file(self, project_id: str, sha256: str) -> bool:
        """Remove a file whose pieces are all there and do not make up its sum; whether it was one."""
        ...

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None: ...

    def presence(self) -> list[PresenceRow]: ...

    def listen(self, channels: Sequence[str]) -> None:
        """Listen on exactly these."""
        ...

    def wait(self, timeout_s: float) -> Heard:
        """What was heard on which channels, as soon as there is anything; nothing when woken or when time is up."""
        ...

    def wake(self) -> None:
        """End ``wait``, or the next one if there is none; from any thread."""
        ...

    def abort(self) -> None:
        """Let whatever is under way, and all that follows, fail at once; from any thread."""
        ...

    def close(self) -> None: ...
