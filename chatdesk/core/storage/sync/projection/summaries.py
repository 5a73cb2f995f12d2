"""Stores summaries of other members. A member's summary is used for every member to whom its messages are shown."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.domain.summary import SummaryAuthor
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import DELETE, update_heads
from chatdesk.core.storage.sync.wire.rows import is_id, moment, whole, word

_AUTHORS: Final = frozenset(author.value for author in SummaryAuthor)
_MOST_FACTS: Final = 200
# Characters per token for summaries without a count: fewer than usual, so that no context overflows.
_CHARACTERS_A_TOKEN: Final = 3

_INSERT = (
    "INSERT INTO summaries (id, thread_id, from_message_id, up_to_message_id, text, provider, model, token_count,"
    " created_at, prompt_version, author, pinned_facts, message_count, input_tokens, output_tokens, author_id, hlc,"
    " origin_device, stale_reason, version) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
    " CASE WHEN last.on_path = 1 THEN NULL ELSE 'switched' END, ? FROM messages last WHERE last.id = ?"
)


def thread_of(body: Mapping[str, Any]) -> str | None:
    """Return the thread of a summary; None if the body is not that of a summary."""
    thread_id, text = body.get("thread_id"), body.get("text")
    ends = body.get("from_message_id"), body.get("up_to_message_id")
    if is_id(thread_id) and isinstance(text, str) and text and all(is_id(end) for end in ends):
        return str(thread_id)
    return None


def insert(
    raw: sqlite3.Connection,
    summary_id: str,
    body: Mapping[str, Any],
    *,
    author: str | None,
    hlc: int,
    device: str,
    effects: Effects,
) -> bool:
    """Store a summary of an existing thread. Returns false if the messages at its ends do not exist yet; it has to wait
    then."""
    thread_id = thread_of(body)
    first, last = body.get("from_message_id"), body.get("up_to_message_id")
    ends = raw.execute(
        "SELECT position FROM messages WHERE id IN (?, ?) AND thread_id = ? ORDER BY position", (first, last, thread_id)
    ).fetchall()
    if thread_id is None or len(ends) != len({first, last}):
        return False
    text = clean(body["text"])
    kind = body.get("author")
    raw.execute(
        _INSERT,
        (
            summary_id,
            thread_id,
            first,
            last,
            text,
            word(body.get("provider")),
            word(body.get("model")),
            whole(body.get("token_count")) or len(text) // _CHARACTERS_A_TOKEN + 1,
            moment(body.get("created_at")) or 0,
            word(body.get("prompt_version")) or "",
            kind if kind in _AUTHORS else SummaryAuthor.MODEL.value,
            _facts(body.get("pinned_facts")),
            whole(body.get("message_count")) or ends[-1][0] - ends[0][0] + 1,
            whole(body.get("input_tokens")) or 0,
            whole(body.get("output_tokens")) or 0,
            author,
            hlc,
            device,
            _next_version(raw, thread_id, effects),
            last,
        ),
    )
    effects.threads.add(thread_id)
    effects.contexts.add(thread_id)
    return True


def _next_version(raw: sqlite3.Connection, thread_id: str, effects: Effects) -> int:
    """Return the next version of the summary of a thread. All are looked through once for a page."""
    newest = effects.summary_versions.get(thread_id)
    if newest is None:
        query = "SELECT coalesce(max(version), 0) FROM summaries WHERE thread_id = ?"
        newest = int(raw.execute(query, (thread_id,)).fetchone()[0])
    effects.summary_versions[thread_id] = newest + 1
    return newest + 1


def _facts(value: object) -> str:
    """Return pinned facts as JSON, from a list or its JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = []
    facts = [clean(fact) for fact in value if isinstance(fact, str)][:_MOST_FACTS] if isinstance(value, list) else []
    return json.dumps(facts, ensure_ascii=False)


def show_or_hide_summary(
    raw: sqlite3.Connection, origin: Origin, project_id: str, summary_id: str, effects: Effects
) -> None:
    """Hide a summary if it was deleted and not restored, else show it."""
    _, heads = update_heads(raw, project_id, "summary", summary_id, change_log.CONTENT)
    is_gone = any(row.op == DELETE for row in heads) and not any(row.op == "edit" for row in heads)
    deleted_at, thread_id = raw.execute(
        "SELECT deleted_at, thread_id FROM summaries WHERE id = ?", (summary_id,)
    ).fetchone()
    if is_gone is not (deleted_at is not None):
        raw.execute("UPDATE summaries SET deleted_at = ? WHERE id = ?", (origin.now() if is_gone else None, summary_id))
        effects.threads.add(thread_id)
        effects.contexts.add(thread_id)
