"""Asking for more of one kind while the search still has others to bring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from chatdesk.core.domain.search import SearchGroup, SearchKind
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.features.search.search_binding import SearchBinding
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("qapp")


class _Search:
    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked: list[str | None] = []

    async def search(
        self, _text: str, *, kinds: tuple[SearchKind, ...] = (), cursor: str | None = None
    ) -> AsyncGenerator[SearchGroup, None]:
        self.asked.append(cursor)
        if kinds:
            await asyncio.sleep(0)
            yield SearchGroup(kinds[0], (), 2, is_more=False, elapsed_ms=0)
            return
        yield SearchGroup(SearchKind.MESSAGE, (), 2, is_more=True, elapsed_ms=0)
        await self.go_on.wait()
        yield SearchGroup(SearchKind.THREAD, (), 1, is_more=False, elapsed_ms=0)

    async def state(self) -> Any:
        return SimpleNamespace(problem=None)


async def test_more_of_one_kind_does_not_end_the_search_for_the_others() -> None:
    search, tasks = _Search(), AsyncTasks(lambda _error: None)
    shown: list[tuple[SearchKind, bool]] = []
    ended: list[str] = []

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
    binding.palette = SimpleNamespace(  # type: ignore[assignment]
        show_group=lambda _text, group, is_next_page=False: shown.append((group.kind, is_next_page)),
        finish=lambda text, _note: ended.append(text),
    )
    binding.search("rain")
    async with asyncio.timeout(PATIENCE_S):
        while not shown:
            await asyncio.sleep(0)
        binding.search_on("rain", SearchKind.MESSAGE, "2")
        binding.search_on("rain", SearchKind.MESSAGE, "2")  # a second press
        while len(shown) < 2:
            await asyncio.sleep(0)
        search.go_on.set()
        while not ended:
            await asyncio.sleep(0)
    assert shown == [(SearchKind.MESSAGE, False), (SearchKind.MESSAGE, True), (SearchKind.THREAD, False)]
    assert search.asked == [None, "2"]
    await tasks.close()
