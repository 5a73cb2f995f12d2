"""Carries out changes of the accounts one at a time, and reports each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatdesk.core.chat.uninterruptible import uninterruptible
from chatdesk.core.events import EventBus, ProvidersChanged


class AccountChanges:
    """Runs changes in threads. ``on_changed`` is called when the accounts have changed."""

    def __init__(self, bus: EventBus, on_changed: Callable[[], None]) -> None:
        self._bus = bus
        self._on_changed = on_changed
        self._changing = asyncio.Lock()

    @uninterruptible
    async def run(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread after the changes before it. Raises what it raises."""
        async with self._changing:
            try:
                await asyncio.to_thread(work)
            finally:
                # Also when the disk or the keyring refused: what was typed holds for this run.
                self._on_changed()
                self._bus.publish(ProvidersChanged())
