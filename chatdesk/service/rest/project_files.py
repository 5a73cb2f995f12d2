"""Endpoints of the files of projects: what a project has, and the passages that fit a question.

Only the person adds folders, in the window or on the command line: a program with a token must not choose what is read
on this computer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from chatdesk.core.domain.knowledge import FoundPassage, SourceStatus
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import QUERY, described
from chatdesk.service.rest.projects import reached_project
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """A folder, file or page of a project, with how many of its files are read, wait, or cannot be read; secrets
    are not read because of their names."""

    id: str
    kind: str
    place: str
    read: int
    waiting: int
    unreadable: int
    secrets: int
    passages: int
    is_paused: bool
    problem: str | None
    read_at: str | None


@dataclass(frozen=True, slots=True)
class SourcesAnswer:
    sources: tuple[SourceAnswer, ...]


@dataclass(frozen=True, slots=True)
class PassageAnswer:
    """A passage of a file: ``start`` and ``end`` are offsets in its text, by code points; ``page`` counts from 1."""

    source_id: str
    path: str
    page: int | None
    heading: str | None
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class PassagesAnswer:
    passages: tuple[PassageAnswer, ...]


@dataclass(frozen=True)
class PassagesWanted:
    """The question whose passages are wanted, the best first."""

    __pydantic_config__ = QUERY
    q: str
    limit: Annotated[int, described("The most passages", at_least=1, at_most=50)] = 8


def passage_answer(found: FoundPassage) -> PassageAnswer:
    passage = found.passage
    return PassageAnswer(
        found.source.id,
        found.file.path,
        passage.page,
        passage.heading or None,
        passage.start,
        passage.end,
        passage.text,
    )


def _sources_answer(statuses: tuple[SourceStatus, ...]) -> SourcesAnswer:
    return SourcesAnswer(
        tuple(
            SourceAnswer(
                each.source.id,
                each.source.kind.value,
                each.source.place,
                each.read,
                each.waiting,
                each.unreadable,
                each.secrets,
                each.passages,
                each.source.is_paused,
                each.source.problem or None,
                iso(each.read_at),
            )
            for each in statuses
        )
    )


def _passages_answer(found: tuple[FoundPassage, ...]) -> PassagesAnswer:
    return PassagesAnswer(tuple(map(passage_answer, found)))


async def _list(call: Call[Any, Any]) -> tuple[SourceStatus, ...]:
    project = await reached_project(call, call.path["project_id"])
    return await call.services.knowledge.statuses(project.id)


async def _search(call: Call[PassagesWanted, None]) -> tuple[FoundPassage, ...]:
    project = await reached_project(call, call.path["project_id"])
    return await call.services.knowledge.search(project.id, call.query.q, limit=call.query.limit)


_FILES: Final = "/api/v1/projects/{project_id}/files"
ENDPOINTS: Final = (
    Endpoint("GET", _FILES, _list, "List the files of a project", _sources_answer),
    Endpoint(
        "GET",
        f"{_FILES}/search",
        _search,
        "Find passages in the files of a project",
        _passages_answer,
        query=PassagesWanted,
    ),
)
