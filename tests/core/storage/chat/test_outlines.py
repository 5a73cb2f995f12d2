"""The questions of a path by pages, and its first message of a day or later."""

from __future__ import annotations

import pytest

from chatdesk.core.chat.message_reader import LARGEST_PAGE
from chatdesk.core.ids import new_id
from tests.helpers.bulk_data import load_many
from tests.helpers.store import Store


async def test_questions_come_by_pages_in_the_order_of_the_path(store: Store) -> None:
    thread = await store.thread()
    for words in ("one\n\ntwo  three", "b", "c"):
        await store.ask(thread, words)
    page = await store.outlines.questions(thread, start=0, limit=2, preview=400)
    assert [(each.preview, each.position) for each in page.questions] == [("one two three", 0), ("b", 2)]
    assert page.next_position == 4
    rest = await store.outlines.questions(thread, start=4, limit=2, preview=400)
    assert [each.preview for each in rest.questions] == ["c"]
    assert rest.next_position is None
    cut = await store.outlines.questions(thread, start=0, limit=1, preview=3)
    assert cut.questions[0].preview == "one"


async def test_only_the_shown_version_is_listed(store: Store) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread, "first")
    await store.ask(thread, "second")
    await store.paths.delete(question, with_later=False)
    page = await store.outlines.questions(thread, start=0, limit=9, preview=400)
    assert "first" not in [each.preview for each in page.questions]
    assert (await store.outlines.questions(new_id(), start=0, limit=9, preview=400)).questions == ()


async def test_the_first_message_of_a_day_or_later_is_found(store: Store) -> None:
    (thread,) = await load_many(store.db, threads=1, messages_per_thread=200)
    page = await store.messages.page(thread, limit=200)
    times = [message.created_at for message in page.messages]
    assert await store.outlines.time_span(thread) == (min(times), max(times))
    found = await store.outlines.first_since(thread, times[100])
    assert found == next(each.id for each in page.messages if each.created_at >= times[100])
    assert await store.outlines.first_since(thread, 0) == page.messages[0].id
    assert await store.outlines.first_since(thread, max(times) + 1) is None
    assert await store.outlines.time_span(new_id()) is None


@pytest.mark.parametrize("limit", [1, LARGEST_PAGE])
async def test_all_pages_together_are_all_questions(store: Store, limit: int) -> None:
    (thread,) = await load_many(store.db, threads=1, messages_per_thread=60)
    positions: list[int] = []
    start: int | None = 0
    while start is not None:
        page = await store.outlines.questions(thread, start=start, limit=limit, preview=40)
        positions += [each.position for each in page.questions]
        start = page.next_position
    shown = (await store.messages.page(thread, limit=60)).messages
    assert positions == [each.position for each in shown if each.role.value == "user"]
