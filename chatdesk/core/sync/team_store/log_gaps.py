"""Reads which rows the logs at a team's PostgreSQL have lost, and accepts the loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from chatdesk.core.domain.sharing.lost_changes import LostRange
from chatdesk.core.sync.team_store.statements import Statements

_MOST_RANGES: Final = 100_000
# Closing a log over its gaps rewrites all that follows: some ten thousand changes in a second.
_LONGEST: Final = "SET statement_timeout = '15min'"


class LogGaps:
    """The gaps in the logs of projects; ``PostgresTeamStore.gaps`` exposes it. Raises ``TeamError``."""

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
        others are missing by now."""
        self._statements.rows(_LONGEST)
        named = json.dumps([[each.first, each.last] for each in ranges])
        self._statements.rows("SELECT cd.accept_loss(%s, %s::jsonb)", project_id, named)
