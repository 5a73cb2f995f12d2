"""What is sent of a real thread, and what a reader can do about it."""

from __future__ import annotations

import json

import pytest

from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.message import ContextMark, Message, Role, Status
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import InvalidInput, ThreadNotFound
from chatdesk.core.events import ContextChanged
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import FinishReason, ListedModel, StreamFinished, TextDelta, UsageReported
from tests.helpers.chat_world import ChatWorld


class Thread:
    """One thread in a world, and shorthands."""

    def __init__(self, world: ChatWorld) -> None:
        self.world = world
        self.id = ""
        self.messages: list[Message] = []

    async def ask(self, text: str) -> tuple[str, str]:
        sent = await self.world.chat.send_message(self.id, text)
        await self.world.answer_of(sent)
        return sent.question.id, sent.answer.id

    @property
    def sent(self) -> list[tuple[Role, str]]:
        """The newest request."""
        return [(message.role, message.text) for message in self.world.provider.requests[-1].messages]

    async def reasons(self) -> list[Reason]:
        page = await self.world.chat.context.entries(self.id, 0, 100)
        return [entry.reason for entry in page.entries]


@pytest.fixture
async def thread(world: ChatWorld) -> Thread:
    made = Thread(world)
    made.id = (await world.chat.create_thread(None, "A thread")).thread.id
    return made


def narrow(world: ChatWorld, window: int) -> None:
    """Let the model have a small window."""

    async def list_models() -> tuple[ListedModel, ...]:
        return (ListedModel("small", "Small", window, largest_answer=10),)

    world.provider.list_models = list_models  # type: ignore[method-assign]


async def test_a_turn_sends_the_prompt_and_the_path(world: ChatWorld, thread: Thread) -> None:
    world.chat.context.use_options(ContextOptions(system_prompt="Be brief."))
    await thread.ask("one")
    await thread.ask("two")
    assert thread.sent == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "one"),
        (Role.ASSISTANT, "ok"),
        (Role.USER, "two"),
    ]


async def test_after_regenerating_an_old_answer_only_its_own_past_is_sent(world: ChatWorld, thread: Thread) -> None:
    _, first = await thread.ask("one")
    await thread.ask("two")
    answer = await world.chat.regenerate_response(first)
    await world.finished(answer.id)
    assert thread.sent == [(Role.USER, "one")]
    await thread.ask("three")
    assert [text for _, text in thread.sent] == ["one", "ok", "three"]


async def test_an_edit_sends_the_new_version_and_switching_back_the_old(world: ChatWorld, thread: Thread) -> None:
    question, _ = await thread.ask("one")
    sent = await world.chat.edit_message(question, "other")
    await world.answer_of(sent)
    assert thread.sent == [(Role.USER, "other")]
    await world.chat.paths.select_version(question)
    await thread.ask("two")
    assert [text for _, text in thread.sent] == ["one", "ok", "two"]


async def test_deleted_and_excluded_messages_are_not_sent(world: ChatWorld, thread: Thread) -> None:
    first, answer = await thread.ask("one")
    second, _ = await thread.ask("two")
    await world.chat.paths.delete_message(answer)
    await world.chat.context.steering.mark_message(first, ContextMark.EXCLUDED)
    await thread.ask("three")
    assert [text for _, text in thread.sent] == ["two", "ok", "three"]
    await world.chat.paths.restore_message(answer)
    await world.chat.context.steering.mark_message(first, ContextMark.NONE)
    await world.chat.context.steering.start_at(thread.id, second)
    await thread.ask("four")
    assert [text for _, text in thread.sent] == ["two", "ok", "three", "ok", "four"]
    assert (await thread.reasons())[:2] == [Reason.EXCLUDED] * 2
    await world.chat.context.steering.mark_message(answer, ContextMark.EXCLUDED)
    entries = (await world.chat.context.entries(thread.id)).entries
    assert [entry.is_excluded for entry in entries[:3]] == [False, True, False]
    assert any(isinstance(event, ContextChanged) for event in world.events)


async def test_continuing_sends_the_answer_so_far(world: ChatWorld, thread: Thread) -> None:
    world.provider.will(TextDelta("half"), StreamFinished(FinishReason.LENGTH))
    _, answer = await thread.ask("one")
    world.events.clear()
    await world.chat.continue_message(answer)
    await world.finished(answer)
    assert world.provider.requests[-1].continue_text == "half"
    await thread.ask("two")
    assert [text for _, text in thread.sent] == ["one", "halfok", "two"]


async def test_pinned_messages_stay_when_others_no_longer_fit(world: ChatWorld, thread: Thread) -> None:
    narrow(world, 120)
    await world.chat.context.models.fetch_lists()
    first, _ = await thread.ask("remember me")
    for number in range(10):
        await thread.ask(f"question number {number}")
    await world.chat.context.steering.mark_message(first, ContextMark.PINNED)
    await thread.ask("last")
    texts = [text for _, text in thread.sent]
    assert texts[0] == "remember me"
    assert texts[-1] == "last"
    assert "question number 0" not in texts
    report = await world.chat.context.report(thread.id)
    assert report.pinned_count == 1
    assert report.counts[Reason.DID_NOT_FIT] > 0
    assert sum(report.counts.values()) == report.message_count == 24
    reasons = await thread.reasons()
    assert {reason: reasons.count(reason) for reason in Reason} == dict(report.counts)


async def test_a_message_larger_than_the_window_ends_its_turn_with_its_own_words(
    world: ChatWorld, thread: Thread
) -> None:
    narrow(world, 60)
    await world.chat.context.models.fetch_lists()
    sent = await world.chat.send_message(thread.id, "word " * 200)
    ended = await world.answer_of(sent)
    assert isinstance(ended, Message)
    assert (ended.status, ended.error_type) == (Status.ERROR, "message_larger_than_window")
    assert "choose a model with a larger window" in (ended.error or "")
    assert world.provider.requests == []
    report = await world.chat.context.report(thread.id, "word " * 200)
    assert report.problem is not None
    assert (report.totals.window, report.message_count) == (60, 2)


async def test_a_summary_is_sent_in_place_of_what_it_covers(world: ChatWorld, thread: Thread) -> None:
    first, _ = await thread.ask("one")
    _, last = await thread.ask("two")
    summary = await world.repositories.summaries.add(
        NewSummary(thread.id, first, last, "They counted.", 3, SummaryAuthor.PERSON, pinned_facts=("one is odd",))
    )
    await thread.ask("three")
    assert [role for role, _ in thread.sent] == [Role.SYSTEM, Role.USER]
    assert "They counted." in thread.sent[0][1]
    assert "- one is odd" in thread.sent[0][1]
    report = await world.chat.context.report(thread.id)
    assert (report.summary_id, report.summarised_count) == (summary.id, 4)
    assert report.totals.summary > 0
    assert await thread.reasons() == [Reason.SUMMARISED] * 4 + [Reason.SENT] * 2
    world.chat.context.use_options(ContextOptions(has_summaries=False))
    await thread.ask("four")
    assert len(thread.sent) == 7


async def test_parameters_reach_the_provider_where_the_model_has_them(world: ChatWorld, thread: Thread) -> None:
    await world.chat.context.steering.set_thread_parameters(
        thread.id, Parameters(temperature=0.0, reasoning_effort="high", stop=("END",))
    )
    project = await world.chat.projects.default()
    await world.chat.context.steering.set_project_parameters(project.id, Parameters(answer_length=77, temperature=1.0))
    await thread.ask("one")
    request = world.provider.requests[-1]
    assert (request.temperature, request.max_output_tokens, request.stop) == (0.0, 77, ("END",))
    assert request.reasoning_effort == "high"  # nobody knows whether this model has one
    own, wider = await world.chat.context.steering.own_parameters(thread.id)
    assert own.over(wider) == Parameters(0.0, None, 77, "high", ("END",))
    assert wider.temperature == 1.0
    with pytest.raises(InvalidInput):
        await world.chat.context.steering.set_thread_parameters(thread.id, Parameters(temperature=9))


async def test_the_meter_follows_a_draft_without_reading_the_thread_again(world: ChatWorld, thread: Thread) -> None:
    await thread.ask("one")
    empty = await world.chat.context.totals(thread.id)
    assert empty.used > 0
    assert empty.is_estimate
    await world.database.close()  # whoever reads now fails
    some = await world.chat.context.totals(thread.id, "some words")
    more = await world.chat.context.totals(thread.id, "some words " * 2_000)
    assert 0 == empty.draft < some.draft < more.draft
    assert empty.share < some.share < more.share
    assert more.free < some.free


async def test_the_bytes_of_the_next_request_can_be_had(world: ChatWorld) -> None:
    from chatdesk.core.providers.offline.provider import OfflineProvider
    from chatdesk.core.providers.registry import ProviderRegistry

    world.chat.use_providers(ProviderRegistry([OfflineProvider(speed_tokens_per_s=None)], "offline", "offline-demo"))
    created = await world.chat.create_thread(None, "", "one")
    await world.answer_of(created)
    body = json.loads(await world.chat.context.request_json(created.thread.id, "two"))
    assert body["model"] == "offline-demo"
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][-1]["content"] == "two"


async def test_estimates_learn_from_what_the_provider_reports(world: ChatWorld, thread: Thread) -> None:
    reported = UsageReported(Usage(40, 1))
    world.provider.will(TextDelta("ok"), reported, StreamFinished(FinishReason.STOP))
    before = (await world.chat.context.totals(thread.id, "word " * 50)).draft
    await thread.ask("word")
    for _ in range(100):  # learnt in the background
        after = (await world.chat.context.totals(thread.id, "word " * 50)).draft
        if after > before:
            break
        await world.repositories.threads.get(thread.id)
    assert after > 2 * before


async def test_entries_are_paged(world: ChatWorld, thread: Thread) -> None:
    for number in range(3):
        await thread.ask(f"question {number}")
    page = await world.chat.context.entries(thread.id, 2, 3)
    assert [entry.position for entry in page.entries] == [2, 3, 4]
    assert (page.total, page.entries[0].preview, page.entries[0].role) == (6, "question 1", "user")
    assert all(entry.tokens > 0 for entry in page.entries)
    with pytest.raises(InvalidInput):
        await world.chat.context.entries(thread.id, 0, 0)
    with pytest.raises(ThreadNotFound):
        await world.chat.context.report(new_id())


async def test_an_empty_thread_has_an_empty_report(world: ChatWorld, thread: Thread) -> None:
    report = await world.chat.context.report(thread.id)
    assert (report.message_count, report.totals.used, report.problem) == (0, 0, None)
    assert (await world.chat.context.entries(thread.id)).entries == ()


async def test_a_model_is_known_by_what_its_server_lists(world: ChatWorld) -> None:
    assert not world.chat.context.models.info("scripted", "small").is_known
    narrow(world, 5_000)
    await world.chat.context.models.fetch_lists()
    assert world.chat.context.models.info(None, None).context_window == 5_000
