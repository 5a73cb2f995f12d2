"""Reads databases of older and of newer versions, whose schema is not this one's."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Column, DefaultClause, Table

from chatdesk.core.errors import SchemaTooNew
from chatdesk.core.storage.engine import schema_guard, search_schema, tables
from chatdesk.core.texts import Text

# Those of the index have a note of their own where they are missing, see ``has_search``.
_NOT_NEEDED = frozenset(name for name in tables.metadata.tables if name.startswith("search_"))


def refusal(revision: str) -> SchemaTooNew:
    """Return the error of a write into such a database, which the window shows as long as it is open."""
    return SchemaTooNew(
        Text(
            "This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only "
            "read it.",
            revision=schema_guard.shown(revision),
            head_revision=tables.HEAD_REVISION,
        ),
        safe=Text("You can read, search, copy and export your threads; nothing is changed."),
        next_step=Text(
            "Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and "
            "the way back)."
        ),
    )


def check(conn: sqlite3.Connection, revision: str) -> None:
    """Raise ``SchemaTooNew`` where a table or column that this application reads is missing or not a plain one."""
    kinds = dict(conn.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')").fetchall())
    for table in tables.metadata.sorted_tables:
        if table.name in _NOT_NEEDED:
            continue
        columns = {row[1] for row in conn.execute(f'PRAGMA table_xinfo("{table.name}")') if not row[6]}
        is_plain = kinds.get(table.name) == "table" and _is_stored(conn, table.name)
        missing = sorted(set(table.columns.keys()) - columns)
        if not is_plain or missing:
            lacking = f"{table.name}.{missing[0]}" if is_plain else table.name
            raise SchemaTooNew(
                Text(
                    "This database has schema version {revision}; this ChatDesk knows versions up to {head_revision},"
                    " and cannot read it: “{lacking}” is not there as it knows it.",
                    revision=schema_guard.shown(revision),
                    head_revision=tables.HEAD_REVISION,
                    lacking=lacking,
                )
            )


def has_search(conn: sqlite3.Connection) -> bool:
    """Return whether the search index is one that this application can read: the same words in the same form."""
    found = dict(conn.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'search\\_%' ESCAPE '\\'"))
    is_ours = all(found.get(name, sql) == sql for name, sql in search_schema.FTS_TABLES.items())
    return is_ours and found.keys() >= _NOT_NEEDED


def _is_stored(conn: sqlite3.Connection, table: str) -> bool:
    """Return whether the rows of a table are in the file, and do not come from a module of SQLite's."""
    sql = conn.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    return sql is not None and str(sql[0]).upper().startswith("CREATE TABLE")


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
