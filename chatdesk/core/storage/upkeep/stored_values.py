"""Finds values of the wrong type for their column, and defines their replacements.

SQLite stores any type in any column: damage or another program may have left a word in place of a time, or a time
beyond the calendar. ``connection`` converts such values when they are read; this module finds them for *Repair*, which
replaces them, and for a restore, which omits them.
"""

# ruff: noqa: S608 - names come from our own schema or from ``tables``, and are quoted

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from chatdesk.core.moments import EARLIEST_MS, LATEST_MS
from chatdesk.core.storage.engine import search_schema, tables
from chatdesk.core.storage.engine.connection import UNICODE_INSTEAD
from chatdesk.core.texts import Text, plural

# Found again from the texts, and by reading a project's files again. Which provider gets their texts is chosen anew
# after a restore: the choice in a file may be anybody's.
DERIVED: Final = search_schema.DERIVED_TABLES | {
    "search_queue",
    "search_removed",
    "search_entries",
    "search_backlog",
    "knowledge_files",
    "knowledge_passages",
    "knowledge_embeddings",
    "knowledge_vectors",
}
_LARGEST_COUNT: Final = 2**53
# Words that are all that a column may hold, where no other part of the program minds; the first takes the place of any
# other.
_WORDS: Final = {
    ("messages", "role"): ("user", "system", "assistant", "tool"),
    ("messages", "status"): ("interrupted", "pending", "streaming", "complete", "stopped", "error"),
}
# JSON objects with a person's text; text with other content is kept as plain text.
_CONTENT: Final = ("message_parts", "content")
# Expressions that compute a damaged value anew; other columns get their defaults.
_FOUND_AGAIN: Final = {
    ("drafts", "cursor"): "length({table}.text)",
    ("threads", "last_activity_at"): "coalesce((SELECT max(m.created_at) FROM {schema}.messages m"
    " WHERE m.thread_id = {table}.id AND typeof(m.created_at) = 'integer'"
    f" AND m.created_at BETWEEN {EARLIEST_MS} AND {LATEST_MS}), 0)",
}
_MOST_LINES: Final = 100
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column as its table declares it."""

    table: str
    name: str
    kind: str
    is_required: bool
    default: str | None

    @property
    def quoted(self) -> str:
        return f'"{self.name}"'

    @property
    def is_object(self) -> bool:
        """Return whether the texts of the column are JSON objects."""
        return self.default == "'{}'" or (self.table, self.name) == _CONTENT

    @property
    def is_moment(self) -> bool:
        return self.name == "at" or self.name.endswith("_at")


def columns_of(conn: sqlite3.Connection, table: str) -> list[StoredColumn]:
    """Return the columns of a table of the main database."""
    rows = conn.execute(f'PRAGMA main.table_info("{table}")').fetchall()
    return [StoredColumn(table, row[1], row[2], bool(row[3] or row[5]), row[4]) for row in rows]


def tables_of(conn: sqlite3.Connection) -> list[str]:
    """Return the names of the tables that hold what cannot be found again from the rest."""
    found = conn.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        " ORDER BY rowid"
    ).fetchall()
    return [row[0] for row in found if row[0] not in DERIVED and row[0] != tables.alembic_version.name]


def is_impossible(column: StoredColumn) -> str:
    """Return an SQL condition that is true for values that the column cannot hold."""
    value = column.quoted
    kind = f"typeof({value})"
    null = "" if column.is_required else ", 'null'"
    if column.kind == "INTEGER":
        least, most = (EARLIEST_MS, LATEST_MS) if column.is_moment else (-_LARGEST_COUNT, _LARGEST_COUNT)
        # A stamp is a time and a count in one number.
        bounds = "" if column.name in ("hlc", "last_hlc", "n") else f" OR {value} NOT BETWEEN {least} AND {most}"
        return f"({kind} NOT IN ('integer'{null}){bounds})"
    if column.kind == "FLOAT":
        return f"({kind} NOT IN ('real', 'integer'{null}) OR abs({value}) > {_LARGEST_COUNT})"
    if column.kind == "BLOB":
        return f"({kind} NOT IN ('blob'{null}))"
    words = _WORDS.get((column.table, column.name))
    if words is not None:
        return f"({value} NOT IN ({', '.join(map(repr, words))}))"
    is_none = f"{_unicode_instead(value)} IS NOT NULL"
    if column.is_object:
        is_none += f" OR CASE WHEN json_valid({value}) THEN json_type({value}) <> 'object' ELSE 1 END"
    return f"(CASE {kind} WHEN 'text' THEN {is_none} ELSE {kind} NOT IN ('text'{null}) END)"


def replacement(column: StoredColumn, *, schema: str = "main") -> str:
    """Return an SQL expression for what takes the place of an impossible value."""
    value = column.quoted
    without = column.default or {"INTEGER": "0", "FLOAT": "0", "BLOB": "x''"}.get(column.kind, "''")
    otherwise = without if column.is_required else "NULL"
    found = _FOUND_AGAIN.get((column.table, column.name))
    if found is not None:
        otherwise = found.format(schema=schema, table=f'"{column.table}"')
    if column.kind == "INTEGER":
        cast = f"CAST({value} AS INTEGER)"
        rounded = f"typeof({value}) = 'real' AND {cast} = {value} AND abs({value}) <= {_LARGEST_COUNT}"
        return f"CASE WHEN {rounded} THEN {cast} ELSE {otherwise} END"
    words = _WORDS.get((column.table, column.name))
    if words is not None:
        return repr(words[0])
    if column.kind in ("FLOAT", "BLOB"):
        return otherwise
    text = f"coalesce({_unicode_instead(value)}, CAST({value} AS TEXT))"
    if column.is_object:
        otherwise = f"json_object('text', {text})" if (column.table, column.name) == _CONTENT else otherwise
        is_one = f"CASE WHEN json_valid({text}) THEN json_type({text}) = 'object' ELSE 0 END"
        return f"CASE WHEN typeof({value}) IN ('text', 'blob') AND {is_one} THEN {text} ELSE {otherwise} END"
    return f"CASE WHEN typeof({value}) IN ('text', 'blob') THEN {text} ELSE {otherwise} END"


def _unicode_instead(value: str) -> str:
    return f"{UNICODE_INSTEAD}(CAST({value} AS BLOB))"


def possible(column: StoredColumn, *, schema: str = "main") -> str:
    """Return an SQL expression for the column's value, or for what takes its place."""
    return f"CASE WHEN {is_impossible(column)} THEN {replacement(column, schema=schema)} ELSE {column.quoted} END"


def find(conn: sqlite3.Connection) -> list[Text]:
    """Return a complaint for each row with values that its columns cannot hold."""
    found: list[Text] = []
    for table in tables_of(conn):
        columns = columns_of(conn, table)
        conditions = [is_impossible(each) for each in columns]
        key = columns[0].quoted
        rows = conn.execute(
            f'SELECT {key}, {", ".join(conditions)} FROM main."{table}" WHERE {" OR ".join(conditions)}'
            f" LIMIT {_MOST_LINES}"
        ).fetchall()
        for key_value, *are_wrong in rows:
            wrong = tuple(column.name for column, is_wrong in zip(columns, are_wrong, strict=True) if is_wrong)
            found.append(
                Text(
                    "The row {row} of {table} has values that cannot be: {columns}.",
                    row=str(key_value)[:_LONGEST_SHOWN],
                    table=table,
                    columns=wrong,
                )
            )
    return found


def replace(conn: sqlite3.Connection) -> list[str]:
    """Replace the values of the wrong type for their columns. Returns a sentence about the repairs for each table."""
    done: list[str] = []
    for table in tables_of(conn):
        count = sum(_replace(conn, column) for column in columns_of(conn, table))
        if count:
            done.append(
                plural(
                    "{count} values of {table} were replaced.",
                    "{count} value of {table} was replaced.",
                    count,
                    table=table,
                )
            )
    return done


def _replace(conn: sqlite3.Connection, column: StoredColumn) -> int:
    changed = f"SET {column.quoted} = {replacement(column)} WHERE {is_impossible(column)}"
    return conn.execute(f'UPDATE OR IGNORE main."{column.table}" {changed}').rowcount
