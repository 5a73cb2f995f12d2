"""Searches all threads once, for callers outside the window: each search has a reader of its own and ends no other."""

from __future__ import annotations

from contextlib import aclosing

from chatdesk.core.clock import Clock
from chatdesk.core.domain.search import SearchGroup, SearchKind
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.search.store import SearchStore


async def groups_of(
    database: Database, words: str, *, kinds: frozenset[SearchKind], limit: int, cursor: str | None = None
) -> tuple[SearchGroup, ...]:
    """Search all projects with a reader of its own, and return the results."""
    search = SearchService(SearchStore(database), Clock())
    try:
        groups = search.search(words, kinds=kinds, limit=limit, cursor=cursor, is_typing=False)
        async with aclosing(groups) as found:
            return tuple([group async for group in found])
    finally:
        await search.close()
