"""Endpoints of projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.thread import DEFAULT_COLOUR, Project
from chatdesk.core.errors import ProjectNotFound
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY, only_change
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class ProjectAnswer:
    id: str
    name: str
    colour: str
    provider: str | None
    model: str | None
    created_at: str
    last_chat_at: str | None
    archived_at: str | None
    deleted_at: str | None


@dataclass(frozen=True, slots=True)
class ProjectsAnswer:
    projects: tuple[ProjectAnswer, ...]


@dataclass(frozen=True)
class NewProject:
    """A project to make; provider and model are those of its new threads."""

    __pydantic_config__ = BODY
    name: str
    colour: str = DEFAULT_COLOUR
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class ProjectChange:
    """One change of a project: exactly one field is set."""

    __pydantic_config__ = BODY
    name: str | None = None
    colour: str | None = None
    archived: bool | None = None


def project_answer(project: Project) -> ProjectAnswer:
    return ProjectAnswer(
        project.id,
        project.name,
        project.colour,
        project.provider,
        project.model,
        iso(project.created_at),
        iso(project.last_chat_at),
        iso(project.archived_at),
        iso(project.deleted_at),
    )


def projects_answer(projects: tuple[Project, ...]) -> ProjectsAnswer:
    return ProjectsAnswer(tuple(project_answer(project) for project in projects))


async def reached_project(call: Call[Any, Any], project_id: str) -> Project:
    """Return a project that the caller reaches. Raises ``ProjectNotFound``."""
    wanted = checked_id(project_id)
    call.caller.check_project(wanted, ProjectNotFound)
    return await call.services.library.projects.get(wanted)


async def _list(call: Call[Any, Any]) -> tuple[Project, ...]:
    projects = await call.services.library.projects.list()
    reached = call.caller.projects
    return tuple(each for each in projects if not reached or each.id in reached)


async def _read(call: Call[Any, Any]) -> Project:
    return await reached_project(call, call.path["project_id"])


async def _make(call: Call[None, NewProject]) -> Project:
    call.caller.require_all_projects()
    body = call.body
    return await call.services.library.projects.create(body.name, body.colour, provider=body.provider, model=body.model)


async def _made(call: Call[Any, Any], done: DoneRequest) -> Project:
    return await reached_project(call, done.first("project"))


async def _change(call: Call[None, ProjectChange]) -> Project:
    project = await _read(call)
    name, value = only_change(call.body)
    if name == "archived":
        await call.services.library.projects.archive(project.id, is_archived=value)
    else:
        await call.services.library.projects.change(project.id, **{name: value})
    return await call.services.library.projects.get(project.id)


async def _changed(call: Call[Any, Any], _done: DoneRequest) -> Project:
    return await _read(call)


async def _delete(call: Call[Any, Any]) -> None:
    project = await _read(call)
    if project.deleted_at is None:
        await call.services.library.delete_project(project.id)


_ONE: Final = "/api/v1/projects/{project_id}"
ENDPOINTS: Final = (
    Endpoint("GET", "/api/v1/projects", _list, "List projects", projects_answer),
    Endpoint(
        "POST",
        "/api/v1/projects",
        _make,
        "Make a project",
        project_answer,
        scope=Scope.WRITE,
        body=NewProject,
        status=201,
        again=_made,
    ),
    Endpoint("GET", _ONE, _read, "Read a project", project_answer),
    Endpoint(
        "PATCH",
        _ONE,
        _change,
        "Change a project",
        project_answer,
        scope=Scope.WRITE,
        body=ProjectChange,
        again=_changed,
        guards="project",
    ),
    Endpoint(
        "DELETE", _ONE, _delete, "Move a project to the trash", scope=Scope.WRITE, status=204, again=nothing_again
    ),
)
