"""Reads which rows the logs at a team's PostgreSQL have lost, and accepts the loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from chatdesk.core.domain.sharing.lost_changes import LostRange
from chatdesk.core.sync.errors import TeamError, TeamLossChanged
from chatdesk.core.sync.team_store.statements import Statements
from chatdesk.core.texts import Text

_MOST_RANGES: Final = 100_000
# Closing a log over its gaps rewrites all changes behind them. This many at a time take less than a second, so that
# other writers of the project wait no longer.
_REWRITTEN_AT_ONCE: Final = 5_000
_MOST_STEPS: Final = 10_000  # a bound for a server that never finishes
_GO_ON: Final = Text(
    "Check against the server again, and accept what is missing then. The log was closed up to there already, and no"
    " change was lost by that."
)


class LogGaps:
    """The gaps in the logs of projects; ``TeamStore.gaps`` exposes it. Raises ``TeamError``."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of(self, project_id: str) -> tuple[LostRange, ...]:
        """Return the numbers that are missing in a project's log, in order."""
        rows = self._statements.page(
            "SELECT first, last, taken_after, taken_before FROM cd.missing WHERE project_id = %s"
            " ORDER BY first LIMIT %s",
            project_id,
            _MOST_RANGES,
            most_rows=_MOST_RANGES,
        )
        return tuple(LostRange(*row) for row in rows)

    def accept(self, project_id: str, ranges: Sequence[LostRange]) -> None:
        """Let a project go on without exactly these changes; allowed to owners only. Raises ``TeamLossChanged`` where
        others are missing by now. An error after the first step says that a part was done."""
        missing: Sequence[Sequence[int]] = [[each.first, each.last] for each in ranges]
        is_begun = False
        try:
            for _ in range(_MOST_STEPS):
                left = self._statements.value(
                    "SELECT cd.accept_loss(%s, %s::jsonb, %s)", project_id, json.dumps(missing), _REWRITTEN_AT_ONCE
                )
                if left is None:
                    return
                is_begun = True
                # The rest must be the same changes, further up: the owner's consent covers no others.
                if not _are_further_up(left, missing):
                    break
                missing = left
            raise TeamLossChanged
        except TeamError as error:
            if is_begun:
                error.next_step = _GO_ON
            raise


def _are_further_up(left: Any, before: Sequence[Sequence[int]]) -> bool:
    """Return whether a server names as many changes as before, and the first of them further up."""
    try:
        counts = [sum(last - first + 1 for first, last in ranges) for ranges in (left, before)]
        return counts[0] == counts[1] and bool(left[0][0] > before[0][0])
    except (TypeError, ValueError, IndexError, KeyError):
        return False
