"""The listener of a thread of sync."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from chatdesk.core.domain.sharing.sync_wire import PresenceRow
from chatdesk.core.domain.sharing.team import SyncRound, SyncStatus
from chatdesk.core.sync.requests import BatchPushed, PageApplied, RoundResult, ViewStored


class SyncListener(Protocol):
    """The listener of a ``SyncWorker``. Called on the thread of sync; must be quick and must not raise."""

    def on_status(self, status: SyncStatus) -> None: ...

    def on_view(self, notice: ViewStored) -> None: ...

    def on_page(self, notice: PageApplied, me: str) -> None:
        """React to a page that was applied. ``me``: this person's id as a member."""
        ...

    def on_pushed(self, notice: BatchPushed) -> None: ...

    def on_presence(self, rows: Iterable[PresenceRow], me: str) -> None: ...

    def on_round(self, line: SyncRound | None, result: RoundResult | None) -> None:
        """React to the end of a round. ``line``: its entry for the log; None if the round found nothing, because an
        idle day would push everything else out of the log. ``result``: None if the round failed."""
        ...

    def count(self) -> tuple[int, int]:
        """Return how many local changes the server does not have, and how many it refused. Raises ``StorageError``."""
        ...
