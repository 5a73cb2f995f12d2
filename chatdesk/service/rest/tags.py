"""Endpoints of tags, which all projects share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.thread import Tag, Thread
from chatdesk.core.errors import NotFound
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import nothing_again
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY
from chatdesk.service.rest.threads import reached_thread, thread_answer


@dataclass(frozen=True, slots=True)
class TagAnswer:
    id: str
    name: str
    threads: int


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    tags: tuple[TagAnswer, ...]


@dataclass(frozen=True)
class TagChange:
    """The new name of a tag."""

    __pydantic_config__ = BODY
    name: str


@dataclass(frozen=True)
class TaggingWanted:
    """Tags to put on a thread, by name (unknown ones are created), and tags to remove from it, by id."""

    __pydantic_config__ = BODY
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def tag_answer(tag: Tag) -> TagAnswer:
    return TagAnswer(tag.id, tag.name, tag.thread_count)


def tags_answer(tags: tuple[Tag, ...]) -> TagsAnswer:
    return TagsAnswer(tuple(tag_answer(each) for each in tags))


async def _list(call: Call[Any, Any]) -> tuple[Tag, ...]:
    call.caller.require_all_projects()
    return await call.services.library.list_tags()


async def _tag(call: Call[Any, Any]) -> Tag:
    wanted = checked_id(call.path["tag_id"])
    tag = next((each for each in await _list(call) if each.id == wanted), None)
    if tag is None:
        raise NotFound("There is no such tag.")
    return tag


async def _rename(call: Call[None, TagChange]) -> Tag:
    await call.services.library.rename_tag((await _tag(call)).id, call.body.name)
    return await _tag(call)


async def _renamed(call: Call[Any, Any], _done: DoneRequest) -> Tag:
    return await _tag(call)


async def _delete(call: Call[Any, Any]) -> None:
    await call.services.library.delete_tag((await _tag(call)).id)


async def _change_tags(call: Call[None, TaggingWanted]) -> Thread:
    thread = await reached_thread(call, call.path["thread_id"])
    await call.services.library.tag([thread.id], add=call.body.add, remove=call.body.remove)
    return await reached_thread(call, thread.id)


async def _changed_tags(call: Call[Any, Any], _done: DoneRequest) -> Thread:
    return await reached_thread(call, call.path["thread_id"])


_ONE: Final = "/api/v1/tags/{tag_id}"
ENDPOINTS: Final = (
    Endpoint("GET", "/api/v1/tags", _list, "List tags", tags_answer),
    Endpoint(
        "PATCH",
        _ONE,
        _rename,
        "Rename a tag",
        tag_answer,
        scope=Scope.WRITE,
        body=TagChange,
        again=_renamed,
        guards="tag",
    ),
    Endpoint("DELETE", _ONE, _delete, "Delete a tag", scope=Scope.WRITE, status=204, again=nothing_again),
    Endpoint(
        "POST",
        "/api/v1/threads/{thread_id}/tags",
        _change_tags,
        "Put tags on a thread and take others off",
        thread_answer,
        scope=Scope.WRITE,
        body=TaggingWanted,
        again=_changed_tags,
    ),
)
