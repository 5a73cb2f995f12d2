"""UsageService: what requests took, for whoever shows it. Reads only; lines are written by whoever asks a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatdesk.core.domain.usage import UsageReport
from chatdesk.core.ids import checked_id

if TYPE_CHECKING:
    from chatdesk.core.storage.usage_events import UsageRepository


class UsageService:
    """Sums of the ledger."""

    def __init__(self, usage: UsageRepository) -> None:
        self._usage = usage

    async def of_thread(self, thread_id: str) -> UsageReport:
        """All requests of a thread by kind and model, also those of messages that are gone."""
        return await self._usage.of_thread(checked_id(thread_id))

    async def between(self, start_ms: int, end_ms: int, *, project_id: str | None = None) -> UsageReport:
        """All requests of a stretch of time, of one project or of all. Milliseconds UTC; the end is not included."""
        project = None if project_id is None else checked_id(project_id)
        return await self._usage.between(start_ms, end_ms, project_id=project)
