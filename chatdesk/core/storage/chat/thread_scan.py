"""Reads through a whole thread: how long its messages are, how they hang together, where in them a text is."""

from __future__ import annotations

import json

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import EDITED, ThreadSizes
from chatdesk.core.domain.text_match import MessageMatch, count_in_source
from chatdesk.core.domain.tree import TreeNode
from chatdesk.core.storage.engine.plain_text import from_json, json_value

SCAN_STEP = 500  # positions a read, about 25 ms: other readers of the database get their turn between two
_SHOWN = "m.thread_id = :thread AND m.on_path = 1 AND m.deleted_at IS NULL"
_ESCAPE = "!"


def tree_nodes(conn: Connection, thread_id: str, *, preview: int) -> list[TreeNode]:
    """Return every message of a thread, live or not, with the first characters of its first text."""
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.parent_id, m.role, m.status, m.model,"  # noqa: S608
        f" (SELECT substr({json_value('p.content', 'text')}, 1, :preview) FROM message_parts p"
        "  WHERE p.message_id = m.id AND p.type = 'text' ORDER BY p.part_index LIMIT 1),"
        " m.on_path, m.deleted_at IS NOT NULL, m.purged_at IS NOT NULL,"
        " m.role = 'assistant' AND m.finish_reason IS :edited FROM messages m WHERE m.thread_id = :thread",
        {"thread": thread_id, "preview": preview, "edited": EDITED},
    )
    return [
        TreeNode(
            row[0],
            row[1],
            role=row[2],
            status=row[3],
            model=row[4],
            preview=" ".join((row[5] or "").split()),
            is_shown=bool(row[6]),
            is_in_trash=bool(row[7]),
            is_gone=bool(row[8]),
            is_edited=bool(row[9]),
        )
        for row in rows
    ]


def end_of(conn: Connection, thread_id: str) -> int:
    """Return the position after the last one of the shown path."""
    last = conn.exec_driver_sql(
        f"SELECT max(m.position) FROM messages m WHERE {_SHOWN}",  # noqa: S608 - a constant
        {"thread": thread_id},
    ).scalar()
    return 0 if last is None else int(last) + 1


def sizes(conn: Connection, thread_id: str, *, most_groups: int) -> ThreadSizes:
    """Return the lengths of the shown path, in at most ``most_groups`` groups of as many positions each."""
    count = end_of(conn, thread_id)
    step = max(1, -(-count // most_groups))
    rows = conn.exec_driver_sql(
        "SELECT m.position / :step, count(*), sum(m.char_count), sum(m.line_count)"  # noqa: S608 - a constant
        f" FROM messages m WHERE {_SHOWN} GROUP BY 1",
        {"thread": thread_id, "step": step},
    )
    groups = -(-count // step)
    messages, characters, lines = [0] * groups, [0] * groups, [0] * groups
    for group, *found in rows:
        messages[group], characters[group], lines[group] = found
    return ThreadSizes(count, step, tuple(messages), tuple(characters), tuple(lines))


def find_between(conn: Connection, thread_id: str, *, start: int, needle: str) -> list[MessageMatch]:
    """Return messages of one step of the path, from position ``start`` on, in which ``needle`` is."""
    values = {"thread": thread_id, "start": start, "end": start + SCAN_STEP}
    condition = ""
    words = [json.dumps(word, ensure_ascii=False)[1:-1] for word in needle.split()]  # escaped as in the stored JSON
    for number, word in enumerate(words):
        if word.isascii():  # LIKE ignores case only in ASCII
            condition += f" AND p.content LIKE :word{number} ESCAPE '{_ESCAPE}'"
            values[f"word{number}"] = f"%{_escaped(word)}%"
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.position, p.content"  # noqa: S608 - constants
        " FROM messages m JOIN message_parts p ON p.message_id = m.id AND p.type = 'text'"
        f" WHERE {_SHOWN} AND m.position >= :start AND m.position < :end{condition}"
        " ORDER BY m.position, p.part_index",
        values,
    )
    found: dict[str, MessageMatch] = {}
    # A letter that has no lower case of one letter is compared as it is, which this first look cannot.
    other_words = [word for word in words if not word.isascii() and word == word.lower()]
    for message_id, position, content in rows:
        if other_words and not _holds(content, other_words):
            continue
        count = count_in_source(str(from_json(content).get("text", "")), needle)
        if count:
            before = found.get(message_id)
            found[message_id] = MessageMatch(message_id, position, count + (before.count if before else 0))
    return list(found.values())


def _holds(content: str, words: list[str]) -> bool:
    """Return whether all words are in ``content``, so that it is worth a closer look."""
    lowered = content.lower()
    return all(word in lowered for word in words)


def _escaped(pattern: str) -> str:
    for sign in (_ESCAPE, "%", "_"):
        pattern = pattern.replace(sign, _ESCAPE + sign)
    return pattern
