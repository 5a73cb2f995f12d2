"""Ends programs with everything that they started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from chatdesk.core.system.processes import child_environment

_PR_SET_CHILD_SUBREAPER: Final = 36
_PARENT: Final = 1  # among the fields of /proc/PID/stat behind the name
_PROC: Final = Path("/proc")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can leave. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_tree(pid: int) -> None:
    """End the program ``pid``, its process group where it leads one, and its descendants, at once."""
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(pid)],
            check=False,
            capture_output=True,
            env=child_environment(),
        )
        return
    below = descendants_of(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    _kill((pid, *below))


def end_others(kept: Iterable[int]) -> None:
    """End every descendant of this process that is neither among ``kept`` nor below one of them: what has left the
    program that started it."""
    below_kept = {pid for root in kept for pid in (root, *descendants_of(root))}
    _kill(pid for pid in descendants_of(os.getpid()) if pid not in below_kept)


def descendants_of(pid: int) -> list[int]:
    """Return the processes below ``pid`` that the kernel lists now; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    with suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    # The name may hold anything, also brackets.
                    behind_name = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                    children.setdefault(int(behind_name[_PARENT]), []).append(int(entry.name))
    found: list[int] = []
    waiting = list(children.get(pid, ()))
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += children.get(each, ())
    return found


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
