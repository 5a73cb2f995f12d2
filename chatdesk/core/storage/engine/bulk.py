"""Loads much at once: many rows into a table with few statements, and SQLite's settings for that.

SQLite is left alone for a whole statement, while other threads of Python run. With one statement for each row, each row
would wait for its turn among those threads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final

# Rows of one statement, the most first: a millisecond's work. What is left over goes by fewer, so that a table has only
# these statements. SQLite compiles them anew in each transaction that defers its foreign keys, and to compile a row
# takes a third of the time of inserting it: longer statements cost more than they save.
TOGETHER: Final = (64, 16, 4, 1)


def insert_rows(raw: sqlite3.Connection, head: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert ``rows``, which are equally long; ``head`` is an INSERT up to its VALUES."""
    if not rows:
        return
    row = f"({','.join('?' * len(rows[0]))})"
    done = 0
    for together in TOGETHER:
        if len(rows) - done < together:
            continue
        statement = f"{head} VALUES {','.join([row] * together)}"
        end = len(rows) - (len(rows) - done) % together
        for start in range(done, end, together):
            raw.execute(statement, tuple(chain.from_iterable(rows[start : start + together])))
        done = end


def tune(raw: sqlite3.Connection, *, is_loading: bool) -> None:
    """Use a larger cache, fewer checkpoints of SQLite's log and no temporary files while much is loaded."""
    # Each copying waits for the disk three times.
    kilobytes, pages = (48_000, 6_000) if is_loading else (2_000, 1_000)
    raw.execute(f"PRAGMA cache_size=-{kilobytes}")
    raw.execute(f"PRAGMA wal_autocheckpoint={pages}")
    with suppress(sqlite3.OperationalError):  # cannot be set in a transaction while a temporary table exists
        # Else each statement for many rows first writes the changed pages to a file: four writes per message.
        raw.execute(f"PRAGMA temp_store={'MEMORY' if is_loading else 'DEFAULT'}")
