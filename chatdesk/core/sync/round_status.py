"""Words the status of a workspace after a round of sync."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatdesk.core.domain.sharing.team import SyncMode, SyncPhase, SyncStatus
from chatdesk.core.sync.requests import RoundResult
from chatdesk.core.texts import Text, plural

#: ``SyncStatus.code`` where this version may not even read.
CLIENT_TOO_OLD: Final = "team_client_too_old"
#: From here on a person is told that a clock is wrong; nothing depends on it.
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


def settled_status(
    status: SyncStatus, result: RoundResult, *, now_ms: int, is_deaf: bool, is_outdated: bool, ahead_ms: int
) -> SyncStatus:
    """Return the status after a round. ``is_deaf``: the server's notifications do not arrive; ``ahead_ms``: how far
    this computer's clock is ahead of the server's."""
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
