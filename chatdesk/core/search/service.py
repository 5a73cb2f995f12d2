"""The use case behind the search box, ``chatdesk search`` and *doctor*: from typed text to groups of hits."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Collection
from datetime import date
from typing import TYPE_CHECKING

from chatdesk.core.clock import Clock
from chatdesk.core.domain.search import ALL_KINDS, IndexState, SearchGroup, SearchKind, SearchQuery
from chatdesk.core.search.query import parse

if TYPE_CHECKING:
    from chatdesk.core.storage.search_index import SearchIndex

PAGE = 20


class SearchService:
    """Searches one at a time: a newer search ends the one before, inside the database."""

    def __init__(self, index: SearchIndex, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    def parse(self, text: str, *, is_typing: bool = True) -> SearchQuery:
        """What ``text`` asks for. Anything is a query; what cannot be understood is searched as words. ``is_typing``:
        the last word may go on."""
        now_ms = self._clock.now_ms()
        return parse(text, now_ms=now_ms, midnight=_local_midnight, is_typing=is_typing)

    async def search(
        self,
        text: str,
        *,
        kinds: Collection[SearchKind] = ALL_KINDS,
        limit: int = PAGE,
        cursor: str | None = None,
        is_typing: bool = True,
    ) -> AsyncGenerator[SearchGroup, None]:
        """Groups with at least one hit, or with something to say, as they are found; short ones first, messages last.

        ``cursor`` is ``next_cursor`` of a group before, for the next page of exactly that kind: give the same text.
        Ends early, without an error, once a newer search begins; closing the generator ends it as well. Raises
        ``StorageError`` when the database cannot be read.
        """
        if False:
            yield

    async def state(self) -> IndexState:
        """How much can be found already."""
        raise NotImplementedError

    async def fill(self, on_progress: Callable[[int], None] | None = None) -> None:
        """Index what is not indexed yet, in small batches between which others write; tells the percent. Safe to cancel
        and to kill at any moment; the next call goes on."""

    async def check(self) -> list[str]:
        """What is wrong with the index, in plain words; empty when all is well."""
        raise NotImplementedError

    async def rebuild(self) -> None:
        """Throw the index away; ``fill`` makes it anew."""

    async def close(self) -> None:
        """End a search that is running and let go of the connection."""


def _local_midnight(day: date) -> int:
    """The beginning of ``day`` here, in milliseconds UTC."""
    return int(time.mktime(day.timetuple())) * 1000
