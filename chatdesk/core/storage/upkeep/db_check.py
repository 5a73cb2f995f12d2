"""Checks a readable database for every known fault: SQLite's own complaints, dangling references, unreachable rows,
wrong counters, damaged texts and files.

Nothing is changed; each complaint says whether ``repair`` can repair it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from chatdesk.core.storage.chat import thread_counters
from chatdesk.core.storage.engine import stored_bytes
from chatdesk.core.storage.engine.backup import damaged_pages
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.content_digest import damaged_ids
from chatdesk.core.storage.engine.plain_text import to_json
from chatdesk.core.storage.engine.search_schema import VIRTUAL_TABLES
from chatdesk.core.storage.upkeep import backup_files, reachability, stored_values
from chatdesk.core.storage.upkeep.reachability import unreachable
from chatdesk.core.texts import Text

_MOST_LINES: Final = 100

# The counters of every thread, counted afresh by SQLite in one pass; those of tools are looked at one by one.
_COUNTERS: Final = """
SELECT t.id FROM threads t LEFT JOIN (
    SELECT thread_id, count(*) AS n, coalesce(sum(prompt_tokens), 0) AS i, coalesce(sum(completion_tokens), 0) AS o,
           coalesce(sum(cached_tokens), 0) AS c, coalesce(sum(reasoning_tokens), 0) AS r, sum(on_path) AS s
    FROM messages WHERE deleted_at IS NULL GROUP BY thread_id
) f ON f.thread_id = t.id
WHERE t.message_count <> coalesce(f.n, 0) OR t.shown_count <> coalesce(f.s, 0)
   OR t.total_input_tokens <> coalesce(f.i, 0) OR t.total_output_tokens <> coalesce(f.o, 0)
   OR t.total_cached_tokens <> coalesce(f.c, 0) OR t.total_reasoning_tokens <> coalesce(f.r, 0)
"""
_TOOLS: Final = """
SELECT DISTINCT t.id FROM threads t WHERE t.tool_counts <> '{}' OR t.total_tool_time_ms <> 0
   OR EXISTS (SELECT 1 FROM messages m JOIN message_parts p ON p.message_id = m.id
              WHERE m.thread_id = t.id AND p.type = 'tool_result')
"""
_ENDS: Final = """
SELECT t.id FROM threads t WHERE t.current_leaf_id IS NOT (
    SELECT m.id FROM messages m WHERE m.thread_id = t.id AND m.on_path = 1 AND m.deleted_at IS NULL
    ORDER BY m.position DESC LIMIT 1
)
"""


class Kind(StrEnum):
    PAGES = "pages"
    VALUES = "values"
    REFERENCES = "references"
    TEXT = "text"
    COUNTERS = "counters"
    PATHS = "paths"
    REACH = "reach"
    INDEX = "index"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint: ``text`` is a sentence without contents."""

    kind: Kind
    text: Text

    @property
    def can_be_repaired(self) -> bool:
        return self.kind not in (Kind.TEXT, Kind.FILES)


def examine(conn: Connection, blobs: Path) -> list[Complaint]:
    """Return all complaints, at most a hundred of a kind; when pages are damaged, only those."""
    pages = check_pages(conn)
    if pages:
        return [Complaint(Kind.PAGES, text) for text in pages]
    found = [Complaint(Kind.VALUES, text) for text in stored_values.find(driver(conn))[:_MOST_LINES]]
    found += [Complaint(Kind.REFERENCES, text) for text in dangling_rows(conn)]
    steps: tuple[tuple[Kind, Callable[[], list[Text]]], ...] = (
        (Kind.TEXT, lambda: damaged_messages(conn)),
        (
            Kind.COUNTERS,
            lambda: [Text("The counters of thread {thread} are wrong.", thread=each) for each in wrong_counters(conn)],
        ),
        (
            Kind.PATHS,
            lambda: [
                Text("The last shown message of thread {thread} is wrong.", thread=each) for each in wrong_ends(conn)
            ],
        ),
        (Kind.REACH, lambda: reachability.unreachable(conn)),
        (Kind.FILES, lambda: _files(conn, blobs)),
    )
    for kind, look in steps:
        found += [Complaint(kind, text) for text in look()[:_MOST_LINES]]
    return found


def wrong_counters(conn: Connection) -> list[str]:
    """Return threads whose counters are not what their messages give."""
    wrong = {row[0] for row in conn.exec_driver_sql(_COUNTERS)}
    for (thread_id,) in conn.exec_driver_sql(_TOOLS).all():
        if thread_id in wrong:
            continue
        tally = thread_counters.of_thread(conn, thread_id)
        counts, time_ms = conn.exec_driver_sql(
            "SELECT tool_counts, total_tool_time_ms FROM threads WHERE id = ?", (thread_id,)
        ).one()
        if counts != to_json(dict(tally.tool_counts)) or time_ms != tally.tool_time_ms:
            wrong.add(thread_id)
    return sorted(wrong)


def wrong_ends(conn: Connection) -> list[str]:
    """Return threads whose stored newest message is not the last of their shown path."""
    return [row[0] for row in conn.exec_driver_sql(_ENDS)]


def _files(conn: Connection, blobs: Path) -> list[Text]:
    raw = driver(conn)
    found = []
    for name in sorted(backup_files.named_files(raw)):
        complaint = stored_bytes.complaint(blobs, name)
        if complaint:
            found.append(_file_sentence(complaint, f"{name[:12]}…"))
    return found


def _file_sentence(complaint: str, name: str) -> Text:
    """Return the whole sentence on a file with a ``stored_bytes.complaint``."""
    if complaint == stored_bytes.MISSING:
        return Text("The attached file {name} is missing.", name=name)
    if complaint == stored_bytes.CHANGED:
        return Text("The attached file {name} is not what was saved.", name=name)
    if complaint == stored_bytes.LINK:
        return Text("The attached file {name} is a link to another file.", name=name)
    return Text("The attached file {name} cannot be read.", name=name)


def check_database(conn: Connection, *, is_thorough: bool) -> list[Text]:
    """Return complaints in plain words, without contents; empty when all is well."""
    found = check_pages(conn, is_thorough=is_thorough)
    if found or not is_thorough:
        return found
    return dangling_rows(conn) + unreachable(conn) + damaged_messages(conn)


def check_pages(conn: Connection, *, is_thorough: bool = True) -> list[Text]:
    """Return the complaints of SQLite itself."""
    _look_again_at_indexes(conn)
    return [
        Text("SQLite reports: {report}.", report=line) for line in damaged_pages(driver(conn), is_thorough=is_thorough)
    ]


def _look_again_at_indexes(conn: Connection) -> None:
    """Search each index for nothing. Since 3.44 SQLite checks them too, but by what the connection remembers of their
    segments: it takes for damage what another connection has merged since then. Only a search looks at them again."""
    for table in VIRTUAL_TABLES:
        with suppress(DatabaseError):  # damage of the table itself is reported by the check
            conn.exec_driver_sql(f"SELECT rowid FROM {table} WHERE {table} MATCH '\"\"'").all()  # noqa: S608


def dangling_rows(conn: Connection) -> list[Text]:
    """Return a complaint for each row that points at nothing."""
    return [
        Text("A row of {table} points to a missing row of {missing}.", table=row[0], missing=row[2])
        for row in conn.exec_driver_sql("PRAGMA foreign_key_check")
    ]


def damaged_messages(conn: Connection) -> list[Text]:
    """Return a complaint for each message whose text has changed since it was finished, which no check of SQLite can
    see."""
    return [Text("The text of message {message} is not what was saved.", message=each) for each in damaged_ids(conn)]
