"""Lets a caller take part in the first transaction that its work writes in: a check before it, a record after it.

The guard is found through the context of the task, so that it reaches the transaction through services that know
nothing of it. Tasks that the work starts inherit the context; a guard acts in one transaction only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

T = TypeVar("T")


@dataclass(slots=True)
class WriteGuard:
    """A check before the first transaction that work writes in, and a record after it. ``before`` may raise, and then
    nothing is written; ``after`` gets the result of the transaction's work."""

    before: Callable[[Connection], None]
    after: Callable[[Connection, Any], None]
    is_done: bool = field(default=False, init=False)

    def around(self, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
        """Return ``work`` with both. It may run twice where a commit failed for lack of space."""
        if self.is_done:
            return work
        self.is_done = True

        def guarded_work(conn: Connection) -> T:
            self.before(conn)
            result = work(conn)
            self.after(conn, result)
            return result

        return guarded_work


_current: ContextVar[WriteGuard | None] = ContextVar("write_guard", default=None)


def current_guard() -> WriteGuard | None:
    """Return the guard of the running task."""
    return _current.get()


@contextmanager
def guarding(guard: WriteGuard) -> Iterator[None]:
    """Guard the first transaction that the block writes in."""
    token = _current.set(guard)
    try:
        yield
    finally:
        _current.reset(token)
