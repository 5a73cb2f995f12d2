"""ChatDesk's own exports: what goes out comes in again, equal; and into the database it came from, nothing."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.artifacts.file_change import FILE_DIFF, ChangeKind, FileChange, change_from
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.domain.message import ContextMark, PartType, Status
from chatdesk.core.domain.prompt import NewPrompt, PromptKind
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.domain.tools import KEPT, open_calls
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import Kept, kept_from
from chatdesk.core.rendering.sources import sources_of
from chatdesk.core.storage.chat import tags
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.core.storage.chat.waiting_questions import WaitingQuestionRepository
from chatdesk.core.storage.library.prompts import PromptRepository
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.transfer.exports.export import thread_to_json
from chatdesk.core.transfer.exports.export_service import ExportService
from tests.helpers.examples import sample
from tests.helpers.export_samples import PNG, plain_chatgpt
from tests.helpers.import_world import ImportWorld, import_world, outcomes
from tests.helpers.kept_samples import KEPT_SAMPLES, call_content
from tests.helpers.store import PLAN


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[ImportWorld]:
    (tmp_path / "here").mkdir()
    async with import_world(tmp_path / "here") as made:
        yield made


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[ImportWorld]:
    (tmp_path / "there").mkdir()
    async with import_world(tmp_path / "there") as made:
        yield made


async def _exported(world: ImportWorld, target: Path) -> dict[str, Any]:
    service = ExportService(world.store.path, world.blobs.folder, Clock(), printing=["false"])
    await service.export(Choice(has_trash=True), ExportFormat.JSON, target)
    if target.suffix == ".zip":
        with zipfile.ZipFile(target) as archive:
            return dict(json.loads(archive.read("chatdesk.json")))
    return dict(json.loads(target.read_text("utf-8")))


async def _live(world: ImportWorld, chance: random.Random, steps: int) -> None:
    """Do what a person does, at random."""
    store = world.store
    threads = [await store.thread(f"Thread {number} é 日本") for number in range(3)]
    for _ in range(steps):
        thread = chance.choice(threads)
        shown = (await store.messages.page(thread, limit=100)).messages
        some = chance.choice(shown).id if shown else None
        kind = chance.randrange(8)
        with suppress(ChatDeskError):  # a step that makes no sense there is none
            if kind <= 2 or some is None:
                await store.ask(thread, f"question {chance.random()}\n`code` 😀")
            elif kind == 3:
                other, _ = await store.messages.add_answer(some, PLAN)
                await store.answer(other.id, "again", chance.choice((Status.STOPPED, Status.COMPLETE)))
            elif kind == 4:
                await store.messages.add_question_version(some, "put otherwise", None)
            elif kind == 5:
                await store.paths.delete(some, with_later=chance.random() < 0.5)
            elif kind == 6:
                await store.paths.select_version(some)
            else:
                blob = world.blobs.put([PNG + bytes([chance.randrange(3)])], max_bytes=1000)
                picture = Attachment("a.png", "image/png", blob.sha256, blob.size_bytes, 1, 1)
                await store.messages.add_question(thread, "look", with_answer=None, attachments=[picture])
    await store.library.set_flag([threads[0]], "pinned_at", 1_800_000_000_000, "pinned")
    await store.library.set_flag([threads[1]], "archived_at", 1_800_000_000_000, "archived")
    await store.library.delete([threads[2]])


def _comparable(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Threads without what belongs to one database: ids of parts, artifacts and summaries; the project by its name."""
    projects = {project["id"]: project["name"] for project in data["projects"]}
    threads = []
    for thread in data["threads"]:
        kept = dict(thread) | {"project_id": projects[thread["project_id"]]}
        for choice in ("provider", "model"):  # the person's, not the file's
            kept.pop(choice, None)
        for message in kept["messages"]:
            for part in message.get("parts", []):
                part.pop("id")
                for artifact in part.get("artifacts", []):
                    artifact.pop("id")
        threads.append(kept)
    return sorted(threads, key=lambda each: str(each["id"]))


@pytest.mark.parametrize(("seed", "ending"), sample(list(product(range(6), ("json", "zip"))), 6))
async def test_an_import_of_an_export_has_equal_content(
    here: ImportWorld, there: ImportWorld, tmp_path: Path, seed: int, ending: str
) -> None:
    await _live(here, random.Random(seed), 40)
    first = await _exported(here, tmp_path / f"first.{ending}")
    assert sum(len(thread["messages"]) for thread in first["threads"]) > 20
    report = await there.service.run(tmp_path / f"first.{ending}")
    assert report.missing_files == 0
    await there.check()
    second = await _exported(there, tmp_path / f"second.{ending}")
    assert _comparable(second) == _comparable(first)
    assert second.get("attachments") == first.get("attachments")
    again = await there.service.run(tmp_path / f"first.{ending}")
    assert again.messages == 0
    assert set(outcomes(again).values()) <= {"unchanged", "in_trash"}


async def test_into_the_database_it_came_from_nothing_is_added(here: ImportWorld, tmp_path: Path) -> None:
    await _live(here, random.Random(1), 30)
    first = await _exported(here, tmp_path / "all.json")
    report = await here.service.run(tmp_path / "all.json")
    assert report.messages == 0
    assert report.counts[ImportOutcome.NEW] == 0
    assert _comparable(await _exported(here, tmp_path / "again.json")) == _comparable(first)
    await here.check()


async def test_what_went_on_in_two_places_comes_together(here: ImportWorld, there: ImportWorld, tmp_path: Path) -> None:
    thread = await here.store.thread("Shared")
    await here.store.ask(thread, "one")
    await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    await here.store.ask(thread, "two")
    await there.store.ask(thread, "elsewhere")
    await _exported(here, tmp_path / "b.json")
    report = await there.service.run(tmp_path / "b.json")
    await there.check()
    assert report.messages == 2
    assert [message.text for message in await there.shown(thread)][2] == "elsewhere"
    assert (await there.store.threads.get(thread)).message_count == 6


async def test_a_thread_deleted_for_good_after_an_import_stays_away(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    thread = await here.store.thread("Gone")
    await here.store.ask(thread, "one")
    await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    await there.store.library.delete([thread])
    await there.store.trash.purge_expired(there.store.clock.now_ms() + 1)
    assert outcomes(await there.service.run(tmp_path / "a.json")) == {"Gone": "deleted"}


async def test_imported_threads_of_others_go_out_and_come_in_as_our_own(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    await here.bring([plain_chatgpt("one", 3)])
    first = await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    await there.check()
    assert _comparable(await _exported(there, tmp_path / "b.json")) == _comparable(first)
    assert [project.name for project in await there.store.projects.list()] == ["Personal", "ChatGPT"]


async def test_ids_that_something_else_has_are_given_anew(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    thread = await here.store.thread("Mine")
    question, _ = await here.store.ask(thread, "one")
    data = await _exported(here, tmp_path / "a.json")
    data["threads"][0]["id"] = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"
    report = await here.bring(data, "b.json")
    await here.check()
    assert report.messages == 2
    assert (await here.store.messages.get(question)).thread_id == thread
    assert (await here.store.threads.get("0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e")).message_count == 2


async def test_the_sources_of_an_answer_come_along(here: ImportWorld, there: ImportWorld, tmp_path: Path) -> None:
    _, answer = await here.store.ask(await here.store.thread("Tides"))
    content = {"text": "[1] A", "status": "done", "sources": [{"number": 1, "title": "A", "url": "https://a.test/"}]}
    await here.store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content, tool_call_id)"
            " VALUES ('0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e', ?, 5, 'tool_result', ?, 'c9')",
            (answer, json.dumps(content)),
        )
    )
    await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    found = await there.store.messages.get(answer)
    assert found.parts[-1].content == content
    assert [each.url for each in sources_of(found.parts)] == ["https://a.test/"]


@pytest.mark.parametrize("kept", KEPT_SAMPLES.values(), ids=KEPT_SAMPLES)
async def test_what_a_vendor_wants_back_comes_along_as_it_came(
    here: ImportWorld, there: ImportWorld, tmp_path: Path, kept: Kept
) -> None:
    _, answer = await here.store.ask(await here.store.thread("Calls"), "why?")
    stored = json.dumps(call_content(kept))
    here.store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET type = 'tool_call', content = ? WHERE message_id = ?", (stored, answer)
        )
    )
    await _exported(here, tmp_path / "all.zip")
    await there.service.run(tmp_path / "all.zip")
    (part,) = (await there.shown((await there.threads())["Calls"]))[-1].parts
    assert kept_from(part.content[KEPT]) == kept


async def test_calls_that_were_left_open_elsewhere_are_not_open_here(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    thread = await here.store.thread("Calls")
    _, answer = await here.store.ask(thread)

    def leave_open(conn: Any) -> None:
        content = '{"name": "mail__send", "arguments": "{}", "status": "waiting", "server_id": "mail"}'
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content, tool_call_id, tool_name)"
            " VALUES ('0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e', ?, 5, 'tool_call', ?, 'c9', 'mail__send')",
            (answer, content),
        )
        conn.exec_driver_sql("UPDATE messages SET status = 'interrupted' WHERE id = ?", (answer,))

    await here.store.db.write(leave_open)
    assert open_calls(await here.store.messages.get(answer))
    await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    found = await there.store.messages.get(answer)
    assert found.parts[-1].content["status"] == "waiting", "it stays to be seen"
    assert not open_calls(found)


@pytest.mark.parametrize("has_file", [True, False])
async def test_a_change_that_was_proposed_elsewhere_is_a_text_here(
    here: ImportWorld, there: ImportWorld, tmp_path: Path, has_file: bool
) -> None:
    thread = await here.store.thread("Changes")
    _, answer = await here.store.ask(thread)
    blob = here.blobs.put([b"+2"], max_bytes=100)
    file = Attachment("a.py.diff", "text/plain", blob.sha256 if has_file else "0" * 64, blob.size_bytes)
    change = FileChange("0" * 32, "src/a.py", ChangeKind.EDIT, 1, 1)
    content = {**file.as_content(), FILE_DIFF: change.as_content()}

    def propose(conn: Any) -> None:
        conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content)"
            " VALUES ('0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e', ?, 5, 'file', ?)",
            (answer, json.dumps(content)),
        )

    await here.store.db.write(propose)
    assert change_from((await here.store.messages.get(answer)).parts[-1].content) == change
    await _exported(here, tmp_path / "a.zip")
    await there.service.run(tmp_path / "a.zip")
    (part,) = [each for each in (await there.store.messages.get(answer)).parts if each.type is PartType.FILE]
    assert change_from(part.content) is None and part.content["name"] == "a.py.diff"


async def test_version_one_is_read(here: ImportWorld, there: ImportWorld) -> None:
    thread_id = await here.store.thread("Old way")
    await here.store.ask(thread_id, "one")
    await here.store.ask(thread_id, "two")
    thread = await here.store.threads.get(thread_id)
    messages = await here.shown(thread_id)
    (there.folder / "v1.json").write_text(thread_to_json(thread, messages), encoding="utf-8")
    await there.service.run(there.folder / "v1.json")
    await there.check()
    found = await there.shown(thread_id)
    assert [(each.id, each.text, each.model, each.created_at, each.prompt_tokens) for each in found] == [
        (each.id, each.text, each.model, each.created_at, each.prompt_tokens) for each in messages
    ]
    assert (await there.store.threads.get(thread_id)).total_input_tokens == thread.total_input_tokens


async def test_prompts_and_drafts_come_along_and_replace_nothing(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    prompts = PromptRepository(here.store.db)
    await prompts.add([NewPrompt(PromptKind.TEMPLATE, "Greet", "Hello {{name}}")])
    thread = await here.store.thread("With a draft")
    await here.store.ask(thread, "one")
    blob = here.blobs.put([b"some words"], max_bytes=100)
    note = Attachment("note.txt", "text/plain", blob.sha256, blob.size_bytes)
    await here.store.drafts.save(thread, "half a thought", 4, attachments=[note])
    await here.store.drafts.save(NEW_DRAFT, "another", 0)
    first = await _exported(here, tmp_path / "all.zip")
    await there.store.drafts.save(NEW_DRAFT, "mine", 2)
    report = await there.service.run(tmp_path / "all.zip")
    assert report.notes == ["1 prompt was imported, too.", "1 draft was imported, too."]
    draft = await there.store.drafts.get(thread)
    assert draft is not None
    assert (draft.text, draft.cursor, draft.attachments) == ("half a thought", 4, (note,))
    assert there.blobs.has(blob.sha256)
    mine = await there.store.drafts.get(NEW_DRAFT)
    assert mine is not None
    assert mine.text == "mine"
    second = await _exported(there, tmp_path / "again.zip")
    assert second["prompts"] == first["prompts"]
    assert (await there.service.run(tmp_path / "all.zip")).notes == []


async def test_questions_that_wait_for_an_answer_come_along_as_a_draft(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    """A file sends nothing by itself."""
    thread = await here.store.thread("Busy")
    await here.store.ask(thread, "one")
    waiting = WaitingQuestionRepository(here.store.db)
    await here.store.drafts.save(thread, "begun", 2)
    await waiting.add(thread, "two")
    await waiting.add(thread, "three")
    await _exported(here, tmp_path / "all.zip")
    await there.service.run(tmp_path / "all.zip")
    draft = await there.store.drafts.get(thread)
    assert draft is not None
    assert sorted(draft.text.split("\n")) == ["begun", "three", "two"]
    assert await WaitingQuestionRepository(there.store.db).all() == ()


async def test_summaries_marks_starts_and_tags_come_along(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    thread = await here.store.thread("Long")
    ids = [each for number in range(3) for each in await here.store.ask(thread, f"question {number}")]
    summaries, contexts = SummaryRepository(here.store.db), ContextRepository(here.store.db)
    await summaries.add(
        NewSummary(thread, ids[0], ids[3], "In short", 3, SummaryAuthor.PERSON, pinned_facts=("a fact",))
    )
    await contexts.mark(ids[4], ContextMark.PINNED)
    await contexts.start_at(thread, ids[2])
    await here.store.db.write(lambda conn: _tag(conn, here, thread))
    first = await _exported(here, tmp_path / "all.json")
    await there.service.run(tmp_path / "all.json")
    await there.check()
    second = await _exported(there, tmp_path / "again.json")
    for data in (first, second):
        names = {tag["id"]: tag["name"] for tag in data["tags"]}
        for each in data["threads"]:
            each["tags"] = [names[tag] for tag in each["tags"]]
            for summary in each["summaries"]:
                summary.pop("id")
    assert _comparable(second) == _comparable(first)
    assert second["threads"][0]["summaries"][0]["text"] == "In short"
    assert second["threads"][0]["tags"] == ["Kept"]
    assert second["threads"][0]["context_from_id"] == ids[2]


@pytest.mark.parametrize("is_named", [True, False])
async def test_another_members_message_is_imported_as_a_quotation(
    here: ImportWorld, there: ImportWorld, tmp_path: Path, is_named: bool
) -> None:
    thread, her = await here.store.thread("Theirs"), new_id()
    question, answer = await here.store.ask(thread, "her question")
    own, _ = await here.store.ask(thread, "my question")
    await SummaryRepository(here.store.db).add(
        NewSummary(thread, question, answer, "In short", 3, SummaryAuthor.PERSON)
    )

    def write(conn: Any) -> None:
        for table, rows in (("messages", (question, answer)), ("summaries", (None,))):
            for each in rows:
                query = f"UPDATE {table} SET author_id = ?1 WHERE ?2 IS NULL OR id = ?2"
                conn.exec_driver_sql(query, (her, each))
        if is_named:
            conn.exec_driver_sql(
                "INSERT INTO team_members (workspace_id, id, name, is_owner, status) VALUES (?, ?, 'Ana', 0, 'active')",
                (new_id(), her),
            )

    await here.store.db.write(write)
    data = await _exported(here, tmp_path / "all.json")
    assert [("written_by" in each) for each in data["threads"][0]["messages"]] == [True, True, False, False]
    await there.service.run(tmp_path / "all.json")
    await there.check()
    messages = (await there.store.messages.page(thread, limit=10)).messages
    name = "Ana" if is_named else "Another member"
    head = f"> {name} (chatdesk://thread/{thread}?message={question}):\n>\n> her question"
    assert (messages[0].text, messages[2].text) == (head, "my question")
    assert messages[1].text.startswith(f"> {name} (chatdesk://thread/{thread}?message={answer}):")
    assert {each.author_id for each in messages} == {None}
    (summary,) = await SummaryRepository(there.store.db).list(thread)
    assert summary.text == f"> {name} (chatdesk://thread/{thread}):\n>\n> In short"
    assert own in {each.id for each in messages}


def _tag(conn: Any, world: ImportWorld, thread_id: str) -> None:
    origin = world.store.db.origin
    (tag_id,), new = tags.find_or_plan(conn, ["Kept"])
    tags.insert(conn, origin, tag_id, new[tag_id])
    tags.set_pairs(conn, [(thread_id, tag_id)], [])


async def test_a_file_does_not_choose_the_answering_model(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    project = await here.store.projects.create("Plans", provider="theirs", model="dear")
    thread = (await here.store.threads.create(project.id, "T", provider="theirs", model="dear")).id
    _, answer = await here.store.ask(thread)
    await _exported(here, tmp_path / "a.json")
    await there.service.run(tmp_path / "a.json")
    found = await there.store.threads.get(thread)
    assert (found.provider, found.model) == (None, None)
    made = next(each for each in await there.store.projects.list() if each.name == "Plans")
    assert (made.provider, made.model) == (None, None)
    assert (await there.store.messages.get(answer)).model == PLAN.model
    assert await there.store.messages.were_imported(thread, answer)
    question, _ = await there.store.ask(thread, "mine")
    assert not await there.store.messages.were_imported(thread, question)
    assert not await here.store.messages.were_imported(thread)


async def test_a_prompt_out_of_a_file_is_known_until_something_was_asked(
    here: ImportWorld, there: ImportWorld, tmp_path: Path
) -> None:
    plans = await here.store.projects.create("Plans")
    prompts = Repositories.of(here.store.db).system_prompts
    own, plain = [(await here.store.threads.create(plans.id, name, provider=None, model=None)).id for name in "ab"]
    for thread in (own, plain):
        await here.store.ask(thread)
    await prompts.change(threads={own: "Say it in verse."}, projects={})
    await _exported(here, tmp_path / "a.json")
    await prompts.change(threads={own: ""}, projects={plans.id: "Say it in prose."})
    await _exported(here, tmp_path / "b.json")
    for name, told in (("a.json", [True, False, False]), ("b.json", [True, True, True])):
        async with import_world(tmp_path / f"{name} there") as world:
            await world.service.run(tmp_path / name)
            repositories = Repositories.of(world.store.db)
            context = SimpleNamespace(default_prompt="")
            service = SystemPromptService(repositories, context, EventBus())  # type: ignore[arg-type]
            project = next(each.id for each in await world.store.projects.list() if each.name == "Plans")
            asked = (own, None), (plain, None), (None, project)
            assert [await service.is_from_file(*each) for each in asked] == told
            for thread in (own, plain):
                await world.store.ask(thread, "mine")
                assert not await service.is_from_file(thread)
            assert not await service.is_from_file(None, (await world.store.projects.default()).id)


async def test_a_note_comes_back_as_a_note(here: ImportWorld, there: ImportWorld, tmp_path: Path) -> None:
    thread = await here.store.thread("Garden")
    note, _ = await here.store.messages.add_note(thread, "buy quinces")
    value = await _exported(here, tmp_path / "notes.json")
    await there.bring(value)
    (thread_id,) = (await there.threads()).values()
    (found,) = await there.shown(thread_id)
    assert (found.text, found.is_note, found.context_mark) == (note.text, True, ContextMark.EXCLUDED)


async def test_an_edited_answer_comes_back_as_one(here: ImportWorld, there: ImportWorld, tmp_path: Path) -> None:
    thread = await here.store.thread("Garden")
    _question, answer = await here.store.ask(thread, "which colour?")
    await here.store.messages.add_edited_answer(answer, "green")
    await there.bring(await _exported(here, tmp_path / "edited.json"))
    (thread_id,) = (await there.threads()).values()
    found = (await there.shown(thread_id))[-1]
    assert (found.text, found.is_edited_answer, found.version_count) == ("green", True, 2)
    await there.check()
