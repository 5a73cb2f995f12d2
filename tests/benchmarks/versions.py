"""Rows of versions: switching at the top of a long path, branching a long thread, and reading it as a tree."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.storage.chat.outlines import OutlineRepository
from chatdesk.core.storage.chat.paths import PathRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.benchmarks.answers import message_text
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against
from tests.helpers.bulk_data import load_many


def switching(folder: Path, is_quick: bool) -> list[Row]:
    """From the press on ‹ or › to the end of the first paint of the other path, in the whole application; the yardstick
    is a path of 20 messages."""
    long = 1_000 if is_quick else 10_000
    folder.mkdir(parents=True)
    asyncio.run(_fill(folder, {"short": 20, "long": long}))
    found = {}
    for name in ("short", "long"):
        thread, first, second = (folder / f"{name}.txt").read_text(encoding="utf-8").split()
        printed = python("-m", "tests.benchmarks.versions_probe", str(folder), thread, first, second)
        found[name] = json.loads(printed[printed.index("{") :])
    rows = []
    for key, what in (("cpu_ms", "GUI thread, CPU"), ("wall_ms", "by the clock")):
        value, yardstick = (statistics.median(found[name][key]) for name in ("long", "short"))
        name = f"switch a version above {long:,} messages, first paint ({what})"
        rows.append(Row(name, value, "ms", "at most 100 ms", value <= 100, yardstick, value / yardstick))
    return rows + asyncio.run(_at_storage(folder, long))


async def _fill(folder: Path, sizes: dict[str, int]) -> None:
    """Threads whose first question has two versions: one with everything below it, one with an answer."""
    db = await _open(folder)
    try:
        messages = MessageRepository(db)
        for name, size in sizes.items():
            (thread,) = await load_many(db, threads=1, messages_per_thread=size, text_of=message_text)
            first = (await messages.page(thread, limit=1, at=0)).messages[0].id
            second, _, _ = await messages.add_question_version(first, "The other way to ask it", None)
            (folder / f"{name}.txt").write_text(f"{thread} {first} {second.id}", encoding="utf-8")
    finally:
        await db.close()


async def _at_storage(folder: Path, long: int) -> list[Row]:
    """Branching and the tree cost what their messages cost: against a thread of a tenth of the length. In processor time,
    because a busy machine interrupts long work more often than short."""
    db = await _open(folder)
    try:
        messages = MessageRepository(db)
        found: dict[str, dict[int, float]] = {"branch": {}, "read the tree of": {}}
        for size in (long // 10, long):
            (thread,) = await load_many(db, threads=1, messages_per_thread=size, text_of=message_text)
            last = (await messages.page(thread, limit=1)).messages[0].id
            found["branch"][size] = await _best(lambda last=last: PathRepository(db).branch(last, "Branch"))
            found["read the tree of"][size] = await _best(
                lambda thread=thread: OutlineRepository(db).tree(thread, preview=120)
            )
    finally:
        await db.close()
    return [
        against(
            f"{what} {long:,} messages (CPU)",
            by_size[long],
            by_size[long // 10],
            unit="ms",
            most=14,
            goal=f"at most 14 times that of {long // 10:,}",
        )
        for what, by_size in found.items()
    ]


async def _best(act: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        await act()
        times.append((time.process_time() - began) * 1000)
    return min(times)


async def _open(folder: Path) -> Database:
    db = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await db.open()
    return db
