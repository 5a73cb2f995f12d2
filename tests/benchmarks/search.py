"""Rows of searching: first pages against bare FTS5, a newer search after an older, the index's size and price."""

from __future__ import annotations

import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against
from tests.benchmarks.transcript import filled_threads

_GOALS = {"rare": 50, "middling": 50, "common": 150}


def searching(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    threads = 2_000 if is_quick else 20_000
    rounds = 15 if is_quick else 40
    found = json.loads(
        python(
            "-m", "tests.benchmarks.search_probe", str(folder / "chatdesk.db"), str(threads), str(rounds)
        ).splitlines()[-1]
    )
    rows = []
    for name, most_ms in _GOALS.items():
        label = f"two {name} words ({found[name]['hits']}), {threads * 50:,} messages"
        value, bare = found[name]["ours_ms"], found[name]["bare_ms"]
        rows.append(against(f"{label}, against bare", value, bare, unit="ms", most=1.5, goal="at most 1.5 bare FTS5"))
        # A search changes threads twice, for which a busy machine makes it wait; what it costs does not depend on that.
        cpu, bare_cpu = found[name]["ours_cpu_ms"], found[name]["bare_cpu_ms"]
        rows.append(against(f"{label}, CPU", cpu, bare_cpu, unit="ms", most=1.5, goal="at most 1.5 bare FTS5, CPU"))
        rows.append(Row(f"{label}, at the service", value, "ms", f"below {most_ms} ms", value < most_ms))
    rows += _painted(folder, found)
    newer = found["newer_ms"]
    rows.append(Row("a search that ends a common one", newer, "ms", "below 50 ms", newer < 50))
    filled = json.loads(python("-m", "tests.benchmarks.search_probe", str(folder / "chatdesk.db")).splitlines()[-1])
    batch = filled["batch_ms"]
    rows.append(
        Row(f"filling, {filled['per_second']:,.0f} messages/s: longest batch", batch, "ms", "below 250 ms", batch < 250)
    )
    return rows


def opening(folder: Path, is_quick: bool) -> list[Row]:
    """A result opened from another thread, until its message is painted."""
    size = 2_000 if is_quick else 100_000
    threads = asyncio.run(filled_threads(folder, (size,)))
    found = _palette(folder, ["index"], threads[size])["openings"]
    wall = statistics.median(each["wall_ms"] for each in found)
    cpu = statistics.median(each["cpu_ms"] for each in found)
    name = f"open a result in {size:,} messages, first paint at it"
    return [
        Row(name, wall, "ms", "at most 150 ms", wall <= 150),
        Row(f"{name} (GUI thread, CPU)", cpu, "ms", "at most 150 ms", cpu <= 150),
    ]


def _painted(folder: Path, found: dict[str, Any]) -> list[Row]:
    """The same queries through the window, from the changed text to painted messages."""
    queries = [text for name in _GOALS for text in found[name]["queries"]]
    seen = _palette(folder, queries)
    rows = []
    for name, most in _GOALS.items():
        value = statistics.median(seen["queries"][text]["wall_ms"] for text in found[name]["queries"])
        rows.append(Row(f"two {name} words as painted", value, "ms", f"below {most} ms", value < most))
    slices = sorted(seen["slices_ms"])
    rows.append(
        Row("slice while a query is typed, largest (GUI thread, CPU)", slices[-1], "ms", "16 ms", slices[-1] < 16)
    )
    return rows


def _palette(folder: Path, queries: list[str], *thread: str) -> dict[str, Any]:
    printed = python("-m", "tests.benchmarks.palette_probe", str(folder), json.dumps(queries), *thread)
    result: dict[str, Any] = json.loads(printed[printed.index('{"queries') :])
    return result


def keeping(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    arguments = ("400", "60") if is_quick else ("2000", "400")
    found = json.loads(python("-m", "tests.benchmarks.search_price_probe", str(folder), *arguments).splitlines()[-1])
    goal = "at most 30 % more"
    return [
        against(
            f"database with index, {found['messages']:,} messages",
            found["database_mb"],
            found["bare_mb"],
            unit="MB",
            most=1.2,
            goal="at most 1.2 times rows and bare index",
        ),
        against("writing a question", found["question_ms"], found["bare_question_ms"], unit="ms", most=1.3, goal=goal),
        against("writing an answered turn", found["turn_ms"], found["bare_turn_ms"], unit="ms", most=1.3, goal=goal),
    ]
