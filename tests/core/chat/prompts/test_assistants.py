"""Assistants: who answers, under which instructions, with which tools and files, and what an answer keeps of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import AssistantSetup, Prompt, PromptKind, setup_from
from chatdesk.core.errors import ChatDeskError, InvalidInput, PromptNotFound
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from tests.helpers.chat_world import ChatWorld, chat_world

TEXT = b"The harbour opens at six."


@pytest.fixture
def attachments(world: ChatWorld, tmp_path: Path) -> AttachmentService:
    return AttachmentService(BlobStore(tmp_path / "blobs"), ArtifactRepository(world.database))


@pytest.fixture
def prompts(world: ChatWorld, attachments: AttachmentService) -> PromptService:
    return PromptService(world.repositories.prompts, world.bus, attachments=attachments)


async def _finished(world: ChatWorld, answer_id: str) -> Message:
    message = await world.finished(answer_id)
    assert isinstance(message, Message)
    return message


async def _editor(prompts: PromptService, setup: AssistantSetup | None = None) -> Prompt:
    return await prompts.create(PromptKind.ASSISTANT, "Editor", "You are an editor.", setup)


async def test_an_assistant_answers_in_its_thread(world: ChatWorld, prompts: PromptService) -> None:
    made = await _editor(prompts, AssistantSetup(icon="pencil", parameters=Parameters(temperature=0.5)))
    created = await world.chat.create_thread(None, "", "hi", assistant_id=made.id)
    assert created.thread.assistant_id == made.id and created.answer is not None
    answer = await _finished(world, created.answer.id)
    assert (answer.assistant_id, answer.assistant_name) == (made.id, "Editor")
    request = world.provider.requests[-1]
    assert request.messages[0].role is Role.SYSTEM and request.messages[0].text == "You are an editor."
    assert request.temperature == 0.5
    report = await world.chat.context.report(created.thread.id)
    assert report.totals.system > 0


async def test_a_change_holds_from_the_next_turn_on_and_the_old_answer_keeps_its_name(
    world: ChatWorld, prompts: PromptService
) -> None:
    made = await _editor(prompts)
    created = await world.chat.create_thread(None, "", "one", assistant_id=made.id)
    assert created.answer is not None
    await _finished(world, created.answer.id)
    await prompts.edit(made.id, PromptKind.ASSISTANT, "Proofreader", "You proofread.")
    sent = await world.chat.send_message(created.thread.id, "two")
    later = await _finished(world, sent.answer.id)
    assert later.assistant_name == "Proofreader"
    assert world.provider.requests[-1].messages[0].text == "You proofread."
    first = await world.chat.reader.get_message(created.answer.id)
    assert first.assistant_name == "Editor"
    await prompts.delete([made.id])
    last = await _finished(world, (await world.chat.send_message(created.thread.id, "three")).answer.id)
    assert last.assistant_name is None
    assert all(each.role is not Role.SYSTEM for each in world.provider.requests[-1].messages)
    await prompts.restore([made.id])
    again = await _finished(world, (await world.chat.send_message(created.thread.id, "four")).answer.id)
    assert again.assistant_name == "Proofreader"


async def test_one_question_goes_to_an_assistant_and_the_next_does_not(
    world: ChatWorld, prompts: PromptService
) -> None:
    made = await _editor(prompts)
    thread = (await world.chat.create_thread(None, "Plain")).thread
    sent = await world.chat.send_message(thread.id, "one", assistant_id=made.id)
    answer = await _finished(world, sent.answer.id)
    assert answer.assistant_name == "Editor"
    again = await _finished(world, (await world.chat.regenerate_response(answer.id)).id)
    assert again.assistant_id == made.id
    plain = await _finished(world, (await world.chat.send_message(thread.id, "two")).answer.id)
    assert plain.assistant_id is None


async def test_the_model_chosen_last_answers(world: ChatWorld, prompts: PromptService) -> None:
    made = await _editor(prompts, AssistantSetup(provider=world.provider.name, model="small"))
    thread = (await world.chat.create_thread(None, "T", provider=world.provider.name, model="large")).thread

    async def model() -> str | None:
        answer = await _finished(world, (await world.chat.send_message(thread.id, "hi")).answer.id)
        shown = await world.chat.context.report(thread.id)
        assert shown.model == answer.model
        return answer.model

    assert await model() == "large"
    await world.chat.assistants.choose(thread.id, made.id)
    assert await model() == "small"
    await world.chat.set_thread_model(thread.id, world.provider.name, "large")
    assert await model() == "large"
    once = await world.chat.send_message(thread.id, "hi", assistant_id=made.id)
    assert (await _finished(world, once.answer.id)).model == "large"
    await world.chat.assistants.choose(thread.id, None)
    once = await world.chat.send_message(thread.id, "hi", assistant_id=made.id)
    assert (await _finished(world, once.answer.id)).model == "small"
    with pytest.raises(PromptNotFound):
        await world.chat.assistants.choose(thread.id, thread.id)


async def test_an_assistant_of_a_provider_that_is_gone_leaves_the_model_to_the_thread(
    world: ChatWorld, prompts: PromptService
) -> None:
    made = await _editor(prompts, AssistantSetup(provider="gone", model="m"))
    created = await world.chat.create_thread(None, "", "hi", assistant_id=made.id)
    assert created.answer is not None
    assert (await _finished(world, created.answer.id)).provider == world.provider.name


async def test_its_files_go_along_and_are_kept(
    world: ChatWorld, prompts: PromptService, attachments: AttachmentService
) -> None:
    file = await attachments.add_bytes(TEXT, "harbour.txt")
    made = await _editor(prompts, AssistantSetup(files=(file,)))
    created = await world.chat.create_thread(None, "", "hi", assistant_id=made.id)
    assert created.answer is not None
    await _finished(world, created.answer.id)
    (message,) = (each for each in world.provider.requests[-1].messages if each.files)
    assert "harbour.txt" in message.files[0]
    assert await attachments.remove_unnamed(older_than_s=0) == 0
    await prompts.edit(made.id, PromptKind.ASSISTANT, "Editor", "You are an editor.", AssistantSetup())
    assert await attachments.remove_unnamed(older_than_s=0) == 1


async def test_a_temporary_thread_has_assistants_too(world: ChatWorld, prompts: PromptService, tmp_path: Path) -> None:
    made = await _editor(prompts)
    async with chat_world(tmp_path / "beside") as other:
        beside = world.chat.beside(other.repositories, other.bus)
        created = await beside.create_thread(None, "", "hi", assistant_id=made.id)
        assert created.answer is not None
        await _finished(other, created.answer.id)
        assert world.provider.requests[-1].messages[0].text == "You are an editor."
        await beside.close()


async def test_a_branch_keeps_the_assistant(world: ChatWorld, prompts: PromptService) -> None:
    made = await _editor(prompts)
    created = await world.chat.create_thread(None, "", "hi", assistant_id=made.id)
    assert created.answer is not None
    await _finished(world, created.answer.id)
    branch = await world.chat.paths.branch_thread(created.answer.id)
    assert branch.assistant_id == made.id


async def test_a_prompt_file_brings_everything_but_the_model_and_the_tools(
    world: ChatWorld, prompts: PromptService, attachments: AttachmentService, tmp_path: Path
) -> None:
    file = await attachments.add_bytes(TEXT, "harbour.txt")
    setup = AssistantSetup("code", "p", "m", Parameters(top_p=0.1), ("notes",), (file,))
    made = await _editor(prompts, setup)
    target = tmp_path / "prompts.json"
    assert await prompts.write_file(target) == 1
    assert await prompts.read_file(target) == ()
    await prompts.delete([each.id for each in await prompts.list()])
    (read,) = await prompts.read_file(target)
    assert read.setup == replace(setup, provider=None, model=None, tools=None) and read.id != made.id
    document = json.loads(target.read_text("utf-8"))
    document["prompts"][0]["assistant"]["files"][0]["data"] = "not base64!"
    target.write_text(json.dumps(document), "utf-8")
    with pytest.raises(InvalidInput, match="cannot be read"):
        await prompts.read_file(target)
    document["prompts"][0]["assistant"] = {"icon": 7, "parameters": {"temperature": 99}, "files": 3}
    target.write_text(json.dumps(document), "utf-8")
    with pytest.raises(InvalidInput, match="no list of files"):
        await prompts.read_file(target)


async def test_files_that_are_too_large_for_a_prompt_file_are_refused_in_words(
    prompts: PromptService, attachments: AttachmentService, tmp_path: Path
) -> None:
    file = await attachments.add_bytes(b"x" * (11 * 1024 * 1024), "large.txt")
    await _editor(prompts, AssistantSetup(files=(file,)))
    with pytest.raises(ChatDeskError, match="larger than 10 MB"):
        await prompts.write_file(tmp_path / "prompts.json")
    assert not (tmp_path / "prompts.json").exists()


async def test_a_copy_has_the_same_set_up(prompts: PromptService) -> None:
    setup = AssistantSetup("code", "p", "m", Parameters(top_p=0.1), ("notes",))
    copied = await prompts.duplicate((await _editor(prompts, setup)).id)
    assert copied.setup == setup and copied.name == "Editor (copy)"
    (head, _other) = await prompts.list()
    assert head.icon == "code"


async def test_too_many_files_are_refused(prompts: PromptService) -> None:
    files = tuple(Attachment(f"{n}.txt", "text/plain", f"{n:064x}", 1) for n in range(MOST_IN_MESSAGE + 1))
    with pytest.raises(InvalidInput, match="at most 20 files"):
        await _editor(prompts, AssistantSetup(files=files))


@pytest.mark.parametrize(
    "stored",
    [{}, {"icon": "../x", "tools": "all", "files": [7, {"sha256": "x"}], "parameters": []}, {"model": "m"}],
)
def test_a_damaged_set_up_reads_as_an_empty_one(stored: dict[str, object]) -> None:
    assert setup_from(stored) == AssistantSetup()
