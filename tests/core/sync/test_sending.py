"""Whoever waits for a team's server waits only for what can still come by itself."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chatdesk.core.domain.sharing.team import SharedProject, ShareState, SyncPhase, SyncStatus, TeamRole
from chatdesk.core.sync.errors import TeamLimited
from chatdesk.core.sync.sending import Sending, wait_until_sent

OFF = SyncStatus("w", SyncPhase.OFF)
CONNECTING = SyncStatus("w", SyncPhase.CONNECTING)
REFUSED = SyncStatus("w", SyncPhase.REFUSED, problem="The login was closed.")
SYNCED = SyncStatus("w", SyncPhase.SYNCED, synced_at=1_000)


class _Clock:
    """A second passes at each look."""

    def __init__(self) -> None:
        self._s = 0

    def now_ms(self) -> int:
        return 1_000

    def monotonic_s(self) -> float:
        self._s += 1
        return self._s


class _Team:
    """Has one status after the other, and keeps the last."""

    def __init__(self, *statuses: SyncStatus, waiting: int) -> None:
        self._statuses = list(statuses)
        self._waiting = waiting
        self.records = SimpleNamespace(projects=self._projects)

    def status(self, _workspace_id: str) -> SyncStatus:
        return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]

    async def start(self) -> None:
        pass

    def sync_now(self, _workspace_id: str) -> None:
        pass

    async def _projects(self, _workspace_id: str | None = None) -> list[SharedProject]:
        return [SharedProject("p", "w", TeamRole.EDITOR, ShareState.SHARED, waiting=self._waiting)]


async def _sent(*statuses: SyncStatus, waiting: int = 2, timeout_s: float = 5) -> tuple[Sending, bool]:
    """Return what came of it, and whether the time was used up."""
    team: Any = _Team(*statuses, waiting=waiting)
    clock = _Clock()
    sending = await wait_until_sent(team, "w", clock, timeout_s=timeout_s)
    return sending, clock.monotonic_s() > timeout_s


async def test_it_ends_with_a_round_after_which_nothing_waits() -> None:
    assert await _sent(OFF, CONNECTING, SYNCED, waiting=0) == (Sending(0, 0), False)


async def test_a_login_that_is_refused_is_told_at_once() -> None:
    assert await _sent(OFF, CONNECTING, REFUSED) == (Sending(2, 0, REFUSED.problem), False)


async def test_a_refusal_of_before_is_tried_again() -> None:
    assert await _sent(REFUSED, REFUSED, CONNECTING, REFUSED) == (Sending(2, 0, REFUSED.problem), False)
    assert (await _sent(REFUSED))[1], "nothing was tried: it may still come"


@pytest.mark.parametrize("limit", ["bytes_each", "bytes_project", "file_bytes_each", "file_bytes_project"])
async def test_a_limit_that_holds_for_the_day_is_told_at_once(limit: str) -> None:
    problem = TeamLimited(limit).what
    limited = replace(SYNCED, waiting=2, problem=problem, code=TeamLimited.code)
    assert await _sent(OFF, CONNECTING, limited) == (Sending(2, 0, problem), False)


async def test_a_limit_that_is_over_in_a_minute_is_waited_for() -> None:
    problem = TeamLimited("changes_each_minute").what
    limited = replace(SYNCED, waiting=2, problem=problem, code=TeamLimited.code)
    assert await _sent(OFF, CONNECTING, limited) == (Sending(2, 0, problem), True)
