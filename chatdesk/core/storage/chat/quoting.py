"""Turns copies of other members' text into quotations with their source.

A copy belongs to this person and is shared under this person's name. So the original author is named in its text, which
every ChatDesk shows, exports and sends to a model, for every kind of copy.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.quotation import link_to, quotation, quoted, quoted_line
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import tags, token_counts
from chatdesk.core.storage.chat.projects import LONGEST_NAME
from chatdesk.core.storage.chat.summaries import facts_of
from chatdesk.core.storage.engine.change_log import NAME, TAG, TITLE, Origin
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.plain_text import from_json, title_columns, to_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.engine.steering import SYSTEM_PROMPT

# The author of a text that another member may have written, once the log that names the author is lost.
UNKNOWN_AUTHOR: Final = ""
# The mark of a thread or project whose log was lost.
LOST_LOG: Final = "lost log"
# Under which names changes have the words of a register; those of tags have a name.
_KEYS = {TITLE: "title", SYSTEM_PROMPT: "system_prompt"}


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
        "SELECT id, author_id, text, pinned_facts FROM summaries WHERE author_id IS NOT NULL AND thread_id = ?",
        (thread_id,),
    ).all()
    names = names_of(conn, {row.author_id for row in rows})
    for row in rows:
        author = names.get(row.author_id, "")
        text = quotation(row.text, author=author, source=link_to(thread_id))
        facts = [quoted_line(fact, author=author) for fact in facts_of(row.pinned_facts)]
        conn.exec_driver_sql(
            "UPDATE summaries SET text = ?, pinned_facts = ?, author_id = NULL WHERE id = ?",
            (text, json.dumps(facts, ensure_ascii=False), row.id),
        )


def quote_thread(conn: Connection, origin: Origin, thread_id: str, *, team: Collection[str] = ()) -> None:
    """Make the title, the system prompt and the tags that another member gave a thread this person's quotations, but
    for those of the members of ``team``."""
    row = conn.exec_driver_sql("SELECT title, system_prompt FROM threads WHERE id = ?", (thread_id,)).one()
    if (author := author_of(conn, "thread", thread_id, TITLE, row.title)) is not None and author not in team:
        title = title_columns(quoted_line(row.title, author=_name_of(conn, author)))
        conn.exec_driver_sql(
            "UPDATE threads SET title = ?, title_folded = ?, title_key = ? WHERE id = ?", (*title.values(), thread_id)
        )
    author = author_of(conn, "thread", thread_id, SYSTEM_PROMPT, row.system_prompt) if row.system_prompt else None
    if author is not None and author not in team:
        prompt = quotation(row.system_prompt, author=_name_of(conn, author), source=link_to(thread_id))
        conn.exec_driver_sql("UPDATE threads SET system_prompt = ? WHERE id = ?", (prompt, thread_id))
    for tag in conn.exec_driver_sql(
        "SELECT g.id, g.name FROM thread_tags j JOIN tags g ON g.id = j.tag_id WHERE j.thread_id = ?", (thread_id,)
    ).all():
        author = author_of(conn, "thread", thread_id, f"{TAG}{tag.id}", tag.name)
        if author is not None and author not in team:
            name = quoted_line(tag.name, author=_name_of(conn, author), longest=tags.LONGEST_NAME)
            _exchange_tag(conn, origin, thread_id, tag.id, name)


def _exchange_tag(conn: Connection, origin: Origin, thread_id: str, tag_id: str, name: str) -> None:
    (wanted,), new = tags.find_or_plan(conn, [name])
    for made, each in new.items():
        tags.insert(conn, origin, made, each)
    conn.exec_driver_sql("DELETE FROM thread_tags WHERE thread_id = ? AND tag_id = ?", (thread_id, tag_id))
    conn.exec_driver_sql("INSERT OR IGNORE INTO thread_tags (thread_id, tag_id) VALUES (?, ?)", (thread_id, wanted))


def quote_project(conn: Connection, project_id: str, *, team: Collection[str] = ()) -> None:
    """Make the name and the system prompt that another member gave a project this person's quotations, but for those of
    the members of ``team``."""
    row = conn.exec_driver_sql("SELECT name, system_prompt FROM projects WHERE id = ?", (project_id,)).one()
    if (author := author_of(conn, "project", project_id, NAME, row.name)) is not None and author not in team:
        name = quoted_line(row.name, author=_name_of(conn, author), longest=LONGEST_NAME)
        conn.exec_driver_sql("UPDATE projects SET name = ? WHERE id = ?", (name, project_id))
    author = author_of(conn, "project", project_id, SYSTEM_PROMPT, row.system_prompt) if row.system_prompt else None
    if author is not None and author not in team:
        prompt = quotation(row.system_prompt, author=_name_of(conn, author), source=row.name)
        conn.exec_driver_sql("UPDATE projects SET system_prompt = ? WHERE id = ?", (prompt, project_id))


def quoted_prompt(conn: Connection, thread_id: str, prompt: str) -> str:
    """Return the system prompt of a thread for a copy of it: that of another member is quoted."""
    author = author_of(conn, "thread", thread_id, SYSTEM_PROMPT, prompt) if prompt else None
    if author is None:
        return prompt
    return quotation(prompt, author=_name_of(conn, author), source=link_to(thread_id))


def author_of(conn: Connection, kind: str, entity: str, reg: str, words: str | None = None) -> str | None:
    """Return the other member who first wrote this text in a thread or project, or without ``words`` who set the
    register last; "" if the author is unknown, None if it was this person. A text without a change is attributed to the
    newest change, or to the creation of the thread."""
    said = [
        (
            clean_line(str(from_json(body).get(_KEYS.get(reg, "name"), ""))),
            None if is_mine else author or UNKNOWN_AUTHOR,
        )
        for is_mine, author, body in conn.exec_driver_sql(
            "SELECT mine, author, body FROM changes WHERE entity = ? AND +kind = ? AND reg IN (?, 'content')"
            " AND op IN ('new', 'edit') ORDER BY n",
            (entity, kind, reg),
        )
    ]
    if not said and kind == "thread":
        said = [("", conn.exec_driver_sql("SELECT author_id FROM threads WHERE id = ?", (entity,)).scalar())]
    known = [] if words is None else [author for text, author in said if text == clean_line(words)]
    if not known and _lost_log(conn, entity):
        return next((author for _text, author in said[-1:] if author), UNKNOWN_AUTHOR)
    author = (known or [each for _text, each in said[-1:]] or [None])[0]
    if author is None or conn.exec_driver_sql("SELECT 1 FROM workspaces WHERE member_id = ?", (author,)).first():
        return None  # at this computer, or at another one of theirs
    return author


def _lost_log(conn: Connection, entity: str) -> bool:
    mark = "SELECT 1 FROM import_origins WHERE source = ? AND source_key = ?"
    return conn.exec_driver_sql(mark, (LOST_LOG, entity)).first() is not None


def _name_of(conn: Connection, member_id: str) -> str:
    return names_of(conn, [member_id]).get(member_id, "")


def names_of(conn: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of members of any team, as far as they are known."""
    return {
        row[0]: row[1]
        for batch in batches(sorted(member_ids))
        for row in conn.exec_driver_sql(f"SELECT id, name FROM team_members WHERE id IN ({marks(batch)})", tuple(batch))
    }
