"""A real PostgreSQL for the tests of sync: a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_people import Team


@pytest.fixture
def team(workspace: TeamDatabase) -> Iterator[Team]:
    """The members of a fresh workspace, by SQL."""
    made = Team(workspace)
    yield made
    made.close()
