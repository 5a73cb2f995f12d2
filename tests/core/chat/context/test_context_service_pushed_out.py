"""What a draft pushes out of the request, as the meter tells it."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.context import ContextTotals, Reason
from chatdesk.core.providers.base import ListedModel
from chatdesk.ui.features.inspector.context_binding import sentences_of
from tests.helpers.chat_world import ChatWorld


async def _thread(world: ChatWorld, *, window: int, questions: int) -> str:
    async def list_models() -> tuple[ListedModel, ...]:
        return (ListedModel("small", "Small", window, largest_answer=10),)

    world.provider.list_models = list_models  # type: ignore[method-assign]
    created = await world.chat.create_thread(None, "Full")
    for number in range(questions):
        sent = await world.chat.send_message(created.thread.id, f"question number {number}")
        await world.finished(sent.answer.id)
    await world.chat.context.models.fetch_lists()
    return created.thread.id


@pytest.mark.parametrize("words", [1, 20, 60, 150])
async def test_the_meter_counts_what_a_draft_pushes_out(world: ChatWorld, words: int) -> None:
    thread_id = await _thread(world, window=300, questions=8)
    draft = "word " * words
    totals = await world.chat.context.totals(thread_id, draft)
    alone = (await world.chat.context.report(thread_id)).counts[Reason.SENT]
    beside = (await world.chat.context.report(thread_id, draft)).counts[Reason.SENT]
    assert totals.pushed_out == alone - beside
    assert not totals.is_draft_too_large
    assert (totals.pushed_out > 0) == (totals.share > 1) == (words == 150)


async def test_a_draft_that_does_not_fit_alone_is_told_apart(world: ChatWorld) -> None:
    thread_id = await _thread(world, window=300, questions=2)
    totals = await world.chat.context.totals(thread_id, "word " * 2_000)
    assert totals.is_draft_too_large
    assert totals.pushed_out == 4
    assert "alone does not fit" in sentences_of(totals)[1]


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        (ContextTotals(100, 10, recent=20), "70 tokens are free before older messages stay behind."),
        (ContextTotals(100, 10, recent=80, draft=20, pushed_out=1), "It is full: 1 older message stays behind"),
        (ContextTotals(100, 10, recent=80, draft=20, pushed_out=1_204), "It is full: 1,204 older messages stay behind"),
        (ContextTotals(100, 10, recent=20, has_stale_summary=True), "70 tokens are free"),
        (ContextTotals(100, 10, recent=80, draft=20), "It is full: the oldest messages stay behind when you send."),
    ],
)
def test_the_meter_explains_it_in_words(totals: ContextTotals, said: str) -> None:
    assert sentences_of(totals)[1].startswith(said)
    assert any("summary is out of date" in each for each in sentences_of(totals)) is totals.has_stale_summary
