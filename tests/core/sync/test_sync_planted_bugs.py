"""Mistakes that are known from systems like this one: the simulation finds each of them within a few seeds."""

from __future__ import annotations

import pytest

from tests.helpers.examples import sample
from tests.helpers.sync_sim.planted_bugs import BUGS, Bug
from tests.helpers.sync_sim.world import History

SEEDS = 40


@pytest.mark.parametrize("bug", sample(BUGS, 7), ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    seed = next((seed for seed in range(bug.first, bug.first + SEEDS) if bug.is_found_by(seed)), None)
    assert seed is not None, f"{SEEDS} histories do not show it"
    assert History(seed, bug.mix).play() == [], "what was found is not the planted bug"


def test_there_are_at_least_ten() -> None:
    assert len({bug.name for bug in BUGS}) >= 10
