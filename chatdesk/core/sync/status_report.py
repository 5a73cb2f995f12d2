"""Keeps the status of one workspace, and reports to a listener what differs: rounds, failures, progress."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.sharing.team import SyncPhase, SyncRound, SyncStatus, Workspace
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.sync.requests import RoundResult
from chatdesk.core.sync.round_status import settled_status
from chatdesk.core.sync.sync_listener import SyncListener


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

    def settle(self, result: RoundResult, *, is_deaf: bool, is_outdated: bool, ahead_ms: int) -> None:
        """Set the status after a round; see ``settled_status``."""
        waiting, refused = self._listener.count()
        settled = settled_status(
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
