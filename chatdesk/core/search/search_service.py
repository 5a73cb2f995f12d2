"""Searches for the search box, ``chatdesk search`` and *doctor*: from typed text to groups of hits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Hashable
from datetime import date

from chatdesk.core.clock import Clock
from chatdesk.core.domain.search import ALL_KINDS, IndexState, SearchGroup, SearchKind, SearchQuery
from chatdesk.core.errors import InvalidInput
from chatdesk.core.search import hits
from chatdesk.core.search.query import parse
from chatdesk.core.storage.search.reader import IndexDamaged, SearchSuperseded
from chatdesk.core.storage.search.store import SearchStore
from chatdesk.core.texts import Text

PAGE = 20
_UNSEARCHABLE = Text("Searching is not possible here: the search index is damaged. Your messages are not affected.")
_BEING_MENDED = Text(
    "The search index is damaged and is being rebuilt. Your messages are not affected; search again later."
)
_NAMED = (SearchKind.THREAD, SearchKind.PROJECT, SearchKind.TAG, SearchKind.ARTIFACT)


class SearchService:
    """Searches one at a time: a newer search ends the one before of the same asker, inside the database."""

    def __init__(self, store: SearchStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._has_work = asyncio.Event()

    def parse(self, text: str, *, is_typing: bool = True) -> SearchQuery:
        """Parse ``text`` as a query. Every text is one; parts without a meaning in the syntax are searched as words.
        ``is_typing``: the last word may be incomplete."""
        return parse(text, now_ms=self._clock.now_ms(), midnight=_local_midnight, is_typing=is_typing)

    async def search(
        self,
        text: str,
        *,
        kinds: Collection[SearchKind] = ALL_KINDS,
        limit: int = PAGE,
        cursor: str | None = None,
        is_typing: bool = True,
        asker: Hashable = None,
    ) -> AsyncGenerator[SearchGroup, None]:
        """Yield groups that have a hit or a note as they are found: threads, projects, tags and artifacts, which are
        few, then messages.

        ``cursor`` is ``next_cursor`` of a group before, for the next page of exactly that kind: give the same text.
        Ends early, without an error, once ``asker``, such as a field, begins a newer search; closing the generator ends
        it as well. Raises ``StorageError`` when the database cannot be read, ``InvalidInput`` for an invalid cursor.
        """
        reader = self._store.reader
        turn = reader.start(asker)
        try:
            query = self.parse(text, is_typing=is_typing)
            if query.is_empty:
                return
            place = _checked(cursor, kinds)
            size = max(1, min(limit, 500))
            rest = [kind for kind in _NAMED if kind in kinds]
            if rest:
                for group in await reader.run(turn, lambda conn: hits.named(conn, query, rest, size, place)):
                    yield group
            if SearchKind.MESSAGE in kinds:
                found = await reader.run(turn, lambda conn: hits.messages(conn, query, size, place))
                if found is not None:
                    if not found.hits:
                        self._has_work.set()  # perhaps the index waits to be rebuilt
                    yield found
        except SearchSuperseded:
            return
        except IndexDamaged:
            yield SearchGroup(SearchKind.MESSAGE, (), 0, note=await self._damaged())
        finally:
            reader.end(turn)

    async def state(self) -> IndexState:
        """Return how much of the texts can be found already."""
        return await self._store.state()

    async def fill(self, on_progress: Callable[[int], None] | None = None, *, pause: float = 1.0) -> None:
        """Index the texts that are not indexed yet, in small batches between which others write; ``on_progress`` gets
        the percent. ``pause`` is the rest after each batch, in multiples of its duration. Safe to cancel and to kill at
        any moment; the next call goes on."""
        self._has_work.clear()
        if self._store.is_read_only:
            return
        while True:
            began = time.monotonic()
            percent = await self._store.fill_batch()
            if percent is None:
                return
            if on_progress is not None:
                on_progress(percent)
            await asyncio.sleep(pause * (time.monotonic() - began))

    async def wait_for_work(self, timeout_s: float) -> None:
        """Wait until the index has to be rebuilt, or the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._has_work.wait()
        except TimeoutError:
            return

    async def read_afresh(self) -> None:
        """Read the database through a new connection, after it was opened another way."""
        await self._store.reader.disconnect()

    async def close(self) -> None:
        """End a search that is running and close the connection."""
        await self._store.close()

    async def _damaged(self) -> str:
        if self._store.is_read_only:
            return _UNSEARCHABLE
        await self._store.mark_damaged()
        self._has_work.set()
        return _BEING_MENDED


def _checked(cursor: str | None, kinds: Collection[SearchKind]) -> str | None:
    if cursor is None:
        return None
    offset, _, below = cursor.partition(":")
    is_number = offset.isascii() and offset.isdigit() and (not below or below.lstrip("-").isdigit())
    if not is_number or len(kinds) != 1 or len(cursor) > 40:
        raise InvalidInput(
            Text("That is not a place in these results."),
            safe=Text("Nothing was changed."),
            next_step=Text("Search again."),
        )
    return cursor


def _local_midnight(day: date) -> int:
    """Return the beginning of ``day`` here, in milliseconds UTC."""
    return int(time.mktime(day.timetuple())) * 1000
