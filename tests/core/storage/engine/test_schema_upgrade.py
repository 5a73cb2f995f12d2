"""Upgrades: same schema by both ways, nothing lost, and a kill at any statement is survived."""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Connection

from chatdesk.cli import data as cli_data
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.errors import StorageCorrupt, StorageError, StorageFull, UpgradeFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine import schema_upgrade, search_schema, tables
from chatdesk.core.storage.engine.backup import row_counts
from chatdesk.core.storage.engine.connection import open_to_read, open_to_write
from chatdesk.core.storage.profile_database import OpenReport, ProfileDatabase
from tests.helpers.checks import integrity_check
from tests.helpers.examples import examples
from tests.helpers.make_old_database import MIGRATIONS, make
from tests.helpers.store import MovableClock, Store

SAMPLES = Path(__file__).parents[3] / "data" / "old_databases"


def _schema(path: Path) -> dict[str, object]:
    """What SQLite made of the schema, free of the spelling of the statements."""
    with closing(sqlite3.connect(path)) as conn:
        found: dict[str, object] = {}
        for (table,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            sql = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
            indexes = {}
            for index in conn.execute(f"PRAGMA index_list({table})").fetchall():
                # The primary key of a table without rowids is an index that is not listed.
                text = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index[1],)).fetchone()
                members = conn.execute(f"PRAGMA index_xinfo({index[1]})").fetchall()
                indexes[index[1]] = (*index[2:], text, tuple(members))
            columns = conn.execute(f"PRAGMA table_xinfo({table})").fetchall()
            found[table] = {
                "columns": [(*row[:4], (row[4] or "").strip("()"), *row[5:]) for row in columns],
                "foreign keys": sorted(row[2:] for row in conn.execute(f"PRAGMA foreign_key_list({table})")),
                "constraints": sorted(re.findall(r"CONSTRAINT \w+ [A-Z ]+(?:\(.*?\))?", sql)),
                "checks": sorted(line.strip(", ") for line in re.findall(r"CHECK \(.*", sql)),
                "rowid": "WITHOUT ROWID" in sql,
                "indexes": indexes,
            }
        return found


def _fresh(path: Path) -> None:
    with open_to_write(path) as conn, conn.begin():
        schema_upgrade.create(conn)


def test_migrations_build_exactly_what_the_models_say(tmp_path: Path) -> None:
    _fresh(tmp_path / "fresh.db")
    schema_upgrade.migrate(tmp_path / "migrated.db", MIGRATIONS)
    assert _schema(tmp_path / "fresh.db") == _schema(tmp_path / "migrated.db")
    assert _differences_from_models(tmp_path / "migrated.db") == []


def test_a_difference_between_models_and_database_is_told(tmp_path: Path) -> None:
    _fresh(tmp_path / "fresh.db")
    with closing(sqlite3.connect(tmp_path / "fresh.db")) as conn:
        conn.execute("ALTER TABLE threads ADD COLUMN extra TEXT")
    assert "extra" in str(_differences_from_models(tmp_path / "fresh.db"))


def test_the_known_versions_are_the_migrations() -> None:
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert [name[:4] for name in names] == list(tables.REVISIONS)


def test_every_version_has_a_frozen_sample() -> None:
    assert sorted(path.stem for path in SAMPLES.glob("*.sql")) == [f"schema_{name}" for name in tables.REVISIONS]


@pytest.mark.parametrize("revision", tables.REVISIONS)
async def test_a_frozen_sample_of_every_version_opens_with_all_it_held(
    tmp_path: Path, clock: MovableClock, revision: str
) -> None:
    path = tmp_path / "data" / "chatdesk.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript((SAMPLES / f"schema_{revision}.sql").read_text("utf-8"))
    store = Store(path, clock)
    report = await store.db.open()
    try:
        assert report.upgraded_from == (None if revision == tables.HEAD_REVISION else revision)
        assert report.recovered_turns == 1
        page = await store.library.page(ThreadQuery(), limit=10)
        assert [thread.title for thread in page.threads] == ["Thread 2", "Thread 1", "Thread 0"]
        messages = (await store.messages.page(page.threads[0].id, limit=50)).messages
        assert [message.text for message in messages[:9]] == [f"message {n}\nof 2" for n in range(9)]
        assert (messages[9].text, messages[9].status) == ("message 9\nof 2 and more", Status.INTERRUPTED)
        assert await integrity_check(store.db) == []
        backups = list((path.parent / "backups").glob("*.db"))
        assert bool(backups) is (revision != tables.HEAD_REVISION)
        for each in backups:
            with closing(sqlite3.connect(each)) as saved:
                assert row_counts(saved)["messages"] == 30
    finally:
        await store.db.close()
    assert _differences_from_models(path) == []


# The files of a database: what of them is on the disk is all that a killed process leaves.
_PARTS = ("", "-journal", "-wal")
# So often a process is really killed: 12 times in `make test-long`. What it would leave before each statement is copied
# while it goes on.
_KILLS = examples(12)


def _left_before_each_statement(path: Path) -> tuple[int, dict[tuple[bytes | None, ...], int]]:
    """How many statements and commits an upgrade has, and what a process would leave that is killed before one of them,
    with its number. Most have written nothing yet and leave the same. Writes are the system's as soon as they are made,
    so a copy holds the same bytes as the files of a process that ends there."""
    left: dict[tuple[bytes | None, ...], int] = {}
    numbers = itertools.count()

    def look(*_args: object) -> None:
        files = [Path(f"{path}{part}") for part in _PARTS]
        left[tuple(file.read_bytes() if file.exists() else None for file in files)] = next(numbers)

    schema_upgrade.migrate(path, MIGRATIONS, watch=lambda conn: _before_each(conn, look))
    return next(numbers), left


def _before_each(conn: Connection, call: Callable[..., None]) -> None:
    event.listen(conn, "before_cursor_execute", call)
    event.listen(conn, "commit", call)


def _kill_at(path: Path, number: int) -> None:
    """Upgrade in a child process that is gone before its ``number``-th statement or commit."""
    child = os.fork()
    if child == 0:
        left = number

        def count(*_args: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)

        try:
            schema_upgrade.migrate(path, MIGRATIONS, watch=lambda conn: _before_each(conn, count))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["nothing", "0013"])
def test_an_upgrade_killed_at_any_statement_is_completed_by_the_next_start(tmp_path: Path, start: str) -> None:
    original = tmp_path / "original.db"
    if start != "nothing":
        make(original, start)
    reference = tmp_path / "reference.db"
    _copy(original, reference)
    statements, left = _left_before_each_statement(reference)
    assert statements > 10
    wanted, counts = _schema(reference), _counts(reference)
    killed = tmp_path / "killed.db"

    def completes(number: int) -> None:
        schema_upgrade.migrate(killed, MIGRATIONS)
        assert _schema(killed) == wanted, f"killed before statement {number}"
        assert _counts(killed) == counts
        with closing(sqlite3.connect(killed)) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        for part in (*_PARTS, "-shm"):
            Path(f"{killed}{part}").unlink(missing_ok=True)

    assert left
    for files, number in left.items():
        for part, content in zip(_PARTS, files, strict=True):
            if content is not None:
                Path(f"{killed}{part}").write_bytes(content)
        completes(number)
    for number in (kill * (statements - 1) // (_KILLS - 1) for kill in range(_KILLS)):
        _copy(original, killed)
        _kill_at(killed, number)
        completes(number)


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        target.write_bytes(source.read_bytes())


def _counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as conn:
        return row_counts(conn)


async def _open(path: Path, clock: MovableClock, **options: object) -> OpenReport:
    db = ProfileDatabase(path, clock=clock, backup_dir=path.parent / "backups", **options)  # type: ignore[arg-type]
    try:
        return await db.open()
    finally:
        await db.close()


async def test_a_schema_from_before_the_first_release_is_refused_and_repaired(
    tmp_path: Path, clock: MovableClock
) -> None:
    paths = AppPaths.find(str(tmp_path))
    make(paths.database, "0013")
    with closing(sqlite3.connect(paths.database)) as conn, conn:
        conn.execute("UPDATE alembic_version SET version_num = '0007'")
        conn.execute("ALTER TABLE messages DROP COLUMN assistant_name")
    before = paths.database.read_bytes()
    with pytest.raises(StorageCorrupt) as caught:
        await _open(paths.database, clock)
    assert "0007" in caught.value.what
    assert "doctor --repair" in caught.value.next_step
    assert paths.database.read_bytes() == before
    assert await cli_data.repair(paths, Settings()) in (0, 1)
    assert (await _open(paths.database, clock)).upgraded_to == tables.HEAD_REVISION
    assert _counts(paths.database)["messages"] == 30


async def test_a_strange_database_is_refused(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "chatdesk.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE foreign_things (x)")
    with pytest.raises(StorageCorrupt):
        await _open(path, clock)


async def test_an_older_schema_is_read_without_being_upgraded(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "chatdesk.db"
    make(path, "0013")
    before = path.read_bytes()
    report = await _open(path, clock, read_only=True)
    assert (report.upgraded_from, report.upgraded_to) == (None, "0013")
    assert path.read_bytes() == before


async def _read_everything(store: Store) -> list[str]:
    page = await store.library.page(ThreadQuery(), limit=10)
    return [
        message.text for thread in page.threads for message in (await store.messages.page(thread.id, limit=99)).messages
    ]


@pytest.mark.parametrize("revision", tables.REVISIONS)
async def test_every_version_can_be_read_as_it_is(tmp_path: Path, clock: MovableClock, revision: str) -> None:
    """For the day an upgrade fails: all texts, read through today's queries, and no way to write."""
    make(tmp_path / "chatdesk.db", revision)
    store = Store(tmp_path / "chatdesk.db", clock)
    store.db.is_read_only = True
    await store.db.open()
    try:
        old = await _read_everything(store)
        assert "message 0\nof 2" in old
        assert len(old) == 30
        with pytest.raises(StorageError):
            await store.thread("new")
    finally:
        await store.db.close()
    upgraded = Store(tmp_path / "chatdesk.db", clock)
    await upgraded.db.open()
    try:
        assert await _read_everything(upgraded) == old
    finally:
        await upgraded.db.close()


async def test_an_upgrade_without_enough_space_is_not_begun(
    tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chatdesk.db"
    make(path, "0013")
    monkeypatch.setattr(schema_upgrade, "_FREE_SPACE_FACTOR", 1e12)
    db = ProfileDatabase(path, clock=clock, backup_dir=tmp_path / "backups")
    report = await db.open()
    await db.close()
    assert report.upgraded_to == "0013"
    assert db.is_read_only
    assert isinstance(db.refusal, StorageFull)
    assert "must be upgraded" in db.refusal.what
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("op.execute('DELETE FROM part_chunks')", "number of rows"),
        ("op.execute('DELETE FROM nothing')", "could not be upgraded"),
        ("op.execute('DELETE FROM threads'); 1 / 0", "could not be upgraded"),
    ],
)
async def test_after_a_failed_migration_the_old_database_is_read_and_nothing_else(
    tmp_path: Path, clock: MovableClock, body: str, words: str
) -> None:
    path = tmp_path / "chatdesk.db"
    make(path, "0013")
    bad = tmp_path / "migrations"
    (bad / "versions").mkdir(parents=True)
    for name in ("env.py", "versions/0013_first_schema.py", "versions/0013_first_schema.sql"):
        (bad / name).write_text((MIGRATIONS / name).read_text("utf-8"), "utf-8")
    (bad / "versions" / "0014_bad.py").write_text(
        f"from alembic import op\nrevision = '0014'\ndown_revision = '0013'\ndef upgrade():\n    {body}\n", "utf-8"
    )
    before = _counts(path)
    store = Store(path, clock)
    store.use(ProfileDatabase(path, clock=clock, backup_dir=tmp_path / "backups", migrations_dir=bad))
    report = await store.db.open()
    try:
        assert store.db.is_read_only
        assert report.upgraded_to == "0013"
        assert isinstance(store.db.refusal, UpgradeFailed)
        assert words in store.db.refusal.what
        assert len(await _read_everything(store)) == 30
        with pytest.raises(UpgradeFailed):
            await store.thread("new")
    finally:
        await store.db.close()
    assert _counts(path) == before
    (saved,) = (tmp_path / "backups").glob("*.db")
    assert _counts(saved) == before
    assert (await _open(path, clock)).upgraded_from == "0013"


def _differences_from_models(path: Path) -> list[str]:
    """List how the schema in a file differs from ``tables``; empty when they agree."""

    def is_ours(_item: object, name: str | None, kind: str, _is_reflected: bool, _other: object) -> bool:
        return kind != "table" or name not in search_schema.DERIVED_TABLES

    with open_to_read(path) as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "compare_server_default": True, "include_object": is_ours}
        )
        return [str(difference) for difference in compare_metadata(context, tables.metadata)]
