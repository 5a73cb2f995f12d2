"""Brings a database to the schema of this application, so that it can be killed at any statement and start again.

The order matters and was measured: Alembic's own way on SQLite is not transactional (most kill points leave a file that
can never be upgraded), and rebuilding a parent table with foreign keys on deletes its children. So: enough free space,
check, verified backup; foreign keys off before the transaction; our own ``BEGIN IMMEDIATE``, one transaction a
migration; foreign keys checked and rows counted before the last commit, which is synced.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from sqlalchemy import Index
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from chatdesk.core.errors import ChatDeskError, SchemaTooNew, StorageCorrupt, StorageFull, UpgradeFailed
from chatdesk.core.name_order import name_key
from chatdesk.core.storage.engine import backup, search_schema, tables
from chatdesk.core.storage.engine.backup import damaged_pages
from chatdesk.core.storage.engine.connection import connect, driver, insert_row, open_to_write
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.texts import Text

# Backup, log and rebuilt tables together take up to this many times the database.
_FREE_SPACE_FACTOR = 2.2


def current_revision(conn: sqlite3.Connection) -> str | None:
    """Return the schema version in the file; None for an empty one. Needs no Alembic."""
    names = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in names:
        if names - {"sqlite_sequence"}:
            raise StorageCorrupt(
                Text("The file is a database, but not one of ChatDesk's."),
                safe=Text("It was not touched."),
                next_step=Text("Choose another data directory."),
            )
        return None
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None or row[0] is None:
        raise StorageCorrupt(Text("The database does not say which version its schema has, so it is damaged."))
    return str(row[0])


def check_revision(revision: str) -> None:
    """Raise ``SchemaTooNew`` for a schema version of a newer application, ``StorageCorrupt`` for an invalid one."""
    if revision in tables.REVISIONS:
        return
    # Ours have four digits. A longer number is none of a later ChatDesk either.
    is_number = revision.isascii() and revision.isdigit() and len(revision) == len(tables.HEAD_REVISION)
    if is_number and revision < tables.REVISIONS[0]:
        raise StorageCorrupt(
            Text("This database has schema version {revision}, from before the first release.", revision=revision),
            safe=Text("It was not touched."),
            next_step=Text(
                "Run 'chatdesk doctor --repair': it copies your messages into a new database and keeps this one."
            ),
        )
    if not is_number or revision < tables.HEAD_REVISION:
        raise StorageCorrupt(Text("The database does not say which version its schema has, so it is damaged."))
    raise SchemaTooNew(
        Text(
            "This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.",
            revision=revision,
            head_revision=tables.HEAD_REVISION,
        )
    )


def create(conn: Connection) -> None:
    """Build the newest schema in an empty database; the caller's transaction makes it whole or not at all."""
    for statement in _statements():
        driver(conn).execute(statement)
    insert_row(conn, tables.alembic_version, version_num=tables.HEAD_REVISION)


@cache
def _statements() -> tuple[str, ...]:
    """Return the statements of the newest schema. Writing them costs as much as running them, and they never change."""
    made: list[ExecutableDDLElement] = []
    for table in tables.metadata.sorted_tables:
        made += [CreateTable(table), *(CreateIndex(index) for index in sorted(table.indexes, key=_width))]
    version = CreateTable(tables.alembic_version)
    dialect = sqlite.dialect()
    written = [str(each.compile(dialect=dialect)) for each in (*made, version)]
    return (*written[:-1], *search_schema.STATEMENTS, written[-1])


def _width(index: Index) -> tuple[int, str]:
    """Return the sort key of an index. Where two indexes serve equally, SQLite takes the newer one: those over fewer
    rows have to come later."""
    condition = index.dialect_options["sqlite"]["where"]
    return len(str(condition)) if condition is not None else 0, str(index.name)


def upgrade(path: Path, revision: str, *, backup_dir: Path, migrations_dir: Path) -> None:
    """Run every migration after ``revision``. Nothing else may have the file open."""
    saved = _prepare(path, revision, backup_dir)
    try:
        migrate(path, migrations_dir)
    except ChatDeskError:
        raise
    except Exception as error:  # a migration may raise anything; the file is at its last whole version
        raise UpgradeFailed(
            Text(
                "The database could not be upgraded from schema version {revision} to {head_revision}.",
                revision=revision,
                head_revision=tables.HEAD_REVISION,
            ),
            safe=Text("It was left as it was and can be read; a verified backup is at {saved}.", saved=saved),
        ) from error


def _prepare(path: Path, revision: str, backup_dir: Path) -> Path:
    with translating(path), closing(connect(path, "write")) as source:
        size = source.execute("PRAGMA page_count").fetchone()[0] * source.execute("PRAGMA page_size").fetchone()[0]
        _check_space(path.parent, size)
        if damaged_pages(source):
            raise StorageCorrupt(Text("The database file is damaged, so it was not upgraded."))
        return backup.back_up(source, backup_dir / f"{path.stem}-pre-{tables.HEAD_REVISION}-from-{revision}.db")


def _check_space(directory: Path, size_bytes: int) -> None:
    needed = int(size_bytes * _FREE_SPACE_FACTOR)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise StorageFull(
            Text(
                "The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.",
                needed=str(needed // 1000000 + 1),
                free=str(free // 1000000),
            ),
            safe=Text("The database was not touched."),
            next_step=Text("Free some space; ChatDesk then continues by itself."),
        )


def migrate(
    path: Path,
    migrations_dir: Path,
    *,
    target: str = "head",
    watch: Callable[[Connection], None] | None = None,
    may_dangle: bool = False,
) -> None:
    """Run the migrations of ``migrations_dir`` up to ``target``. ``watch`` sees the connection before they start;
    ``may_dangle``: rows that point at nothing are no reason to undo them."""
    # Imported here: Alembic costs 0.2 s, and most starts have nothing to upgrade.
    from alembic import command
    from alembic.config import Config

    with open_to_write(path, foreign_keys=False) as conn:
        if watch is not None:
            watch(conn)
        config = Config()
        config.set_main_option("script_location", str(migrations_dir).replace("%", "%%"))
        config.attributes["connection"] = conn
        config.attributes["verify"] = _verifier(conn, may_dangle=may_dangle)
        command.upgrade(config, target)


def fill_title_keys(conn: sqlite3.Connection) -> None:
    """Write the column by which threads are sorted by title, for all of them."""
    # As bytes: a title that is not UTF-8 would abort the statement.
    conn.create_function("title_key_of", 1, lambda title: name_key(bytes(title or b"").decode(errors="replace")))
    conn.execute("UPDATE threads SET title_key = title_key_of(CAST(title AS BLOB))")


def _verifier(conn: Connection, *, may_dangle: bool) -> Callable[[], None]:
    """Return a check for the last transaction: no row is missing, and no reference dangles."""
    kept = _counts(conn)

    def verify() -> None:
        if not may_dangle and conn.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise UpgradeFailed(Text("The upgrade would have left rows that point to nothing, so it was undone."))
        now = _counts(conn)
        changed = tuple(sorted(name for name, count in kept.items() if now.get(name, 0) != count))
        if changed:
            raise UpgradeFailed(
                Text("The upgrade would have changed the number of rows in {changed}; it was undone.", changed=changed)
            )

    return verify


def _counts(conn: Connection) -> dict[str, int]:
    raw = conn.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise SQLAlchemyError("not a SQLite connection")
    return {name: count for name, count in backup.row_counts(raw).items() if name != "alembic_version"}
