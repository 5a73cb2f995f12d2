"""Warnings come once a day, stops hold, one question may pass them, and background work ends at the warning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.domain.limits import (
    BackgroundLimitReached,
    Expected,
    LimitPeriod,
    LimitReached,
    LimitScope,
    LimitUnit,
    UsageLimit,
)
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.usage import Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.events import EventBus, LimitNear
from chatdesk.core.local_days import day_number, month_of, start_ms
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.storage.usage.limits import UsageLimitRepository
from chatdesk.core.usage.limits import BackgroundBudget, UsageLimits
from tests.helpers.chat_world import chat_world
from tests.helpers.store import MovableClock, Store

_DAY_MS = 24 * 3_600_000


class World:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.bus = EventBus()
        self.warnings: list[str] = []
        self.bus.subscribe(LimitNear, lambda event: self.warnings.append(event.sentence))
        self.limits = UsageLimits(UsageLimitRepository(store.db), store.clock, self.bus)
        self.thread_id = ""

    async def spend(self, tokens: int, *, provider: str = "p", cost: float | None = None) -> None:
        event = UsageEvent(
            UsageKind.ANSWER, self.thread_id, provider, "m", "complete", Spent(Usage(tokens), cost_usd=cost)
        )
        await UsageRepository(self.store.db).add(event)

    async def ask(self, tokens: int, *, provider: str = "p", cost: float | None = None, name: str = "a") -> None:
        await self.limits.admit(name, self.thread_id, provider=provider, expected=Expected(tokens, cost))
        self.limits.release(name)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(tmp_path / "chatdesk.db", MovableClock())
    await store.db.open()
    made = World(store)
    made.thread_id = await store.thread()
    yield made
    made.limits.close()
    await store.db.close()


def _limit(**more: object) -> UsageLimit:
    values: dict[str, object] = {"scope": LimitScope.ALL, "period": LimitPeriod.DAY, "unit": LimitUnit.TOKENS}
    return UsageLimit(**{**values, **more})  # type: ignore[arg-type]


async def test_without_limits_everything_may_be_asked(world: World) -> None:
    await world.spend(10**9)
    await world.ask(10**9)
    await world.limits.admit_background(10**9, provider="p", thread_id=world.thread_id)


async def test_a_stop_counts_what_is_spent_and_this_question(world: World) -> None:
    await world.limits.replace([_limit(hard=100)])
    await world.spend(60)
    await world.ask(40)
    with pytest.raises(LimitReached) as caught:
        await world.ask(41)
    sentence = caught.value.sentence
    assert "100 tokens a day" in sentence
    assert "60 tokens are used" in sentence
    assert "tomorrow" in sentence
    assert "question is kept" in sentence
    assert caught.value.until_ms == start_ms(day_number(world.store.clock.now_ms()) + 1)
    world.store.clock.now += _DAY_MS
    await world.ask(100)


async def test_what_is_under_way_counts(world: World) -> None:
    await world.limits.replace([_limit(hard=100)])
    await world.limits.admit("one", world.thread_id, provider="p", expected=Expected(80))
    with pytest.raises(LimitReached):
        await world.ask(30, name="two")
    world.limits.release("one")
    await world.ask(30, name="two")


async def test_one_question_may_be_sent_anyway(world: World) -> None:
    await world.limits.replace([_limit(hard=10)])
    world.limits.allow_once("a")
    await world.ask(50)
    with pytest.raises(LimitReached):
        await world.ask(50)


async def test_money_a_month_for_a_provider(world: World) -> None:
    monthly = _limit(
        scope=LimitScope.PROVIDER, target="p", label="The P", period=LimitPeriod.MONTH, unit=LimitUnit.MONEY, hard=2.0
    )
    await world.limits.replace([monthly])
    await world.spend(5, cost=1.5)
    await world.spend(5, provider="q", cost=50)
    await world.ask(10**6, cost=0.4)
    await world.ask(10**6, cost=None)  # nobody knows its price
    await world.ask(10**6, provider="q", cost=99)
    with pytest.raises(LimitReached, match=r"\$2\.00 a month for The P") as caught:
        await world.ask(1, cost=0.6)
    first_of_next = month_of(day_number(world.store.clock.now_ms()))[1]
    assert caught.value.until_ms == start_ms(first_of_next)


async def test_a_project_has_its_own_limit_and_its_present_name(world: World) -> None:
    project = await world.store.projects.default()
    await world.limits.replace(
        [
            _limit(scope=LimitScope.PROJECT, target=project.id, label="old name", hard=10),
            _limit(scope=LimitScope.PROJECT, target="gone", label="gone", hard=10),
        ]
    )
    assert [limit.label for limit in await world.limits.all()] == [project.name]
    await world.spend(10)
    with pytest.raises(LimitReached, match=project.name):
        await world.ask(0)


async def test_a_warning_comes_once_a_day(world: World) -> None:
    await world.limits.replace([_limit(soft=50, hard=1000)])
    await world.ask(40)
    assert world.warnings == []
    await world.spend(45)
    await world.ask(10)
    await world.ask(10)
    assert len(world.warnings) == 1
    assert "50 tokens a day" in world.warnings[0]
    assert "1,000 tokens" in world.warnings[0]
    world.store.clock.now += _DAY_MS
    await world.ask(60)
    assert len(world.warnings) == 2


async def test_background_work_stops_at_the_warning(world: World) -> None:
    await world.limits.replace([_limit(soft=50, hard=1000)])
    budget = BackgroundBudget(UsageRepository(world.store.db), world.store.clock, limits=world.limits)
    await world.spend(30)
    await budget.reserve(UsageKind.TITLE, 10, provider="p", thread_id=world.thread_id)
    with pytest.raises(BackgroundLimitReached, match="50 tokens a day"):
        await budget.reserve(UsageKind.TITLE, 30, provider="p", thread_id=world.thread_id)


async def test_background_work_stops_at_the_stop_where_there_is_no_warning(world: World) -> None:
    await world.limits.replace([_limit(hard=50)])
    with pytest.raises(BackgroundLimitReached):
        await world.limits.admit_background(60, provider="p", thread_id=world.thread_id)


async def test_limits_are_kept_and_seen_with_what_is_used(world: World) -> None:
    await world.limits.replace([_limit(soft=50), _limit(unit=LimitUnit.MONEY)])
    await world.spend(20)
    fresh = UsageLimits(UsageLimitRepository(world.store.db), world.store.clock, world.bus)
    (state,) = await fresh.states()  # the one without numbers is none
    assert (state.limit.soft, state.spent) == (50, 20)
    fresh.close()


@pytest.mark.parametrize(
    "limits",
    [
        [_limit(soft=20, hard=10)],
        [_limit(soft=float("inf"))],
        [_limit(hard=-1)],
        [_limit(hard=1), _limit(hard=2)],
    ],
)
async def test_senseless_limits_are_refused_and_the_old_ones_hold(world: World, limits: list[UsageLimit]) -> None:
    await world.limits.replace([_limit(hard=7)])
    with pytest.raises(InvalidInput):
        await world.limits.replace(limits)
    assert [limit.hard for limit in await world.limits.all()] == [7]


async def test_limits_of_another_version_are_passed_over(world: World) -> None:
    await world.store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO meta (key, value) VALUES ('usage_limits', '[{\"scope\": \"galaxy\"}, 3]')"
        )
    )
    assert await world.limits.all() == ()


async def test_a_question_beyond_the_stop_is_kept_and_can_be_sent_anyway_once(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        await world.chat.limits.replace([_limit(hard=5)])
        created = await world.chat.create_thread(None, "", "one")
        answer = await world.answer_of(created)
        assert answer.status is Status.ERROR  # type: ignore[attr-defined]
        assert answer.error_type == "limit_reached"  # type: ignore[attr-defined]
        assert not world.provider.requests
        world.events.clear()
        world.chat.limits.allow_once(answer.id)  # type: ignore[attr-defined]
        await world.chat.retry_message(answer.id)  # type: ignore[attr-defined]
        again = await world.finished(answer.id)  # type: ignore[attr-defined]
        assert again.text == "ok"  # type: ignore[attr-defined]
