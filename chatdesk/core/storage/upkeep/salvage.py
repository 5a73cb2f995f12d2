"""Copies the readable rows of a damaged database into a new one, table by table and row by row.

The damaged file is only read. What is copied waits where a restore waits (``pending_restore``), so that putting it in
place keeps the damaged file.
"""

# ruff: noqa: S608 - names come from our own tables and from the file's list of columns, both quoted

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, DefaultClause, Float, Integer, LargeBinary, Table

from chatdesk.core.clock import Clock
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import backup, high_water, schema_upgrade, search_index, tables, unfinished_files
from chatdesk.core.storage.engine.connection import connect, driver, make_private_file, set_defensive, unused_database
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.own_device import origin_of
from chatdesk.core.storage.engine.pending_restore import ready_path, remove_database
from chatdesk.core.storage.sync import damaged_shares
from chatdesk.core.storage.upkeep import db_check, quieting, repair, salvaged_texts, unknown_authors
from chatdesk.core.storage.upkeep.readable_rows import ReadableRows, Row, raise_unless_damage
from chatdesk.core.texts import Text, plural

_STEP: Final = 200
# Computed again from the messages, or useless without their parents.
_DERIVED: Final = frozenset(("part_token_counts", "search_queue", "search_removed", "search_entries", "search_backlog"))
_OTHER_KINDS: Final = frozenset(("view", "index", "trigger"))
_UNREADABLE: Final = StorageCorrupt(
    Text("Nothing could be read from the damaged database."),
    safe=Text("It was left as it is."),
    next_step=Text("Restore the newest backup."),
)


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """The result of copying. ``lines`` are sentences with the number of copied rows of each table, and the repairs in
    the copy. ``is_whole``: no loss was detected."""

    lines: tuple[str, ...]
    is_whole: bool


def salvage(database: Path, clock: Clock, *, on_progress: Callable[[Text], None] = lambda _: None) -> SalvageReport:
    """Copy all rows that can be read; the copy is ready for ``pending_restore.commit``. ``on_progress`` gets sentences
    and may raise to end the work. Raises ``StorageCorrupt`` when no text could be read."""
    target = ready_path(database)
    with translating(database):
        remove_database(target)
        make_private_file(target)
        try:
            report = _fill(database, target, clock, on_progress)
            backup.sync_file(target)
        except BaseException:
            remove_database(target)
            raise
    return report


def _fill(database: Path, target: Path, clock: Clock, on_progress: Callable[[Text], None]) -> SalvageReport:
    with unused_database(target) as conn:
        raw = driver(conn)
        schema_upgrade.create(conn)
        raw.execute("PRAGMA ignore_check_constraints=ON")  # a row with a word that is none costs that word, below
        with closing(_damaged(database)) as source:
            copied = _Copied(database, source, on_progress)
            for table in tables.metadata.sorted_tables:
                copied.copy_table(source, raw, table)
        if copied.undefined:
            with redefined(database, _definitions(raw, copied.undefined)) as again, closing(_damaged(again)) as source:
                for table in copied.undefined:
                    copied.copy_table(source, raw, table, is_redefined=True)
        if not (copied.counts["messages"] or copied.counts["message_parts"]):
            raise _UNREADABLE
        lost = high_water.warning(high_water.lost_messages(high_water.read(database), high_water.found_in(raw)))
        if lost and copied.counts["devices"]:
            copied.lost.append(lost)
        on_progress(Text("Putting in order what was copied…"))
        schema_upgrade.fill_title_keys(raw)
        raw.execute("DELETE FROM search_queue")
        search_index.rebuild(raw)
        if damaged_shares.prepare(conn, clock.now_ms()):
            copied.lines.append(repair.COMES_AGAIN)
        origin = origin_of(conn, clock)
        unknown_authors.mark(conn, copied.damaged)
        copied.lost += salvaged_texts.bring_back(conn, origin, copied.damaged)
        repaired = repair.repair(conn, origin)
        quieting.stop_automatic_actions(raw, clock.now_ms())
        wrong = db_check.check_database(conn, is_thorough=True)
        if wrong:
            copied.lost.append(Text("Problems that are left: {wrong}; 'chatdesk doctor' lists them.", wrong=len(wrong)))
    return SalvageReport((*copied.lines, *copied.lost, *repaired), is_whole=not (copied.lost or repaired or wrong))


def _damaged(database: Path) -> sqlite3.Connection:
    conn = connect(database, "read", is_raw=True)
    try:
        conn.execute("PRAGMA query_only=ON")
        # Lets SQLite read a file shorter than its first page declares, such as a copy that was cut short.
        set_defensive(conn, is_on=False)
        conn.execute("PRAGMA writable_schema=ON")
        conn.execute("PRAGMA cell_size_check=OFF")  # the check reports damage earlier than reading does
        try:  # with a damaged schema the first statement fails; later ones use the readable part
            conn.execute("SELECT 1 FROM sqlite_master")
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)
    except BaseException:
        conn.close()
        raise
    return conn


class _Copied:
    """The rows that were copied from a damaged database: their number by table in ``counts``, sentences on whole tables
    in ``lines`` and on others in ``lost``; ``damaged`` are the tables of which some rows or values are lost."""

    def __init__(self, database: Path, source: sqlite3.Connection, on_progress: Callable[[Text], None]) -> None:
        self.counts: dict[str, int] = {}
        self.lines: list[str] = []
        self.lost: list[str] = []
        self.undefined: list[Table] = []
        self.damaged: set[str] = set()
        self._on_progress = on_progress
        paths = (database, database.with_name(f"{database.name}-wal"))
        self._bytes = sum(path.stat().st_size for path in paths if path.exists())
        self._revision = _revision(source)

    def copy_table(
        self, source: sqlite3.Connection, sink: sqlite3.Connection, table: Table, *, is_redefined: bool = False
    ) -> None:
        """Copy one table. A view or other object of that name is not read. A missing table is added to ``undefined``,
        unless it ``is_redefined`` already."""
        self.counts[table.name] = 0
        if table.name in _DERIVED:
            return
        names = self._columns(source, table)
        if names is None and self._revision == tables.HEAD_REVISION and not is_redefined:
            self.undefined.append(table)
        elif names is None and self._revision in (tables.HEAD_REVISION, None):
            self.lost.append(Text("{name}: the table could not be found in the file.", name=table.name))
        elif is_redefined:
            self.lines.append(Text("{name}: the table had lost its definition.", name=table.name))
        if not names:
            self.damaged.add(table.name)
            return
        self.damaged.discard(table.name)
        rows = ReadableRows(source, table, names, file_bytes=self._bytes)
        values = FittingValues([table.columns[name] for name in names])
        count = read = 0
        for batch in _batches(rows):
            self._on_progress(Text("Reading {name}: {number} rows…", name=table.name, number=read))
            columns = ", ".join(f'"{name}"' for name in names)
            statement = f'INSERT OR IGNORE INTO "{table.name}" ({columns}) VALUES ({", ".join("?" * len(names))})'
            count += sink.executemany(statement, [values.of_row(row) for row in batch]).rowcount
            read += len(batch)
        self.counts[table.name] = count
        self._report(table.name, count, rows.gaps, left_out=read - count)
        if rows.gaps or read > count or values.changed_rows:
            self.damaged.add(table.name)
        if values.changed_rows:
            self.lost.append(
                plural(
                    "{name}: {count} rows had values that could not be read.",
                    "{name}: {count} row had values that could not be read.",
                    values.changed_rows,
                    name=table.name,
                )
            )

    def _columns(self, source: sqlite3.Connection, table: Table) -> list[str] | None:
        """Return the columns of a table that can be read in the damaged file; None where it cannot be found."""
        try:
            kinds = source.execute("SELECT type FROM sqlite_master WHERE name = ?", (table.name,)).fetchall()
            found = source.execute(f'PRAGMA table_xinfo("{table.name}")').fetchall() if kinds == [("table",)] else []
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)
            kinds, found = [], []
        if any(kind in _OTHER_KINDS for (kind,) in kinds):  # any other word is a damaged one
            self.lost.append(Text("{name}: this is not a table of ChatDesk, so it was left out.", name=table.name))
            return []
        if not found:
            return None
        there = {row[1] for row in found if not row[6]}  # without computed columns
        return [column.name for column in table.columns if column.name in there and column.name != "search_n"]

    def _report(self, name: str, count: int, gaps: int, *, left_out: int) -> None:
        if gaps:
            places = plural("{count} places", "{count} place", gaps)
            self.lost.append(
                plural(
                    "{name}: {count} rows were copied; {places} could not be read.",
                    "{name}: {count} row was copied; {places} could not be read.",
                    count,
                    name=name,
                    places=places,
                )
            )
        elif left_out:
            self.lost.append(
                plural(
                    "{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.",
                    "{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.",
                    count,
                    name=name,
                    left_out=left_out,
                )
            )
        elif name in ("threads", "messages"):
            self.lines.append(
                plural("{name}: all {count} rows were copied.", "{name}: the {count} row was copied.", count, name=name)
            )


def _definitions(made: sqlite3.Connection, undefined: Sequence[Table]) -> dict[str, str]:
    """Return the statements of tables as they are in the new database."""
    statements = dict(made.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    return {table.name: statements[table.name] for table in undefined}


def _revision(source: sqlite3.Connection) -> str | None:
    try:
        return schema_upgrade.current_revision(source)
    except (sqlite3.DatabaseError, StorageCorrupt):
        return None


def _batches(rows: ReadableRows) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _STEP)):
        yield batch


# Gives tables of a damaged database their definition again, in a copy of its files.
#
# The rows are there, but SQLite does not know a table whose definition it cannot read.

_FIND: Final = "SELECT rowid FROM sqlite_master WHERE type NOT IN ('index', 'trigger') AND (name = ?1 OR tbl_name = ?1)"
_DEFINE: Final = "UPDATE sqlite_master SET type = 'table', name = ?1, tbl_name = ?1, sql = ?2 WHERE rowid = ?3"


@contextmanager
def redefined(database: Path, definitions: Mapping[str, str]) -> Iterator[Path]:
    """Make a copy of a database in which the tables of ``definitions`` are defined so, as far as their entries in the
    schema can be found. It is removed at the end of the block."""
    copy = unfinished_files.name_for(database)
    try:
        for ending in ("", "-wal"):
            source, target = (each.with_name(each.name + ending) for each in (database, copy))
            if source.exists():
                make_private_file(target)
                shutil.copyfile(source, target)
        with closing(connect(copy, "write")) as conn:
            set_defensive(conn, is_on=False)
            conn.execute("PRAGMA writable_schema=ON")
            for name, statement in definitions.items():
                _define(conn, name, statement)
        yield copy
    finally:
        remove_database(copy)


def _define(conn: sqlite3.Connection, name: str, statement: str) -> None:
    for _ in range(2):  # the first statement fails where the schema is damaged
        try:
            found = conn.execute(_FIND, (name,)).fetchall()
            if len(found) == 1:
                conn.execute(_DEFINE, (name, statement, found[0][0]))
            return
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)


_NOTHING: Final = type(None)


class FittingValues:
    """Values for ``columns``; ``changed_rows`` counts the rows that had others."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self.changed_rows = 0
        self._columns = columns
        self._kinds = [_kinds_of(column) for column in columns]
        self._fitting: set[tuple[type, ...]] = set()

    def of_row(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return the values of ``row``, each as what its column holds, or the default of the column."""
        found = tuple(map(type, row))
        if found in self._fitting:
            return row
        if all(kind in kinds for kind, kinds in zip(found, self._kinds, strict=True)):
            self._fitting.add(found)
            return row
        self.changed_rows += 1
        pairs = zip(row, self._columns, self._kinds, strict=True)
        return [value if type(value) in kinds else _fitting(value, column) for value, column, kinds in pairs]


def _kinds_of(column: Column[Any]) -> frozenset[type]:
    kind = _kind_of(column)
    return frozenset((kind, int if kind is float else kind, *((_NOTHING,) if column.nullable else ())))


def _kind_of(column: Column[Any]) -> type:
    if isinstance(column.type, Integer):
        return int
    if isinstance(column.type, Float):
        return float
    return bytes if isinstance(column.type, LargeBinary) else str


def _fitting(value: Any, column: Column[Any]) -> Any:
    kind = _kind_of(column)
    if kind is str and isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if kind is str and isinstance(value, int | float):  # an author that is none is not this person
        return str(value)
    if kind is int and isinstance(value, float) and math.isfinite(value) and abs(value) < 2**63:
        return int(value)
    if column.nullable:
        return None
    if column.primary_key or column.foreign_keys:
        return new_id() if kind is str else None  # a row without its owner, whose text is recovered like all others
    default = column.server_default
    stored = str(default.arg).strip("'") if isinstance(default, DefaultClause) else ""
    return kind(stored or 0) if kind in (int, float) else stored.encode() if kind is bytes else stored
