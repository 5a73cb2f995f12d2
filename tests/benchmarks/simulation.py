"""Rows of the simulation of a team: how many histories end well, what happened in them, and with a real server."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.table import Row
from tests.helpers.sync_sim.world import LONG, History

_HISTORIES, _REAL = 10_000, 200
_BATCH = 50


def simulating(folder: Path, is_quick: bool) -> list[Row]:
    """Every seed is a history; the first numbers of those that end badly are printed, and can be played alone."""
    histories, real = (200, 6) if is_quick else (_HISTORIES, _REAL)
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    wrong: list[int] = []
    with ProcessPoolExecutor(max(2, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        batches = range(0, histories, _BATCH)
        for found, its_counts in pool.map(_play, batches, [min(_BATCH, histories)] * len(batches)):
            wrong += found
            counts += its_counts
    took_s = time.perf_counter() - began
    really_wrong = _with_server(real)
    for name, seeds in (("of the model", wrong), ("of the real server", really_wrong)):
        if seeds:
            print(f"histories {name} that end badly: {seeds[:20]}", file=sys.stderr)
    print("\n".join(f"{number:9,} {what}" for what, number in counts.most_common()), file=sys.stderr)
    return [
        Row(f"{histories:,} histories of a team, of which badly end", len(wrong), "", "none", not wrong),
        Row("histories a second", histories / took_s, "/s", "as many as there are", True),
        Row(f"{real} histories with a real PostgreSQL, badly end", len(really_wrong), "", "none", not really_wrong),
    ]


def _play(first: int, number: int) -> tuple[list[int], Counter[str]]:
    wrong: list[int] = []
    counts: Counter[str] = Counter()
    for seed in range(first, first + number):
        history = History(seed, LONG if seed % 4 == 3 else None)  # every fourth one is of months
        try:
            found = history.play()
        except Exception as error:  # noqa: BLE001 - the seed is what counts
            found = [repr(error)]
        if found:
            wrong.append(seed)
            print(f"seed {seed}: {found[0][:200]}", file=sys.stderr)
        counts += history.counts
    return wrong, counts


def _with_server(number: int) -> list[int]:
    from tests.helpers.postgres import cluster
    from tests.helpers.sync_sim.real_world import RealHistory

    server = cluster()
    wrong = []
    for seed in range(number):
        try:
            found = RealHistory(seed, server).play()
        except Exception as error:  # noqa: BLE001 - the seed is what counts
            found = [repr(error)]
        if found:
            wrong.append(seed)
            print(f"seed {seed} with a real server: {found[0][:200]}", file=sys.stderr)
    return wrong
