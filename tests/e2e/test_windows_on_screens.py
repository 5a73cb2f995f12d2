"""Windows come back on the screen where they were left, of whatever scale, and on another one where that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.two_screens import environment_of
from tests.helpers.windows_on_screens import SIZE

ROOT = Path(__file__).parents[2]


def play(what: str, folder: Path, *, is_plugged_in: bool) -> dict[str, Any]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    if is_plugged_in:
        environment |= environment_of(folder)
    ran = subprocess.run(
        [sys.executable, "-m", "tests.helpers.windows_on_screens", what, str(folder / "profile")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert found["cut"] == []
    return found


def test_a_window_comes_back_on_its_screen_else_on_one_that_is_there(tmp_path: Path) -> None:
    left = play("leave", tmp_path, is_plugged_in=True)
    assert (left["screen"], left["ratio"], tuple(left["size"])) == ("two", 2.0, SIZE)
    back = play("find", tmp_path, is_plugged_in=True)
    assert (back["place"], back["size"], back["screen"]) == (left["place"], left["size"], "two")
    alone = play("find", tmp_path, is_plugged_in=False)
    assert alone["screen"] != "two"
    assert alone["is_on_screen"]
