"""Copies the readable rows of a damaged database into a new one, table by table and row by row.

Around a place that cannot be read it goes on at the next row number that can be found. The damaged file is only read.
What is copied waits where a restore waits (``pending_restore``), so that putting it in place keeps the damaged file.
"""

# ruff: noqa: S608 - names come from our own tables and from the file's list of columns, both quoted

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table

from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.engine import backup, schema_upgrade, search_index, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import connect, driver, make_private_file, set_defensive, unused_database
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.pending_restore import ready_path, remove_database
from chatdesk.core.storage.sync import salvage as sync_salvage
from chatdesk.core.storage.upkeep import db_check, quieting, repair, salvaged_texts
from chatdesk.core.texts import Text, plural

_STEP: Final = 200
_LARGEST_ROWID: Final = 2**62
# Found again from the messages, or of no use without what they belong to.
_DERIVED: Final = frozenset(("part_token_counts", "search_queue", "search_removed", "search_entries", "search_backlog"))
_UNREADABLE: Final = StorageCorrupt(
    Text("Nothing could be read from the damaged database."),
    safe=Text("It was left as it is."),
    next_step=Text("Restore the newest backup."),
)


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """The result of copying. ``lines`` are sentences that say how much was copied, a table each, and what was repaired
    in the copy. ``is_whole``: nothing was lost, as far as anybody can tell."""

    lines: tuple[str, ...]
    is_whole: bool


def salvage(database: Path, origin: Origin) -> SalvageReport:
    """Copy all rows that can be read; the copy is ready for ``pending_restore.commit``. Raises ``StorageCorrupt`` when
    no text could be read."""
    target = ready_path(database)
    with translating(database):
        remove_database(target)
        make_private_file(target)
        try:
            report = _fill(database, target, origin)
            backup.sync_file(target)
        except BaseException:
            remove_database(target)
            raise
    return report


def _fill(database: Path, target: Path, origin: Origin) -> SalvageReport:
    lines: list[str] = []
    lost: list[str] = []
    try:
        with unused_database(target) as conn:
            raw = driver(conn)
            schema_upgrade.create(conn)
            with closing(_damaged(database)) as source:
                copied = {table.name: _copy(source, raw, table, lines, lost) for table in tables.metadata.sorted_tables}
            if not (copied["messages"] or copied["message_parts"]):
                raise _UNREADABLE
            raw.execute("DELETE FROM search_queue")
            search_index.rebuild(raw)
            if sync_salvage.pull_again(conn, origin.now()):
                lines.append(repair.COMES_AGAIN)
            placed, apart = salvaged_texts.recover(conn, origin)
            if placed:
                lost.append(
                    Text(
                        "Messages that could not be read but whose text was recovered in place: {placed}.",
                        placed=placed,
                    )
                )
            if apart:
                title = salvaged_texts.RECOVERED_TITLE
                lost.append(
                    Text(
                        "Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.",
                        apart=apart,
                        title=title,
                    )
                )
            repaired = repair.repair(conn, origin)
            quieting.stop_automatic_actions(raw, origin.now())
            wrong = db_check.check_database(conn, is_thorough=True)
            if wrong:
                lost.append(Text("Problems that are left: {wrong}; 'chatdesk doctor' lists them.", wrong=len(wrong)))
    except sqlite3.DatabaseError as error:
        raise _UNREADABLE from error
    return SalvageReport((*lines, *lost, *repaired), is_whole=not (lost or repaired or wrong))


def _damaged(database: Path) -> sqlite3.Connection:
    conn = connect(database, "read")
    try:
        conn.execute("PRAGMA query_only=ON")
        # Lets SQLite read a file that is shorter than its first page says, which is what a copy is that was cut short.
        set_defensive(conn, is_on=False)
        conn.execute("PRAGMA writable_schema=ON")
    except BaseException:
        conn.close()
        raise
    return conn


def _copy(source: sqlite3.Connection, sink: sqlite3.Connection, table: Table, lines: list[str], lost: list[str]) -> int:
    """Copy one table. Returns how many rows. What is no table of rows, whatever its name, is not read."""
    if table.name in _DERIVED:
        return 0
    try:
        kinds = source.execute("SELECT type FROM sqlite_master WHERE name = ?", (table.name,)).fetchall()
        found = source.execute(f'PRAGMA table_xinfo("{table.name}")').fetchall() if kinds == [("table",)] else []
    except sqlite3.DatabaseError:
        raise _UNREADABLE from None
    if kinds and not found:
        lost.append(Text("{name}: this is not a table of ChatDesk, so it was left out.", name=table.name))
    there = {row[1] for row in found if not row[6]}  # what is computed is not read
    names = [column.name for column in table.columns if column.name in there and column.name != "search_n"]
    if not names:
        return 0
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'INSERT OR IGNORE INTO "{table.name}" ({columns}) VALUES ({", ".join("?" * len(names))})'
    gaps = _Restarts()
    count = 0
    is_numbered = table.dialect_options["sqlite"]["with_rowid"]
    rows = _numbered(source, table.name, columns, gaps) if is_numbered else _plain(source, table.name, columns, gaps)
    for batch in rows:
        count += sink.executemany(statement, batch).rowcount
    if gaps.count:
        places = plural("{count} places", "{count} place", gaps.count)
        lost.append(
            Text(
                "{name}: {number} rows were copied; {places} could not be read.",
                name=table.name,
                number=count,
                places=places,
            )
        )
    elif table.name in ("threads", "messages"):
        lines.append(Text("{name}: all {number} rows were copied.", name=table.name, number=count))
    return count


class _Restarts:
    """Counts how often reading had to start over behind something that cannot be read."""

    def __init__(self) -> None:
        self.count = 0


def _numbered(source: sqlite3.Connection, table: str, columns: str, gaps: _Restarts) -> Iterator[list[Sequence[Any]]]:
    # "From", never "behind": to go behind a row SQLite looks at the page that the row would be on.
    start, size = 0, _STEP
    while True:
        try:
            rows = _from(source, table, columns, start, size)
        except sqlite3.DatabaseError:
            if size > 1:
                size = 1  # up to the place itself
                continue
            gaps.count += 1
            further = _beyond(source, table, start)
            if further is None:
                return
            start, size = further, _STEP
            continue
        if not rows:
            return
        yield [row[1:] for row in rows]
        start = rows[-1][0] + 1


def _from(source: sqlite3.Connection, table: str, columns: str, start: int, size: int) -> list[Any]:
    return source.execute(
        f'SELECT rowid, {columns} FROM "{table}" WHERE rowid >= ? ORDER BY rowid LIMIT ?', (start, size)
    ).fetchall()


def _beyond(source: sqlite3.Connection, table: str, start: int) -> int | None:
    """Return the smallest row number behind ``start`` from which on a row can be read, found by doubling and
    halving."""
    step = 1
    while _first_from(source, table, start + step) is None:
        step *= 2
        if start + step >= _LARGEST_ROWID:
            return None
    low, high = step // 2, step
    while high - low > 1:
        middle = (low + high) // 2
        if _first_from(source, table, start + middle) is None:
            low = middle
        else:
            high = middle
    return _first_from(source, table, start + high)


def _first_from(source: sqlite3.Connection, table: str, rowid: int) -> int | None:
    """Return the number of the first row from ``rowid`` on, when that row can be read. At the end there is none."""
    with suppress(sqlite3.DatabaseError):
        row = source.execute(
            f'SELECT rowid, * FROM "{table}" WHERE rowid >= ? ORDER BY rowid LIMIT 1', (rowid,)
        ).fetchone()
        return None if row is None else int(row[0])
    return None


def _plain(source: sqlite3.Connection, table: str, columns: str, gaps: _Restarts) -> Iterator[list[Sequence[Any]]]:
    found = source.execute(f'SELECT {columns} FROM "{table}"')
    with closing(found):
        while True:
            try:
                rows = found.fetchmany(_STEP)
            except sqlite3.DatabaseError:
                gaps.count += 1
                return
            if not rows:
                return
            yield rows
