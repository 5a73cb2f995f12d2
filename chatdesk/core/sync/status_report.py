"""Keeps the status of one workspace, and reports its changes to a listener: rounds, failures, progress."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, Protocol

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.sharing.sync_wire import PresenceRow
from chatdesk.core.domain.sharing.team import SyncMode, SyncPhase, SyncRound, SyncStatus, Workspace
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.sync.requests import BatchPushed, PageApplied, RoundResult, ViewStored
from chatdesk.core.texts import Text, plural

# ``SyncStatus.code`` where this version may not even read.
CLIENT_TOO_OLD: Final = "team_client_too_old"
# From here on a person is told that a clock is wrong; nothing depends on it.
_WRONG_CLOCK_MS: Final = 5 * 60_000
_UPDATE: Final = Text("Update ChatDesk.")
_DEAF: Final = Text(
    "What others write comes up to half a minute late: the server's notifications do not arrive on this connection."
)
_DEAF_NEXT: Final = Text("Use the server's direct address, or a pooler in session mode: Settings, Team sync, Address.")
_TOO_OLD_TO_WRITE: Final = Text(
    "The team's database needs a newer ChatDesk to write to it; what you write waits on this computer."
)
_TOO_OLD_TO_READ: Final = Text("The team's database needs a newer ChatDesk.")


class SyncListener(Protocol):
    """The listener of a ``SyncWorker``. Called on the thread of sync; must be quick and must not raise. A protocol,
    because ``WorkspaceSync``, which implements it, imports the worker."""

    def on_status(self, status: SyncStatus) -> None: ...

    def on_view(self, notice: ViewStored) -> None: ...

    def on_page(self, notice: PageApplied, me: str) -> None:
        """React to a page that was applied. ``me``: this person's id as a member."""
        ...

    def on_pushed(self, notice: BatchPushed) -> None: ...

    def on_presence(self, rows: Iterable[PresenceRow], me: str) -> None: ...

    def on_round(self, line: SyncRound | None, result: RoundResult | None) -> None:
        """React to the end of a round. ``line``: its entry for the log; None if the round found nothing, because an
        idle day would push everything else out of the log. ``result``: None if the round failed."""
        ...

    def on_parked(self) -> None:
        """React to the end of sync, because the workspace has to be joined again."""
        ...

    def count(self) -> tuple[int, int]:
        """Return how many local changes the server does not have, and how many it refused. Raises ``StorageError``."""
        ...


class StatusReport:
    """Used by the thread of sync; any thread may read ``status``."""

    def __init__(self, workspace: Workspace, listener: SyncListener, clock: Clock) -> None:
        self.status = SyncStatus(workspace.id, SyncPhase.CONNECTING)
        self._workspace_id = workspace.id
        self._listener = listener
        self._clock = clock
        self._logged = ""

    def change(self, **changed: Any) -> None:
        """Set fields of the status by name."""
        self._publish(replace(self.status, **changed))

    def record_round(self, result: RoundResult, *, began_at: int, took_ms: int) -> None:
        """Log a round, if it did anything, and report it."""
        problem = result.problems[0][1].what if result.problems else ""
        line = None
        if problem or result.sent or result.received:
            line = SyncRound(began_at, self._workspace_id, result.sent, result.received, took_ms, problem)
            log_event(
                "sync.round",
                workspace=self._workspace_id,
                sent=result.sent,
                received=result.received,
                took_ms=took_ms,
                problems=len(result.problems) or None,
                reason=result.problems[0][1].code if result.problems else None,
            )
        self._listener.on_round(line, result)
        self._logged = ""

    def finish_round(self, result: RoundResult, *, is_deaf: bool, is_outdated: bool, ahead_ms: int) -> None:
        """Set the status after a round. ``is_deaf``: the server's notifications do not arrive; ``ahead_ms``: how far
        this computer's clock is ahead of the server's."""
        waiting, refused = self._listener.count()
        settled = _status_after(
            replace(self.status, waiting=waiting, refused=refused),
            result,
            now_ms=self._clock.now_ms(),
            is_deaf=is_deaf,
            is_outdated=is_outdated,
            ahead_ms=ahead_ms,
        )
        self._publish(settled)

    def fail(self, error: ChatDeskError) -> None:
        """Set the status after a failure that ended the connection."""
        is_passing = not isinstance(error, TeamError) or error.is_passing
        if error.what != self._logged:  # a night without a network is one line
            log_event("sync.stopped", workspace=self._workspace_id, reason=error.code)
            self._logged = error.what
            self._listener.on_round(SyncRound(self._clock.now_ms(), self._workspace_id, 0, 0, 0, error.what), None)
        self.change(
            phase=SyncPhase.OFFLINE if is_passing else SyncPhase.REFUSED,
            problem=error.what,
            next_step=error.next_step,
            code=error.code,
            done=None,
            total=None,
        )
        self.count_waiting()

    def count_waiting(self) -> None:
        """Count again what waits to be sent, if the profile can be read."""
        try:
            waiting, refused = self._listener.count()
        except ChatDeskError:
            return
        self.change(waiting=waiting, refused=refused)

    def _publish(self, status: SyncStatus) -> None:
        if status != self.status:
            self.status = status
            self._listener.on_status(status)


def _status_after(
    status: SyncStatus, result: RoundResult, *, now_ms: int, is_deaf: bool, is_outdated: bool, ahead_ms: int
) -> SyncStatus:
    settled = replace(
        status, next_try_at=None, done=None, total=None, synced_at=now_ms, code="", is_outdated=is_outdated
    )
    if result.mode == SyncMode.BLOCKED:
        return replace(
            settled,
            phase=SyncPhase.REFUSED,
            synced_at=status.synced_at,
            problem=_TOO_OLD_TO_READ,
            next_step=_UPDATE,
            code=CLIENT_TOO_OLD,
        )
    if result.problems:
        first = result.problems[0][1]
        phase = SyncPhase.SYNCED if first.is_passing else SyncPhase.REFUSED
        return replace(settled, phase=phase, problem=first.what, next_step=first.next_step, code=first.code)
    if result.mode == SyncMode.READ_ONLY:
        return replace(settled, phase=SyncPhase.READ_ONLY, problem=_TOO_OLD_TO_WRITE, next_step=_UPDATE)
    problem, next_step = (_DEAF, _DEAF_NEXT) if is_deaf else (_clock_problem(ahead_ms), "")
    return replace(settled, phase=SyncPhase.SYNCED, problem=problem, next_step=next_step)


def _clock_problem(ahead_ms: int) -> str:
    """Return a sentence if this computer's clock is wrong: sync works, but other programs may not."""
    if abs(ahead_ms) < _WRONG_CLOCK_MS:
        return ""
    span = _span(abs(ahead_ms))
    if ahead_ms > 0:
        return Text("This computer's clock is {span} ahead of the team's. Nothing is lost by that.", span=span)
    return Text("This computer's clock is {span} behind the team's. Nothing is lost by that.", span=span)


def _span(milliseconds: int) -> str:
    """Return a time in days, hours or minutes, whichever is the largest."""
    minutes = milliseconds // 60_000
    if minutes >= 24 * 60:
        return plural("{count} days", "{count} day", round(minutes / (24 * 60)))
    if minutes >= 60:
        return plural("{count} hours", "{count} hour", round(minutes / 60))
    if minutes >= 1:
        return plural("{count} minutes", "{count} minute", minutes)
    return Text("a moment")
