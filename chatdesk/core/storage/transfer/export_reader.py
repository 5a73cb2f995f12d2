"""Reads the data of an export in one snapshot, on a connection of its own: reading and writing go on in the meantime.

Everything comes in pieces, so that memory does not grow with the size of a thread. Synchronous: used on a thread of the
caller.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.domain.exports import Choice
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.domain.sharing.quotation import NOBODY, link_to
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import StorageMissing
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine import other_schemas, schema_upgrade, tables
from chatdesk.core.storage.engine.connection import driver, open_image, open_to_read
from chatdesk.core.storage.engine.failures import translated
from chatdesk.core.storage.engine.message_columns import BY_NAME, EXPORTED
from chatdesk.core.storage.engine.plain_text import content_from, from_json, one_of
from chatdesk.core.storage.engine.rows import (
    MESSAGE_COLUMNS,
    appended,
    batches,
    get_thread,
    marks,
    messages_from,
    streamed_text,
)

Row = dict[str, Any]

# The exported columns of each table. A test holds that every other column is named in ``LEFT_OUT``.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "projects": (
        "id", "name", "colour", "system_prompt", "provider", "model", "created_at", "last_chat_at", "archived_at",
        "deleted_at", "parameters", "is_without_summaries",
    ),
    "tags": ("id", "name", "created_at"),
    "prompts": ("id", "kind", "name", "text", "created_at", "updated_at", "used_at", "use_count",
        "setup"),
    "drafts": ("slot", "text", "cursor", "updated_at", "attachments"),
    "threads": (
        "id", "project_id", "title", "title_source", "system_prompt", "provider", "model", "created_at",
        "last_activity_at", "pinned_at", "archived_at", "deleted_at", "chosen_root_id", "current_leaf_id",
        "context_from_id", "parameters", "is_without_summaries",
    ),
    "summaries": (
        "id", "version", "from_message_id", "up_to_message_id", "text", "pinned_facts", "author", "provider", "model",
        "prompt_version", "token_count", "message_count", "input_tokens", "output_tokens", "created_at",
        "stale_reason", "is_off", "deleted_at",
    ),
    "messages": EXPORTED,
    "message_parts": (
        "id", "part_index", "type", "content", "step_index", "started_at", "completed_at", "tool_name",
        "tool_call_id", "tool_duration_ms",
    ),
    "artifacts": (
        "id", "kind", "mime", "size_bytes", "sha256", "document_id", "version", "name", "language", "is_by_hand",
        "created_at",
    ),
}  # fmt: skip
# Columns computed from others, or local to this computer.
LEFT_OUT: Final[frozenset[str]] = frozenset(
    ("hlc", "origin_device", "title_folded", "title_key", "name_folded", "shown_count", "total_input_tokens",
     "total_output_tokens", "total_cached_tokens", "total_reasoning_tokens", "total_tool_time_ms", "tool_counts",
     "thread_id", "message_id", "part_id", "path", "message_count", "deleted_at", "author_id")
) | (BY_NAME.keys() - set(EXPORTED))  # fmt: skip
_JSON: Final = frozenset(("parameters", "error_details", "content", "pinned_facts", "attachments", "setup"))
_FLAGS: Final = frozenset(("is_without_summaries", "is_off", "is_by_hand"))
# Additional columns of a document's version; files of messages are named by their parts.
_OF_DOCUMENTS: Final = ("document_id", "version", "name", "language", "is_by_hand", "created_at")
_STEP = 500


class ExportReader:
    """A reader of one snapshot, made by ``open_reader``."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._raw = driver(conn)
        self._documented: frozenset[str] | None = None

    @property
    def connection(self) -> Connection:
        """The connection, to read something else in the same snapshot."""
        return self._conn

    def counts(self, choice: Choice) -> tuple[int, int]:
        """Return the number of threads, and of messages in all their versions."""
        condition, values = _where(choice)
        row = self._raw.execute(
            f"WITH chosen AS MATERIALIZED (SELECT id FROM threads WHERE {condition})"
            " SELECT (SELECT count(*) FROM chosen),"
            " (SELECT count(*) FROM chosen CROSS JOIN messages m ON m.thread_id = chosen.id)",
            values,
        ).fetchone()
        return int(row[0]), int(row[1])

    def thread_ids(self, choice: Choice) -> list[str]:
        """Return the ids of the threads, the oldest first."""
        condition, values = _where(choice)
        return [
            row[0]
            for row in self._raw.execute(f"SELECT id FROM threads WHERE {condition} ORDER BY created_at, id", values)
        ]

    def projects(self, choice: Choice) -> Iterator[Row]:
        condition, values = _where(choice)
        if choice.is_everything:
            used, values = "deleted_at IS NULL" if not choice.has_trash else "1", []
        else:
            used = f"id IN (SELECT project_id FROM threads WHERE {condition})"
        yield from self._rows("projects", f"{used} ORDER BY created_at, id", values)

    def tags(self, choice: Choice) -> Iterator[Row]:
        condition, values = _where(choice)
        if choice.is_everything:
            used, values = "1", []
        else:
            used = (
                f"id IN (SELECT tag_id FROM thread_tags WHERE thread_id IN (SELECT id FROM threads WHERE {condition}))"
            )
        yield from self._rows("tags", f"{used} ORDER BY name_folded, id", values)

    def prompts(self) -> Iterator[Row]:
        yield from self._rows("prompts", "deleted_at IS NULL ORDER BY created_at, id", [])

    def drafts(self, *, has_trash: bool) -> Iterator[Row]:
        live = (
            ""
            if has_trash
            else " AND (thread_id IS NULL OR thread_id IN (SELECT id FROM threads WHERE deleted_at IS NULL))"
        )
        # An unfinished edit of an artifact is local until it is saved as a version.
        wanted = f"(text <> '' OR attachments <> '[]') AND slot NOT LIKE 'edit:%'{live}"
        yield from self._rows("drafts", f"{wanted} ORDER BY updated_at, slot", [])

    def thread(self, thread_id: str) -> Row:
        """Return everything about one thread but its messages."""
        row = next(self._rows("threads", "id = ?", [thread_id]))
        row["tags"] = [
            found[0]
            for found in self._raw.execute(
                "SELECT tag_id FROM thread_tags WHERE thread_id = ? ORDER BY tag_id", (thread_id,)
            )
        ]
        row["summaries"] = list(self._rows("summaries", "thread_id = ? ORDER BY version, id", [thread_id]))
        self._add_authors("summaries", row["summaries"])
        return row

    def messages(self, thread_id: str, *, has_trash: bool) -> Iterator[list[Row]]:
        """Yield every message with its parts, parents first, some hundreds at a time."""
        names = COLUMNS["messages"]
        found = self._raw.execute(
            f"SELECT {', '.join(names)} FROM messages WHERE thread_id = ? ORDER BY position, id", (thread_id,)
        )
        with closing(found):
            while batch := found.fetchmany(_STEP):
                rows = [_row(names, values) for values in batch]
                self._add_authors("messages", rows)
                yield self._whole(rows, has_trash=has_trash)

    def _add_authors(self, table: str, rows: Sequence[Row]) -> None:
        """Add the authors of other members' texts, since the importing person did not write them."""
        by_id = {row["id"]: row for row in rows}
        for batch in batches(list(by_id)):
            for row_id, thread_id, member_id, name in self._raw.execute(
                "SELECT m.id, m.thread_id, m.author_id,"
                " (SELECT w.name FROM team_members w WHERE w.id = m.author_id LIMIT 1)"
                f" FROM {table} m WHERE m.author_id IS NOT NULL AND m.id IN ({marks(batch)})",
                tuple(batch),
            ):
                link = link_to(thread_id, row_id if table == "messages" else "")
                by_id[row_id]["written_by"] = {"id": member_id, "name": name or NOBODY, "link": link}

    def domain_thread(self, thread_id: str) -> Thread:
        return get_thread(self._conn, thread_id)

    def shown(self, thread_id: str) -> Iterator[list[Message]]:
        """Yield the shown path as a reader sees it, oldest first, some hundreds at a time."""
        position = -1
        while True:
            rows = self._conn.exec_driver_sql(
                f"SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.thread_id = ? AND m.on_path = 1"
                " AND m.deleted_at IS NULL AND m.position > ? ORDER BY m.position LIMIT ?",
                (thread_id, position, _STEP),
            ).all()
            if not rows:
                return
            position = rows[-1].position
            yield messages_from(self._conn, rows)

    def _rows(self, table: str, condition: str, values: Sequence[Any]) -> Iterator[Row]:
        names = COLUMNS[table]
        with closing(self._raw.execute(f"SELECT {', '.join(names)} FROM {table} WHERE {condition}", values)) as found:
            while batch := found.fetchmany(_STEP):
                yield from (_row(names, row) for row in batch)

    def _whole(self, messages: list[Row], *, has_trash: bool) -> list[Row]:
        gone = set() if has_trash else {row["id"] for row in messages if "deleted_at" in row}
        kept = [row["id"] for row in messages if row["id"] not in gone]
        parts = self._parts(kept, [row["id"] for row in messages if row["status"] in ("pending", "streaming")])
        return [
            _tombstone(row) if row["id"] in gone else _finished(row) | {"parts": parts.get(row["id"], [])}
            for row in messages
        ]

    def _parts(self, message_ids: Sequence[str], unfinished: Sequence[str]) -> dict[str, list[Row]]:
        streamed = streamed_text(self._conn, unfinished)
        names = COLUMNS["message_parts"]
        parts: dict[str, list[Row]] = defaultdict(list)
        by_id: dict[str, Row] = {}
        with_files: list[str] = []
        documents = self._parts_with_documents()
        for batch in batches(message_ids):
            for message_id, *values in self._raw.execute(
                f"SELECT message_id, {', '.join(names)} FROM message_parts WHERE message_id IN ({marks(batch)})"
                " ORDER BY message_id, part_index",
                tuple(batch),
            ):
                part = _row(names, values)
                part["index"] = part.pop("part_index", 0)
                added = streamed.get((message_id, part["index"]))
                if added is not None:
                    part["content"] = appended(one_of(PartType, part["type"], PartType.TEXT), part["content"], added)
                parts[message_id].append(part)
                by_id[part["id"]] = part
                if part["type"] not in ("text", "reasoning") or part["id"] in documents:
                    with_files.append(part["id"])
        self._add_artifacts(with_files, by_id)
        return parts

    def _add_artifacts(self, part_ids: Sequence[str], parts: dict[str, Row]) -> None:
        names = COLUMNS["artifacts"]
        for batch in batches(part_ids):
            for part_id, *values in self._raw.execute(
                f"SELECT part_id, {', '.join(names)} FROM artifacts WHERE part_id IN ({marks(batch)}) ORDER BY id",
                tuple(batch),
            ):
                row = _row(names, values)
                if "document_id" not in row:
                    row = {name: value for name, value in row.items() if name not in _OF_DOCUMENTS}
                parts[part_id].setdefault("artifacts", []).append(row)

    def _parts_with_documents(self) -> frozenset[str]:
        """Return the ids of all parts from which documents were opened: few, and read once for the snapshot."""
        if self._documented is None:
            found = self._raw.execute("SELECT DISTINCT part_id FROM artifacts WHERE document_id IS NOT NULL")
            self._documented = frozenset(row[0] for row in found)
        return self._documented


@contextmanager
def open_reader(database: Path | bytes) -> Iterator[ExportReader]:
    """Open a snapshot of the database at that path, also of one that can only be read or has an older or newer schema,
    or of the ``image`` of one in memory. Raises ``StorageError``."""
    try:
        conn = _connect(database)
        try:
            raw = driver(conn)
            revision = schema_upgrade.current_revision(raw)
            if revision is None:
                raise StorageMissing
            if revision not in tables.REVISIONS:
                other_schemas.check(raw, revision)
            elif revision != tables.HEAD_REVISION:
                other_schemas.stand_in(raw)
            with conn.begin():
                yield ExportReader(conn)
        finally:
            conn.close()
    except (SQLAlchemyError, sqlite3.Error) as error:  # not the caller's own trouble with files
        raise translated(error, database if isinstance(database, Path) else Path(":memory:")) from error


def _connect(path: Path | bytes) -> Connection:
    if isinstance(path, bytes):
        return open_image(path)
    try:
        return open_to_read(path)
    except (SQLAlchemyError, sqlite3.Error):
        return open_to_read(path, is_only_user=True)  # where SQLite's own files cannot be made


def _where(choice: Choice) -> tuple[str, list[Any]]:
    live = "" if choice.has_trash else " AND deleted_at IS NULL"
    if choice.thread_ids:
        wanted = json.dumps([checked_id(each) for each in choice.thread_ids])
        return "id IN (SELECT value FROM json_each(?))", [wanted]
    if choice.project_id is not None:
        return f"project_id = ?{live}", [choice.project_id]
    live_project = (
        "" if choice.has_trash else " AND project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL)"
    )
    return f"1{live}{live_project}", []


def _row(names: Sequence[str], values: Sequence[Any]) -> Row:
    """Return the columns that are set; null says no more than nothing."""
    return {name: _value(name, value) for name, value in zip(names, values, strict=True) if value is not None}


def _value(name: str, value: Any) -> Any:
    if name in _JSON:
        return _data(name, value)
    return bool(value) if name in _FLAGS else value


def _data(name: str, value: str) -> Any:
    if name == "content":
        return content_from(value)
    if name not in ("pinned_facts", "attachments"):
        return from_json(value)
    try:
        found = json.loads(value)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _tombstone(row: Row) -> Row:
    """Return a message without its content, for its place in the tree."""
    kept: Row = {
        name: row[name]
        for name in ("id", "parent_id", "role", "status", "created_at", "chosen_child_id")
        if name in row
    }
    return _finished(kept) | {"purged_at": row.get("purged_at", row["deleted_at"]), "parts": []}


def _finished(row: Row) -> Row:
    if row["status"] in ("pending", "streaming"):
        row["status"] = "interrupted"
    return row
