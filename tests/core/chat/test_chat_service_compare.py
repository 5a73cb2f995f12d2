"""Several models asked at once: versions of each other, each with a life of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.errors import EmptyMessage, NotPossible, ProviderError, ProviderErrorKind, TurnInProgress
from chatdesk.core.events import MessageAdded
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.counters import recounted

DONE = StreamFinished(FinishReason.STOP)
TWO = [("scripted", "small"), ("scripted", "large")]


async def _thread(world: ChatWorld) -> str:
    return (await world.chat.create_thread(None, "Compared")).thread.id


async def test_answers_of_several_models_are_versions_and_the_first_is_shown(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        for text in ("a", "b", "c"):
            world.provider.will(TextDelta(text), DONE)
        thread = await _thread(world)
        compared = await world.chat.compare(thread, "which?", [*TWO, ("scripted", "third")])
        answers = [await world.finished(answer.id) for answer in compared.answers]
        assert [(answer.model, answer.text) for answer in answers] == [("small", "a"), ("large", "b"), ("third", "c")]
        page = await world.chat.reader.get_thread_messages(thread)
        assert [message.id for message in page.messages] == [compared.question.id, compared.answers[0].id]
        assert page.messages[1].version_count == 3
        added = [event.message.id for event in world.events if isinstance(event, MessageAdded)]
        assert added == [compared.question.id, compared.answers[0].id]
        kept = await world.chat.paths.select_version(compared.answers[2].id)
        assert kept.current_leaf_id == compared.answers[2].id
        assert await recounted(world.database, thread) == await world.chat.get_thread(thread)
        assert [len(request.messages) for request in world.provider.requests] == [1, 1, 1]


async def test_one_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        release = asyncio.Event()
        failure = ProviderError(ProviderErrorKind.RATE_LIMITED, "It is over its limit.", next_step="Wait.")
        world.provider.will(failure)
        world.provider.will(TextDelta("fine"), release, DONE)
        compared = await world.chat.compare(await _thread(world), "which?", TWO)
        failed = await world.finished(compared.answers[0].id)
        assert failed.status is Status.ERROR
        assert world.chat.is_answering(compared.thread.id)
        release.set()
        assert (await world.finished(compared.answers[1].id)).status is Status.COMPLETE
        assert not world.chat.is_answering(compared.thread.id)


async def test_each_is_stopped_alone_and_all_by_their_thread(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        held = asyncio.Event()
        for text in ("a", "b", "c"):
            world.provider.will(TextDelta(text), held, DONE)
        compared = await world.chat.compare(await _thread(world), "which?", [*TWO, ("scripted", "third")])
        await world.asked(3)
        stopped = await world.chat.stop(compared.answers[1].id)
        assert stopped is not None and (stopped.id, stopped.status) == (compared.answers[1].id, Status.STOPPED)
        assert world.chat.is_answering(compared.thread.id)
        await world.chat.stop(compared.thread.id)
        assert not world.chat.is_answering(compared.thread.id)
        states = [(await world.chat.reader.get_message(answer.id)).status for answer in compared.answers]
        assert states == [Status.STOPPED] * 3
        assert await world.chat.stop(compared.thread.id) is None


async def test_a_stopped_one_goes_on_while_another_is_still_written(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        held = asyncio.Event()
        world.provider.will(TextDelta("half"), held, DONE)
        world.provider.will(TextDelta("other"), held, DONE)
        compared = await world.chat.compare(await _thread(world), "which?", TWO)
        await world.asked(2)
        await world.chat.stop(compared.answers[0].id)
        with pytest.raises(TurnInProgress):
            await world.chat.send_message(compared.thread.id, "too early")
        world.events.clear()
        world.provider.will(TextDelta(" and whole"), DONE)
        await world.chat.continue_message(compared.answers[0].id)
        await world.finished(compared.answers[0].id)
        assert (await world.chat.reader.get_message(compared.answers[0].id)).text.endswith(" and whole")
        held.set()
        assert (await world.finished(compared.answers[1].id)).text == "other"


async def test_what_is_written_when_the_application_closes_can_go_on_later(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        held = asyncio.Event()
        world.provider.will(TextDelta("one"), held)
        world.provider.will(TextDelta("two"), held)
        compared = await world.chat.compare(await _thread(world), "which?", TWO)
        await world.chat.close()
        states = [await world.repositories.messages.get(answer.id) for answer in compared.answers]
        assert [(message.status.can_continue, message.status) for message in states] == [(True, Status.INTERRUPTED)] * 2


@pytest.mark.parametrize("models", [[], TWO[:1], TWO * 3])
async def test_too_few_and_too_many_are_refused(tmp_path: Path, models: list[tuple[str, str]]) -> None:
    async with chat_world(tmp_path) as world:
        thread = await _thread(world)
        with pytest.raises(NotPossible):
            await world.chat.compare(thread, "which?", models)
        assert (await world.chat.get_thread(thread)).message_count == 0


async def test_nothing_is_written_for_an_unknown_provider_or_an_empty_text(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = await _thread(world)
        with pytest.raises(NotPossible):
            await world.chat.compare(thread, "which?", [TWO[0], ("nobody", "x")])
        with pytest.raises(EmptyMessage):
            await world.chat.compare(thread, " ", TWO)
        assert (await world.chat.get_thread(thread)).message_count == 0


async def test_two_who_edit_one_question_at_once_get_a_version_each(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        edits = await asyncio.gather(*(world.chat.edit_message(created.question.id, text) for text in ("mine", "hers")))
        for sent in edits:
            await world.answer_of(sent)
        versions = await world.chat.reader.list_versions(created.question.id)
        assert sorted(version.text for version in versions) == ["hers", "mine", "one"]
        assert await recounted(world.database, created.thread.id) == await world.chat.get_thread(created.thread.id)


async def test_an_edit_while_an_answer_is_written_loses_neither(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        held = asyncio.Event()
        world.provider.will(TextDelta("first answer"), held, DONE)
        created = await world.chat.create_thread(None, "", "one")
        sent = await world.chat.edit_message(created.question.id, "two")
        await world.answer_of(sent)
        held.set()
        assert (await world.answer_of(created)).text == "first answer"


async def test_a_thread_writes_four_answers_at_most(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        held = asyncio.Event()
        for _ in range(4):
            world.provider.will(TextDelta("x"), held, DONE)
        compared = await world.chat.compare(await _thread(world), "which?", TWO * 2)
        with pytest.raises(TurnInProgress):
            await world.chat.edit_message(compared.question.id, "another")
        held.set()
        for answer in compared.answers:
            await world.finished(answer.id)


async def test_edits_of_two_services_over_one_database_become_versions(tmp_path: Path) -> None:
    from chatdesk.core.chat.chat_service import ChatService
    from chatdesk.core.clock import Clock
    from chatdesk.core.providers.registry import ProviderRegistry

    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        other = ChatService(
            repositories=world.repositories,
            providers=ProviderRegistry([world.provider], "scripted", "small"),
            bus=world.bus,
            clock=Clock(),
        )
        try:
            edits = await asyncio.gather(
                world.chat.edit_message(created.question.id, "mine"), other.edit_message(created.question.id, "hers")
            )
            for sent in edits:
                await world.answer_of(sent)
        finally:
            await other.close()
        versions = await world.chat.reader.list_versions(created.question.id)
        assert sorted(version.text for version in versions) == ["hers", "mine", "one"]
