"""Days, models, projects and kinds add up to the same total; the file is safe for spreadsheets."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from chatdesk.core.domain.usage import Spent, Usage, UsageCell, UsageEvent, UsageKind, UsageSum
from chatdesk.core.errors import ExportFailed
from chatdesk.core.local_days import date_of, day_number, month_of, number_of, start_ms
from chatdesk.core.storage.usage.days import UsageDayRepository
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.usage.overview import Grouping, csv_of, overview_of
from chatdesk.core.usage.usage_service import UsageService
from tests.helpers.store import MovableClock, Store

_DAY = number_of(date(2026, 11, 21))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(tmp_path / "chatdesk.db", MovableClock())
    await made.db.open()
    yield made
    await made.db.close()


def _service(store: Store) -> UsageService:
    return UsageService(UsageRepository(store.db), UsageDayRepository(store.db), store.clock)


def _cell(
    day: int = _DAY, *, model: str = "m", kind: str = "answer", project: str = "P", tokens: int = 10
) -> UsageCell:
    return UsageCell(day, kind, "p", model, project and "id", project, UsageSum(1, tokens, 1, 0, 0, 0.5))


def test_days_have_no_gaps() -> None:
    overview = overview_of([_cell(_DAY - 2), _cell()], Grouping.DAY, first_day=_DAY - 3, last_day=_DAY)
    assert [row.total.requests for row in overview.rows] == [0, 1, 0, 1]
    assert overview.rows[-1].name == "Sat, 21 Nov 2026"
    assert overview.rows[-1].short == "21 Nov"
    assert overview.total.requests == 2


def test_many_days_become_weeks_and_months() -> None:
    weeks = overview_of([_cell()], Grouping.DAY, first_day=_DAY - 200, last_day=_DAY)
    assert (weeks.step, weeks.rows_are) == ("week", "week")
    assert weeks.rows[-1].name == "Week of 16 Nov 2026"
    months = overview_of([_cell(), _cell(_DAY - 900)], Grouping.DAY, first_day=_DAY - 900, last_day=_DAY)
    assert months.rows[-1].name == "November 2026"
    assert months.rows[-1].short == "Nov 2026"
    assert sum(row.total.requests for row in months.rows) == 2
    assert len(months.rows) == 30


@pytest.mark.parametrize(
    ("grouping", "names"),
    [
        (Grouping.MODEL, ["big", "The server's own model"]),
        (Grouping.PROJECT, ["P", "A project that is gone"]),
        (Grouping.KIND, ["Answers", "songs"]),
    ],
)
def test_groups_are_the_largest_first(grouping: Grouping, names: list[str]) -> None:
    gone = UsageCell(_DAY, "songs", "p", "", "gone", "", UsageSum(1, 5))
    overview = overview_of([gone, _cell(model="big", tokens=90)], grouping, first_day=_DAY, last_day=_DAY)
    assert [row.name for row in overview.rows] == names
    assert overview.rows_are == grouping.value
    assert overview.total.input_tokens == 95


def test_the_file_is_rfc_4180_and_no_formula_gets_in() -> None:
    hostile = _cell(model='=HYPERLINK("http://x")', project='A "quoted", name')
    hidden = _cell(model=" =A1", project="\uff1dA1", kind="\ufeff-A1")
    for row in csv.reader(io.StringIO(csv_of([hidden]))):
        assert not any(word[:1] in (" ", "\uff1d", "\ufeff", "=") for word in row)
    text = csv_of([hostile, _cell(model="@SUM(1)", project="")])
    assert text.count("\r\n") == 3
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][:5] == ["day", "project", "provider", "model", "kind"]
    assert rows[1][:4] == ["2026-11-21", 'A "quoted", name', "p", '\'=HYPERLINK("http://x")']
    assert rows[2][3] == "'@SUM(1)"
    assert rows[2][1] == "No project"
    assert rows[1][-1] == "0.500000"


async def test_every_line_of_the_ledger_is_added_to_its_day(store: Store) -> None:
    usage, thread = UsageRepository(store.db), await store.thread()
    for kind, cost in ((UsageKind.ANSWER, 0.25), (UsageKind.ANSWER, None), (UsageKind.TOOL, 0.5)):
        event = UsageEvent(
            kind, thread, "p", "m", "complete", Spent(Usage(10, 5, 2, 1, is_estimated=True), cost_usd=cost)
        )
        await usage.add(event)
    await usage.add(UsageEvent(UsageKind.ANSWER, None, None, None, "error", Spent()))
    service = _service(store)
    today = service.today()
    assert await service.first_day() == today == day_number(store.clock.now_ms())
    days = UsageDayRepository(store.db)
    cells = await days.cells(today, today)
    assert set((await service.spent_on(today + 1, today + 9)).values()) == {()}
    by_key = {(cell.kind, cell.provider): cell for cell in cells}
    answers = by_key["answer", "p"]
    assert answers.project_name
    assert answers.total == UsageSum(2, 20, 10, 4, 2, 0.25, 2, 1)
    assert by_key["answer", ""].total == UsageSum(1)
    whole = sum((cell.total for cell in cells), UsageSum())
    assert whole == (await usage.between(0, store.clock.now_ms() + 1)).total
    for grouping, grouped in (await service.spent_on(today, today)).items():
        assert overview_of(grouped, grouping, first_day=today, last_day=today).total == whole
        names = [row.name for row in overview_of(cells, grouping, first_day=today, last_day=today).rows]
        assert [row.name for row in overview_of(grouped, grouping, first_day=today, last_day=today).rows] == names


async def test_nothing_asked_is_today_and_an_empty_page(store: Store) -> None:
    service = _service(store)
    assert await service.first_day() == service.today()
    assert set((await service.spent_on(0, service.today())).values()) == {()}


async def test_the_file_is_written_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    await UsageRepository(store.db).add(UsageEvent(UsageKind.ANSWER, None, "p", "m", "complete", Spent(Usage(1))))
    service = _service(store)
    today = service.today()
    target = tmp_path / "usage.csv"
    assert await service.write_csv(target, today, today) == 1
    assert target.read_bytes().endswith(b"\r\n")
    with pytest.raises(ExportFailed, match=r"x\.csv"):
        await service.write_csv(tmp_path / "usage.csv" / "x.csv", today, today)


def test_days_are_local_and_may_have_23_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        spring = number_of(date(2026, 3, 29))
        assert start_ms(spring + 1) - start_ms(spring) == 23 * 3_600_000
        assert day_number(start_ms(spring)) == spring
        assert day_number(start_ms(spring) - 1) == spring - 1
        assert [date_of(day) for day in month_of(spring)] == [date(2026, 3, 1), date(2026, 4, 1)]
    finally:
        monkeypatch.undo()
        time.tzset()
