"""Turns copies of what other members wrote into quotations with their source.

A copy is this person's: it goes to others under this person's name. Whose words it has can only be in its text, which
every ChatDesk shows, exports and sends to a model; so that is where it is, for every kind of copy.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.quotation import link_to, quotation, quoted
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import token_counts
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.plain_text import from_json, to_json
from chatdesk.core.storage.engine.rows import batches, marks


@dataclass(frozen=True, slots=True)
class Source:
    """The message that is quoted, and the member who wrote it."""

    author_id: str
    thread_id: str
    message_id: str


def of_others(conn: Connection, message_ids: Iterable[str]) -> dict[str, Source]:
    """Return those of these messages that another member wrote, as sources of themselves."""
    return {
        row[0]: Source(row[1], row[2], row[0])
        for batch in batches(list(message_ids))
        for row in conn.exec_driver_sql(
            "SELECT id, author_id, thread_id FROM messages WHERE author_id IS NOT NULL AND purged_at IS NULL"
            f" AND id IN ({marks(batch)})",
            tuple(batch),
        )
    }


def quote_messages(conn: Connection, origin: Origin, sources: Mapping[str, Source]) -> None:
    """Make these messages, given with what each is a copy of, this person's quotations."""
    names = names_of(conn, {each.author_id for each in sources.values()})
    for batch in batches(sorted(sources)):
        texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for part_id, message_id, content in conn.exec_driver_sql(
            f"SELECT id, message_id, content FROM message_parts WHERE message_id IN ({marks(batch)})"
            " AND type = 'text' ORDER BY message_id, part_index",
            tuple(batch),
        ):
            texts[message_id].append((part_id, content))
        for message_id in batch:
            source = sources[message_id]
            link = link_to(source.thread_id, source.message_id)
            _quote(conn, origin, message_id, texts[message_id], author=names.get(source.author_id, ""), link=link)
        conn.exec_driver_sql(f"UPDATE messages SET author_id = NULL WHERE id IN ({marks(batch)})", tuple(batch))


def _quote(
    conn: Connection, origin: Origin, message_id: str, texts: Sequence[tuple[str, str]], *, author: str, link: str
) -> None:
    token_counts.forget(conn, message_id)
    more_chars = more_lines = 0
    for place, (part_id, stored) in enumerate(texts):
        content = from_json(stored)
        before = str(content.get("text", ""))
        text = quoted(before) if place else quotation(before, author=author, source=link)
        more_chars += len(text) - len(before)
        more_lines += text.count("\n") - before.count("\n")
        conn.exec_driver_sql(
            "UPDATE message_parts SET content = ? WHERE id = ?", (to_json({**content, "text": text}), part_id)
        )
    if not texts:
        text = quotation("", author=author, source=link)
        more_chars, more_lines = len(text), 1 + text.count("\n")
        stamp = origin.stamp()
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content, hlc, origin_device)"
            " SELECT ?1, ?2, coalesce(max(part_index), -1) + 1, 'text', ?3, ?4, ?5 FROM message_parts"
            " WHERE message_id = ?2",
            (new_id(), message_id, to_json({"text": text}), stamp["hlc"], stamp["origin_device"]),
        )
    parts = conn.exec_driver_sql(
        "SELECT part_index, type, content FROM message_parts WHERE message_id = ? ORDER BY part_index", (message_id,)
    )
    conn.exec_driver_sql(
        "UPDATE messages SET char_count = char_count + ?, line_count = line_count + ?,"
        " content_digest = CASE WHEN content_digest IS NOT NULL THEN ? END WHERE id = ?",
        (more_chars, more_lines, digest((row[0], row[1], row[2]) for row in parts), message_id),
    )


def quote_summaries(conn: Connection, thread_id: str) -> None:
    """Make the summaries of a thread that are another member's this person's quotations."""
    rows = conn.exec_driver_sql(
        "SELECT id, author_id, text FROM summaries WHERE author_id IS NOT NULL AND thread_id = ?", (thread_id,)
    ).all()
    names = names_of(conn, {row.author_id for row in rows})
    for row in rows:
        text = quotation(row.text, author=names.get(row.author_id, ""), source=link_to(thread_id))
        conn.exec_driver_sql("UPDATE summaries SET text = ?, author_id = NULL WHERE id = ?", (text, row.id))


def names_of(conn: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of members of any team, as far as they are known."""
    return {
        row[0]: row[1]
        for batch in batches(sorted(member_ids))
        for row in conn.exec_driver_sql(f"SELECT id, name FROM team_members WHERE id IN ({marks(batch)})", tuple(batch))
    }
