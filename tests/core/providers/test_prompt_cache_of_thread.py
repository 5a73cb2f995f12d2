"""Two turns of a real thread begin alike, so that a vendor finds what it kept of the one before."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.usage import CacheLife, Usage
from chatdesk.core.providers.base import FinishReason, ListedModel, StreamFinished, TextDelta, UsageReported
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from tests.helpers.chat_world import ChatWorld, chat_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with chat_world(tmp_path) as made:
        made.chat.context.use_options(ContextOptions(system_prompt="Be brief.", cache=CacheLife.MINUTES))
        yield made


async def test_two_turns_of_a_thread_share_their_beginning_byte_for_byte(world: ChatWorld) -> None:
    """What was sent for the first question is, up to the end of the question, what is sent for the second one."""
    provider = OpenAICompatibleProvider("scripted", "Scripted", Endpoint.of("http://127.0.0.1:9/v1"))
    created = await world.chat.create_thread(None, "", "Is 97 a prime? “Ja/Nein”, bitte.")
    await world.answer_of(created)
    for question in ("And 99?", "And 101?"):
        await world.answer_of(await world.chat.send_message(created.thread.id, question))
    sent = [await provider.wire_body(replace(request, model="small")) for request in world.provider.requests]
    for earlier, later in itertools.pairwise(sent):
        head = earlier[: earlier.index(b'],"stream_options"')]
        assert later.startswith(head)
        assert later[len(head) :].startswith(b',{"role":"assistant"')


async def test_only_answers_are_worth_keeping(world: ChatWorld) -> None:
    created = await world.chat.create_thread(None, "", "one")
    await world.answer_of(created)
    assert world.provider.requests[0].cache is CacheLife.MINUTES


async def test_written_tokens_are_in_the_ledger_and_at_the_answer(world: ChatWorld) -> None:
    usage = UsageReported(Usage(900, 5, cached_tokens=500, written_tokens=300))
    world.provider.will(TextDelta("ok"), usage, StreamFinished(FinishReason.STOP))
    created = await world.chat.create_thread(None, "", "one")
    answer = await world.answer_of(created)
    assert (answer.cached_tokens, answer.written_tokens) == (500, 300)  # type: ignore[attr-defined]
    (row,) = (await world.repositories.usage.of_thread(created.thread.id)).rows
    assert (row.total.cached_tokens, row.total.written_tokens) == (500, 300)
    cells = await world.repositories.usage_days.cells(0, 100_000)
    assert [cell.total.written_tokens for cell in cells] == [300]
    grouped = await world.repositories.usage_days.grouped(0, 100_000)
    assert {name: cells[0].total.written_tokens for name, cells in grouped.items()} == dict.fromkeys(grouped, 300)


@pytest.mark.parametrize(("setting", "sent"), [(None, None), (700, 700)])
async def test_the_longest_answer_is_the_settings_where_nobody_says(
    world: ChatWorld, setting: int | None, sent: int | None
) -> None:
    world.chat.context.use_options(ContextOptions(longest_answer=setting))
    created = await world.chat.create_thread(None, "", "one")
    await world.answer_of(created)
    assert world.provider.requests[0].max_output_tokens == sent


async def test_a_threads_own_longest_answer_comes_first_and_a_model_is_asked_for_no_more_than_it_writes(
    world: ChatWorld,
) -> None:
    world.chat.context.use_options(ContextOptions(longest_answer=90_000))
    created = await world.chat.create_thread(None, "", "one")
    thread = created.thread.id
    await world.answer_of(created)
    await world.repositories.threads.set_model(thread, "scripted", "gpt-4.1")
    await world.answer_of(await world.chat.send_message(thread, "two"))
    parameters = (await world.chat.context.steering.own_parameters(thread))[0]
    await world.chat.context.steering.set_thread_parameters(thread, type(parameters)(answer_length=50))
    await world.answer_of(await world.chat.send_message(thread, "three"))
    assert [request.max_output_tokens for request in world.provider.requests] == [90_000, 32_768, 50]


async def test_a_full_window_begins_alike_for_many_turns(world: ChatWorld) -> None:
    """Where older messages have to stay behind, they do so a few at a time, not one with each turn."""
    context = world.chat.context
    context.use_options(ContextOptions(has_summaries=False))
    context.models.add_listed("scripted", (ListedModel("small", "Small", 4_000),))
    created = await world.chat.create_thread(None, "", "Question 0. " + "More words follow here. " * 6)
    await world.answer_of(created)
    for number in range(1, 90):
        question = f"Question {number}. " + "More words follow here. " * 6
        await world.answer_of(await world.chat.send_message(created.thread.id, question))
    sent = [request.messages for request in world.provider.requests]
    full = [messages for messages in sent if not messages[0].text.startswith("Question 0.")]
    assert len(full) > 30
    beginnings = {tuple(message.text for message in messages[:2]) for messages in full}
    assert len(beginnings) <= len(full) / 3
    most = max(len(messages) for messages in sent)
    assert min(len(messages) for messages in full) >= most * 7 / 8 - 2
