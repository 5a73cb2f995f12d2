"""Asking for more of one kind while the search still has others to bring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.domain.search import SearchGroup, SearchHit, SearchKind
from chatdesk.ui.features.search.search_binding import SearchBinding
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.widgets.found.results import Results
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("qapp")


class _Search:
    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked: list[str | None] = []

    async def search(
        self, _text: str, *, asker: object, kinds: tuple[SearchKind, ...] = (), cursor: str | None = None
    ) -> AsyncGenerator[SearchGroup, None]:
        self.asked.append(cursor)
        if kinds:
            await asyncio.sleep(0)
            yield SearchGroup(kinds[0], (SearchHit(kinds[0], "next", ""),), 2)
            return
        yield SearchGroup(SearchKind.MESSAGE, (SearchHit(SearchKind.MESSAGE, "first", ""),), 2, is_more=True)
        await self.go_on.wait()
        yield SearchGroup(SearchKind.THREAD, (), 1)

    async def state(self) -> Any:
        return SimpleNamespace(problem=None)


async def test_more_of_one_kind_does_not_end_the_search_for_the_others() -> None:
    search, tasks = _Search(), AsyncTasks(lambda _error: None)
    field = QLineEdit()
    results = Results(field)
    results.search("rain")
    panes = SimpleNamespace(commands=SimpleNamespace(bind=lambda *_what: None))
    binding = SearchBinding(
        SimpleNamespace(panes=panes, tasks=tasks, open_thread=None, settings=None, chats=None),  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        search=search,  # type: ignore[arg-type]
        library=None,  # type: ignore[arg-type]
        open_project=lambda _id: None,
        open_tag=lambda _id: None,
    )
    binding.search("rain", results)
    async with asyncio.timeout(PATIENCE_S):
        while not results.groups:
            await asyncio.sleep(0)
        binding.search_on(results, SearchKind.MESSAGE, "2")
        binding.search_on(results, SearchKind.MESSAGE, "2")  # a second press
        while len(results.groups[SearchKind.MESSAGE].hits) < 2:
            await asyncio.sleep(0)
        search.go_on.set()
        while not results.is_over:
            await asyncio.sleep(0)
    assert [hit.id for hit in results.groups[SearchKind.MESSAGE].hits] == ["first", "next"]
    assert SearchKind.THREAD in results.groups
    assert search.asked == [None, "2"]
    await tasks.close()
