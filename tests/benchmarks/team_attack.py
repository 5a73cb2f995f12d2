"""Members who do anything at all by direct SQL: how much of it, and what it came to. The goal is that nothing held gives."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.benchmarks.table import Row
from tests.helpers.postgres import cluster
from tests.helpers.team_attack import Attack
from tests.helpers.team_people import Team

#: In several workspaces: roles wander, and a world in which all were removed has nothing more to tell.
_EACH = 2_500


def attacking(_folder: Path, quick: bool) -> list[Row]:
    wanted = 10_000 if quick else 100_000
    server = cluster()
    begun, pushed, read, refused = time.perf_counter(), 0, 0, 0
    violations: list[str] = []
    for seed in range(wanted // _EACH):
        database = server.workspace_database()
        team = Team(database)
        report = Attack(team, seed).run(_EACH)
        team.close()
        server.drop(database)
        pushed, read = pushed + report.rows_pushed, read + report.rows_read
        refused += sum(report.refused.values())
        violations += [f"seed {seed}: {one}" for one in report.violations]
    for one in violations:
        print(one, file=sys.stderr)
    goal = "0 rows read or forged"
    return [
        Row("random operations by direct SQL", wanted, "", "100,000", quick or wanted >= 100_000),
        Row("  rows read or forged", len(violations), "", goal, not violations),
        Row("  projects read, as far as one may", read, "", "some", read > 0),
        Row("  changes taken", pushed, "", "some", pushed > 0),
        Row("  refusals", refused, "", "some", refused > 0),
        Row("  time", time.perf_counter() - begun, "s", "as it is", True),
    ]
