"""Rows of searching: first pages against bare FTS5, a newer search after an older, the index's size and price."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against


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
    for name, most_ms in (("rare", 50), ("middling", 50), ("common", 150)):
        label = f"two {name} words ({found[name]['hits']}), {threads * 50:,} messages"
        value, bare = found[name]["ours_ms"], found[name]["bare_ms"]
        rows.append(against(f"{label}, against bare", value, bare, unit="ms", most=1.5, goal="at most 1.5 bare FTS5"))
        rows.append(Row(f"{label}, at the service", value, "ms", f"below {most_ms} ms", value < most_ms))
    newer = found["newer_ms"]
    rows.append(Row("a search that ends a common one", newer, "ms", "below 50 ms", newer < 50))
    batch = found["batch_ms"]
    rows.append(
        Row(f"filling, {found['per_second']:,.0f} messages/s: longest batch", batch, "ms", "below 250 ms", batch < 250)
    )
    return rows


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
