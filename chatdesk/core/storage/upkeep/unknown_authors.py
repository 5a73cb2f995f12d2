"""Marks salvaged text whose author the lost log named, so that it is never shared under this person's name.

A message keeps its author in its row. Titles, system prompts and tags of threads and projects have theirs in the log
alone, and so does a text whose message was lost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.storage.chat.quoting import LOST_LOG, UNKNOWN_AUTHOR

_LOG: Final = "changes"
_OF_TEAMS: Final = frozenset(("workspaces", "shared_projects", "team_members"))
_WITH_AUTHORS: Final = ("threads", "messages", "summaries")
_MARK: Final = """
INSERT OR IGNORE INTO import_origins (source, source_key, entity, digest)
SELECT ?, id, id, '' FROM (SELECT id FROM threads UNION ALL SELECT id FROM projects)"""
_WHOSE: Final = """
SELECT mine = 1 OR author IN (SELECT member_id FROM workspaces), author FROM changes
WHERE entity = ? AND kind = 'message' AND op = 'new' LIMIT 1"""


def had_others(conn: Connection, damaged: Collection[str]) -> bool:
    """Return whether something in this profile may be of others; ``damaged`` are the tables with lost rows."""
    return (
        not _OF_TEAMS.isdisjoint(damaged)
        or any(conn.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first() for name in _OF_TEAMS)  # noqa: S608
        or any(
            conn.exec_driver_sql(f"SELECT 1 FROM {name} WHERE author_id IS NOT NULL LIMIT 1").first()  # noqa: S608
            for name in _WITH_AUTHORS
        )
    )


def mark(conn: Connection, damaged: Collection[str]) -> None:
    """Mark all threads and projects if rows of the log are lost. The remaining rows still count."""
    if _LOG in damaged and had_others(conn, damaged):
        conn.exec_driver_sql(_MARK, (LOST_LOG,))


def author_of_text(conn: Connection, message_id: str, *, had_others: bool) -> str | None:
    """Return the member who wrote a message that was lost; None for this person."""
    found = conn.exec_driver_sql(_WHOSE, (message_id,)).first()
    if found is None:
        return UNKNOWN_AUTHOR if had_others else None
    return None if found[0] else found[1] or UNKNOWN_AUTHOR
