"""Finds the passages of a project's files that belong to a question: by words and by meaning, joined by their ranks.

The meaning is compared in two steps. The signs of all vectors are in memory, a bit for each number: a hundred thousand
passages take three megabytes and two milliseconds. The nearest few hundred by these are compared by their whole
vectors, which stay in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS, OWN_VECTORS, Embedding, FoundPassage
from chatdesk.core.knowledge.word_vectors import WordVectors, cosines, rows_of, signs_of
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.knowledge import passage_index
from chatdesk.core.storage.knowledge.passage_index import PassageIndex

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


def finder(revision: Callable[[], object], index: PassageIndex, vectors_dir: Path) -> Finder:
    """Return the finder with the vectors that come with ChatDesk. ``revision`` differs after each change."""
    return Finder(revision, index, WordVectors(vectors_dir))


class Finder:
    """Answers one question after the other; the signs of the last few projects stay in memory."""

    def __init__(self, revision: Callable[[], object], index: PassageIndex, vectors: WordVectors) -> None:
        self._revision = revision
        self._index = index
        self._vectors = vectors
        self._words = passage_index.RankedWords()
        self._signs: dict[tuple[str, int | None], tuple[object, _Signs]] = {}

    async def find(
        self,
        project_id: str,
        question: str,
        *,
        limit: int,
        asked: tuple[Embedding, bytes] | None = None,
        has_far: bool = False,
    ) -> tuple[FoundPassage, ...]:
        """Return the passages that fit the question, the best first. ``asked``: a provider's model, and its vector of
        the question; None compares our own vectors. ``has_far``: fill up with the nearest of those that have nothing to
        do with it. Raises ``StorageError``."""
        return await self._index.run(lambda conn: self._find(conn, project_id, question, limit, asked, has_far))

    def _find(
        self,
        conn: Connection,
        project_id: str,
        question: str,
        limit: int,
        asked: tuple[Embedding, bytes] | None,
        has_far: bool,
    ) -> tuple[FoundPassage, ...]:
        words = dict(self._words.ranked(conn, project_id, question, _DEPTH, self._revision()))
        near = self._by_meaning(conn, project_id, question, asked)
        farthest = asked[0].farthest if asked is not None else _FARTHEST
        word_ranks = {n: rank for rank, n in enumerate(words, 1)}
        meaning_ranks = {n: rank for rank, n in enumerate(near, 1)}
        scores = dict.fromkeys({**words, **near}, 0.0)
        for n, rank in word_ranks.items():
            scores[n] += _WEIGHT_OF_WORDS * words[n] / (_RANK_OFFSET + rank)
        for n, rank in meaning_ranks.items():
            scores[n] += 1 / (_RANK_OFFSET + rank)
        far = {n for n in scores if n not in words and near[n] < farthest}
        best = sorted(scores if has_far else scores.keys() - far, key=lambda n: (n in far, -scores[n], n))[:limit]
        found = passage_index.passages(conn, best)
        return tuple(
            replace(
                found[n],
                by_words=word_ranks.get(n),
                by_meaning=meaning_ranks.get(n),
                nearness=near.get(n),
                score=scores[n],
                is_far=n in far,
            )
            for n in best
            if n in found
        )

    def _by_meaning(
        self, conn: Connection, project_id: str, question: str, asked: tuple[Embedding, bytes] | None
    ) -> dict[int, float]:
        """Return the cosines of the passages that are nearest to the question, by number, the nearest first."""
        if asked is None:
            signs = self._signs_of(conn, project_id)
            wanted = self._vectors.embed([question])
        else:
            signs = self._signs_of(conn, project_id, asked[0])
            wanted = rows_of([asked[1]], asked[0].dimensions)
        if not len(signs) or not wanted.any():
            return {}
        rows = signs.vectors(conn, signs.nearest(signs_of(wanted)[0], _COMPARED_WHOLE))
        if not rows:
            return {}
        found = cosines(np.frombuffer(b"".join(row for _, row in rows), np.int8).reshape(len(rows), -1), wanted[0])
        order = np.argsort(-found)[:_DEPTH]
        return {rows[at][0]: float(found[at]) for at in order}

    def _signs_of(self, conn: Connection, project_id: str, embedding: Embedding | None = None) -> _Signs:
        key = project_id, embedding.id if embedding is not None else None
        kept = self._signs.pop(key, None)
        revision = self._revision()
        if kept is None or kept[0] != revision:
            kept = revision, _SignsOfModel(conn, embedding) if embedding is not None else _OwnSigns(conn, project_id)
        self._signs[key] = kept
        while len(self._signs) > _PROJECTS_KEPT:
            self._signs.pop(next(iter(self._signs)))
        return kept[1]


class _Signs:
    """The signs of a project's vectors, eight bytes in one number."""

    def __init__(self, signs: bytes, width: int) -> None:
        # Column by column, each in one piece: a comparison takes a fifth of the time.
        rows = np.frombuffer(signs, np.uint64).reshape(-1, width // 8)
        self.columns: NDArray[np.uint64] = np.ascontiguousarray(rows.T)

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def nearest(self, wanted: NDArray[np.uint8], count: int) -> NDArray[np.intp]:
        """Return the rows that differ from ``wanted`` in the fewest signs."""
        differences = np.zeros(len(self), np.uint16)
        for column, bits in zip(self.columns, wanted.view(np.uint64), strict=True):
            differences += np.bitwise_count(column ^ bits)
        count = min(count, len(differences))
        return np.argpartition(differences, count - 1)[:count]

    def vectors(self, conn: Connection, rows: NDArray[np.intp]) -> list[tuple[int, bytes]]:
        """Return number and whole vector of the passages of these rows."""
        raise NotImplementedError


class _OwnSigns(_Signs):
    """The signs of our own vectors, which are stored by file."""

    def __init__(self, conn: Connection, project_id: str) -> None:
        files = passage_index.signs(conn, project_id, OWN_VECTORS)
        width = OWN_DIMENSIONS // 8
        super().__init__(b"".join(each for _, each in files), width)
        self._ids = np.array([file_id for file_id, _ in files], np.int64)
        self._ends = np.cumsum([len(each) // width for _, each in files])

    def vectors(self, conn: Connection, rows: NDArray[np.intp]) -> list[tuple[int, bytes]]:
        files = np.searchsorted(self._ends, rows, side="right")
        starts = np.concatenate([[0], self._ends[:-1]])
        places = [(int(self._ids[file]), int(row - starts[file])) for row, file in zip(rows, files, strict=True)]
        return passage_index.vectors(conn, places)


class _SignsOfModel(_Signs):
    """The signs of the vectors that a provider's model made, which are stored by passage."""

    def __init__(self, conn: Connection, embedding: Embedding) -> None:
        found = passage_index.signs_by(conn, embedding)
        super().__init__(b"".join(each for _, each in found), -(-embedding.dimensions // 64) * 8)
        self._embedding = embedding
        self._numbers = [n for n, _ in found]

    def vectors(self, conn: Connection, rows: NDArray[np.intp]) -> list[tuple[int, bytes]]:
        return passage_index.vectors_by(conn, self._embedding, [self._numbers[row] for row in rows])
