"""Stores which models of providers make vectors for projects, and these vectors.

At most one model is wanted and one answers in a project. Those that leave lose their vectors in steps.
"""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from chatdesk.core.domain.knowledge import Embedding, EmbeddingState, EmbeddingStatus
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean

_COLUMNS: Final = "e.id, e.project_id, e.provider, e.model, e.dimensions, e.farthest, e.probe, e.state, e.problem"
_STATES: Final = frozenset(EmbeddingState)
_FROM: Final = (
    "FROM knowledge_passages x JOIN knowledge_files f ON f.id = x.file_id"
    " JOIN knowledge_sources s ON s.id = f.source_id WHERE s.project_id = ?"
)
_IS_MISSING: Final = " AND NOT EXISTS (SELECT 1 FROM knowledge_vectors v WHERE v.n = x.n AND v.embedding_id = ?)"
_REMOVED_AT_ONCE: Final = 2_000


class WaitingText(NamedTuple):
    """A passage without a vector: its number, its headings and its text."""

    n: int
    heading: str
    text: str


class EmbeddingRepository:
    """The chosen models of all projects. ``revision`` changes with what questions are compared with."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.revision = 0

    async def want(self, wanted: Embedding) -> Embedding:
        """Store a model whose vectors shall be made, in the place of one that was wanted before."""

        def work(conn: Connection) -> Embedding:
            _leave(conn, wanted.project_id, EmbeddingState.WANTED)
            row = (
                driver(conn)
                .execute(
                    "INSERT INTO knowledge_embeddings (project_id, provider, model, dimensions, farthest, probe, state)"
                    " VALUES (?, ?, ?, ?, ?, ?, 'wanted') RETURNING id",
                    (
                        checked_id(wanted.project_id),
                        clean(wanted.provider),
                        clean(wanted.model),
                        wanted.dimensions,
                        wanted.farthest,
                        wanted.probe,
                    ),
                )
                .fetchone()
            )
            return replace(wanted, id=row[0])

        return await self._db.write(work)

    async def leave(self, project_id: str, *states: EmbeddingState) -> None:
        """Let the models in these states make vectors no more; they answer no question from now on."""

        def work(conn: Connection) -> None:
            for state in states:
                _leave(conn, project_id, state)

        await self._db.write(work)
        self.revision += 1

    async def all(self, project_id: str | None = None) -> tuple[Embedding, ...]:
        """Return the models of a project (None: of all that are not in the trash)."""
        where, values = ("e.project_id = ?", (project_id,)) if project_id else ("p.deleted_at IS NULL", ())
        statement = (
            f"SELECT {_COLUMNS} FROM knowledge_embeddings e JOIN projects p ON p.id = e.project_id"
            f" WHERE {where} ORDER BY e.id"
        )
        return await self._db.read(lambda conn: tuple(map(_embedding, conn.exec_driver_sql(statement, values))))

    async def status(self, project_id: str) -> EmbeddingStatus:
        """Return the models of a project, and how many passages wait for the newest."""
        known = {each.state: each for each in await self.all(project_id)}
        wanted, answering = known.get(EmbeddingState.WANTED), known.get(EmbeddingState.ANSWERING)
        newest = wanted or answering
        if newest is None:
            return EmbeddingStatus()

        def work(conn: Connection) -> EmbeddingStatus:
            passages = conn.exec_driver_sql(f"SELECT count(*) {_FROM}", (project_id,)).scalar_one()
            values = (project_id, newest.id)
            missing = conn.exec_driver_sql(f"SELECT count(*) {_FROM}{_IS_MISSING}", values).scalar_one()
            return EmbeddingStatus(answering, wanted, passages, missing)

        return await self._db.read(work)

    async def size(self, project_id: str) -> tuple[int, int]:
        """Return how many passages a project has, and how many characters its files."""

        def work(conn: Connection) -> tuple[int, int]:
            passages = conn.exec_driver_sql(f"SELECT count(*) {_FROM}", (project_id,)).scalar_one()
            characters = conn.exec_driver_sql(
                "SELECT coalesce(sum(f.characters), 0) FROM knowledge_files f JOIN knowledge_sources s"
                " ON s.id = f.source_id WHERE s.project_id = ?",
                (project_id,),
            ).scalar_one()
            return passages, characters

        return await self._db.read(work)

    async def waiting(self, embedding: Embedding, after: int, limit: int, *, paused_too: bool) -> list[WaitingText]:
        """Return the next passages without a vector of this model, those of paused sources only if asked for."""
        rest = "" if paused_too else " AND s.is_paused = 0"
        statement = f"SELECT x.n, x.heading, x.text {_FROM}{rest} AND x.n > ?{_IS_MISSING} ORDER BY x.n LIMIT ?"
        values = (embedding.project_id, after, embedding.id, limit)
        return await self._db.read(lambda conn: [WaitingText(*row) for row in conn.exec_driver_sql(statement, values)])

    async def keep(
        self, embedding: Embedding, texts: Sequence[WaitingText], rows: Sequence[tuple[bytes, bytes]]
    ) -> bool:
        """Store vectors with their signs. A passage that has another text by now, whatever its number, gets none.
        Returns whether the model is still wanted."""

        def work(conn: Connection) -> bool:
            raw = driver(conn)
            if not _is_used(conn, embedding.id):
                return False
            raw.executemany(
                "INSERT INTO knowledge_vectors (n, embedding_id, signs, vector)"
                " SELECT x.n, ?, ?, ? FROM knowledge_passages x WHERE x.n = ? AND x.heading = ? AND x.text = ?"
                f"{_IS_MISSING}",
                [(embedding.id, *row, *text, embedding.id) for text, row in zip(texts, rows, strict=True)],
            )
            return True

        kept = await self._db.write(work, is_durable=False)
        if embedding.state is EmbeddingState.ANSWERING:
            self.revision += 1
        return kept

    async def say(self, embedding_id: int, problem: str) -> None:
        """Note why vectors cannot be made now."""
        values = (clean(problem), embedding_id)
        await self._db.write(
            lambda conn: conn.exec_driver_sql("UPDATE knowledge_embeddings SET problem = ? WHERE id = ?", values)
        )

    async def answer_with(self, wanted: Embedding) -> None:
        """Answer from now on with a model that has all vectors, in one step; the one before it leaves."""

        def work(conn: Connection) -> None:
            if _is_used(conn, wanted.id):
                _leave(conn, wanted.project_id, EmbeddingState.ANSWERING)
                conn.exec_driver_sql(
                    "UPDATE knowledge_embeddings SET state = 'answering', problem = '' WHERE id = ?", (wanted.id,)
                )

        await self._db.write(work)
        self.revision += 1

    async def forget_left(self) -> bool:
        """Remove the next vectors of models that left, and those that have none any more. Returns whether more wait."""

        def work(conn: Connection) -> bool:
            raw = driver(conn)
            done = raw.execute(
                "DELETE FROM knowledge_vectors WHERE id IN (SELECT v.id FROM knowledge_vectors v"
                " JOIN knowledge_embeddings e ON e.id = v.embedding_id WHERE e.state = 'leaving' LIMIT ?)",
                (_REMOVED_AT_ONCE,),
            ).rowcount
            if not done:
                raw.execute("DELETE FROM knowledge_embeddings WHERE state = 'leaving'")
            return bool(done)

        return await self._db.write(work, is_durable=False)


def _leave(conn: Connection, project_id: str, state: EmbeddingState) -> None:
    conn.exec_driver_sql(
        "UPDATE knowledge_embeddings SET state = 'leaving' WHERE project_id = ? AND state = ?",
        (checked_id(project_id), state.value),
    )


def _is_used(conn: Connection, embedding_id: int) -> bool:
    statement = "SELECT 1 FROM knowledge_embeddings WHERE id = ? AND state <> 'leaving'"
    return conn.exec_driver_sql(statement, (embedding_id,)).first() is not None


def _embedding(row: Sequence[Any]) -> Embedding:
    """Return the model of a row; one that is damaged leaves."""
    embedding_id, project_id, provider, model, dimensions, farthest, probe, state, problem = row
    kinds = (str, str, str, int, float, bytes, str, str)
    is_whole = all(isinstance(value, kind) for value, kind in zip(row[1:], kinds, strict=True))
    if not is_whole or state not in _STATES or len(probe) != dimensions:
        return Embedding(embedding_id, str(project_id), "", "", 0, 0.0, b"", EmbeddingState.LEAVING)
    return Embedding(
        embedding_id, project_id, provider, model, dimensions, farthest, probe, EmbeddingState(state), problem
    )
