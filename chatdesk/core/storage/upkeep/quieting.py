"""Ends the automatic actions of a database that was read from a file, because a file is data."""

from __future__ import annotations

import sqlite3

from chatdesk.core.storage.chat import waiting, waiting_questions
from chatdesk.core.storage.sync import parked_workspaces, setup


def stop_automatic_actions(conn: sqlite3.Connection, now_ms: int) -> None:
    """Let nothing in the database act by itself: answers that had not ended are owned by nobody, so that the next start
    ends them as interrupted; nothing waits for the network; questions that wait are drafts; no team is being made, and
    none is connected to; no folder is read. Older versions lack some of the tables."""
    tables = {row[0] for row in conn.execute("SELECT name FROM main.sqlite_master")}
    conn.execute("UPDATE main.messages SET owner_pid_token = NULL WHERE owner_pid_token IS NOT NULL")
    conn.execute("DELETE FROM main.meta WHERE key IN (?, ?)", (waiting.UNREACHED, setup.KEY))
    if "workspaces" in tables:
        parked_workspaces.park_all(conn, now_ms)
    if "knowledge_sources" in tables:  # the path in a file may be anybody's folder
        conn.execute("UPDATE main.knowledge_sources SET is_paused = 1")
    if "drafts" in tables:
        waiting_questions.become_drafts(conn)
