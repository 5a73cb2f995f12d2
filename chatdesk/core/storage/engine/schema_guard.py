"""Checks that ChatDesk created everything in a database's schema.

A schema is code: a foreign trigger or view would run with every statement of ChatDesk. Names, triggers, views and
virtual tables are compared with those of this application; they are the same in every schema version that has them. A
table with foreign or computed columns, or with a constraint that calls a function, is rejected.
"""

from __future__ import annotations

import re
import sqlite3
from collections import deque
from functools import cache
from typing import Final

from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.engine import search_schema, tables
from chatdesk.core.texts import Text

# SQLite's own objects, such as indexes for UNIQUE and statistics. SQL cannot create other objects with this prefix.
_OWN: Final = "sqlite_"
_KINDS: Final = frozenset(("table", "index", "trigger", "view"))
_CODE: Final = re.compile(r"\b(AS|GENERATED|COLLATE|CHECK)\b", re.IGNORECASE)
_CHECKS: Final = re.compile(
    r"CONSTRAINT ck_messages_(?:role|status) CHECK \((?:role|status) IN \((?:'[a-z]+'(?:, )?)+\)\)"
)
_CALL: Final = re.compile(r"(?!\bIN\b)\b\w+\s*\(", re.IGNORECASE)
_NAMED: Final = re.compile(r"CREATE (?:VIRTUAL TABLE|VIEW|TRIGGER) (\w+)")
_DEFAULTS: Final = frozenset((None, "0", "1", "''", "'{}'", "'[]'", "'person'", "'model'", "'answer'"))
_LONGEST_NAME: Final = 60
# Schemas that were compared and accepted last. A start opens a database several times, and a comparison takes 3 ms; the
# text of a schema determines its meaning.
_found_ours: Final[deque[list[tuple[object, ...]]]] = deque(maxlen=3)


def check(conn: sqlite3.Connection) -> None:
    """Raise ``StorageCorrupt``, naming the foreign objects of the schema, if there are any."""
    found = foreign_objects(conn)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise StorageCorrupt(
            Text(
                "The database contains something that ChatDesk did not put there: {first}{more}.",
                first=found[0],
                more=more,
            ),
            safe=Text("None of it was used, and the file was left as it is."),
            next_step=Text(
                "Run 'chatdesk doctor --repair': it copies your messages into a new database and keeps this one."
            ),
        )


def foreign_objects(conn: sqlite3.Connection) -> list[str]:
    """Return the names of schema objects that ChatDesk did not create, such as "the trigger zz"."""
    schema = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    if schema in _found_ours:
        return []
    found = []
    for kind, name, table, sql in schema:
        if not _is_ours(kind, name, table, sql):
            found.append(f"the {kind if kind in _KINDS else 'object'} {shown(name)}")
        elif kind == "table" and name not in search_schema.VIRTUAL_TABLES and not str(name).startswith(_OWN):
            found += [f"the {what} of the table {name}" for what in _foreign_parts(conn, name, sql)]
    if not found:
        _found_ours.append(schema)
    return found


def shown(name: object) -> str:
    """Return a name from outside, fit for a sentence."""
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in str(name))
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def _is_ours(kind: object, name: object, table: object, sql: object) -> bool:
    text = str(sql)
    if str(name).startswith(_OWN):
        return kind in ("table", "index") and (sql is None or text.startswith("CREATE TABLE sqlite_"))
    if kind in ("trigger", "view") or name in search_schema.VIRTUAL_TABLES:
        return text == _statements().get(str(name))
    if kind == "table":
        is_known = name in search_schema.DERIVED_TABLES or name in _columns()
        begin = re.match(r"CREATE TABLE [\"']?(\w+)[\"']? ?\(", text)
        return is_known and begin is not None and begin[1] == name == table
    if kind == "index":
        plain = re.match(rf"CREATE INDEX {re.escape(str(name))} ON {re.escape(str(table))} \([a-z0-9_, ]+\)", text)
        return _indexes().get(str(name)) == table and plain is not None and not _CALL.search(text, plain.end())
    return False


def _foreign_parts(conn: sqlite3.Connection, name: str, sql: object) -> list[str]:
    found = []
    ours = _columns().get(name)
    for _, column, _, _, default, _, hidden in conn.execute(f'PRAGMA table_xinfo("{name}")'):
        if hidden or default not in _DEFAULTS or (ours is not None and column not in ours):
            found.append(f"column {shown(column)}")
    if _CODE.search(_CHECKS.sub("", str(sql))):
        found.append("definition")
    return found


@cache
def _columns() -> dict[str, frozenset[str]]:
    return {
        table.name: frozenset(table.columns.keys())
        for table in (*tables.metadata.tables.values(), tables.alembic_version)
    }


@cache
def _indexes() -> dict[str, str]:
    return {str(index.name): table.name for table in tables.metadata.tables.values() for index in table.indexes}


@cache
def _statements() -> dict[str, str]:
    return {match[1]: each for each in search_schema.STATEMENTS if (match := _NAMED.match(each))}
