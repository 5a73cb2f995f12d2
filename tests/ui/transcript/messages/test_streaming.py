"""While an answer grows only its end is drawn again; what is on the screen is what would be drawn."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.message import Status
from chatdesk.ui.transcript.messages.streaming import FRAME_MS
from chatdesk.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import World, make_message, make_thread

_ANSWERS = sorted((Path(__file__).parents[3] / "data" / "markdown").glob("*.md"))
_CORNERS = 4  # a round corner that is cut by the edge is smoothed a little differently
_FEW = ("code", "table", "list", "quote", "footnote", "arabic", "math")


def _differing_pixels(view) -> int:
    shown = view.screen().grabWindow(view.winId()).toImage()
    drawn = view.grab().toImage()
    shown = shown.convertToFormat(drawn.format())
    assert shown.size() == drawn.size()
    if shown == drawn:
        return 0
    every = ((x, y) for y in range(drawn.height()) for x in range(drawn.width()))
    return sum(shown.pixel(*each) != drawn.pixel(*each) for each in every)


def _some(paths: list[Path]) -> list[Path]:
    """One of each kind that the word in its name tells."""
    chosen = [next((path for path in paths if word in path.stem), None) for word in _FEW]
    return [path for path in chosen if path is not None]


@pytest.mark.parametrize("path", _some(_ANSWERS), ids=lambda path: path.stem)
@pytest.mark.parametrize("is_at_end", [True, False], ids=["at the end", "above"])
def test_a_growing_answer_is_drawn_whole(world: World, path: Path, is_at_end: bool) -> None:
    rng = random.Random(path.stem)
    view = world.open(make_thread(3, lambda place: f"Message {place}, with words. " * 12), size=(620, 420))
    view.conversation.add_message(make_message(3, "", status=Status.STREAMING))
    world.settle()
    if not is_at_end:
        view.scrolling.by(-60)
        world.settle()
    text = path.read_text(encoding="utf-8")
    at = 0
    while at < len(text):
        size = rng.randint(8, 120)
        view.conversation.append_text("m3", 0, "text", text[at : at + size])
        view.parts.conversation.feeds.show_frame()
        world.settle()
        at += size
        assert _differing_pixels(view) <= _CORNERS, f"after {at} characters"


def test_only_the_end_of_a_growing_answer_is_drawn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    view = world.open(make_thread(1), size=(620, 600))
    view.conversation.add_message(make_message(1, "", status=Status.STREAMING))
    view.conversation.append_text("m1", 0, "text", "First.\n\n" * 5 + "The last one")
    view.parts.conversation.feeds.show_frame()
    world.settle()
    view.conversation.append_text("m1", 0, "text", " grows")
    painted = []
    paint = view.parts.canvas.paint
    monkeypatch.setattr(
        view.parts.canvas, "paint", lambda port, event: (painted.append(event.rect()), paint(port, event))
    )
    view.parts.conversation.feeds.show_frame()
    world.settle()
    last = view.parts.viewport_layout.layout.placed[-2]
    assert painted
    assert all(area.top() > last.y - 20 for area in painted)


@pytest.mark.parametrize("is_at_end", [True, False], ids=["at the end", "above"])
def test_messages_that_come_at_the_end_are_drawn_whole(world: World, is_at_end: bool) -> None:
    view = world.open(make_thread(4, lambda place: f"Message {place}, with words. " * 12), size=(620, 420))
    world.renderer.is_held = True
    if not is_at_end:
        view.scrolling.by(-60)
        world.settle()
    texts = ["A *question*\n\nof two parts, the second is wider", _some(_ANSWERS)[0].read_text("utf-8")[:900], "Short."]
    for place, text in enumerate(texts * 2, start=4):
        view.conversation.add_message(make_message(place, text, author_id="ana"))
        world.settle()
        assert _differing_pixels(view) <= _CORNERS, f"message {place} as plain words"
        world.renderer.deliver_all()
        world.settle()
        assert _differing_pixels(view) <= _CORNERS, f"message {place} with its blocks"


def test_a_message_that_was_prepared_is_laid_out_and_drawn_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    view = world.open(make_thread(12), size=(620, 420))
    world.renderer.is_held = True
    message = make_message(12, "Words with `code` in them.\n\n" * 3, author_id="ana")
    assert not view.conversation.prepare(message)
    assert not view.conversation.prepare(message)
    assert len(view.entries) == 12
    world.renderer.deliver_all()
    assert view.conversation.prepare(message)
    laid_out, painted = [], []
    view.parts.viewport_layout.laidOut.connect(lambda: laid_out.append(1))
    paint = view.parts.canvas.paint
    monkeypatch.setattr(
        view.parts.canvas, "paint", lambda port, event: (painted.append(event.rect()), paint(port, event))
    )
    view.conversation.add_message(message)
    world.settle()
    world.renderer.deliver_all()
    world.settle()
    assert len(laid_out) == 1
    assert sum(area.height() for area in painted) < view.viewport().height() * 0.7
    assert view.entries[-1].has_blocks
    assert _differing_pixels(view) <= _CORNERS


def test_prepared_messages_are_forgotten_with_their_thread(world: World) -> None:
    view = world.open(make_thread(3))
    world.renderer.is_held = True
    assert not view.conversation.prepare(make_message(3, "Soon."))
    assert not view.conversation.prepare(make_message(3, "Soon."))
    assert world.renderer.requests.count("Soon.") == 1
    view.reload_from("m2")
    assert not view.conversation.prepare(make_message(3, "Soon."))
    assert world.renderer.requests.count("Soon.") == 2
    view.show_thread(None)
    assert view.conversation.prepare(make_message(3, "Soon."))


def _answering(world: World) -> TranscriptView:
    view = world.open(make_thread(8, lambda place: f"Message {place}, with words. " * 12), size=(620, 420))
    view.conversation.add_message(make_message(8, "", status=Status.STREAMING))
    view.conversation.append_text("m8", 0, "text", "First words.")
    view.parts.conversation.feeds.show_frame()
    world.settle()
    return view


def _frames_of(view: TranscriptView, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When a frame of what grows is shown."""
    frames: list[float] = []
    show = view.parts.conversation.feeds.on_frame
    monkeypatch.setattr(
        view.parts.conversation.feeds, "on_frame", lambda entries: (frames.append(time.monotonic()), show(entries))
    )
    return frames


def _grow(view: TranscriptView, qtbot: QtBot, frames: list[float], count: int) -> None:
    """Words come until so many frames were shown."""

    def one_more() -> bool:
        view.conversation.append_text("m8", 0, "text", " and more")
        return len(frames) >= count

    qtbot.waitUntil(one_more)


def test_a_frame_rebuilds_only_the_streamed_text(world: World, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = _answering(world)
    around = [item for item in view.entries[-1].items if item.kind in ("header", "footer")]
    _grow(view, qtbot, _frames_of(view, monkeypatch), 3)
    assert [item for item in view.entries[-1].items if item.kind in ("header", "footer")] == around


def test_the_scroll_bar_stays_while_its_thumb_would_move_by_parts_of_a_pixel(world: World) -> None:
    view = _answering(world)
    bar = view.verticalScrollBar()
    ranges: list[int] = []
    bar.rangeChanged.connect(lambda _least, most: ranges.append(most))
    for _ in range(400):
        view.conversation.append_text("m8", 0, "text", "A line of words.\n\n")
        view.parts.conversation.feeds.show_frame()
        world.settle()
    assert len(ranges) < 200
    assert bar.value() == bar.maximum()
    most, thumb = view.parts.layout.scale.total - view.viewport().height(), bar.pageStep() * bar.height()
    assert abs(thumb / (bar.pageStep() + bar.maximum()) - thumb / (bar.pageStep() + most)) < 1
    view.scrolling.by(-500)
    world.settle()
    assert bar.maximum() == round(most)


def test_a_scroll_bar_is_painted_without_what_is_below_it(world: World, qtbot: QtBot, qapp: QApplication) -> None:
    view = _answering(world)
    before = qapp.styleSheet()
    qapp.setStyleSheet("QScrollBar { background: transparent; width: 12px }")  # as the window has one
    try:
        world.settle()
        with _Paints(qapp) as paints:
            view.verticalScrollBar().update()
            qtbot.waitUntil(lambda: view.verticalScrollBar() in paints.widgets)
        assert view not in paints.widgets
    finally:
        qapp.setStyleSheet(before)


class _Paints(QObject):
    """The widgets of the application that are painted."""

    def __init__(self, qapp: QApplication) -> None:
        super().__init__()
        self._qapp = qapp
        self.widgets: list[QObject] = []

    def __enter__(self) -> _Paints:
        self._qapp.installEventFilter(self)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._qapp.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.widgets.append(watched)
        return False


def test_growth_out_of_view_has_four_frames_a_second(
    world: World, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = _answering(world)
    view.scrolling.by(-3000)
    world.settle()
    assert view.parts.viewport_layout.layout.placed[-1].entry.message.id != "m8"
    frames = _frames_of(view, monkeypatch)
    _grow(view, qtbot, frames, 3)
    assert all(later - sooner >= 0.2 for sooner, later in pairwise(frames))


def test_a_reader_who_comes_back_to_the_end_sees_it_grow_at_once(
    world: World, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = _answering(world)
    view.scrolling.by(-3000)
    world.settle()
    frames = _frames_of(view, monkeypatch)
    _grow(view, qtbot, frames, 1)
    view.conversation.append_text("m8", 0, "text", " far away")  # its frame would come late
    view.scrolling.by(9000)
    world.settle()
    frames.clear()
    view.conversation.append_text("m8", 0, "text", " last words")
    assert view.parts.conversation.feeds.findChild(QTimer).interval() <= FRAME_MS
    qtbot.waitUntil(lambda: bool(frames))
    assert view.entries[-1].items[-2].text.endswith("last words")


def test_the_end_of_a_long_answer_may_be_out_of_view_in_the_answer_itself(world: World) -> None:
    view = _answering(world)
    view.conversation.append_text("m8", 0, "text", "\n\nA paragraph of words." * 60)
    view.parts.conversation.feeds.show_frame()
    world.settle()
    entry = view.entries[-1]
    view.scrolling.by(9000)
    world.settle()
    assert view.parts.viewport_layout.shows_end_of(entry)
    view.scrolling.by(-600)
    world.settle()
    assert view.parts.viewport_layout.layout.placed[-1].entry is entry
    assert not view.parts.viewport_layout.shows_end_of(entry)


def test_a_frame_of_what_grows_looks_for_nothing_to_lay_out_ahead(world: World, qtbot: QtBot) -> None:
    view = _answering(world)
    ahead = view.parts.viewport_layout.findChild(QTimer, "ahead")
    qtbot.waitUntil(lambda: not ahead.isActive())
    view.conversation.append_text("m8", 0, "text", " grows")
    view.parts.conversation.feeds.show_frame()
    assert not ahead.isActive()
    view.scrolling.by(-60)
    assert ahead.isActive()
