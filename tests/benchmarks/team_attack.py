"""Members who do anything at all by direct SQL: at random, out of old snapshots, with locks that they hold, and with what a
restored server lost. The goal is that nothing held gives, in whole tables and in divided ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.table import Row
from tests.helpers import postgres_binaries, team_attack_locks
from tests.helpers.postgres import Cluster, cluster
from tests.helpers.sync_sim.hostile_restore import HostileRestore
from tests.helpers.sync_sim.real_world import RealHostileRestore
from tests.helpers.team_attack import Attack
from tests.helpers.team_people import Team

# In several workspaces: roles wander, and a world in which all were removed has nothing more to tell.
_EACH = 2_500
_PARTITIONS = 16
_ROLES = (None, "viewer", "editor", "admin", "owner")


def attacking(_folder: Path, quick: bool) -> list[Row]:
    rows = _random_operations(10_000 if quick else 100_000, is_quick=quick)
    for binaries in postgres_binaries.found():
        server = cluster(binaries.version)
        rows.append(_gives(f"old snapshots, PostgreSQL {server.version}", _old_snapshots(server)))
        rows.append(
            _gives(f"held locks, PostgreSQL {server.version}", _held_locks(server, _ROLES[: 2 if quick else 5]))
        )
        if quick:
            break
    rows.append(_restores(40 if quick else 200, lambda seed: HostileRestore(seed), "the model of the server"))
    rows.append(_restores(2 if quick else 20, lambda seed: RealHostileRestore(seed, cluster()), "PostgreSQL"))
    return rows


def _random_operations(wanted: int, *, is_quick: bool) -> list[Row]:
    begun, pushed, read, refused = time.perf_counter(), 0, 0, 0
    violations: list[str] = []
    for seed in range(wanted // _EACH):
        with _team(cluster(), partitions=_PARTITIONS if seed % 2 else 0) as team:
            report = Attack(team, seed).run(_EACH)
        pushed, read = pushed + report.rows_pushed, read + report.rows_read
        refused += sum(report.refused.values())
        violations += [f"seed {seed}: {one}" for one in report.violations]
    _complain(violations)
    title = f"random operations by direct SQL, half of them on {_PARTITIONS} partitions"
    return [
        Row(title, wanted, "", "100,000", is_quick or wanted >= 100_000),
        Row("  rows read or forged", len(violations), "", "0 rows read or forged", not violations),
        Row("  projects read, as far as one may", read, "", "some", read > 0),
        Row("  changes taken", pushed, "", "some", pushed > 0),
        Row("  refusals", refused, "", "some", refused > 0),
        Row("  time", time.perf_counter() - begun, "s", "as it is", True),
    ]


def _old_snapshots(server: Cluster) -> list[str]:
    found = []
    for partitions in (0, _PARTITIONS):
        for attack in (team_attack_locks.stale_calls, team_attack_locks.stale_rights):
            with _team(server, partitions=partitions) as team:
                found += attack(team)
    return found


def _held_locks(server: Cluster, roles: tuple[str | None, ...]) -> list[str]:
    found = []
    for number, role in enumerate(roles):
        with _team(server, partitions=_PARTITIONS if number % 2 else 0) as team:
            found += team_attack_locks.held_up(team, role)
    return found


def _restores(count: int, made: Callable[[int], HostileRestore], where: str) -> Row:
    wrong = []
    for seed in range(count):
        wrong += [f"seed {seed}: {line}" for line in made(seed).play()]
    _complain(wrong)
    title = f"words replaced or misattributed in {count} restores with a hostile editor, {where}"
    return Row(title, len(wrong), "", "0", not wrong)


def _gives(what: str, found: list[str]) -> Row:
    _complain(found)
    return Row(f"  what gives to {what}", len(found), "", "0", not found)


def _complain(found: list[str]) -> None:
    for one in found:
        print(one, file=sys.stderr)


@contextmanager
def _team(server: Cluster, *, partitions: int) -> Iterator[Team]:
    database = server.workspace_database(partitions=partitions)
    team = Team(database)
    try:
        yield team
    finally:
        team.close()
        server.drop(database)
