"""A database of an older version with damage that stops its upgrade: the repair mends a copy, and upgrades it."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli import data as cli_data
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import UpgradeFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.upkeep.mended_upgrade import upgrade_copy
from chatdesk.core.storage.upkeep.repair import RepairService
from tests.helpers.damaged_databases import texts_of
from tests.helpers.examples import sample
from tests.helpers.make_old_database import MIGRATIONS, make
from tests.helpers.store import MovableClock, Store

_NOBODY = "'00000000-0000-7000-8000-000000000000'"
_DAMAGES = {
    "a tag of no tag": f"INSERT INTO thread_tags SELECT id, {_NOBODY} FROM threads LIMIT 1",
    "a lost thread": "DELETE FROM threads WHERE rowid = (SELECT min(rowid) FROM threads)",
    "a lost project": "DELETE FROM projects",
    "a lost question": "DELETE FROM messages WHERE rowid = (SELECT min(rowid) FROM messages)",
    "a part of nothing": f"UPDATE message_parts SET message_id = {_NOBODY} WHERE rowid = 1",
    "a draft of no thread": f"INSERT INTO drafts (slot, thread_id, text, cursor, updated_at) VALUES ({_NOBODY},"
    f" {_NOBODY}, 'typed', 0, 1)",
}


def _damaged(path: Path, revision: str, damage: str) -> None:
    make(path, revision)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        try:
            conn.execute(_DAMAGES[damage])
        except sqlite3.OperationalError as error:
            pytest.skip(f"of a later version: {error}")
        if not conn.execute("PRAGMA foreign_key_check").fetchall():
            pytest.skip("nothing points there")


_CASES = list(itertools.product(tables.REVISIONS[:-1], _DAMAGES))


@pytest.mark.parametrize(("revision", "damage"), sample(_CASES, 20))
async def test_the_repair_upgrades_what_an_upgrade_leaves(tmp_path: Path, revision: str, damage: str) -> None:
    paths = AppPaths.find(str(tmp_path))
    _damaged(paths.database, revision, damage)
    before = texts_of(paths.database)
    store = Store(paths.database, MovableClock())
    await store.db.open()
    assert isinstance(store.db.refusal, UpgradeFailed)
    await store.db.close()
    assert await cli_data.repair(paths, Settings()) in (0, 1)
    await _look(paths, before)


async def _look(paths: AppPaths, before: set[str]) -> None:
    assert len(before) > 20
    assert texts_of(paths.database) >= before
    store = Store(paths.database, MovableClock())
    report = await store.db.open()
    try:
        assert (report.upgraded_from, store.db.is_read_only) == (None, False)
        assert await RepairService(store.db, paths.blob_dir).check() == []
        assert (await store.library.page(ThreadQuery(), limit=10)).threads
        await store.ask(await store.thread("New"), "goes on")
    finally:
        await store.db.close()


async def test_what_no_migration_can_upgrade_is_copied_row_by_row(tmp_path: Path) -> None:
    paths = AppPaths.find(str(tmp_path))
    make(paths.database, "0013")
    before = texts_of(paths.database)
    bad = tmp_path / "migrations"
    (bad / "versions").mkdir(parents=True)
    (bad / "env.py").write_text((MIGRATIONS / "env.py").read_text("utf-8"), "utf-8")
    report = upgrade_copy(paths.database, MovableClock(), migrations_dir=bad)
    assert report.lines
    paths.database.with_name(f"{paths.database.name}.restoring").replace(paths.database)
    await _look(paths, before)
