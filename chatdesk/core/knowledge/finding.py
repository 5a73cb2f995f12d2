"""Finds the passages of a project's files that belong to a question: by words and by meaning, joined by their ranks.

The meaning is compared in two steps. The signs of all vectors are in memory, a bit for each number: a hundred thousand
passages take three megabytes and two milliseconds. The nearest few hundred by these are compared by their whole
vectors, which stay in the database.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS, OWN_VECTORS, FoundPassage
from chatdesk.core.knowledge.word_vectors import Vectors, WordVectors, signs_of
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.knowledge import passage_index
from chatdesk.core.storage.knowledge.passage_index import PassageIndex
from chatdesk.core.storage.knowledge.sources import KnowledgeRepository

# How far down both lists are read.
_DEPTH: Final = 60
_COMPARED_WHOLE: Final = 400
# Added to each rank, so that the first places of one list do not outweigh everything in the other. A rank by words
# counts by the share of the question that these words are (found with two thirds of the questions in ``make bench``).
_WEIGHT_OF_WORDS: Final = 1.3
_RANK_OFFSET: Final = 20
# A passage without a telling word of the question, that is no nearer than this either, has nothing to do with it.
_FARTHEST: Final = 0.2
_PROJECTS_KEPT: Final = 3


def finder(repository: KnowledgeRepository, index: PassageIndex, vectors_dir: Path) -> Finder:
    """Return the finder with the vectors that come with ChatDesk."""
    return Finder(repository, index, WordVectors(vectors_dir))


class Finder:
    """Answers one question after the other; the signs of the last few projects stay in memory."""

    def __init__(self, repository: KnowledgeRepository, index: PassageIndex, vectors: WordVectors) -> None:
        self._repository = repository
        self._index = index
        self._vectors = vectors
        self._signs: dict[str, tuple[int, _Signs]] = {}

    async def find(self, project_id: str, question: str, *, limit: int) -> tuple[FoundPassage, ...]:
        """Return the passages that fit the question, the best first. Raises ``StorageError``."""
        return await self._index.run(lambda conn: self._find(conn, project_id, question, limit))

    def _find(self, conn: Connection, project_id: str, question: str, limit: int) -> tuple[FoundPassage, ...]:
        words = dict(passage_index.by_words(conn, project_id, question, _DEPTH))
        near = self._by_meaning(conn, project_id, question)
        word_ranks = {n: rank for rank, n in enumerate(words, 1)}
        meaning_ranks = {n: rank for rank, n in enumerate(near, 1)}
        scores = dict.fromkeys({**words, **near}, 0.0)
        for n, rank in word_ranks.items():
            scores[n] += _WEIGHT_OF_WORDS * words[n] / (_RANK_OFFSET + rank)
        for n, rank in meaning_ranks.items():
            scores[n] += 1 / (_RANK_OFFSET + rank)
        scores = {n: score for n, score in scores.items() if n in words or near[n] >= _FARTHEST}
        best = sorted(scores, key=lambda n: (-scores[n], n))[:limit]
        found = passage_index.passages(conn, best)
        return tuple(
            replace(
                found[n],
                by_words=word_ranks.get(n),
                by_meaning=meaning_ranks.get(n),
                nearness=near.get(n),
                score=scores[n],
            )
            for n in best
            if n in found
        )

    def _by_meaning(self, conn: Connection, project_id: str, question: str) -> dict[int, float]:
        """Return the cosines of the passages that are nearest to the question, by number, the nearest first."""
        signs = self._signs_of(conn, project_id)
        wanted = self._vectors.embed([question])
        if not len(signs.rows) or not wanted.any():
            return {}
        places = signs.nearest(signs_of(wanted)[0], _COMPARED_WHOLE)
        rows = passage_index.vectors(conn, places)
        if not rows:
            return {}
        cosines = _cosines(np.frombuffer(b"".join(row for _, row in rows), np.int8).reshape(len(rows), -1), wanted[0])
        order = np.argsort(-cosines)[:_DEPTH]
        return {rows[at][0]: float(cosines[at]) for at in order}

    def _signs_of(self, conn: Connection, project_id: str) -> _Signs:
        kept = self._signs.pop(project_id, None)
        revision = self._repository.revision
        if kept is None or kept[0] != revision:
            kept = revision, _Signs(passage_index.signs(conn, project_id, OWN_VECTORS))
        self._signs[project_id] = kept
        while len(self._signs) > _PROJECTS_KEPT:
            self._signs.pop(next(iter(self._signs)))
        return kept[1]


class _Signs:
    """The signs of a project's vectors, eight bytes in one number."""

    def __init__(self, files: list[tuple[int, bytes]]) -> None:
        width = OWN_DIMENSIONS // 8
        self.rows: NDArray[np.uint64] = np.frombuffer(b"".join(each for _, each in files), np.uint64).reshape(
            -1, width // 8
        )
        self._ids = np.array([file_id for file_id, _ in files], np.int64)
        self._ends = np.cumsum([len(each) // width for _, each in files])

    def nearest(self, wanted: NDArray[np.uint8], count: int) -> list[tuple[int, int]]:
        """Return file and position of the rows that differ from ``wanted`` in the fewest signs."""
        differences = np.bitwise_count(self.rows ^ wanted.view(np.uint64)).sum(axis=1, dtype=np.uint16)
        count = min(count, len(differences))
        found = np.argpartition(differences, count - 1)[:count]
        files = np.searchsorted(self._ends, found, side="right")
        starts = np.concatenate([[0], self._ends[:-1]])
        return [(int(self._ids[file]), int(row - starts[file])) for row, file in zip(found, files, strict=True)]


def _cosines(rows: Vectors, wanted: NDArray[np.int8]) -> NDArray[np.float32]:
    exact = rows.astype(np.float32)
    lengths = np.linalg.norm(exact, axis=1)
    lengths[lengths == 0] = 1
    other = wanted.astype(np.float32)
    found: NDArray[np.float32] = exact @ other / (lengths * np.linalg.norm(other))
    return found
