"""Declares the endpoint of search. Each request has a reader of its own, so that it is not ended by a search in the
window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from chatdesk.core.domain.search import ALL_KINDS, SearchGroup, SearchHit, SearchKind
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import QUERY
from chatdesk.service.rest.times import iso
from chatdesk.services.searching import groups_of


@dataclass(frozen=True, slots=True)
class HitAnswer:
    """A hit. ``snippet`` is a piece of the text, ``matches`` the places of the words in it, by code points."""

    kind: str
    id: str
    title: str
    snippet: str
    matches: tuple[tuple[int, int], ...]
    project_id: str | None
    thread_id: str | None
    message_id: str | None
    role: str | None
    model: str | None
    at: str | None
    is_in_trash: bool


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """The best hits of one kind. ``count`` is the number of all hits, or less where ``is_more`` is set; ``next_cursor``
    leads to the next ones of this kind."""

    kind: str
    hits: tuple[HitAnswer, ...]
    count: int
    is_more: bool
    note: str | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    groups: tuple[GroupAnswer, ...]


@dataclass(frozen=True)
class SearchWanted:
    """The words to search for, as in the window (``tag:``, ``project:``, quotation marks and so on)."""

    __pydantic_config__ = QUERY
    q: str
    kind: Literal["message", "thread", "project", "tag", "artifact"] | None = None
    limit: int = 20
    cursor: str | None = None


def search_answer(groups: tuple[SearchGroup, ...]) -> SearchAnswer:
    return SearchAnswer(tuple(_group_answer(group) for group in groups))


def _group_answer(group: SearchGroup) -> GroupAnswer:
    hits = tuple(_hit_answer(hit) for hit in group.hits)
    return GroupAnswer(group.kind.value, hits, group.count, group.is_more, group.note, group.next_cursor)


def _hit_answer(hit: SearchHit) -> HitAnswer:
    return HitAnswer(
        hit.kind.value,
        hit.id,
        hit.title,
        hit.snippet.text,
        hit.snippet.matches,
        hit.project_id,
        hit.thread_id,
        hit.message_id,
        None if hit.role is None else hit.role.value,
        hit.model,
        iso(hit.at) if hit.at else None,
        hit.is_in_trash,
    )


async def _search(call: Call[SearchWanted, None]) -> tuple[SearchGroup, ...]:
    call.caller.require_all_projects()
    wanted = call.query
    kinds = ALL_KINDS if wanted.kind is None else frozenset((SearchKind(wanted.kind),))
    return await groups_of(call.services.database, wanted.q, kinds=kinds, limit=wanted.limit, cursor=wanted.cursor)


ENDPOINTS: Final = (Endpoint("GET", "/api/v1/search", _search, "Search", search_answer, query=SearchWanted),)
