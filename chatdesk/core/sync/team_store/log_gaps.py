"""Reads which rows the logs at a team's PostgreSQL have lost, and accepts the loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from chatdesk.core.domain.sharing.lost_changes import LostRange
from chatdesk.core.sync.team_store.statements import Statements

_MOST_RANGES: Final = 100_000
# Closing a log over its gaps rewrites all that follows. This many changes at a time, less than a second each, so that
# whoever writes in the project meanwhile waits no longer.
_REWRITTEN_AT_ONCE: Final = 5_000


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
        missing: object = [[each.first, each.last] for each in ranges]
        while missing is not None:
            missing = self._statements.value(
                "SELECT cd.accept_loss(%s, %s::jsonb, %s)", project_id, json.dumps(missing), _REWRITTEN_AT_ONCE
            )
