"""kill -9 at a random moment of a streamed answer: nothing that was acknowledged or shown is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CYCLES = 50


@pytest.mark.timeout(300)
def test_nothing_is_lost_by_killing_the_process_while_it_streams(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killed_turns", str(tmp_path), str(CYCLES), "20260601"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    tally = json.loads(run.stdout)
    assert tally["problems"] == []
    assert tally["cycles"] == CYCLES
    assert tally["acknowledged"] > 0 and tally["shown_characters"] > 0 and tally["killed_while_streaming"] > 0
