"""A model works in the folder of the chat's project: offered there alone, asked about, and bound to that project."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.artifacts.file_change import ChangeState, change_from
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.domain.tools import Answer, ApprovalRequest, Caller
from chatdesk.core.errors import NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.tools.folder.reading import version_of
from chatdesk.core.tools.project_folders import FolderNotUsable
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.services.project_folder import _PROPOSED, ID, project_folder
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.tools_world import make_service
from tests.helpers.waiting import until


@dataclass
class _World:
    chat: ChatWorld
    tools: ToolService
    folder: Path
    project_id: str

    async def ask(self, *calls: tuple[str, dict[str, Any]]) -> str:
        """Ask a model that makes these calls; the id of its answer."""
        deltas = [
            ToolCallDelta(place, f"c{place}", f"{ID}__{name}", json.dumps(arguments))
            for place, (name, arguments) in enumerate(calls)
        ]
        self.chat.provider.will(*deltas, StreamFinished(FinishReason.TOOL_CALLS))
        self.chat.provider.will(TextDelta("Done."), StreamFinished(FinishReason.STOP))
        created = await self.chat.chat.create_thread(self.project_id, "", "hi")
        assert created.answer is not None
        return created.answer.id

    async def allow(self, answer: Answer = Answer.ONCE, *, only_reads: bool = False) -> ApprovalRequest:
        approvals = self.chat.chat.tools.approvals
        await until(approvals.waiting)
        request = approvals.waiting()[0]
        approvals.answer(request.id, answer, only_reads=only_reads)
        return request

    async def finished(self, answer_id: str) -> Message:
        message = await self.chat.finished(answer_id)
        assert isinstance(message, Message)
        return message


@asynccontextmanager
async def _world(tmp_path: Path) -> AsyncIterator[_World]:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\n")
    paths = AppPaths.find(tmp_path / "profile")
    paths.make_directories()
    async with chat_world(tmp_path) as chat:

        async def project_of(thread_id: str) -> str:
            return (await chat.chat.get_thread(thread_id)).project_id

        tools = make_service(paths, bus=chat.bus, built_in=(project_folder(project_of, lambda: tools.changes),))
        await tools.switch(ID, is_on=True)

        async def load() -> ToolService:
            return tools

        files = AttachmentService(BlobStore(paths.blob_dir), ArtifactRepository(chat.database))
        chat.chat.tools.use(load, ToolLimits, files.add_bytes)
        project = await chat.chat.projects.default()
        try:
            yield _World(chat, tools, folder, project.id)
            await chat.chat.close()
        finally:
            await files.close()
            await tools.close()


def _results(message: Message) -> list[str]:
    return [part.text for part in message.parts if part.type is PartType.TOOL_RESULT]


async def test_the_tools_are_there_in_projects_with_a_folder_alone(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        assert world.tools.on_for(thread_id="t", project_id=world.project_id) == ()
        await world.tools.folders.set(world.project_id, world.folder)
        (server,) = world.tools.on_for(thread_id="t", project_id=world.project_id)
        assert server.folder == str(world.folder)
        assert world.tools.on_for(thread_id="t", project_id="another") == ()
        assert world.tools.on_for(thread_id="t", project_id=None) == ()
        world.folder.rename(tmp_path / "gone")
        assert world.tools.on_for(thread_id="t", project_id=world.project_id) == ()


async def test_a_folder_with_files_of_chatdesk_is_refused_as_a_projects_folder(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        for folder in (tmp_path, tmp_path / "profile", tmp_path / "profile" / "config"):
            with pytest.raises(FolderNotUsable, match="its own files"):
                await world.tools.folders.set(world.project_id, folder)
        (tmp_path / "way").symlink_to(world.folder)
        await world.tools.folders.set(world.project_id, tmp_path / "way")
        assert world.tools.folders.of(world.project_id) == world.folder, "what is kept has no link in it"


async def test_a_model_reads_and_proposes_and_the_answer_has_the_change(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        version = version_of(b"one\ntwo\n")
        edit = {"path": "a.txt", "version": version, "edits": [{"old": "two", "new": "2"}]}
        answer_id = await world.ask(("read_file", {"path": "a.txt"}), ("propose_change", edit))
        await world.allow()
        message = await world.finished(answer_id)
        read, proposed = _results(message)
        assert "one\ntwo" in read and version in read and "Nothing is written" in proposed
        (part,) = [each for each in message.parts if each.type is PartType.FILE]
        change = change_from(part.content)
        assert change is not None and (change.path, change.added, change.removed) == ("a.txt", 1, 1)
        assert "+2" in part.content["file_diff"]["text"]
        rows = await world.chat.database.read(
            lambda conn: conn.exec_driver_sql("SELECT kind, mime, size_bytes, sha256 FROM artifacts").all()
        )
        assert [(each.kind, each.sha256) for each in rows] == [("file_diff", part.content["sha256"])]
        key = (change.id, part.content["sha256"])
        assert await world.tools.changes.states([key]) == {key: ChangeState.PROPOSED}
        await world.tools.changes.apply(*key)
        assert (world.folder / "a.txt").read_text() == "one\n2\n"


async def test_a_branch_shows_the_same_change_and_no_other(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        answer_id = await world.ask(("propose_change", {"path": "b.txt", "content": "new\n"}))
        await world.finished(answer_id)
        branch = await world.chat.chat.paths.branch_thread(answer_id)
        page = await world.chat.chat.reader.get_thread_messages(branch.id, 10, None, None)
        (part,) = [each for each in page.messages[-1].parts if each.type is PartType.FILE]
        change = change_from(part.content)
        assert change is not None
        key = (change.id, part.content["sha256"])
        await world.tools.changes.apply(*key)
        assert (world.folder / "b.txt").read_text() == "new\n"
        (original,) = [each for each in (await world.finished(answer_id)).parts if each.type is PartType.FILE]
        assert original.content == part.content, "it is one change, applied once"
        assert await world.tools.changes.states([key]) == {key: ChangeState.APPLIED}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "b.txt", "content": "new\n"},
        {"path": "a.txt", "content": "new\n"},  # without its version
        {"path": "a.txt", "version": "x", "edits": [{"old": "secret", "new": "2"}]},
        {"path": "no/such.txt", "delete": True},
        {"path": "../../etc/passwd", "content": "x"},
    ],
)
async def test_a_proposal_tells_the_model_nothing_of_the_folder(tmp_path: Path, change: dict[str, Any]) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        answer_id = await world.ask(("propose_change", change))
        message = await world.finished(answer_id)  # nobody was asked: nothing is written
        assert _results(message) == [_PROPOSED]
        files = [each for each in message.parts if each.type is PartType.FILE]
        (call,) = [each for each in message.parts if each.type is PartType.TOOL_CALL]
        assert bool(files) != bool(call.content.get("error")), "the person sees the difference, or why there is none"


async def test_a_permission_holds_for_this_folder_and_project(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        answer_id = await world.ask(("list_folder", {}))
        request = await world.allow(Answer.PROJECT, only_reads=True)
        assert request.answers == (Answer.DENY, Answer.ONCE, Answer.THREAD, Answer.PROJECT)
        await world.finished(answer_id)
        again = await world.finished(await world.ask(("list_folder", {})))
        assert "a.txt" in _results(again)[0], "it is not asked about any more"
        other = tmp_path / "other"
        other.mkdir()
        await world.tools.folders.set(world.project_id, other)
        answer_id = await world.ask(("list_folder", {}))
        await world.allow(Answer.DENY)
        assert "a.txt" not in _results(await world.finished(answer_id))[0]


async def test_a_call_reads_no_other_projects_folder(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        (server,) = world.tools.on_for(thread_id="t", project_id=world.project_id)
        other = await world.chat.library.projects.create("Other", "#123456")
        mine = await world.chat.chat.create_thread(world.project_id, "", "hi")
        theirs = await world.chat.chat.create_thread(other.id, "", "hi")
        await world.chat.chat.turns.wait_for_all()

        async def listed(caller: Caller) -> str:
            return (await world.tools.call(server, "list_folder", {}, caller=caller, timeout_s=5)).text

        assert "a.txt" in await listed(Caller(mine.thread.id, world.project_id))
        for caller in (
            Caller(theirs.thread.id, other.id),
            Caller(theirs.thread.id, other.id, folder=world.folder),  # the service says which folder it is
            Caller(theirs.thread.id, world.project_id),
            Caller(mine.thread.id, other.id),
        ):
            with pytest.raises(NotPossible, match="no folder"):
                await listed(caller)
        await world.chat.library.move([mine.thread.id], other.id)
        with pytest.raises(NotPossible):
            await listed(Caller(mine.thread.id, world.project_id))


async def test_a_temporary_chat_proposes_nothing_that_would_be_lost(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        (server,) = world.tools.on_for(thread_id="t", project_id=world.project_id)
        caller = Caller("t", world.project_id, keeps_files=False)
        arguments = {"path": "b", "content": "x"}
        with pytest.raises(NotPossible, match="temporary"):
            await world.tools.call(server, "propose_change", arguments, caller=caller, timeout_s=5)


async def test_bad_arguments_are_answered(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        await world.tools.folders.set(world.project_id, world.folder)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("read_file", {"path": "../../etc/passwd"}),
            ("read_file", {"path": 7}),
            ("find_files", {"name": "x" * 2_000}),
            ("propose_change", {"path": "a.txt", "content": "new"}),
        ]
        answer_id = await world.ask(*calls)
        for _call in calls[:-1]:
            await world.allow()
        message = await world.finished(answer_id)
        words = ("cannot lead out", "short text", "short text", "The proposal was passed on.")
        assert all(word in text for word, text in zip(words, _results(message), strict=True))
        assert (world.folder / "a.txt").read_text() == "one\ntwo\n"
