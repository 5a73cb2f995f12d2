"""Tells the team of a shared project what this person lets it know of their files, and takes what other members let
this person know."""

from __future__ import annotations

from chatdesk.core.domain.knowledge import KnowledgeSource
from chatdesk.core.errors import SharedNotOwn, SharedReadOnly
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.knowledge import team_files
from chatdesk.core.storage.knowledge.sources import KnowledgeRepository
from chatdesk.core.tools.folder.beneath import looks_secret


class TeamFiles:
    """The use cases of sharing a project's files; ``KnowledgeService`` calls them."""

    def __init__(self, database: Database, repository: KnowledgeRepository) -> None:
        self._database = database
        self._repository = repository

    async def is_shared(self, project_id: str) -> bool:
        """Return whether a project is shared with a team now."""
        return await self._database.read(lambda conn: team_files.is_shared(conn, project_id))

    async def may_offer(self, project_id: str) -> bool:
        """Return whether this person may share something of their files with the team of a project."""
        return await self._database.read(lambda conn: team_files.may_offer(conn, project_id))

    async def projects(self) -> list[str]:
        """Return the projects that are shared, or have sources that others shared."""
        return await self._database.read(team_files.projects)

    async def receive(self, project_id: str) -> list[str]:
        """Add the sources that others share with a project, and remove those that they no longer share. Returns the ids
        of those that are here. Raises ``StorageError``."""
        if self._database.is_read_only or not await self._database.read(
            lambda conn: team_files.is_shared(conn, project_id) or team_files.has_taken(conn, project_id)
        ):
            return []
        origin = self._database.origin
        kept, gone = await self._database.write(lambda conn: team_files.receive_sources(conn, origin, project_id))
        for each in gone:
            await self._repository.remove(each)
        return kept

    async def texts(self, source: KnowledgeSource) -> dict[str, str]:
        """Return the files of a source of the team whose text is here: by path, what tells this text from another."""
        return await self._database.read(lambda conn: team_files.shared_texts(conn, source))

    async def text(self, stamp: str) -> str:
        """Return the passages of a file as another member wrote them; empty where they are gone."""
        return await self._database.read(lambda conn: team_files.shared_text(conn, stamp)) or ""

    async def offer(self, source: KnowledgeSource, *, is_removed: bool = False) -> None:
        """Update the registers that tell the team of a source; ``is_removed``: it is to know nothing any more. Raises
        ``StorageError``."""
        if not await self.may_offer(source.project_id):
            return
        origin = self._database.origin
        try:
            while await self._database.write(
                lambda conn: team_files.offer(conn, origin, source, is_removed=is_removed, may_share=_is_for_team)
            ):
                pass
        except (SharedReadOnly, SharedNotOwn):  # the role changed meanwhile
            return


def _is_for_team(path: str) -> bool:
    """Return whether the text of a file may be shared; one that looks like a secret was read for its person alone."""
    return not any(map(looks_secret, path.split("/")))
