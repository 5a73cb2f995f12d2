"""Random operations of members by direct SQL; 100,000 of them by ``python -m tests.benchmarks --only team-attack``."""

from __future__ import annotations

import pytest

from tests.helpers.postgres import Cluster
from tests.helpers.team_attack import Attack
from tests.helpers.team_people import Team


@pytest.mark.parametrize(("seed", "partitions"), [(1, 0), (2, 16)])
def test_random_operations_read_and_forge_nothing(postgres: Cluster, seed: int, partitions: int) -> None:
    database = postgres.workspace_database(partitions=partitions)
    team = Team(database)
    try:
        report = Attack(team, seed).run(1_000)
    finally:
        team.close()
        postgres.drop(database)
    assert report.violations == []
    assert report.rows_pushed > 30
    assert report.rows_read > 50
    assert {"CD005", "42501", "denied", "orphan", "id_taken"} <= set(report.refused)
