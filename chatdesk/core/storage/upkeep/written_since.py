"""Counts what the present database has beyond a backup, for the question that is asked before a restore.

The present database may be damaged, gone or of a newer version: then nothing is said rather than something wrong.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from chatdesk.core.storage.engine.connection import connect
from chatdesk.core.storage.engine.plain_text import shown_name

_LONGEST_S: Final = 3.0
_STEPS_BETWEEN_LOOKS: Final = 10_000
_NAMED_THREADS: Final = 3
_FOUND: Final = (
    "SELECT t.title, (SELECT count(*) FROM messages m WHERE m.thread_id = t.id AND m.created_at > :since) AS newer"
    " FROM threads t WHERE t.last_activity_at > :since AND t.deleted_at IS NULL ORDER BY t.last_activity_at DESC"
)


def written_since(database: Path, since_ms: int) -> tuple[int, tuple[str, ...]]:
    """Return how many messages are newer than ``since_ms``, and the titles of the first threads that hold them. Takes a
    few seconds at most, and returns no messages where it cannot tell."""
    end = time.monotonic() + _LONGEST_S
    try:
        with closing(connect(database, "read")) as conn:
            conn.execute("PRAGMA query_only=ON")
            conn.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
            found = [row for row in conn.execute(_FOUND, {"since": since_ms}) if row[1]]
    except sqlite3.Error:
        return 0, ()
    titles = tuple(shown_name(str(title)[:200]) for title, _ in found[:_NAMED_THREADS])
    return sum(count for _, count in found), titles
