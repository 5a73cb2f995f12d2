"""Closes connections to a team's database, which may be dead already."""

from __future__ import annotations

import logging

from chatdesk.core.sync.ports import TeamStore

_log = logging.getLogger(__name__)


def close_quietly(team: TeamStore | None) -> None:
    """Close a connection, if there is one. A failure is only logged, because the connection is gone either way."""
    if team is None:
        return
    try:
        team.close()
    except Exception as error:  # noqa: BLE001 - see above
        _log.info("closing a connection failed: %s", type(error).__name__)
