"""Runs a round of sync at once, in the thread of the test."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.requests import Notice, Request, RoundResult, ToLocal, ToTeam
from chatdesk.core.sync.round import perform


def drive(
    steps: Generator[Request, Any, RoundResult],
    local: SyncStore,
    team: Carrier,
    *,
    tell: Callable[[Notice], None] | None = None,
) -> RoundResult:
    """Run the whole round in this thread and return its result. ``tell`` is called with each notice."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            request = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as end:
            result: RoundResult = end.value
            return result
        answer = error = None
        if tell is not None and not isinstance(request, ToLocal | ToTeam):
            tell(request)
        try:
            answer = perform(request, local, team)
        except Exception as caught:  # noqa: BLE001 - the round decides what it means
            error = caught
