"""kill -9 in the middle of backups, restores, purges and upgrades; ``make bench`` does it fifty times each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", ["backup", "restore", "purge", "upgrade"])
def test_a_kill_loses_nothing(tmp_path: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killed_upkeep", str(tmp_path / kind), kind, "4", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    tally = json.loads(done.stdout)
    assert tally["cycles"] == 4
    assert tally["problems"] == []
