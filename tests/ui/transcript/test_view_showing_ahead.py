"""Another path that is seen before it is stored."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import MessagePage
from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread


def _other(thread: FakeThread, first: int, count: int) -> MessagePage:
    """The path that begins at ``first`` with other messages."""
    messages = tuple(make_message(first + place, f"Other {place}", message_id=f"o{place}") for place in range(count))
    return MessagePage("t", messages, has_older=first > 0, has_newer=False, total=first + count)


def test_the_path_below_a_message_is_shown_at_once(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    asked = len(thread.asked)
    assert view.show_ahead(_other(thread, 4, 3), "m3")
    assert [each.message.id for each in view.entries] == ["m0", "m1", "m2", "m3", "o0", "o1", "o2"]
    world.settle()
    view.conversation.confirm()
    world.settle()
    assert len(thread.asked) == asked  # the page was all that was missing
    assert [each.message.id for each in view.entries][-1] == "o2"


def test_no_page_is_asked_for_until_the_path_is_stored(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    asked = len(thread.asked)
    assert view.show_ahead(replace(_other(thread, 4, 3), has_newer=True), "m3")
    view.scrolling.to_end()
    world.settle()
    assert len(thread.asked) == asked
    thread.messages = [*thread.messages[:4], *_other(thread, 4, 6).messages]
    view.conversation.confirm()
    world.settle()
    assert len(thread.asked) > asked
    assert [each.message.id for each in view.entries][-1] == "o5"


def test_a_whole_path_is_shown_from_its_first_message(world: World) -> None:
    thread = make_thread(60)
    view = world.open(thread)
    assert view.show_ahead(replace(_other(thread, 0, 20), has_newer=True), None)
    view.jump_to("o0")
    world.settle()
    assert view.entries[0].message.id == "o0"
    assert view.current_message_id() == "o0"
    assert view.message_rect(view.entries[0]).top() >= 0


def test_a_version_that_was_not_stored_is_shown_as_before(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    assert view.show_ahead(_other(thread, 4, 3), "m3")
    view.reload_from("m3")
    world.settle()
    assert [each.message.id for each in view.entries] == [f"m{place}" for place in range(8)]


def test_unloaded_messages_cannot_be_shown_ahead(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    assert not view.show_ahead(_other(thread, 4, 3), "gone")
    assert not view.show_ahead(replace(_other(thread, 4, 3), thread_id="u"), "m3")
    assert len(view.entries) == 8


def test_another_thread_does_not_wait_for_this_one(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    assert view.show_ahead(_other(thread, 4, 3), "m3")
    asked = len(thread.asked)
    view.show_thread("u")
    world.settle()
    assert len(thread.asked) == asked + 1


def test_the_focus_stays_among_the_messages(world: World) -> None:
    thread = make_thread(8)
    view = world.open(thread)
    view.setFocus()
    view.jump_to("m4")
    assert view.show_ahead(_other(thread, 4, 3), "m3")
    world.settle()
    assert view.current_message_id() == "o0"
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert view.current_message_id() == "o1"
