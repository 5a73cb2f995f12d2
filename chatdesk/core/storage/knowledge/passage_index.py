"""Reads the passages of a project's files for a search, on a connection and a thread of their own, so that a question
never waits behind what the window reads, nor the window behind it."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS, Embedding, FoundPassage, Passage
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.connection import driver, open_to_read
from chatdesk.core.storage.engine.connection_thread import ConnectionThread
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.knowledge.sources import FILE_COLUMNS, SOURCE_COLUMNS, file_of, source_of

T = TypeVar("T")
_PASSAGE_COLUMNS: Final = "x.n, x.position, x.begin_offset, x.end_offset, x.page, x.heading, x.text"
_FROM: Final = (
    "FROM knowledge_passages x JOIN knowledge_files f ON f.id = x.file_id"
    " JOIN knowledge_sources s ON s.id = f.source_id"
)
_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS: Final = 48
# Words that tell less than this share of the rarest one only slow the search down; so do more words than these.
_TELLING: Final = 0.25
_RAREST: Final = 12
_LEAST_WEIGHT: Final = 1e-6
# FTS5 looks at every passage that has one of the words: 10,000 take some 20 ms.
MOST_RANKED: Final = 10_000
_OF_ALL_PROJECTS: Final = 10
_MOST_COUNTS_KEPT: Final = 20_000
_LONGEST_SHORT_WORD: Final = 2
# Endings that words of one meaning have, in the languages with Latin letters that most texts are in.
_ENDINGS: Final = re.compile(r"(?:ations?|ingly|ings?|edly|ed|ies|ers?|en|es|ly|s|e|y)$")
# Passages before and after the one that is shown.
_SHOWN_AROUND: Final = 4
_SHORTEST_STEM: Final = 4


class PassageIndex:
    """Reads on its own thread, which opens the database ``path`` at the first question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ConnectionThread("storage-knowledge")
        self._is_open = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one snapshot. Raises ``StorageError``."""
        return await self._thread.run(self._run, work)

    async def close(self) -> None:
        """Wait for the running search, then close the connection."""
        await self._thread.close()

    def _run(self, work: Callable[[Connection], T]) -> T:
        with translating(self._path):
            if not self._is_open:
                self._thread.connect(lambda: open_to_read(self._path))
                raw = driver(self._thread.connection)
                raw.execute("PRAGMA query_only=OFF")
                raw.execute("CREATE VIRTUAL TABLE temp.knowledge_words USING fts5vocab(main, knowledge_index, row)")
                raw.execute("PRAGMA query_only=ON")
                self._is_open = True
            with self._thread.connection.begin():
                return work(self._thread.connection)


class RankedWords:
    """Finds passages by words. How often a word comes is counted once, and again when the number of passages has
    changed by a tenth: counting a common one takes as long as finding it."""

    def __init__(self) -> None:
        self._revision: object = None
        self._total = 0
        self._counts: dict[str, int] = {}
        self._counted_of = 0

    def ranked(
        self, conn: Connection, project_id: str, question: str, limit: int, revision: object
    ) -> list[tuple[int, float]]:
        """Return the numbers of the passages that have the rarest words of the question, the best first. With each
        comes the share of what the question asks for that its words have, up to 1. ``revision`` differs after each
        change."""
        raw = driver(conn)
        if revision != self._revision:
            self._revision = revision
            self._total = raw.execute("SELECT count(*) FROM knowledge_passages").fetchone()[0]
        words = self._telling_words(conn, question)
        if not words:
            return []
        whole = sum(words.values())
        found: dict[int, float] = {}
        for expression in self._expressions(list(words)):
            for n, score in _ranked(conn, project_id, expression, limit):
                found.setdefault(n, score)
            if len(found) >= limit:
                break
        return [(n, min(1.0, -score / whole)) for n, score in list(found.items())[:limit]]

    def _expressions(self, words: list[str]) -> list[str]:
        """Return the expressions to look for, in turn until enough is found. Where even the rarest word is in too many
        passages to rank them all, those with several of the words at once are ranked."""
        forms = [_with_endings(word) for word in words]
        expressions = []
        expected = float(self._counts[words[0]])
        for many in range(2, len(words) + 1):
            if expected <= MOST_RANKED:
                break
            expected *= self._counts[words[many - 1]] / max(self._total, 1)
            expressions = [" AND ".join(f"({form})" for form in forms[:many])]
        few = forms[:1] if expressions else forms
        return [*expressions, " OR ".join(few)]

    def _count(self, conn: Connection, word: str) -> int:
        if abs(self._total - self._counted_of) * 10 > self._total or len(self._counts) > _MOST_COUNTS_KEPT:
            self._counts, self._counted_of = {}, self._total
        if word not in self._counts:
            row = driver(conn).execute("SELECT doc FROM knowledge_words WHERE term = ?", (word,)).fetchone()
            self._counts[word] = row[0] if row is not None else 0
        return self._counts[word]

    def _telling_words(self, conn: Connection, question: str) -> dict[str, float]:
        """Return the rarest words of a question, with how much each tells (its inverse frequency, as bm25 counts it),
        the rarest first."""
        weights: dict[str, float] = {}
        for word in dict.fromkeys(_WORD.findall(_folded(question))[:_MOST_WORDS]):
            count = self._count(conn, word)
            weights[word] = max(math.log((self._total - count + 0.5) / (count + 0.5)), _LEAST_WEIGHT)
        rarest = sorted(weights, key=lambda word: -weights[word])[:_RAREST]
        telling: dict[str, float] = {}
        ranked = 0
        for word in rarest:
            ranked += self._counts[word]
            # Beside a word that is itself in too many, others only make the choice smaller.
            if ranked > MOST_RANKED and telling and self._counts[next(iter(telling))] <= MOST_RANKED:
                break
            if weights[word] >= _TELLING * weights[rarest[0]] and _may_tell(word):
                telling[word] = weights[word]
        return telling


def _ranked(conn: Connection, project_id: str, expression: str, limit: int) -> list[tuple[int, float]]:
    """Return number and score (bm25, the best is the lowest) of the best passages of a project."""
    # Asking for a passage's project takes longer than ranking it, so the best of all projects are looked at first.
    for most in (limit * _OF_ALL_PROJECTS, -1):
        rows = (
            driver(conn)
            .execute(
                "WITH ranked (n, score) AS MATERIALIZED (SELECT rowid, rank FROM knowledge_index"
                " WHERE knowledge_index MATCH ? ORDER BY rank LIMIT ?)"
                f" SELECT x.n, ranked.score {_FROM} JOIN ranked ON ranked.n = x.n WHERE s.project_id = ?"
                " ORDER BY ranked.score, x.n LIMIT ?",
                (expression, most, project_id, limit),
            )
            .fetchall()
        )
        if len(rows) == limit:
            break
    return rows


def signs(conn: Connection, project_id: str, vectors_by: str) -> list[tuple[int, bytes]]:
    """Return the signs of all vectors of that origin, by file. Damaged ones are left out."""
    return (
        driver(conn)
        .execute(
            "SELECT f.id, f.signs FROM knowledge_files f JOIN knowledge_sources s ON s.id = f.source_id"
            " WHERE s.project_id = ? AND f.vectors_by = ? AND length(f.signs) % ? = 0 ORDER BY f.id",
            (project_id, vectors_by, OWN_DIMENSIONS // 8),
        )
        .fetchall()
    )


def vectors(conn: Connection, places: Sequence[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Return number and vector of the passages at these places: pairs of file and position. Those that are gone are
    left out."""
    raw = driver(conn)
    found = (
        raw.execute("SELECT n, vector FROM knowledge_passages WHERE file_id = ? AND position = ?", place).fetchone()
        for place in places
    )
    return [(row[0], row[1]) for row in found if row is not None and _is_vector(row[1])]


def _is_vector(value: object, dimensions: int = OWN_DIMENSIONS) -> bool:
    """Return whether a stored value is a vector: another one is damage, and costs its passage only its meaning."""
    return isinstance(value, bytes) and len(value) == dimensions


def signs_by(conn: Connection, embedding: Embedding) -> list[tuple[int, bytes]]:
    """Return the signs of all vectors of a provider's model, by number of the passage. Damaged ones are left out."""
    statement = "SELECT n, signs FROM knowledge_vectors WHERE embedding_id = ? AND length(signs) = ? ORDER BY n"
    return driver(conn).execute(statement, (embedding.id, -(-embedding.dimensions // 64) * 8)).fetchall()


def vectors_by(conn: Connection, embedding: Embedding, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return number and vector of these passages; those that are gone or damaged are left out."""
    raw = driver(conn)
    found: list[tuple[int, bytes]] = []
    for batch in batches(numbers):
        found += raw.execute(
            f"SELECT n, vector FROM knowledge_vectors WHERE embedding_id = ? AND n IN ({marks(batch)})",
            (embedding.id, *batch),
        ).fetchall()
    return [row for row in found if _is_vector(row[1], embedding.dimensions)]


def passages(conn: Connection, numbers: Sequence[int]) -> dict[int, FoundPassage]:
    """Return the passages with these numbers."""
    found = {}
    for batch in batches(numbers):
        statement = f"SELECT {_PASSAGE_COLUMNS}, {FILE_COLUMNS}, {SOURCE_COLUMNS} {_FROM} WHERE x.n IN ({marks(batch)})"
        for row in conn.exec_driver_sql(statement, tuple(batch)):
            found[row[0]] = _found(row)
    return found


def around(conn: Connection, file_id: int, first: int, last: int) -> list[FoundPassage]:
    """Return the passages of a file from one position to another."""
    statement = (
        f"SELECT {_PASSAGE_COLUMNS}, {FILE_COLUMNS}, {SOURCE_COLUMNS} {_FROM}"
        " WHERE x.file_id = ? AND x.position BETWEEN ? AND ? ORDER BY x.position"
    )
    return [_found(row) for row in conn.exec_driver_sql(statement, (file_id, first, last))]


def around_place(conn: Connection, source_id: str, path: str, offset: int) -> list[FoundPassage]:
    """Return the passages of a file around a character; none where the file is not known any more."""
    place = place_of(conn, source_id, path, offset)
    if place is None:
        return []
    file_id, position = place
    return around(conn, file_id, position - _SHOWN_AROUND, position + _SHOWN_AROUND)


def place_of(conn: Connection, source_id: str, path: str, offset: int) -> tuple[int, int] | None:
    """Return file and position of the passage that has a character of a file, or the last one before it."""
    row = conn.exec_driver_sql(
        "SELECT x.file_id, x.position FROM knowledge_passages x JOIN knowledge_files f ON f.id = x.file_id"
        " WHERE f.source_id = ? AND f.path = ? AND x.begin_offset <= ? ORDER BY x.position DESC LIMIT 1",
        (source_id, path, offset),
    ).first()
    return (row[0], row[1]) if row is not None else None


def _found(row: Sequence[Any]) -> FoundPassage:
    n, position, start, end, page, heading, text = row[:7]
    return FoundPassage(
        n,
        file_of(row[7:16]),
        source_of(row[16:]),
        position,
        Passage(start, end, text, page, heading),
    )


def _may_tell(word: str) -> bool:
    """Return whether a word is none of the short ones that sentences are held together with."""
    return len(word) > _LONGEST_SHORT_WORD or not word.isascii() or any(map(str.isdecimal, word))


def _with_endings(word: str) -> str:
    stem = _ENDINGS.sub("", word)
    if len(stem) < _SHORTEST_STEM or not word.isascii():
        return f'"{word}"'
    return f'"{word}" OR "{stem}" *' if stem != word else f'"{word}" *'


def _folded(text: str) -> str:
    """Return the words of a text as the index has them: in small letters, without accents."""
    prepared = unicodedata.normalize("NFKD", (search_text.words(text) or "").lower())
    return "".join(letter for letter in prepared if not unicodedata.combining(letter))
