"""What is where an answer is waited for or failed: for whom and how long, until when, and the button that helps."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.errors import ProviderErrorKind
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.layout.timers import Ticking
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.frame_items import figures
from chatdesk.ui.transcript.messages.notices import Retry, lead_of
from chatdesk.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import FakeThread, World, make_message

NOW_MS = Clock().now_ms() + 3_600_000  # the machine's own clock does not get there while a test runs


def waiting_in(view: TranscriptView) -> WaitingItem | None:
    return next((item for item in view.entries[-1].items if isinstance(item, WaitingItem)), None)


def notice_in(entry: MessageEntry) -> NoticeItem | None:
    return next((item for item in entry.items if isinstance(item, NoticeItem)), None)


def failed(kind: str, *, text: str = "", **more: object) -> Message:
    error = "Testhost did not accept this. Your message is kept. Try again."
    return make_message(1, text, status=Status.ERROR, error=error, error_type=kind, **more)


def asked(world: World) -> tuple[FakeThread, TranscriptView]:
    pending = make_message(1, status=Status.PENDING, created_at=NOW_MS, model="swift-small")
    thread = FakeThread([make_message(0, "why?"), pending])
    return thread, world.open(thread)


def test_waiting_says_for_whom_and_how_long_and_moves_nothing(world: World) -> None:
    _thread, view = asked(world)
    item = waiting_in(view)
    assert item is not None and item.words == "", "a moment is not worth words"
    whole, revision = view.whole_height, item.revision
    assert item.tick(NOW_MS + 12_400)
    assert item.words == "Waiting for swift-small, 12 s"
    assert item.revision > revision and not item.tick(NOW_MS + 12_900), "it is drawn once a second"
    assert item.text == "", "a screen reader does not hear each second"
    world.settle()
    assert view.whole_height == whole
    view.conversation.append_text("m1", 0, "text", "Because")
    view.parts.conversation.feeds.show_frame()
    world.settle()
    assert waiting_in(view) is None
    assert view.whole_height == whole, "the first words stand where the waiting stood"


def test_the_wait_is_counted_from_when_it_was_asked_for_also_in_a_thread_that_is_opened_again(world: World) -> None:
    thread, view = asked(world)
    view.conversation.progress.record_request("m1", NOW_MS + 5_000)
    view.show_thread(None)
    view.show_thread(thread.thread_id)
    world.settle()
    item = waiting_in(view)
    assert item is not None and item.since_ms == NOW_MS + 5_000
    view.conversation.progress.forget_answer("m1")
    view.show_thread(None)
    view.show_thread(thread.thread_id)
    world.settle()
    item = waiting_in(view)
    assert item is not None and item.since_ms == NOW_MS


def test_a_retry_counts_down_in_place_and_can_be_had_now(world: World) -> None:
    _thread, view = asked(world)
    reason = "Testhost is receiving too many requests."
    view.conversation.progress.set_retry("m1", Retry(reason, attempt=2, due_ms=NOW_MS + 75_000))
    world.settle()
    item = notice_in(view.entries[-1])
    assert item is not None and waiting_in(view) is None
    height = item.height
    told = []
    for left_s in (75, 21, 1):
        item.tick(NOW_MS + 75_000 - left_s * 1_000)
        told.append(item.text.removeprefix(reason))
    assert told == [f" Trying again in {left} (attempt 2)." for left in ("1 min 15 s", "21 s", "1 s")]
    assert item.height == height
    assert item.flow.ranges[0].end == len(reason), "what happened is bold"
    spy = QSignalSpy(view.actionRequested)
    (button,) = item.buttons()
    assert button.text == "Try now"
    view.parts.actions.press_button(view.entries[-1], item, button.action)
    assert spy.at(0) == ["try-at-once", "m1"]


def test_a_countdown_is_redrawn_each_second_only_in_view(world: World) -> None:
    _thread, view = asked(world)
    ticking = view.findChild(Ticking)
    assert ticking is not None and ticking.timer.isActive()
    view.conversation.change_message(make_message(1, "Because.", model="swift-small"))
    world.settle()
    assert not ticking.timer.isActive()


@pytest.mark.parametrize(
    ("kind", "actions"),
    [
        ("unauthorised", ["Change the key…", "Try again"]),
        ("no_key", ["Check the key…", "Choose another model…", "Try again"]),
        ("model_not_found", ["Choose another model…", "Open the provider…", "Try again"]),
        ("server", ["Choose another model…", "Try again"]),
        ("refused", ["Open the provider…", "Try again"]),
        ("context_too_long", ["Choose a larger model…", "Shorten", "Try again"]),
        ("content_filter", ["Edit the message", "Try again"]),
        ("reset", ["Try again"]),
    ],
)
def test_each_failure_has_the_button_that_helps(kind: str, actions: list[str]) -> None:
    item = notice_in(MessageEntry(failed(kind)))
    assert item is not None
    assert [label for _action, label in item.actions] == actions


def test_no_failure_is_without_a_button() -> None:
    for kind in ProviderErrorKind:
        item = notice_in(MessageEntry(failed(kind.value)))
        assert item is not None and item.actions, kind


def test_a_limit_of_requests_can_be_waited_for_or_passed_by() -> None:
    soon = failed("rate_limited", error_details={"retry_at": Clock().now_ms() + 60_000})
    labels = [label for _action, label in notice_in(MessageEntry(soon)).actions]
    assert labels[0].startswith("Try at ") and labels[1:] == ["Try now", "Choose another model…"]
    over = failed("rate_limited", error_details={"retry_at": Clock().now_ms() - 1})
    assert [label for _action, label in notice_in(MessageEntry(over)).actions] == ["Choose another model…", "Try again"]


def test_with_a_part_of_the_answer_it_goes_on_first() -> None:
    labels = [label for _action, label in notice_in(MessageEntry(failed("silence", text="Half"))).actions]
    assert labels == ["Continue", "Try again", "Choose another model…"]


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("It broke. Your message is kept.", "It broke."),
        ("No stop at all", ""),
        ("It ended.", ""),
        ("It says: “Wait.” Your message is kept.", "It says: “Wait.”"),
        ("See example.com for more. Try again.", "See example.com for more."),
        ("word " * 100 + "end. More.", ""),
    ],
)
def test_the_first_sentence_is_bold(text: str, lead: str) -> None:
    assert lead_of(text) == lead


def test_buttons_stand_beside_few_words_also_where_there_is_little_room(world: World) -> None:
    style = TranscriptStyle(world.theme)
    few = NoticeItem("No answer.", (("answer", "Answer"),))
    many = NoticeItem("No answer came of it. " * 3, (("answer", "Answer"),))
    for item, is_beside in ((few, True), (many, False)):
        item.ensure_layout(style, 300)
        words = item.areas_of(0, len(item.text))
        assert (item.buttons()[0].area.top() < max(area.bottom() for area in words)) is is_beside


def test_nothing_is_said_of_the_time_of_an_answer_that_never_came() -> None:
    assert figures(failed("unauthorised", latency_ms=12)) == ""
    assert figures(make_message(1, "Because.", latency_ms=1_240)) == "1.2 s"


def test_a_question_that_the_thread_ends_with_offers_an_answer(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "one"), make_message(1, "1"), make_message(2, "two")]))
    first, last = view.entries[0], view.entries[-1]
    assert notice_in(first) is None
    item = notice_in(last)
    assert item is not None
    spy = QSignalSpy(view.actionRequested)
    view.parts.actions.press_button(last, item, item.buttons()[0].action)
    assert spy.at(0) == ["answer", "m2"]
    assert view.parts.actions.act("answer") and spy.count() == 2, "its menu has it, too"
    view.conversation.add_message(make_message(3, status=Status.PENDING))
    world.settle()
    assert notice_in(last) is None


def test_a_question_of_somebody_else_may_be_being_answered(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "hers", author_id="ana")]))
    assert notice_in(view.entries[0]) is None


def test_a_question_just_sent_never_flashes_the_offer(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "one"), make_message(1, "1")]))
    view.conversation.add_message(make_message(2, "two", role=Role.USER))
    view.conversation.add_message(make_message(3, status=Status.PENDING))
    heights = {view.entries[2].places.height}
    for _ in range(4):
        world.settle()
        heights.add(view.entries[2].places.height)
        assert notice_in(view.entries[2]) is None


@pytest.mark.parametrize("place", [0, 1])
def test_the_message_that_is_edited_is_marked(world: World, place: int) -> None:
    view = world.open(FakeThread([make_message(0, "one"), make_message(1, "1")]))
    before = view.viewport().grab().toImage()
    view.conversation.mark_edited(f"m{place}")
    world.settle()
    marked = view.viewport().grab().toImage()
    assert marked != before
    view.reload_from(None)
    world.settle()
    assert view.entries[place].is_edited, "also when it is loaded anew"
    view.conversation.mark_edited(None)
    world.settle()
    assert view.viewport().grab().toImage() == before


def test_no_click_presses_a_painted_button_that_appeared_a_moment_ago(world: World, qtbot: QtBot) -> None:
    view = world.open(FakeThread([make_message(0, "why?"), failed("unavailable")]))
    requested: list[str] = []
    view.parts.actions.requested.connect(lambda action, _message: requested.append(action))
    view.grab()
    item = notice_in(view.entries[-1])
    assert item is not None
    origin, moment, button = view.parts.viewport_layout.origin_of(item), item.unread, item.buttons()[0]
    assert origin is not None and moment is not None and moment.is_unread
    place = (origin + button.area.center()).toPoint()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert requested == []
    qtbot.waitUntil(lambda: not moment.is_unread)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert requested == [button.action]


def test_a_key_that_is_held_presses_no_painted_button(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "why?"), failed("unavailable")]))
    requested: list[str] = []
    view.parts.actions.requested.connect(lambda action, _message: requested.append(action))
    view.grab()
    focus = view.parts.message_focus
    while focus.current is not view.entries[-1]:
        assert focus.step_message(1) is not None
    while focus.stop is None or focus.stop[1] != "retry":
        assert focus.step_stop(forward=True)
    for is_repeated, pressed in ((True, 0), (False, 1)):
        key = (QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", is_repeated)
        QApplication.sendEvent(view, QKeyEvent(*key))
        assert len(requested) == pressed
