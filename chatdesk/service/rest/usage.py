"""Endpoints of usage, its cost, and the limits on both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.usage import UsageReport, UsageSum
from chatdesk.core.local_days import date_of, number_of, start_ms
from chatdesk.core.storage.engine.repeated_request import DoneRequest, StaleEdit
from chatdesk.core.usage.limits import LimitState
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.forms import BODY, QUERY
from chatdesk.service.rest.projects import reached_project
from chatdesk.service.rest.threads import reached_thread
from chatdesk.service.rest.times import iso

_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2900


@dataclass(frozen=True, slots=True)
class SumAnswer:
    """A sum of requests. ``unpriced_requests`` are not in ``cost_usd``, because their price is unknown."""

    requests: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    cost_usd: float
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class UsageRowAnswer:
    """The usage of one model for one kind of work."""

    kind: str
    provider: str
    model: str
    total: SumAnswer


@dataclass(frozen=True, slots=True)
class UsageReportAnswer:
    rows: tuple[UsageRowAnswer, ...]
    total: SumAnswer


@dataclass(frozen=True, slots=True)
class LimitAnswer:
    """A limit, and the amount used of it in the period that ends at ``until``."""

    scope: str
    period: str
    unit: str
    target: str
    soft: float
    hard: float
    spent: float
    until: str


@dataclass(frozen=True, slots=True)
class LimitsAnswer:
    limits: tuple[LimitAnswer, ...]


@dataclass(frozen=True, slots=True)
class LimitsSet:
    """The limits without their used amounts, for If-Match to compare."""

    limits: tuple[tuple[str, str, str, str, float, float], ...]


@dataclass(frozen=True)
class UsageWanted:
    """The requests to add up: of a thread, else of a project or of all, from ``first`` to ``last``, which are local
    days, both included; without them today."""

    __pydantic_config__ = QUERY
    thread_id: str | None = None
    project_id: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class LimitGiven:
    """A limit; there is a warning at ``soft``, and nothing is sent beyond ``hard``; 0 is none."""

    __pydantic_config__ = BODY
    scope: Literal["all", "provider", "project"]
    period: Literal["day", "month"]
    unit: Literal["tokens", "money"]
    target: str = ""
    soft: float = 0.0
    hard: float = 0.0


@dataclass(frozen=True)
class LimitsGiven:
    """All limits; they replace the ones that are there."""

    __pydantic_config__ = BODY
    limits: tuple[LimitGiven, ...]


def usage_answer(report: UsageReport) -> UsageReportAnswer:
    rows = tuple(UsageRowAnswer(row.kind, row.provider, row.model, _sum_answer(row.total)) for row in report.rows)
    return UsageReportAnswer(rows, _sum_answer(report.total))


def _sum_answer(total: UsageSum) -> SumAnswer:
    return SumAnswer(
        total.requests,
        total.input_tokens,
        total.output_tokens,
        total.cached_tokens,
        total.reasoning_tokens,
        total.cost_usd,
        total.unpriced_requests,
    )


def limits_answer(states: tuple[LimitState, ...]) -> LimitsAnswer:
    return LimitsAnswer(tuple(_limit_answer(each) for each in states))


def _limit_answer(state: LimitState) -> LimitAnswer:
    limit = state.limit
    return LimitAnswer(
        limit.scope.value,
        limit.period.value,
        limit.unit.value,
        limit.target,
        limit.soft,
        limit.hard,
        state.spent,
        iso(state.until_ms),
    )


def limits_set(limits: Iterable[LimitState | UsageLimit]) -> LimitsSet:
    found = (each.limit if isinstance(each, LimitState) else each for each in limits)
    return LimitsSet(
        tuple(
            (each.scope.value, each.period.value, each.unit.value, each.target, each.soft, each.hard) for each in found
        )
    )


async def _usage(call: Call[UsageWanted, None]) -> UsageReport:
    wanted, usage = call.query, call.services.usage
    if wanted.thread_id is not None:
        return await usage.of_thread((await reached_thread(call, wanted.thread_id)).id)
    if wanted.project_id is None:
        call.caller.require_all_projects()
    else:
        await reached_project(call, wanted.project_id)
    last = wanted.last or date_of(usage.today())
    first = wanted.first or last
    if not _FIRST_YEAR <= first.year <= last.year <= _LAST_YEAR:
        raise InvalidRequest((("first", f"Days are from {_FIRST_YEAR} to {_LAST_YEAR}, the first before the last"),))
    start, end = start_ms(number_of(first)), start_ms(number_of(last) + 1)
    return await usage.between(start, end, project_id=wanted.project_id)


async def _limits(call: Call[Any, Any]) -> tuple[LimitState, ...]:
    call.caller.require_all_projects()
    return await call.services.chat.limits.states()


async def _replace_limits(call: Call[None, LimitsGiven]) -> tuple[LimitState, ...]:
    call.caller.require_all_projects()
    limits = call.services.chat.limits
    try:
        await limits.replace([_limit(each) for each in call.body.limits])
    except StaleEdit as error:
        raise StaleEdit(await limits.states()) from error
    return await limits.states()


async def _replaced(call: Call[Any, Any], _done: DoneRequest) -> tuple[LimitState, ...]:
    return await _limits(call)


def _limit(given: LimitGiven) -> UsageLimit:
    return UsageLimit(
        LimitScope(given.scope),
        LimitPeriod(given.period),
        LimitUnit(given.unit),
        given.soft,
        given.hard,
        given.target,
    )


ENDPOINTS: Final = (
    Endpoint("GET", "/api/v1/usage", _usage, "Add up what requests took", usage_answer, query=UsageWanted),
    Endpoint("GET", "/api/v1/limits", _limits, "List limits", limits_answer, compares=limits_set),
    Endpoint(
        "PUT",
        "/api/v1/limits",
        _replace_limits,
        "Replace all limits",
        limits_answer,
        scope=Scope.ADMIN,
        body=LimitsGiven,
        again=_replaced,
        guards="limits",
        compares=limits_set,
    ),
)
