"""Attached files and very long answers on their way from one profile to another."""

from __future__ import annotations

from pathlib import Path

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.events import SharedFilesChanged
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import PLAN, Desk, desks, until, until_same

PICTURE = bytes(range(256)) * 6_000  # 1.5 MB: two chunks


async def test_an_attached_file_comes_along(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        sha256 = ana.blobs.put((PICTURE,), max_bytes=10**7).sha256
        file = Attachment("plan.bin", "application/octet-stream", sha256, len(PICTURE))
        question, _ = await ana.ask(thread, "see the plan", attachments=[file])
        await until_same(project, [ana, ben])
        await until(lambda: ben.blobs.has(sha256))
        await until(lambda: any(sha256 in event.sha256s for event in ben.heard_of(SharedFilesChanged)))
        await until(lambda: ben.team.known.file_state(sha256) == "")
        assert ben.blobs.read(sha256, max_bytes=10**7) == PICTURE
        message = await ben.repositories.messages.get(question)
        assert [part.type for part in message.parts] == [PartType.FILE, PartType.TEXT]


async def test_a_lost_file_is_missing_and_its_message_still_arrives(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        sha256 = ana.blobs.put((PICTURE,), max_bytes=10**7).sha256
        ana.blobs.remove(sha256)
        file = Attachment("plan.bin", "application/octet-stream", sha256, len(PICTURE))
        await ana.ask(thread, "see the plan", attachments=[file])
        await until_same(project, [ana, ben])
        await until(lambda: ben.team.known.file_state(sha256) == "missing")
        assert (await ben.texts(thread))[0] == "see the plan"


async def test_an_answer_that_is_too_long_for_the_log_arrives_whole(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        thread = await ana.thread(project)
        text = "long " * 300_000
        answer = await _long_answer(ana, thread, text)

        async def has_it() -> bool:
            found = await ben.one("SELECT count(*) FROM messages WHERE id = ?", answer)
            return bool(found) and (await ben.repositories.messages.get(answer)).text == text

        await until(has_it)
        await until_same(project, [ana, ben])


async def _long_answer(desk: Desk, thread_id: str, text: str) -> str:
    messages = desk.repositories.messages
    _, answer, _ = await messages.add_question(thread_id, "tell me all", with_answer=PLAN)
    assert answer is not None
    await messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, text)])
    await messages.finish(answer.id, TurnOutcome(Status.COMPLETE, desk.clock.now_ms(), usage=Usage(3, 5)))
    return answer.id
