"""Waits until a team's server has all local changes, for programs that end afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import ShareState, SyncPhase, SyncStatus
from chatdesk.core.sync.errors import TeamLimited
from chatdesk.core.sync.team_service import TeamService
from chatdesk.core.texts import Text

_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sending:
    """The progress of sending: the number of waiting and refused changes, and the obstacle, as a sentence."""

    waiting: int
    refused: int
    problem: str = ""

    @property
    def is_done(self) -> bool:
        return not self.waiting and not self.problem


async def wait_until_sent(
    team: TeamService, workspace_id: str, clock: Clock, *, projects: Iterable[str] = (), timeout_s: float
) -> Sending:
    """Sync a workspace until no change of these projects (or of all) waits to be sent and the others' changes have
    arrived. Returns early if trying again does not help, and after ``timeout_s``."""
    wanted = frozenset(projects)
    began = clock.now_ms()
    was_refused = team.status(workspace_id).phase is SyncPhase.REFUSED
    await team.start()
    team.sync_now(workspace_id)
    end_s = clock.monotonic_s() + timeout_s
    while True:
        status = team.status(workspace_id)
        shared = [
            each
            for each in await team.records.projects(workspace_id)
            if each.ended is None and (not wanted or each.project_id in wanted)
        ]
        waiting = sum(each.waiting for each in shared)
        refused = sum(each.refused for each in shared)
        is_entered = all(each.state is ShareState.SHARED for each in shared)
        has_round = status.synced_at is not None and status.synced_at >= began
        if has_round and is_entered and not waiting and status.phase is not SyncPhase.SYNCING:
            return Sending(0, refused)
        was_refused = was_refused and status.phase is SyncPhase.REFUSED
        is_tried = has_round or (status.phase is SyncPhase.REFUSED and not was_refused)
        if is_tried and _is_lasting(status):
            return Sending(waiting, refused, status.problem)
        if clock.monotonic_s() >= end_s:
            return Sending(
                waiting, refused, status.problem or Text("The team's server did not take everything in time.")
            )
        await asyncio.sleep(_LOOK_EVERY_S)


def _is_lasting(status: SyncStatus) -> bool:
    """Return whether the problem lasts until a person solves it, or until tomorrow."""
    limit = TeamLimited.from_sentence(status.problem)
    is_limited = limit is not None and limit.is_daily and status.waiting > 0
    return is_limited or status.phase in (SyncPhase.REFUSED, SyncPhase.READ_ONLY)
