"""Keeps a small file beside the database, the mark, with the state of its last durable commit.

SQLite cannot tell an empty file from a new one, nor a lost write-ahead log from nothing written: both pass its checks.
The mark is written after durable commits only, so it never claims more than was saved. It also keeps a loss until the
person was told, since the next commit makes the database agree with the mark again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.system.small_files import read_small_json
from chatdesk.core.texts import Text, plural

_LARGEST_BYTES = 4 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class HighWater:
    """The counts of commits and messages since the database was made; they never fall."""

    device_id: str
    commits: int
    messages: int


def mark_path(database: Path) -> Path:
    return database.with_name(database.name + ".mark")


def exists(database: Path) -> bool:
    """Return whether a database was here once, even when the mark itself is damaged."""
    return mark_path(database).exists()


def has_log(database: Path) -> bool:
    """Return whether a write-ahead log with something in it is beside the database."""
    log = database.with_name(database.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def read(database: Path) -> HighWater | None:
    """Return the mark; None if there is none that makes sense."""
    try:
        data: Any = read_small_json(mark_path(database), _LARGEST_BYTES)
        return HighWater(str(data["device_id"]), int(data["commits"]), int(data["messages"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def untold_loss(database: Path) -> int | None:
    """Return the number of lost messages that the person was not told about yet; None if there is no such loss."""
    try:
        data: Any = read_small_json(mark_path(database), _LARGEST_BYTES)
        return None if data.get("lost") is None else max(0, int(data["lost"]))
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def found_in(conn: sqlite3.Connection) -> HighWater:
    """Return the counts that the database itself holds."""
    row = conn.execute("SELECT id, commit_count, message_count FROM devices WHERE is_mine = 1").fetchone()
    return HighWater("", 0, 0) if row is None else HighWater(*row)


def write(database: Path, mark: HighWater, lost: int | None = None) -> None:
    """Replace the mark, with an unreported loss, without syncing it: after a power loss an older mark is as good, and a
    torn one is ignored."""
    target = mark_path(database)
    temporary = target.with_name(target.name + ".new")
    try:
        descriptor = os.open(temporary, _NEW, 0o600)
    except FileExistsError:  # left by a killed process, or a planted link
        temporary.unlink()
        descriptor = os.open(temporary, _NEW, 0o600)
    try:
        os.write(descriptor, json.dumps(asdict(mark) | ({} if lost is None else {"lost": lost})).encode())
    finally:
        os.close(descriptor)
    temporary.replace(target)


def lost_messages(mark: HighWater | None, found: HighWater) -> int | None:
    """Return how many messages fewer the database holds than the mark says; None if it lacks nothing."""
    if mark is None:
        return None
    if mark.device_id == found.device_id and mark.commits <= found.commits:
        return None
    return max(0, mark.messages - found.messages)


def warning(missing: int | None) -> str | None:
    """Return a sentence for the user on a loss of ``missing`` messages, or of no message but other changes; None for no
    loss."""
    if missing is None:
        return None
    lost = plural("{count} messages", "{count} message", missing) if missing else Text("the last changes")
    return Text(
        "The database is older than it was when ChatDesk last saved: {lost} may be missing. "
        "This happens when a backup was restored, or when a file was lost. Nothing else was changed. "
        "Look for a newer backup in the backup directory if you did not restore one yourself.",
        lost=lost,
    )
