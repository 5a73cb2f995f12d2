"""kill -9 at a random moment of an answer: nothing that was acknowledged or shown is lost, no call is repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# `make test-long` kills more often, and `make bench` hundreds of times.
CYCLES = int(os.environ.get("CHATDESK_KILLS", "20"))
KILLED_CALLS = CYCLES // 4
_SEED = os.environ.get("CHATDESK_FIRST_SEED", "20260601")


def _killed(program: str, folder: Path, cycles: int) -> Any:
    run = subprocess.run(
        [sys.executable, "-m", f"tests.helpers.{program}", str(folder), str(cycles), _SEED],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


@pytest.mark.timeout(300)
def test_nothing_is_lost_by_killing_the_process_while_it_streams(tmp_path: Path) -> None:
    tally = _killed("killed_turns", tmp_path, CYCLES)
    assert tally["problems"] == []
    assert tally["cycles"] == CYCLES
    assert tally["acknowledged"] > 0 and tally["shown_characters"] > 0 and tally["killed_while_streaming"] > 0


@pytest.mark.timeout(300)
def test_a_call_that_was_cut_off_is_shown_as_unknown_and_never_repeated(tmp_path: Path) -> None:
    tally = _killed("killed_calls", tmp_path, KILLED_CALLS)
    assert tally["problems"] == []
    assert tally["kills"] == KILLED_CALLS <= tally["calls"] and tally["unknown"] > 0
