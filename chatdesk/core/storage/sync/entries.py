"""Describes a project or a thread, as it is now, in changes of a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection, Row

from chatdesk.core.errors import ProjectNotFound
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import CONTENT
from chatdesk.core.storage.engine.steering import MADE_WITH, changed_registers

# The columns of a thread that ``thread_entries`` needs.
THREAD_COLUMNS: Final = (
    "id, title, title_source, system_prompt, provider, model, created_at, deleted_at, parameters, is_without_summaries,"
    " project_id, pinned_at, archived_at, context_from_id"
)
# The registers that only own computers get, and their columns.
_PROJECT_REGS: Final = {change_log.ARCHIVED: "archived_at"}
_THREAD_REGS: Final = {
    change_log.PROJECT: "project_id",
    change_log.PINNED: "pinned_at",
    change_log.ARCHIVED: "archived_at",
    change_log.CONTEXT_FROM: "context_from_id",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A change to be written. ``parents``: the ids of the changes that it follows."""

    kind: str
    op: str
    entity: str
    reg: str = CONTENT
    body: Mapping[str, Any] | None = None
    parents: tuple[str, ...] = ()


def project_entries(conn: Connection, project_id: str, *, is_own: bool) -> list[Entry]:
    row = conn.exec_driver_sql(
        "SELECT name, colour, system_prompt, provider, model, created_at, parameters, is_without_summaries, archived_at"
        " FROM projects WHERE id = ?",
        (project_id,),
    ).first()
    if row is None:
        raise ProjectNotFound
    made = {"name": row.name, "colour": row.colour, "system_prompt": row.system_prompt, "created_at": row.created_at}
    return [
        Entry("project", "new", project_id, body={**made, "provider": row.provider, "model": row.model}),
        Entry("project", "edit", project_id, change_log.NAME, {"name": row.name}),
        Entry("project", "edit", project_id, change_log.COLOUR, {"colour": row.colour}),
        *_steering("project", project_id, row),
        *_personal("project", project_id, row, _PROJECT_REGS if is_own else {}),
    ]


def _personal(kind: str, entity: str, row: Row[Any], regs: Mapping[str, str]) -> Iterable[Entry]:
    for reg, column in regs.items():
        if (value := getattr(row, column)) is not None:
            yield Entry(kind, "edit", entity, reg, {column: value})


def thread_entries(conn: Connection, row: Row[Any], *, is_own: bool) -> list[Entry]:
    made_with = (*MADE_WITH, "project_id") if is_own else MADE_WITH
    title = {"title": row.title, "title_source": row.title_source}
    tags = conn.exec_driver_sql(
        "SELECT g.id, g.name FROM thread_tags j JOIN tags g ON g.id = j.tag_id WHERE j.thread_id = ? ORDER BY g.id",
        (row.id,),
    )
    return [
        Entry("thread", "new", row.id, body={name: getattr(row, name) for name in made_with}),
        Entry("thread", "edit", row.id, change_log.TITLE, title),
        *_steering("thread", row.id, row),
        *(
            Entry("thread", "edit", row.id, f"{change_log.TAG}{tag.id}", {"is_on": True, "name": tag.name})
            for tag in tags
        ),
        *_personal("thread", row.id, row, _THREAD_REGS if is_own else {}),
    ]


def _steering(kind: str, entity: str, row: Row[Any]) -> Iterable[Entry]:
    return (Entry(kind, "edit", entity, reg, body) for reg, body in changed_registers(row._asdict()))
