"""The transcript as a reader uses it."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

from chatdesk.core.domain.message import Role, Status
from chatdesk.ui.transcript.contract import ScrollAnchor
from chatdesk.ui.transcript.items.code_item import CodeItem
from tests.helpers.mouse import move_mouse

from tests.ui.transcript.conftest import World, copied_text, make_message, make_thread  # isort: skip

_CODE = "Look:\n\n```python\nprint(1)\n```\n"


def _y_of(view, message_id):
    placed = next(each for each in view.parts.layout.placed if each.entry.message.id == message_id)
    return placed.y - placed.entry.places.tops[placed.index]


def test_a_long_thread_is_not_loaded_whole(world: World) -> None:
    thread = make_thread(10_000)
    view = world.open(thread)
    assert len(view.entries) < 300
    assert view.entries[-1].message.id == "m9999"
    assert view.scrolling.anchor().is_at_end
    assert view.verticalScrollBar().maximum() > 100_000


def test_scrolling_up_loads_older_pages_and_drops_far_ones(world: World) -> None:
    view = world.open(make_thread(1_000))
    for _ in range(60):
        view.scrolling.by(-500)
    assert view.entries[0].message.position < 900
    assert len(view.entries) <= 300
    assert not view.scrolling.anchor().is_at_end


def test_home_and_end_reach_both_ends_without_loading_what_is_between(world: World) -> None:
    for knows_at in (True, False):
        view = world.open(make_thread(2_000), knows_at=knows_at)
        QTest.keyClick(view, Qt.Key.Key_Home)
        world.settle()
        assert view.entries[0].message.id == "m0"
        assert view.scrolling.anchor().message_id == "m0"
        QTest.keyClick(view, Qt.Key.Key_End)
        world.settle()
        assert view.entries[-1].message.id == "m1999"
        assert view.scrolling.anchor().is_at_end


def test_dragging_the_scroll_bar_into_the_middle_shows_the_middle(world: World) -> None:
    view = world.open(make_thread(4_000), knows_at=True)
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    world.settle()
    top = next(each for each in view.entries if each.message.id == view.scrolling.anchor().message_id)
    assert 1_800 < top.message.position < 2_200


def test_the_place_of_the_reader_comes_back(world: World) -> None:
    thread = make_thread(500, lambda place: f"Words of {place}. " * 30)
    view = world.open(thread)
    view.jump_to("m250")
    view.scrolling.by(30)
    world.settle()
    anchor = view.scrolling.anchor()
    other = world.open(thread, anchor=anchor)
    assert other.scrolling.anchor().message_id == anchor.message_id
    assert abs(other.scrolling.anchor().offset_px - anchor.offset_px) < 2


def test_blocks_that_come_late_do_not_move_the_line_under_the_eye(world: World) -> None:
    world.renderer.is_held = True
    thread = make_thread(60, lambda place: "# Heading\n\n" + "- item\n" * 12 + "\n```\ncode\n```\n")
    view = world.open(thread, anchor=ScrollAnchor("m30", 0.0, False))
    before = _y_of(view, "m30")
    world.renderer.deliver_all()
    world.settle()
    assert abs(_y_of(view, "m30") - before) < 1


def test_painting_between_new_blocks_and_their_layout_is_safe(world: World) -> None:
    world.renderer.is_held = True
    view = world.open(make_thread(30, lambda place: _CODE))
    world.renderer.deliver_all()
    view.viewport().repaint()
    assert any(isinstance(item, CodeItem) for item in view.entries[-1].items)


def test_new_text_is_followed_only_at_the_end(world: World) -> None:
    thread = make_thread(40, lambda place: "Some words. " * 40)
    view = world.open(thread)
    view.conversation.add_message(make_message(40, "", role=Role.ASSISTANT, status=Status.STREAMING))
    view.conversation.append_text("m40", 0, "text", "word " * 400)
    view.parts.conversation.feeds.show_frame()
    view.parts.conversation.feeds.show_frame()
    assert view.scrolling.anchor().is_at_end
    view.scrolling.by(-400)
    held = view.scrolling.anchor()
    view.conversation.append_text("m40", 0, "text", "more " * 400)
    view.parts.conversation.feeds.show_frame()
    view.parts.conversation.feeds.show_frame()
    assert view.scrolling.anchor() == held


def test_the_pill_counts_what_came_and_leads_back(world: World) -> None:
    view = world.open(make_thread(60, lambda place: "Some words. " * 40))
    view.scrolling.by(-2_000)
    view.conversation.add_message(make_message(60, "Here.", role=Role.ASSISTANT))
    world.settle()
    assert view.parts.pill.isVisible()
    assert view.parts.pill.text() == "1 new message"
    QTest.mouseClick(view.parts.pill, Qt.MouseButton.LeftButton)
    world.settle()
    assert view.scrolling.anchor().is_at_end
    assert not view.parts.pill.isVisible()


def test_a_finished_answer_keeps_its_laid_out_blocks(world: World) -> None:
    view = world.open(make_thread(1))
    view.conversation.add_message(make_message(1, "", status=Status.STREAMING))
    view.conversation.append_text("m1", 0, "text", "One.\n\nTwo.\n\n")
    view.parts.conversation.feeds.show_frame()
    view.parts.conversation.feeds.show_frame()
    entry = view.entries[-1]
    before = entry.items[slice(*entry.body)]
    view.conversation.change_message(make_message(1, "One.\n\nTwo.\n\n"))
    world.settle()
    assert entry.items[slice(*entry.body)] == before
    assert world.renderer.streams[0].is_cancelled


def test_a_stored_state_behind_the_stream_does_not_cut_the_text(world: World) -> None:
    view = world.open(make_thread(1))
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    view.conversation.append_text("m1", 0, "text", "One two three")
    view.conversation.change_message(make_message(1, "One", status=Status.STREAMING))
    assert view.entries[-1].text == "One two three"


def test_copy_takes_the_selection_or_else_the_current_message(world: World) -> None:
    view = world.open(make_thread(4))
    copied: list[str] = []
    view.copyRequested.connect(copied.append)
    view.jump_to("m2")
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied[0] == "Message number 2."
    assert copied[1] == "\n\n".join(f"Message number {place}." for place in range(4))
    assert QApplication.clipboard().text() == copied[1]


def test_dragging_selects_across_messages_and_double_click_a_word(world: World) -> None:
    view = world.open(make_thread(4))
    first, last = (
        next(p for p in view.parts.layout.placed if p.entry is e and p.item.kind == "text") for e in view.entries[1:3]
    )

    def at(placed, dx):
        x = view.parts.viewport_layout.column_left + placed.entry.places.x_of(placed.item) + dx
        return QPointF(x, placed.y + 8).toPoint()

    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at(first, 0))
    move_mouse(view.viewport(), at(last, 400))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at(last, 400))
    assert copied_text(view) == "Message number 1.\n\nMessage number 2."
    view.parts.pointer.let_go()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at(first, 5))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at(first, 5))
    assert copied_text(view) == "Message"


def test_tab_reaches_the_copy_button_of_code(world: World) -> None:
    view = world.open(make_thread(2, lambda place: _CODE))
    copied: list[str] = []
    view.copyRequested.connect(copied.append)
    view.setFocus()
    view.activateWindow()
    world.settle()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert copied == ["print(1)\n"]


def test_tools_emit_the_message_they_stand_under(world: World, qtbot: QtBot) -> None:
    thread = make_thread(2)
    thread.messages[1] = make_message(
        1, "Half", status=Status.ERROR, error="It broke.", version_index=2, version_count=3
    )
    view = world.open(thread)
    seen: list[object] = []
    view.actionRequested.connect(lambda name, id_: seen.append((name, id_)))
    actions = ("retry", "continue", "regenerate", "version-previous", "version-next")
    for action in actions:
        placed, button = next(
            (p, b)
            for p in view.parts.layout.placed
            for b in p.item.buttons()
            if p.entry.message.id == "m1" and b.action == action
        )
        point = QPointF(view.parts.viewport_layout.column_left, placed.y) + button.area.center()
        moment = placed.item.unread
        assert moment is not None
        qtbot.waitUntil(lambda moment=moment: not (moment.is_unread or view.parts.actions.acted.is_unread))
        for _ in range(2):  # as a double click does
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point.toPoint())
    steps = {"version-previous", "version-next"}
    assert seen == [(action, "m1") for action in actions for _ in range(1 + (action in steps))]


def test_only_safe_links_leave_the_transcript(world: World) -> None:
    view = world.open(make_thread(1))
    opened: list[str] = []
    view.parts.actions.linkActivated.connect(opened.append)
    for target in ("https://a.example/", "mailto:a@b.example", "javascript:alert(1)", "file:///etc/passwd"):
        view.parts.actions.open_link(target)
    assert opened == ["https://a.example/", "mailto:a@b.example"]


def test_each_message_is_named_for_assistive_programs(world: World) -> None:
    view = world.open(make_thread(3))
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.childCount() == 3
    names = [interface.child(place).text(QAccessible.Text.Name) for place in range(3)]
    assert names == ["You, message 1 of 3", "test-model, message 2 of 3", "You, message 3 of 3"]
    assert interface.child(1).text(QAccessible.Text.Value) == "Message number 1."
    gc.collect()
    assert interface.indexOfChild(interface.child(2)) == 2


def test_the_start_the_end_and_an_error_are_announced(world: World) -> None:
    view = world.open(make_thread(1))
    said: list[str] = []
    view.announced.connect(said.append)
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    view.conversation.change_message(make_message(1, "", status=Status.ERROR, error="No network."))
    assert said == ["test-model is answering", "No network."]


def test_a_reload_from_a_message_replaces_the_rest(world: World) -> None:
    thread = make_thread(6)
    view = world.open(thread)
    thread.messages[3:] = [make_message(3, "Another answer.", message_id="n3")]
    view.reload_from("m3")
    world.settle()
    assert [entry.message.id for entry in view.entries] == ["m0", "m1", "m2", "n3"]
    view.show_thread(None)
    assert view.entries == ()
    assert view.scrolling.anchor().message_id is None


def test_hostile_text_is_laid_out_in_bounded_time(world: World) -> None:
    text = "x" * 300_000 + "\n\n" + "a b " * 50_000 + "\n\n```\n" + "y" * 300_000 + "\n```\n![a](/dev/zero)"
    view = world.open(make_thread(2, lambda place: text))
    view.scrolling.by(-5_000)
    view.viewport().repaint()
    assert view.childAt(QPoint(5, 5)) is not None


def test_a_message_offers_its_actions_while_its_blocks_are_not_placed_yet(world: World) -> None:
    world.renderer.is_held = True
    view = world.open(make_thread(2, lambda place: "```\none\n\ntwo\n\nthree\n```"))
    world.renderer.deliver_all()  # one block each, where each paragraph was an item
    assert view.parts.actions.offered("copy") == "copy"


@pytest.mark.parametrize("awaited", ["blocks", "stream", "page", "last words"])
def test_late_results_for_a_destroyed_view_are_dropped(world: World, awaited: str) -> None:
    thread = make_thread(3)
    view = world.open(thread)
    view.set_reading("sentences")
    answer = make_message(3, "", status=Status.STREAMING)
    view.conversation.add_message(answer)
    view.conversation.append_text(answer.id, 0, "text", "The first words. ")
    world.settle()
    world.renderer.is_held = True
    thread.held = []
    if awaited == "blocks":
        view.conversation.add_message(make_message(4, "Another question."))
    elif awaited == "page":
        view.reload_from(None)
    elif awaited == "last words":
        view.conversation.change_message(replace(answer, status=Status.COMPLETE))
    world.settle()
    world.views.remove(view)
    Shiboken.delete(view)
    for stream in world.renderer.streams:
        stream.append("and more")
    for deliver in thread.held:
        deliver()
    world.renderer.deliver_all()
