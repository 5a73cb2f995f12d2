"""Lists the decisions that a team leaves to a person: changes that the server refused, and notes on past events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import RefusedChange, TeamNote
from chatdesk.core.events import EventBus, ThreadsChanged
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import refused as sync_refused
from chatdesk.core.storage.sync import team_notes


class TeamDecisions:
    """The use cases of refused changes and notes; ``TeamService.decisions`` exposes it. ``on_counts``
    publishes how much was refused, ``sync_now`` starts a round."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        on_counts: Callable[[], None],
        sync_now: Callable[[], None],
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._on_counts = on_counts
        self._sync_now = sync_now

    async def refused(self) -> tuple[RefusedChange, ...]:
        """Return the changes that the server refused, the newest first."""
        return tuple(await self._database.read(sync_refused.refused))

    async def retry_refused(self, change_ids: Sequence[str]) -> None:
        """Send refused changes again."""
        ids, origin = list(change_ids), self._database.origin
        await self._database.write(lambda conn: sync_refused.retry_refused(conn, origin, ids))
        self._bus.publish(ThreadsChanged(None))
        self._sync_now()

    async def forget_refused(self, change_ids: Sequence[str]) -> None:
        """Remove refused changes from the list."""
        ids, origin = list(change_ids), self._database.origin
        await self._database.write(lambda conn: sync_refused.forget_refused(conn, origin, ids))
        self._on_counts()

    async def notes(self, thread_id: str) -> tuple[TeamNote, ...]:
        """Return the unread notes on what happened to a thread, the oldest first."""
        return tuple(await self._database.read(lambda conn: team_notes.notes_of(conn, thread_id)))

    async def mark_notes_seen(self, thread_id: str) -> None:
        """Mark the notes of a thread as read."""
        now = self._clock.now_ms()
        await self._database.write(lambda conn: team_notes.mark_notes_seen(conn, thread_id, now), is_durable=False)
