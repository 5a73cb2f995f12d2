"""Tests that kept questions stay with their project, say where their files were found, and what has changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.kept_question import LONGEST_FILE, LONGEST_QUESTION, KeptQuestion
from chatdesk.core.domain.knowledge import FileState, FoundPassage, KnowledgeSource, KnownFile, Passage, SourceKind
from chatdesk.core.errors import InvalidInput, NotFound, NotPossible
from chatdesk.core.knowledge.kept_questions import KeptQuestions, hits_of, outcome_text, place_of
from chatdesk.core.storage.knowledge.questions import MOST_KEPT, KeptQuestionRepository
from chatdesk.core.storage.library.removal import remove_projects
from tests.core.knowledge.conftest import Files

_PAIRS = [("How many days of paid holiday?", "leave.md"), ("When are receipts due?", "travel.md")]


@pytest.fixture
async def kept(files: Files) -> KeptQuestions:
    source = await files.source()
    await files.keep(source, "people/leave.md", "Each employee has thirty days of paid holiday.")
    await files.keep(source, "other.md", "The garden has a pond with frogs.")

    async def search(project_id: str, question: str, *, limit: int) -> tuple[FoundPassage, ...]:
        return await files.find(question, limit=limit, project_id=project_id)

    return KeptQuestions(KeptQuestionRepository(files.store.db), search)


async def _rows(kept: KeptQuestions, files: Files) -> list[tuple[str, int | None, int | None]]:
    return [(each.file, each.place, each.before) for each in await kept.repository.of(files.project_id)]


async def test_a_run_says_each_place_and_the_next_one_what_has_changed(kept: KeptQuestions, files: Files) -> None:
    assert await kept.run(files.project_id) == ()
    assert await kept.repository.keep(files.project_id, _PAIRS) == 2
    assert await _rows(kept, files) == [("leave.md", None, None), ("travel.md", None, None)]
    first = await kept.run(files.project_id)
    assert [(each.place, each.has_changed) for each in first] == [(1, False), (0, False)] and hits_of(first) == 1
    (source,) = await files.repository.sources(files.project_id)
    await files.keep(source, "travel.md", "Receipts are due within a month.")
    second = await kept.run(files.project_id)
    assert [(each.place, each.before) for each in second] == [(1, 1), (1, 0)] and hits_of(second) == 2
    assert [str(outcome_text(each)) for each in second] == ["found at place 1", "found at place 1 (before: not found)"]
    assert await kept.repository.of(files.project_id) == second


async def test_a_question_is_kept_once_and_for_its_project_alone(kept: KeptQuestions, files: Files) -> None:
    assert await kept.repository.keep(files.project_id, [*_PAIRS, (f" {_PAIRS[0][0]} ", _PAIRS[0][1])]) == 2
    assert await kept.repository.keep(files.project_id, _PAIRS) == 0
    other = await files.store.projects.create("Other", "#5B7DB1")
    await kept.repository.keep(other.id, _PAIRS[:1])
    first, second = await kept.repository.of(files.project_id)
    await kept.repository.remove(first.id)
    await kept.repository.remove(first.id)
    assert await kept.repository.of(files.project_id) == (second,)
    assert len(await kept.repository.of(other.id)) == 1


@pytest.mark.parametrize(
    "pair",
    [
        ("", "a.md"),
        ("  ", "a.md"),
        ("Where?", ""),
        ("Where?", " \n"),
        ("x" * (LONGEST_QUESTION + 1), "a.md"),
        ("Where?", "x" * (LONGEST_FILE + 1)),
    ],
)
async def test_one_that_says_nothing_keeps_none_of_the_others(
    kept: KeptQuestions, files: Files, pair: tuple[str, str]
) -> None:
    with pytest.raises(InvalidInput):
        await kept.repository.keep(files.project_id, [*_PAIRS, pair])
    assert await _rows(kept, files) == []


async def test_there_is_an_end_to_how_many_are_kept(kept: KeptQuestions, files: Files) -> None:
    await kept.repository.keep(files.project_id, [(f"Question {at}", "a.md") for at in range(MOST_KEPT)])
    with pytest.raises(NotPossible):
        await kept.repository.keep(files.project_id, _PAIRS)
    with pytest.raises(NotFound):
        await kept.repository.keep("01900000-0000-7000-8000-0000000000ff", _PAIRS)


async def test_hostile_words_are_kept_as_words(kept: KeptQuestions, files: Files) -> None:
    await kept.repository.keep(files.project_id, [("a\0b'; DROP TABLE projects --", "%\ud800.md")])
    ((file, *_),) = await _rows(kept, files)
    assert file == "%\ufffd.md"
    assert [each.place for each in await kept.run(files.project_id)] == [0]


@pytest.mark.parametrize("damage", ["'first'", "-1", "1.5", "x'00'", "NULL"])
async def test_an_impossible_place_is_read_as_a_possible_one(kept: KeptQuestions, files: Files, damage: str) -> None:
    await kept.repository.keep(files.project_id, _PAIRS[:1])
    statement = f"UPDATE knowledge_questions SET place = {damage}, place_before = {damage}"
    await files.store.db.write(lambda conn: conn.exec_driver_sql(statement))
    ((_, place, before),) = await _rows(kept, files)
    assert place in (None, 0, 1) and before in (None, 0, 1)
    assert [each.place for each in await kept.run(files.project_id)] == [1]


async def test_they_are_in_backups_and_go_with_their_project(kept: KeptQuestions, files: Files, tmp_path: Path) -> None:
    await kept.repository.keep(files.project_id, _PAIRS)
    with closing(sqlite3.connect(await files.store.db.back_up(tmp_path / "copy.db"))) as copy:
        assert copy.execute("SELECT question, file FROM knowledge_questions ORDER BY added_at").fetchall() == _PAIRS

    def purge(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE projects SET deleted_at = 5, hlc = 0 WHERE id = ?", (files.project_id,))
        remove_projects(conn, 10, files.store.clock.now_ms())

    await files.store.db.write(purge)
    assert await _rows(kept, files) == []


def _found(kind: SourceKind, place: str, path: str) -> FoundPassage:
    source = KnowledgeSource("a", "p", kind, place)
    return FoundPassage(1, KnownFile(1, "a", path, FileState.READ), source, 0, Passage(0, 1, "x"))


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("guide.md", 1),
        ("docs/guide.md", 1),
        ("docs\\guide.md", 1),
        ("/srv/docs/guide.md", 1),
        ("uide.md", 0),
        ("other/guide.md", 0),
        ("note.txt", 2),
        ("C:\\notes\\note.txt", 2),
        ("https://docs.example/leave/", 3),
        ("minutes.md", 4),
    ],
)
def test_a_file_is_meant_by_the_end_of_its_path_in_whole_names(file: str, place: int) -> None:
    found = [
        _found(SourceKind.FOLDER, "/srv", "docs/guide.md"),
        _found(SourceKind.FILE, "C:\\notes\\note.txt", "note.txt"),
        _found(SourceKind.PAGE, "https://docs.example/leave/", "https://docs.example/leave/"),
        _found(SourceKind.TEAM, "team:Board", "minutes.md"),
    ]
    assert place_of(found, file) == place


def test_what_was_found_is_said_in_words() -> None:
    kept = KeptQuestion("a", "p", "Where?", "a.md")
    assert str(outcome_text(kept)) == "not tried yet"
    assert str(outcome_text(KeptQuestion("a", "p", "Where?", "a.md", 0, 3))) == "not found (before: at place 3)"
    assert str(outcome_text(KeptQuestion("a", "p", "Where?", "a.md", 2, 2))) == "found at place 2"
