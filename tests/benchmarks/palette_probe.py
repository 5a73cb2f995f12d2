"""Searching everything through the whole application: from a changed text to painted hits, and to an opened message.

``palette_probe DATA QUERIES [THREAD]``; QUERIES is a JSON list of texts. Wall and GUI processor time in ms; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from functools import partial
from typing import Any

from PySide6.QtTest import QTest

from chatdesk.app import run_window
from chatdesk.core.domain.search import SearchHit, SearchKind
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.widgets.found.row_delegate import RowDelegate
from chatdesk.ui.widgets.found.rows import FoundRow, RowKind
from tests.benchmarks.loop_probe import LoopProbe
from tests.benchmarks.reading_probe import Paints

_OPENINGS = 15
_READING_S = 2.0  # nobody opens the next one while this thread is still being searched for the words
_LONGEST_S = 20
_LOOK_S = 0.02


class PaintedHits:
    """When a message was last painted in the palette."""

    def __init__(self) -> None:
        self.at: tuple[float, float] | None = None
        paint = RowDelegate.paint

        def watched(delegate: RowDelegate, painter: Any, option: Any, index: Any) -> None:
            paint(delegate, painter, option, index)
            row: FoundRow = index.data(256)
            if row.kind is RowKind.HIT and isinstance(row.value, SearchHit) and row.value.kind is SearchKind.MESSAGE:
                self.at = self.at or (time.perf_counter(), time.thread_time())

        RowDelegate.paint = watched  # type: ignore[method-assign]


async def searching(application: Any, painted: PaintedHits, queries: list[str]) -> dict[str, Any]:
    """Each query is set at once in an empty box, as a paste would; then typed key by key for the slices."""
    application.panes.commands.trigger("go.search")
    palette = application.bindings.search.palette
    found: dict[str, dict[str, float]] = {}
    await asyncio.sleep(0.5)
    for text in queries:
        palette.field.clear()
        await asyncio.sleep(0.15)
        painted.at = None
        wall, cpu = time.perf_counter(), time.thread_time()
        palette.field.setText(text)
        async with asyncio.timeout(_LONGEST_S):
            while painted.at is None and not (palette.results.is_over and palette.results.searched == text):
                await asyncio.sleep(_LOOK_S)  # looking all the time would take the interpreter from the search
        at = painted.at or (time.perf_counter(), time.thread_time())
        found[text] = {"wall_ms": (at[0] - wall) * 1000, "cpu_ms": (at[1] - cpu) * 1000}
        async with asyncio.timeout(_LONGEST_S):
            while not palette.results.is_over:
                await asyncio.sleep(_LOOK_S)
        found[text]["whole_ms"] = (time.perf_counter() - wall) * 1000
    with LoopProbe() as probe:
        for text in queries[:10]:
            palette.field.clear()
            for letter in text:
                QTest.keyClick(palette.field, letter)
                await asyncio.sleep(0.03)
    palette.reject()
    return {"queries": found, "slices_ms": probe.cpu_ms}


async def opening(application: Any, paints: Paints, thread_id: str) -> list[dict[str, float]]:
    """Messages anywhere in a long thread, each from another thread, as Enter on a hit opens them."""
    services = await application.services()
    with closing(sqlite3.connect(f"file:{services.paths.database}?mode=ro", uri=True)) as conn:
        ids = [row[0] for row in conn.execute("SELECT id FROM messages WHERE thread_id = ?", (thread_id,))]
    found = []
    view = application.panes.transcript
    for message_id in random.Random(3).sample(ids, _OPENINGS):
        await application.threads.open(None)
        await asyncio.sleep(0.1)
        hit = SearchHit(SearchKind.MESSAGE, message_id, "", needle="the", thread_id=thread_id, message_id=message_id)
        wall, cpu = time.perf_counter(), time.thread_time()
        application.bindings.search.show_hit(hit)
        await paints.until(
            lambda id_=message_id: any(each.entry.message.id == id_ for each in view.parts.layout.placed)
        )
        found.append({"wall_ms": (time.perf_counter() - wall) * 1000, "cpu_ms": (paints.cpu_s - cpu) * 1000})
        await asyncio.sleep(_READING_S)
    return found


async def measure(application: Any, painted: PaintedHits, paints: Paints, queries: list[str], thread: str) -> int:
    services = await application.services()
    async with asyncio.timeout(600):
        while not (await services.search.state()).is_whole:
            await asyncio.sleep(0.5)
    await asyncio.sleep(1.0)
    result = await searching(application, painted, queries)
    if thread:
        result["openings"] = await opening(application, paints, thread)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    data, queries, *rest = sys.argv[1:]
    script = partial(
        measure, painted=PaintedHits(), paints=Paints(), queries=json.loads(queries), thread=rest[0] if rest else ""
    )
    sys.exit(run_window(AppPaths.find(data), Settings(), script=script))
