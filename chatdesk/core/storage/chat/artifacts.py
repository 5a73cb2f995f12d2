"""Stores the rows of attached files: which bytes they name, the texts read from them, and which are still in use.

The bytes themselves are none of the database's business; their store is ``core/attachments/blob_store``.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF, change_from
from chatdesk.core.domain.attachment import IMAGE_MIMES, Attachment, attachment_from
from chatdesk.core.domain.message import PartType
from chatdesk.core.domain.prompt import setup_from
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import search_index, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, from_json, json_value, to_json
from chatdesk.core.storage.engine.rows import batches, marks

_SENT_BYTES = (
    "SELECT sum(a.size_bytes) FROM messages m JOIN message_parts p ON p.message_id = m.id"
    " JOIN artifacts a ON a.part_id = p.id WHERE m.created_at >= ? AND m.role = 'user' AND m.author_id IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM import_origins o WHERE o.entity = m.id)"
)
_WAITING_BYTES = (
    f"SELECT sum({json_value('each.value', 'size_bytes')}) FROM drafts,"
    " json_each(CASE WHEN json_valid(drafts.attachments) THEN drafts.attachments ELSE '[]' END) AS each"
)
_LIVE_PARTS = (
    "SELECT p.content FROM artifacts a JOIN message_parts p ON p.id = a.part_id JOIN messages m ON m.id = p.message_id"
    " JOIN threads t ON t.id = m.thread_id WHERE a.sha256 = ? AND m.deleted_at IS NULL AND t.deleted_at IS NULL"
)
_LIVE_DRAFTS = (
    "SELECT d.attachments FROM drafts d JOIN threads t ON t.id = d.thread_id"
    " WHERE d.attachments <> '[]' AND t.deleted_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class StoredText:
    """The text read from a file; ``problem`` is the sentence why there is nothing, or not everything."""

    text: str
    problem: str | None


class ArtifactRepository:
    """Stores the texts of attached files. They are derived data: neither stamped nor logged, and written without
    waiting for the disk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def is_read_only(self) -> bool:
        return self._db.is_read_only

    async def bytes_since(self, start_ms: int) -> int:
        """Return the bytes of the files that this person attached to questions from a moment on, and of those that wait
        beside drafts."""

        def work(conn: Connection) -> int:
            sent = conn.exec_driver_sql(_SENT_BYTES, (start_ms,)).scalar()
            waiting = conn.exec_driver_sql(_WAITING_BYTES).scalar()
            return int(sent or 0) + int(waiting or 0)

        return await self._db.read(work)

    async def attached(self, sha256: str, projects: Collection[str]) -> Attachment | None:
        """Return a file as a live message or a draft of these projects names it, of all projects where none is given;
        then also as an assistant does. None where nothing names it."""

        def work(conn: Connection) -> Attachment | None:
            return next((each for each in _attached(conn, sha256, tuple(projects)) if each.sha256 == sha256), None)

        return await self._db.read(work)

    async def text(self, sha256: str) -> StoredText | None:
        """Return the text of a file; None while it was not read."""

        def work(conn: Connection) -> StoredText | None:
            row = conn.exec_driver_sql("SELECT text, problem FROM artifact_texts WHERE sha256 = ?", (sha256,)).first()
            return None if row is None else StoredText(row[0], row[1])

        return await self._db.read(work)

    async def store_text(self, sha256: str, text: str, problem: str | None) -> None:
        """Store the text that was read from a file; it replaces an earlier one."""
        if self._db.is_read_only:
            return
        cleaned = clean(text)
        now = self._db.origin.now()

        def work(conn: Connection) -> None:
            # No upsert: its way with conflicts would be that of the search index's triggers too.
            changed = conn.exec_driver_sql(
                "UPDATE artifact_texts SET text = ?, problem = ?, extracted_at = ? WHERE sha256 = ?",
                (cleaned, problem, now, sha256),
            )
            if not changed.rowcount:
                conn.exec_driver_sql(
                    "INSERT INTO artifact_texts (sha256, text, problem, extracted_at) VALUES (?, ?, ?, ?)",
                    (sha256, cleaned, problem, now),
                )

        await self._db.write(work, is_durable=False)

    async def unread(self, *, before: str | None, limit: int) -> list[tuple[str, str, str]]:
        """Return files of messages that were not read yet, the newest first: (id, MIME type, SHA-256). ``before`` is
        the last id that was seen. Pictures are left out."""
        images = sorted(IMAGE_MIMES)

        def work(conn: Connection) -> list[tuple[str, str, str]]:
            rows = conn.exec_driver_sql(
                "SELECT a.id, a.mime, a.sha256 FROM artifacts a WHERE a.id < ? AND a.document_id IS NULL"
                f" AND a.mime NOT IN ({marks(images)})"
                " AND NOT EXISTS (SELECT 1 FROM artifact_texts t WHERE t.sha256 = a.sha256)"
                " ORDER BY a.id DESC LIMIT ?",
                (before or "g", *images, limit),  # ids are of hexadecimal digits
            )
            return [(row[0], row[1], row[2]) for row in rows]

        return await self._db.read(work)

    async def unnamed(self, sums: Sequence[str]) -> list[str]:
        """Return those of these digests that no row names: no message, in the trash or not, and no draft."""
        wanted = list(sums)

        def work(conn: Connection) -> list[str]:
            named = _named(conn, wanted)
            return [sha256 for sha256 in wanted if sha256 not in named]

        return await self._db.read(work)

    async def forget_texts(self, sums: Sequence[str]) -> None:
        """Drop the texts of bytes that are gone."""

        def work(conn: Connection) -> None:
            for batch in batches(list(sums)):
                conn.exec_driver_sql(f"DELETE FROM artifact_texts WHERE sha256 IN ({marks(batch)})", tuple(batch))
            search_index.mark_erased(driver(conn))

        if sums:
            await self._db.write(work, is_durable=False)


def described(attachments: Sequence[Attachment]) -> list[tuple[int, str, str]]:
    """Return (index, type, content) of the part that each attachment becomes, from index 0 on."""
    return [
        (index, _kind_of(attachment), to_json(attachment.as_content())) for index, attachment in enumerate(attachments)
    ]


def add_attachments(conn: Connection, origin: Origin, message_id: str, attachments: Sequence[Attachment]) -> None:
    """Insert a part, as ``described``, and an artifact for each attachment."""
    now = origin.now()
    for attachment, (index, kind, content) in zip(attachments, described(attachments), strict=True):
        part_id = new_id()
        insert_row(
            conn,
            tables.message_parts,
            id=part_id,
            message_id=message_id,
            part_index=index,
            type=kind,
            content=content,
            started_at=now,
            completed_at=now,
            **origin.stamp(),
        )
        insert_row(conn, tables.artifacts, **artifact_row(part_id, attachment), **origin.stamp())


def artifact_row(part_id: str, attachment: Attachment, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the row that names the bytes behind a part, without its stamp. ``path`` is relative to the blob
    directory. ``content`` is that of the part, where it may be the text of a change to a file. The rows of documents,
    which have the other columns, are made by ``documents.document_row``."""
    return {
        "id": new_id(),
        "part_id": part_id,
        "kind": FILE_DIFF if content and change_from(content) is not None else _kind_of(attachment),
        "path": attachment.blob_path,
        "mime": attachment.mime,
        "size_bytes": attachment.size_bytes,
        "sha256": attachment.sha256,
        "document_id": None,
        "version": 1,
        "name": "",
        "language": "",
        "is_by_hand": 0,
        "created_at": 0,
    }


def draft_json(attachments: Iterable[Attachment]) -> str:
    """Return the JSON in which a draft keeps its attachments."""
    return "[" + ",".join(to_json(attachment.as_content()) for attachment in attachments) + "]"


def from_draft_json(stored: str | None) -> tuple[Attachment, ...]:
    """Read the drafts that ``draft_json`` wrote; anything else, whatever its type, reads as none."""
    try:
        values = json.loads(stored or "[]")
    except (TypeError, ValueError, RecursionError):
        return ()
    found = [attachment_from(value) for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    return tuple(attachment for attachment in found if attachment is not None)


def _kind_of(attachment: Attachment) -> str:
    """Return the type of the part and of the artifact."""
    return (PartType.IMAGE if attachment.is_image else PartType.FILE).value


def _attached(conn: Connection, sha256: str, projects: tuple[str, ...]) -> Iterator[Attachment]:
    of_projects = f" AND t.project_id IN ({marks(projects)})" if projects else ""
    for (content,) in conn.exec_driver_sql(_LIVE_PARTS + of_projects, (sha256, *projects)):
        attachment = attachment_from(from_json(content))
        if attachment is not None:
            yield attachment
    for (stored,) in conn.exec_driver_sql(_LIVE_DRAFTS + of_projects, projects):
        yield from from_draft_json(stored)
    if not projects:
        for (stored,) in conn.exec_driver_sql("SELECT setup FROM prompts WHERE setup <> '' AND deleted_at IS NULL"):
            yield from setup_from(from_json(stored)).files


def _named(conn: Connection, sums: Sequence[str]) -> set[str]:
    named = {
        attachment.sha256
        for (stored,) in conn.exec_driver_sql("SELECT attachments FROM drafts WHERE attachments <> '[]'")
        for attachment in from_draft_json(stored)
    }
    for (stored,) in conn.exec_driver_sql("SELECT setup FROM prompts WHERE setup <> ''"):
        named |= {attachment.sha256 for attachment in setup_from(from_json(stored)).files}
    for batch in batches(list(sums)):
        rows = conn.exec_driver_sql(
            f"SELECT DISTINCT sha256 FROM artifacts WHERE sha256 IN ({marks(batch)})", tuple(batch)
        )
        named |= {row[0] for row in rows}
        # The parts of a message that is too large for the log travel as a file that no message names.
        moving = conn.exec_driver_sql(
            f"SELECT DISTINCT sha256 FROM shared_files WHERE sha256 IN ({marks(batch)})"
            " AND state IN ('to_send', 'to_fetch')",
            tuple(batch),
        )
        named |= {row[0] for row in moving}
    return named
