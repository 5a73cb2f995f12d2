"""Stores memories in the database.

They belong to the person and to no team, so they are not in the change log. A memory names the message that it comes
from without a key of the database: the message may be gone, and then the memory stays or goes as the person chose.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.memory import LONGEST_MEMORY, MOST_MEMORIES, Memory, MemoryOrigin, NewMemory
from chatdesk.core.errors import NotFound, NotPossible
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.engine import search_index, tables
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, folded
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.texts import Text

_ORIGINS: Final = frozenset(MemoryOrigin)
_IS_RESTING: Final = (
    "(p.deleted_at IS NOT NULL OR (y.goes_with_source AND y.message_id IS NOT NULL AND"
    " (m.id IS NULL OR m.purged_at IS NOT NULL OR m.deleted_at IS NOT NULL OR t.deleted_at IS NOT NULL)))"
)
_SELECT: Final = f"""
SELECT y.id, y.text, y.project_id, y.origin, y.source, y.message_id, y.goes_with_source, y.created_at, y.updated_at,
    CASE WHEN m.purged_at IS NULL THEN m.thread_id END, {_IS_RESTING}
FROM memories y LEFT JOIN projects p ON p.id = y.project_id
    LEFT JOIN messages m ON m.id = y.message_id LEFT JOIN threads t ON t.id = m.thread_id"""
_SHARED: Final = "SELECT 1 FROM shared_projects WHERE project_id = ? AND state <> 'ended'"


class MemoryRepository:
    """Reads and writes memories; each write is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[Memory, ...]:
        """Return all memories, the newest first."""
        statement = f"{_SELECT} ORDER BY y.created_at DESC, y.id DESC LIMIT {2 * MOST_MEMORIES}"
        return await self._db.read(lambda conn: tuple(map(_memory, conn.exec_driver_sql(statement))))

    async def for_project(self, project_id: str) -> tuple[Memory, ...] | None:
        """Return the memories that a request of a project may carry: its own first, the newest first. None for a
        project that is shared."""
        statement = (
            f"{_SELECT} WHERE (y.project_id IS NULL OR y.project_id = ?) AND NOT {_IS_RESTING}"
            f" ORDER BY y.project_id IS NULL, y.updated_at DESC, y.id DESC LIMIT {MOST_MEMORIES}"
        )

        def work(conn: Connection) -> tuple[Memory, ...] | None:
            if _is_shared(conn, project_id):
                return None
            return tuple(map(_memory, conn.exec_driver_sql(statement, (project_id,))))

        return await self._db.read(work)

    async def get(self, memory_id: str) -> Memory:
        """Return a memory. Raises ``NotFound``."""
        wanted = checked_id(memory_id)
        return await self._db.read(lambda conn: get_memory(conn, wanted))

    async def add(self, new: NewMemory) -> tuple[Memory, bool]:
        """Keep a memory; returns it and whether it is new. The same words for the same project are kept once. Raises
        ``NotFound``, ``NotPossible``."""

        def work(conn: Connection) -> tuple[Memory, bool]:
            known = _find(conn, new.text, new.project_id)
            if known is not None:
                return get_memory(conn, known), False
            return get_memory(conn, self._insert(conn, new)), True

        return await self._db.write(work)

    async def add_missing(self, memories: Sequence[NewMemory]) -> int:
        """Keep those whose words are not here yet, for whatever project, all or none. Returns how many. Raises
        ``NotPossible``."""

        def work(conn: Connection) -> int:
            known = {folded(str(row[0])) for row in conn.exec_driver_sql("SELECT text FROM memories")}
            fresh = {key: each for each in memories if (key := folded(clean(each.text))) not in known}
            for each in fresh.values():
                self._insert(conn, each)
            return len(fresh)

        return await self._db.write(work)

    async def projects_named(self, names: Collection[str]) -> dict[str, str]:
        """Return the ids of the oldest projects of these names, as far as there are any that are not shared."""

        def work(conn: Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for name in names:
                rows = conn.exec_driver_sql(
                    "SELECT id FROM projects WHERE name = ? AND deleted_at IS NULL ORDER BY id", (name,)
                )
                mine = next((row[0] for row in rows.all() if not _is_shared(conn, row[0])), None)
                if mine is not None:
                    found[name] = mine
            return found

        return await self._db.read(work)

    async def change(self, memory_id: str, new: NewMemory) -> Memory:
        """Give a memory the text, the project and the choice of ``new``, and its origin with other words. Raises
        ``NotFound``, or ``NotPossible`` where another says the same."""
        wanted = checked_id(memory_id)

        def work(conn: Connection) -> Memory:
            before = get_memory(conn, wanted)
            known = _find(conn, new.text, new.project_id)
            if known not in (None, wanted):
                raise NotPossible(Text("Another memory says the same."), next_step=Text("Delete one of the two."))
            _check_project(conn, new.project_id, unless=before.project_id)
            table = tables.memories
            changed = {
                "text": clean(new.text),
                "project_id": new.project_id,
                "origin": (before.origin if clean(new.text) == before.text else new.origin).value,
                "goes_with_source": int(new.goes_with_source),
                "updated_at": self._db.origin.now(),
            }
            conn.execute(table.update().where(table.c.id == wanted).values(**changed))
            search_index.mark_erased(driver(conn))
            return get_memory(conn, wanted)

        return await self._db.write(work)

    async def delete(self, memory_ids: Sequence[str]) -> tuple[Memory, ...]:
        """Delete memories for good and return them, for ``put_back``. Raises ``NotFound``."""
        wanted = [checked_id(each) for each in memory_ids]

        def work(conn: Connection) -> tuple[Memory, ...]:
            gone = tuple(get_memory(conn, each) for each in wanted)
            _delete(conn, wanted)
            return gone

        return await self._db.write(work)

    async def put_back(self, memories: Sequence[Memory]) -> None:
        """Undo ``delete``. One whose project is gone for good, or whose words are here again, stays deleted."""

        def work(conn: Connection) -> None:
            for each in memories:
                if _find(conn, each.text, each.project_id) is None and _has_project(conn, each.project_id):
                    self._insert(conn, each, each)

        await self._db.write(work)

    def _insert(self, conn: Connection, new: NewMemory | Memory, before: Memory | None = None) -> str:
        if conn.exec_driver_sql("SELECT count(*) FROM memories").scalar_one() >= MOST_MEMORIES:
            raise NotPossible(
                Text("ChatDesk keeps {most} memories at most.", most=MOST_MEMORIES),
                next_step=Text("Delete some that no longer matter."),
            )
        _check_project(conn, new.project_id, unless=None if before is None else before.project_id)
        made, now = (new_id() if before is None else before.id), self._db.origin.now()
        insert_row(
            conn,
            tables.memories,
            id=made,
            text=clean(new.text),
            project_id=new.project_id,
            origin=new.origin.value,
            source=clean(new.source),
            message_id=new.message_id,
            goes_with_source=int(new.goes_with_source),
            created_at=now if before is None else before.created_at,
            updated_at=now if before is None else before.updated_at,
        )
        return made


def get_memory(conn: Connection, memory_id: str) -> Memory:
    """Return a memory. Raises ``NotFound``."""
    row = conn.exec_driver_sql(f"{_SELECT} WHERE y.id = ?", (memory_id,)).first()
    if row is None:
        raise NotFound(Text("This memory does not exist."))
    return _memory(row)


def forget_ended(conn: Connection) -> None:
    """Erase the memories that go with their source, where the source was removed for good."""
    ended = conn.exec_driver_sql(
        "SELECT y.id FROM memories y LEFT JOIN messages m ON m.id = y.message_id"
        " WHERE y.goes_with_source AND y.message_id IS NOT NULL AND (m.id IS NULL OR m.purged_at IS NOT NULL)"
    )
    _delete(conn, [row[0] for row in ended])


def _delete(conn: Connection, memory_ids: Iterable[str]) -> None:
    ids = list(memory_ids)
    for batch in batches(ids):
        conn.exec_driver_sql(f"DELETE FROM memories WHERE id IN ({marks(batch)})", tuple(batch))
    if ids:
        search_index.mark_erased(driver(conn))


def _memory(row: Sequence[Any]) -> Memory:
    """Return the memory of a row of ``_SELECT``. An unknown origin, of a newer version, may be anybody's words."""
    origin = MemoryOrigin(row[3]) if row[3] in _ORIGINS else MemoryOrigin.IMPORT
    text = row[1][:LONGEST_MEMORY]
    return Memory(row[0], text, row[2], origin, row[4], row[5], bool(row[6]), row[7], row[8], row[9], bool(row[10]))


def _find(conn: Connection, text: str, project_id: str | None) -> str | None:
    """Return the id of the memory that says the same for the same project."""
    wanted = folded(clean(text))
    rows = conn.exec_driver_sql("SELECT id, text FROM memories WHERE project_id IS ?", (project_id,))
    return next((row[0] for row in rows if folded(str(row[1])) == wanted), None)


def _has_project(conn: Connection, project_id: str | None) -> bool:
    return project_id is None or bool(conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", (project_id,)).all())


def _check_project(conn: Connection, project_id: str | None, *, unless: str | None) -> None:
    """Raise where a memory cannot be for that project; ``unless`` is the project that it is for already."""
    if project_id is None or project_id == unless:
        return
    if not _has_project(conn, checked_id(project_id)):
        raise NotFound(Text("This project does not exist."))
    if _is_shared(conn, project_id):
        raise NotPossible(
            Text("Memories are not sent in a shared project, so none is kept for it alone."),
            next_step=Text("Keep it everywhere."),
        )


def _is_shared(conn: Connection, project_id: str) -> bool:
    return conn.exec_driver_sql(_SHARED, (project_id,)).first() is not None
