"""After a restore nobody's words are replaced, and nobody's are under another's name: 6 histories of it in `make test`,
15 in `make test-long`, 200 by ``python -m tests.benchmarks --only team-attack``."""

from __future__ import annotations

import pytest

from tests.helpers.examples import examples
from tests.helpers.postgres import Cluster
from tests.helpers.sync_sim.hostile_restore import HostileRestore
from tests.helpers.sync_sim.real_world import RealHostileRestore


def test_whoever_fills_what_a_restored_server_lost_replaces_nobody_s_words() -> None:
    forged = 0
    for seed in range(examples(30)):
        history = HostileRestore(seed)
        assert history.play() == [], seed
        forged += history.counts["forged"]
    assert forged > 100


@pytest.mark.parametrize("seed", [1, 9])
def test_nor_on_a_real_server(postgres: Cluster, seed: int) -> None:
    history = RealHostileRestore(seed, postgres)
    assert history.play() == []
    assert history.counts["forged"] > 0
