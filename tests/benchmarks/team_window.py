"""Rows of a shared thread in the window: what arrives from others costs no frame."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row


def arriving(folder: Path, is_quick: bool) -> list[Row]:
    """Beside an answer of one's own in the same run."""
    count = 200 if is_quick else 1_000
    found = json.loads(python("-m", "tests.benchmarks.team_window_probe", str(folder), str(count)))
    own = _p99(found.pop("an answer of one's own"))
    rows = []
    for name, slices in found.items():
        p99 = _p99(slices)
        label = f"turn of the loop while others' messages arrive {name}, p99"
        rows.append(Row(label, p99, "ms", "at most 8 ms; yardstick: an answer of one's own", p99 <= 8, own, p99 / own))
    return rows


def _p99(slices: list[float]) -> float:
    return sorted(slices)[int(len(slices) * 0.99)]
