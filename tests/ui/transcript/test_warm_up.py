"""What is done before a thread is first painted, and what comes beside it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QPixmap, QPixmapCache
from pytestqt.qtbot import QtBot

from chatdesk.ui.transcript.drawing import transcript_style
from chatdesk.ui.transcript.view import TranscriptView

from tests.ui.transcript.conftest import World, make_thread  # isort: skip


def test_blocks_of_what_is_in_view_are_asked_for_before_those_of_its_neighbours(world: World, qtbot: QtBot) -> None:
    thread = make_thread(200, lambda place: f"Message number {place}.")
    world.renderer.is_held = True
    view = TranscriptView(thread.fetch, world.renderer, world.theme)
    world.views.append(view)
    view.resize(900, 600)
    view.show()
    view.show_thread("t")
    in_view = [entry.message.text for entry in reversed(view.entries) if not view.message_rect(entry).isEmpty()]
    assert 3 < len(in_view) < 30
    assert world.renderer.requests == in_view
    qtbot.waitUntil(lambda: len(world.renderer.requests) > len(in_view))
    around = world.renderer.requests[len(in_view) :]
    assert around == [entry.message.text for entry in view.entries[-len(in_view) - 1 : -len(in_view) - 7 : -1]]
    world.renderer.deliver_all()
    world.settle()
    view.scrolling.by(-300)
    world.settle()
    assert len(set(world.renderer.requests)) == len(world.renderer.requests)


def test_warming_up_shows_nothing_and_changes_no_picture(
    world: World, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = make_thread(4, lambda place: f"## Heading {place}\n\nSome **bold** `code` *text*.\n\n```python\npass\n```")
    cold = world.open(thread)
    picture = cold.grab().toImage()
    QPixmapCache.clear()
    loaded: set[str] = set()
    icon_pixmap = transcript_style.icon_pixmap

    def noted(name: str, *arguments: Any, **options: Any) -> QPixmap:
        loaded.add(name)
        return icon_pixmap(name, *arguments, **options)

    monkeypatch.setattr(transcript_style, "icon_pixmap", noted)
    view = TranscriptView(thread.fetch, world.renderer, world.theme)
    world.views.append(view)
    view.resize(900, 600)
    view.show()
    view.parts.warm_up.start()
    view.parts.warm_up.start()
    assert not {"copy", "refresh-cw"} & loaded  # nothing at once
    qtbot.waitUntil(lambda: {"copy", "refresh-cw"} <= loaded)
    assert view.entries == ()
    assert world.renderer.requests == [message.text for message in reversed(thread.messages)]
    view.show_thread("t")
    world.settle()
    assert view.grab().toImage() == picture
