"""Two members of a team, in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.sync_sim.pair import Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    for profile in (made.ann, made.bob):
        profile.db.close()
