"""What a person wrote can be found: damage that hides it is found by the check and repaired."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.artifacts.file_change import ChangeKind, FileChange
from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role
from chatdesk.core.ids import new_id
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.transfer.import_rows import Step, make_rows
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.storage.upkeep import reachability
from chatdesk.core.storage.upkeep.repair import RepairService
from tests.helpers.checks import integrity_check
from tests.helpers.store import Store


def _run(store: Store, *statements: str) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        for statement in statements:
            conn.execute(statement)


async def _troubles(store: Store) -> list[str]:
    return await store.db.read(reachability.unreachable)


async def _repaired(store: Store) -> tuple[str, ...]:
    report = await RepairService(store.db, store.path.parent / "blobs").repair()
    assert report.left == ()
    assert await _troubles(store) == []
    assert await integrity_check(store.db) == []
    return report.done


async def test_all_of_a_thread_with_versions_and_a_trash_can_be_found(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread, "one")
    await store.ask(thread, "two")
    await store.messages.add_question_version(question, "other", None)
    await store.paths.delete(answer, with_later=False)
    assert await _troubles(store) == []


@pytest.mark.parametrize("column", ["pinned_at", "archived_at"])
async def test_a_live_thread_brings_its_project_back_at_the_next_start(store: Store, column: str) -> None:
    thread = await store.thread()
    await store.db.close()
    _run(store, "UPDATE projects SET deleted_at = 1, last_chat_at = NULL", f"UPDATE threads SET {column} = 1")
    report = await store.reopen()
    assert report is not None
    project = await store.threads.get(thread)
    assert await _troubles(store) == []
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql("SELECT id, deleted_at, last_chat_at IS NULL FROM projects").all()
    )
    assert [tuple(row) for row in rows] == [(project.project_id, None, 0)]


async def test_the_check_finds_such_a_project_and_repair_brings_it_back(store: Store) -> None:
    await store.thread()
    _run(store, "UPDATE projects SET deleted_at = 1")
    assert any("is in the trash, but not all" in each for each in await _troubles(store))
    assert any("taken out of the trash" in each for each in await _repaired(store))


@pytest.mark.parametrize("damage", ["circle", "position", "other thread"])
async def test_messages_without_a_place_get_one(store: Store, damage: str) -> None:
    thread, other = await store.thread(), await store.thread("Other")
    first, answer = await store.ask(thread, "one")
    second, last = await store.ask(thread, "two")
    stranger, _ = await store.ask(other, "elsewhere")
    statement = {
        "circle": f"UPDATE messages SET parent_id = '{last}' WHERE id = '{second}'",
        "position": f"UPDATE messages SET position = 7 WHERE id = '{second}'",
        "other thread": f"UPDATE messages SET parent_id = '{stranger}' WHERE id = '{second}'",
    }[damage]
    _run(store, statement)
    assert [each for each in await _troubles(store) if "are out of place" in each]
    assert any("in their places again" in each for each in await _repaired(store))
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT id, position FROM messages WHERE thread_id = ? ORDER BY position, id", (thread,)
        ).all()
    )
    places = {row[0]: row[1] for row in rows}
    assert places[answer] == places[first] + 1
    assert places[last] == places[second] + 1
    assert await store.shown(other) == ["elsewhere", "answer to elsewhere"]
    if damage == "position":
        assert await store.shown(thread) == ["one", "answer to one", "two", "answer to two"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE messages SET on_path = 0",
        "UPDATE messages SET on_path = 0 WHERE position = 1",
        "UPDATE messages SET on_path = 0 WHERE position >= 2",
        "UPDATE messages SET on_path = 1",
    ],
)
async def test_a_broken_path_is_laid_again(store: Store, damage: str) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread, "one")
    await store.ask(thread, "two")
    await store.messages.add_question_version(question, "other", None)
    await store.paths.select_version(question)
    _run(store, damage)
    assert [each for each in await _troubles(store) if "choice of shown messages" in each]
    assert any("The choice of shown messages was repaired in 1 thread." in each for each in await _repaired(store))
    assert await store.shown(thread) in (["other"], ["one", "answer to one", "two", "answer to two"])


async def test_an_import_brings_back_the_project_it_goes_to(store: Store) -> None:
    other = await store.projects.create("Other", "#112233")
    imports = ImportRepository(store.db)
    project, is_new = await imports.project("Other")
    assert (project.id, is_new) == (other.id, False)
    await LibraryRepository(store.db).delete_project(other.id)
    message = ImportedMessage("m", None, Role.USER, 1, (ImportedPart(PartType.TEXT, {"text": "hello"}),), keys=("m",))
    thread = ImportedThread("chatgpt", "key", "Title", 1, 1, (message,), {None: "m"})
    (known,) = await imports.look_up([thread])
    rows = make_rows(thread, known, imports.origin, lambda *_: None)
    await imports.write([Step(rows, project.id, rows.messages, is_first=True, is_last=True)])
    assert (await store.projects.get(other.id)).deleted_at is None
    assert await _troubles(store) == []


@pytest.mark.parametrize("kind", ["file", "file_diff"])
async def test_a_file_that_no_row_names_is_kept_again(store: Store, kind: str) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread, "look")
    content: dict[str, Any] = {"name": "a.txt", "mime": "text/plain", "sha256": "ab" * 32, "size_bytes": 3}
    if kind == "file_diff":
        content[kind] = FileChange("0" * 32, "a.txt", ChangeKind.NEW, 1, 0).as_content()

    def work(conn: Connection) -> None:
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 9, 'file', ?)",
            (new_id(), question, json.dumps(content)),
        )

    await store.db.write(work)
    assert [each for each in await _troubles(store) if "is missing in the list of files" in each]
    assert await store.db.write(lambda conn: reachability.make_reachable(conn, store.db.origin)) == [
        "1 attached file was entered in the list of files again, from which it was missing."
    ]
    assert await _troubles(store) == []
    named = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT sha256, kind FROM artifacts").all())
    assert [tuple(row) for row in named] == [("ab" * 32, kind)]
