"""Puts many rows into a table with few statements.

SQLite is left alone for a whole statement, while other threads of Python run; a statement a row would have each of its
rows wait for its turn among them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

#: Rows of one statement: a millisecond's work, and fewer parameters than SQLite takes.
TOGETHER: Final = 64


def insert_rows(raw: sqlite3.Connection, head: str, rows: Sequence[Sequence[Any]]) -> None:
    """``head`` is an INSERT up to its VALUES; all rows are equally long."""
    if not rows:
        return
    row = f"({','.join('?' * len(rows[0]))})"
    whole = len(rows) - len(rows) % TOGETHER
    if whole:
        statement = f"{head} VALUES {','.join([row] * TOGETHER)}"
        for start in range(0, whole, TOGETHER):
            raw.execute(statement, tuple(chain.from_iterable(rows[start : start + TOGETHER])))
    if whole < len(rows):
        raw.executemany(f"{head} VALUES {row}", rows[whole:])
