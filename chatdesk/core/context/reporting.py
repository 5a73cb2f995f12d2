"""Reports a request to the reader: how many messages are sent or left out for which reason, and that of each one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from chatdesk.core.context.assembler import Prepared
from chatdesk.core.context.budget import Selection, TokenBudget
from chatdesk.core.context.groups import Group
from chatdesk.core.domain.context import (
    ContextEntry,
    ContextFrame,
    ContextReport,
    ContextTotals,
    PathCounts,
    Reason,
)
from chatdesk.core.domain.message import ContextMark, PartType
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.errors import DoesNotFit, InvalidInput
from chatdesk.core.texts import Text

_LARGEST_PAGE = 500
_LONGEST_PREVIEW = 120
# More groups than this take a noticeable part of a frame.
_MOST_AT_ONCE = 2_000

CountBetween = Callable[[int, int], Awaitable[PathCounts]]


def check_page(limit: int) -> None:
    """Raise ``InvalidInput`` for more rows than a page holds."""
    if not 1 <= limit <= _LARGEST_PAGE:
        raise InvalidInput(
            Text("A page holds 1 to {largest_page} rows.", largest_page=str(_LARGEST_PAGE)),
            safe=Text("Nothing was changed."),
            next_step="",
        )


def impossible_report(frame: ContextFrame, provider: str, info: ModelInfo, error: DoesNotFit) -> ContextReport:
    """Return the report where no request can be made, and why."""
    budget = TokenBudget.of(info.context_window, answer=info.largest_answer)
    empty = ContextTotals(budget.window, budget.reserved)
    return ContextReport(frame.thread_id, provider, info.id, empty, frame.message_count, problem=error.sentence)


async def report_of(prepared: Prepared, provider: str, count_between: CountBetween) -> ContextReport:
    """Return the report of a request. ``count_between`` counts messages of the shown path from one position to another,
    both included: for those that are not in memory."""
    frame, selection = prepared.frame, prepared.selection
    tail = prepared.candidates.tail
    first_known = frame.end + 1 if tail.first is None else tail.first
    counts = await _counts_before(prepared, first_known, count_between)
    groups = list(tail)
    if len(groups) > _MOST_AT_ONCE:
        counts += await asyncio.to_thread(_counts_of, selection, groups)
    else:
        counts += _counts_of(selection, groups)
    return ContextReport(
        thread_id=frame.thread_id,
        provider=provider,
        model=prepared.info.id,
        totals=prepared.totals(),
        message_count=frame.message_count,
        counts={reason: counts[reason] for reason in Reason},
        summarised_count=prepared.summary.message_count if prepared.summary and selection.has_summary else 0,
        pinned_count=selection.pinned_count,
        recent_count=selection.recent_count,
        starts_at_id=frame.starts_at_id,
        summary_id=prepared.summary.id if prepared.summary and selection.has_summary else None,
        stale_summary_id=frame.stale_summary_id,
        memories=prepared.memories.entries,
        memories_not_sent=prepared.memories.not_sent,
    )


async def _counts_before(prepared: Prepared, end: int, count_between: CountBetween) -> Counter[Reason]:
    """Count the messages before the position ``end`` by reason; none of them is sent unless it is pinned."""
    counts: Counter[Reason] = Counter()
    selection = prepared.selection
    start = min(selection.starts_at, end)
    if end <= 0:
        return counts
    if start > 0:
        counts[Reason.EXCLUDED] += (await count_between(0, start - 1)).total
    summarised_end = min(selection.summarised_to + 1, end) if selection.has_summary else start
    for first, last, fate in (
        (start, summarised_end - 1, Reason.SUMMARISED),
        (max(start, summarised_end), end - 1, Reason.DID_NOT_FIT),
    ):
        if first > last:
            continue
        found = await count_between(first, last)
        sent = sum(
            len(group.rows)
            for group in prepared.candidates.pinned
            if group.first in selection.chosen and first <= group.first <= last
        )
        counts[Reason.EXCLUDED] += found.excluded
        counts[Reason.EMPTY] += found.empty
        counts[Reason.SENT] += sent
        counts[fate] += found.total - found.excluded - found.empty - sent
    return counts


def _counts_of(selection: Selection, groups: Iterable[Group]) -> Counter[Reason]:
    counts: Counter[Reason] = Counter()
    for group in groups:
        counts[selection.reason(group)] += len(group.rows)
    return counts


def entries_of(prepared: Prepared, groups: Iterable[Group]) -> list[ContextEntry]:
    """Return every message in ``groups`` with the reason why it is sent or not."""
    return [
        ContextEntry(
            message_id=row.id,
            position=row.position,
            role=row.role.value,
            preview=_preview([part.text for part in row.parts if part.kind is PartType.TEXT]),
            tokens=prepared.budget.scaled(sum(part.tokens or 0 for part in row.parts)),
            is_estimate=prepared.is_estimate,
            reason=prepared.selection.reason(group),
            is_pinned=row.mark is ContextMark.PINNED,
            is_excluded=row.mark is ContextMark.EXCLUDED,
        )
        for group in groups
        for row in group.rows
    ]


def _preview(texts: list[str]) -> str:
    return " ".join("".join(texts)[: 4 * _LONGEST_PREVIEW].split())[:_LONGEST_PREVIEW]
