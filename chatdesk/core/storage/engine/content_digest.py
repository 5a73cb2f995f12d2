"""Computes the digest that reveals a damaged text of a finished message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy.engine import Connection


def digest(parts: Iterable[tuple[int, str, str]]) -> str:
    """Return the digest of a message's parts, given as (index, type, stored content) in order of index."""
    hasher = hashlib.blake2b(digest_size=16)
    for index, kind, content in parts:
        data = content.encode("utf-8", "replace")
        hasher.update(f"{index} {kind} {len(data)}\n".encode())
        hasher.update(data)
    return hasher.hexdigest()


def damaged_ids(conn: Connection) -> list[str]:
    """Return the ids of messages whose text has changed since it was finished."""
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.content_digest, p.part_index, p.type, p.content"
        " FROM messages m LEFT JOIN message_parts p ON p.message_id = m.id"
        " WHERE m.content_digest IS NOT NULL ORDER BY m.id, p.part_index"
    )
    found: list[str] = []
    current: tuple[str, str] | None = None
    parts: list[tuple[int, str, str]] = []

    def judge() -> None:
        if current is not None and digest(parts) != current[1]:
            found.append(current[0])

    for message_id, wanted, index, kind, content in rows:
        if current is None or current[0] != message_id:
            judge()
            current, parts = (message_id, wanted), []
        if index is not None:
            parts.append((index, kind, content))
    judge()
    return found
