"""Who runs the tests sees where a process of theirs died, though the window has crash reports of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TEST = """
import ctypes, resource
from chatdesk.core.paths import AppPaths
from tests.helpers.window import play

def test_it(tmp_path, qapp):
    async def script(application):
        await application.services()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        ctypes.string_at(0)
    play(AppPaths.find(tmp_path / "profile", {}), script)
"""


def test_the_trace_of_a_crash_in_an_open_window_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(_TEST)
    options = ("-n", "1", "--max-worker-restart=0", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base"))
    died = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert "crashed while running" in died.stdout
    assert "Fatal Python error: Segmentation fault" in died.stderr
    assert "in script" in died.stderr
