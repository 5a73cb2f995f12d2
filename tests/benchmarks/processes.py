"""Runs the probes: each figure comes from a process of its own, offscreen, that sees no key and no setting."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str, more: Mapping[str, str] | None = None) -> str:
    """What the program printed; the benchmark ends when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "CHATDESK_"))}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    # Qt's own dispatcher tells when it waits; the one built on glib does not.
    environment["QT_NO_GLIB"] = "1"
    # As installed: compiled modules are kept.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.update(more or {})
    run = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)[:200]} failed:\n{run.stderr[-3000:]}")
    return run.stdout


def adopt_orphans() -> None:
    """Make this process the parent of what its children leave behind, on Linux: a killed worker's drawing process."""
    if sys.platform == "linux":
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def worked_s() -> float:
    """Wait for all children to end and return the processor time of this process and of theirs."""
    import resource

    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def peak_mb() -> float:
    """The most memory that this program had. Not ``getrusage``, which on Linux counts what the program had that
    started this one."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
