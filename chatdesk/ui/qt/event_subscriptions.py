"""Subscriptions to core's events that end with the object they are made for.

Core publishes in the window's thread, so a handler may touch widgets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject

from chatdesk.core import events
from chatdesk.core.events import EventBus, Subscription

E = TypeVar("E")

# Events of another bus that a window receives, too: those of threads and messages.
_OF_THREADS = (
    events.ThreadCreated,
    events.ThreadChanged,
    events.ThreadDeleted,
    events.MessageAdded,
    events.MessageChanged,
    events.PathChanged,
    events.TurnStarted,
    events.TextStreamed,
    events.RetryWaiting,
    events.ToolsOffered,
    events.AnswerFinished,
    events.ContextChanged,
    events.UsageRecorded,
)


class EventSubscriptions:
    """The subscriptions of one window."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._joined = EventBus()  # carries the events of buses that came later
        self._made: set[Subscription] = set()

    def subscribe(self, owner: QObject, kind: type[E], handler: Callable[[E], object], /) -> None:
        """Call ``handler`` for each event of a class until ``owner`` is destroyed or the window ends."""

        def deliver(event: E) -> None:
            try:
                handler(event)
            except Exception:  # noqa: BLE001 - one handler must not silence the others
                sys.excepthook(*sys.exc_info())  # reports a crash, as for a slot of Qt

        for bus in (self._bus, self._joined):
            self._keep(owner, bus.subscribe(kind, deliver))

    def join(self, bus: EventBus) -> None:
        """Deliver the events about threads and messages of another bus, too."""
        for kind in _OF_THREADS:
            self._made.add(bus.subscribe(kind, self._joined.publish))

    def close(self) -> None:
        """Cancel all subscriptions, because the window ends."""
        for subscription in self._made:
            subscription.cancel()
        self._made.clear()

    def _keep(self, owner: QObject, subscription: Subscription) -> None:
        def end() -> None:
            subscription.cancel()
            self._made.discard(subscription)

        self._made.add(subscription)
        owner.destroyed.connect(end)
