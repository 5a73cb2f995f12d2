"""Titles and names are read without what commands a terminal, hides or turns a line round, whoever stored them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.storage.chat.tags import TagRepository
from chatdesk.core.storage.library.library import LibraryRepository
from tests.helpers.store import MovableClock, Store

HOSTILE = "\x1b[31mX\u202ecod\n.\u2066e\U000e0041xe\x9b"
SHOWN = "[31mXcod .exe"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(tmp_path / "chatdesk.db", MovableClock())
    await made.db.open()
    yield made
    await made.db.close()


async def test_what_another_program_stored_is_read_clean_and_left_as_it_is(store: Store) -> None:
    thread, tags = await store.thread(), TagRepository(store.db)
    await LibraryRepository(store.db).tag([thread], add=["one"], remove=[])

    def spoil(conn: Connection) -> None:
        for table in ("projects", "tags"):
            conn.exec_driver_sql(f"UPDATE {table} SET name = ?", (HOSTILE,))
        conn.exec_driver_sql("UPDATE threads SET title = ?", (HOSTILE,))

    await store.db.write(spoil)
    found = await store.threads.get(thread)
    assert (found.title, found.tags) == (SHOWN, (SHOWN,))
    assert [each.name for each in await store.projects.list()] == [SHOWN]
    assert [each.name for each in await tags.list()] == [SHOWN]
    stored = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT title FROM threads").scalar())
    assert stored == HOSTILE


async def test_nothing_that_can_be_seen_is_a_name_all_the_same(store: Store) -> None:
    thread = await store.thread()
    await store.db.write(lambda conn: conn.exec_driver_sql("UPDATE threads SET title = ?", ("\u202e\u200b",)))
    assert (await store.threads.get(thread)).title == "Untitled"


async def test_names_are_stored_clean(store: Store) -> None:
    project = await store.projects.create(HOSTILE)
    thread = await store.threads.create(project.id, HOSTILE, provider=None, model=None)
    await LibraryRepository(store.db).tag([thread.id], add=[HOSTILE], remove=[])
    stored = await store.db.read(
        lambda conn: [
            conn.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {column} LIKE '%cod%'").scalar()
            for table, column in (("projects", "name"), ("threads", "title"), ("tags", "name"))
        ]
    )
    assert stored == [SHOWN] * 3
