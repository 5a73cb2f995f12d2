"""PySide6 6.12.0 on Python 3.10 and 3.11 loses references to ``None`` or ``True`` at these calls and dies after some
thousand. The pin in pyproject.toml keeps it out; this notices when a pin, or a new release, lets it in again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.helpers.lost_references import ROUNDS


def test_qt_calls_do_not_lose_references() -> None:
    # In a process of its own: here other tests' windows may go in the meantime, with thousands of references.
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.lost_references"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lost = json.loads(done.stdout)
    assert lost and all(count < ROUNDS // 10 for count in lost.values()), lost
