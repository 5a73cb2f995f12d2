"""Checks the pages of a database. A value that breaks a rule of its column is no damage of a page: it costs itself
alone, and the rest must be backed up, restored and upgraded all the same."""

from __future__ import annotations

import sqlite3
from itertools import islice
from typing import Final

# What SQLite says of values, which ``upkeep/stored_values.py`` finds as well.
_OF_VALUES: Final = ("CHECK constraint failed in ", "NULL value in ", "NUMERIC value in ", "TEXT value in ")
# SQLite ends its check after so many lines, and each value that breaks a rule has one. The largest number that it takes
# costs nothing: lines are made as they are read.
_MOST_LINES: Final = 2**31 - 1


def damaged_pages(conn: sqlite3.Connection, *, is_thorough: bool = False) -> list[str]:
    """Return at most a hundred complaints of SQLite about pages. ``is_thorough``: indexes are compared with their
    tables, too. Raises ``sqlite3.DatabaseError`` where a page is too damaged for the check."""
    lines = conn.execute(f"PRAGMA {'integrity_check' if is_thorough else 'quick_check'}({_MOST_LINES})")
    return list(islice((line for (line,) in lines if line != "ok" and not line.startswith(_OF_VALUES)), 100))
