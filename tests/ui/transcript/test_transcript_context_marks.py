"""Marks on messages, the lines of the context, mirrored sides, and what can be asked for at a message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from chatdesk.core.domain.context import ContextLandmarks, SummaryEnd
from chatdesk.core.domain.message import EDITED, ContextMark, Role, Status
from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Tokens
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.items.line_item import LineItem
from chatdesk.ui.transcript.items.mark_item import MarkItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.speech.names import message_name
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.mouse import move_mouse
from tests.ui.transcript.conftest import World, make_message, make_thread


def marked(view: TranscriptView, message_id: str, mark: ContextMark) -> None:
    entry = next(each for each in view.entries if each.message.id == message_id)
    view.conversation.change_message(replace(entry.message, context_mark=mark))


def entry_of(view: TranscriptView, message_id: str) -> MessageEntry:
    return next(each for each in view.entries if each.message.id == message_id)


def words_of(entry: MessageEntry) -> list[str]:
    return [item.words for item in entry.items if isinstance(item, MarkItem | LineItem)]


def tops_of(view: TranscriptView, world: World) -> dict[str, int]:
    world.settle()
    return {
        each.message.id: view.message_rect(each).top() for each in view.entries if not view.message_rect(each).isEmpty()
    }


@pytest.mark.parametrize("message_id", ["m0", "m1"])
def test_a_mark_is_said_in_words_and_goes_with_the_mark(world: World, message_id: str) -> None:
    view = world.open(make_thread(2))
    marked(view, message_id, ContextMark.PINNED)
    world.settle()
    assert words_of(entry_of(view, message_id)) == ["Pinned into the context"]
    marked(view, message_id, ContextMark.EXCLUDED)
    world.settle()
    assert words_of(entry_of(view, message_id)) == ["Excluded from the context"]
    marked(view, message_id, ContextMark.NONE)
    world.settle()
    assert words_of(entry_of(view, message_id)) == []


def test_an_edited_answer_says_so_beside_its_place_in_the_context(world: World) -> None:
    thread = make_thread(2)
    thread.messages[1] = replace(thread.messages[1], finish_reason=EDITED)
    view = world.open(thread)
    world.settle()
    assert words_of(entry_of(view, "m1")) == ["Edited by you"]
    marked(view, "m1", ContextMark.PINNED)
    world.settle()
    assert words_of(entry_of(view, "m1")) == ["Edited by you, pinned into the context"]
    marked(view, "m1", ContextMark.NONE)
    world.settle()
    assert words_of(entry_of(view, "m1")) == ["Edited by you"]
    name = message_name(entry_of(view, "m1"), 2)
    assert "edited by you" in name


def test_a_screen_reader_hears_the_mark(world: World) -> None:
    view = world.open(make_thread(2))
    marked(view, "m1", ContextMark.EXCLUDED)
    world.settle()
    tree = QAccessible.queryAccessibleInterface(view)
    answer = next(
        node
        for node in (tree.child(at) for at in range(tree.childCount()))
        if "message 2 of 2" in node.text(QAccessible.Text.Name)
    )
    assert "excluded from the context" in answer.text(QAccessible.Text.Name)
    children = [answer.child(at).text(QAccessible.Text.Name) for at in range(answer.childCount())]
    assert "Excluded from the context" in children


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_excluded_messages_can_still_be_read(tokens: Tokens) -> None:
    grounds = (tokens.background, tokens.question, tokens.code, tokens.card)
    assert min(contrast(tokens.muted, ground) for ground in grounds) >= 4.5


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [
            each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in QColor(colour).getRgbF()
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_excluded_messages_are_drawn_in_the_colour_of_hints(world: World) -> None:
    view = world.open(make_thread(2, lambda _place: "word " * 40 + "\n\n```python\nx = 1\n```"))
    before = darkest(view, "m1")
    marked(view, "m1", ContextMark.EXCLUDED)
    world.settle()
    assert darkest(view, "m1") > before + 30
    marked(view, "m1", ContextMark.NONE)
    world.settle()
    assert darkest(view, "m1") == before


def darkest(view: TranscriptView, message_id: str) -> int:
    """The darkest grey in the body of a message."""
    entry = entry_of(view, message_id)
    image = view.viewport().grab().toImage()
    first, last = entry.body
    top = view.viewport().mapFromGlobal(view.message_rect(entry).topLeft()).y()
    rows = range(round(top + entry.places.tops[first]), min(image.height(), round(top + entry.places.tops[last - 1])))
    left = round(view.parts.viewport_layout.column_left)
    return min(image.pixelColor(x, y).lightness() for y in rows for x in range(left, left + 300))


def test_the_row_pins_branches_and_unpins(world: World) -> None:
    view = world.open(make_thread(2))
    asked: list[tuple[str, str]] = []
    view.actionRequested.connect(lambda name, id_: asked.append((name, id_)))
    press(view, "m1", "pin")
    press(view, "m1", "branch")
    marked(view, "m1", ContextMark.PINNED)
    world.settle()
    press(view, "m1", "unpin")
    assert asked == [("pin", "m1"), ("branch", "m1"), ("unpin", "m1")]


def press(view: TranscriptView, message_id: str, action: str) -> None:
    """A click on a tool of a message."""
    entry = entry_of(view, message_id)
    item = next(item for item in entry.items if any(button.action == action for button in item.buttons()))
    button = next(button for button in item.buttons() if button.action == action)
    origin = view.accessible_actions.origin_of(item)
    assert origin is not None
    while item.unread is not None and item.unread.is_unread:
        QApplication.processEvents()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=(origin + button.area.center()).toPoint())


@pytest.mark.parametrize(
    ("mark", "action"),
    [
        (ContextMark.NONE, "pin"),
        (ContextMark.NONE, "exclude"),
        (ContextMark.PINNED, "unpin"),
        (ContextMark.EXCLUDED, "include"),
    ],
)
def test_the_menu_marks(world: World, mark: ContextMark, action: str) -> None:
    view = world.open(make_thread(2))
    marked(view, "m1", mark)
    asked: list[tuple[str, str]] = []
    view.actionRequested.connect(lambda name, id_: asked.append((name, id_)))
    choose(view, "m1", action)
    assert asked == [(action, "m1")]


def choose(view: TranscriptView, message_id: str, action: str) -> None:
    """From the menu of a message, opened with the keyboard."""
    view.setFocus()
    view.jump_to(message_id)
    QTest.keyClick(view, Qt.Key.Key_Menu)
    menu = view.findChild(QMenu, "messageMenu")
    assert menu is not None
    found = {each.objectName(): each for each in menu.actions()}
    found[f"message-{action}"].trigger()
    menu.close()


def test_the_context_starts_where_it_is_told_to(world: World) -> None:
    view = world.open(make_thread(4))
    asked: list[tuple[str, str]] = []
    view.actionRequested.connect(lambda name, id_: asked.append((name, id_)))
    choose(view, "m2", "start-here")
    view.conversation.set_landmarks(ContextLandmarks("m2"))
    world.settle()
    assert words_of(entry_of(view, "m2")) == ["The context starts here"]
    choose(view, "m1", "start-at-beginning")
    assert asked == [("start-here", "m2"), ("start-at-beginning", "m1")]
    view.conversation.set_landmarks(ContextLandmarks())
    world.settle()
    assert words_of(entry_of(view, "m2")) == []


def test_a_line_stands_where_the_summary_ends(world: World) -> None:
    view = world.open(make_thread(6))
    shown: list[str] = []
    view.actionRequested.connect(lambda name, _id: shown.append(name))
    view.conversation.set_landmarks(ContextLandmarks(None, (SummaryEnd("m3", 124),)))
    world.settle()
    entry = entry_of(view, "m3")
    assert words_of(entry) == ["Summarised up to here · 124 messages · Show"]
    assert entry.items[-1].kind == "line"
    press(view, "m3", "show-summary")
    assert shown == ["show-summary"]
    view.conversation.set_landmarks(ContextLandmarks(None, (SummaryEnd("m3", 1, is_stale=True),)))
    world.settle()
    assert words_of(entry) == ["Summary of 1 message ends here · out of date and not sent · Show"]


def test_the_line_is_reached_by_keys(world: World) -> None:
    view = world.open(make_thread(2))
    shown: list[str] = []
    view.actionRequested.connect(lambda name, _id: shown.append(name))
    view.conversation.set_landmarks(ContextLandmarks(None, (SummaryEnd("m1", 2),)))
    world.settle()
    view.setFocus()
    view.jump_to("m1")
    for _ in range(12):
        if view.accessible_actions.stop is not None and view.accessible_actions.stop[2] == "show-summary":
            break
        QTest.keyClick(view, Qt.Key.Key_Tab)
    view.viewport().grab()  # the ring is drawn
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert shown == ["show-summary"]


def test_nothing_jumps_when_lines_come_above_the_view(world: World) -> None:
    view = world.open(make_thread(60))
    view.jump_to("m30")
    view.scrolling.by(10)
    before = tops_of(view, world)
    view.conversation.set_landmarks(
        ContextLandmarks("m4", (SummaryEnd("m20", 16), SummaryEnd("m29", 25, is_stale=True)))
    )
    after = tops_of(view, world)
    assert {key: after[key] for key in before if key not in ("m29",)} == {
        key: before[key] for key in before if key not in ("m29",)
    }


def test_lines_are_there_when_their_message_is_loaded_later(world: World) -> None:
    thread = make_thread(200)
    view = world.open(thread)
    view.conversation.set_landmarks(ContextLandmarks("m10", (SummaryEnd("m9", 10),)))
    view.jump_to("m10")
    world.settle()
    assert words_of(entry_of(view, "m9")) == ["Summarised up to here · 10 messages · Show"]
    assert words_of(entry_of(view, "m10")) == ["The context starts here"]


def test_another_thread_has_lines_of_its_own(world: World) -> None:
    thread = make_thread(4)
    view = world.open(thread)
    view.conversation.set_landmarks(ContextLandmarks("m2"))
    thread.thread_id = "u"
    thread.messages = [replace(each, thread_id="u") for each in thread.messages]
    view.show_thread("u")
    world.settle()
    assert [words_of(each) for each in view.entries] == [[]] * 4


def test_the_readers_line_is_found_again_with_a_line_above_it(world: World) -> None:
    long = "\n\n".join(f"Paragraph {n} " + "word " * 30 for n in range(30))
    thread = make_thread(6, lambda _place: long)
    view = world.open(thread)
    view.conversation.set_landmarks(ContextLandmarks("m3"))
    view.jump_to("m3")
    view.scrolling.by(700)
    world.settle()
    anchor, before = view.scrolling.anchor(), tops_of(view, world)
    view.show_thread("t", anchor)
    world.settle()
    assert tops_of(view, world) == before


def test_an_answer_that_was_cut_off_can_go_on(world: World) -> None:
    thread = make_thread(2)
    thread.messages[1] = make_message(1, "The beginning", finish_reason="length")
    view = world.open(thread)
    asked: list[tuple[str, str]] = []
    view.actionRequested.connect(lambda name, id_: asked.append((name, id_)))
    press(view, "m1", "continue")
    choose(view, "m1", "continue")
    assert asked == [("continue", "m1"), ("continue", "m1")]
    assert not MessageEntry(make_message(1, "whole", finish_reason="stop")).facts.can_continue
    assert not MessageEntry(make_message(0, "mine", role=Role.USER, finish_reason="length")).facts.can_continue
    assert not MessageEntry(make_message(1, "now", status=Status.STREAMING)).facts.can_continue


# Mirrored


def test_sides_are_swapped_from_right_to_left(world: World) -> None:
    thread = make_thread(2, lambda place: f"Short {place}")
    thread.messages[1] = replace(thread.messages[1], version_index=2, version_count=3, total_tokens=5)
    view = world.open(thread)
    question, answer = view.entries
    assert question.places.bubble_left > 300
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    world.settle()
    assert question.places.bubble_left == 0
    assert question.places.x_of(question.items[question.body[0]]) < 50
    footer = answer.items[-1]
    assert isinstance(footer, FooterItem)
    previous, following = footer.buttons()[:2]
    assert previous.area.left() > following.area.left() > 400
    assert (previous.icon, following.icon) == ("chevron-right", "chevron-left")
    for mark in (ContextMark.PINNED, ContextMark.EXCLUDED):
        marked(view, "m0", mark)
        world.settle()
        view.viewport().grab()
    move_mouse(view.viewport(), QPoint(round(view.parts.viewport_layout.column_left) + 5, 40))
    assert view.viewport().grab().toImage().pixelColor(round(view.parts.viewport_layout.column_left) + 4, 60) != QColor(
        "white"
    )
    view.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    world.settle()
    assert question.places.bubble_left > 300


def test_text_from_right_to_left_stands_at_the_right_of_its_bubble_in_both_layouts(world: World) -> None:
    view = world.open(make_thread(1, lambda _place: "שלום עולם"))
    (question,) = view.entries
    item = question.items[question.body[0]]
    edge = question.places.x_of(item) + question.places.width_of(item)
    assert edge == pytest.approx(question.places.width - 14, abs=1)
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    world.settle()
    edge = question.places.x_of(item) + question.places.width_of(item)
    assert edge == pytest.approx(question.places.bubble_width - 14, abs=1)


def test_a_line_without_an_action_has_no_button(world: World) -> None:
    view = world.open(make_thread(2))
    view.conversation.set_landmarks(ContextLandmarks("m1"))
    world.settle()
    line = next(item for item in entry_of(view, "m1").items if isinstance(item, LineItem))
    assert line.buttons() == ()
    assert line.button_at(QPointF(1, 1)) is None
