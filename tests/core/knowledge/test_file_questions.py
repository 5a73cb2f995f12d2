"""What the Context tab lists of a project's files is what the recorded request holds, through a person's choices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.chat.undo import UndoStack, choose_passage
from chatdesk.core.domain.knowledge import (
    EnclosedPassages,
    FilesOutcome,
    ListedPassage,
    PassageChoice,
    PassageFate,
)
from chatdesk.core.errors import NotFound
from chatdesk.core.ids import new_id
from chatdesk.core.rendering.sources import FILES_SENTENCES, below_answer, files_outcome_of, sources_of
from tests.helpers.files_world import LEAVE, TRAVEL, FilesWorld, files_world

_QUESTION = "How many days of paid holiday are there?"
_FOREIGN = "Quel âge a le capitaine du bateau-mouche zzyzx?"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(tmp_path) as made:
        yield made


def _row(found: EnclosedPassages, name: str) -> ListedPassage:
    return next(each for each in found.rows if each.place.path == name)


def _is_in(text: str, texts: list[str]) -> bool:
    return any(text in each for each in texts)


async def test_the_list_is_what_the_request_holds(world: FilesWorld) -> None:
    thread = await world.thread()
    draft = await world.found(thread, _QUESTION)
    await world.ask(thread, _QUESTION)
    assert _is_in(draft.text, world.texts()) and LEAVE in draft.text
    sent = [each for each in draft.rows if each.fate is PassageFate.SENT]
    assert [each.number for each in sent] == list(range(1, len(sent) + 1))
    row = _row(draft, "leave.md")
    assert row.rank == 1 and row.by_meaning == 1
    assert (await world.found(thread)).rows == draft.rows, "without a draft, the last question"
    body = await world.services.chat.context.request_json(thread, _QUESTION)
    assert LEAVE in body.decode()
    report = await world.services.chat.context.report(thread, _QUESTION)
    assert 0 < report.totals.files < report.totals.used


async def test_the_meter_counts_the_passages_of_a_draft(world: FilesWorld) -> None:
    thread = await world.thread()
    context = world.services.chat.context
    assert (await context.totals(thread)).files == 0
    totals, report = await context.totals(thread, _QUESTION), await context.report(thread, _QUESTION)
    assert totals.files == report.totals.files > 0
    assert (await context.totals(thread, _FOREIGN)).files == (await context.report(thread, _FOREIGN)).totals.files
    await world.services.knowledge.embeddings.deny(world.project_id, "first", is_denied=True)
    assert (await context.totals(thread, _QUESTION)).files == 0


# choice × what is asked: is the text of leave.md, of travel.md, in the request?
_CHOICES = {
    ("leave.md", PassageChoice.LEFT_OUT, _QUESTION): (False, False),
    ("travel.md", PassageChoice.PINNED, _QUESTION): (True, True),
    ("travel.md", PassageChoice.PINNED, _FOREIGN): (False, True),
    ("leave.md", PassageChoice.PINNED, _QUESTION): (True, False),
    ("travel.md", PassageChoice.LEFT_OUT, _QUESTION): (True, False),
}


@pytest.mark.parametrize("way", ["now", "after a restart", "undone", "unchosen"])
@pytest.mark.parametrize("case", _CHOICES, ids=lambda case: "-".join(map(str, case[:2])) + f"-{len(case[2])}")
async def test_a_choice_holds_for_every_question_of_its_thread(
    tmp_path: Path, case: tuple[str, PassageChoice, str], way: str
) -> None:
    name, choice, question = case
    async with files_world(tmp_path) as world:
        thread = await world.thread()
        before = await world.found(thread, question)
        place = _row(await world.found(thread, f"{LEAVE} {TRAVEL}"), name).place
        undo, context = UndoStack(world.services.chat), world.services.chat.context
        await choose_passage(undo, context.project_files, thread, place, choice)
        if way == "undone":
            await undo.undo()
        elif way == "unchosen":
            await choose_passage(undo, context.project_files, thread, place, PassageChoice.NONE)
        if way in ("undone", "unchosen"):
            await world.ask(thread, question)
            assert _is_in(before.text, world.texts())
            return
        if way == "now":
            await _check(world, thread, case)
    if way == "after a restart":
        async with files_world(tmp_path) as again:
            await _check(again, thread, case)


async def _check(world: FilesWorld, thread: str, case: tuple[str, PassageChoice, str]) -> None:
    name, choice, question = case
    listed = await world.found(thread, question)
    answer = await world.ask(thread, question, "first")
    texts = world.texts()
    assert (_is_in(LEAVE, texts), _is_in(TRAVEL, texts)) == _CHOICES[case]
    assert _is_in(listed.text, texts)
    rows = [each for each in listed.rows if each.place.path == name]
    if rows:
        assert {each.choice for each in rows} == {choice}
    assert [title for title, _ in listed.sources] == [each.title for each in sources_of(answer.parts)]
    other = await world.thread()
    await world.ask(other, _QUESTION)
    assert _is_in(LEAVE, world.texts()) and not _is_in(TRAVEL, world.texts()), "only in its own thread"


async def test_a_choice_stays_with_its_text_when_the_file_grows(world: FilesWorld) -> None:
    long = "".join(f"# Part {number}\n\n{'word ' * 300}\n\n" for number in range(3))
    world.write("rules.md", f"{long}# Bees\n\nThe bees on the roof belong to Cleo.")
    await world.read()
    thread = await world.thread()
    question = "To whom do the bees on the roof belong?"
    row = next(each for each in (await world.found(thread, question)).rows if each.rank == 1)
    place = replace(row.place, start=max(row.place.start, 1)) if row.place.is_whole_file else row.place
    context = world.services.chat.context
    await context.project_files.choose(thread, place, PassageChoice.LEFT_OUT)
    world.write("rules.md", f"# New\n\n{'more ' * 300}\n\n{long}# Bees\n\nThe bees on the roof belong to Cleo.")
    await world.read()
    assert "belong to Cleo" not in (await world.found(thread, question)).text


async def test_what_was_pinned_and_is_gone_is_said(world: FilesWorld) -> None:
    thread = await world.thread()
    row = _row(await world.found(thread, _QUESTION), "leave.md")
    context = world.services.chat.context
    await context.project_files.choose(thread, row.place, PassageChoice.PINNED)
    (world.folder / "leave.md").unlink()
    await world.read()
    gone = _row(await world.found(thread, _QUESTION), "leave.md")
    assert gone.fate is PassageFate.GONE and not gone.link
    await context.project_files.choose(thread, gone.place, PassageChoice.NONE)
    assert all(each.place.path != "leave.md" for each in (await world.found(thread, _QUESTION)).rows)
    with pytest.raises(NotFound):
        await context.project_files.choose(thread, replace(row.place, source_id=new_id()), PassageChoice.PINNED)
    await world.services.knowledge.remove(world.source_id)
    assert (await world.services.chat.context.report(thread, _QUESTION)).found is None


async def test_nothing_found_is_said_to_the_model_and_the_person(world: FilesWorld) -> None:
    thread = await world.thread()
    answer = await world.ask(thread, _FOREIGN)
    assert _is_in("nothing in them fits", world.texts())
    assert files_outcome_of(answer.parts) == FilesOutcome.NOTHING
    (line,) = below_answer(answer.parts)
    assert str(FILES_SENTENCES[FilesOutcome.NOTHING]) in str(line)
    listed = await world.found(thread, _FOREIGN)
    assert listed.rows and {each.fate for each in listed.rows} == {PassageFate.FAR}
    found = await world.ask(thread, _QUESTION)
    assert files_outcome_of(found.parts) is None


async def test_nothing_is_said_in_a_project_without_files(tmp_path: Path) -> None:
    async with files_world(tmp_path, has_files=False) as world:
        thread = await world.thread()
        answer = await world.ask(thread, _FOREIGN)
        assert below_answer(answer.parts) == () and answer.parts[0].content == {"text": answer.text}


@pytest.mark.parametrize("value", ["found", "", "x", 1, None, ["nothing"], {"a": 1}, True])
async def test_an_outcome_from_outside_is_one_of_ours_or_none(world: FilesWorld, value: object) -> None:
    thread = await world.thread()
    answer = await world.ask(thread, "Hello")
    (part, *_) = answer.parts
    forged = replace(part, content={**part.content, "project_files": value, "sources": []})
    assert files_outcome_of((forged,)) is None and below_answer((forged,)) == ()


# The question × whether leave.md, travel.md and deep/rules.md go with it.
_NAMING = {
    "@travel.md what does it say?": (False, True, False),
    "How many days of paid holiday are there? @travel.md": (False, True, False),
    "@deep": (False, False, True),
    "@leave.md @deep/rules.md": (True, False, True),
    "@nobody How many days of paid holiday are there?": (True, False, False),
}


@pytest.mark.parametrize("question", _NAMING)
async def test_a_named_file_or_folder_goes_alone_for_one_question(world: FilesWorld, question: str) -> None:
    rules = "Cups are washed by whoever used them."
    world.write("deep/rules.md", rules)
    await world.read()
    thread = await world.thread()
    await world.ask(thread, question)
    assert tuple(_is_in(text, world.texts()) for text in (LEAVE, TRAVEL, rules)) == _NAMING[question]
    assert _is_in(question, world.texts()), "the question is sent as it was written"
    await world.ask(thread, _QUESTION)
    assert _is_in(LEAVE, world.texts()[-1:])


async def test_a_named_file_that_is_too_long_goes_with_what_fits_the_question(world: FilesWorld) -> None:
    words = "".join(f"Line {number} is about nothing.\n\n" for number in range(20_000))
    world.write("long.md", f"{words}\n\nThe code of the safe is 4711.\n\n{words}")
    await world.read()
    thread = await world.thread()
    await world.ask(thread, "@long.md What is the code of the safe?")
    assert _is_in("4711", world.texts()) and not _is_in(LEAVE, world.texts())
    assert max(map(len, world.texts())) < len(words)
