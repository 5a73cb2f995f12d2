"""Counts the work of this process since it began, for *doctor* and for the report of a bug."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatdesk.core.domain.sharing.team import SyncStatus
from chatdesk.core.events import (
    AnswerFinished,
    EventBus,
    ReachabilityChanged,
    RetryWaiting,
    SyncStatusChanged,
)

_ANSWERS_KEPT = 200
_TICKS, _TICK_S = 20, 0.01
_MS_PER_S = 1000


class Metrics:
    """Counts the events of a bus; on the loop's thread."""

    def __init__(self, bus: EventBus) -> None:
        self._began_s = time.monotonic()
        self._statuses: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._retries = 0
        self._latencies: deque[int] = deque(maxlen=_ANSWERS_KEPT)
        self._first_tokens: deque[int] = deque(maxlen=_ANSWERS_KEPT)
        # The state of each workspace, by its id, and which providers cannot be reached.
        self.workspaces: dict[str, SyncStatus] = {}
        self.reachability = ReachabilityChanged((), ())
        bus.subscribe(AnswerFinished, self._on_answer_finished)
        bus.subscribe(RetryWaiting, self._on_retry)
        bus.subscribe(SyncStatusChanged, self._on_sync_status)
        bus.subscribe(ReachabilityChanged, self._on_reachability)

    def as_data(self) -> dict[str, Any]:
        """Return JSON data without ids and names. Latencies are of the last 200 answers."""
        return {
            "uptime_s": round(time.monotonic() - self._began_s),
            "answers": dict(self._statuses),
            "reasons": dict(self._reasons),
            "retries": self._retries,
            "tokens": dict(self._tokens),
            "latency_ms": _spread(self._latencies),
            "first_token_ms": _spread(self._first_tokens),
        }

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        message = event.message
        self._statuses[message.status.value] += 1
        if message.error_type:
            self._reasons[message.error_type] += 1
        self._tokens["input"] += message.prompt_tokens or 0
        self._tokens["output"] += message.completion_tokens or 0
        if message.latency_ms is not None:
            self._latencies.append(message.latency_ms)
        if message.time_to_first_token_ms is not None:
            self._first_tokens.append(message.time_to_first_token_ms)

    def _on_retry(self, _event: RetryWaiting) -> None:
        self._retries += 1

    def _on_sync_status(self, event: SyncStatusChanged) -> None:
        self.workspaces[event.status.workspace_id] = event.status

    def _on_reachability(self, event: ReachabilityChanged) -> None:
        self.reachability = event


async def loop_lag() -> dict[str, float]:
    """Return the median and the largest delay of the loop in milliseconds, watched for a fifth of a second."""
    late: list[float] = []
    for _ in range(_TICKS):
        began_s = time.monotonic()
        await asyncio.sleep(_TICK_S)
        late.append(max(0.0, (time.monotonic() - began_s - _TICK_S) * _MS_PER_S))
    late.sort()
    return {"median": round(late[len(late) // 2], 1), "most": round(late[-1], 1)}


def resources() -> dict[str, int | None]:
    """Return the memory and the number of descriptors of this process, where the system shows them."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return {
            "memory_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
            "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        }
    except (OSError, ValueError, IndexError, AttributeError):
        return {"memory_bytes": None, "descriptors": None}


def _spread(values: Iterable[int]) -> dict[str, int] | None:
    known = sorted(values)
    if not known:
        return None
    return {"median": known[(len(known) - 1) // 2], "p95": known[(len(known) * 95 - 1) // 100]}
