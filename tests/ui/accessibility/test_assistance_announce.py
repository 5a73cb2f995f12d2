"""Announcements: heard when someone listens, polite unless they must not be missed, never by moving the focus."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6 import QtGui
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner

_POLITE, _ASSERTIVE = QAccessible.AnnouncementPoliteness.Polite, QAccessible.AnnouncementPoliteness.Assertive


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    events: list[Any] = []
    monkeypatch.setattr(QAccessible, "isActive", staticmethod(lambda: True))
    monkeypatch.setattr(QAccessible, "updateAccessibility", staticmethod(events.append))
    return events


def test_a_sentence_is_said_politely_or_at_once(qtbot: QtBot, told: list[Any]) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    assert announce(widget, "Copied")
    assert announce(widget, "It failed", is_assertive=True)
    assert [(event.message(), event.politeness()) for event in told] == [("Copied", _POLITE), ("It failed", _ASSERTIVE)]


def test_nothing_is_said_without_words_or_listeners(
    qtbot: QtBot, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    assert not announce(widget, "")
    monkeypatch.setattr(QAccessible, "isActive", staticmethod(lambda: False))
    assert not announce(widget, "Hello")
    assert told == []


def test_without_announcements_an_alert_is_raised(
    qtbot: QtBot, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(QtGui, "QAccessibleAnnouncementEvent")
    widget = QWidget()
    qtbot.addWidget(widget)
    assert announce(widget, "Hello")
    assert told[0].type() == QAccessible.Event.Alert


def test_a_banner_of_danger_is_not_missed(qtbot: QtBot, qapp: Any, told: list[Any]) -> None:
    banner = Banner(Theme(qapp))
    qtbot.addWidget(banner)
    banner.show_message("Low on space", kind="warning")
    banner.show_message("Not saved", kind="danger")
    said = [(event.message(), event.politeness()) for event in told if event.type() == QAccessible.Event.Announcement]
    assert said == [("Low on space", _POLITE), ("Not saved", _ASSERTIVE)]
