"""What may not be sent yet waits in order, is cancelled without loss, and outlives the program."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

from chatdesk.core.chat import sending_queue
from chatdesk.core.chat.ask import ask
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import LimitScope, Rate, ScopedRate
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.errors import NotPossible, ProviderError, ProviderErrorKind, StorageBusy, TurnInProgress
from chatdesk.core.events import EventBus, QueueChanged
from chatdesk.core.providers.base import FinishReason, RateReported, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.chat_world import ChatWorld, ScriptedProvider, chat_world
from tests.helpers.waiting import until

_HOUR = 3_600


HELD = "The provider takes no more requests for now."


def hold(world: ChatWorld) -> None:
    world.chat.queue.record_rate("scripted", "small", RateReport(0, _HOUR))


async def release(world: ChatWorld) -> None:
    world.chat.queue.forget_rate("scripted", "small")
    await world.chat.queue.send_due()


async def test_what_is_over_the_rate_waits_with_its_reason_and_its_place(world: ChatWorld) -> None:
    world.chat.queue.use_rate(Rate(1, _HOUR))
    first = await world.chat.create_thread(None, "", "one")
    await world.answer_of(first)
    second = await world.chat.create_thread(None, "", "two")
    third = await world.chat.create_thread(None, "", "three")
    assert len(world.provider.requests) == 1
    waiting = world.chat.queue.waiting
    assert [each.message_id for each in waiting] == [second.answer.id, third.answer.id]  # type: ignore[union-attr]
    assert [each.before for each in waiting] == [0, 1]
    assert "limit of messages" in waiting[0].reason
    assert waiting[0].sends_at is not None and waiting[1].sends_at is not None
    assert waiting[0].sends_at > Clock().now_ms()
    assert waiting[1].sends_at - waiting[0].sends_at == _HOUR * 1000
    assert (await world.chat.reader.get_message(second.answer.id)).status is Status.PENDING  # type: ignore[union-attr]
    assert [event for event in world.events if isinstance(event, QueueChanged)][-1].waiting == waiting


async def test_it_is_sent_when_its_time_has_come(world: ChatWorld) -> None:
    world.chat.queue.use_rate(Rate(1, 1))
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    second = await world.chat.create_thread(None, "", "two")
    answer = await world.answer_of(second)
    assert answer.status is Status.COMPLETE  # type: ignore[attr-defined]
    assert world.chat.queue.waiting == ()


async def test_a_wider_rate_sends_at_once(world: ChatWorld) -> None:
    world.chat.queue.use_rate(Rate(1, _HOUR))
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    second = await world.chat.create_thread(None, "", "two")
    world.chat.queue.use_rate(None)
    await world.answer_of(second)


async def test_what_this_run_sent_counts_once_for_another_rate(world: ChatWorld) -> None:
    for text in ("one", "two"):
        await world.answer_of(await world.chat.create_thread(None, "", text))
    world.chat.queue.use_rate(Rate(4, _HOUR))
    await world.answer_of(await world.chat.create_thread(None, "", "three"))
    world.chat.queue.use_rate(Rate(4, 2 * _HOUR))
    await world.answer_of(await world.chat.create_thread(None, "", "four"))
    await world.chat.create_thread(None, "", "five")
    assert len(world.chat.queue.waiting) == 1


async def test_a_thread_that_waits_takes_no_other_question(world: ChatWorld) -> None:
    hold(world)
    created = await world.chat.create_thread(None, "", "one")
    assert world.chat.is_answering(created.thread.id)
    with pytest.raises(TurnInProgress):
        await world.chat.send_message(created.thread.id, "two")


async def test_cancelling_keeps_the_question_and_sends_nothing(world: ChatWorld) -> None:
    hold(world)
    created = await world.chat.create_thread(None, "", "one")
    stopped = await world.chat.stop(created.thread.id)
    assert stopped is not None
    assert stopped.status is Status.STOPPED
    page = await world.chat.reader.get_thread_messages(created.thread.id)
    assert [message.text for message in page.messages] == ["one", ""]
    assert world.chat.queue.waiting == ()
    assert not world.provider.requests
    report = await world.repositories.usage.of_thread(created.thread.id)
    assert report.rows == ()  # nothing was asked
    await release(world)
    world.events.clear()
    again = await world.chat.retry_message(stopped.id)
    assert (await world.finished(again.id)) is not None
    assert len(world.provider.requests) == 1


async def test_held_back_until_released_in_order(world: ChatWorld) -> None:
    hold(world)
    made = [await world.chat.create_thread(None, "", text) for text in ("one", "two", "three")]
    assert {each.reason for each in world.chat.queue.waiting} == {HELD}
    assert all(each.sends_at is not None for each in world.chat.queue.waiting)
    last = made[2].answer
    assert last is not None
    await world.chat.queue.send_first(last.id)
    assert world.chat.queue.waiting[0].message_id == last.id
    await release(world)
    await until(lambda: len(world.provider.requests) == 3)
    asked = [request.messages[-1].text for request in world.provider.requests]
    assert asked == ["three", "one", "two"]
    with pytest.raises(NotPossible):
        await world.chat.queue.send_first(last.id)


async def test_a_vendor_that_takes_no_more_holds_up_its_own_only(world: ChatWorld) -> None:
    world.chat.queue.record_rate("scripted", "small", RateReport(0, _HOUR))
    blocked = await world.chat.create_thread(None, "", "one", provider="scripted", model="small")
    free = await world.chat.create_thread(None, "", "two", provider="scripted", model="large")
    await world.answer_of(free)
    (waiting,) = world.chat.queue.waiting
    assert waiting.message_id == blocked.answer.id  # type: ignore[union-attr]
    assert "provider" in waiting.reason


async def test_what_a_vendor_said_in_an_answer_holds_up_the_next_question(world: ChatWorld) -> None:
    world.provider.will(RateReported(RateReport(0, _HOUR)), TextDelta("ok"), StreamFinished(FinishReason.STOP))
    first = await world.chat.create_thread(None, "", "one")
    await world.answer_of(first)
    second = await world.chat.send_message(first.thread.id, "two")
    assert [each.message_id for each in world.chat.queue.waiting] == [second.answer.id]


async def test_a_refusal_with_a_time_holds_up_the_next_question(world: ChatWorld) -> None:
    refusal = ProviderError(ProviderErrorKind.RATE_LIMITED, "Too many.", next_step="Wait.", retry_after_s=_HOUR)
    world.provider.will(refusal)
    created = await world.chat.create_thread(None, "", "one")
    await world.answer_of(created)
    again = await world.chat.retry_message(created.answer.id)  # type: ignore[union-attr]
    assert [each.message_id for each in world.chat.queue.waiting] == [again.id]


async def test_waiting_answers_survive_the_end_of_the_program(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        hold(world)
        made = [await world.chat.create_thread(None, "", text) for text in ("one", "two")]
        await world.chat.queue.send_first(made[1].answer.id)  # type: ignore[union-attr]
    async with chat_world(tmp_path) as world:
        assert (await world.chat.reader.get_message(made[0].answer.id)).status is Status.PENDING  # type: ignore[union-attr]
        hold(world)
        await world.chat.queue.resume()
        await world.chat.queue.resume()  # knows them already
        assert [each.thread_id for each in world.chat.queue.waiting] == [made[1].thread.id, made[0].thread.id]
        await release(world)
        for each in made:
            answer = await world.answer_of(each)
            assert answer.text == "ok"  # type: ignore[attr-defined]


async def test_what_was_sent_before_a_restart_counts(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        await world.answer_of(await world.chat.create_thread(None, "", "one"))
    async with chat_world(tmp_path) as world:
        world.chat.queue.use_rate(Rate(1, _HOUR))
        await world.chat.create_thread(None, "", "two")
        assert len(world.chat.queue.waiting) == 1


async def test_one_whose_provider_is_gone_says_so(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        hold(world)
        created = await world.chat.create_thread(None, "", "one")
    database = ProfileDatabase(tmp_path / "chatdesk.db", clock=Clock(), backup_dir=tmp_path / "backups")
    await database.open()
    provider = ScriptedProvider()
    provider.name = "other"
    chat = ChatService(
        repositories=Repositories.of(database),
        providers=ProviderRegistry([provider], "other", "m"),
        bus=EventBus(),
        clock=Clock(),
    )
    try:
        await chat.queue.resume()
        await chat.turns.wait_for_all()
        answer = await chat.reader.get_message(created.answer.id)  # type: ignore[union-attr]
        assert answer.status is Status.ERROR
        assert "no provider" in (answer.error or "")
    finally:
        await chat.close()
        await database.close()


async def test_deleting_a_thread_takes_it_out_of_the_queue(world: ChatWorld) -> None:
    hold(world)
    created = await world.chat.create_thread(None, "", "one")
    await world.library.delete([created.thread.id])
    assert world.chat.queue.waiting == ()


async def test_a_script_is_told_that_it_waits_and_why(world: ChatWorld) -> None:
    hold(world)
    seen = []
    async for event in ask(world.chat, world.bus, "one"):
        seen.append(event["event"])
        if event["event"] == "waiting":
            assert (event["reason"], event["before"]) == (HELD, 0)
            await release(world)
    assert seen[:2] == ["start", "waiting"]
    assert seen.count("waiting") == 1
    assert seen[-1] == "finish"


async def test_a_script_that_leaves_cancels_what_waits(world: ChatWorld) -> None:
    hold(world)
    async with aclosing(ask(world.chat, world.bus, "one")) as events:
        async for event in events:
            if event["event"] == "waiting":
                break
    assert world.chat.queue.waiting == ()


async def test_a_rate_of_one_project_lets_others_pass(world: ChatWorld) -> None:
    home = await world.chat.projects.default()
    work = await world.repositories.projects.create("Work", "#5B7DB1")
    world.chat.queue.use_rate(None, [ScopedRate(LimitScope.PROJECT, work.id, "1/h")])
    await world.answer_of(await world.chat.create_thread(work.id, "", "one"))
    held = await world.chat.create_thread(work.id, "", "two")
    await world.answer_of(await world.chat.create_thread(home.id, "", "three"))
    (waiting,) = world.chat.queue.waiting
    assert waiting.message_id == held.answer.id  # type: ignore[union-attr]
    assert "in this project" in waiting.reason
    world.chat.queue.use_rate(None)
    await world.answer_of(held)


async def test_a_rate_of_one_provider_counts_what_was_sent_before_it_was_set(world: ChatWorld) -> None:
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    world.chat.queue.use_rate(None, [ScopedRate(LimitScope.PROVIDER, "another", "1/h")])
    await world.answer_of(await world.chat.create_thread(None, "", "two"))
    world.chat.queue.use_rate(Rate(100, _HOUR), [ScopedRate(LimitScope.PROVIDER, "scripted", "2/h")])
    await world.chat.create_thread(None, "", "three")
    (waiting,) = world.chat.queue.waiting
    assert "to this provider" in waiting.reason
    assert waiting.sends_at is not None
    assert waiting.sends_at > Clock().now_ms() + 3_000_000


async def test_what_storage_does_not_let_begin_waits_until_it_does(
    world: ChatWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(world)
    created = await world.chat.create_thread(None, "", "one")
    claim, refusals = WaitingRepository.claim, 0

    async def busy_once(self: WaitingRepository, message_id: str) -> Message:
        nonlocal refusals
        refusals += 1
        if refusals == 1:
            raise StorageBusy
        return await claim(self, message_id)

    monkeypatch.setattr(WaitingRepository, "claim", busy_once)
    monkeypatch.setattr(sending_queue, "STORAGE_REST_S", 0.01)
    await release(world)
    answer = await world.answer_of(created)
    assert (answer.status, refusals) == (Status.COMPLETE, 2)  # type: ignore[attr-defined]


async def test_a_stop_that_cannot_be_stored_is_told_and_what_waited_waits_on(
    world: ChatWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(world)
    created = await world.chat.create_thread(None, "", "one")

    async def busy(_self: object, *_args: object) -> None:
        raise StorageBusy

    with monkeypatch.context() as patch:
        patch.setattr(type(world.repositories.messages), "finish", busy)
        with pytest.raises(StorageBusy):
            await world.chat.stop(created.thread.id)
    assert [each.message_id for each in world.chat.queue.waiting] == [created.answer.id]  # type: ignore[union-attr]
    stopped = await world.chat.stop(created.thread.id)
    assert stopped is not None and stopped.status is Status.STOPPED
    assert world.chat.queue.waiting == ()
