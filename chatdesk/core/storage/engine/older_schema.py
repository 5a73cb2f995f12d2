"""Lets this application read a database whose schema is older than its own, for when it could not be upgraded.

What the file lacks is in the connection's own temporary schema, in front of the file's tables: a view that adds
the missing columns with their defaults, an empty table for a missing one. The file itself is not touched.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Column, DefaultClause, Table

from chatdesk.core.storage.engine import tables


def stand_in(conn: sqlite3.Connection) -> None:
    """Add the tables and columns that the file lacks to the temporary schema of ``conn``. Afterwards it can only
    read."""
    conn.execute("PRAGMA temp_store=MEMORY")
    conn.execute("PRAGMA query_only=OFF")
    try:
        for table in tables.metadata.sorted_tables:
            _stand_in_for(conn, table)
    finally:
        conn.execute("PRAGMA query_only=ON")


def _stand_in_for(conn: sqlite3.Connection, table: Table) -> None:
    there = {row[1] for row in conn.execute(f'PRAGMA main.table_info("{table.name}")')}
    missing = [column for column in table.columns if column.name not in there]
    if not there:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        conn.execute(f'CREATE TEMP TABLE "{table.name}" ({names})')
    elif missing:
        added = ", ".join(f'{_default(column)} AS "{column.name}"' for column in missing)
        # The names come from our own tables, never from outside.
        conn.execute(f'CREATE TEMP VIEW "{table.name}" AS SELECT *, {added} FROM main."{table.name}"')  # noqa: S608


def _default(column: Column[object]) -> str:
    default = column.server_default
    return str(default.arg) if isinstance(default, DefaultClause) else "NULL"
