"""Identifies the process that owns an unfinished turn, even if a later process gets the same number."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def make() -> str:
    """Return a token for this opening of the database: process, its start, and a part that is never the same twice."""
    return f"{os.getpid()}:{started(os.getpid())}:{os.urandom(16).hex()}"


def is_alive(token: str | None) -> bool:
    """Return whether another living process made ``token``. Earlier tokens of this process count as dead.

    Only Linux tells reliably; elsewhere every other token is dead, and the lock on the data directory keeps two
    processes from writing at once.
    """
    pid_text, _, rest = (token or "").partition(":")
    started_at, _, _ = rest.partition(":")
    if not pid_text.isdigit() or not started_at or int(pid_text) == os.getpid():
        return False
    return started(int(pid_text)) == started_at


def started(pid: int) -> str:
    """Return when a process started, in the system's own unit; empty if it has ended or the system does not say."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    # Field 22, counted after the command name, which is in brackets and may hold anything.
    return stat.rpartition(")")[2].split()[19]
