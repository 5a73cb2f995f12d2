"""A real database with the search service over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.domain.search import ALL_KINDS, SearchGroup, SearchKind
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.search.store import SearchStore
from tests.helpers.checks import search_faults
from tests.helpers.store import MovableClock, Store


class SearchWorld(Store):
    """A store that is searched, too."""

    def reset(self) -> None:
        super().reset()
        self.store = SearchStore(self.db)
        self.search = SearchService(self.store, self.clock)

    async def close(self) -> None:
        await self.search.close()
        await self.db.close()

    async def faults(self) -> list[str]:
        """What is wrong where the index does not hold exactly the words of the texts."""
        return await search_faults(self.db)

    async def rebuild(self) -> None:
        await self.db.write(lambda conn: search_index.rebuild(driver(conn)), is_durable=False)

    async def groups(self, text: str, **options: object) -> dict[SearchKind, SearchGroup]:
        """Everything that is found, by kind."""
        given = {"kinds": ALL_KINDS, "is_typing": False} | options
        return {group.kind: group async for group in self.search.search(text, **given)}  # type: ignore[arg-type]

    async def found(self, text: str, **options: object) -> list[str]:
        """The snippets of the messages that are found."""
        group = (await self.groups(text, **options)).get(SearchKind.MESSAGE)
        return [] if group is None else [hit.snippet.text for hit in group.hits]

    async def titles(self, text: str, kind: SearchKind = SearchKind.THREAD, **options: object) -> list[str]:
        group = (await self.groups(text, **options)).get(kind)
        return [] if group is None else [hit.title for hit in group.hits]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def world(tmp_path: Path, clock: MovableClock) -> AsyncIterator[SearchWorld]:
    made = SearchWorld(tmp_path / "data" / "chatdesk.db", clock)
    await made.db.open()
    yield made
    await made.close()
