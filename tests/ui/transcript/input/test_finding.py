"""Finding words in the whole thread, loaded or not, folded or streaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.message import Role, Status
from chatdesk.core.domain.text_match import MessageMatch, ThreadMatches, count_in_source, needle_of
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.table_item import TableItem
from chatdesk.ui.transcript.messages.found_places import FoundPlaces
from chatdesk.ui.transcript.painting import canvas
from chatdesk.ui.transcript.view import TranscriptView

from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread  # isort: skip


class FakeFinder:
    """Searches a thread made of a list; with ``is_held`` answers wait until ``deliver``."""

    def __init__(self, thread: FakeThread) -> None:
        self._thread = thread
        self.asked: list[str] = []
        self.is_held = False
        self.is_complete = True
        self._waiting: list[Callable[[], None]] = []

    def __call__(self, thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None:
        self.asked.append(text)
        counted = (
            MessageMatch(each.id, each.position, count_in_source(each.text, needle_of(text)))
            for each in self._thread.messages
        )
        found = ThreadMatches(text, tuple(each for each in counted if each.count), is_complete=self.is_complete)
        if self.is_held:
            self._waiting.append(lambda: deliver(found))
        else:
            deliver(found)

    def deliver(self) -> None:
        for each in self._waiting:
            each()


@pytest.fixture
def finder_view(world: World) -> Iterator[Callable[..., tuple[TranscriptView, FakeFinder]]]:
    def make(thread: FakeThread) -> tuple[TranscriptView, FakeFinder]:
        finder = FakeFinder(thread)
        view = TranscriptView(thread.fetch_at, world.renderer, world.theme, find=finder)
        world.views.append(view)
        view.resize(900, 600)
        view.show()
        view.activateWindow()
        view.show_thread(thread.thread_id)
        world.settle()
        return view, finder

    return make


def _type(view: TranscriptView, text: str) -> None:
    view.finding.open()
    view.parts.finding.bar.field.setText(text)
    view.parts.finding.search()


def _enter(view: TranscriptView, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(view.parts.finding.bar.field, Qt.Key.Key_Return, modifiers)


def _count(view: TranscriptView) -> str:
    return view.parts.finding.bar.count_text


def _shown_text(view: TranscriptView) -> str:
    """The words of the current match, which must be in view."""
    finding = view.parts.finding
    for placed in view.parts.layout.placed:
        place = finding.current_place(placed.entry)
        if place is not None and place.index == placed.index:
            areas = placed.item.areas_of(place.start, place.end)
            assert areas, "the match is not to be seen"
            assert 0 <= placed.y + areas[0].top() <= view.viewport().height() - areas[0].height()
            return placed.item.text[place.start : place.end]
    raise AssertionError("the current match is not in view")


def test_matches_are_counted_over_the_whole_thread_and_walked_through(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(900, lambda place: f"Needle {place}" if place % 300 == 7 else f"Hay {place}."))
    _type(view, "nEEDLE")
    world.settle()
    assert _count(view) == "1 of 3"
    assert _shown_text(view) == "Needle"
    assert view.parts.finding.current.position == 7
    _enter(view)
    world.settle()
    assert (_count(view), view.parts.finding.current.position) == ("2 of 3", 307)
    assert _shown_text(view) == "Needle"
    _enter(view, Qt.KeyboardModifier.ShiftModifier)
    _enter(view, Qt.KeyboardModifier.ShiftModifier)
    world.settle()
    assert (_count(view), view.parts.finding.current.position) == ("3 of 3", 607)


def test_the_search_begins_where_the_reader_is(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(300, lambda place: f"word {place}"))
    view.jump_to("m150")
    world.settle()
    _type(view, "word")
    assert view.parts.finding.current.position == 150 or abs(view.parts.finding.current.position - 150) <= 1


def test_each_place_in_a_long_message_is_shown(world: World, finder_view) -> None:
    text = "\n\n".join(
        f"Paragraph {number} with a pearl in it." if number % 20 == 0 else "Sand." for number in range(200)
    )
    view, _ = finder_view(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    _type(view, "PEARL")
    seen = set()
    for _ in range(10):
        world.settle()
        assert _shown_text(view) == "pearl"
        seen.add(_count(view))
        _enter(view)
    assert len(seen) == 10


def test_folded_code_is_unfolded_and_wide_code_scrolled(world: World, finder_view) -> None:
    code = "\n".join("x = 1" for _ in range(100)) + "\n" + "y = 2; " * 60 + "hidden = 3\n"
    view, _ = finder_view(FakeThread([make_message(0, f"```python\n{code}```\n", role=Role.ASSISTANT)]))
    _type(view, "hidden")
    world.settle()
    assert _shown_text(view) == "hidden"


def test_words_in_tables_are_shown(world: World, finder_view) -> None:
    rows = "\n".join(f"| row {number} | cell {number} |" for number in range(60))
    view, _ = finder_view(FakeThread([make_message(0, f"| a | b |\n|---|---|\n{rows}", role=Role.ASSISTANT)]))
    _type(view, "cell 57")
    world.settle()
    assert _shown_text(view) == "cell 57"


def test_nothing_found_is_said(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(5))
    said: list[str] = []
    view.announced.connect(said.append)
    _type(view, "absent")
    assert _count(view) == "Nothing found"
    _enter(view)
    assert said == ["Nothing found"]


def test_results_and_steps_are_announced(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(4))
    said: list[str] = []
    view.announced.connect(said.append)
    _type(view, "message")
    _enter(view)
    assert said == ["4 found, match 1 of 4", "Match 2 of 4"]


def test_an_answer_to_older_words_is_dropped(world: World, finder_view) -> None:
    view, finder = finder_view(make_thread(4))
    finder.is_held = True
    _type(view, "message")
    _type(view, "number 2")
    finder.deliver()
    assert _count(view) == "1 of 1"


def test_a_search_that_ended_early_says_so(world: World, finder_view) -> None:
    view, finder = finder_view(make_thread(4))
    finder.is_complete = False
    _type(view, "message")
    assert _count(view) == "1 of 4+"


def test_escape_closes_and_gives_the_focus_back(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(4))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    _type(view, "message")
    QTest.keyClick(view.parts.finding.bar.field, Qt.Key.Key_Escape)
    assert not view.parts.finding.is_open
    assert view.parts.finding.places.needle == ""
    assert view.parts.finding.current is None


def test_typing_asks_once_it_pauses(world: World, finder_view, qtbot) -> None:
    view, finder = finder_view(make_thread(4))
    view.finding.open()
    QTest.keyClicks(view.parts.finding.bar.field, "mess")
    qtbot.waitUntil(lambda: bool(finder.asked))
    assert finder.asked == ["mess"]
    view.parts.finding.bar.field.clear()
    view.parts.finding.search()
    assert _count(view) == ""


def test_a_streaming_answer_is_searched_too(world: World, finder_view) -> None:
    thread = make_thread(2, lambda place: f"echo {place}")
    view, _ = finder_view(thread)
    view.conversation.add_message(make_message(2, "", role=Role.ASSISTANT, status=Status.STREAMING))
    _type(view, "echo")
    assert _count(view) == "1 of 2"
    view.conversation.append_text("m2", 0, "text", "An echo, and another echo.")
    view.parts.conversation.feeds.show_frame()
    view.parts.conversation.feeds.show_frame()
    world.settle()
    assert _count(view) == "1 of 4"
    view.finding.step(-1)
    assert _count(view) == "4 of 4"
    thread.messages.append(make_message(2, "An echo, and another echo.", role=Role.ASSISTANT))
    view.conversation.change_message(thread.messages[2])
    view.parts.finding.search()
    assert _count(view) == "4 of 4"


def test_a_message_that_comes_is_searched(world: World, finder_view, qtbot) -> None:
    thread = make_thread(3, lambda place: f"echo {place}")
    view, finder = finder_view(thread)
    _type(view, "echo")
    thread.messages.append(make_message(3, "echo 3", role=Role.ASSISTANT))
    view.conversation.add_message(thread.messages[3])
    qtbot.waitUntil(lambda: len(finder.asked) == 2)
    assert _count(view) == "1 of 4"


def test_pages_that_come_while_scrolling_are_not_searched_again(world: World, finder_view) -> None:
    view, finder = finder_view(make_thread(600))
    _type(view, "message")
    for _ in range(20):
        view.scrolling.by(-800)
        world.settle()
    assert finder.asked == ["message"]
    assert not view.parts.finding.findChild(QTimer, "typing").isActive()


def test_matches_are_painted(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(4))
    before = view.grab().toImage()
    _type(view, "number")
    world.settle()
    view.parts.finding.bar.hide()
    assert view.grab().toImage() != before


def test_f3_opens_and_goes_on(world: World, finder_view) -> None:
    view, _ = finder_view(make_thread(4))
    view.finding.step(1)
    assert view.parts.finding.is_open
    _type(view, "message")
    QTest.keyClick(view.parts.finding.bar.field, Qt.Key.Key_F3)
    assert _count(view) == "2 of 4"
    QTest.keyClick(view.parts.finding.bar.field, Qt.Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    assert _count(view) == "1 of 4"
    buttons = {each.objectName(): each for each in view.parts.finding.bar.findChildren(QWidget)}
    QTest.mouseClick(buttons["findNext"], Qt.MouseButton.LeftButton)
    assert _count(view) == "2 of 4"
    QTest.mouseClick(buttons["findClose"], Qt.MouseButton.LeftButton)
    assert not view.parts.finding.is_open


def test_without_a_finder_what_is_loaded_is_searched(world: World) -> None:
    view = world.open(make_thread(6))
    _type(view, "message number")
    assert _count(view) == "1 of 6"


def test_the_same_thread_is_searched_anew_when_it_comes_again(world: World, finder_view, qtbot) -> None:
    view, finder = finder_view(make_thread(4))
    _type(view, "message")
    view.show_thread("t")
    assert view.parts.finding.current is None and view.parts.finding.is_open
    qtbot.waitUntil(lambda: len(finder.asked) == 2)


@pytest.mark.parametrize("left_for", [None, "another"])
@pytest.mark.parametrize("is_from_a_hit", [False, True])
def test_a_search_ends_with_its_thread(world: World, finder_view, left_for: str | None, is_from_a_hit: bool) -> None:
    thread = make_thread(4)
    view, finder = finder_view(thread)
    if is_from_a_hit:
        view.show_found(thread.messages[1].id, "message")
        world.settle()
    else:
        _type(view, "message")
    asked = len(finder.asked)
    view.show_thread(left_for)
    finding = view.parts.finding
    assert (finding.is_open, finding.current, finding.total, finding.places.needle) == (False, None, 0, "")
    view.show_thread("t")
    world.settle()
    assert not finding.is_open and len(finder.asked) == asked


def test_the_bar_makes_way_for_a_match_that_it_would_cover(
    world: World, finder_view: Callable[..., tuple[TranscriptView, FakeFinder]]
) -> None:
    thread = make_thread(2)
    view, _ = finder_view(thread)
    first = thread.messages[0]
    view.show_found(first.id, first.text.split()[0])
    world.settle()
    bar = view.parts.finding.bar
    assert bar.isVisible() and not bar.field.hasFocus()
    assert bar.y() > view.viewport().height() / 2
    assert view.parts.finding.current is not None and view.parts.finding.current.message_id == first.id
    view.parts.finding.close()
    view.finding.open()
    assert bar.y() < 50


@pytest.mark.parametrize("width", [420, 900])
def test_the_bar_leaves_the_way_to_the_newest_message_in_sight(
    world: World, finder_view: Callable[..., tuple[TranscriptView, FakeFinder]], width: int
) -> None:
    thread = make_thread(40)
    view, _ = finder_view(thread)
    view.resize(width, 500)
    world.settle()
    first = thread.messages[0]
    view.show_thread_at("t", first.id)
    world.settle()
    view.show_found(first.id, first.text.split()[0])
    world.settle()
    bar, pill = view.parts.finding.bar, view.parts.pill
    assert bar.isVisible() and pill.isVisible() and bar.y() > view.viewport().height() / 2
    assert not bar.geometry().intersects(pill.geometry())


def test_a_message_that_was_found_by_nothing_is_only_shown(
    world: World, finder_view: Callable[..., tuple[TranscriptView, FakeFinder]]
) -> None:
    thread = make_thread(4)
    view, finder = finder_view(thread)
    view.show_found(thread.messages[1].id, " ")
    world.settle()
    assert not view.parts.finding.bar.isVisible() and not finder.asked
    assert view.current_message_id() == thread.messages[1].id


def test_the_places_of_a_long_answer_are_counted_once(
    world: World, finder_view, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(f"- needle {number}" for number in range(400))
    view, _ = finder_view(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    _type(view, "needle")
    world.settle()
    assert len(view.parts.layout.placed) > 10
    asked = []
    whole = FoundPlaces.in_item
    monkeypatch.setattr(FoundPlaces, "in_item", lambda places, item: asked.append(item) or whole(places, item))
    view.viewport().grab()
    assert len(asked) <= len(view.parts.layout.placed) + 1


def test_only_the_places_in_sight_of_long_code_are_painted(
    world: World, finder_view, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "```\n" + "needle needle\n" * 3000 + "```"
    view, _ = finder_view(FakeThread([make_message(0, text, role=Role.ASSISTANT)]))
    _type(view, "needle")
    world.settle()
    for _ in range(5):
        _enter(view)
        world.settle()
        assert _shown_text(view) == "needle"
    asked = []
    whole = CodeItem.areas_of
    monkeypatch.setattr(CodeItem, "areas_of", lambda item, *ends: asked.append(ends) or whole(item, *ends))
    seen = view.viewport().grab()
    assert 20 < len(asked) < 200
    monkeypatch.setattr(canvas, "_MANY_PLACES", 1_000_000)
    assert view.viewport().grab().toImage() == seen.toImage()
    assert len(asked) > 1000


def test_rows_that_are_folded_away_are_not_painted(world: World, finder_view, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"| needle | {number} |\n" for number in range(400))
    view, _ = finder_view(FakeThread([make_message(0, f"| a | b |\n|---|---|\n{rows}", role=Role.ASSISTANT)]))
    _type(view, "needle")
    world.settle()
    painted, asked = [], []
    paint, areas_of = TableItem.paint, TableItem.areas_of
    monkeypatch.setattr(TableItem, "paint", lambda item, *rest: painted.append(item) or paint(item, *rest))
    monkeypatch.setattr(TableItem, "areas_of", lambda item, *ends: asked.append(item) or areas_of(item, *ends))
    view.viewport().grab()
    assert painted and asked and all(item.height for item in (*painted, *asked))
    assert any(not placed.item.height for placed in view.parts.layout.placed)
