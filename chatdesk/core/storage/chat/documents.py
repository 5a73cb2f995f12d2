"""Stores the versions of documents that a person opened from messages, and lists all artifacts of a thread.

They are the reader's own: not logged for a team, and not part of a message. They follow the part that they come from:
to the trash and back, into a branch, a backup and an export.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.artifacts.artifact import DOCUMENT, ArtifactVersion
from chatdesk.core.domain.attachment import Attachment, attachment_from, clean_mime, clean_name
from chatdesk.core.domain.message import Role
from chatdesk.core.errors import MessageNotFound
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.artifacts import artifact_row
from chatdesk.core.storage.chat.branching import insert_rows
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, from_json, one_of
from chatdesk.core.storage.engine.rows import batches, marks

# The newest artifacts of a thread, more than a person looks through.
MOST_LISTED: Final = 2_000
# How the slots of unfinished edits begin; the id of the version follows.
EDIT_SLOTS: Final = "edit:"
_LIVE: Final = "m.deleted_at IS NULL AND m.purged_at IS NULL"
_SELECT: Final = (
    "SELECT a.id, a.document_id, a.part_id, a.kind, a.name, a.mime, a.size_bytes, a.sha256, a.language, a.version,"
    " a.is_by_hand, a.created_at, p.content, p.tool_name, p.tool_call_id, m.id AS message_id, m.role, m.on_path,"
    " m.created_at AS sent_at"
    " FROM messages m CROSS JOIN message_parts p ON p.message_id = m.id CROSS JOIN artifacts a ON a.part_id = p.id"
)
_TOOL_OF_CALL: Final = (
    "SELECT c.tool_name FROM message_parts c WHERE c.message_id = ? AND c.type = 'tool_call' AND c.tool_call_id = ?"
)


@dataclass(frozen=True, slots=True)
class SentVersion:
    """A finished answer to a question that had a file with this SHA-256."""

    sha256: str
    answer_id: str


class DocumentRepository:
    """Stores documents. Writes are on the disk when a method returns."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def is_read_only(self) -> bool:
        return self._db.is_read_only

    async def of_thread(self, thread_id: str) -> tuple[ArtifactVersion, ...]:
        """Return every version of the artifacts of a thread, the oldest first. Messages in the trash are left out."""

        def work(conn: Connection) -> tuple[ArtifactVersion, ...]:
            rows = conn.exec_driver_sql(
                f"{_SELECT} WHERE m.thread_id = ? AND {_LIVE} ORDER BY a.id DESC LIMIT ?", (thread_id, MOST_LISTED)
            ).all()
            return tuple(_version(row._asdict(), _tool_of(conn, row)) for row in reversed(rows))

        return await self._db.read(work)

    async def of_message(self, message_id: str) -> tuple[ArtifactVersion, ...]:
        """Return every version that comes from one message, the oldest first."""

        def work(conn: Connection) -> tuple[ArtifactVersion, ...]:
            rows = conn.exec_driver_sql(f"{_SELECT} WHERE m.id = ? ORDER BY a.id", (message_id,)).all()
            return tuple(_version(row._asdict(), _tool_of(conn, row)) for row in rows)

        return await self._db.read(work)

    async def texts_of(self, message_id: str) -> list[tuple[str, str]]:
        """Return the text parts of a message: (id, text). Raises ``MessageNotFound``."""

        def work(conn: Connection) -> list[tuple[str, str]]:
            if conn.exec_driver_sql("SELECT 1 FROM messages WHERE id = ?", (message_id,)).first() is None:
                raise MessageNotFound
            rows = conn.exec_driver_sql(
                "SELECT id, content FROM message_parts WHERE message_id = ? AND type = 'text' ORDER BY part_index",
                (message_id,),
            )
            return [(row[0], str(from_json(row[1]).get("text", ""))) for row in rows]

        return await self._db.read(work)

    async def answers_with(self, thread_id: str, sums: Sequence[str]) -> list[SentVersion]:
        """Return the finished answers to questions that had one of these files, the oldest first."""

        def work(conn: Connection) -> list[SentVersion]:
            rows = conn.exec_driver_sql(
                "SELECT a.sha256, m.id FROM json_each(?) j CROSS JOIN artifacts a ON a.sha256 = j.value"
                " CROSS JOIN message_parts p ON p.id = a.part_id CROSS JOIN messages q ON q.id = p.message_id"
                " CROSS JOIN messages m ON m.parent_id = q.id"
                " WHERE a.document_id IS NULL AND q.thread_id = ? AND q.role = 'user' AND q.deleted_at IS NULL"
                f" AND m.role = 'assistant' AND {_LIVE} AND m.status NOT IN ('pending', 'streaming') ORDER BY m.id",
                (json.dumps(list(dict.fromkeys(sums))), thread_id),
            )
            return [SentVersion(row[0], row[1]) for row in rows]

        return await self._db.read(work)

    async def create(self, part_id: str, file: Attachment, *, language: str) -> str:
        """Store the first version of a document that comes from a part. Returns the document's id."""
        document_id = new_id()

        def work(conn: Connection) -> None:
            self._insert(conn, part_id, file, document_id=document_id, language=language)

        await self._db.write(work)
        return document_id

    async def add(self, before: ArtifactVersion, file: Attachment, *, part_id: str, is_by_hand: bool) -> str:
        """Store the version after all others of an artifact. Returns the document's id: a file becomes a document, of
        which it is the first version."""

        def work(conn: Connection) -> str:
            document_id = before.artifact_id
            if before.kind != DOCUMENT:
                document_id = new_id()
                self._insert(conn, before.part_id, before.file, document_id=document_id, language=before.language)
            newest = conn.exec_driver_sql(
                "SELECT max(a.version) FROM artifacts a CROSS JOIN message_parts p ON p.id = a.part_id"
                " CROSS JOIN messages m ON m.id = p.message_id WHERE a.document_id = ? AND m.thread_id ="
                " (SELECT o.thread_id FROM messages o JOIN message_parts r ON r.message_id = o.id WHERE r.id = ?)",
                (document_id, part_id),
            ).scalar()
            self._insert(
                conn,
                part_id,
                file,
                document_id=document_id,
                language=before.language,
                number=(newest or 0) + 1,
                is_by_hand=is_by_hand,
            )
            return document_id

        return await self._db.write(work)

    async def keep_edit(self, version: ArtifactVersion, text: str) -> None:
        """Store an edit that is being written: unsent text like drafts, in their table, under a slot of its own."""
        stored, now = clean(text), self._db.origin.now()

        def work(conn: Connection) -> None:
            conn.exec_driver_sql(
                "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at, attachments)"
                " SELECT ?, m.thread_id, ?, 0, ?, '[]' FROM message_parts p JOIN messages m ON m.id = p.message_id"
                " WHERE p.id = ? ON CONFLICT (slot) DO UPDATE SET text = excluded.text,"
                " updated_at = excluded.updated_at",
                (_slot(version), stored, now, version.part_id),
            )

        await self._db.write(work)

    async def kept_edit(self, version: ArtifactVersion) -> str | None:
        """Return the unfinished edit of a version."""

        def work(conn: Connection) -> str | None:
            row = conn.exec_driver_sql("SELECT text FROM drafts WHERE slot = ?", (_slot(version),)).first()
            return None if row is None else str(row[0])

        return await self._db.read(work)

    async def forget_edit(self, version: ArtifactVersion) -> None:
        """Remove the unfinished edit of a version; a missing one is fine."""

        def work(conn: Connection) -> None:
            conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (_slot(version),))

        await self._db.write(work)

    async def remove(self, version_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Remove versions of documents; messages and their files stay. Returns the rows for ``restore``."""

        def work(conn: Connection) -> list[dict[str, Any]]:
            removed: list[dict[str, Any]] = []
            for batch in batches(list(version_ids)):
                found = conn.exec_driver_sql(
                    f"SELECT * FROM artifacts WHERE kind = '{DOCUMENT}' AND id IN ({marks(batch)})", tuple(batch)
                )
                removed += [row._asdict() for row in found]
            for batch in batches([row["id"] for row in removed]):
                conn.exec_driver_sql(f"DELETE FROM artifacts WHERE id IN ({marks(batch)})", tuple(batch))
            return removed

        return await self._db.write(work)

    async def restore(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store again what ``remove`` returned, as far as the parts are still there."""

        def work(conn: Connection) -> None:
            there = {
                row[0]
                for batch in batches([row["part_id"] for row in rows])
                for row in conn.exec_driver_sql(
                    f"SELECT id FROM message_parts WHERE id IN ({marks(batch)})", tuple(batch)
                )
            }
            insert_rows(conn, "artifacts", [row for row in rows if row["part_id"] in there])

        await self._db.write(work)

    def _insert(
        self,
        conn: Connection,
        part_id: str,
        file: Attachment,
        *,
        document_id: str,
        language: str,
        number: int = 1,
        is_by_hand: bool = False,
    ) -> None:
        origin = self._db.origin
        row = document_row(
            part_id,
            file,
            document_id=document_id,
            language=language,
            number=number,
            is_by_hand=is_by_hand,
            created_at=origin.now(),
        )
        insert_row(conn, tables.artifacts, **row, **origin.stamp())


def _slot(version: ArtifactVersion) -> str:
    return f"{EDIT_SLOTS}{version.id}"


def document_row(
    part_id: str,
    file: Attachment,
    *,
    document_id: str,
    language: str,
    number: int,
    is_by_hand: bool,
    created_at: int,
) -> dict[str, Any]:
    """Return the row of one version of a document, without its stamp."""
    return artifact_row(part_id, file) | {
        "kind": DOCUMENT,
        "document_id": document_id,
        "version": number,
        "name": file.name,
        "language": language,
        "is_by_hand": int(is_by_hand),
        "created_at": created_at,
    }


def _version(row: dict[str, Any], tool_name: str) -> ArtifactVersion:
    content = from_json(row["content"])
    attached = attachment_from(content) if row["document_id"] is None else None
    return ArtifactVersion(
        id=row["id"],
        artifact_id=row["document_id"] or row["id"],
        part_id=row["part_id"],
        message_id=row["message_id"],
        kind=row["kind"],
        name=clean_name(row["name"] or str(content.get("name") or content.get("path") or "")),
        mime=clean_mime(row["mime"]),
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        created_at=row["created_at"] or row["sent_at"],
        role=one_of(Role, row["role"], Role.USER),
        language=row["language"],
        number=row["version"],
        is_by_hand=bool(row["is_by_hand"]),
        tool_name=tool_name,
        is_on_path=bool(row["on_path"]),
        width=attached.width if attached is not None else None,
        height=attached.height if attached is not None else None,
    )


def _tool_of(conn: Connection, row: Any) -> str:
    """Return the tool that returned the file of a part: the part names it, or only its call."""
    if row.tool_name or not row.tool_call_id:
        return row.tool_name or ""
    found = conn.exec_driver_sql(_TOOL_OF_CALL, (row.message_id, row.tool_call_id)).scalar()
    return str(found or "")
