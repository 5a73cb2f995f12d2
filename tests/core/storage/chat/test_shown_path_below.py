"""What will be shown below a version, read before it is chosen."""

from __future__ import annotations

import random

import pytest

from tests.helpers.store import PLAN, Store


async def _two_ways(store: Store, length: int = 4) -> tuple[str, list[str], list[str]]:
    """A thread whose second question has two versions, each with ``length`` messages from there on; the second way is
    shown."""
    thread = await store.thread()
    top = list(await store.ask(thread, "top"))
    first = [*await store.ask(thread, "one")]
    for number in range(length // 2 - 1):
        first += await store.ask(thread, f"one {number}")
    version, answer, _ = await store.messages.add_question_version(first[0], "other", PLAN)
    assert answer is not None
    await store.answer(answer.id, "other answer")
    second = [version.id, answer.id]
    for number in range(length // 2 - 1):
        second += await store.ask(thread, f"other {number}")
    return thread, [*top, *first], [*top, *second]


async def test_messages_below_are_read_before_they_are_shown(store: Store) -> None:
    thread, first, second = await _two_ways(store)
    page = await store.messages.below(first[2], limit=10)
    assert page is not None
    assert [each.id for each in page.messages] == first[2:]
    assert (page.has_older, page.has_newer, page.thread_id) == (True, False, thread)
    shown = await store.messages.page(thread, limit=10)
    assert [each.id for each in shown.messages] == second  # nothing was changed


async def test_only_the_beginning_is_read(store: Store) -> None:
    _, first, _ = await _two_ways(store)
    page = await store.messages.below(first[2], limit=3)
    assert page is not None
    assert [each.id for each in page.messages] == first[2:5]
    assert page.has_newer


async def test_a_first_question_has_nothing_above_it(store: Store) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread, "first")
    other, _, _ = await store.messages.add_question_version(question, "again", None)
    page = await store.messages.below(question, limit=5)
    assert page is not None
    assert not page.has_older
    assert page.messages[0].id == question
    assert other.id not in [each.id for each in page.messages]


async def test_below_a_message_that_is_not_shown_nothing_is_promised(store: Store) -> None:
    _, first, _ = await _two_ways(store)
    assert await store.messages.below(first[3], limit=5) is None  # its question is not shown


async def test_messages_in_the_trash_are_left_out(store: Store) -> None:
    _, first, second = await _two_ways(store)
    await store.paths.select_version(first[2])
    await store.paths.delete(first[3], with_later=False)
    await store.paths.select_version(second[2])
    page = await store.messages.below(first[2], limit=10)
    assert page is not None
    assert [each.id for each in page.messages] == [first[2], *first[4:]]
    await store.paths.delete(first[2], with_later=False)
    await store.paths.delete(first[4], with_later=True)
    assert await store.messages.below(first[2], limit=10) is None


@pytest.mark.parametrize("seed", range(4))
async def test_it_is_what_choosing_the_version_shows(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    thread = await store.thread()
    ids = [*await store.ask(thread, "first")]
    for number in range(24):
        act = chance.random()
        shown = (await store.messages.page(thread, limit=50)).messages
        questions = [each.id for each in shown if each.role.value == "user"]
        if act < 0.45 or not questions:
            ids += await store.ask(thread, str(number))
        elif act < 0.75:
            version, _, _ = await store.messages.add_question_version(chance.choice(questions), f"v{number}", None)
            ids.append(version.id)
        elif len(shown) > 2:
            await store.paths.delete(chance.choice(shown[1:]).id, with_later=chance.random() < 0.5)
    for message_id in chance.sample(ids, len(ids)):
        if (await store.messages.get(message_id)).deleted_at is not None:
            continue
        page = await store.messages.below(message_id, limit=60)
        await store.paths.select_version(message_id)
        if page is None:
            continue
        now = [each.id for each in (await store.messages.page(thread, limit=200)).messages]
        expected = [each.id for each in page.messages]
        assert now[-len(expected) :] == expected
        assert not page.has_newer
