"""Calls a function at the times of a cron expression; the gateway to APScheduler."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

_log = logging.getLogger(__name__)

# A laptop that slept through the hour does it when it wakes, within the hour.
_GRACE_S = 3_600


class SummarySchedule:
    """Calls ``work`` on the running loop at the times that ``cron`` says; never for an empty or wrong one."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._scheduler: Any = None
        self._cron = ""

    def set(self, cron: str) -> bool:
        """Use the times of ``cron``. Returns whether it could be understood. Must be called with a running loop."""
        if cron == self._cron:
            return True
        self.close()
        self._cron = cron
        if not cron.strip():
            return True
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.cron import CronTrigger

        try:
            trigger = CronTrigger.from_crontab(cron)
        except ValueError:
            _log.warning("the times for summaries were not understood")
            return False
        self._scheduler = AsyncIOScheduler()
        self._scheduler.add_job(self._work, trigger, misfire_grace_time=_GRACE_S, coalesce=True, max_instances=1)
        self._scheduler.start()
        return True

    def close(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=False)
