"""Reads the stored data of the profile's workspaces: members, devices, shared projects, and the log of rounds."""

from __future__ import annotations

from chatdesk.core.domain.sharing.team import SharedProject, SyncRound, TeamDevice, TeamMember, Workspace
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import team


class TeamRecords:
    """Reads the stored data about teams, without asking a server; ``TeamService.records`` exposes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def workspaces(self) -> tuple[Workspace, ...]:
        """Return the joined workspaces, the oldest first."""
        return tuple(await self._database.read(team.workspaces))

    async def parked(self) -> tuple[Workspace, ...]:
        """Return the workspaces of a restored profile that are not connected to before they are joined again."""
        return tuple(await self._database.read(team.parked))

    async def members(self, workspace_id: str) -> tuple[TeamMember, ...]:
        """Return the members as of the last round, including removed ones, because they wrote messages."""
        return tuple(await self._database.read(lambda conn: team.members(conn, workspace_id)))

    async def devices(self, workspace_id: str) -> tuple[TeamDevice, ...]:
        """Return the devices as of the last round."""
        return tuple(await self._database.read(lambda conn: team.devices(conn, workspace_id)))

    async def projects(self) -> tuple[SharedProject, ...]:
        """Return all projects that are or were shared."""
        return tuple(await self._database.read(team.shared_projects))

    async def rounds(self, workspace_id: str, limit: int = 100) -> tuple[SyncRound, ...]:
        """Return the log of rounds, the newest first."""
        return tuple(await self._database.read(lambda conn: team.rounds(conn, workspace_id, limit=limit)))
