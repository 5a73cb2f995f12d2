"""What is around a message's text: times, tools, folds, notices, and questions as they were written."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from chatdesk.core.domain.message import Part, PartType, Status
from chatdesk.core.rendering.answers.thoughts import parse_answer
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.local_forms import time_of, whole_time_of
from chatdesk.ui.transcript.copying.clipboard import FORMS
from chatdesk.ui.transcript.drawing.item import Item, word_bounds
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.menu import build_menu
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.footer_item import FooterItem, Tool
from chatdesk.ui.transcript.items.header_item import HeaderItem
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.text_item import TextItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.sections import TextSection, new_section, sections_of
from tests.ui.transcript.conftest import FakeThread, World, make_message, make_thread
from tests.ui.transcript.items.test_math_item import WIDTH, painted, style  # noqa: F401 - a fixture


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_today_is_told_by_the_clock_and_other_days_with_their_date() -> None:
    now = datetime.now(UTC).astimezone()
    noon = now.replace(hour=12, minute=5, second=7)
    assert time_of(milliseconds(noon)) == "12:05"
    before = noon - timedelta(days=400)
    assert time_of(milliseconds(before)) == f"{before:%Y-%m-%d} 12:05"
    assert "12:05:07" in whole_time_of(milliseconds(before))
    assert time_of(0) == whole_time_of(0) == ""


def test_the_time_shows_with_the_attention_and_its_tooltip_is_whole(style: TranscriptStyle) -> None:  # noqa: F811
    header = HeaderItem("gpt-4o", "12:05", "Monday, 12:05:07")
    assert painted(header, style) != painted(header, style, is_attended=True)
    assert header.tip_at(QPointF(WIDTH - 3, 5)) == "Monday, 12:05:07"
    assert header.tip_at(QPointF(3, 5)) == ""
    footer = FooterItem((Tool("copy", "Copy", "copy"),), time="12:05", tip="whole", is_right_aligned=True)
    assert painted(footer, style, is_active=True) != painted(footer, style, is_active=True, is_attended=True)
    left = footer.buttons()[0].area.left()
    assert footer.tip_at(QPointF(left - 10, 5)) == "whole"
    assert footer.tip_at(QPointF(left + 5, 5)) == ""


def test_a_message_carries_its_times(world: World) -> None:
    when = milliseconds(datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    thread = make_thread(0)
    thread.messages += [make_message(0, "a", created_at=when), make_message(1, "b", created_at=when)]
    view = world.open(thread)
    question, answer = view.entries
    footer, header = question.items[-1], answer.items[0]
    assert isinstance(footer, FooterItem)
    assert footer.time == time_of(when)
    assert isinstance(header, HeaderItem)
    assert header.aside == time_of(when)


@pytest.mark.parametrize("said", [0, 1, 10**12, 1_800_000_000_000 - 25 * 3600 * 1000])
@pytest.mark.parametrize("position", [0, 1])
def test_a_time_far_from_the_server_s_is_its_author_s_word(world: World, said: int, position: int) -> None:
    accepted = 1_800_000_000_000
    for at, is_far in ((said, True), (accepted - 3600 * 1000, False)):
        thread = make_thread(0)
        thread.messages += [make_message(position, "a", created_at=at, author_id="ben", accepted_at=accepted)]
        facts = world.open(thread).entries[0].facts
        assert (whole_time_of(accepted) in facts.whole_time) is is_far
        assert whole_time_of(at) in facts.whole_time


def test_questions_may_be_shown_as_they_were_written(world: World) -> None:
    view = world.open(make_thread(2, lambda place: "**x**"))
    assert [entry.items[entry.body[0]].text for entry in view.entries] == ["x", "x"]
    view.set_plain_questions(True)
    world.settle()
    assert [entry.items[entry.body[0]].text for entry in view.entries] == ["**x**", "x"]
    view.set_plain_questions(True)
    view.set_plain_questions(False)
    world.settle()
    assert view.entries[0].items[0].text == "x"


def test_versions_can_be_changed_from_the_first_and_from_the_last(style: TranscriptStyle) -> None:  # noqa: F811
    for shown, enabled in ((1, [False, True, True]), (3, [True, False, True])):
        footer = FooterItem((), versions=(shown, 3), note="5 tokens")
        painted(footer, style, is_active=True)
        assert [button.is_enabled for button in footer.buttons()] == enabled
        off = footer.buttons()[enabled.index(False)]
        assert footer.button_at(off.area.center()) is None


# Folds


def parts() -> tuple[Part, ...]:
    call = {"name": "read_file", "arguments": '{"path": "app.log"}'}
    return (
        Part("a", "m", 0, PartType.REASONING, {"text": "First.\n\nThen."}, started_at=0, completed_at=12_000),
        Part("b", "m", 1, PartType.TOOL_CALL, call, tool_call_id="1"),
        Part("c", "m", 2, PartType.TOOL_RESULT, {"text": "done"}, tool_call_id="1", tool_duration_ms=230),
        Part("e", "m", 4, PartType.FILE, {"name": "a.pdf"}),
    )


def test_reasoning_and_tools_are_summed_up_and_opened() -> None:
    entry = MessageEntry(make_message(1, parts=parts()))
    folds = [item for item in entry.items if isinstance(item, FoldItem)]
    assert [fold.label for fold in folds] == ["Thought for 12 s", "read_file · app.log", "a.pdf"]
    assert (folds[1].aside, folds[1].is_done) == ("0.2 s", True)
    assert folds[1].spoken == "read_file · app.log, 0.2 s"
    assert folds[2].buttons() == ()
    entry.toggle_fold(folds[0])
    assert [item.text for item in entry.items if isinstance(item, TextItem)] == ["First.", "Then."]
    entry.toggle_fold(folds[1])
    shown = [item for item in entry.items if isinstance(item, CodeItem)]
    assert [item.block.language for item in shown] == ["arguments", "result"]
    entry.change(make_message(1, parts=parts(), status=Status.COMPLETE, total_tokens=5))
    assert any(isinstance(item, CodeItem) for item in entry.items)
    entry.toggle_fold(next(item for item in entry.items if isinstance(item, FoldItem)))
    assert not any(isinstance(item, TextItem) for item in entry.items)


@pytest.mark.parametrize(
    ("started", "completed", "label"),
    [(0, 300, "Thought for under a second"), (0, 75_000, "Thought for 1 min 15 s"), (None, None, "Thought")],
)
def test_the_time_of_a_thought(started: int | None, completed: int | None, label: str) -> None:
    part = Part("a", "m", 0, PartType.REASONING, {"text": "x"}, started_at=started, completed_at=completed)
    (section,) = sections_of((part,), is_live=False)
    (fold,) = section.items
    assert isinstance(fold, FoldItem)
    assert fold.label == label


def test_a_thought_is_named_by_its_time_while_the_answer_goes_on() -> None:
    entry = MessageEntry(make_message(1, status=Status.PENDING))
    entry.append(0, "reasoning", "Let me see.")
    entry.show_appended()
    (fold,) = (item for item in entry.items if isinstance(item, FoldItem))
    assert fold.label == "Thinking…"
    entry.append(1, "text", "So")
    entry.show_appended()
    before = fold.revision
    thought = Part("a", "m", 0, PartType.REASONING, {"text": "Let me see."}, started_at=0, completed_at=4_000)
    text = Part("b", "m", 1, PartType.TEXT, {"text": "So"}, started_at=4_000)
    entry.change(make_message(1, status=Status.STREAMING, parts=(thought, text)))
    assert fold in entry.items and fold.label == "Thought for 4 s"
    assert fold.revision > before, "it is painted again"


@pytest.mark.parametrize(
    "arguments", ["", "not json", "[1]", "{}", '{"a": null}', "[" * 9_000, '{"a": "' + "x" * 30_000]
)
def test_a_call_without_a_telling_argument_has_its_name_only(arguments: str) -> None:
    part = Part("b", "m", 1, PartType.TOOL_CALL, {"name": "look", "arguments": arguments})
    (section,) = sections_of((part,), is_live=False)
    (fold,) = section.items
    assert isinstance(fold, FoldItem)
    assert fold.label == "look"


def test_a_result_without_its_call_is_shown_by_itself() -> None:
    lost = Part("d", "m", 3, PartType.TOOL_RESULT, {"text": "lost"}, tool_name="find", tool_call_id="9")
    (section,) = sections_of((lost,), is_live=False)
    (fold,) = section.items
    assert isinstance(fold, FoldItem)
    assert (fold.label, fold.is_done) == ("find", True)


def test_a_thought_and_a_call_that_are_being_written() -> None:
    for kind in ("reasoning", "tool_call"):
        section = new_section(0, kind)
        (fold,) = section.items
        assert isinstance(fold, FoldItem)
        fold.is_open = True
        section.append("one")
        section.update_items()
        before = section.items[1]
        assert "one" in before.text
        section.append(" two")
        section.update_items()
        assert "one two" in section.items[1].text


def test_an_open_fold_and_a_hovered_one_look_different(style: TranscriptStyle) -> None:  # noqa: F811
    fold = FoldItem("a", "Thought for 4 s")
    pictures = [painted(fold, style), painted(fold, style, hovered_action="toggle-fold")]
    fold.is_open = True
    pictures.append(painted(fold, style))
    pictures.append(painted(fold, style, focused_action="toggle-fold"))
    assert all(one != other for place, one in enumerate(pictures) for other in pictures[:place])
    assert fold.buttons()[0].label == "Hide Thought for 4 s"


# Notices and menus

CONTEXT = {"pin", "exclude", "start-here"}
ANSWERED = {
    "copy",
    "copy-markdown",
    "link",
    "regenerate",
    "regenerate-with",
    "edit-answer",
    "branch",
    "delete",
    "version-next",
    "compare",
    *CONTEXT,
}


def test_a_notice_puts_its_buttons_below_where_there_is_no_room_beside(style: TranscriptStyle) -> None:  # noqa: F811
    item = NoticeItem("The server did not answer. " * 3, (("retry", "Try again"), ("continue", "Continue")))
    painted(item, style, width=700.0)
    beside = item.height
    assert item.buttons()[0].area.x() > 400
    painted(item, style, width=260.0)
    assert item.height > beside
    assert item.buttons()[0].area.bottom() <= item.height
    many = NoticeItem("Too large.", tuple((f"a{place}", "A way out of it") for place in range(4)))
    painted(many, style, width=300.0)
    areas = [button.area for button in many.buttons()]
    assert len({area.y() for area in areas}) > 1
    assert max(area.right() for area in areas) <= 300
    assert max(area.bottom() for area in areas) <= many.height
    assert item.copied(0, 10) == item.text[:10]
    assert item.offset_at(QPointF(0, 0)) == 0
    assert item.areas_of(0, 5)


@pytest.mark.parametrize(
    ("position", "status", "has_selection", "offered"),
    [
        (0, Status.COMPLETE, False, {"copy", "copy-markdown", "link", "edit", "branch", "delete", *CONTEXT}),
        (1, Status.COMPLETE, True, ANSWERED | {"remember"}),
        (1, Status.STREAMING, False, {"copy", "copy-markdown", "link", "version-next", "compare"}),
        (1, Status.STOPPED, False, ANSWERED | {"continue"}),
    ],
)
def test_the_menu_offers_what_can_be_done(
    world: World, position: int, status: Status, has_selection: bool, offered: set[str]
) -> None:
    view = world.open(make_thread(1))
    versions = {"version_index": 1, "version_count": 2} if position else {}
    entry = MessageEntry(make_message(position, "x", status=status, **versions))
    chosen: list[str] = []
    menu = build_menu(
        view, entry, TranscriptStyle(world.theme), has_selection=has_selection, starts_later=False, do=chosen.append
    )
    actions = {each.objectName().removeprefix("message-"): each for each in menu.actions() if not each.isSeparator()}
    enabled = {name for name, action in actions.items() if action.isEnabled()}
    assert enabled - {"quote", "quick:shorter", "quick:longer"} == offered | set(FORMS)
    assert "quote" in enabled
    is_answered = bool(position) and status.is_final
    assert ({"quick:shorter", "quick:longer"} <= enabled) is is_answered
    separators = [each.isSeparator() for each in menu.actions()]
    assert (True, True) not in itertools.pairwise(separators)
    assert actions["copy"].text() == ("Copy selection" if has_selection else "Copy")
    actions["copy"].trigger()
    assert chosen == ["copy"]
    menu.deleteLater()


def test_the_menu_opens_from_the_keyboard(world: World) -> None:
    view = world.open(make_thread(2))
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Menu)
    menu = view.findChild(QMenu, "messageMenu")
    assert menu is not None
    assert menu.findChild(QAction, "message-copy") is not None
    menu.close()


def test_an_item_by_itself_offers_nothing() -> None:
    item = Item()
    assert (item.text, item.links(), item.buttons(), item.press("x"), item.tip_at(QPointF())) == ("", (), (), None, "")
    assert (item.link_at(QPointF()), item.scroll, item.offset_at(QPointF())) == (None, None, 0)
    assert word_bounds("", 3) == (0, 0)
    assert word_bounds("one two", 5) == (4, 7)
    assert word_bounds("a  b", 1) == (1, 2)


def test_a_bubble_ends_below_its_words_whatever_width_the_column_gets(world: World) -> None:
    thread = FakeThread([make_message(0, "- one\n- two\n\n" + "Words of a question that take some lines. " * 9)])
    view = world.open(thread, size=(1_000, 600))
    for width in (990, 700, 640, 820, 1_000):
        view.resize(width, 600)
        world.settle()
        (question,) = view.entries
        heights = [item.height for item in question.items]
        for item in question.items:
            item.invalidate()
            item.ensure_layout(view.parts.viewport_layout.style, question.places.width_of(item))
        assert [item.height for item in question.items] == heights


def test_a_thought_in_the_text_is_folded_and_opened() -> None:
    section = TextSection(0, "<think>Hm.</think>\n\nYes.")
    section.set_blocks(parse_answer(section.text))
    fold, answer = section.items
    assert isinstance(fold, FoldItem)
    assert (fold.label, answer.text) == ("Thought", "Yes.")
    fold.is_open = True
    section.update_items()
    assert [item.text for item in section.items[1:]] == ["Hm.", "Yes."]
    section.set_blocks((*parse_answer(section.text), *parse_markdown("More.")))
    assert [item.text for item in section.items[1:]] == ["Hm.", "Yes.", "More."]
    assert section.items[0] is fold
