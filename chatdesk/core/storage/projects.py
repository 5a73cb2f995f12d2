"""Projects in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.project import Project
from chatdesk.core.errors import InvalidTitle, ProjectNotFound
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage import tables
from chatdesk.core.storage.change_log import Origin, log_change
from chatdesk.core.storage.plain_text import clean

if TYPE_CHECKING:
    from chatdesk.core.storage.database import Database

DEFAULT_NAME = "Personal"
DEFAULT_COLOUR = "#5B7DB1"

_SELECT = "SELECT id, name, colour, system_prompt, provider, model, created_at, last_chat_at, deleted_at FROM projects"


def _project(row: Sequence[Any]) -> Project:
    return Project(*row)


def ensure_default_project(conn: Connection, origin: Origin) -> None:
    """A database always has a project to put threads in."""
    if conn.exec_driver_sql("SELECT 1 FROM projects WHERE deleted_at IS NULL LIMIT 1").first() is None:
        insert_project(conn, origin, DEFAULT_NAME, DEFAULT_COLOUR)


def insert_project(conn: Connection, origin: Origin, name: str, colour: str) -> Project:
    project_id = new_id()
    stamp = origin.stamp()
    conn.execute(
        tables.projects.insert().values(id=project_id, name=name, colour=colour, created_at=origin.now(), **stamp)
    )
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="project",
        op="new",
        entity=project_id,
        hlc=stamp["hlc"],
        body={"name": name, "colour": colour},
    )
    return get_project(conn, project_id)


def get_project(conn: Connection, project_id: str) -> Project:
    row = conn.exec_driver_sql(f"{_SELECT} WHERE id = ?", (project_id,)).first()
    if row is None:
        raise ProjectNotFound
    return _project(row)


class ProjectRepository:
    """Reads and writes projects."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self) -> tuple[Project, ...]:
        """All projects that are not in the trash, in order of creation."""
        return await self._db.read(
            lambda conn: tuple(
                _project(row) for row in conn.exec_driver_sql(f"{_SELECT} WHERE deleted_at IS NULL ORDER BY id")
            )
        )

    async def default(self) -> Project:
        """The oldest project."""

        def work(conn: Connection) -> Project:
            row = conn.exec_driver_sql(f"{_SELECT} WHERE deleted_at IS NULL ORDER BY id LIMIT 1").first()
            if row is None:
                raise ProjectNotFound
            return _project(row)

        return await self._db.read(work)

    async def get(self, project_id: str) -> Project:
        wanted = checked_id(project_id)
        return await self._db.read(lambda conn: get_project(conn, wanted))

    async def create(self, name: str, colour: str = DEFAULT_COLOUR) -> Project:
        wanted = clean(name).strip()
        if not wanted:
            raise InvalidTitle("A project needs a name.")
        return await self._db.write(lambda conn: insert_project(conn, self._db.origin, wanted, colour))
