"""Rows of the library: starting, scrolling and filtering with very many threads, and pages deep in their lists."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.benchmarks.foundation import _FILL, start
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against

_MOST_RATIO = 1.15
_PROJECT = "the project that is there"


def many_threads(folder: Path, is_quick: bool) -> list[Row]:
    """Starts in turn, few and many, so that a drifting machine drifts for both."""
    many = 10_000 if is_quick else 100_000
    few_dir, many_dir = folder / "few", folder / "many"
    for directory, count in ((few_dir, 100), (many_dir, many)):
        directory.mkdir(parents=True)
        python("-c", _FILL, str(directory / "chatdesk.db"), str(count), "1")
    rows = _starts(few_dir, many_dir, many, rounds=3 if is_quick else 9)
    rows += _slices(many_dir, many)
    rows.append(_kills(folder / "killed", 12 if is_quick else 50))
    return rows + asyncio.run(_pages(few_dir, many_dir, many))


def _starts(few: Path, many: Path, count: int, *, rounds: int) -> list[Row]:
    typing: dict[Path, list[float]] = {few: [], many: []}
    listing: dict[Path, list[float]] = {few: [], many: []}
    for number in range(rounds + 1):
        for directory in (few, many):
            typed = start("app", str(directory))
            printed = python("-m", "tests.benchmarks.library_probe", repr(time.monotonic()), str(directory), "list")
            listed = json.loads(printed[printed.index("{") :])
            if number:  # the first warms the file cache
                typing[directory].append(typed["cpu_seconds"] * 1000)
                listing[directory].append(listed["cpu_seconds"] * 1000)
    return [
        against(
            f"{what}, {count:,} threads against 100 (CPU)",
            statistics.median(times[many]),
            statistics.median(times[few]),
            unit="ms",
            most=_MOST_RATIO,
            goal="within 15 %",
        )
        for what, times in (("start to typing", typing), ("start to the list", listing))
    ]


def settings(folder: Path, is_quick: bool) -> list[Row]:
    """Return the rows of opening the settings and each of their pages, the median of some windows."""
    found = []
    for number in range(3 if is_quick else 9):
        printed = python("-m", "tests.benchmarks.settings_probe", str(folder / str(number)))
        found.append(json.loads(printed[printed.index('{"turns_ms') :])["turns_ms"])
    turns = {page: statistics.median(each[page] for each in found) for page in found[0]}
    return [
        Row(f"settings, {page}: largest turn of the loop (CPU)", turn, "ms", "none above 8 ms", turn <= 8)
        for page, turn in turns.items()
    ]


def _slices(folder: Path, count: int) -> list[Row]:
    printed = python("-m", "tests.benchmarks.library_probe", repr(time.monotonic()), str(folder), "way")
    found = json.loads(printed[printed.index("{") :])
    rows = []
    for name in ("scroll", "come in", "filter"):
        slices = sorted(found[name]["cpu_ms"])
        p99 = slices[int(len(slices) * 0.99)]
        label = f"GUI slice (CPU), {name}, {count:,} threads"
        rows.append(Row(f"{label}, p99", p99, "ms", "below 8 ms", p99 < 8))
        rows.append(Row(f"{label}, largest", slices[-1], "ms", "none above 8 ms", slices[-1] <= 8))
    return rows


def _kills(folder: Path, cycles: int) -> Row:
    folder.mkdir(parents=True)
    found = json.loads(python("-m", "tests.helpers.killed_purges", str(folder), str(cycles), str(int(time.time()))))
    lost = len(found["problems"])
    return Row(f"kill -9 x {cycles} while threads are removed for good", lost, "lost", "nothing lost", lost == 0)


async def _pages(few: Path, many: Path, count: int) -> list[Row]:
    """The second page of each kind of list costs what it costs in a short list. Asked in turn, the best of each: another
    program's work is no list's."""
    databases = {folder: await _open(folder) for folder in (few, many)}
    try:
        rows = []
        for name, query in {
            "by activity": ThreadQuery(),
            "by name": ThreadQuery(order="name"),
            "by activity, one project": ThreadQuery(project_id=_PROJECT),
            "by name, one project": ThreadQuery(project_id=_PROJECT, order="name"),
        }.items():
            best = {folder: await _times(db, query) for folder, db in databases.items()}
            for folder, db in databases.items():
                best[folder] = min(best[folder], await _times(db, query))
            label = f"page of 50, {name}, {count:,} threads against 100"
            rows.append(against(label, best[many], best[few], unit="ms", most=2.0, goal="at most twice"))
        return rows
    finally:
        for db in databases.values():
            await db.close()


async def _open(folder: Path) -> Database:
    db = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await db.open()
    return db


async def _times(db: Database, query: ThreadQuery) -> float:
    if query.project_id == _PROJECT:
        project = await db.read(lambda conn: conn.exec_driver_sql("SELECT id FROM projects").scalar_one())
        query = replace(query, project_id=project)
    library = LibraryRepository(db)
    first = await library.page(query, limit=49, cursor=None)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        await library.page(query, limit=50, cursor=first.next_cursor)
        times.append((time.perf_counter() - began) * 1000)
    return min(times)
