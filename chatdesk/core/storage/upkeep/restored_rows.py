"""Reads the rows of a foreign database into a new one of ours: a backup is data, and nothing but data.

Nothing of the backup's schema is taken over. The new database has the schema that this application makes for the
backup's version; each value is read as the kind that its column holds. What would act by itself is stopped
(``quieting``), and workspaces are parked until the person joins again. The search index is rebuilt from the
texts.

Runs in the process of ``restore_process``, which has limits.
"""

# ruff: noqa: S608 - names come from the schema that this application has just made, and are quoted

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.engine import schema_guard, schema_upgrade, search_index, search_schema, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import connect, make_private_file, unused_database
from chatdesk.core.storage.upkeep import quieting, reachability, stored_values
from chatdesk.core.texts import Text

_LONGEST_VALUE_BYTES: Final = 512 * 1024 * 1024
_LARGEST_COUNT: Final = 2**53
# Replacements for stored values; ``{now}`` is the time in milliseconds.
_INSTEAD: Final = {
    ("messages", "search_n"): "NULL",
    ("artifacts", "path"): "CASE WHEN length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'"
    " THEN substr(sha256, 1, 2) || '/' || sha256 ELSE '' END",
    # A clock or count at the end of what fits would stop every later write.
    ("devices", "last_hlc"): "min(max(CAST(last_hlc AS INTEGER), 0), ({now} + 31536000000) << 16)",
    **{
        ("devices", column): f"min(max(CAST({column} AS INTEGER), 0), {_LARGEST_COUNT})"
        for column in ("next_dseq", "commit_count", "message_count")
    },
}
_WRONG_TREE: Final = "SELECT 1 FROM messages m JOIN messages p ON p.id = m.parent_id WHERE m.position <= p.position"


def check_schema(source: sqlite3.Connection, name: str) -> str:
    """Return the schema version of a foreign database in which everything is ours. Raises ``StorageCorrupt`` for any
    other, ``SchemaTooNew``."""
    foreign = schema_guard.foreign_objects(source)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise _refused(
            Text(
                "{name} contains something that ChatDesk did not put there: {first}{more}.",
                name=name,
                first=foreign[0],
                more=more,
            )
        )
    try:
        revision = schema_upgrade.current_revision(source)
        schema_upgrade.check_revision(revision or "")
    except StorageCorrupt:  # a database of another program, or damaged
        revision = None
    if revision is None:
        raise _refused(Text("{name} is not a complete backup of ChatDesk.", name=name))
    return revision


def copy_rows(source: Path, target: Path, revision: str, *, migrations: Path, name: str) -> None:
    """Make a database at ``target`` from the rows of ``source``, whose schema was checked. Raises ``StorageCorrupt``,
    ``sqlite3.Error``; ``target`` is of no use then."""
    _make_empty(target, revision, migrations)
    with closing(connect(target, "write")) as conn:
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE_BYTES)
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-64000", "foreign_keys=OFF"):
            conn.execute(f"PRAGMA {pragma}")
        conn.execute("ATTACH DATABASE ? AS foreign_file", (f"file:{quote(str(source))}?immutable=1",))
        with _bare(conn):
            conn.execute("BEGIN")
            for table in stored_values.tables_of(conn):
                _copy(conn, table, name)
            _stop_automatic_actions(conn)
            conn.execute("COMMIT")
        if revision != tables.HEAD_REVISION and conn.execute(_WRONG_TREE).fetchone() is not None:
            raise _refused(Text("{name} is damaged: some messages are replies to themselves.", name=name))
    if revision == tables.HEAD_REVISION:
        _make_reachable(target)


def _make_empty(target: Path, revision: str, migrations: Path) -> None:
    make_private_file(target)
    if revision != tables.HEAD_REVISION:
        schema_upgrade.migrate(target, migrations, target=revision)
        return
    with unused_database(target) as conn:
        schema_upgrade.create(conn)


@contextmanager
def _bare(conn: sqlite3.Connection) -> Iterator[None]:
    """Drop indexes and triggers for the block, and make them again from the same words in the same order: all rows at
    once take a fraction of the time then."""
    made = conn.execute(
        "SELECT type, name, sql FROM main.sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        " ORDER BY rowid"
    ).fetchall()
    for kind, name, _ in made:
        conn.execute(f'DROP {kind} main."{name}"')
    yield
    for _, _, sql in made:
        conn.execute(sql)


def _copy(conn: sqlite3.Connection, table: str, name: str) -> None:
    columns = stored_values.columns_of(conn, table)
    there = {row[1] for row in conn.execute(f'PRAGMA foreign_file.table_info("{table}")')}
    missing = [column.name for column in columns if column.name not in there]
    if missing:
        lack = (
            Text("the column {column} of the table {table}", column=missing[0], table=table)
            if there
            else Text("the table {table}", table=table)
        )
        raise _refused(Text("{name} is not a complete backup of ChatDesk: {lack} is missing.", name=name, lack=lack))
    now = Clock().now_ms()
    values = [
        _INSTEAD[table, column.name].format(now=now)
        if (table, column.name) in _INSTEAD
        else stored_values.possible(column, schema="foreign_file")
        for column in columns
    ]
    names = ", ".join(column.quoted for column in columns)
    conn.execute(
        f'INSERT INTO main."{table}" ({names}) SELECT {", ".join(values)} FROM foreign_file."{table}" NOT INDEXED'
    )


def _stop_automatic_actions(conn: sqlite3.Connection) -> None:
    quieting.stop_automatic_actions(conn, Clock().now_ms())
    keys = search_index.META_KEYS
    conn.execute(f"DELETE FROM main.meta WHERE key IN ({', '.join('?' * len(keys))})", keys)
    conn.execute(
        "UPDATE main.devices SET is_mine = 0 WHERE is_mine <> 0 AND id <>"
        " (SELECT id FROM main.devices WHERE is_mine = 1 ORDER BY created_at, id LIMIT 1)"
    )
    made = {row[0] for row in conn.execute("SELECT name FROM main.sqlite_master")}
    if "search_backlog" in made:
        conn.execute(search_schema.BACKLOG)


def _make_reachable(target: Path) -> None:
    """Repair a tree in which no message could be found; see ``reachability``."""
    clock = Clock()
    with unused_database(target) as conn:
        device = conn.exec_driver_sql("SELECT id, last_hlc FROM devices WHERE is_mine = 1").first()
        if device is not None and reachability.unreachable(conn):
            reachability.make_reachable(conn, Origin(device[0], clock, HybridClock(clock, last=device[1])))


def _refused(what: str) -> StorageCorrupt:
    return StorageCorrupt(what, safe=Text("Nothing was changed."), next_step=Text("Choose another backup."))
