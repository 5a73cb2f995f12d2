"""A purge that is killed loses nothing, shows nothing half done, and is finished by the next."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_purges_that_are_killed_leave_whole_threads_or_none(tmp_path: Path) -> None:
    # In a process of its own, because it forks.
    printed = subprocess.run(
        [sys.executable, "-m", "tests.helpers.killed_purges", str(tmp_path), "12", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    found = json.loads(printed)
    assert found["problems"] == []
    assert found["killed"] > 0
