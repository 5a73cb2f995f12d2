"""Stores attached files at a team's PostgreSQL in chunks, for each project by SHA-256."""

from __future__ import annotations

from typing import Final

from chatdesk.core.sync.team_store.connection import Connection
from chatdesk.core.sync.team_store.failures import our_errors
from chatdesk.core.sync.team_store.statements import Statements

_MOST_CHUNKS: Final = 10_000


class FileChunks:
    """The attached files at a team's database. Raises ``TeamError``."""

    def __init__(self, conn: Connection, statements: Statements) -> None:
        self._conn = conn
        self._statements = statements

    def have(self, project_id: str, sha256: str) -> set[int]:
        """Return the numbers of the chunks that the server has."""
        query = "SELECT idx FROM cd.blob_chunk WHERE project_id = %s AND sha256 = %s"
        rows = self._statements.page(query, project_id, sha256, most_rows=_MOST_CHUNKS)
        return {row[0] for row in rows}

    def put(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None:
        self._statements.rows(
            "INSERT INTO cd.blob_chunk (project_id, sha256, idx, total, data) VALUES (%s, %s, %s, %s, %b)"
            " ON CONFLICT (project_id, sha256, idx) DO NOTHING",
            *(project_id, sha256, index, total, data),
        )

    def get(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        """Return how many chunks the file has, and the bytes of this one; None if the server does not have it."""
        with our_errors(), self._conn.cursor(binary=True) as cursor:
            cursor.execute(
                "SELECT total, data FROM cd.blob_chunk WHERE project_id = %s AND sha256 = %s AND idx = %s",
                [project_id, sha256, index],
            )
            row = cursor.fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def discard_broken(self, project_id: str, sha256: str) -> bool:
        """Remove a file whose chunks are complete and do not match its SHA-256; a good one stays."""
        return bool(self._statements.value("SELECT cd.discard_broken_file(%s, %s)", project_id, sha256))
