"""What Linux tells of processes, read from /proc: a bare Debian has no ``ps``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def is_running(pid: int) -> bool:
    """Return whether a process is there, and not only its entry."""
    fields = _stat_of(pid)
    return bool(fields) and fields[0] != "Z"


def children_of(parent: int) -> list[int]:
    everyone = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    return [pid for pid in everyone if _stat_of(pid)[1:2] == [str(parent)]]


def _stat_of(pid: int) -> Sequence[str]:
    """Return the state, the parent and what follows; nothing if there is no such process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return []
