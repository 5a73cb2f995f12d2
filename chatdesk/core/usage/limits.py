"""UsageLimits decides whether a request may be made, given the spending of today and this month.

Days and months begin at local midnight. A running request counts at its estimate until it ends. A request of unknown
price counts its tokens and no money.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import (
    BackgroundLimitReached,
    Expected,
    LimitPeriod,
    LimitReached,
    LimitScope,
    LimitUnit,
    UsageLimit,
)
from chatdesk.core.domain.usage import UsageKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.events import AnswerFinished, EventBus, LimitNear
from chatdesk.core.local_days import date_of, day_number, month_of, start_ms
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.storage.usage.limits import UsageLimitRepository
from chatdesk.core.texts import Sentences, Text

_MOST_LIMITS = 200
_MOST_REMEMBERED = 1_000
# As in a date.
_MONTHS = (
    Text("January"),
    Text("February"),
    Text("March"),
    Text("April"),
    Text("May"),
    Text("June"),
    Text("July"),
    Text("August"),
    Text("September"),
    Text("October"),
    Text("November"),
    Text("December"),
)


@dataclass(frozen=True, slots=True)
class LimitState:
    """The part of a limit that is used up in the present period, which ends at ``until_ms`` (milliseconds UTC)."""

    limit: UsageLimit
    spent: float
    until_ms: int


@dataclass(frozen=True, slots=True)
class _OpenRequest:
    provider: str
    project_id: str
    expected: Expected
    is_allowed: bool = False


class UsageLimits:
    """The limits that the person set, on the services' loop."""

    def __init__(self, store: UsageLimitRepository, clock: Clock, bus: EventBus) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._limits: tuple[UsageLimit, ...] | None = None
        self._under_way: dict[str, _OpenRequest] = {}
        self._allowed_once: set[str] = set()
        self._subscription = bus.subscribe(AnswerFinished, lambda event: self.release(event.message.id))

    async def all(self) -> tuple[UsageLimit, ...]:
        self._limits = await self._store.all()
        return self._limits

    async def states(self) -> tuple[LimitState, ...]:
        """Return all limits, with the used part of each."""
        return await self._states_of(await self.all())

    async def replace(self, limits: Sequence[UsageLimit]) -> None:
        """Replace all limits, from the next request on. Raises ``InvalidInput``."""
        kept = tuple(limit for limit in limits if limit.soft or limit.hard)
        for limit in kept:
            _check(limit)
        if len(kept) > _MOST_LIMITS or len({limit.key for limit in kept}) != len(kept):
            raise InvalidInput(
                Text(
                    "There may be {most_limits} limits, one of a kind for each period.", most_limits=str(_MOST_LIMITS)
                ),
                safe=Text("The old limits hold on."),
                next_step=Text("Remove one of them."),
            )
        await self._store.replace(kept)
        self._limits = kept

    def allow_once(self, answer_id: str) -> None:
        """Let one answer be asked for whatever the limits say, because the person said so."""
        if len(self._allowed_once) < _MOST_REMEMBERED:
            self._allowed_once.add(answer_id)

    async def admit(self, answer_id: str, thread_id: str, *, provider: str, expected: Expected) -> None:
        """Count a request that is about to be made. Raises ``LimitReached`` where it must not be; publishes
        ``LimitNear`` the first time in a period that it goes beyond a warning."""
        limits = await self._known()
        if not limits:
            return
        project_id = await self._store.project_of(thread_id) or ""
        asked = _OpenRequest(provider, project_id, expected)
        states = await self._states_of([limit for limit in limits if _concerns(limit, asked)])
        is_allowed = answer_id in self._allowed_once
        self._allowed_once.discard(answer_id)
        for state in states:
            limit, more = state.limit, _amount(state.limit, expected)
            if limit.hard and not is_allowed and (state.spent + more > limit.hard or state.spent >= limit.hard):
                raise _reached(state, more)
        self._under_way[answer_id] = replace(asked, is_allowed=is_allowed)
        for state in states:
            limit = state.limit
            if limit.soft and state.spent + _amount(limit, expected) > limit.soft:
                await self._warn(state)

    async def admit_next(self, answer_id: str, thread_id: str, *, provider: str, expected: Expected) -> None:
        """Count a further request of an answer, in place of the previous one, which is in the ledger by now. The
        person's consent for the answer covers it, too. Raises and publishes as ``admit``."""
        before = self._under_way.pop(answer_id, None)
        if before is not None and before.is_allowed:
            self.allow_once(answer_id)
        await self.admit(answer_id, thread_id, provider=provider, expected=expected)

    def release(self, answer_id: str) -> None:
        """Stop counting the estimate of a request that is in the ledger, or came to nothing."""
        self._under_way.pop(answer_id, None)

    async def admit_background(self, expected_tokens: int, *, provider: str, thread_id: str) -> None:
        """Raise ``BackgroundLimitReached`` if background work would pass a warning, or the stop of a limit
        without warning."""
        limits = await self._known()
        if not limits:
            return
        project_id = await self._store.project_of(thread_id) or ""
        expected = Expected(expected_tokens)
        asked = _OpenRequest(provider, project_id, expected)
        for state in await self._states_of([limit for limit in limits if _concerns(limit, asked)]):
            limit = state.limit
            end = limit.soft or limit.hard
            if state.spent >= end or state.spent + _amount(limit, expected) > end:
                raise BackgroundLimitReached.of(
                    f"{limit.amount_text(end)} {limit.name}", limit.amount_text(state.spent), until_ms=state.until_ms
                )

    def close(self) -> None:
        self._subscription.cancel()

    # Inside

    async def _known(self) -> tuple[UsageLimit, ...]:
        return await self.all() if self._limits is None else self._limits

    async def _states_of(self, limits: Sequence[UsageLimit]) -> tuple[LimitState, ...]:
        if not limits:
            return ()
        today = day_number(self._clock.now_ms())
        periods = [_period(limit, today) for limit in limits]
        spent = await self._store.spent(limits, [first for first, _ in periods])
        states = []
        for limit, (_, end), (tokens, cost) in zip(limits, periods, spent, strict=True):
            known = float(tokens) if limit.unit is LimitUnit.TOKENS else cost
            coming = sum(_amount(limit, each.expected) for each in self._under_way.values() if _concerns(limit, each))
            states.append(LimitState(limit, known + coming, start_ms(end)))
        return tuple(states)

    async def _warn(self, state: LimitState) -> None:
        """Publish a warning once a day, also where the period is a month."""
        today = day_number(self._clock.now_ms())
        limit = state.limit
        if await self._store.mark_warned(limit.key, today):
            self._bus.publish(
                LimitNear(
                    Sentences.of(
                        Text(
                            "The warning at {amount} {name} is passed: with this question it is about {spent}.",
                            amount=limit.amount_text(limit.soft),
                            name=limit.name,
                            spent=limit.amount_text(state.spent),
                        ),
                        Text("Nothing is sent beyond {amount}.", amount=limit.amount_text(limit.hard))
                        if limit.hard
                        else "",
                        Text("Titles and summaries wait."),
                    )
                )
            )


def _check(limit: UsageLimit) -> None:
    for amount in (limit.soft, limit.hard):
        if not math.isfinite(amount) or not 0 <= amount <= 1e15:
            raise InvalidInput(
                Text("A limit must be a number from 0 on."),
                safe=Text("The old limits hold on."),
                next_step=Text("Correct the number."),
            )
    if limit.soft and limit.hard and limit.soft > limit.hard:
        raise InvalidInput(
            Text("The warning {name} is above its stop.", name=limit.name),
            safe=Text("The old limits hold on."),
            next_step=Text("Give the warning a smaller number."),
        )


def _concerns(limit: UsageLimit, asked: _OpenRequest) -> bool:
    if limit.scope is LimitScope.ALL:
        return True
    return limit.target == (asked.provider if limit.scope is LimitScope.PROVIDER else asked.project_id)


def _amount(limit: UsageLimit, expected: Expected) -> float:
    return float(expected.tokens) if limit.unit is LimitUnit.TOKENS else expected.cost_usd or 0.0


def _period(limit: UsageLimit, today: int) -> tuple[int, int]:
    return month_of(today) if limit.period is LimitPeriod.MONTH else (today, today + 1)


def _reached(state: LimitState, more: float) -> LimitReached:
    limit = state.limit
    first = date_of(day_number(state.until_ms))
    end = (
        Text("tomorrow")
        if limit.period is LimitPeriod.DAY
        else Text("on {day} {month}", day=str(first.day), month=_MONTHS[first.month - 1])
    )
    reached = Text(
        "The limit of {amount} {name} is reached: {spent} are used.",
        amount=limit.amount_text(limit.hard),
        name=limit.name,
        spent=limit.amount_text(state.spent),
    )
    if more:
        reached = Text(
            "The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.",
            amount=limit.amount_text(limit.hard),
            name=limit.name,
            spent=limit.amount_text(state.spent),
            needed=limit.amount_text(more),
        )
    return LimitReached(
        reached,
        next_step=Text("The limit starts again {end}. Raise it, or send this question anyway.", end=end),
        until_ms=state.until_ms,
    )


# A request that ended without a word holds nothing back for longer.
_LONGEST_REQUEST_MS = 5 * 60_000


class BackgroundBudget:
    """The tokens for work in the background on one day. Days begin at local midnight; a limit of 0 is none."""

    def __init__(
        self, usage: UsageRepository, clock: Clock, *, tokens_per_day: int = 0, limits: UsageLimits | None = None
    ) -> None:
        """Create the budget over the ledger and the limit. ``limits``: those on everything that is spent; work in the
        background stops at their warnings."""
        self._limits = limits
        self._usage = usage
        self._clock = clock
        self._tokens_per_day = tokens_per_day
        self._reserved: dict[UsageKind, tuple[int, int]] = {}  # the tokens, and the time when the reservation ends

    def set_limit(self, tokens_per_day: int) -> None:
        self._tokens_per_day = tokens_per_day

    async def reserve(self, kind: UsageKind, expected_tokens: int, *, provider: str = "", thread_id: str = "") -> None:
        """Reserve tokens for a request of about that size, its answer included. Raises ``BackgroundLimitReached`` where
        that would be more than the day allows. The tokens count as spent until ``release``, for one request of a kind
        at a time."""
        limit, now_ms = self._tokens_per_day, self._clock.now_ms()
        self.release(kind)
        if self._limits is not None:
            await self._limits.admit_background(expected_tokens, provider=provider, thread_id=thread_id)
        if not limit:
            return
        start_ms, end_ms = day_of(now_ms)
        spent = await self._usage.background_tokens_since(start_ms)
        spent += sum(tokens for tokens, until_ms in self._reserved.values() if now_ms < until_ms)
        if spent + expected_tokens > limit:
            raise BackgroundLimitReached(limit, spent_tokens=spent, until_ms=end_ms)
        self._reserved[kind] = expected_tokens, now_ms + _LONGEST_REQUEST_MS

    def release(self, kind: UsageKind) -> None:
        """Drop the reservation of a request that is in the ledger, or came to nothing."""
        self._reserved.pop(kind, None)


def day_of(moment_ms: int) -> tuple[int, int]:
    """Return the local midnights before and after a moment, as milliseconds UTC; a day may have 23 or 25 hours."""
    day = day_number(moment_ms)
    return start_ms(day), start_ms(day + 1)
