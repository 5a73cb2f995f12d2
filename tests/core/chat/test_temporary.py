"""A temporary thread: nothing of it on disk before it is kept, and all of it afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatdesk.core.chat.temporary import TemporaryThreads
from chatdesk.core.clock import Clock
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.limits import LimitPeriod, LimitReached, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.errors import NotPossible, StorageError, ThreadNotFound
from chatdesk.core.events import AnswerFinished, ThreadCreated, ThreadDeleted
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from chatdesk.core.transfer.exports.export_service import ExportService
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.checks import integrity_check

WORD = "ziggurat-of-quince"


def temporary_of(world: ChatWorld) -> TemporaryThreads:
    return TemporaryThreads(world.chat, world.database, world.bus, Clock())


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def ended(temporary: TemporaryThreads, answer_id: str) -> None:
    chat = temporary.chat_of(temporary.thread_id)
    await chat.turns.wait_for_all()
    assert (await chat.reader.get_message(answer_id)).status.is_final


async def talk(world: ChatWorld, temporary: TemporaryThreads) -> list[str]:
    """A question in two versions, an answer in two, a message in the trash, a draft; the ids of all messages."""
    thread = await temporary.create()
    chat = temporary.chat_of(thread.id)
    world.provider.will(TextDelta(f"answer {WORD}"), StreamFinished(FinishReason.STOP))
    first = await chat.send_message(thread.id, f"question {WORD}")
    await ended(temporary, first.answer.id)
    again = await chat.regenerate_response(first.answer.id)
    await ended(temporary, again.id)
    edited = await chat.edit_message(first.question.id, f"edited {WORD}")
    await ended(temporary, edited.answer.id)
    last = await chat.send_message(thread.id, "to be deleted")
    await ended(temporary, last.answer.id)
    await chat.paths.delete_message(last.question.id, with_later=True)
    await chat.drafts.save(thread.id, f"draft {WORD}", 3)
    return [first.question.id, first.answer.id, again.id, edited.question.id, edited.answer.id]


async def test_nothing_is_on_disk_before_it_is_kept(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        await talk(world, temporary)
        assert await temporary.holds_something()
        assert WORD.encode() not in bytes_below(tmp_path)
        await temporary.forget()
        assert temporary.thread_id is None
    assert WORD.encode() not in bytes_below(tmp_path)


async def test_what_is_kept_is_the_thread_as_it_was(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        ids = await talk(world, temporary)
        thread_id = temporary.thread_id
        assert thread_id is not None
        chat = temporary.chat_of(thread_id)
        before = [await chat.reader.get_message(each) for each in ids]
        page, tree = await chat.reader.get_thread_messages(thread_id), await chat.reader.get_tree(thread_id)
        old = await chat.get_thread(thread_id)
        kept = await temporary.keep()
        assert temporary.thread_id is None
        assert temporary.chat_of(thread_id) is world.chat
        assert [await world.chat.reader.get_message(each) for each in ids] == before
        assert await world.chat.reader.get_thread_messages(thread_id) == page
        assert await world.chat.reader.get_tree(thread_id) == tree
        assert (kept.id, kept.title, kept.created_at) == (old.id, old.title, old.created_at)
        assert (kept.message_count, kept.total_output_tokens) == (old.message_count, old.total_output_tokens)
        assert kept.project_id == (await world.chat.projects.default()).id
        draft = await world.chat.drafts.get(thread_id)
        assert draft is not None
        assert draft.text == f"draft {WORD}"
        assert await integrity_check(world.database) == []
        assert WORD.encode() in bytes_below(tmp_path)
        assert [event.thread.id for event in world.events if isinstance(event, ThreadCreated)] == [thread_id]
        # It goes on like any other.
        sent = await world.chat.send_message(thread_id, "and now?")
        await world.answer_of(sent)


async def test_what_it_took_is_in_the_ledger_once_it_is_kept(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        await talk(world, temporary)
        thread_id = temporary.thread_id
        assert thread_id is not None
        days = world.repositories.usage_days
        assert await days.cells(0, 10**6) == ()
        await temporary.keep()
        assert sum(cell.total.requests for cell in await days.cells(0, 10**6)) == 4
        report = await world.repositories.usage.of_thread(thread_id)
        assert report is not None


async def test_limits_count_what_is_temporary(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        limit = UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, soft=0, hard=100_000)
        await world.chat.limits.replace([limit])
        temporary = temporary_of(world)
        await talk(world, temporary)
        (state,) = await world.chat.limits.states()
        assert state.spent > 0
        await temporary.forget()
        (after,) = await world.chat.limits.states()
        assert after.spent == state.spent  # the money is spent all the same
        await world.chat.limits.replace([UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=1, soft=0)])
        thread = await temporary.create()
        chat = temporary.chat_of(thread.id)
        refused = await chat.send_message(thread.id, "too much")
        await ended(temporary, refused.answer.id)
        assert (await chat.reader.get_message(refused.answer.id)).error_type == LimitReached.code
        await temporary.forget()


@pytest.mark.parametrize("steps", range(0, 40, 2))
async def test_a_question_sent_in_that_moment_is_neither_lost_nor_left_unanswered(tmp_path: Path, steps: int) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        thread = await temporary.create()
        sending = asyncio.ensure_future(temporary.chat_of(thread.id).send_message(thread.id, "in that moment"))
        for _ in range(steps):
            await asyncio.sleep(0)
        try:
            await temporary.keep()
        except NotPossible:
            await sending
            await temporary.stop()
            await temporary.keep()
        failures = [failure for failure in await asyncio.gather(sending, return_exceptions=True) if failure]
        shown = (await world.chat.reader.get_thread_messages(thread.id)).messages
        assert all(message.status.is_final for message in shown)
        if any(isinstance(each, BaseException) for each in failures):
            assert not shown  # and the window asks again in the thread that was kept
        else:
            assert shown[0].text == "in that moment"


async def test_its_events_have_a_bus_of_their_own(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        heard: list[object] = []
        for kind in (ThreadCreated, ThreadDeleted, AnswerFinished):
            temporary.bus.subscribe(kind, heard.append)
        await talk(world, temporary)
        await temporary.forget()
        assert world.events == []
        assert [type(event) for event in heard] == [ThreadCreated, *[AnswerFinished] * 4, ThreadDeleted]


async def test_there_is_one_at_a_time(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        with pytest.raises(NotPossible):
            await temporary.keep()
        await temporary.forget()
        thread = await temporary.create(provider="scripted", model="small")
        assert (thread.provider, thread.model) == ("scripted", "small")
        assert not await temporary.holds_something()
        with pytest.raises(NotPossible):
            await temporary.create()
        with pytest.raises(ThreadNotFound):
            await world.chat.get_thread(thread.id)
        await temporary.forget()
        assert not await temporary.holds_something()


async def test_an_answer_that_is_written_is_not_cut_in_two(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        thread = await temporary.create()
        gate = asyncio.Event()
        world.provider.will(TextDelta("half"), gate, StreamFinished(FinishReason.STOP))
        sent = await temporary.chat_of(thread.id).send_message(thread.id, "hello")
        with pytest.raises(NotPossible):
            await temporary.keep()
        await temporary.stop()
        kept = await temporary.keep()
        assert kept.id == thread.id
        assert (await world.chat.reader.get_message(sent.answer.id)).status.is_final


async def test_it_stays_where_it_cannot_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chat_world(tmp_path) as world:
        temporary = temporary_of(world)
        ids = await talk(world, temporary)
        thread_id = temporary.thread_id
        world.database.is_read_only = True
        with pytest.raises(StorageError):
            await temporary.keep()
        world.database.is_read_only = False
        assert temporary.thread_id == thread_id
        chat = temporary.chat_of(thread_id)
        assert (await chat.reader.get_message(ids[0])).text == f"question {WORD}"
        await chat.drafts.save(thread_id, "goes on", 0)
        await temporary.keep()


async def test_it_has_the_instructions_of_its_project_and_goes_back_there(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        project = await world.repositories.projects.create("Garden", "green")
        await world.database.write(
            lambda conn: conn.exec_driver_sql(
                "UPDATE projects SET system_prompt = 'Speak of plants.' WHERE id = ?", (project.id,)
            )
        )
        temporary = temporary_of(world)
        thread = await temporary.create(project.id)
        chat = temporary.chat_of(thread.id)
        sent = await chat.send_message(thread.id, "hello")
        await ended(temporary, sent.answer.id)
        assert "Speak of plants." in str(world.provider.requests[-1])
        assert (await temporary.keep()).project_id == project.id


async def test_where_its_project_is_gone_it_goes_to_the_oldest(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        project = await world.repositories.projects.create("Garden", "green")
        temporary = temporary_of(world)
        thread = await temporary.create(project.id)
        sent = await temporary.chat_of(thread.id).send_message(thread.id, "hello")
        await ended(temporary, sent.answer.id)
        await world.database.write(
            lambda conn: conn.exec_driver_sql("UPDATE projects SET deleted_at = 1 WHERE id = ?", (project.id,))
        )
        assert (await temporary.keep()).project_id == (await world.chat.projects.default()).id


async def test_it_is_never_sent_to_a_team_unasked(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        shared = await world.repositories.projects.create("Shared", "green")
        await world.database.write(
            lambda conn: conn.exec_driver_sql(
                "INSERT INTO shared_projects (project_id, workspace_id, role, state, shared_at)"
                " VALUES (?, 'w', 'owner', 'live', 0)",
                (shared.id,),
            )
        )
        temporary = temporary_of(world)
        await temporary.create(shared.id)
        assert (await temporary.keep()).project_id == (await world.chat.projects.default()).id


@pytest.mark.parametrize("kind", [ExportFormat.MARKDOWN, ExportFormat.JSON, ExportFormat.HTML])
async def test_it_is_exported_from_memory(tmp_path: Path, kind: ExportFormat) -> None:
    async with chat_world(tmp_path / "profile") as world:
        temporary = temporary_of(world)
        assert await temporary.image_of(["x"]) is None
        thread = await temporary.create()
        world.provider.will(TextDelta(f"answer {WORD}"), StreamFinished(FinishReason.STOP))
        await ended(temporary, (await temporary.chat_of(thread.id).send_message(thread.id, "why?")).answer.id)
        assert await temporary.image_of([thread.id, "another"]) is None
        assert await temporary.image_of([]) is None
        image = await temporary.image_of([thread.id])
        assert image is not None
        exports = ExportService(image, tmp_path / "blobs", Clock(), printing=())
        target = tmp_path / f"out.{kind.value}"
        report = await exports.export(Choice(thread_ids=(thread.id,)), kind, target, is_apart=True)
        assert (report.threads, report.messages) == (1, 2)
        assert WORD in target.read_text("utf-8")
        assert [each.name for each in tmp_path.iterdir() if each.name != "profile"] == [target.name]
        assert WORD.encode() not in bytes_below(tmp_path / "profile")
        assert temporary.thread_id == thread.id
        await temporary.forget()
