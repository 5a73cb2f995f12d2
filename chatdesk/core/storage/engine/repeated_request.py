"""Describes requests of other programs that may come twice, and edits that came too late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # the command line declares its options without SQL
    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class MadeRow:
    """A row that a request made or changed. ``kind`` is the name of its class in small letters, such as ``thread``."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class DoneRequest:
    """A request that was carried out. ``fingerprint`` stands for all that was asked for."""

    fingerprint: str
    made: tuple[MadeRow, ...]

    def first(self, kind: str) -> str:
        """Return the id of the first thing of a kind. Raises ``NotPossible`` if there is none."""
        found = next((each.id for each in self.made if each.kind == kind), None)
        if found is None:
            raise NotPossible(Text("This request was carried out before, and its result is no longer known."))
        return found


class AlreadyDone(ChatDeskError):
    """The request was carried out before; nothing was written."""

    code = "already_done"
    what = Text("This was done before.")
    safe = Text("Nothing was done twice.")
    next_step = ""

    def __init__(self, done: DoneRequest) -> None:
        self.done = done
        super().__init__()


class StaleEdit(ChatDeskError):
    """The thing was changed since it was read; ``current`` is its present state."""

    code = "stale_edit"
    what = Text("This was changed by somebody else in the meantime.")
    safe = Text("Nothing was changed.")
    next_step = Text("Look at the current state, then make your change again.")

    def __init__(self, current: object) -> None:
        self.current = current
        super().__init__()


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
