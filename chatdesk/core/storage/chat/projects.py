"""Reads and writes projects in the database."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import ProjectCounts
from chatdesk.core.domain.thread import DEFAULT_COLOUR, Project
from chatdesk.core.errors import InvalidTitle, NotPossible, ProjectNotFound
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.change_log import Origin, log_change, seen, write_register
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, shown_name
from chatdesk.core.storage.engine.steering import MODEL
from chatdesk.core.texts import Text, shown

# The first project, stored in the language of the program at that time; a person can rename it.
DEFAULT_NAME = Text("Personal")
LONGEST_NAME = 100

_SELECT = (
    "SELECT id, name, colour, system_prompt, provider, model, created_at, last_chat_at, deleted_at, archived_at"
    " FROM projects"
)
_REGISTERS: Final[Mapping[str, str]] = {
    "name": change_log.NAME,
    "colour": change_log.COLOUR,
    "provider": MODEL,
    "model": MODEL,
    "archived_at": change_log.ARCHIVED,
}


def _project(row: Sequence[Any]) -> Project:
    id_, name, *rest = row
    return Project(id_, shown_name(name), *rest)


def ensure_default_project(conn: Connection, origin: Origin) -> None:
    """Make a project if none is left outside the trash: a database always has one to put threads in."""
    if conn.exec_driver_sql("SELECT 1 FROM projects WHERE deleted_at IS NULL LIMIT 1").first() is None:
        insert_project(conn, origin, shown(DEFAULT_NAME), DEFAULT_COLOUR)


def default_project_id(conn: Connection) -> str | None:
    """Return the project of new threads: the oldest private project in use, else the oldest shared one. A
    teammate's project may be older than all of one's own."""
    found = conn.exec_driver_sql(
        "SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY archived_at IS NOT NULL,"
        " id IN (SELECT project_id FROM shared_projects WHERE state <> 'ended'), id LIMIT 1"
    ).scalar()
    return None if found is None else str(found)


def private_project_id(conn: Connection, origin: Origin) -> str:
    """Return the project for recovered texts: the oldest unshared one in use. One is created if all are shared, because
    the lost text may have been private."""
    found = conn.exec_driver_sql(
        "SELECT id FROM projects WHERE deleted_at IS NULL"
        " AND id NOT IN (SELECT project_id FROM shared_projects WHERE state <> 'ended')"
        " ORDER BY archived_at IS NOT NULL, id LIMIT 1"
    ).scalar()
    return insert_project(conn, origin, shown(DEFAULT_NAME), DEFAULT_COLOUR).id if found is None else str(found)


def insert_project(
    conn: Connection, origin: Origin, name: str, colour: str, *, provider: str | None = None, model: str | None = None
) -> Project:
    project_id = new_id()
    stamp = origin.stamp()
    shared = {"name": name, "colour": colour}
    if provider is not None or model is not None:
        shared |= {"provider": provider, "model": model}  # type: ignore[dict-item]
    insert_row(conn, tables.projects, id=project_id, created_at=origin.now(), **shared, **stamp)
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="project",
        op="new",
        entity=project_id,
        hlc=stamp["hlc"],
        body=shared,
    )
    return get_project(conn, project_id)


def get_project(conn: Connection, project_id: str) -> Project:
    row = conn.exec_driver_sql(f"{_SELECT} WHERE id = ?", (project_id,)).first()
    if row is None:
        raise ProjectNotFound
    return _project(row)


def live_project(conn: Connection, project_id: str) -> Project:
    """Return a project that is not in the trash. Raises ``ProjectNotFound``."""
    project = get_project(conn, project_id)
    if project.deleted_at is not None:
        raise ProjectNotFound(Text("This project is in the trash."), next_step=Text("Restore it first."))
    return project


def read_only_projects(conn: Connection) -> frozenset[str]:
    """Return shared projects in which this person may only read, for ``LogWatch.read_only``."""
    rows = conn.exec_driver_sql("SELECT project_id FROM shared_projects WHERE role = 'viewer' AND state <> 'ended'")
    return frozenset(row[0] for row in rows)


def share_of(conn: Connection, project_id: str) -> tuple[str, str] | None:
    """Return (workspace, role) of a project that is shared, or about to be; None for one that is private."""
    row = conn.exec_driver_sql(
        "SELECT workspace_id, role FROM shared_projects WHERE project_id = ? AND state <> 'ended'", (project_id,)
    ).first()
    return None if row is None else (row[0], row[1])


def live_threads(conn: Connection, project_id: str) -> list[str]:
    return [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT id FROM threads WHERE project_id = ? AND deleted_at IS NULL", (project_id,)
        )
    ]


def is_last(conn: Connection, project_id: str) -> bool:
    """Return whether no other project is in use."""
    other = conn.exec_driver_sql(
        "SELECT 1 FROM projects WHERE id <> ? AND deleted_at IS NULL AND archived_at IS NULL LIMIT 1", (project_id,)
    ).first()
    return other is None


def check_not_last(conn: Connection, project_id: str) -> None:
    """Raise ``NotPossible`` for the last project that is in use, because new threads need one."""
    if is_last(conn, project_id):
        raise NotPossible(
            Text("This is the last project, and new threads need one."), next_step=Text("Make another one first.")
        )


def own_moment(conn: Connection, project_id: str, now: int) -> int:
    """Return a moment of deletion that no thread of the project has, so that the threads deleted with it can be told
    apart."""
    newest = conn.exec_driver_sql(
        "SELECT max(deleted_at) FROM threads WHERE project_id = ? AND deleted_at IS NOT NULL", (project_id,)
    ).scalar()
    return now if newest is None else max(now, int(newest) + 1)


def set_deleted(conn: Connection, origin: Origin, project_id: str, deleted_at: int | None) -> None:
    """Move a project to the trash (None: out of it) without its threads, which are the caller's."""
    stamp = origin.stamp()
    conn.execute(
        tables.projects.update().where(tables.projects.c.id == project_id).values(deleted_at=deleted_at, **stamp)
    )
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="project",
        op="edit" if deleted_at is None else "del",
        entity=project_id,
        hlc=stamp["hlc"],
        body=None if deleted_at is None else {"deleted_at": deleted_at, "covers": seen(conn, origin, project_id)},
    )


def bring_back(conn: Connection, origin: Origin, project_id: str) -> int | None:
    """Restore a project from the trash because of a thread in it. Returns the time of its deletion; None if it was
    not deleted."""
    row = driver(conn).execute("SELECT deleted_at FROM projects WHERE id = ?", (project_id,)).fetchone()
    if row is None:
        raise ProjectNotFound
    deleted_at: int | None = row[0]
    if deleted_at is not None:
        set_deleted(conn, origin, project_id, None)
    return deleted_at


def refresh_last_chat(conn: Connection, project_id: str) -> None:
    """Set ``last_chat_at`` to what it should be, from the ends of two indexes; called after threads were added, moved
    or removed."""
    newest = (
        "SELECT max(last_activity_at) FROM threads WHERE project_id = :project AND deleted_at IS NULL AND archived_at"
    )
    conn.exec_driver_sql(
        "UPDATE projects SET last_chat_at = nullif(max(coalesce((" + newest + " IS NULL), -1),"
        " coalesce((" + newest + " IS NOT NULL), -1)), -1) WHERE id = :project",
        {"project": project_id},
    )


class ProjectRepository:
    """Reads and writes projects."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, *, deleted_too: bool = False) -> tuple[Project, ...]:
        """Return all projects that are not in the trash, archived ones included, in order of creation. ``deleted_too``:
        also those in the trash."""
        condition = "" if deleted_too else " WHERE deleted_at IS NULL"
        return await self._db.read(
            lambda conn: tuple(_project(row) for row in conn.exec_driver_sql(f"{_SELECT}{condition} ORDER BY id"))
        )

    async def default(self) -> Project:
        """Return the project of ``default_project_id``. Raises ``ProjectNotFound``."""

        def work(conn: Connection) -> Project:
            project_id = default_project_id(conn)
            if project_id is None:
                raise ProjectNotFound
            return get_project(conn, project_id)

        return await self._db.read(work)

    async def get(self, project_id: str) -> Project:
        wanted = checked_id(project_id)
        return await self._db.read(lambda conn: get_project(conn, wanted))

    async def create(
        self, name: str, colour: str = DEFAULT_COLOUR, *, provider: str | None = None, model: str | None = None
    ) -> Project:
        wanted, paint = checked_name(name), checked_colour(colour)
        return await self._db.write(
            lambda conn: insert_project(conn, self._db.origin, wanted, paint, provider=provider, model=model)
        )

    async def change(self, project_id: str, values: Mapping[str, Any]) -> tuple[Project, Mapping[str, Any]]:
        """Set some of name, colour, provider, model, archived_at. Returns the project and the values before, of those
        that changed."""
        wanted = checked_id(project_id)
        asked = dict(values)
        if "name" in asked:
            asked["name"] = checked_name(str(asked["name"]))
        if "colour" in asked:
            asked["colour"] = checked_colour(str(asked["colour"]))

        def work(conn: Connection) -> tuple[Project, Mapping[str, Any]]:
            project = live_project(conn, wanted)
            before = {key: getattr(project, key) for key, value in asked.items() if getattr(project, key) != value}
            if asked.get("archived_at") is not None and before:
                check_not_last(conn, wanted)
            for reg in {_REGISTERS[key] for key in before}:
                _edit(
                    conn,
                    self._db.origin,
                    wanted,
                    reg,
                    {key: asked.get(key, getattr(project, key)) for key, name in _REGISTERS.items() if name == reg},
                )
            return get_project(conn, wanted), before

        return await self._db.write(work)

    async def counts(self, project_id: str) -> ProjectCounts:
        wanted = checked_id(project_id)

        def work(conn: Connection) -> ProjectCounts:
            row = conn.exec_driver_sql(
                "SELECT count(*) FILTER (WHERE deleted_at IS NULL),"
                " count(*) FILTER (WHERE deleted_at IS NULL AND archived_at IS NOT NULL),"
                " count(*) FILTER (WHERE deleted_at > 0) FROM threads WHERE project_id = ?",
                (wanted,),
            ).one()
            return ProjectCounts(*row)

        return await self._db.read(work)


def checked_name(name: str) -> str:
    """Return ``name`` on one line. Raises ``InvalidTitle``."""
    wanted = clean_line(clean(name))
    if not wanted:
        raise InvalidTitle(Text("A project needs a name."))
    if len(wanted) > LONGEST_NAME:
        raise InvalidTitle(
            Text("A project's name has at most {longest_name} characters.", longest_name=str(LONGEST_NAME)),
            next_step=Text("Choose a shorter one."),
        )
    return wanted


def checked_colour(colour: str) -> str:
    """Return ``#RRGGBB`` in capitals; anything else, which only a foreign file or program gives, becomes the
    default."""
    wanted = colour.strip().upper()
    is_colour = len(wanted) == 7 and wanted[0] == "#" and set(wanted[1:]) <= set("0123456789ABCDEF")
    return wanted if is_colour else DEFAULT_COLOUR


def _edit(conn: Connection, origin: Origin, project_id: str, reg: str, values: Mapping[str, Any]) -> None:
    write_register(conn, origin, tables.projects, project_id, project_id=project_id, reg=reg, values=values)
