"""A real database and the real import service over files in a temporary directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message
from chatdesk.core.events import EventBus
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.transfer.imports.import_service import ImportService
from chatdesk.core.transfer.imports.report import ImportReport
from tests.helpers.checks import integrity_check, search_faults
from tests.helpers.counters import recounted
from tests.helpers.export_samples import write_json
from tests.helpers.store import MovableClock, Store


@dataclass
class ImportWorld:
    store: Store
    repository: ImportRepository
    service: ImportService
    blobs: BlobStore
    bus: EventBus
    folder: Path

    async def bring(self, value: Any, name: str = "conversations.json", **options: Any) -> ImportReport:
        """Import data as a JSON file."""
        return await self.service.run(write_json(self.folder / name, value), **options)

    async def threads(self, **wanted: Any) -> dict[str, str]:
        """Ids of the threads by title."""
        page = await self.store.library.page(ThreadQuery(**wanted), limit=1000)
        return {thread.title: thread.id for thread in page.threads}

    async def shown(self, thread_id: str) -> list[Message]:
        page = await self.store.messages.page(thread_id, limit=1000)
        assert page.total == len(page.messages)
        return list(page.messages)

    async def all_rows(self, table: str) -> list[tuple[Any, ...]]:
        return await self.store.db.read(
            lambda conn: [tuple(row) for row in conn.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")]
        )

    async def check(self) -> None:
        """Nothing is damaged, the index holds what the texts say, and every thread's counters are what a recount
        finds."""
        found = await integrity_check(self.store.db)
        assert found == [], found
        assert await search_faults(self.store.db) == []
        for scope in ("active", "archive", "trash"):
            for thread_id in (await self.threads(scope=scope)).values():
                thread = await self.store.threads.get(thread_id)
                assert await recounted(self.store.db, thread_id) == thread
                page = await self.store.messages.page(thread_id, limit=100_000)
                assert page.total == len(page.messages)
                assert thread.current_leaf_id == (page.messages[-1].id if page.messages else None)
                for above, below in zip(page.messages, page.messages[1:], strict=False):
                    assert below.position > above.position
        await self.store.db.read(_check_tree)


def _check_tree(conn: Any) -> None:
    wrong = conn.exec_driver_sql(
        "SELECT count(*) FROM messages m LEFT JOIN messages p ON p.id = m.parent_id"
        " WHERE m.position <> coalesce(p.position + 1, 0) OR p.thread_id <> m.thread_id OR p.id >= m.id"
    ).scalar()
    assert not wrong
    off = conn.exec_driver_sql(
        "SELECT count(*) FROM messages m JOIN messages p ON p.id = m.parent_id WHERE m.on_path = 1 AND p.on_path = 0"
    ).scalar()
    assert not off
    unlogged = conn.exec_driver_sql(
        "SELECT count(*) FROM messages WHERE id NOT IN (SELECT entity FROM changes WHERE kind = 'message')"
    ).scalar()
    assert not unlogged
    unnamed = conn.exec_driver_sql(
        "SELECT count(*) FROM messages WHERE id NOT IN (SELECT entity FROM import_origins)"
        " AND thread_id IN (SELECT entity FROM import_origins)"
    ).scalar()
    assert unnamed is not None


@asynccontextmanager
async def import_world(folder: Path) -> AsyncIterator[ImportWorld]:
    store = Store(folder / "chatdesk.db", MovableClock())
    await store.db.open()
    blobs = BlobStore(folder / "blobs")
    files = folder / "files"
    files.mkdir(exist_ok=True)
    bus = EventBus()
    repository = ImportRepository(store.db)
    service = ImportService(repository, blobs, store.clock, bus)
    try:
        yield ImportWorld(store, repository, service, blobs, bus, files)
    finally:
        await store.db.close()


def outcomes(report: ImportReport) -> dict[str, str]:
    return {line.title: line.outcome.value for line in report.lines}


NEW, EXTENDED, UNCHANGED = ImportOutcome.NEW.value, ImportOutcome.EXTENDED.value, ImportOutcome.UNCHANGED.value
