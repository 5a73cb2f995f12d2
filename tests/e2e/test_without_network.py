"""A second start with the network cut: everything works, and nothing waits for an address."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _can_cut_the_network() -> bool:
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _can_cut_the_network(), reason="needs the right to make a network namespace")
def test_a_second_start_without_network_plays_a_turn(tmp_path: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    command = [sys.executable, "-m", "chatdesk", "--data-dir", str(tmp_path)]
    for prefix in ([], ["unshare", "-n"]):
        done = subprocess.run(
            [*prefix, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        assert "Status: complete." in done.stdout
        assert "Traceback" not in done.stderr
    assert (tmp_path / "demonstration.png").stat().st_size > 10_000


@pytest.mark.skipif(not _can_cut_the_network(), reason="needs the right to make a network namespace")
def test_set_up_that_is_done_needs_no_network() -> None:
    """What `make run` does before it opens the window; where set-up was never done there is nothing to show."""
    if not (ROOT / ".venv" / "chatdesk-set-up.json").exists():
        pytest.skip("this checkout was not set up by make")
    command = ["unshare", "-n", sys.executable, str(ROOT / "packaging" / "set_up.py"), "run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
