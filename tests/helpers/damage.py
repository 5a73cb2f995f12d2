"""Breaks a database as a faulty disk would, past what ChatDesk's own connections refuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def damage(path: Path, statement: str) -> None:
    """Carry out a statement on a connection without defences, which may write to the index's own tables."""
    with closing(sqlite3.connect(path, timeout=10)) as conn, conn:
        conn.execute(statement)
