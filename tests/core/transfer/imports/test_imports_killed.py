"""An import that is killed leaves what is whole, and the next one goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.examples import examples

ROOT = Path(__file__).parents[4]


@pytest.mark.skipif(sys.platform != "linux", reason="forks and kills")
def test_nothing_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    kills = examples(12)  # all in `make test-long`
    command = [sys.executable, "-m", "tests.helpers.killed_imports", str(tmp_path), str(kills), "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=True)
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["cycles"] == kills
