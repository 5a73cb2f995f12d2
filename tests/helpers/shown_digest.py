"""A fingerprint of a shared project's content, the same on every computer that has applied the same log.

It leaves out what only this computer knows (the version looked at, pins, emptied trash, times of arrival), and what the
server does not have or refused.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.clock import stamp_ms
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.sync.projection.projection import tags_in_log
from chatdesk.core.storage.sync.projection.values import LONGEST_TITLE
from chatdesk.core.storage.sync.registers import COUNTS, member_of

# The columns of a message that everybody shows alike.
_COLUMNS = ("id", "parent_id", "role", "status", "created_at", "completed_at", "provider", "model")
_COLUMNS += ("prompt_tokens", "completion_tokens", "error", "finish_reason")
_MADE = (
    "JOIN changes c ON c.entity = {row}.id AND c.reg = 'content' AND c.op = 'new' AND c.kind = '{kind}'"
    " AND +c.project_id = ?1"
    f" AND c.{COUNTS}"
)
_PROJECT = (
    "SELECT name, colour, system_prompt, provider, model, parameters, is_without_summaries FROM projects WHERE id = ?"
)
_THREADS = (
    "SELECT t.id, t.title, t.system_prompt, t.provider, t.model, t.created_at, t.parameters, t.is_without_summaries,"
    f" t.author_id, min(c.hlc) FROM threads t {_MADE.format(row='t', kind='thread')}"
    " WHERE t.project_id = ?2 AND t.deleted_at IS NULL GROUP BY t.id ORDER BY t.id"
)
_MESSAGES = (
    f"SELECT {', '.join(f'm.{name}' for name in _COLUMNS)}, m.author_id, m.deleted_at, min(c.hlc) FROM messages m"
    f" {_MADE.format(row='m', kind='message')} WHERE m.thread_id = ?2 GROUP BY m.id ORDER BY m.position, m.id"
)
_ID, _PARENT, *_TIMES = map(_COLUMNS.index, ("id", "parent_id", "created_at", "completed_at"))
_PARTS = (
    "SELECT p.message_id, p.type, p.content, p.step_index, p.tool_name, p.tool_call_id FROM message_parts p"
    " JOIN messages m ON m.id = p.message_id WHERE m.thread_id = ? ORDER BY p.message_id, p.part_index"
)
_ARTIFACTS = (
    "SELECT m.id, a.sha256 FROM artifacts a JOIN message_parts p ON p.id = a.part_id"
    " JOIN messages m ON m.id = p.message_id WHERE m.thread_id = ? AND a.document_id IS NULL"
    " ORDER BY m.id, p.part_index, a.sha256"
)
_SUMMARIES = (
    "SELECT s.id, s.from_message_id, s.up_to_message_id, s.text, s.provider, s.model, s.author, s.is_off, s.author_id"
    f" FROM summaries s {_MADE.format(row='s', kind='summary')} WHERE s.thread_id = ?2 AND s.deleted_at IS NULL"
    " GROUP BY s.id ORDER BY s.id"
)


def digest(conn: Connection, project_id: str, *, log: str | None = None) -> str:
    """Return the fingerprint of a project as 32 hexadecimal digits; equal where the same is shown. ``log``: the one of
    own computers, where the project is in that."""
    raw = driver(conn)
    hasher = blake2b(digest_size=16)
    for line in lines(raw, project_id, log or project_id):
        hasher.update(json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode())
        hasher.update(b"\n")
    return hasher.hexdigest()


def lines(raw: sqlite3.Connection, project_id: str, log: str) -> Iterator[tuple[Any, ...]]:
    """Yield the content that the fingerprint covers, one thing a tuple, in an order that is the same everywhere."""
    me = member_of(raw, log)
    row = raw.execute(_PROJECT, (project_id,)).fetchone()
    if row is not None:
        yield ("project", *row)
    for thread_id, title, *rest, author, hlc in raw.execute(_THREADS, (log, project_id)).fetchall():
        rest[3] = min(rest[3], stamp_ms(hlc))
        tags = sorted(name for name, found in tags_in_log(raw, log, thread_id).items() if found[0])
        yield "thread", thread_id, title[:LONGEST_TITLE], *rest, author or me, *tags
        known: set[str] = set()
        yield from _messages(raw, log, thread_id, me, known)
        for summary in raw.execute(_SUMMARIES, (log, thread_id)):
            if known.issuperset(summary[1:3]):
                yield "summary", *summary[:-1], summary[-1] or me


def _messages(
    raw: sqlite3.Connection, project_id: str, thread_id: str, me: str | None, known: set[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield the messages of a thread. ``known`` collects the ids of all that others can have, hidden or not. Times are
    limited to the stamp of the change, which the server bounds: one's own clock may be ahead, and others did not accept
    a later time."""
    contents: dict[str, list[Any]] = defaultdict(list)
    for message_id, kind, content, *rest in raw.execute(_PARTS, (thread_id,)):
        values = from_json(content)
        shown = values.get("text", values.get("arguments", values.get("name", "")))
        contents[message_id].append((kind, shown, values.get("sha256"), *rest))
    for message_id, sha256 in raw.execute(_ARTIFACTS, (thread_id,)):
        contents[message_id].append(sha256)
    for *values, author, deleted_at, hlc in raw.execute(_MESSAGES, (project_id, thread_id)):
        message_id, parent_id = values[_ID], values[_PARENT]
        # Below what the server does not have, nobody else has anything.
        if parent_id is not None and parent_id not in known:
            continue
        for place in _TIMES:
            values[place] = None if values[place] is None else min(values[place], stamp_ms(hlc))
        known.add(message_id)
        if deleted_at is None:
            yield "message", *values, author or me, contents.get(message_id, [])
