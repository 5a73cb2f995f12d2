"""The window on Wayland, and at the fractional scales of desktops: everything opens, nothing is cut off, nothing is
complained about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.waiting import wait_until

ROOT = Path(__file__).parents[2]
_SOCKET = "wayland-test"
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("weston") is None,
    reason="weston, a Wayland compositor, is not installed (make deps names it)",
)


@pytest.fixture
def compositor(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A compositor without a screen; what a program on it needs in its environment."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(tmp_path)}
    command = ["weston", "--backend=headless-backend.so", f"--socket={_SOCKET}", "--no-config", "--idle-time=0"]
    with (tmp_path / "weston.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--width=1400", "--height=900"], env=environment, stdout=log, stderr=log, cwd=tmp_path
        )
        try:
            wait_until(lambda: (runtime / _SOCKET).exists() or process.poll() is not None)
            assert process.poll() is None, (tmp_path / "weston.log").read_text(encoding="utf-8", errors="replace")
            yield {**environment, "WAYLAND_DISPLAY": _SOCKET, "QT_QPA_PLATFORM": "wayland"}
        finally:
            process.terminate()
            process.wait()


@pytest.mark.parametrize("scale", ["1", "1.25", "1.5", "1.75"])
def test_everything_opens_and_nothing_is_cut_off(compositor: dict[str, str], tmp_path: Path, scale: str) -> None:
    folder = tmp_path / "walk"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.wayland_walk", str(folder)],
        cwd=ROOT, env={**compositor, "QT_SCALE_FACTOR": scale}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"platform": "wayland", "ratio": float(scale), "cut": {}, "outside": []}
