"""Rows of two windows on one team over loopback: from Enter in one to the paint in the other."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chatdesk.core.paths import AppPaths
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row
from tests.helpers.postgres import TeamDatabase, cluster
from tests.helpers.team_world import desks, until_same

_MOST_MS = 150.0
_TRIPS = 200


def appearing(folder: Path, is_quick: bool) -> list[Row]:
    """Two processes, each with a window; what one asks, the other shows."""
    folder.mkdir(parents=True)
    count = 12 if is_quick else 40
    server = cluster()
    team = server.workspace_database()
    try:
        thread_id, logins = asyncio.run(_prepared(folder, team))
        signals = folder / "signals"
        signals.mkdir()
        roles = ("asks", "looks")
        with ThreadPoolExecutor(2) as pool:
            running = [
                pool.submit(
                    python,
                    "-m",
                    "tests.benchmarks.team_latency_probe",
                    str(folder / role),
                    thread_id,
                    str(signals),
                    role,
                    str(count),
                    more=login,
                )
                for role, login in zip(roles, logins, strict=True)
            ]
            sent, seen = (json.loads(each.result()) for each in running)
        trip_ms = _trip_ms(team)
    finally:
        server.drop(team)
    late_ms = sorted((seen["times"][text] - at) / 1e6 for text, at in sent["times"].items() if text in seen["times"])
    missing = count - len(late_ms)
    median = statistics.median(late_ms) if late_ms else float("inf")
    return [
        Row(
            "Enter in one window to the paint in another (median)",
            median,
            "ms",
            f"at most {_MOST_MS:.0f} ms; yardstick: one call to the same server",
            median <= _MOST_MS,
            trip_ms,
            median / trip_ms,
        ),
        Row(
            "the same, 95th percentile",
            late_ms[int(len(late_ms) * 0.95)] if late_ms else float("inf"),
            "ms",
            "told only",
            True,
        ),
        Row(f"of {count} questions never shown", float(missing), "", "0", missing == 0),
        # A goal of ``team-idle``, where the cores have less to do besides.
        Row("slices of the looking window meanwhile (99th percentile)", seen["p99_ms"], "ms", "told only", True),
    ]


async def _prepared(folder: Path, team: TeamDatabase) -> tuple[str, list[str]]:
    """Two profiles that share a thread, closed again, and their variables."""
    variables: list[dict[str, str]] = []
    async with desks(folder / "made", team, ["looks"]) as (project, both):
        thread_id = await both[0].thread(project, "This evening")
        await both[0].ask(thread_id, "Are you there?")
        await until_same(project, both)
        for desk in both:
            variables.append(desk.variables())
    for desk, role in zip(both, ("asks", "looks"), strict=True):
        paths = AppPaths.find(folder / role)
        paths.make_directories()
        for file in desk.folder.iterdir():
            file.rename(paths.data_dir / file.name)
    return thread_id, variables


def _trip_ms(team: TeamDatabase) -> float:
    with team.connect() as conn:
        taken = []
        for _ in range(_TRIPS):
            began = time.perf_counter()
            conn.execute("SELECT 1")
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
