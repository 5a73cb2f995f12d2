"""Repairs a readable database as far as possible, and reports line by line what was and was not repaired.

A copy of the database is kept first. Everything is repaired in one transaction: all of it or nothing. Nothing that a
person wrote is removed: messages of a thread that is missing get a thread again, a text whose message is missing gets a
message, and a damaged text stays as it is, because only a backup has the original.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import RECOVERED_TITLE, title_text
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.chat import shown_path, thread_counters, waiting_questions
from chatdesk.core.storage.chat.projects import private_project_id
from chatdesk.core.storage.engine import search_index, search_schema, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import to_json
from chatdesk.core.storage.sync import damaged_shares
from chatdesk.core.storage.transfer.export_reader import open_reader
from chatdesk.core.storage.upkeep import reachability, restore, salvaged_texts, stored_values
from chatdesk.core.storage.upkeep.db_check import Complaint, Kind, examine, wrong_counters, wrong_ends
from chatdesk.core.texts import Sentences, Text, plural

_log = logging.getLogger(__name__)

# Said where a team has to be joined again.
COMES_AGAIN: Final = Text(
    "Press Connect again in Settings, Team sync, or run 'chatdesk team join': then what was lost of shared projects is"
    " fetched from the team's server as far as it is there."
)
# The project of a lost thread, from the log's rows of the thread and its messages.
_HOME: Final = """
SELECT c.project_id FROM changes c JOIN projects p ON p.id = c.project_id AND p.deleted_at IS NULL
WHERE c.entity = :thread OR c.entity IN (SELECT id FROM messages WHERE thread_id = :thread)
ORDER BY c.n DESC LIMIT 1
"""
_COUNTED: Final = (
    "message_count = ?, total_input_tokens = ?, total_output_tokens = ?, total_cached_tokens = ?,"
    " total_reasoning_tokens = ?, total_tool_time_ms = ?, tool_counts = ?, shown_count ="
    " (SELECT count(*) FROM messages WHERE thread_id = threads.id AND on_path = 1 AND deleted_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The result of a repair. ``done`` and ``left`` are sentences; ``kept`` is the copy of the database as it was, None
    when nothing was to be done."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    kept: Path | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        kept = (
            ()
            if self.kept is None
            else (Text("The database as it was before the repair is kept at {kept}.", kept=self.kept),)
        )
        nothing = () if self.done or self.left else (Text("Nothing was wrong."),)
        return (*kept, *self.done, *self.left, *nothing)


class RepairService:
    """Checks and repairs the open database ``database``, whose attachments are in ``blobs``."""

    def __init__(self, database: Database, blobs: Path) -> None:
        self._database = database
        self._blobs = blobs

    async def check(self, *, with_index: bool = True) -> list[Complaint]:
        """Return everything that is wrong. Works for a while, on a thread and a connection of its own. ``with_index``:
        also the search index, during which nothing can be written."""
        try:
            found = await asyncio.to_thread(self._examine)
        except StorageCorrupt:
            return [Complaint(Kind.PAGES, Text("The file is too damaged for SQLite to check it."))]
        if with_index and not self._database.is_read_only and not any(each.kind is Kind.PAGES for each in found):
            found += await self._database.write(_index_complaints, is_durable=False)
        return found

    def _examine(self) -> list[Complaint]:
        with open_reader(self._database.path) as reader:
            return examine(reader.connection, self._blobs)

    async def repair(self) -> RepairReport:
        """Repair the database as far as possible. Raises ``StorageError``; nothing was changed then."""
        found = await self.check()
        if any(each.kind is Kind.PAGES for each in found):
            return RepairReport((), tuple(_damaged_pages(found)))
        kept = None
        done: list[str] = []
        has_lost = any(each.kind is Kind.REFERENCES for each in found) or (
            any(each.kind is Kind.TEXT for each in found) and bool(await self._database.read(damaged_shares.damaged))
        )
        if has_lost or any(each.can_be_repaired for each in found):
            kept = await asyncio.to_thread(
                restore.keep_present,
                self._database.path,
                backup_dir=self._database.backup_dir,
                now_ms=self._database.origin.now(),
                reason="repair",
            )
            done = await self._database.write(lambda conn: _repair(conn, self._database.origin, has_lost=has_lost))
            _log.info("repaired: %d lines", len(done))
        left = [_left(each) for each in await self.check()]
        return RepairReport(tuple(done), tuple(left), kept)


def _repair(conn: Connection, origin: Origin, *, has_lost: bool) -> list[str]:
    """Repair the database. ``has_lost``: rows are lost that come again once the teams are joined again."""
    done: list[str] = [COMES_AGAIN] if has_lost and damaged_shares.prepare(conn, origin.now()) else []
    return done + repair(conn, origin)


def repair(conn: Connection, origin: Origin) -> list[str]:
    """Repair everything that can be, in the caller's transaction. Returns a sentence for each kind of thing."""
    done = stored_values.replace(driver(conn))
    done += _give_references(conn, origin) + reachability.make_reachable(conn, origin)
    raw = driver(conn)
    if _index_complaints(conn):
        search_index.rebuild(raw)
        done.append(Text("The search index was rebuilt; it is filled in the background."))
    ends = wrong_ends(conn)
    for thread_id in ends:
        shown_path.refresh_end(conn, thread_id)
    if ends:
        done.append(
            plural(
                "The last shown message was determined again in {count} threads.",
                "The last shown message was determined again in {count} thread.",
                len(ends),
            )
        )
    counters = wrong_counters(conn)
    for thread_id in counters:
        _count(conn, thread_id)
    if counters:
        done.append(
            plural(
                "The counters of {count} threads were corrected.",
                "The counters of {count} thread were corrected.",
                len(counters),
            )
        )
    return done


def _give_references(conn: Connection, origin: Origin) -> list[str]:
    """Repair dangling references: a person's text gets a new place; rows that only belonged to the missing row are
    removed."""
    done: list[str] = []
    moved = _move_to_private_project(conn, origin)
    if moved:
        done.append(
            plural(
                "{count} threads whose project is missing were moved to a private project.",
                "{count} thread whose project is missing was moved to a private project.",
                moved,
            )
        )
    lost = [row[0] for row in conn.exec_driver_sql(
        "SELECT DISTINCT thread_id FROM messages WHERE thread_id NOT IN (SELECT id FROM threads)"
    )]  # fmt: skip
    for thread_id in lost:
        _recover_thread(conn, origin, thread_id)
    if lost:
        done.append(
            plural(
                "{count} threads that had lost title and settings are called “{recovered_title}”.",
                "{count} thread that had lost title and settings is called “{recovered_title}”.",
                len(lost),
                recovered_title=title_text(RECOVERED_TITLE),
            )
        )
    done += salvaged_texts.bring_back(conn, origin)
    roots = _changed(
        conn,
        "UPDATE messages SET parent_id = NULL WHERE parent_id IS NOT NULL"
        " AND parent_id NOT IN (SELECT id FROM messages)",
    )
    if roots:
        done.append(
            plural(
                "{count} messages whose previous message is missing now begin a version of their own.",
                "{count} message whose previous message is missing now begins a version of its own.",
                roots,
            )
        )
    drafts = waiting_questions.keep_orphans(driver(conn))
    if drafts:
        done.append(
            plural(
                "{count} drafts whose thread is missing were added to the draft of a new thread.",
                "{count} draft whose thread is missing was added to the draft of a new thread.",
                drafts,
            )
        )
    return done + _remove_dangling(conn)


def _remove_dangling(conn: Connection) -> list[str]:
    """Remove the rows that belonged to missing ones only, and return a sentence for each table."""
    removed: Counter[str] = Counter()
    for row in conn.exec_driver_sql("PRAGMA foreign_key_check").all():
        removed[row[0]] += _remove_or_unset(conn, row)
    return [
        plural(
            "{count} rows of {table} that belonged to nothing were removed.",
            "{count} row of {table} that belonged to nothing was removed.",
            count,
            table=table,
        )
        for table, count in removed.items()
    ]


def _move_to_private_project(conn: Connection, origin: Origin) -> int:
    """Move the threads of projects that are missing. Returns how many they were."""
    homeless = "project_id NOT IN (SELECT id FROM projects)"
    if conn.exec_driver_sql(f"SELECT 1 FROM threads WHERE {homeless} LIMIT 1").first() is None:
        return 0
    return _changed(conn, f"UPDATE threads SET project_id = ? WHERE {homeless}", (private_project_id(conn, origin),))


def _recover_thread(conn: Connection, origin: Origin, thread_id: str) -> None:
    project = conn.exec_driver_sql(_HOME, {"thread": thread_id}).scalar() or private_project_id(conn, origin)
    first, last = conn.exec_driver_sql(
        "SELECT min(created_at), max(created_at) FROM messages WHERE thread_id = ?", (thread_id,)
    ).one()
    salvaged_texts.insert_recovered_thread(conn, origin, thread_id, project, created_at=first, last_activity_at=last)


def _remove_or_unset(conn: Connection, row: Any) -> int:
    """Repair ``row`` of foreign_key_check: (table, rowid, parent, key). Returns how many rows went."""
    table, rowid, _parent, key = row
    names = {each.name for each in tables.metadata.sorted_tables}
    if table not in names:
        return 0
    column = next(each[3] for each in conn.exec_driver_sql(f"PRAGMA foreign_key_list({table})") if each[0] == key)
    if rowid is None:  # a table without row ids: tags of threads, counts of tokens
        parent = next(each for each in conn.exec_driver_sql(f"PRAGMA foreign_key_list({table})") if each[0] == key)
        return _changed(conn, f"DELETE FROM {table} WHERE {column} NOT IN (SELECT {parent[4]} FROM {parent[2]})")
    if tables.metadata.tables[table].columns[column].nullable:
        _changed(conn, f"UPDATE {table} SET {column} = NULL WHERE rowid = ?", (rowid,))
        return 0
    return _changed(conn, f"DELETE FROM {table} WHERE rowid = ?", (rowid,))


def _count(conn: Connection, thread_id: str) -> None:
    tally = thread_counters.of_thread(conn, thread_id)
    conn.exec_driver_sql(
        f"UPDATE threads SET {_COUNTED} WHERE id = ?",
        (
            tally.message_count,
            tally.input_tokens,
            tally.output_tokens,
            tally.cached_tokens,
            tally.reasoning_tokens,
            tally.tool_time_ms,
            to_json(dict(tally.tool_counts)),
            thread_id,
        ),
    )


def _index_complaints(conn: Connection) -> list[Complaint]:
    """Return the complaints of FTS5 about its own tables; asking is a statement that writes, though nothing is
    changed."""
    raw = driver(conn)
    for table in search_schema.VIRTUAL_TABLES:
        try:
            raw.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            if not search_index.is_damage(error):
                raise
            return [Complaint(Kind.INDEX, Text("The search index is damaged."))]
    return []


def _damaged_pages(found: list[Complaint]) -> list[str]:
    return [
        Text(
            "The file itself is damaged (problems found: {found}), so nothing was changed in it.", found=str(len(found))
        ),
        Text(
            "Restore a backup, or close ChatDesk and run 'chatdesk doctor --repair', which copies what can still be "
            "read."
        ),
    ]


def _left(complaint: Complaint) -> str:
    advice = {
        Kind.TEXT: Text("It was left as it is; a backup may still have the original."),
        Kind.FILES: Text("A backup made with 'chatdesk backup FILE' contains it, if it was made in time."),
    }.get(complaint.kind, Text("It could not be repaired."))
    return Sentences.of(complaint.text, advice)


def _changed(conn: Connection, statement: str, values: tuple[Any, ...] = ()) -> int:
    return conn.exec_driver_sql(statement, values).rowcount
