"""The quick actions in the row below the last answer: which message has them, and how many a narrow window shows."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chatdesk.core.domain.message import Role, Status
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import World, make_message, make_thread


def words_of(view: TranscriptView, place: int) -> list[str]:
    return [button.text for button in view.entries[place].items[-1].buttons() if button.text]


def test_only_the_last_answer_has_them_and_they_follow_the_end_of_the_thread(world: World) -> None:
    view = world.open(make_thread(4))
    assert (words_of(view, 1), words_of(view, 3)) == ([], ["Shorter", "Longer"])
    view.conversation.set_quick_actions([("p1", "As a table")])
    world.settle()
    assert words_of(view, 3) == ["Shorter", "Longer", "As a table"]
    view.conversation.add_message(make_message(4, "and?"))
    view.conversation.add_message(make_message(5, status=Status.STREAMING))
    view.conversation.append_text("m5", 0, "text", "So.")
    world.settle()
    assert (words_of(view, 3), words_of(view, 5)) == ([], []), "what is being written has none yet"
    view.conversation.change_message(make_message(5, "So."))
    world.settle()
    assert words_of(view, 5) == ["Shorter", "Longer", "As a table"]


@pytest.mark.parametrize(("role", "text"), [(Role.USER, "x"), (Role.SYSTEM, "x"), (Role.ASSISTANT, "")])
def test_only_answers_have_quick_actions(world: World, role: Role, text: str) -> None:
    thread = make_thread(1)
    thread.messages.append(make_message(1, text, role=role))
    assert "Shorter" not in words_of(world.open(thread), 1)


@pytest.mark.parametrize("width", [300, 420, 700])
def test_footer_buttons_without_room_are_left_to_the_menu(world: World, width: int) -> None:
    thread = make_thread(1)
    thread.messages.append(make_message(1, "x", total_tokens=12_345, latency_ms=3_200))
    view = world.open(thread)
    view.conversation.set_quick_actions([(f"p{number}", f"A rather long name, number {number}") for number in range(9)])
    entry, style = view.entries[1], TranscriptStyle(world.theme)
    footer = entry.items[-1]
    footer.layout(style, float(width))
    buttons = footer.buttons()
    assert all(left.area.right() <= right.area.left() for left, right in pairwise(buttons))
    note = style.metrics("muted").horizontalAdvance("12,345 tokens · 3.2 s")
    assert buttons[-1].area.right() <= max(width - note, 5 * 40)
    assert len([button for button in buttons if button.text]) == {300: 0, 420: 2, 700: 3}[width]
