"""The clients have a method for each request of the service, which does there what it says."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chatdesk.client import (
    Assistant,
    AssistantParameters,
    AsyncClient,
    Attachment,
    Client,
    Conflict,
    InvalidRequest,
    Limit,
    Message,
    NotAllowed,
    NotFound,
    OwnComputers,
    Provider,
    chat_forms,
    chat_requests,
    library_forms,
    library_requests,
)
from chatdesk.client.request import Request
from chatdesk.core.settings import secrets
from chatdesk.service.caller import Scope
from chatdesk.services.services import Services
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.waiting import until

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
NOBODY = "0190a1b2-0000-7000-8000-000000000000"
# Paths of the service for which the client has no method. This may only shrink, and it is empty.
WITHOUT: frozenset[str] = frozenset()
# Programs that know OpenAI's protocol have a client, /docs is a page for people, and ``events`` follows its path.
FOR_OTHERS = re.compile(r"GET /docs|\w+ /v1/.*|GET /api/v1/events")


def _requests() -> Iterator[tuple[str, Callable[..., Request[Any]]]]:
    for module in (chat_requests, library_requests):
        for name, found in vars(module).items():
            if isinstance(found, types.FunctionType) and found.__module__ == module.__name__ and name[0] != "_":
                yield name, found


def _example(parameter: inspect.Parameter) -> Any:
    return {"File": b"x", "Sequence[Limit]": ()}.get(parameter.annotation, "ID")


def _paths_with_a_method() -> Iterator[str]:
    for _, make in _requests():
        needed = [each for each in inspect.signature(make).parameters.values() if each.default is each.empty]
        request = make(*(_example(each) for each in needed))
        yield f"{request.method} {request.path}"


def test_each_path_has_a_method() -> None:
    wanted = {
        f"{method.upper()} {re.sub('{[^}]*}', 'ID', path)}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    missing = {each for each in wanted if not FOR_OTHERS.fullmatch(each)} - set(_paths_with_a_method())
    assert missing == WITHOUT


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_each_request_is_a_method_of_both_clients(client: type) -> None:
    for name, make in _requests():
        method = inspect.signature(getattr(client, name))
        assert list(method.parameters.values())[1:] == list(inspect.signature(make).parameters.values()), name
        assert getattr(client, name).__doc__ == make.__doc__
        assert make.__doc__


def test_a_type_checker_of_another_program_knows_what_methods_take_and_give(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from chatdesk.client import AsyncClient, Client, Tag\n"
        "def sync(chatdesk: Client) -> Tag:\n"
        "    chatdesk.rename_tag(3, 'name')\n"
        "    return chatdesk.tags()\n"
        "async def asynchronous(chatdesk: AsyncClient) -> str:\n"
        "    return (await chatdesk.tags())[0].threads\n"
    )
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--config-file=", "--cache-dir=cache", program]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    errors = re.findall(r"^program.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE)
    assert errors == [("3", "arg-type"), ("4", "return-value"), ("6", "return-value")], done.stdout + done.stderr


def test_each_form_has_the_fields_of_the_service() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    other = {
        "Usage": "UsageAnswer",
        "UsageReport": "UsageReportAnswer",
        "HitGroup": "GroupAnswer",
        "FileSource": "SourceAnswer",
        "Passage": "PassageAnswer",
        "UsageSum": "SumAnswer",
    }
    other |= {"MessagePage": "MessagesAnswer", "ThreadPage": "ThreadsAnswer"}
    other |= {"AssistantParameters": "AssistantParameters"}
    other |= {"OwnComputer": "ComputerAnswer", "OwnComputers": "ComputersAnswer"}
    other |= {"Edited": "chatdesk__service__rest__versions__VersionAnswer"}
    for form in [each for each in (vars(chat_forms) | vars(library_forms)).values() if is_dataclass(each)]:
        name = form.__name__
        shown = schemas[other.get(name, f"{name}Answer")]
        assert {each.name for each in fields(form)} - {"etag"} == set(shown["properties"]), name


async def _beside(world: ServedWorld, work: Callable[[Client], None]) -> None:
    def run() -> None:
        with Client(data_dir=world.services.paths.data_dir) as client:
            work(client)

    await asyncio.to_thread(run)


async def test_versions_are_made_chosen_branched_and_put_into_the_trash(tmp_path: Path) -> None:
    def work(client: Client) -> None:
        thread = client.make_thread("Versions")
        answer = client.ask(thread.id, "One")
        text = "".join(answer)
        assert isinstance(answer.question, Message)
        edited = client.edit(answer.question.id, "Two")
        assert (edited.message.text, edited.message.version, edited.message.versions) == ("Two", 2, 2)
        assert edited.answer is not None
        assert "".join(client.follow(edited.answer))
        again = client.follow(client.regenerate(edited.answer.id))
        assert "".join(again) == again.text
        assert again.message.version == 2
        assert client.select_version(answer.question.id).id == thread.id
        assert [each.text for each in client.messages(thread.id).messages] == ["One", text]
        branch = client.branch(answer.question.id)
        assert [each.text for each in client.messages(branch.id).messages] == ["One"]
        client.delete_message(answer.message.id, with_later=True)
        assert client.message(answer.message.id).deleted_at is not None
        assert client.restore_message(answer.message.id).deleted_at is None
        with pytest.raises((Conflict, InvalidRequest)):
            client.go_on(answer.question.id)
        assert client.openapi()["openapi"].startswith("3.1")
        assert client.is_up()

    async with served_world(tmp_path) as world:
        await _beside(world, work)


async def test_files_are_sent_named_and_read_in_parts(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    file = tmp_path / "numbers.txt"
    file.write_text("one\ntwo\nthree\n")

    def work(client: Client) -> None:
        thread = client.make_thread("Files")
        sent = client.send_file(file)
        assert (sent.name, sent.size_bytes) == ("numbers.txt", 14)
        large = client.send_file(content, name="bytes.bin")
        assert large.size_bytes == len(content)
        noted = client.note(thread.id, "With files", attachments=[sent])
        assert [part.attachment for part in noted.parts if part.attachment] == [sent]
        assert client.file_of_message(noted.id, sent.sha256) == file.read_bytes()
        assert client.file_of_message(noted.id, sent.sha256, first=4, last=6) == b"two"
        assert client.file_of_message(noted.id, sent.sha256, first=8) == b"three\n"
        draft = client.save_draft(thread.id, "Not yet", cursor=3, attachments=[sent])
        assert client.draft(thread.id) == draft
        assert (draft.text, draft.cursor, draft.attachments) == ("Not yet", 3, (sent,))
        client.forget_draft(thread.id)
        assert client.draft(thread.id).text == ""

    async with served_world(tmp_path / "data") as world:
        await _beside(world, work)
        async with AsyncClient(data_dir=world.services.paths.data_dir) as client:
            sent = await client.send_file(file, name="other.txt")
            assert isinstance(sent, Attachment)
            assert sent.name == "other.txt"


async def test_tags_prompts_and_search(tmp_path: Path) -> None:
    def work(client: Client) -> None:
        thread = client.make_thread("Physics")
        client.note(thread.id, "Neutrinos oscillate")
        assert client.tag_thread(thread.id, add=["science", "draft"]).tags
        tags = {each.name: each for each in client.tags()}
        assert tags["science"].threads == 1
        client.tag_thread(thread.id, remove=[tags["draft"].id])
        assert client.rename_tag(tags["science"].id, "nature").name == "nature"
        client.delete_tag(tags["draft"].id)
        assert [each.name for each in client.tags()] == ["nature"]

        hits = [hit for group in client.search("neutrinos", kind="message") for hit in group.hits]
        assert [hit.thread_id for hit in hits] == [thread.id]
        begin, end = hits[0].matches[0]
        assert hits[0].snippet[begin:end].lower() == "neutrinos"

        setup = Assistant(parameters=AssistantParameters(temperature=0.5), tools=("notes",))
        editor = client.make_prompt("assistant", "You edit.", name="editor", assistant=setup)
        assert editor.assistant is not None and editor.assistant.tools == ("notes",)
        assert editor.assistant.parameters == setup.parameters
        assert client.replace_prompt(editor.id, "assistant", "You do.").assistant == editor.assistant
        prompt = client.make_prompt("template", "Explain {topic}", name="explain")
        assert client.prompt(prompt.id) == prompt
        assert (prompt.id, "explain") in [(each.id, each.name) for each in client.prompts()]
        client.replace_prompt(prompt.id, "quick", "Shorter", name="shorter", if_match=client.prompt(prompt.id).etag)
        with pytest.raises(Conflict):
            client.replace_prompt(prompt.id, "quick", "Longer", if_match=prompt.etag)
        assert client.prompt(prompt.id).text == "Shorter"
        client.delete_prompt(prompt.id)
        assert prompt.id not in [each.id for each in client.prompts()]

    async with served_world(tmp_path) as world:
        await _beside(world, work)


async def test_own_computers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    folder = tmp_path / "carried"

    def work_none(client: Client) -> None:
        assert client.computers() == OwnComputers("none")

    def work_joined(client: Client) -> None:
        found = client.computers()
        assert (found.state, found.problem, found.unreadable) == ("joined", None, 0)
        assert [each.is_this for each in found.computers] in ([], [True])

    def work_paused(client: Client) -> None:
        assert client.computers().state == "paused"

    async with served_world(tmp_path) as world:
        await _beside(world, work_none)
        computers = (await world.services.load_team()).computers
        await computers.start(folder, computers.new_phrase())
        await _beside(world, work_joined)
        await computers.pause(is_paused=True)
        await _beside(world, work_paused)


async def test_memories(tmp_path: Path) -> None:
    def work(client: Client) -> None:
        kept = client.remember("Ana keeps bees.", key="once")
        assert client.remember("Ana keeps bees.", key="once") == kept
        assert (client.memories(), client.memory(kept.id), kept.origin) == ((kept,), kept, "program")
        changed = client.replace_memory(kept.id, "Ana keeps hens.", if_match=client.memory(kept.id).etag)
        with pytest.raises(Conflict):
            client.replace_memory(kept.id, "Ana keeps cows.", if_match=kept.etag)
        assert client.memory(kept.id).text == changed.text == "Ana keeps hens."
        client.delete_memory(kept.id)
        assert client.memories() == ()

    def work_off(client: Client) -> None:
        with pytest.raises(Conflict, match="off"):
            client.remember("Ana keeps bees.")
        assert client.memories() == ()

    async with served_world(tmp_path) as world:
        await _beside(world, work_off)
        await world.services.apply_settings(replace(world.services.settings, memory=True))
        await _beside(world, work)


async def test_models_usage_limits_and_summaries(tmp_path: Path) -> None:
    def work(client: Client) -> None:
        default = next(each for each in client.models() if each.is_default)
        assert isinstance(default, Provider)
        assert default.default_model in [model.id for model in default.models]
        thread = client.make_thread("Counted")
        changed = client.change_thread(thread.id, model=(default.id, default.models[0].id))
        assert (changed.provider, changed.model) == (default.id, default.models[0].id)
        answer = client.ask(thread.id, "How much?")
        assert "".join(answer)
        report = client.usage(thread_id=thread.id)
        assert report.total.output_tokens == answer.usage.output_tokens
        assert [row.model for row in report.rows] == [default.models[0].id]
        seen = client.limits()
        replaced = client.replace_limits([Limit("all", "day", "tokens", soft=5000, hard=9000)], if_match=seen.etag)
        assert replaced == client.limits()
        assert (replaced.limits[0].hard, replaced.limits[0].spent > 0) == (9000, True)
        with pytest.raises(Conflict):
            client.replace_limits([], if_match=seen.etag)
        assert client.replace_limits([], if_match=replaced.etag).limits == ()
        found = client.summarise(thread.id)
        assert found.summaries == ()
        assert client.summaries(thread.id).summaries == ()
        with pytest.raises(NotFound):
            client.summary(NOBODY)
        with pytest.raises(NotFound):
            client.change_summary(NOBODY, text="Shorter")

    async with served_world(tmp_path) as world:
        await _beside(world, work)


async def test_typing_is_shown_to_the_members_of_a_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str, bool]] = []
    is_joined = False

    class Team:
        def set_presence(self, project_id: str, thread_id: str, *, is_typing: bool) -> None:
            shown.append((project_id, thread_id, is_typing))

    async def joined(_services: Services) -> bool:
        return is_joined

    async def team(_services: Services) -> Team:
        return Team()

    monkeypatch.setattr(Services, "team_is_joined", joined)
    monkeypatch.setattr(Services, "load_team", team)
    async with served_world(tmp_path) as world, AsyncClient(data_dir=tmp_path) as client:
        thread = await client.make_thread("Shared")
        await client.show_typing(thread.id)
        assert shown == []
        is_joined = True
        await client.show_typing(thread.id)
        await client.show_typing(thread.id, is_typing=False)
        assert shown == [(thread.project_id, thread.id, True), (thread.project_id, thread.id, False)]
        with pytest.raises(NotFound):
            await client.show_typing(NOBODY)
        async with AsyncClient(world.address.urls[0], world.token("reader")) as reader:
            with pytest.raises(NotAllowed):
                await reader.show_typing(thread.id)
        async with AsyncClient(
            world.address.urls[0], world.token("other", [Scope.READ, Scope.ASK], projects=[NOBODY])
        ) as stranger:
            with pytest.raises(NotFound):
                await stranger.show_typing(thread.id)
        assert len(shown) == 2


async def test_an_export_is_made_read_and_imported(tmp_path: Path) -> None:
    async with served_world(tmp_path), AsyncClient(data_dir=tmp_path) as client:
        thread = await client.make_thread("Kept")
        await client.note(thread.id, "words to keep")
        job = await client.export("json", thread_ids=[thread.id], key="once")
        assert await client.export("json", thread_ids=[thread.id], key="once") == await client.job(job.id)

        async def ended(job_id: str) -> bool:
            return (await client.job(job_id)).state != "running"

        await until(lambda: ended(job.id))
        done = await client.job(job.id)
        assert (done.state, done.has_file) == ("done", True)
        exported = await client.file_of_job(job.id)
        assert b"words to keep" in exported
        assert await client.file_of_job(job.id, first=0, last=0) == exported[:1]
        imported = await client.import_file(exported, name="kept.json", dry_run=True)
        await until(lambda: ended(imported.id))
        assert (await client.job(imported.id)).state == "done"
        assert {each.id for each in await client.jobs()} == {job.id, imported.id}
        await client.cancel_job(job.id)
        with pytest.raises(NotFound):
            await client.job(job.id)
