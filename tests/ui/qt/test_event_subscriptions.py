"""Subscriptions to core's events from the window."""

from __future__ import annotations

import sys
from types import TracebackType

import pytest
from PySide6.QtCore import QObject
from shiboken6 import delete

from chatdesk.core.events import EventBus, PromptsChanged, TagsChanged, ThreadDeleted
from chatdesk.ui.qt.event_subscriptions import EventSubscriptions

_DELETED = ThreadDeleted("t", is_purged=True)


def test_a_subscription_ends_with_its_owner() -> None:
    bus, owner, heard = EventBus(), QObject(), []
    subscriptions = EventSubscriptions(bus)
    subscriptions.subscribe(owner, ThreadDeleted, heard.append)
    bus.publish(_DELETED)
    delete(owner)
    bus.publish(_DELETED)
    assert heard == [_DELETED]


def test_no_subscription_outlives_the_window() -> None:
    bus, owner, heard = EventBus(), QObject(), []
    subscriptions = EventSubscriptions(bus)
    subscriptions.subscribe(owner, ThreadDeleted, heard.append)
    subscriptions.close()
    bus.publish(_DELETED)
    assert heard == []


def test_a_bus_that_joins_later_is_heard_about_threads_only() -> None:
    owner, heard, later = QObject(), [], EventBus()
    subscriptions = EventSubscriptions(EventBus())
    subscriptions.subscribe(owner, ThreadDeleted, heard.append)
    subscriptions.subscribe(owner, TagsChanged, heard.append)
    subscriptions.join(later)
    later.publish(TagsChanged())
    later.publish(_DELETED)
    assert heard == [_DELETED]
    subscriptions.close()


def test_a_handler_that_fails_is_reported_and_does_not_silence_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, owner, heard, reported = EventBus(), QObject(), [], []

    def report(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        reported.append(error)

    def fail(_event: PromptsChanged) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "excepthook", report)
    subscriptions = EventSubscriptions(bus)
    subscriptions.subscribe(owner, PromptsChanged, fail)
    subscriptions.subscribe(owner, PromptsChanged, heard.append)
    bus.publish(PromptsChanged())
    assert len(heard) == 1
    assert isinstance(reported[0], ZeroDivisionError)
    subscriptions.close()
