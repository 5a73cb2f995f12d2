"""Runs statements on a connection to a team's PostgreSQL, whose answers may be hostile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chatdesk.core.domain.sharing.sync_wire import PULL_BYTES
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.administration import naming_blockers
from chatdesk.core.sync.team_store.connection import Connection
from chatdesk.core.sync.team_store.failures import our_errors

# The most that is read of any answer.
_MOST_BYTES: Final = 4 * PULL_BYTES
_ROWS_AT_ONCE: Final = 100
_SIZED: Final = frozenset((str, bytes))


class Statements:
    """Runs statements; all raise ``TeamError``. ``abort`` breaks the connection off."""

    def __init__(self, conn: Connection, abort: Callable[[], None]) -> None:
        self._conn = conn
        self._abort = abort

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        with naming_blockers(self._conn), our_errors(), self._conn.cursor() as cursor:
            cursor.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description is not None else []

    def page(self, query: str, *values: Any, most_rows: int) -> list[tuple[Any, ...]]:
        """Return rows as they stream in, up to a limit: a hostile server could send until memory is full."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        with our_errors(), self._conn.cursor() as cursor:
            for row in cursor.stream(query.encode(), values or None, size=_ROWS_AT_ONCE):
                rows.append(row)
                for each in row:
                    if type(each) in _SIZED:
                        size += len(each)
                if len(rows) > most_rows or size > _MOST_BYTES:
                    self._abort()  # else the rest of the answer would still be read
                    raise errors.TeamUnreachable
        return rows

    def value(self, query: str, *values: Any) -> Any:
        """Return the first value of the first row."""
        return self.rows(query, *values)[0][0]
