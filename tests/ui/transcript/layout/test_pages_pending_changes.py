"""Messages that are added or change while a page is on its way, which was read before that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatdesk.core.domain.message import Message, MessagePage, Status
from chatdesk.ui.transcript.contract import ScrollAnchor

from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread  # isort: skip


class SlowThread(FakeThread):
    """Pages are read when they are asked for, and come with ``deliver``."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__(messages)
        self.is_slow = True
        self._read: list[Callable[[], None]] = []

    def fetch(self, thread_id: str, *, deliver: Callable[[MessagePage], None], **wish: object) -> None:
        pages: list[MessagePage] = []
        super().fetch(thread_id, deliver=pages.append, **wish)  # type: ignore[arg-type]
        if self.is_slow:
            self._read.append(lambda: deliver(pages[0]))
        else:
            deliver(pages[0])

    def deliver(self) -> None:
        read, self._read = self._read, []
        for each in read:
            each()


def _states(view) -> list[tuple[str, Status, str]]:
    return [(entry.message.id, entry.message.status, entry.text) for entry in view.entries]


@pytest.fixture
def asked() -> list[Message]:
    return [make_message(0, "a question"), make_message(1, "", status=Status.PENDING)]


def test_an_answer_that_ended_meanwhile_is_shown_as_it_ended(world: World, asked: list[Message]) -> None:
    thread = SlowThread(asked)
    view = world.open(thread)
    view.conversation.change_message(make_message(1, "no words", status=Status.ERROR))
    assert not view.entries
    thread.deliver()
    world.settle()
    assert _states(view)[1] == ("m1", Status.ERROR, "no words")
    thread.is_slow = False
    view.show_thread("t", None)  # what is asked for later is as it was read
    assert _states(view)[1][1] is Status.PENDING


def test_an_answer_that_is_asked_for_again_meanwhile_is_not_shown_as_failed(world: World) -> None:
    thread = SlowThread([make_message(0, "a question"), make_message(1, "half", status=Status.ERROR)])
    view = world.open(thread)
    view.conversation.change_message(make_message(1, "", status=Status.PENDING))
    thread.deliver()
    assert _states(view)[1][1] is Status.PENDING


def test_text_that_the_page_has_of_a_running_answer_stays(world: World) -> None:
    thread = SlowThread([make_message(0), make_message(1, "some streamed words", status=Status.STREAMING)])
    view = world.open(thread)
    view.conversation.change_message(make_message(1, "", status=Status.STREAMING))
    thread.deliver()
    assert _states(view)[1] == ("m1", Status.STREAMING, "some streamed words")


def test_messages_that_were_added_meanwhile_stand_at_the_end_once(world: World, asked: list[Message]) -> None:
    thread = SlowThread([])
    view = world.open(thread)
    for message in asked:
        view.conversation.add_message(message)
    view.conversation.change_message(replace(asked[1], status=Status.COMPLETE))
    thread.deliver()
    world.settle()
    assert [(id_, status) for id_, status, _text in _states(view)] == [("m0", Status.COMPLETE), ("m1", Status.COMPLETE)]
    view.conversation.add_message(make_message(2, "the next"))
    assert [entry.message.id for entry in view.entries] == ["m0", "m1", "m2"]


def test_a_page_that_does_not_reach_the_end_gets_no_message_of_the_end(world: World) -> None:
    messages = make_thread(400).messages
    thread = SlowThread(messages)
    view = world.open(thread, anchor=ScrollAnchor("m100", 0, False))
    view.conversation.add_message(make_message(400, "the newest"))
    thread.deliver()
    world.settle()
    assert view.entries[-1].message.position < 399


def test_an_added_message_survives_a_replacing_page(world: World) -> None:
    thread = SlowThread(make_thread(400).messages)
    thread.is_slow = False
    view = world.open(thread, anchor=ScrollAnchor("m100", 0, False))
    thread.is_slow = True
    view.parts.scrolling.to_end()
    added = make_message(400, "the newest")
    view.conversation.add_message(added)
    thread.deliver()
    world.settle()
    assert view.entries[-1].message.id == "m400"
