"""Endpoints of summaries, which stand for the oldest messages of a thread in requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.summary import Summary, SummaryStage, SummaryWork
from chatdesk.core.errors import SummaryNotFound, ThreadNotFound
from chatdesk.core.storage.engine.repeated_request import DoneRequest
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.forms import BODY, only_change
from chatdesk.service.rest.threads import reached_thread
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class SummaryAnswer:
    """A version of a summary, from one message to another, both included."""

    id: str
    thread_id: str
    version: int
    from_message_id: str
    to_message_id: str
    text: str
    tokens: int
    provider: str | None
    model: str | None
    author: str
    state: str
    pinned_facts: tuple[str, ...]
    message_count: int
    created_at: str


@dataclass(frozen=True, slots=True)
class SummaryWorkAnswer:
    """A summary that is being made or waits. In stage ``asking`` it waits for an agreement to its cost. Planned figures
    are estimates from before; the others count the requests so far."""

    stage: str
    provider: str
    model: str
    planned_requests: int
    planned_tokens: int
    planned_cost_usd: float | None
    requests: int
    tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class SummariesAnswer:
    """All versions, the newest first, and the ``work`` on another one, null without any."""

    summaries: tuple[SummaryAnswer, ...]
    work: SummaryWorkAnswer | None


@dataclass(frozen=True)
class SummaryWanted:
    """A summary to make again, in the background. ``agrees`` accepts the cost of a summary in stage ``asking``."""

    __pydantic_config__ = BODY
    agrees: bool = False


@dataclass(frozen=True)
class SummaryChange:
    """One change of a summary: another text, which becomes a version, or whether the summary is sent."""

    __pydantic_config__ = BODY
    text: str | None = None
    is_on: bool | None = None


def summary_answer(summary: Summary) -> SummaryAnswer:
    return SummaryAnswer(
        summary.id,
        summary.thread_id,
        summary.version,
        summary.from_message_id,
        summary.to_message_id,
        summary.text,
        summary.tokens,
        summary.provider,
        summary.model,
        summary.author.value,
        summary.state.value,
        summary.pinned_facts,
        summary.message_count,
        iso(summary.created_at),
    )


def summaries_answer(found: tuple[tuple[Summary, ...], SummaryWork | None]) -> SummariesAnswer:
    summaries, work = found
    return SummariesAnswer(
        tuple(summary_answer(each) for each in summaries), None if work is None else _work_answer(work)
    )


def _work_answer(work: SummaryWork) -> SummaryWorkAnswer:
    return SummaryWorkAnswer(
        work.stage.value,
        work.provider,
        work.model,
        work.planned_requests,
        work.planned_tokens,
        work.planned_cost_usd,
        work.requests,
        work.tokens,
        work.cost_usd,
    )


async def _list(call: Call[Any, Any]) -> tuple[tuple[Summary, ...], SummaryWork | None]:
    thread = await reached_thread(call, call.path["thread_id"])
    summaries = call.services.chat.context.summaries
    return await summaries.list(thread.id), summaries.work_on(thread.id)


async def _make(call: Call[None, SummaryWanted]) -> tuple[tuple[Summary, ...], SummaryWork | None]:
    thread, context = await reached_thread(call, call.path["thread_id"]), call.services.chat.context
    work = context.summaries.work_on(thread.id)
    if call.body.agrees and work is not None and work.stage is SummaryStage.ASKING:
        context.summaries.agree(thread.id)
    else:
        await context.redo_summary(thread.id)
    call.allowances.follow_summary(call.caller, thread.id, call.request_id)
    return await _list(call)


async def _summary(call: Call[Any, Any], summary_id: str) -> Summary:
    summary = await call.services.repositories.summaries.get(summary_id)
    try:
        await reached_thread(call, summary.thread_id)
    except ThreadNotFound:
        raise SummaryNotFound from None
    return summary


async def _read(call: Call[Any, Any]) -> Summary:
    return await _summary(call, call.path["summary_id"])


async def _change(call: Call[None, SummaryChange]) -> Summary:
    summary = await _read(call)
    name, value = only_change(call.body)
    summaries = call.services.chat.context.summaries
    if name == "text":
        return await summaries.edit(summary.id, value)
    return await summaries.switch(summary.id, is_on=value)


async def _changed(call: Call[Any, Any], done: DoneRequest) -> Summary:
    return await _summary(call, done.first("summary"))


_IN_THREAD: Final = "/api/v1/threads/{thread_id}/summaries"
_ONE: Final = "/api/v1/summaries/{summary_id}"
ENDPOINTS: Final = (
    Endpoint("GET", _IN_THREAD, _list, "List the summaries of a thread", summaries_answer),
    Endpoint(
        "POST",
        _IN_THREAD,
        _make,
        "Make a summary anew",
        summaries_answer,
        scope=Scope.ASK,
        body=SummaryWanted,
        status=202,
    ),
    Endpoint("GET", _ONE, _read, "Read a summary", summary_answer),
    Endpoint(
        "PATCH",
        _ONE,
        _change,
        "Change a summary",
        summary_answer,
        scope=Scope.WRITE,
        body=SummaryChange,
        again=_changed,
        guards="summary",
    ),
)
