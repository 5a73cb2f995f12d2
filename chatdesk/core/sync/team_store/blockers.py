"""Members whose open transaction has written something and blocks others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from chatdesk.core.domain.sharing.team import Blocker
from chatdesk.core.sync.errors import TeamBusy
from chatdesk.core.sync.invitations import shown_name
from chatdesk.core.sync.team_store.connection import Connection


def blockers(conn: Connection) -> tuple[Blocker, ...]:
    """Return the blocking members; the name is "" for those unknown to this login. The server ends transactions that
    are open far longer than any of ChatDesk's. Raises ``psycopg.Error``."""
    rows = conn.execute("SELECT o_member::text, o_name, o_seconds, o_is_ended FROM cd.blockers()").fetchall()
    return tuple(
        Blocker(
            member_id=None if row[0] is None else str(row[0]),
            name="" if row[1] is None else shown_name(row[1]),
            seconds=int(row[2]),
            is_ended=bool(row[3]),
        )
        for row in rows
    )


@contextmanager
def naming_blockers(conn: Connection) -> Iterator[None]:
    """Add the names of the blocking members to a ``TeamBusy`` that is raised inside."""
    try:
        yield
    except TeamBusy as busy:
        try:
            names = dict.fromkeys(each.name for each in blockers(conn) if each.name)
        except (psycopg.Error, TypeError, ValueError, IndexError):
            raise busy from None
        raise TeamBusy(tuple(names)) from busy
