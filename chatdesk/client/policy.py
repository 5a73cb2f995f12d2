"""Decides when a request is sent again: only where that can make nothing twice, and not for longer than somebody
waits."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from chatdesk.client.errors import ClientError, Problem, Unreachable

_AGAIN: Final = frozenset({429, 503})
_RUNNING: Final = "request_running"


@dataclass(frozen=True, slots=True)
class Retries:
    """The number of attempts in all, and the waits between them, which double from ``first_s`` to ``longest_s``. A
    service that asks for more than ``longest_s`` is not asked again. Following events ends only after ``connections``
    failed connections in a row."""

    attempts: int = 5
    first_s: float = 0.1
    longest_s: float = 5.0
    connections: int = 30

    def wait_s(self, number: int, error: ClientError, *, is_following: bool = False) -> float | None:
        """Return how long to wait after attempt ``number``, from 1, failed with ``error``; None: give up."""
        if number >= (self.connections if is_following else self.attempts) or not _may_pass(error):
            return None
        named = error.retry_after_s if isinstance(error, Problem) else None
        if named is not None:
            return named if named <= self.longest_s else None
        return float(min(self.longest_s, self.first_s * 2 ** min(number - 1, 30)) * random.uniform(0.5, 1.0))  # noqa: S311


def _may_pass(error: ClientError) -> bool:
    if isinstance(error, Problem):
        return error.status in _AGAIN or error.code == _RUNNING
    return isinstance(error, Unreachable)
