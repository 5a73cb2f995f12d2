"""The library of prompts: what is kept, found, undone, exchanged in files; and the system prompts of threads."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.prompts.prompt_variables import read_template
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.prompt import (
    LONGEST_TEXT,
    MOST_PROMPTS,
    NewPrompt,
    PromptFinder,
    PromptHead,
    PromptKind,
    PromptSource,
    checked_name,
)
from chatdesk.core.errors import (
    ChatDeskError,
    InvalidInput,
    NotPossible,
    ProjectNotFound,
    PromptNotFound,
    StorageReadOnly,
    ThreadInTrash,
)
from chatdesk.core.events import ContextChanged, PromptsChanged, ThreadChanged
from chatdesk.core.paths import resources_dir
from tests.helpers.chat_world import ChatWorld

STARTERS = resources_dir() / "prompts" / "library.json"
TEMPLATE, SYSTEM = PromptKind.TEMPLATE, PromptKind.SYSTEM


@pytest.fixture
def prompts(world: ChatWorld) -> PromptService:
    return PromptService(world.repositories.prompts, world.bus)


def started(world: ChatWorld) -> PromptService:
    return PromptService(world.repositories.prompts, world.bus, starters=STARTERS)


async def names(prompts: PromptService) -> list[str]:
    return [head.name for head in await prompts.list()]


async def test_a_prompt_is_made_changed_copied_and_found_by_its_id(world: ChatWorld, prompts: PromptService) -> None:
    made = await prompts.create(TEMPLATE, "  Greet\n the  team ", "Hello {{team}}")
    assert (made.kind, made.name, made.text, made.use_count) == (TEMPLATE, "Greet the team", "Hello {{team}}", 0)
    changed = await prompts.edit(made.id, SYSTEM, "Greet", "Hello")
    assert await prompts.get(made.id) == changed
    assert (changed.kind, changed.name, changed.text) == (SYSTEM, "Greet", "Hello")
    assert changed.created_at == made.created_at
    copy = await prompts.duplicate(made.id)
    assert (copy.name, copy.text, copy.kind) == ("Greet (copy)", "Hello", SYSTEM)
    assert copy.id != made.id
    assert sum(isinstance(event, PromptsChanged) for event in world.events) == 3


async def test_rows_are_stamped_with_this_device(world: ChatWorld, prompts: PromptService) -> None:
    made = await prompts.create(TEMPLATE, "A", "a")
    read = "SELECT hlc, origin_device FROM prompts WHERE id = ?"
    first = await world.database.read(lambda conn: conn.exec_driver_sql(read, (made.id,)).one())
    await prompts.edit(made.id, TEMPLATE, "B", "b")
    second = await world.database.read(lambda conn: conn.exec_driver_sql(read, (made.id,)).one())
    assert second[0] > first[0] > 0
    assert first[1] == second[1] == world.database.device_id


@pytest.mark.parametrize(
    ("name", "text", "called"),
    [
        ("", "Explain {{x}}\nplease", "Explain {{x}} please"),
        (" \n ", "  " * 300 + "far away", "far away"),
        ("x" * 300, "t", "x" * 99 + "…"),
        ("a\u202eb\x07", "t", "ab"),
        ("\u200b", "\u200b", "Prompt"),
    ],
)
async def test_every_prompt_has_a_name_on_one_line(prompts: PromptService, name: str, text: str, called: str) -> None:
    assert (await prompts.create(TEMPLATE, name, text)).name == called


async def test_text_keeps_what_cannot_be_stored_as_a_mark(prompts: PromptService) -> None:
    assert (await prompts.create(TEMPLATE, "n", "a\0b\ud800")).text == "a\ufffdb\ufffd"


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (LONGEST_TEXT + 1)])
async def test_a_text_that_cannot_be_kept_is_refused_with_words(prompts: PromptService, text: str) -> None:
    kept = await prompts.create(TEMPLATE, "Kept", "as it is")
    for attempt in (prompts.create(TEMPLATE, "n", text), prompts.edit(kept.id, TEMPLATE, "n", text)):
        with pytest.raises(InvalidInput) as error:
            await attempt
        assert error.value.next_step
    assert [head.beginning for head in await prompts.list()] == ["as it is"]


async def test_a_deleted_prompt_comes_back_until_it_is_purged(prompts: PromptService, world: ChatWorld) -> None:
    first, second = await prompts.create(TEMPLATE, "A", "a"), await prompts.create(TEMPLATE, "B", "b")
    await prompts.delete([first.id, second.id])
    assert await names(prompts) == []
    assert (await prompts.get(first.id)).deleted_at is not None
    await prompts.restore([first.id])
    assert await names(prompts) == ["A"]
    assert await world.repositories.prompts.purge_deleted(10**15) == 1
    assert await world.repositories.prompts.purge_deleted(10**15) == 0
    with pytest.raises(PromptNotFound):
        await prompts.restore([second.id])
    assert await names(prompts) == ["A"]


async def test_deleting_many_is_whole_or_not_at_all(prompts: PromptService) -> None:
    made = await prompts.create(TEMPLATE, "A", "a")
    with pytest.raises(PromptNotFound):
        await prompts.delete([made.id, "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"])
    assert await names(prompts) == ["A"]


@pytest.mark.parametrize("act", ["get", "duplicate"])
async def test_an_id_that_is_not_there_has_its_words(prompts: PromptService, act: str) -> None:
    with pytest.raises(PromptNotFound):
        await getattr(prompts, act)("0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e")


async def test_what_was_used_last_stands_first_then_the_others_by_name(prompts: PromptService) -> None:
    made = {name: await prompts.create(TEMPLATE, name, "t") for name in ("beta", "Alpha", "gamma", "Älpler")}
    assert await names(prompts) == ["Alpha", "Älpler", "beta", "gamma"]
    await prompts.record_use(made["gamma"].id)
    await prompts.record_use(made["beta"].id)
    assert await names(prompts) == ["beta", "gamma", "Alpha", "Älpler"]
    assert (await prompts.get(made["beta"].id)).use_count == 1


async def test_the_library_has_an_end(prompts: PromptService, world: ChatWorld) -> None:
    await world.repositories.prompts.add([NewPrompt(TEMPLATE, f"p{n}", "t") for n in range(MOST_PROMPTS)])
    with pytest.raises(NotPossible, match="2,000 prompts"):
        await prompts.create(TEMPLATE, "one more", "t")
    heads = await prompts.list()
    assert len(heads) == MOST_PROMPTS
    await prompts.delete([heads[0].id])
    await prompts.create(TEMPLATE, "one more", "t")
    with pytest.raises(NotPossible):
        await prompts.restore([heads[0].id])


# Starters


async def test_a_new_library_begins_with_starters_that_are_well_formed(world: ChatWorld) -> None:
    found = await world_prompts(started(world))
    assert {prompt.kind for prompt in found} == {TEMPLATE, SYSTEM}
    for prompt in found:
        assert read_template(prompt.text, is_system=prompt.kind is SYSTEM).problems == (), prompt.name


async def world_prompts(prompts: PromptService) -> list[object]:
    return [await prompts.get(head.id) for head in await prompts.list()]


async def test_a_listing_that_is_cancelled_leaves_the_starters_to_the_next(world: ChatWorld) -> None:
    prompts = PromptService(world.repositories.prompts, world.bus, starters=STARTERS)
    listing = asyncio.ensure_future(prompts.list())
    await asyncio.sleep(0)  # it reads the file now
    listing.cancel()
    await asyncio.wait([listing])
    assert listing.cancelled()
    assert len(await prompts.list()) > 5


async def test_deleted_starters_do_not_come_back_and_new_ones_come(world: ChatWorld, tmp_path: Path) -> None:
    prompts = started(world)
    heads = await prompts.list()
    await prompts.delete([head.id for head in heads])
    assert await started(world).list() == ()
    document = json.loads(STARTERS.read_text("utf-8"))
    document["prompts"].append({"key": "new", "kind": "template", "name": "New one", "text": "t"})
    newer = tmp_path / "newer.json"
    newer.write_text(json.dumps(document), "utf-8")
    assert await names(PromptService(world.repositories.prompts, world.bus, starters=newer)) == ["New one"]


@pytest.mark.parametrize("stored", ["no json", "7", '["explain", 3]'])
async def test_a_damaged_note_about_starters_hides_nothing(world: ChatWorld, stored: str) -> None:
    insert = "INSERT INTO meta (key, value) VALUES ('prompts.starters', ?)"
    await world.database.write(lambda conn: conn.exec_driver_sql(insert, (stored,)))
    assert len(await started(world).list()) >= 10


async def test_a_library_that_cannot_be_written_is_shown_as_it_is(world: ChatWorld, prompts: PromptService) -> None:
    made = await prompts.create(TEMPLATE, "A", "a")
    world.database.is_read_only = True
    world.database.refusal = StorageReadOnly()
    try:
        assert await names(started(world)) == ["A"]
        await prompts.record_use(made.id)
        with pytest.raises(StorageReadOnly):
            await prompts.create(TEMPLATE, "B", "b")
    finally:
        world.database.is_read_only = False
    assert (await prompts.get(made.id)).use_count == 0


# Files


def _file(*prompts: object) -> bytes:
    return json.dumps({"format": "chatdesk-prompts", "format_version": 1, "prompts": prompts}).encode()


async def test_a_file_of_prompts_goes_round_and_brings_nothing_twice(
    world: ChatWorld, prompts: PromptService, tmp_path: Path
) -> None:
    made = await prompts.create(TEMPLATE, "Ü", "{{a}}\n\u2028 'quoted\"")
    await prompts.create(SYSTEM, "S", "s")
    target = tmp_path / "prompts.json"
    assert await prompts.write_file(target) == 2
    assert [path.name for path in tmp_path.iterdir() if "prompts.json" in path.name] == ["prompts.json"]
    world.events.clear()
    assert await prompts.read_file(target) == ()
    assert world.events == []
    await prompts.delete([made.id])
    (added,) = await prompts.read_file(target)
    assert (added.kind, added.name, added.text) == (made.kind, made.name, made.text)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no json", "no JSON"),
        (b"\xff\xfe\xfa", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b"[]", "no prompts"),
        (b'{"format": "other"}', "no prompts"),
        (b'{"format": "chatdesk-prompts", "format_version": 2}', "newer"),
        (b'{"format": "chatdesk-prompts", "format_version": 1}', "no list"),
        (_file(3), "Prompt 1"),
        (
            _file({"kind": "template", "name": "n", "text": "t"}, {"kind": "spell", "name": "n", "text": "t"}),
            "Prompt 2",
        ),
        (_file({"kind": "template", "name": 1, "text": "t"}), "Prompt 1"),
        (_file({"kind": "template", "name": "n", "text": " "}), "Prompt 1"),
    ],
)
async def test_a_file_that_is_something_else_adds_nothing(
    prompts: PromptService, tmp_path: Path, content: bytes, says: str
) -> None:
    source = tmp_path / "other.json"
    source.write_bytes(content)
    with pytest.raises(InvalidInput, match=says):
        await prompts.read_file(source)
    assert await names(prompts) == []


async def test_a_file_that_is_too_large_adds_nothing(prompts: PromptService, tmp_path: Path) -> None:
    source = tmp_path / "other.json"
    source.write_bytes(b" " * (16 * 1024 * 1024 + 1))
    with pytest.raises(InvalidInput, match="larger than 16 MB"):
        await prompts.read_file(source)
    assert await names(prompts) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
async def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(prompts: PromptService, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InvalidInput, match="could not be read"):
        await prompts.read_file(tmp_path / "pipe.json")


async def test_files_that_cannot_be_read_or_written_have_words(prompts: PromptService, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="could not be read"):
        await prompts.read_file(tmp_path / "missing.json")
    with pytest.raises(ChatDeskError, match="could not be written"):
        await prompts.write_file(tmp_path / "no" / "such" / "folder.json")


# Finding


def _heads(*names: str, beginning: str = "") -> list[PromptHead]:
    return [PromptHead(name, TEMPLATE, name, beginning) for name in names]


def test_names_that_begin_with_what_was_typed_come_first() -> None:
    heads = _heads("My review", "Overview", "Review code", "Code to review", "Other")
    finder = PromptFinder(heads)
    assert [head.name for head in finder.find("Rev")] == ["Review code", "My review", "Code to review"]
    assert [head.name for head in finder.find("view")] == ["My review", "Overview", "Review code", "Code to review"]
    assert [head.name for head in finder.find("code re")] == ["Review code", "Code to review"]
    assert finder.find(" ") == heads
    assert finder.find("zebra") == []


def test_what_a_prompt_says_is_found_last() -> None:
    heads = [*_heads("One", beginning="about Straße"), *_heads("Strasse")]
    assert [head.name for head in PromptFinder(heads).find("STRASSE")] == ["Strasse", "One"]
    assert [head.name for head in PromptFinder(heads).find("STRASSE", names_only=True)] == ["Strasse"]


def test_a_name_of_blanks_is_none() -> None:
    assert checked_name("\n\t ") == ""


# System prompts


@pytest.fixture
def system(world: ChatWorld) -> SystemPromptService:
    return SystemPromptService(world.repositories, world.chat.context, world.bus)


async def set_thread(system: SystemPromptService, thread_id: str, text: str) -> None:
    await system.change(await system.of_thread(thread_id), {PromptSource.THREAD: text})


async def asked_under(world: ChatWorld, thread_id: str) -> str | None:
    await world.answer_of(await world.chat.send_message(thread_id, "q"))
    first = world.provider.requests[-1].messages[0]
    return first.text if first.role is Role.SYSTEM else None


async def test_the_threads_prompt_counts_else_the_projects_else_the_default(
    world: ChatWorld, system: SystemPromptService
) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    assert await asked_under(world, thread.id) is None
    world.chat.context.use_options(ContextOptions(system_prompt="by default"))
    assert await asked_under(world, thread.id) == "by default"
    await system.set_project(thread.project_id, "of the project")
    assert await asked_under(world, thread.id) == "of the project"
    world.events.clear()
    await set_thread(system, thread.id, "of the thread")
    assert [type(event) for event in world.events] == [ThreadChanged, ContextChanged]
    assert await asked_under(world, thread.id) == "of the thread"
    found = await system.of_thread(thread.id)
    assert [found.of(source) for source in PromptSource] == ["of the thread", "of the project", "by default"]
    await set_thread(system, thread.id, " \n")
    assert await asked_under(world, thread.id) == "of the project"
    alone = await system.of_project(thread.project_id)
    assert (alone.thread_id, alone.project, alone.project_name) == (None, "of the project", "Personal")


async def test_changes_of_system_prompts_are_logged_with_their_text(
    world: ChatWorld, system: SystemPromptService
) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    await set_thread(system, thread.id, "one")
    await system.set_project(thread.project_id, "two")
    rows = await world.database.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT kind, entity, body FROM changes WHERE reg = 'system_prompt' ORDER BY n"
        ).all()
    )
    assert [(row[0], row[1], json.loads(row[2])) for row in rows] == [
        ("thread", thread.id, {"system_prompt": "one"}),
        ("project", thread.project_id, {"system_prompt": "two"}),
    ]


async def test_system_prompts_that_cannot_be_stored_are_refused(world: ChatWorld, system: SystemPromptService) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    with pytest.raises(InvalidInput, match="characters"):
        await set_thread(system, thread.id, "x" * (LONGEST_TEXT + 1))
    with pytest.raises(ProjectNotFound):
        await system.set_project("0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e", "x")
    prompts = await system.of_thread(thread.id)
    await world.library.delete([thread.id])
    with pytest.raises(ThreadInTrash):
        await system.change(prompts, {PromptSource.THREAD: "x"})


async def test_both_are_changed_or_none(world: ChatWorld, system: SystemPromptService) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    prompts = await system.of_thread(thread.id)
    await system.change(prompts, {PromptSource.THREAD: "one", PromptSource.PROJECT: "two"})
    found = await system.of_thread(thread.id)
    assert (found.thread, found.project) == ("one", "two")
    lost = replace(prompts, project_id="0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e")
    with pytest.raises(ProjectNotFound):
        await system.change(lost, {PromptSource.THREAD: "three", PromptSource.PROJECT: "four"})
    with pytest.raises(InvalidInput):
        await system.change(prompts, {PromptSource.THREAD: "three", PromptSource.PROJECT: "x" * (LONGEST_TEXT + 1)})
    await system.change(await system.of_project(thread.project_id), {PromptSource.THREAD: "of none"})
    assert await system.of_thread(thread.id) == found


async def test_variables_of_a_system_prompt_are_replaced_when_it_is_sent(
    world: ChatWorld, system: SystemPromptService
) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    await set_thread(system, thread.id, "{{project}}, {{model}}, {{date:%Y}}, {{clipboard}}")
    sent = await asked_under(world, thread.id)
    assert sent is not None
    assert sent.startswith("Personal, small, 20")
    assert sent.endswith(", {{clipboard}}")
    found = await system.of_thread(thread.id)
    assert found.thread.startswith("{{project}}")
    assert await system.size(found, found.thread) == await system.size(found, sent)
    world.chat.context.use_options(ContextOptions(system_prompt="on {{model}}"))
    await set_thread(system, thread.id, "")
    assert await asked_under(world, thread.id) == "on small"


async def test_the_size_says_whether_a_message_has_room(world: ChatWorld, system: SystemPromptService) -> None:
    thread = (await world.chat.create_thread(None, "T")).thread
    prompts = await system.of_thread(thread.id)
    small = await system.size(prompts, "ten letters")
    assert 0 < small.tokens < 10
    assert small.has_room
    assert small.is_estimate
    assert not (await system.size(prompts, "wörter und wörter " * 5_000_00)).has_room
    longer = await system.size(await system.of_project(prompts.project_id), "{{project}}")
    assert longer.tokens == 2  # "Personal", as it is sent
