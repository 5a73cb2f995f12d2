"""Tests of memories from the first word to the last trace: bounds, doubles, undo, their source, purge and restore."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.domain.memory import LONGEST_MEMORY, MOST_MEMORIES, Memory, MemoryOrigin, NewMemory
from chatdesk.core.errors import InvalidInput, NotFound, NotPossible
from chatdesk.core.events import ContextChanged, MemoriesChanged
from chatdesk.core.storage.memory.memories import MemoryRepository
from tests.core.memory.conftest import Remembering


async def _texts(remembering: Remembering) -> list[str]:
    return [each.text for each in await remembering.service.list()]


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "x" * (LONGEST_MEMORY + 1)])
async def test_what_is_no_sentence_is_refused(remembering: Remembering, text: str) -> None:
    with pytest.raises(InvalidInput):
        await remembering.service.add(NewMemory(text))
    kept, _ = await remembering.service.add(NewMemory("Ana keeps bees."))
    with pytest.raises(InvalidInput):
        await remembering.service.edit(kept.id, text, None)
    assert await _texts(remembering) == ["Ana keeps bees."]


async def test_a_memory_is_one_line(remembering: Remembering) -> None:
    kept, _ = await remembering.service.add(NewMemory(" Ana\nkeeps\r\nbees.\x00 "))
    assert kept.text.split() == ["Ana", "keeps", "bees."] and "\n" not in kept.text


async def test_the_same_words_are_kept_once_for_a_project(remembering: Remembering) -> None:
    project = await remembering.world.chat.projects.default()
    first, is_new = await remembering.service.add(NewMemory("Ana keeps bees."))
    second, is_new_again = await remembering.service.add(NewMemory("ana KEEPS bees."))
    _, is_new_there = await remembering.service.add(NewMemory("Ana keeps bees.", project.id))
    assert (first, is_new, is_new_again, is_new_there) == (second, True, False, True)
    with pytest.raises(NotPossible):
        await remembering.service.edit(first.id, "Ana keeps bees.", project.id)


async def test_imports_add_only_what_is_missing(remembering: Remembering) -> None:
    texts = ["Ana keeps bees.", "Ana sings.", "ana sings."]
    assert await remembering.service.add_imported(map(ImportedMemory, texts), "Claude") == 2
    assert await remembering.service.add_imported(map(ImportedMemory, texts), "Claude") == 0
    assert {(each.origin, each.source) for each in await remembering.service.list()} == {
        (MemoryOrigin.IMPORT, "Claude")
    }


async def test_there_is_a_most(remembering: Remembering) -> None:
    assert (
        await remembering.service.add_imported([ImportedMemory(str(each)) for each in range(MOST_MEMORIES)], "")
        == MOST_MEMORIES
    )
    with pytest.raises(NotPossible):
        await remembering.service.add(NewMemory("one more"))
    with pytest.raises(NotPossible):
        await remembering.service.add_imported(map(ImportedMemory, ("one more", "and more")), "")
    assert len(await remembering.service.list()) == MOST_MEMORIES


async def test_deletion_can_be_undone_and_repeated(remembering: Remembering) -> None:
    kept, _ = await remembering.service.add(NewMemory("Ana keeps bees.", origin=MemoryOrigin.SELECTION))
    gone = await remembering.service.delete([kept.id])
    assert await _texts(remembering) == []
    with pytest.raises(NotFound):
        await remembering.service.delete([kept.id])
    await remembering.service.put_back(gone)
    await remembering.service.put_back(gone)  # it is there already
    assert await remembering.service.list() == (kept,)


async def test_deletion_of_several_is_all_or_none(remembering: Remembering) -> None:
    kept, _ = await remembering.service.add(NewMemory("Ana keeps bees."))
    with pytest.raises(NotFound):
        await remembering.service.delete([kept.id, "01890000-0000-7000-8000-000000000000"])
    assert await remembering.service.list() == (kept,)


async def test_every_change_is_published_and_counted_anew(remembering: Remembering) -> None:
    events, service = remembering.world.events, remembering.service
    events.clear()
    kept, _ = await service.add(NewMemory("Ana keeps bees."))
    await service.edit(kept.id, "Ana keeps ten bees.", None)
    await service.put_back(await service.delete([kept.id]))
    await service.add_imported([ImportedMemory("Ana sings.")], "")
    remembering.use(memory=False)
    remembering.use(memory=False)  # nothing has changed
    assert sum(isinstance(each, MemoriesChanged) for each in events) == 6
    assert sum(isinstance(each, ContextChanged) for each in events) == 6


async def test_other_words_are_those_of_who_writes_them(remembering: Remembering) -> None:
    service = remembering.service
    kept, _ = await service.add(NewMemory("Ana keeps bees.", origin=MemoryOrigin.IMPORT))
    assert (await service.edit(kept.id, "Ana keeps bees.", None)).origin is MemoryOrigin.IMPORT
    assert (await service.edit(kept.id, "Ana keeps hens.", None)).origin is MemoryOrigin.PERSON
    assert (await service.edit(kept.id, "Hens.", None, origin=MemoryOrigin.PROGRAM)).is_outside_text


# The message that a memory comes from


_ENDS = ("message to the trash", "thread to the trash", "project to the trash")


@pytest.mark.parametrize("goes", [True, False])
@pytest.mark.parametrize("end", _ENDS)
async def test_a_memory_rests_and_ends_with_its_source_if_wished(
    remembering: Remembering, end: str, goes: bool
) -> None:
    chat, service = remembering.world.chat, remembering.service
    project = await chat.projects.create("Bees", "#5B7DB1")
    created = await chat.create_thread(project.id, "Hives", "I keep bees")
    await remembering.world.answer_of(created)
    question = created.question
    new = NewMemory("Ana keeps bees.", message_id=question.id, goes_with_source=goes)
    kept, _ = await service.add(new)
    assert (kept.thread_id, kept.is_resting) == (created.thread.id, False)
    if end == "message to the trash":
        await chat.paths.delete_message(question.id)
    elif end == "thread to the trash":
        await remembering.world.library.delete([created.thread.id])
    else:
        await remembering.world.library.delete_project(project.id)
    assert (await service.get(kept.id)).is_resting is goes
    assert any("Ana keeps bees." in text for text in await remembering.sent_for()) is not goes
    await remembering.world.repositories.trash.purge_expired(2**52)
    left = await service.list()
    assert [each.text for each in left] == ([] if goes else ["Ana keeps bees."])
    assert all(each.thread_id is None for each in left)


async def test_a_project_takes_its_memories_with_it(remembering: Remembering) -> None:
    chat, service = remembering.world.chat, remembering.service
    project = await chat.projects.create("Bees", "#5B7DB1")
    kept, _ = await service.add(NewMemory("The hives are blue.", project.id))
    await remembering.world.library.delete_project(project.id)
    assert (await service.get(kept.id)).is_resting
    gone = await service.delete([kept.id])
    await service.put_back(gone)
    await remembering.world.repositories.trash.purge_expired(2**52)
    assert await service.list() == ()
    await service.put_back(gone)  # its project is gone for good
    assert await service.list() == ()


# What the file holds

_IMPOSSIBLE: dict[str, list[object]] = {
    "text": ["x" * 10_000, b"\xff\xfe", 7],
    "origin": ["of a newer version", ""],
    "source": ["\x00"],
    "message_id": ["nothing", 3],
    "goes_with_source": [5],
    "created_at": [0],
}


@pytest.mark.parametrize(("column", "value"), [(name, each) for name, found in _IMPOSSIBLE.items() for each in found])
async def test_impossible_values_are_read_within_bounds(remembering: Remembering, column: str, value: object) -> None:
    kept, _ = await remembering.service.add(NewMemory("Ana keeps bees."))

    def work(conn: Any) -> None:
        conn.exec_driver_sql(f"UPDATE memories SET {column} = ? WHERE id = ?", (value, kept.id))

    await remembering.world.database.write(work)
    (read,) = await remembering.service.list()
    assert len(read.text) <= LONGEST_MEMORY and isinstance(read.origin, MemoryOrigin)
    if column == "origin":
        assert read.is_outside_text
    assert all(len(text) < 2_000 for text in await remembering.sent_for())
    assert len(await remembering.service.delete([read.id])) == 1


async def test_the_exported_file_has_all_of_them(remembering: Remembering, tmp_path: Path) -> None:
    project = await remembering.world.chat.projects.default()
    await remembering.service.add(NewMemory("Ana keeps bees."))
    await remembering.service.add(NewMemory("“Blå” kuber", project.id))
    remembering.use(memory=False)
    assert await remembering.service.write_file(tmp_path / "out.json") == 2
    document = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert {(each["text"], each["project_id"]) for each in document["memories"]} == {
        ("Ana keeps bees.", None),
        ("“Blå” kuber", project.id),
    }


async def test_a_backup_has_memories_and_gives_them_back(remembering: Remembering, tmp_path: Path) -> None:
    kept, _ = await remembering.service.add(NewMemory("Ana keeps bees."))
    copy = await remembering.world.database.back_up(tmp_path / "copy.db")
    with closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT id, text FROM memories").fetchall() == [(kept.id, "Ana keeps bees.")]


async def test_deleted_words_are_not_left_in_the_file(remembering: Remembering) -> None:
    word = "Quinquagesima"
    kept, _ = await remembering.service.add(NewMemory(f"Ana sings on {word}."))
    await remembering.service.delete([kept.id])
    database = remembering.world.database
    await database.empty_log()
    with closing(sqlite3.connect(database.path)) as conn:
        conn.execute("VACUUM")
    assert word.encode() not in database.path.read_bytes()


async def test_reading_keeps_the_order(remembering: Remembering) -> None:
    repository = MemoryRepository(remembering.world.database)
    project = await remembering.world.chat.projects.default()
    for text, where in (("old", None), ("own", project.id), ("new", None)):
        await repository.add(NewMemory(text, where))
    assert [each.text for each in await repository.all()] == ["new", "own", "old"]
    offered = await repository.for_project(project.id)
    assert offered is not None and [each.text for each in offered] == ["own", "new", "old"]
    assert isinstance(replace(offered[0], text="x"), Memory)
