"""A real PostgreSQL for the tests of sync: a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.postgres import Cluster, TeamDatabase
from tests.helpers.team_people import Team


@pytest.fixture
def empty_database(postgres: Cluster) -> Iterator[TeamDatabase]:
    """A database in which nothing was set up, and its owner, who is no superuser."""
    made = postgres.empty_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def workspace(postgres: Cluster) -> Iterator[TeamDatabase]:
    """A database with a workspace in which the owner is the only member."""
    made = postgres.workspace_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def team(workspace: TeamDatabase) -> Iterator[Team]:
    """The members of a fresh workspace, by SQL."""
    made = Team(workspace)
    yield made
    made.close()
