"""Reads the rows for a request: messages with the parts that may be sent and their token counts, newest first by
keyset.

Reasoning is never read: it is not sent.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import attachment_from
from chatdesk.core.domain.context import ContextPart, ContextRow, PathCounts
from chatdesk.core.domain.message import ContextMark, PartType, Role, Status
from chatdesk.core.domain.tools import KEPT
from chatdesk.core.storage.engine.plain_text import from_json, one_of
from chatdesk.core.storage.engine.rows import id_batches, marks

_COLUMNS = "m.id, m.position, m.role, m.status, m.context_mark"
_SHOWN = "m.thread_id = ? AND m.on_path = 1 AND m.deleted_at IS NULL"

_UP = f"""
WITH RECURSIVE up(id, parent_id) AS (
    SELECT id, parent_id FROM messages WHERE id = ?
    UNION
    SELECT p.id, p.parent_id FROM up JOIN messages p ON p.id = up.parent_id
)
SELECT {_COLUMNS} FROM up CROSS JOIN messages m ON m.id = up.id WHERE m.deleted_at IS NULL LIMIT ?
"""

# The newest message that is empty or in tool's role counts like any other; only the reader's marks are looked up.
_COUNTS = """
SELECT count(*), min(position), max(position) FROM messages
WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL AND position >= ? AND position <= ?
"""


def shown_before(
    conn: Connection, thread_id: str, encoding: str, *, before: int | None, limit: int
) -> tuple[ContextRow, ...]:
    """Return the newest ``limit`` messages of the shown path below a position, oldest first."""
    condition, values = ("", ()) if before is None else (" AND m.position < ?", (before,))
    rows = conn.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM messages m WHERE {_SHOWN}{condition} ORDER BY m.position DESC LIMIT ?",
        (thread_id, *values, limit),
    ).all()
    return _with_parts(conn, rows[::-1], encoding)


def shown_between(
    conn: Connection, thread_id: str, encoding: str, *, first: int, last: int, limit: int
) -> tuple[ContextRow, ...]:
    """Return the oldest ``limit`` messages of the shown path from one position to another, both included."""
    rows = conn.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM messages m WHERE {_SHOWN} AND m.position >= ? AND m.position <= ?"
        " ORDER BY m.position LIMIT ?",
        (thread_id, first, last, limit),
    ).all()
    return _with_parts(conn, rows, encoding)


def path_up(conn: Connection, message_id: str, encoding: str, *, limit: int) -> tuple[ContextRow, ...]:
    """Return the newest ``limit`` messages on the way from the root to a message that need not be shown, oldest
    first."""
    rows = conn.exec_driver_sql(_UP, (message_id, limit)).all()
    return _with_parts(conn, rows[::-1], encoding)


def pinned_before(conn: Connection, thread_id: str, encoding: str, before: int) -> tuple[ContextRow, ...]:
    """Return pinned messages of the shown path below a position, oldest first."""
    rows = conn.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM messages m WHERE {_SHOWN} AND m.position < ? AND m.context_mark <> ''"
        " AND m.context_mark = 'pinned' ORDER BY m.position",
        (thread_id, before),
    ).all()
    return _with_parts(conn, rows, encoding)


def one(conn: Connection, message_id: str, encoding: str) -> ContextRow | None:
    rows = conn.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM messages m WHERE m.id = ? AND m.deleted_at IS NULL", (message_id,)
    ).all()
    return next(iter(_with_parts(conn, rows, encoding)), None)


def counts(conn: Connection, thread_id: str, first: int, last: int) -> PathCounts:
    """Count the messages that are shown between two positions, and those of them that the reader excluded or that
    are empty."""
    total = conn.exec_driver_sql(_COUNTS, (thread_id, first, last)).one()[0]
    excluded = conn.exec_driver_sql(
        f"SELECT count(*) FROM messages m WHERE {_SHOWN} AND m.position >= ? AND m.position <= ?"
        " AND m.context_mark <> '' AND m.context_mark = 'excluded'",  # the first is what an index is for
        (thread_id, first, last),
    ).scalar_one()
    empty = conn.exec_driver_sql(
        f"SELECT count(*) FROM messages m WHERE {_SHOWN} AND m.position >= ? AND m.position <= ?"
        " AND m.char_count = 0 AND m.context_mark = ''",
        (thread_id, first, last),
    ).scalar_one()
    return PathCounts(total, excluded, empty)


def characters(conn: Connection, thread_id: str, first: int, last: int) -> int:
    """Return the length of the shown text between two positions, without messages that the reader excluded."""
    return int(
        conn.exec_driver_sql(
            f"SELECT coalesce(sum(m.char_count), 0) FROM messages m WHERE {_SHOWN} AND m.position >= ?"
            " AND m.position <= ? AND m.context_mark <> 'excluded'",
            (thread_id, first, last),
        ).scalar_one()
    )


def _with_parts(conn: Connection, rows: Sequence[Sequence[Any]], encoding: str) -> tuple[ContextRow, ...]:
    parts: dict[str, list[ContextPart]] = defaultdict(list)
    for batch in id_batches([row[0] for row in rows if one_of(Status, row[3], Status.INTERRUPTED).is_final]):
        for message_id, part_id, kind, content, call_id, name, tokens in conn.exec_driver_sql(
            "SELECT p.message_id, p.id, p.type, p.content, p.tool_call_id, p.tool_name, c.tokens FROM message_parts p"
            " LEFT JOIN part_token_counts c ON c.part_id = p.id AND c.encoding = ?"
            f" WHERE p.message_id IN ({marks(batch)})"
            " AND p.type IN ('text', 'tool_call', 'tool_result', 'image', 'file')"
            " ORDER BY p.message_id, p.part_index",
            (encoding, *batch),
        ):
            part = _part(part_id, kind, content, call_id, name, tokens)
            if part is not None:
                parts[message_id].append(part)
    return tuple(
        ContextRow(
            row[0],
            row[1],
            one_of(Role, row[2], Role.USER),
            one_of(ContextMark, row[4], ContextMark.NONE),
            tuple(parts.get(row[0], ())),
        )
        for row in rows
    )


def _part(
    part_id: str, kind: str, content: str, call_id: str | None, name: str | None, tokens: int | None
) -> ContextPart | None:
    """Return a part as it is sent; None for what cannot be sent: a file that was not kept by its content."""
    data = from_json(content)
    if kind in (PartType.IMAGE, PartType.FILE):
        attachment = attachment_from(data)
        if attachment is None:
            return None
        return ContextPart(
            part_id, one_of(PartType, kind, PartType.TEXT), "", attachment=attachment, whole_tokens=tokens
        )
    field = "arguments" if kind == PartType.TOOL_CALL else "text"
    value = data.get(field, "")
    text = value if isinstance(value, str) else ""
    return ContextPart(
        part_id, one_of(PartType, kind, PartType.TEXT), text, call_id or "", name or "", tokens, kept=data.get(KEPT)
    )
