"""Finds the file system in memory that tests write to."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

PATH = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30  # a run has at most a fifth of it at a time


@cache
def folder() -> str | None:
    """Return the parent of all that tests write: a file system in memory where there is one, since a database waits for
    the disk at each commit, which is two fifths of what a test of one takes, and since a new database of PostgreSQL is
    three hundred copied files. None is the usual place. Programs are run from there too, which some containers
    forbid."""
    try:
        system = os.statvfs(PATH)
    except (OSError, AttributeError):
        return None
    is_usable = os.access(PATH, os.W_OK) and not system.f_flag & os.ST_NOEXEC
    return str(PATH) if is_usable and system.f_bavail * system.f_frsize >= _ROOM_BYTES else None
