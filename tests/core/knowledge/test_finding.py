"""Tests finding passages by words and by meaning, and that nothing is found of what is gone."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.knowledge import FileState
from chatdesk.core.errors import NotFound, NotPossible
from chatdesk.core.storage.engine.connection import Connection, driver
from chatdesk.core.storage.knowledge import passage_index
from chatdesk.core.storage.library.removal import remove_projects
from chatdesk.core.storage.upkeep.quieting import stop_automatic_actions
from tests.core.knowledge.conftest import Files

_TEXTS = {
    "leave.md": "Employees receive thirty days of paid holiday in each calendar year.",
    "expenses.md": "Receipts for travel are handed in within a month and reimbursed with the salary.",
    "bread.md": "Knead the rye dough for ten minutes and let it rest overnight, then put it into the hot oven.",
    "bicycle.md": "Replace worn brake pads before the metal touches the rim of the wheel.",
}


async def _with_texts(files: Files) -> None:
    source = await files.source()
    for path, text in _TEXTS.items():
        await files.keep(source, path, text)


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("paid holiday", "leave.md"),
        ("How much vacation may I take?", "leave.md"),
        ("who pays back my train ticket", "expenses.md"),
        ("baking a loaf of bread", "bread.md"),
        ("kneading", "bread.md"),
        ("my bike does not stop", "bicycle.md"),
    ],
)
async def test_a_question_finds_its_file_by_words_or_by_meaning(files: Files, question: str, path: str) -> None:
    await _with_texts(files)
    assert (await files.paths(question))[0] == path


async def test_both_lists_are_told_apart(files: Files) -> None:
    await _with_texts(files)
    by_words = (await files.find("reimbursed receipts"))[0]
    by_meaning = (await files.find("How much vacation may I take?"))[0]
    assert by_words.by_words == 1 and by_words.nearness is not None
    assert by_meaning.by_words is None and by_meaning.by_meaning == 1


async def test_a_passage_without_a_vector_is_found_by_its_words(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "ja.md", "年次有給休暇は三十日です。", has_vectors=False)
    await files.keep(source, "accents.md", "Le café de la résidence", has_vectors=False)
    assert await files.paths("有給休暇") == ["ja.md"]
    assert await files.paths("cafe residence") == ["accents.md"]


async def test_no_other_project_is_searched(files: Files) -> None:
    await _with_texts(files)
    other = await files.store.projects.create("Other", "#5B7DB1")
    assert await files.find("paid holiday", project_id=other.id) == ()
    await files.keep(await files.source("/elsewhere", other.id), "own.md", "Paid holiday is forty days here.")
    assert [each.file.path for each in await files.find("paid holiday", project_id=other.id)] == ["own.md"]
    assert "own.md" not in await files.paths("paid holiday")


async def test_a_file_that_is_read_again_is_found_by_its_new_words_alone(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "a.md", "The meeting is on Thursday.", "Lunch follows.")
    await files.keep(source, "a.md", "The concert begins at eight.")
    assert await files.paths("concert") == ["a.md"]
    assert all("Thursday" not in each.passage.text for each in await files.find("meeting on Thursday"))


async def test_a_file_that_is_gone_is_found_no_more(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "a.md", "The meeting is on Thursday.")
    await files.keep(source, "b.md", "Another meeting is on Friday.")
    await files.repository.list_files(source.id, {"b.md": "new"})
    assert await files.paths("meeting") == ["b.md"]
    assert [each.path for each in await files.repository.files(source.id)] == ["b.md"]


async def test_a_changed_file_waits_and_its_old_text_answers_meanwhile(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "a.md", "The meeting is on Thursday.")
    assert await files.repository.list_files(source.id, {"a.md": "changed", "new.md": "1"}) == 2
    assert {each.path: each.state for each in await files.repository.files(source.id)} == {
        "a.md": FileState.WAITING,
        "new.md": FileState.WAITING,
    }
    assert await files.paths("meeting") == ["a.md"]


async def test_a_removed_source_leaves_nothing(files: Files) -> None:
    await _with_texts(files)
    source = (await files.repository.sources())[0]
    await files.repository.remove(source.id)
    assert await files.find("paid holiday") == ()
    assert await files.repository.sources() == ()
    counts = await files.store.db.read(
        lambda conn: [
            conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("knowledge_files", "knowledge_passages", "knowledge_index_docsize")
        ]
    )
    assert counts == [0, 0, 0]
    with pytest.raises(NotFound):
        await files.repository.get(source.id)


async def test_a_place_is_added_once_to_a_project_that_exists(files: Files) -> None:
    await files.source("/files")
    with pytest.raises(NotPossible):
        await files.source("/files")
    with pytest.raises(NotFound):
        await files.source("/files", "01900000-0000-7000-8000-00000000dead")


async def test_projects_in_the_trash_rest(files: Files) -> None:
    await _with_texts(files)
    await files.store.db.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE projects SET deleted_at = 1700000000000 WHERE id = ?", (files.project_id,)
        )
    )
    assert await files.repository.sources() == ()


async def test_words_that_the_index_lost_come_back(files: Files) -> None:
    await _with_texts(files)

    def empty(conn: object) -> None:
        conn.exec_driver_sql("INSERT INTO knowledge_index (knowledge_index) VALUES ('delete-all')")  # type: ignore[attr-defined]

    await files.store.db.write(empty)
    assert all(each.by_words is None for each in await files.find("kneading"))
    while await files.repository.repair_words():
        pass
    assert (await files.find("kneading"))[0].by_words == 1


@pytest.mark.parametrize("question", ["", "?", "the", 'a"b', "NEAR(x y)", "col:x -y *", "\0", "\ud800", "x" * 10_000])
async def test_any_question_has_an_answer(files: Files, question: str) -> None:
    await _with_texts(files)
    assert len(await files.find(question)) <= 5


async def test_reading_on_gives_the_neighbours_in_order(files: Files) -> None:
    file = await files.keep(await files.source(), "a.md", *(f"passage number {number}" for number in range(6)))
    from chatdesk.core.storage.knowledge import passage_index

    found = await files.index.run(lambda conn: passage_index.around(conn, file.id, 2, 4))
    assert [each.passage.text for each in found] == ["passage number 2", "passage number 3", "passage number 4"]
    assert [each.position for each in found] == [2, 3, 4]


async def test_the_state_of_a_source_is_counted(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "a.md", "one", "two")
    await files.repository.list_files(source.id, {"a.md": "new", "b.md": "1"})
    (status,) = await files.repository.statuses(files.project_id)
    assert (status.read, status.waiting, status.unreadable, status.passages, status.total) == (1, 1, 0, 2, 2)
    assert status.read_at is not None


@pytest.mark.parametrize("question", ["melting point of tungsten", "Quantenmechanik", "of a", "zzzz"])
async def test_a_question_about_something_else_finds_nothing(files: Files, question: str) -> None:
    await _with_texts(files)
    assert await files.find(question) == ()


async def _counts(files: Files) -> list[int]:
    tables = ("knowledge_sources", "knowledge_files", "knowledge_passages", "knowledge_index_docsize")
    return await files.store.db.read(
        lambda conn: [conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0 for table in tables]
    )


async def test_a_purged_project_leaves_no_word_of_its_files(files: Files) -> None:
    await _with_texts(files)
    kept = await files.store.projects.create("Kept", "#5B7DB1")
    await files.keep(await files.source("/kept", kept.id), "kept.md", "These words stay.")
    assert await _counts(files) == [2, 5, 5, 5]

    def purge(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE projects SET deleted_at = 5, hlc = 0 WHERE id = ?", (files.project_id,))
        remove_projects(conn, 10, files.store.clock.now_ms())

    await files.store.db.write(purge)
    assert await _counts(files) == [1, 1, 1, 1]
    assert len(await files.find("words stay", project_id=kept.id)) == 1


async def test_what_is_read_from_a_file_of_somebody_pauses_its_sources(files: Files) -> None:
    await _with_texts(files)
    await files.store.db.write(lambda conn: stop_automatic_actions(driver(conn), 1))
    assert [each.is_paused for each in await files.repository.sources()] == [True]


@pytest.mark.parametrize("damage", ["x''", "x'00'", "'text'", "7", "NULL"])
@pytest.mark.parametrize("column", ["knowledge_files SET signs", "knowledge_passages SET vector"])
async def test_a_damaged_vector_costs_a_passage_its_meaning_alone(files: Files, column: str, damage: str) -> None:
    await _with_texts(files)
    await files.store.db.write(lambda conn: conn.exec_driver_sql(f"UPDATE {column} = {damage}"))
    files.repository.revision += 1
    (best, *_) = await files.find("paid holiday")
    assert best.file.path == "leave.md" and best.nearness is None


async def test_words_that_are_everywhere_are_looked_for_together(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage_index, "MOST_RANKED", 20)  # as if these were ten thousand
    source = await files.source()
    others = [f"alpha {number} here" if number % 2 else f"beta {number} there" for number in range(120)]
    await files.keep(source, "all.txt", *others, "gamma delta alpha beta", has_vectors=False)
    found = await files.find("alpha beta", limit=3)
    assert found[0].passage.text == "gamma delta alpha beta" and found[0].by_words == 1
    assert len(found) == 3  # too few have both, so those with one of them follow
    await files.keep(source, "more.txt", *(f"alpha beta {number}" for number in range(60)), has_vectors=False)
    assert all("alpha beta" in each.passage.text for each in await files.find("alpha beta", limit=20))


async def test_the_words_of_what_was_added_since_are_known_at_the_next_question(files: Files) -> None:
    source = await files.source()
    await files.keep(source, "one.txt", *(f"usual text {number}" for number in range(30)), has_vectors=False)
    assert await files.paths("zebra crossing") == []
    await files.keep(source, "two.txt", "The zebra crossing is closed.", has_vectors=False)
    assert await files.paths("zebra crossing") == ["two.txt"]
    await files.repository.list_files(source.id, {})
    assert await files.paths("zebra crossing") == []
