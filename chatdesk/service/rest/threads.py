"""Endpoints of threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from chatdesk.core.chat.library import LARGEST_PAGE
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.thread import Thread, ThreadPage
from chatdesk.core.errors import ProjectNotFound, ThreadNotFound
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.forms import BODY, QUERY, described, only_change
from chatdesk.service.rest.projects import reached_project
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class ThreadAnswer:
    id: str
    project_id: str
    title: str
    provider: str | None
    model: str | None
    created_at: str
    last_activity_at: str
    archived_at: str | None
    pinned_at: str | None
    deleted_at: str | None
    message_count: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadsAnswer:
    """A page of a list; ``next_cursor`` is the ``cursor`` of the next, null at the end."""

    threads: tuple[ThreadAnswer, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class ThreadsWanted:
    """The list to read, newest activity first; ``title`` has words of the title."""

    __pydantic_config__ = QUERY
    project_id: str | None = None
    scope: Literal["active", "archive", "trash"] = "active"
    title: str = ""
    limit: Annotated[int, described("how many at most", at_least=1, at_most=LARGEST_PAGE)] = 50
    cursor: str | None = None


@dataclass(frozen=True)
class NewThread:
    """A thread to make; without a project in the default one, without a model with the project's."""

    __pydantic_config__ = BODY
    title: str = ""
    project_id: str | None = None
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class ModelChosen:
    """The model for the next answers of a thread, and its provider."""

    __pydantic_config__ = BODY
    provider: str
    model: str


@dataclass(frozen=True)
class ThreadChange:
    """One change of a thread: exactly one field is set."""

    __pydantic_config__ = BODY
    title: str | None = None
    archived: bool | None = None
    pinned: bool | None = None
    project_id: str | None = None
    model: ModelChosen | None = None


@dataclass(frozen=True)
class TypingShown:
    """Reports that a person types here, or has stopped; it is forgotten after some seconds, unless it is sent again."""

    __pydantic_config__ = BODY
    is_typing: bool


def thread_answer(thread: Thread) -> ThreadAnswer:
    return ThreadAnswer(
        thread.id,
        thread.project_id,
        thread.title,
        thread.provider,
        thread.model,
        iso(thread.created_at),
        iso(thread.last_activity_at),
        iso(thread.archived_at),
        iso(thread.pinned_at),
        iso(thread.deleted_at),
        thread.message_count,
        thread.tags,
    )


def threads_answer(page: ThreadPage) -> ThreadsAnswer:
    return ThreadsAnswer(tuple(thread_answer(thread) for thread in page.threads), page.next_cursor)


async def reached_thread(call: Call[Any, Any], thread_id: str) -> Thread:
    """Return a thread that the caller reaches. Raises ``ThreadNotFound``."""
    thread = await call.services.chat.get_thread(thread_id)
    call.caller.check_project(thread.project_id, ThreadNotFound)
    return thread


async def show_typing(call: Call[Any, Any], thread_id: str, *, is_typing: bool) -> None:
    """Show the other members of a shared project that a person types in this thread. Raises ``ThreadNotFound``."""
    thread = await reached_thread(call, thread_id)
    if await call.services.team_is_joined():
        team = await call.services.load_team()
        team.set_presence(thread.project_id, thread.id, is_typing=is_typing)


def project_for(caller: Caller, wanted: str | None) -> str | None:
    """Return the project that a request without one means. Raises ``InvalidRequest`` where the caller reaches
    several, and ``ProjectNotFound`` where it does not reach the one that is named."""
    if wanted is not None:
        caller.check_project(wanted, ProjectNotFound)
        return wanted
    if len(caller.projects) > 1:
        raise InvalidRequest((("project_id", "This token is for several projects; name one"),))
    return next(iter(caller.projects), None)


async def _list(call: Call[ThreadsWanted, None]) -> ThreadPage:
    wanted = call.query
    query = ThreadQuery(wanted.scope, project_for(call.caller, wanted.project_id), text=wanted.title)
    return await call.services.library.list_threads(query, limit=wanted.limit, cursor=wanted.cursor)


async def _read(call: Call[Any, Any]) -> Thread:
    return await reached_thread(call, call.path["thread_id"])


async def _make(call: Call[None, NewThread]) -> Thread:
    body = call.body
    project_id = project_for(call.caller, body.project_id)
    created = await call.services.chat.create_thread(project_id, body.title, provider=body.provider, model=body.model)
    return created.thread


async def _made(call: Call[Any, Any], done: DoneRequest) -> Thread:
    return await reached_thread(call, done.first("thread"))


async def _change(call: Call[None, ThreadChange]) -> Thread:
    thread = await _read(call)
    name, value = only_change(call.body)
    library = call.services.library
    if name == "title":
        return await call.services.chat.rename_thread(thread.id, value)
    if name == "model":
        return await call.services.chat.set_thread_model(thread.id, value.provider, value.model)
    if name == "archived":
        await library.archive([thread.id], is_archived=value)
    elif name == "pinned":
        await library.pin([thread.id], is_pinned=value)
    else:
        project = await reached_project(call, value)
        await library.move([thread.id], project.id)
    return await _read(call)


async def _changed(call: Call[Any, Any], _done: DoneRequest) -> Thread:
    return await _read(call)


async def _show_typing(call: Call[None, TypingShown]) -> None:
    await show_typing(call, call.path["thread_id"], is_typing=call.body.is_typing)


async def _delete(call: Call[Any, Any]) -> None:
    thread = await _read(call)
    if thread.deleted_at is None:
        await call.services.library.delete([thread.id])


_ALL: Final = "/api/v1/threads"
_ONE: Final = "/api/v1/threads/{thread_id}"
ENDPOINTS: Final = (
    Endpoint("GET", _ALL, _list, "List threads", threads_answer, query=ThreadsWanted),
    Endpoint(
        "POST",
        _ALL,
        _make,
        "Make a thread",
        thread_answer,
        scope=Scope.WRITE,
        body=NewThread,
        status=201,
        again=_made,
    ),
    Endpoint("GET", _ONE, _read, "Read a thread", thread_answer),
    Endpoint(
        "PATCH",
        _ONE,
        _change,
        "Change a thread",
        thread_answer,
        scope=Scope.WRITE,
        body=ThreadChange,
        again=_changed,
        guards="thread",
    ),
    Endpoint("DELETE", _ONE, _delete, "Move a thread to the trash", scope=Scope.WRITE, status=204, again=nothing_again),
    Endpoint(
        "POST",
        f"{_ONE}/typing",
        _show_typing,
        "Show the team that somebody types",
        scope=Scope.ASK,
        body=TypingShown,
        status=204,
    ),
)
