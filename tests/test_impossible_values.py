"""A value that nobody can show, in any column of any table, costs only itself: all else is listed, opened, found,
exported and served, *doctor* names it, *Repair* replaces it, and a restore takes all rows."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import BINARY_COLUMNS
from chatdesk.core.storage.upkeep.db_check import Kind
from chatdesk.services.owner import open_services
from chatdesk.services.parts import backups_of
from chatdesk.ui.transcript.messages.notices import notice_of
from tests.helpers.examples import IS_LONG, examples
from tests.helpers.impossible_values import VALUES, Case, Known, Readers, cases, columns, known, make_sample, put
from tests.helpers.local_service import FAST

_ALL = list(cases())
# Each value in all columns at once, and some of the columns alone; all of them where there is time.
_TOGETHER = tuple(VALUES) if IS_LONG else ("beyond the calendar", "NaN", "bytes", "object", "empty", "surrogate")
_ALONE = _ALL if IS_LONG else random.Random(1).sample(_ALL, examples(10))
# What damage to these columns takes away with itself: the row can no longer be found by what points at it.
_POINTING = {(table.name, column.name) for table, column in columns() if column.primary_key or column.foreign_keys}


@pytest.fixture(scope="module")
def _sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sound") / "data"
    make_sample(directory)
    return directory


@pytest.fixture
def directory(_sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_sound, tmp_path / "data"))


def _everywhere(value: str) -> list[Case]:
    return [each for each in _ALL if each.value == value and (each.table, each.column) not in _POINTING]


async def _read(directory: Path, expected: Known, target: Path) -> list[str]:
    target.mkdir(exist_ok=True)
    readers = Readers(directory, expected, touched=expected.first)
    await readers.read(target)
    return readers.faults


async def test_a_sound_database_is_read_in_every_way(directory: Path, tmp_path: Path) -> None:
    expected = known(directory / "chatdesk.db")
    assert len(expected.shown) > 1
    assert "\n".join(await _read(directory, expected, tmp_path / "out")) == ""


@pytest.mark.parametrize("value", _TOGETHER)
async def test_values_in_all_columns_hide_nothing_else(value: str, directory: Path, tmp_path: Path) -> None:
    expected = known(directory / "chatdesk.db")
    put(directory / "chatdesk.db", *_everywhere(value))
    assert "\n".join(await _read(directory, expected, tmp_path / "out")) == ""


@pytest.mark.parametrize("case", _ALONE, ids=str)
async def test_a_value_in_one_column_hides_nothing_else(case: Case, directory: Path, tmp_path: Path) -> None:
    expected = known(directory / "chatdesk.db")
    put(directory / "chatdesk.db", case)
    assert "\n".join(await _read(directory, expected, tmp_path / "out")) == ""


@pytest.mark.parametrize("value", ["beyond the calendar", "least", "NaN", "bytes", "surrogate"])
async def test_doctor_names_each_value_and_the_repair_replaces_it(value: str, directory: Path) -> None:
    put(directory / "chatdesk.db", *_everywhere(value))
    async with open_services(AppPaths.find(directory), FAST, purpose="doctor") as services:
        found = await services.repairs.check()
        named = [str(each.text) for each in found if each.kind is Kind.VALUES]
        for table in ("threads", "messages", "message_parts", "projects", "usage_events", "changes", "workspaces"):
            assert any(f" of {table} has values" in each for each in named), table
        wrong = "title" if value in ("bytes", "surrogate") else "last_activity_at"
        assert any(" of threads " in each and wrong in each for each in named)
        report = await services.repairs.repair()
        assert any("threads" in each for each in map(str, report.done))
        assert [each for each in await services.repairs.check() if each.can_be_repaired] == []


async def test_the_repair_gives_a_thread_the_time_of_its_newest_message(directory: Path) -> None:
    path = directory / "chatdesk.db"
    thread = known(path).first
    put(path, Case("threads", "last_activity_at", "beyond the calendar"))
    async with open_services(AppPaths.find(directory), FAST, purpose="doctor") as services:
        await services.repairs.repair()
    with closing(sqlite3.connect(path)) as conn:
        newest = conn.execute("SELECT max(created_at) FROM messages WHERE thread_id = ?", (thread,)).fetchone()
        assert conn.execute("SELECT last_activity_at FROM threads WHERE id = ?", (thread,)).fetchone() == newest


_OBJECTS = [
    (table.name, column.name)
    for table, column in columns()
    if getattr(column.server_default, "arg", None) is not None and str(column.server_default.arg) == "'{}'"  # type: ignore[union-attr]
]


@pytest.mark.parametrize("stored", ["[1]", "7", "not JSON", '{"cut": "of', ""])
async def test_an_invalid_json_object_is_named_and_replaced(stored: str, directory: Path) -> None:
    assert {("threads", "parameters"), ("threads", "tool_counts"), ("projects", "parameters")} <= set(_OBJECTS)
    path = directory / "chatdesk.db"
    with closing(sqlite3.connect(path)) as conn:
        for table, column in _OBJECTS:
            first = f"rowid = (SELECT min(rowid) FROM {table})"
            conn.execute(f"UPDATE {table} SET {column} = ? WHERE {first}", (stored,))
        part = conn.execute("SELECT min(id) FROM message_parts WHERE type = 'text'").fetchone()[0]
        conn.execute("UPDATE message_parts SET content = ? WHERE id = ?", (stored, part))
        conn.commit()
    async with open_services(AppPaths.find(directory), FAST, purpose="doctor") as services:
        named = [str(each.text) for each in await services.repairs.check() if each.kind is Kind.VALUES]
        for table, column in [*_OBJECTS, ("message_parts", "content")]:
            assert any(f" of {table} has values" in each and column in each for each in named), (table, column)
        await services.repairs.repair()
        assert [each for each in await services.repairs.check() if each.kind is Kind.VALUES] == []
    with closing(sqlite3.connect(path)) as conn:
        content = conn.execute("SELECT content FROM message_parts WHERE id = ?", (part,)).fetchone()[0]
    assert json.loads(content) == {"text": stored}


@pytest.mark.parametrize("value", _TOGETHER)
async def test_a_restore_takes_all_rows_and_replaces_the_values(value: str, directory: Path, tmp_path: Path) -> None:
    expected = known(directory / "chatdesk.db")
    put(directory / "chatdesk.db", *_everywhere(value))
    shutil.copy(directory / "chatdesk.db", tmp_path / "backup.db")
    restored = tmp_path / "restored"
    backups = backups_of(AppPaths.find(restored), FAST)
    await backups.prepare(tmp_path / "backup.db")
    await backups.restore_prepared()
    async with open_services(AppPaths.find(restored), FAST, purpose="doctor") as services:
        assert [each for each in await services.repairs.check() if each.kind is Kind.VALUES] == []
    assert set(known(restored / "chatdesk.db").shown) == set(expected.shown)


@pytest.mark.parametrize("stored", ["'not JSON'", "x'6e6f74204a534f4e'", "''", "'[1]'", "7"])
async def test_a_part_that_cannot_be_read_is_said_with_what_can(stored: str, directory: Path, tmp_path: Path) -> None:
    path = directory / "chatdesk.db"
    with closing(sqlite3.connect(path)) as conn:
        part, thread, message = conn.execute(
            "SELECT p.id, m.thread_id, m.id FROM message_parts p JOIN messages m ON m.id = p.message_id"
            " WHERE p.type = 'text' AND m.on_path = 1 AND m.role = 'assistant' AND m.deleted_at IS NULL LIMIT 1"
        ).fetchone()
        conn.execute(f"UPDATE message_parts SET content = {stored} WHERE id = ?", (part,))
        conn.commit()
    async with open_services(AppPaths.find(directory), FAST, purpose="threads") as services:
        found = await services.chat.reader.get_message(message)
        for kind, ending in ((ExportFormat.MARKDOWN, "md"), (ExportFormat.HTML, "html"), (ExportFormat.JSON, "json")):
            await services.exports.export(Choice(thread_ids=(thread,)), kind, tmp_path / f"one.{ending}")
    assert found.text == stored.strip("'").replace("x'6e6f74204a534f4e", "not JSON")
    notice = notice_of(found, person="", can_continue=False, now_ms=0)
    assert notice is not None
    for text in (notice.text, *((tmp_path / f"one.{ending}").read_text("utf-8") for ending in ("md", "html"))):
        assert "A part of this message is damaged." in text
    assert '"unreadable":true' in (tmp_path / "one.json").read_text("utf-8")


def test_the_columns_that_hold_bytes_are_known() -> None:
    kinds = {
        (column.type.python_type is bytes, column.name)
        for table in tables.metadata.sorted_tables
        for column in table.columns
        if column.type.python_type is bytes
    }
    assert kinds == {(True, name) for name in BINARY_COLUMNS}


@pytest.mark.parametrize("table", ["threads", "projects", "tags"])
async def test_an_endless_name_is_listed_by_its_beginning_and_stays_stored(table: str, directory: Path) -> None:
    column = "title" if table == "threads" else "name"
    with closing(sqlite3.connect(directory / "chatdesk.db")) as conn:
        conn.execute(f"UPDATE {table} SET {column} = printf('%.*c', 1000000, 'x')")
        conn.commit()
    async with open_services(AppPaths.find(directory), FAST, purpose="threads") as services:
        if table == "threads":
            names = [each.title for each in (await services.library.list_threads(ThreadQuery())).threads]
        elif table == "projects":
            names = [each.name for each in await services.library.projects.list()]
        else:
            names = [each.name for each in await services.library.list_tags()]
    assert names
    assert max(map(len, names)) == 10_000
    with closing(sqlite3.connect(directory / "chatdesk.db")) as conn:
        assert conn.execute(f"SELECT max(length({column})) FROM {table}").fetchone() == (1_000_000,)
