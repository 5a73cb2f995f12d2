"""A database file may come from anybody: what is in its schema is ours to the letter, or nothing of it runs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.engine import connection, schema_guard, tables
from chatdesk.core.storage.engine.connection import connect, open_to_read, open_to_write
from tests.helpers.make_old_database import make
from tests.helpers.store import Store

PACKAGE = Path(connection.__file__).parents[3]

FOREIGN = {
    "the trigger zz": "CREATE TRIGGER zz AFTER INSERT ON message_parts BEGIN UPDATE message_parts SET content = 1; END",
    "the trigger search_tag_insert": "CREATE TRIGGER search_tag_insert BEFORE INSERT ON tags BEGIN SELECT 1; END",
    "the view zz": "CREATE VIEW zz AS SELECT 1",
    "the view tags": "CREATE VIEW tags AS SELECT 1",
    "the table zz": "CREATE TABLE zz (a)",
    "the index zz": "CREATE INDEX zz ON threads (title)",
    "the index ix_threads_name": "CREATE INDEX ix_threads_name ON threads (lower(title))",
    "the index ix_threads_archived_at": (
        "CREATE INDEX ix_threads_archived_at ON threads (archived_at) WHERE abs(hlc) = 1"
    ),
    "the column zz of the table threads": "ALTER TABLE threads ADD COLUMN zz GENERATED ALWAYS AS (hlc + 1) VIRTUAL",
    "the column yy of the table threads": "ALTER TABLE threads ADD COLUMN yy",
    "the definition of the table tags": (
        "CREATE TABLE tags (id TEXT, name TEXT CHECK (length(name) < 9), name_folded TEXT, created_at, hlc,"
        " origin_device)"
    ),
}


def _change(path: Path, name: str) -> None:
    kind, called = name.split()[1:3]
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        if called == "tags" or name.endswith("table tags"):
            conn.execute("DROP TABLE tags")
        elif kind in ("trigger", "index") and called != "zz":
            conn.execute(f"DROP {kind} {called}")
        conn.execute(FOREIGN[name])


@pytest.mark.parametrize("name", FOREIGN)
async def test_a_database_with_foreign_code_is_not_opened_and_the_code_is_named(store: Store, name: str) -> None:
    await store.thread()
    await store.db.close()
    _change(store.path, name)
    before = store.path.read_bytes()
    store.reset()
    with pytest.raises(StorageCorrupt, match=re.escape(name)) as caught:
        await store.db.open()
    await store.db.close()
    assert "doctor --repair" in caught.value.next_step
    assert store.path.read_bytes() == before
    with pytest.raises(StorageCorrupt, match=re.escape(name)):
        open_to_write(store.path)


def test_a_name_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db", "write")) as conn:
        conn.execute('CREATE TABLE "a\x1b[2J\u202eb" (x)')
        assert schema_guard.foreign_objects(conn) == ["the table a\ufffd[2J\ufffdb"]


@pytest.mark.parametrize("revision", tables.REVISIONS)
def test_databases_of_every_version_are_ours(tmp_path: Path, revision: str) -> None:
    make(tmp_path / "old.db", revision)
    with closing(sqlite3.connect(tmp_path / "old.db")) as conn:
        conn.execute("ANALYZE")
    with closing(connect(tmp_path / "old.db", "read")) as conn:
        assert schema_guard.foreign_objects(conn) == []


async def test_no_connection_trusts_a_schema_that_was_not_compared(store: Store) -> None:
    with closing(connect(store.path, "write")) as conn:
        assert conn.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert conn.execute("PRAGMA cell_size_check").fetchone() == (1,)
    with open_to_read(store.path) as reader:
        assert reader.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0
    assert await store.db.read(lambda conn: conn.exec_driver_sql("PRAGMA trusted_schema").scalar()) == 0


def test_databases_are_opened_in_one_place_only() -> None:
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        if "sqlite3.connect(" in path.read_text("utf-8")
    ]
    assert found == ["core/storage/engine/connection.py"]
