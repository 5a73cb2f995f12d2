"""Stores a person's decisions about a project's files: passages pinned or left out in a thread, and the providers
that never get any."""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.knowledge import PassageChoice, PassagePlace
from chatdesk.core.errors import NotFound
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.texts import Text

_CHOICES: Final = frozenset(PassageChoice)
_MOST: Final = 500


class FileChoices:
    """The decisions of all threads and projects of a profile."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_thread(self, thread_id: str) -> tuple[tuple[PassagePlace, PassageChoice], ...]:
        """Return the places that a thread has pinned or left out, in the order of the files."""

        def work(conn: Connection) -> tuple[tuple[PassagePlace, PassageChoice], ...]:
            rows = conn.exec_driver_sql(
                "SELECT source_id, path, begin_offset, end_offset, digest, choice FROM knowledge_choices"
                " WHERE thread_id = ? ORDER BY path, begin_offset, source_id LIMIT ?",
                (checked_id(thread_id), _MOST),
            )
            return tuple((PassagePlace(*row[:5]), PassageChoice(row[5])) for row in rows if row[5] in _CHOICES)

        return await self._db.read(work)

    async def choose(self, thread_id: str, place: PassagePlace, choice: PassageChoice) -> PassageChoice:
        """Pin a place in a thread, leave it out, or neither. Returns the choice before. Raises ``NotFound``."""

        def work(conn: Connection) -> PassageChoice:
            key = (checked_id(thread_id), checked_id(place.source_id), clean(place.path))
            found = conn.exec_driver_sql(
                "SELECT (SELECT 1 FROM threads WHERE id = ?), (SELECT 1 FROM knowledge_sources WHERE id = ?)", key[:2]
            ).one()
            if None in found:
                raise NotFound(Text("This folder, file or page is not among the files of a project."))
            same = (
                "thread_id = ? AND source_id = ? AND path = ? AND (end_offset = 0) = ?"
                " AND (begin_offset = ? OR digest = ?)"
            )
            values = (*key, int(place.is_whole_file), place.start, place.digest)
            known = conn.exec_driver_sql(f"SELECT choice FROM knowledge_choices WHERE {same}", values).scalars().all()
            conn.exec_driver_sql(f"DELETE FROM knowledge_choices WHERE {same}", values)
            if choice is not PassageChoice.NONE:
                conn.exec_driver_sql(
                    "INSERT INTO knowledge_choices (thread_id, source_id, path, begin_offset, end_offset,"
                    " digest, choice) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*key, place.start, place.end, place.digest, choice.value),
                )
            return next((PassageChoice(each) for each in known if each in _CHOICES), PassageChoice.NONE)

        return await self._db.write(work)

    async def denied(self, project_id: str) -> frozenset[str]:
        """Return the ids of the providers that never get the files of a project."""
        statement = "SELECT provider FROM knowledge_denials WHERE project_id = ?"
        return await self._db.read(
            lambda conn: frozenset(conn.exec_driver_sql(statement, (project_id,)).scalars()),
        )

    async def deny(self, project_id: str, provider: str, *, is_denied: bool) -> None:
        """Never send the files of a project to a provider, or send them again. Raises ``NotFound``."""

        def work(conn: Connection) -> None:
            key = (checked_id(project_id), clean(provider))
            if conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", key[:1]).first() is None:
                raise NotFound(Text("This project does not exist."))
            conn.exec_driver_sql("DELETE FROM knowledge_denials WHERE project_id = ? AND provider = ?", key)
            if is_denied:
                conn.exec_driver_sql("INSERT INTO knowledge_denials (project_id, provider) VALUES (?, ?)", key)

        await self._db.write(work)
