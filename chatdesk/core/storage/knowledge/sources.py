"""Stores the sources of a project's files, and the passages that were read from them, with their words and vectors.

Only this room writes these tables, and ``knowledge_index`` with them: the index keeps no text, so a passage's words are
taken out by naming them once more before the passage goes.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection

from chatdesk.core.domain.knowledge import (
    FileState,
    KnowledgeSource,
    KnownFile,
    NamedFile,
    Passage,
    Sharing,
    SourceKind,
    SourceStatus,
)
from chatdesk.core.domain.reading_pace import FILES_LOOKED_AT, seconds_left
from chatdesk.core.errors import NotFound, NotPossible
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.moments import known_or_zero
from chatdesk.core.storage.engine import search_index, search_text, tables
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, one_of
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.texts import Text

T = TypeVar("T")
SOURCE_COLUMNS: Final = (
    "s.id, s.project_id, s.kind, s.place, s.exclusions, s.is_paused, s.added_at, s.problem, s.sharing"
)
FILE_COLUMNS: Final = "f.id, f.source_id, f.path, f.state, f.stamp, f.mime, f.problem, f.characters, f.read_at"
_KINDS: Final = frozenset(SourceKind)
_STATES: Final = frozenset(FileState)
_NOT_READ: Final = "not read"  # in the place of the stamp of a secret
_INDEXED_AT_ONCE: Final = 2_000
_MOST_NAMED: Final = 20_000


class KnowledgeRepository:
    """The sources, files and passages of all projects. ``revision`` changes with every write, so that readers can keep
    what they read until then."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.revision = 0

    async def add(self, source: KnowledgeSource) -> KnowledgeSource:
        """Store a source under a new id. Raises ``NotPossible`` where the project has it already, ``NotFound``."""

        def work(conn: Connection) -> KnowledgeSource:
            project = checked_id(source.project_id)
            if conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", (project,)).first() is None:
                raise NotFound(Text("This project does not exist."))
            if conn.exec_driver_sql(
                "SELECT 1 FROM knowledge_sources WHERE project_id = ? AND place = ?", (project, source.place)
            ).first():
                raise NotPossible(
                    Text("“{place}” is among the files of this project already.", place=source.place), next_step=""
                )
            made = new_id()
            insert_row(
                conn,
                tables.knowledge_sources,
                id=made,
                project_id=project,
                kind=source.kind.value,
                place=clean(source.place),
                exclusions=clean(source.exclusions),
                added_at=self._db.origin.now(),
                sharing="" if source.sharing is Sharing.NAME else source.sharing.value,
            )
            return _get(conn, made)

        return await self._write(work)

    async def change(
        self,
        source_id: str,
        *,
        is_paused: bool | None = None,
        exclusions: str | None = None,
        problem: str | None = None,
        sharing: Sharing | None = None,
    ) -> KnowledgeSource:
        """Change the given fields of a source. Raises ``NotFound``."""
        values = {"is_paused": is_paused, "exclusions": exclusions, "problem": problem, "sharing": sharing}
        changed = {
            name: int(value) if name == "is_paused" else value for name, value in values.items() if value is not None
        }

        def work(conn: Connection) -> KnowledgeSource:
            _get(conn, source_id)
            table = tables.knowledge_sources
            conn.execute(table.update().where(table.c.id == source_id).values(**changed))
            return _get(conn, source_id)

        return await self._write(work)

    async def remove(self, source_id: str) -> None:
        """Remove a source with everything that was read from it, in steps. Raises ``NotFound``."""
        wanted = checked_id(source_id)
        await self._db.read(lambda conn: _get(conn, wanted))

        def forget(conn: Connection) -> bool:
            ids = _column(conn, "SELECT id FROM knowledge_files WHERE source_id = ? LIMIT 200", (wanted,))
            forget_files(conn, ids)
            if not ids:
                conn.exec_driver_sql("DELETE FROM knowledge_sources WHERE id = ?", (wanted,))
            return bool(ids)

        while await self._write(forget):
            pass

    async def get(self, source_id: str) -> KnowledgeSource:
        """Return a source. Raises ``NotFound``."""
        return await self._db.read(lambda conn: _get(conn, source_id))

    async def sources(self, project_id: str | None = None) -> tuple[KnowledgeSource, ...]:
        """Return the sources of a project (None: of all), the oldest first. Those of projects in the trash rest."""
        where, values = ("AND s.project_id = ?", (project_id,)) if project_id is not None else ("", ())
        statement = (
            f"SELECT {SOURCE_COLUMNS} FROM knowledge_sources s JOIN projects p ON p.id = s.project_id"
            f" WHERE p.deleted_at IS NULL {where} ORDER BY s.added_at, s.id"
        )
        return await self._db.read(lambda conn: tuple(map(source_of, conn.exec_driver_sql(statement, values))))

    async def statuses(self, project_id: str) -> tuple[SourceStatus, ...]:
        """Return how far each source of a project is read."""
        sources = await self.sources(project_id)
        return await self._db.read(lambda conn: tuple(_status(conn, each, self._db.origin.now()) for each in sources))

    async def has_passages(self, project_id: str) -> bool:
        """Return whether anything of a project's files can be found."""
        statement = (
            "SELECT 1 FROM knowledge_sources s JOIN knowledge_files f ON f.source_id = s.id"
            " WHERE s.project_id = ? AND f.state = 'read' LIMIT 1"
        )
        return await self._db.read(lambda conn: conn.exec_driver_sql(statement, (project_id,)).first() is not None)

    async def named_files(self, project_id: str, state: FileState = FileState.READ) -> tuple[NamedFile, ...]:
        """Return the files of a project in a state, by path."""
        statement = (
            "SELECT f.id, f.path, f.characters FROM knowledge_files f JOIN knowledge_sources s ON s.id = f.source_id"
            " WHERE s.project_id = ? AND f.state = ? ORDER BY f.path LIMIT ?"
        )
        values = (project_id, state.value, _MOST_NAMED)
        return await self._db.read(
            lambda conn: tuple(NamedFile(*row) for row in conn.exec_driver_sql(statement, values))
        )

    async def files(self, source_id: str, *, states: Iterable[FileState] = FileState) -> tuple[KnownFile, ...]:
        """Return the files of a source in these states, by path."""
        wanted = [each.value for each in states]
        statement = (
            f"SELECT {FILE_COLUMNS} FROM knowledge_files f WHERE f.source_id = ?"
            f" AND f.state IN ({marks(wanted)}) ORDER BY f.path"
        )
        return await self._db.read(
            lambda conn: tuple(map(file_of, conn.exec_driver_sql(statement, (checked_id(source_id), *wanted))))
        )

    async def list_files(self, source_id: str, stamps: dict[str, str], secrets: Collection[str] = ()) -> int:
        """Note which files a source has now, by path with their stamps: new and changed ones wait to be read, those
        that are gone are forgotten at once, and so is what was read of ``secrets``. Returns how many wait."""

        def work(conn: Connection) -> int:
            rows = conn.exec_driver_sql("SELECT path, id, stamp FROM knowledge_files WHERE source_id = ?", (source_id,))
            known = {row[0]: (row[1], row[2]) for row in rows}
            gone = known.keys() - stamps.keys()
            kept = {path for path in gone.intersection(secrets) if known[path][1] == _NOT_READ}
            forget_files(conn, [known[path][0] for path in gone - kept])
            driver(conn).executemany(
                "INSERT INTO knowledge_files (source_id, path, state, stamp) VALUES (?, ?, 'closed', ?)",
                [(source_id, path, _NOT_READ) for path in set(secrets) - kept],
            )
            fresh = [(source_id, path) for path in stamps.keys() - known.keys()]
            driver(conn).executemany(
                "INSERT INTO knowledge_files (source_id, path, state) VALUES (?, ?, 'waiting')", fresh
            )
            changed = [(known[path][0],) for path in stamps.keys() & known.keys() if known[path][1] != stamps[path]]
            driver(conn).executemany("UPDATE knowledge_files SET state = 'waiting' WHERE id = ?", changed)
            return int(
                conn.exec_driver_sql(
                    "SELECT count(*) FROM knowledge_files WHERE source_id = ? AND state = 'waiting'", (source_id,)
                ).scalar_one()
            )

        return await self._write(work)

    async def keep_text(
        self,
        file: KnownFile,
        passages: Sequence[Passage],
        vectors: Sequence[bytes | None] = (),
        *,
        vectors_by: str = "",
        signs: bytes = b"",
    ) -> None:
        """Store the passages of a file, in one step, in the place of those known before. A file that is gone meanwhile
        stays gone."""
        kept = list(vectors) or [None] * len(passages)

        def work(conn: Connection) -> None:
            raw = driver(conn)
            _forget_passages(conn, [file.id])
            done = raw.execute(
                "UPDATE knowledge_files SET state = ?, stamp = ?, mime = ?, problem = ?, characters = ?, read_at = ?,"
                " vectors_by = ?, signs = ? WHERE id = ? AND source_id = ?",
                (
                    file.state.value,
                    file.stamp,
                    file.mime,
                    clean(file.problem),
                    file.characters,
                    self._db.origin.now(),
                    vectors_by,
                    signs,
                    file.id,
                    file.source_id,
                ),
            ).rowcount
            if not done:
                return
            first = 1 + (raw.execute("SELECT max(n) FROM knowledge_passages").fetchone()[0] or 0)
            # A repair may have taken passages away without their vectors.
            raw.execute("DELETE FROM knowledge_vectors WHERE n >= ?", (first,))
            raw.executemany(
                "INSERT INTO knowledge_passages (n, file_id, position, begin_offset, end_offset, page, heading, text,"
                " vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (first + at, file.id, at, each.start, each.end, each.page, each.heading, each.text, kept[at])
                    for at, each in enumerate(passages)
                ],
            )
            _index(conn, [(first + at, each.heading, each.text) for at, each in enumerate(passages)])

        await self._write(work, is_durable=False)

    async def repair_words(self) -> bool:
        """Index the next passages whose words are missing, after the index was made anew. Returns whether more may
        be missing."""

        def work(conn: Connection) -> int:
            rows = conn.exec_driver_sql(
                "SELECT n, heading, text FROM knowledge_passages"
                " WHERE n NOT IN (SELECT id FROM knowledge_index_docsize) LIMIT ?",
                (_INDEXED_AT_ONCE,),
            ).all()
            _index(conn, [tuple(row) for row in rows])
            return len(rows)

        return await self._write(work) == _INDEXED_AT_ONCE

    async def _write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        try:
            return await self._db.write(work, is_durable=is_durable)
        finally:
            self.revision += 1


def forget_files(conn: Connection, file_ids: Sequence[int]) -> None:
    """Remove files with their passages, words and vectors."""
    if not file_ids:
        return
    _forget_passages(conn, file_ids)
    for batch in batches(file_ids):
        conn.exec_driver_sql(f"DELETE FROM knowledge_files WHERE id IN ({marks(batch)})", tuple(batch))
    search_index.mark_erased(driver(conn))


def forget_projects(conn: Connection, project_ids: Sequence[str]) -> None:
    """Remove everything that was read for projects, before their rows go."""
    for batch in batches(project_ids):
        ids = _column(
            conn,
            "SELECT f.id FROM knowledge_files f JOIN knowledge_sources s ON s.id = f.source_id"
            f" WHERE s.project_id IN ({marks(batch)})",
            tuple(batch),
        )
        forget_files(conn, ids)


def source_of(row: Sequence[Any]) -> KnowledgeSource:
    """Return the source of a row of ``SOURCE_COLUMNS``. An unknown kind, of a newer version, is never read."""
    kind = SourceKind(row[2]) if row[2] in _KINDS else SourceKind.FILE
    is_paused = bool(row[5]) or row[2] not in _KINDS
    sharing = one_of(Sharing, row[8] or Sharing.NAME.value, Sharing.NOTHING)
    return KnowledgeSource(row[0], row[1], kind, row[3], row[4], is_paused, row[6], row[7], sharing)


def file_of(row: Sequence[Any]) -> KnownFile:
    """Return the file of a row of ``FILE_COLUMNS``."""
    state = FileState(row[3]) if row[3] in _STATES else FileState.WAITING
    return KnownFile(row[0], row[1], row[2], state, row[4], row[5], row[6], row[7], row[8])


def _get(conn: Connection, source_id: str) -> KnowledgeSource:
    row = conn.exec_driver_sql(
        f"SELECT {SOURCE_COLUMNS} FROM knowledge_sources s WHERE s.id = ?",
        (checked_id(source_id),),
    ).first()
    if row is None:
        raise NotFound(Text("This folder, file or page is not among the files of a project."))
    return source_of(row)


def _status(conn: Connection, source: KnowledgeSource, now_ms: int) -> SourceStatus:
    counts = {
        row[0]: (row[1], row[2])
        for row in conn.exec_driver_sql(
            "SELECT state, count(*), max(read_at) FROM knowledge_files WHERE source_id = ? GROUP BY state", (source.id,)
        )
    }
    passages = conn.exec_driver_sql(
        "SELECT count(*) FROM knowledge_passages p JOIN knowledge_files f ON f.id = p.file_id WHERE f.source_id = ?",
        (source.id,),
    ).scalar_one()
    numbers = {state: counts.get(state.value, (0, None))[0] for state in FileState}
    waiting = numbers[FileState.WAITING]
    newest: list[int] = []
    if waiting and not source.is_paused:
        statement = (
            "SELECT read_at FROM knowledge_files WHERE source_id = ? AND read_at IS NOT NULL"
            " ORDER BY read_at DESC LIMIT ?"
        )
        newest = [known_or_zero(at) for at in _column(conn, statement, (source.id, FILES_LOOKED_AT))]
    return SourceStatus(
        source,
        read=numbers[FileState.READ],
        waiting=waiting,
        unreadable=numbers[FileState.UNREADABLE],
        passages=passages,
        read_at=max((at for _, at in counts.values() if at is not None), default=None),
        seconds_left=seconds_left(newest, waiting, now_ms),
        secrets=numbers[FileState.CLOSED],
    )


def _forget_passages(conn: Connection, file_ids: Sequence[int]) -> None:
    raw = driver(conn)
    for batch in batches(file_ids):
        rows = raw.execute(
            f"SELECT n, heading, text FROM knowledge_passages WHERE file_id IN ({marks(batch)})"
            " AND n IN (SELECT id FROM knowledge_index_docsize)",
            batch,
        ).fetchall()
        raw.executemany(
            "INSERT INTO knowledge_index (knowledge_index, rowid, text) VALUES ('delete', ?, ?)",
            [(n, _words(heading, text)) for n, heading, text in rows],
        )
        raw.execute(f"DELETE FROM knowledge_passages WHERE file_id IN ({marks(batch)})", batch)


def _index(conn: Connection, passages: Iterable[tuple[int, str, str]]) -> None:
    driver(conn).executemany(
        "INSERT INTO knowledge_index (rowid, text) VALUES (?, ?)",
        [(n, _words(heading, text)) for n, heading, text in passages],
    )


def _words(heading: str, text: str) -> str:
    """Return the indexed words of a passage: those of its headings count as its own."""
    return search_text.words(f"{heading}\n{text}") or ""


def _column(conn: Connection, statement: str, values: tuple[Any, ...]) -> list[Any]:
    return [row[0] for row in conn.exec_driver_sql(statement, values)]
