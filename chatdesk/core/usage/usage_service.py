"""Reads sums of the costs of requests. The ledger's lines are written by the code that makes a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.domain.usage import UsageCell, UsageReport
from chatdesk.core.ids import checked_id
from chatdesk.core.local_days import day_number
from chatdesk.core.storage.usage.days import UsageDayRepository
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.system.file_writing import write_failure, write_text
from chatdesk.core.usage.overview import Grouping, csv_of


class UsageService:
    """The sums of the ledger."""

    def __init__(self, usage: UsageRepository, days: UsageDayRepository, clock: Clock) -> None:
        self._usage = usage
        self._days = days
        self._clock = clock

    async def of_thread(self, thread_id: str) -> UsageReport:
        """Return all requests of a thread by kind and model, also those of messages that are gone."""
        return await self._usage.of_thread(checked_id(thread_id))

    async def between(self, start_ms: int, end_ms: int, *, project_id: str | None = None) -> UsageReport:
        """Return all requests between two moments (milliseconds UTC, the end excluded), of one project or of all."""
        project = None if project_id is None else checked_id(project_id)
        return await self._usage.between(start_ms, end_ms, project_id=project)

    def today(self) -> int:
        """Return the number of the local day, counted from 1970-01-01."""
        return day_number(self._clock.now_ms())

    async def first_day(self) -> int:
        """Return the first day on which anything was asked; today where nothing ever was."""
        found = await self._days.first_day()
        return self.today() if found is None else found

    async def spent_on(self, first_day: int, last_day: int) -> Mapping[Grouping, tuple[UsageCell, ...]]:
        """Return the usage of these local days, both included, added up by each grouping."""
        grouped = await self._days.grouped(first_day, last_day)
        return {grouping: grouped[grouping.value] for grouping in Grouping}

    async def write_csv(self, path: Path, first_day: int, last_day: int) -> int:
        """Write these days to a file, whole or not at all. Returns the number of lines. Raises ``ExportFailed``."""
        cells = await self._days.cells(first_day, last_day)
        try:
            await asyncio.to_thread(lambda: write_text(path, csv_of(cells)))
        except OSError as error:
            raise write_failure(error, path) from None
        return len(cells)
