"""Adds up the spending in a range of days for a chart, a table and a file. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chatdesk.core.domain.usage import UsageCell, UsageKind, UsageSum
from chatdesk.core.local_days import date_of, number_of
from chatdesk.core.spreadsheet_cells import harmless_cell
from chatdesk.core.texts import Text

_MOST_DAYS, _MOST_WEEKS_AS_DAYS = 120, 800
_KINDS = {
    UsageKind.ANSWER: Text("Answers"),
    UsageKind.TITLE: Text("Titles"),
    UsageKind.SUMMARY: Text("Summaries"),
    UsageKind.TOOL: Text("Tools"),
    UsageKind.EMBEDDING: Text("Embeddings"),
}
_COLUMNS = (
    "day", "project", "provider", "model", "kind", "requests", "input_tokens", "cached_tokens", "written_tokens",
    "output_tokens", "reasoning_tokens", "estimated_requests", "unpriced_requests", "cost_usd",
)  # fmt: skip


class Grouping(StrEnum):
    """The meaning of the rows of an overview."""

    DAY = "day"
    MODEL = "model"
    PROJECT = "project"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """A row of an overview. ``name`` is the whole label, ``short`` a shorter one for narrow places. A row by day has
    the day that it begins with."""

    name: str
    short: str
    total: UsageSum
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The rows of an overview: by day from the first to the last without a gap, else the largest first. ``step`` is the
    length of a row by day: a day, a week or a month."""

    grouping: Grouping
    rows: tuple[OverviewRow, ...]
    total: UsageSum
    step: str = "day"

    @property
    def rows_are(self) -> str:
        """The noun for one row, such as "week" or "model"."""
        return self.step if self.grouping is Grouping.DAY else self.grouping.value


def overview_of(cells: Sequence[UsageCell], grouping: Grouping, *, first_day: int, last_day: int) -> Overview:
    """Add up ``cells``, which are those from ``first_day`` to ``last_day``, both included."""
    total = sum((cell.total for cell in cells), UsageSum())
    if grouping is Grouping.DAY:
        step = _step_of(last_day - first_day + 1)
        return Overview(grouping, _by_day(cells, step, first_day, last_day), total, step)
    sums: dict[str, UsageSum] = {}
    for cell in cells:
        name = _name_of(cell, grouping)
        sums[name] = sums.get(name, UsageSum()) + cell.total
    ordered = sorted(sums.items(), key=lambda item: (-item[1].total_tokens, item[0]))
    return Overview(grouping, tuple(OverviewRow(name, name, spent) for name, spent in ordered), total)


def csv_of(cells: Iterable[UsageCell]) -> str:
    """Return the cells as CSV (RFC 4180), a line for each day, project, model and kind. Text that a spreadsheet would
    take for a formula gets an apostrophe before it."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for cell in cells:
        spent = cell.total
        words = (_project(cell), cell.provider, cell.model, cell.kind)
        writer.writerow(
            (
                date_of(cell.day).isoformat(),
                *(harmless_cell(word) for word in words),
                spent.requests,
                spent.input_tokens,
                spent.cached_tokens,
                spent.written_tokens,
                spent.output_tokens,
                spent.reasoning_tokens,
                spent.estimated_requests,
                spent.unpriced_requests,
                f"{spent.cost_usd:.6f}",
            )
        )
    return target.getvalue()


def _step_of(days: int) -> str:
    if days <= _MOST_DAYS:
        return "day"
    return "week" if days <= _MOST_WEEKS_AS_DAYS else "month"


def _by_day(cells: Sequence[UsageCell], step: str, first_day: int, last_day: int) -> tuple[OverviewRow, ...]:
    sums: dict[int, UsageSum] = {}
    start = _start_of(first_day, step)
    while start <= last_day:
        sums[start] = UsageSum()
        start = _next_start(start, step)
    for cell in cells:
        start = _start_of(cell.day, step)
        sums[start] = sums.get(start, UsageSum()) + cell.total
    return tuple(
        OverviewRow(_day_name(day, step), _day_short(day, step), spent, day) for day, spent in sorted(sums.items())
    )


def _start_of(day: int, step: str) -> int:
    date = date_of(day)
    if step == "week":
        return day - date.weekday()
    return number_of(date.replace(day=1)) if step == "month" else day


def _next_start(day: int, step: str) -> int:
    if step == "month":
        return number_of((date_of(day) + timedelta(days=32)).replace(day=1))
    return day + (7 if step == "week" else 1)


def _day_name(day: int, step: str) -> str:
    date = date_of(day)
    if step == "month":
        return f"{date:%B %Y}"
    words = f"{date.day} {date:%b %Y}"
    return Text("Week of {words}", words=words) if step == "week" else f"{date:%a}, {words}"


def _day_short(day: int, step: str) -> str:
    date = date_of(day)
    return f"{date:%b %Y}" if step == "month" else f"{date.day} {date:%b}"


def _name_of(cell: UsageCell, grouping: Grouping) -> str:
    if grouping is Grouping.PROJECT:
        return _project(cell)
    if grouping is Grouping.KIND:
        return _KINDS.get(UsageKind(cell.kind), cell.kind) if cell.kind in set(UsageKind) else cell.kind
    return cell.model or Text("The server's own model")


def _project(cell: UsageCell) -> str:
    return cell.project_name or (Text("A project that is gone") if cell.project_id else Text("No project"))
