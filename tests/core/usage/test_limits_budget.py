"""What may be spent on a day in the background: never more than the limit, whatever runs side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.domain.limits import BackgroundLimitReached
from chatdesk.core.domain.usage import Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.storage.usage.days import UsageDayRepository
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.usage.limits import BackgroundBudget, day_of
from chatdesk.core.usage.usage_service import UsageService
from tests.helpers.store import MovableClock, Store

_DAY_MS = 24 * 3_600_000


@pytest.fixture
async def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Store(tmp_path / "chatdesk.db", MovableClock())
    await made.db.open()
    yield made
    await made.db.close()


def _budget(store: Store, limit: int) -> BackgroundBudget:
    return BackgroundBudget(UsageRepository(store.db), store.clock, tokens_per_day=limit)


async def _spend(store: Store, tokens: int, kind: UsageKind = UsageKind.SUMMARY) -> None:
    event = UsageEvent(kind, None, "p", "m", "complete", Spent(Usage(tokens)))
    await UsageRepository(store.db).add(event)


async def test_without_a_limit_everything_is_allowed(store: Store) -> None:
    await _spend(store, 10**6)
    await _budget(store, 0).reserve(UsageKind.TITLE, 10**9)


async def test_a_request_that_would_pass_the_limit_is_held_back_until_midnight(store: Store) -> None:
    budget = _budget(store, 100)
    await _spend(store, 60)
    await _spend(store, 10**6, UsageKind.ANSWER)  # somebody waits for it
    await budget.reserve(UsageKind.TITLE, 40)
    budget.release(UsageKind.TITLE)
    with pytest.raises(BackgroundLimitReached, match="limit of 100 tokens") as caught:
        await budget.reserve(UsageKind.TITLE, 41)
    assert caught.value.until_ms == day_of(store.clock.now_ms())[1]
    assert "tomorrow" in caught.value.sentence
    store.clock.now += _DAY_MS
    await budget.reserve(UsageKind.TITLE, 100)


async def test_running_requests_count_as_spent(store: Store) -> None:
    budget = _budget(store, 100)
    await budget.reserve(UsageKind.SUMMARY, 80)
    with pytest.raises(BackgroundLimitReached):
        await budget.reserve(UsageKind.TITLE, 30)
    await budget.reserve(UsageKind.SUMMARY, 90)  # the next one of a kind takes the place of the one before
    budget.release(UsageKind.SUMMARY)
    await budget.reserve(UsageKind.TITLE, 30)


async def test_a_request_that_never_came_back_holds_nothing_back_for_long(store: Store) -> None:
    budget = _budget(store, 100)
    await budget.reserve(UsageKind.SUMMARY, 80)
    store.clock.now += 6 * 60_000
    await budget.reserve(UsageKind.TITLE, 30)


async def test_a_new_limit_holds_at_once(store: Store) -> None:
    budget = _budget(store, 10)
    with pytest.raises(BackgroundLimitReached):
        await budget.reserve(UsageKind.TITLE, 20)
    budget.set_limit(20)
    await budget.reserve(UsageKind.TITLE, 20)


async def test_the_service_reads_sums(store: Store) -> None:
    usage = UsageService(UsageRepository(store.db), UsageDayRepository(store.db), store.clock)
    thread = await store.thread()
    await _spend(store, 5)
    assert (await usage.of_thread(thread)).rows == ()
    everything = await usage.between(0, store.clock.now_ms())
    assert everything.total.input_tokens == 5
    project = (await store.projects.default()).id
    assert (await usage.between(0, store.clock.now_ms(), project_id=project)).rows == ()
