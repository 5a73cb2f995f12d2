"""Looks for damage that SQLite can find, and for damage that it cannot: rows that nobody can reach, and texts that do
not fit their digest."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.content_digest import damaged_ids
from chatdesk.core.storage.upkeep.reachability import unreachable


def check_database(conn: Connection, *, is_thorough: bool) -> list[str]:
    """Return complaints in plain words, without contents; empty when all is well."""
    found = check_pages(conn, is_thorough=is_thorough)
    if found or not is_thorough:
        return found
    return dangling_rows(conn) + unreachable(conn) + damaged_messages(conn)


def check_pages(conn: Connection, *, is_thorough: bool = True) -> list[str]:
    """Return the complaints of SQLite itself."""
    pragma = "integrity_check" if is_thorough else "quick_check"
    return [str(row[0]) for row in conn.exec_driver_sql(f"PRAGMA {pragma}(100)") if row[0] != "ok"]


def dangling_rows(conn: Connection) -> list[str]:
    """Return a complaint for each row that points at nothing."""
    return [
        f"a row of {row[0]} points at a missing row of {row[2]}"
        for row in conn.exec_driver_sql("PRAGMA foreign_key_check")
    ]


def damaged_messages(conn: Connection) -> list[str]:
    """Return a complaint for each message whose text has changed since it was finished, which no check of SQLite can
    see."""
    return [f"the text of message {each} is not what was saved" for each in damaged_ids(conn)]
