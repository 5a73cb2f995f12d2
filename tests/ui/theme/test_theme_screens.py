"""A window that is moved to a screen of another scale is as sharp there as one that was opened on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.two_screens import environment_of

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "samples",
    [
        "desktop_samples",
        "data_samples",
        "sidebar_samples",
        "palette_samples",
        "transcript_samples",
        "inspector_samples",
        "drawn_picture_samples",
    ],
)
def test_a_window_is_sharp_on_both_screens(tmp_path: Path, samples: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.helpers.two_screens", samples],
        cwd=ROOT,
        env={**os.environ, **environment_of(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["count"] > 0
    assert found["wrong"] == {}
