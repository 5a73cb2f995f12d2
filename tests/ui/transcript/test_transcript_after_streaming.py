"""An answer that was streamed looks, once it has ended, like the same text opened again: to the pixel.

The worker is the real one. A few texts are played here; ``CHATDESK_STREAMED_TEXTS=500`` plays more of them, and so
does ``make test-long``.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import Message, Part, PartType, Status
from chatdesk.core.rendering.client import RenderClient, RenderStream, RenderTicket
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.streamed_texts import made_text, pieces_of
from tests.helpers.waiting import wait_until
from tests.ui.transcript.conftest import FakeThread, make_message

COUNT = int(os.environ.get("CHATDESK_STREAMED_TEXTS", "20"))
FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))
SIZE = (820, 600)  # while it is read
TALL = 2_400  # when it is compared
_PATIENCE_S = 30.0
_PAUSE_S = 0.02
_BURST = 12
_TOGETHER = 10


class _Calls(QObject):
    """Brings the calls of the client's threads into this one."""

    called = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.called.connect(self._on_called, Qt.ConnectionType.QueuedConnection)

    def _on_called(self, call: Callable[[], None]) -> None:
        call()


@dataclass
class CountingRenderer:
    """The client of the program, which can be waited for."""

    client: RenderClient
    tickets: list[RenderTicket] = field(default_factory=list)
    update_count: int = 0

    def request(self, text: str, on_done: Callable[[Any], None], *, is_answer: bool = True) -> RenderTicket:
        self.tickets.append(self.client.request(text, on_done))
        return self.tickets[-1]

    def open_stream(self, on_update: Callable[[Any], None]) -> RenderStream:
        def count(update: Any) -> None:
            self.update_count += 1
            on_update(update)

        return self.client.open_stream(count)

    @property
    def is_done(self) -> bool:
        return all(each.is_done for each in self.tickets)


@dataclass
class Player:
    app: QApplication
    theme: Theme
    renderer: CountingRenderer

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(lambda: condition() or self.app.processEvents(), within_s=_PATIENCE_S)

    def settle(self) -> None:
        """Let the view ask for what it lacks, and wait until it has it."""
        for _ in range(2):
            for _ in range(4):
                self.app.processEvents()
            self.wait(lambda: self.renderer.is_done)
        for _ in range(4):
            self.app.processEvents()

    def forget(self, *views: TranscriptView) -> None:
        for view in views:
            view.hide()
            view.deleteLater()
        self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.renderer.tickets.clear()

    def show(self, message: Message) -> TranscriptView:
        view = TranscriptView(FakeThread([message]).fetch, self.renderer, self.theme)
        view.resize(*SIZE)
        view.show()
        view.show_thread("t", None)
        self.settle()
        return view

    def stream(self, text: str, number: int) -> TranscriptView:
        """Show ``text`` as it comes: piece by piece, each drawn before the next (slow), as fast as it goes, or many at
        once with rests between."""
        live = make_message(1, "", status=Status.STREAMING)
        view = self.show(live)
        pace = ("slow", "fast", "burst")[number % 3]
        draw = random.Random(number)
        for place, piece in enumerate(pieces_of(text, number)):
            view.conversation.append_text(live.id, 0, "text", piece)
            if pace == "slow" or (pace == "burst" and place % _BURST == _BURST - 1):
                self.draw_frame(view, waits=draw.random() < 0.5)
            elif pace == "fast" and draw.random() < 0.3:
                self.draw_frame(view, waits=False)
        view.conversation.change_message(finished(live, text))
        self.settle()
        return view

    def linger(self) -> None:
        """Let the renderer answer, if it has anything to say."""
        seen, end = self.renderer.update_count, time.monotonic() + _PAUSE_S
        wait_until(lambda: self.renderer.update_count != seen or time.monotonic() >= end or self.app.processEvents())

    def draw_frame(self, view: TranscriptView, *, waits: bool) -> None:
        feeds = view.parts.conversation.feeds
        feeds.show_frame()
        if waits:
            self.linger()
        self.app.processEvents()
        feeds.show_frame()
        view.viewport().grab()


def finished(live: Message, text: str) -> Message:
    part = Part(f"p{live.id}", live.id, 0, PartType.TEXT, {"text": text})
    return replace(live, status=Status.COMPLETE, parts=(part,))


@pytest.fixture
def player(qapp: QApplication) -> Iterator[Player]:
    theme = Theme(qapp, preference="light")
    theme.load_other_fonts()
    calls = _Calls()
    made = Player(qapp, theme, CountingRenderer(RenderClient(calls.called.emit)))
    made.renderer.request("The worker has started.", lambda _blocks: None)
    made.settle()
    yield made
    made.renderer.client.close()
    theme.deleteLater()
    made.app.processEvents()


def picture(player: Player, view: TranscriptView) -> QImage:
    """What is seen, with long cards unfolded: whoever watches one being written has it open."""
    view.resize(SIZE[0], TALL)
    (entry,) = view.entries
    for item in entry.items:
        for button in item.buttons():
            if button.action in ("fold-code", "fold-table") and button.label.startswith("Show all"):
                view.parts.actions.press_button(entry, item, button.action)
    view.parts.scrolling.to_end()
    player.settle()
    return view.viewport().grab().toImage()


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, _TOGETHER))
def test_a_streamed_text_looks_like_the_same_text_reopened(player: Player, tmp_path: Path, first: int) -> None:
    wrong = []
    for number in range(first, min(first + _TOGETHER, FIRST + COUNT)):
        text = made_text(number)
        streamed = player.stream(text, number)
        one = picture(player, streamed)
        opened = player.show(finished(make_message(1, "", status=Status.STREAMING), text))
        other = picture(player, opened)
        if one != other:
            wrong.append(number)
            one.save(str(tmp_path / f"{number}-streamed.png"))
            other.save(str(tmp_path / f"{number}-opened.png"))
            (tmp_path / f"{number}.md").write_text(text, encoding="utf-8")
        player.forget(streamed, opened)
    assert not wrong, f"texts {wrong} look otherwise; see {tmp_path}"
