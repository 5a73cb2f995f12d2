"""A database that is damaged in any way: what starts, examines, repairs or replaces it runs to its end."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from chatdesk.cli import data as cli_data
from chatdesk.cli import doctor as cli_doctor
from chatdesk.core.clock import Clock
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import LoadedSettings, SettingsStore
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import connect
from chatdesk.core.storage.engine.pending_restore import ready_path
from chatdesk.core.storage.engine.plain_text import clean, from_json
from chatdesk.core.storage.engine.search_schema import DERIVED_TABLES
from chatdesk.core.storage.upkeep.restore import replace_database
from chatdesk.core.storage.upkeep.salvage import salvage
from chatdesk.core.system import terminal
from chatdesk.services.owner import open_services
from tests.helpers.damaged_databases import PAGE, Damage, all_damages, demo_database, texts_of, trees
from tests.helpers.examples import sample

_AT = 1_800_000_000_000
_FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))
# What a copy makes anew.
_NOT_COPIED = {
    "search_queue",
    "search_removed",
    "search_entries",
    "search_backlog",
    "part_token_counts",
    "artifact_texts",
}
Operation = Callable[[AppPaths, LoadedSettings], Awaitable[object]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound database in one file."""
    return demo_database(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def lay(sound: Path, tmp_path: Path) -> Callable[[Damage], AppPaths]:
    """Make a data directory with a damaged copy of the sound database."""

    def make(damage: Damage) -> AppPaths:
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        data = bytearray(sound.read_bytes())
        damage.change(data)
        (folder / sound.name).write_bytes(data)
        shutil.copy(sound.with_name(f"{sound.name}.mark"), folder)
        return AppPaths.find(str(folder))

    return make


async def _start(paths: AppPaths, loaded: LoadedSettings) -> object:
    async with open_services(paths, loaded.settings) as services:
        return await services.library.count_threads(ThreadQuery())


async def _doctor(paths: AppPaths, loaded: LoadedSettings) -> object:
    return await cli_doctor.examine(paths, loaded)


async def _repair(paths: AppPaths, loaded: LoadedSettings) -> object:
    """Repair, and look whether every text is there that a plain reader had read before."""
    before = texts_of(paths.database)
    try:
        code = await cli_data.repair(paths, loaded.settings)
    except ChatDeskError:
        assert not before, f"{len(before)} texts could be read, and were not copied"
        raise
    after = texts_of(paths.database)
    # A content that is no JSON any more is kept as the text of one, with a sign in place of a zero byte.
    lost = {clean(each) for each in before} - after - {from_json(each).get("text") for each in after}
    assert not lost, f"{len(lost)} of {len(before)} texts are lost"
    return code


def _restore(sound: Path) -> Operation:
    async def restore(paths: AppPaths, loaded: LoadedSettings) -> object:
        """Put the sound database in the place of the damaged one, as a restore does with a prepared one."""
        shutil.copy(sound, ready_path(paths.database))
        replace_database(paths.database, backup_dir=paths.backup_dir, now_ms=_AT)
        assert texts_of(paths.database) == texts_of(sound)
        return await _start(paths, loaded)

    return restore


async def _play(operation: Operation, paths: AppPaths) -> str:
    """Return what went wrong, empty where the operation did what it should or said why not."""
    try:
        with suppress(ChatDeskError):
            await operation(paths, SettingsStore(paths.settings_file).load())
    except Exception as error:  # noqa: BLE001 - that is what the tests look for
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["start", "doctor", "repair", "restore"])
async def test_whatever_is_damaged_everything_ends_with_a_sentence(
    sound: Path, lay: Callable[[Damage], AppPaths], name: str
) -> None:
    operation = {"start": _start, "doctor": _doctor, "repair": _repair, "restore": _restore(sound)}[name]
    everything = all_damages(sound, pairs=100, bits=100, seed=_FIRST)
    wrong = {each.name: await _play(operation, lay(each)) for each in sample(everything, 12)}
    assert {each: what for each, what in wrong.items() if what} == {}


_OPERATIONS = ("start", "doctor", "repair", "restore")
_KINDS = ("a folder", "a pipe", "nothing", "an empty file")
_NAMES = ("ix_changes_entity_reg", "tags", "messages", "message_parts", "threads")


@pytest.mark.parametrize(("name", "operation"), sample(list(itertools.product(_NAMES, _OPERATIONS)), 6))
async def test_a_schema_other_than_text_is_a_damaged_database(
    sound: Path, lay: Callable[[Damage], AppPaths], name: str, operation: str
) -> None:
    paths = lay(Damage("nothing", lambda data: None))
    with closing(sqlite3.connect(paths.database)) as conn, conn:
        conn.execute("PRAGMA writable_schema=ON")
        conn.execute(
            "UPDATE sqlite_master SET name = CAST(X'cf41' AS TEXT), sql = 'X' || substr(sql, 2) WHERE name = ?", (name,)
        )
    with pytest.raises(sqlite3.DatabaseError), closing(connect(paths.database, "read")) as conn:
        conn.execute("SELECT * FROM threads")
    assert not await _play(
        {"start": _start, "doctor": _doctor, "repair": _repair, "restore": _restore(sound)}[operation], paths
    )


@pytest.mark.parametrize(("kind", "operation"), sample(list(itertools.product(_KINDS, _OPERATIONS)), 6))
async def test_an_invalid_database_file_is_reported_and_can_be_replaced(
    sound: Path, lay: Callable[[Damage], AppPaths], kind: str, operation: str
) -> None:
    paths = lay(Damage("nothing", lambda data: None))
    paths.database.unlink()
    if kind == "a folder":
        paths.database.mkdir()
    elif kind == "a pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes with names here")
        os.mkfifo(paths.database)
    elif kind == "an empty file":
        paths.database.touch()
    assert not await _play(
        {"start": _start, "doctor": _doctor, "repair": _repair, "restore": _restore(sound)}[operation], paths
    )


async def test_the_largest_number_of_a_row_is_no_end_of_the_copy(
    sound: Path, lay: Callable[[Damage], AppPaths]
) -> None:
    paths = lay(Damage("nothing", lambda data: None))
    with closing(sqlite3.connect(paths.database)) as conn, conn:
        last = "(SELECT max(rowid) FROM message_parts)"
        conn.execute(f"UPDATE message_parts SET rowid = 9223372036854775807 WHERE rowid = {last}")
    (tags,) = [tree for tree in trees(paths.database) if tree.name == "tags"]
    data = bytearray(paths.database.read_bytes())
    data[(tags.root - 1) * PAGE : tags.root * PAGE] = bytes(PAGE)
    paths.database.write_bytes(data)
    before = texts_of(paths.database)
    assert await cli_data.repair(paths, SettingsStore(paths.settings_file).load().settings) == 1
    assert texts_of(paths.database) == before == texts_of(sound)


async def test_a_repair_shows_how_far_it_is_on_a_terminal_only(
    lay: Callable[[Damage], AppPaths], sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    zeroed = next(each for each in all_damages(sound, pairs=1, bits=0) if each.name == "tags: root zeroed")
    for is_terminal in (True, False):
        paths = lay(zeroed)
        monkeypatch.setattr(terminal, "can_show_progress", lambda is_terminal=is_terminal: is_terminal)
        assert await cli_data.repair(paths, SettingsStore(paths.settings_file).load().settings) == 1
        assert ("Reading messages: 400 rows" in capsys.readouterr().err) is is_terminal


@pytest.mark.parametrize("value", ["x'ff41'", "'ff'", "1e300", "NULL"])
async def test_values_of_the_wrong_kind_do_not_end_the_copy(
    sound: Path, lay: Callable[[Damage], AppPaths], value: str
) -> None:
    """In every column of every table, in a row of its own."""
    paths = lay(Damage("nothing", lambda data: None))
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as conn:
        conn.execute("PRAGMA ignore_check_constraints=ON")
        conn.execute("PRAGMA writable_schema=ON")
        conn.execute("DELETE FROM sqlite_master WHERE type = 'trigger'")
        bare = "replace(replace(sql, ' IS NOT NULL', ' IS_NOT'), ' NOT NULL', '')"
        conn.execute(f"UPDATE sqlite_master SET sql = replace({bare}, ' IS_NOT', ' IS NOT NULL') WHERE type = 'table'")
    changed = 0
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as conn:
        conn.execute("PRAGMA ignore_check_constraints=ON")
        for table in tables.metadata.sorted_tables:
            for place, column in enumerate(table.columns):
                key = ", ".join(f'"{each.name}"' for each in table.primary_key.columns)
                one = f'SELECT {key} FROM "{table.name}" LIMIT 1 OFFSET {place}'
                with suppress(sqlite3.Error):
                    row = f'UPDATE "{table.name}" SET "{column.name}" = {value} WHERE ({key}) = ({one})'
                    changed += conn.execute(row).rowcount
    assert changed > 100
    whole = texts_of(sound)
    salvage(paths.database, Clock())
    assert len(whole - texts_of(ready_path(paths.database))) < len(tables.message_parts.columns)


async def test_the_repair_of_pages_keeps_the_rows_with_impossible_values_too(
    sound: Path, lay: Callable[[Damage], AppPaths]
) -> None:
    paths = lay(Damage("nothing", lambda data: None))
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as conn:
        conn.execute("PRAGMA ignore_check_constraints=ON")
        for (trigger,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {trigger}")
        conn.execute("UPDATE messages SET role = 'x', created_at = 300000000000000")
    (index,) = [tree for tree in trees(paths.database) if tree.name == "ix_changes_entity_reg"]
    data = bytearray(paths.database.read_bytes())
    data[(index.root - 1) * PAGE : index.root * PAGE] = bytes(PAGE)
    paths.database.write_bytes(data)
    said = "\n".join(salvage(paths.database, Clock()).lines)
    assert "messages: all 600 rows were copied." in said
    assert "1200 values of messages were replaced." in said.replace(",", "")


def _rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as conn:
        names = {each.name for each in tables.metadata.sorted_tables} - DERIVED_TABLES - _NOT_COPIED
        return {name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(names)}


_TABLES = [each.name for each in tables.metadata.sorted_tables]
_DAMAGED = ("sql", "sql name", "type")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("table", "damaged"), sample(list(itertools.product(_TABLES, _DAMAGED)), 10))
async def test_a_table_without_a_definition_keeps_its_rows(
    sound: Path, lay: Callable[[Damage], AppPaths], table: str, damaged: str
) -> None:
    paths = lay(Damage("nothing", lambda data: None))
    with closing(sqlite3.connect(paths.database)) as conn, conn:
        conn.execute("PRAGMA writable_schema=ON")
        values = {
            "sql": "CAST(CAST(substr(sql, 1, 16) AS BLOB) || X'ff' || substr(sql, 18) AS TEXT)",
            "name": "CAST(X'cf41' AS TEXT)",
            "type": "CAST(X'cf41' AS TEXT)",
        }
        changes = ", ".join(f"{each} = {values[each]}" for each in damaged.split())
        conn.execute(f"UPDATE sqlite_master SET {changes} WHERE name = ? AND type = 'table'", (table,))
    before = _rows(sound)
    code = await cli_data.repair(paths, SettingsStore(paths.settings_file).load().settings)
    assert {name: count for name, count in _rows(paths.database).items() if count < before[name]} == {}
    assert texts_of(paths.database) == texts_of(sound)
    assert code == 0
