"""What a window keeps of each turn for as long as it is open."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against


def keeping(folder: Path, is_quick: bool) -> list[Row]:
    turns, every = (300, 50) if is_quick else (2_000, 200)
    found = json.loads(python("-m", "tests.benchmarks.kept_memory_probe", str(folder), str(turns), str(every)))
    first, last = found["kib"][len(found["kib"]) // 2 - 1], found["kib"][-1]
    kept = (last - first) * 1024 / (turns // 2)
    stored = found["database_bytes"] / turns
    name = f"memory kept of a turn, caches full, turns {turns // 2:,} to {turns:,}, against its bytes on the disk"
    return [against(name, kept, stored, unit="B", most=1.0, goal="at most what a turn takes on the disk")]
