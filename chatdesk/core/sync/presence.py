"""Tracks presence in shared projects: decides when this person's position is worth sending, and keeps the others'
positions.

It uses neither threads nor the network: the window reports the position with every key, the sync thread asks for due
messages. All methods may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import PresenceRow
from chatdesk.core.domain.sharing.team import Presence, PresenceState
from chatdesk.core.name_order import name_key

# The server forgets members that were silent for 30 s.
HEARTBEAT_S: Final = 20.0
# The least time between two reports that this person types, and how long one holds after the last key.
TYPING_EVERY_S: Final = 3.0
_TYPING_HOLDS_S: Final = 5.0
_MOVE_EVERY_S: Final = 0.5
# The message that the person left the project.
AWAY: Final = "gone"


@dataclass(frozen=True, slots=True)
class PresenceUpdate:
    """A presence update for the server. ``state``: a ``PresenceState`` or ``AWAY``."""

    project_id: str
    thread_id: str | None
    state: str


class PresenceBoard:
    """The presence of this person and of others in one workspace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._place: tuple[str, str | None] | None = None
        self._typed_at: float | None = None
        self._said: PresenceUpdate | None = None
        self._said_at = 0.0
        self._said_typing_at: float | None = None
        self._others: dict[str, tuple[Presence, ...]] = {}

    # One's own place

    def stand(self, project_id: str | None, thread_id: str | None, *, is_typing: bool) -> bool:
        """Record the person's position. Returns whether the thread of sync should be woken for it."""
        with self._lock:
            now = self._clock.monotonic_s()
            place = None if project_id is None else (project_id, thread_id)
            if place != self._place:
                self._typed_at = None
            self._place = place
            if is_typing:
                self._typed_at = now
            wait_s = self._wait_s(now)
            return wait_s is not None and wait_s <= 0

    def wait_s(self) -> float | None:
        """Return in how many seconds an update is due; None: not before the person moves."""
        with self._lock:
            return self._wait_s(self._clock.monotonic_s())

    def pop_due(self) -> tuple[PresenceUpdate, ...]:
        """Return the updates that are due now; they count as sent."""
        with self._lock:
            now = self._clock.monotonic_s()
            wait_s = self._wait_s(now)
            if wait_s is None or wait_s > 0:
                return ()
            wanted, before = self._wanted(now), self._said
            due: list[PresenceUpdate] = []
            if before is not None and (wanted is None or wanted.project_id != before.project_id):
                due.append(PresenceUpdate(before.project_id, None, AWAY))
            if wanted is not None:
                due.append(wanted)
                if wanted.state == PresenceState.TYPING:
                    self._said_typing_at = now
            self._said, self._said_at = wanted, now
            return tuple(due)

    def start_over(self) -> None:
        """Forget the state that was sent, because a new connection was made and the server may have forgotten it."""
        with self._lock:
            self._said = None

    def _wanted(self, now: float) -> PresenceUpdate | None:
        if self._place is None:
            return None
        is_typing = self._typed_at is not None and now - self._typed_at < _TYPING_HOLDS_S
        return PresenceUpdate(*self._place, PresenceState.TYPING if is_typing else PresenceState.HERE)

    def _wait_s(self, now: float) -> float | None:
        wanted, said = self._wanted(now), self._said
        if wanted is None and said is None:
            return None
        if wanted is None or said is None or wanted.project_id != said.project_id:
            return 0.0
        due_at = self._said_at + HEARTBEAT_S
        if wanted != said:
            due_at = self._said_at + _MOVE_EVERY_S
            if wanted.state == PresenceState.TYPING and self._said_typing_at is not None:
                due_at = max(due_at, self._said_typing_at + TYPING_EVERY_S)
        elif wanted.state == PresenceState.TYPING and self._typed_at is not None:
            due_at = min(due_at, self._typed_at + _TYPING_HOLDS_S)
        return max(0.0, due_at - now)

    # Others

    def replace_others(self, rows: Iterable[PresenceRow], *, me: str, name_of: Callable[[str], str]) -> frozenset[str]:
        """Replace the presence of others by the server's rows. Returns the ids of the projects that differ. A member at
        two computers counts once."""
        found: dict[str, dict[str, Presence]] = {}
        for row in rows:
            if row.member_id == me or row.state not in _SHOWN:
                continue
            here = found.setdefault(row.project_id, {})
            known = here.get(row.member_id)
            if known is None or (row.state == PresenceState.TYPING and known.state is not PresenceState.TYPING):
                here[row.member_id] = Presence(
                    row.project_id, row.member_id, name_of(row.member_id), row.thread_id, PresenceState(row.state)
                )
        others = {
            project: tuple(sorted(here.values(), key=lambda one: (name_key(one.name), one.member_id)))
            for project, here in found.items()
        }
        with self._lock:
            before, self._others = self._others, others
        return frozenset(
            project for project in before.keys() | others.keys() if before.get(project) != others.get(project)
        )

    def at(self, project_id: str) -> tuple[Presence, ...]:
        """Return the other people in a project, by name."""
        return self._others.get(project_id, ())


_SHOWN = frozenset(PresenceState)
