"""Starts and ends the shares of projects at a team's PostgreSQL."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.sharing.sync_wire import ProjectHead
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.statements import Statements

_HEAD: Final = (
    "SELECT j.id::text, p.role, j.channel, h.seq, j.deleted_at IS NOT NULL, j.created_by = p.member_id"
    " FROM cd.project j"
    " JOIN cd.project_head h ON h.project_id = j.id"
    " JOIN cd.project_member p ON p.project_id = j.id AND p.member_id = (SELECT cd.me()) WHERE j.id = %s"
)


class ProjectShares:
    """Starts and ends shares on the server; ``TeamStore.shares`` exposes it. All methods raise
    ``TeamError``."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def create(self, project_id: str) -> ProjectHead:
        """Share a project, with this member as its owner. Repeating it changes nothing; for a project that others
        shared with this member, it returns its present state."""
        try:
            self._statements.rows("SELECT cd.create_project(%s)", project_id)
        except errors.TeamTaken:
            found = self._statements.rows(f"{_HEAD} AND p.role IS NOT NULL AND j.deleted_at IS NULL", project_id)
            if not found:
                raise
            return ProjectHead(*found[0])
        return ProjectHead(*self._statements.rows(_HEAD, project_id)[0])

    def end(self, project_id: str) -> None:
        """End the share for everybody; allowed to owners only."""
        self._statements.rows("SELECT cd.end_project(%s)", project_id)

    def erase(self, project_id: str) -> None:
        """End the share for everybody and erase the project from the server; allowed to owners only."""
        self._statements.rows("SELECT cd.erase_project(%s)", project_id)

    def leave(self, project_id: str) -> None:
        """End this person's part in a project."""
        self._statements.rows("SELECT cd.leave_project(%s)", project_id)
