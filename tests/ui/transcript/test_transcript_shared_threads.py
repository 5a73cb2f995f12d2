"""What a transcript shows of other members: names, versions, rights, files on their way; and that it stays still."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import EDITED, Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.rendering.blocks import Paragraph, Span
from chatdesk.ui.features.chat.message_follower import IncomingMessages
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import Picture, PictureSource, SharedWith
from chatdesk.ui.transcript.input.menu import build_menu, offered_by
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.items.header_item import AuthorItem, HeaderItem
from chatdesk.ui.transcript.items.mark_item import MarkItem
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.speech.names import message_name
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.waiting import stays_in_window

ANA = "member-ana"
SUM = "ab" * 32
NAMES = {ANA: "Ana Ruiz"}


def shared(**rights: bool) -> SharedWith:
    return SharedWith(lambda member_id: NAMES.get(member_id, ""), **rights)


def message(number: int, role: Role, text: str, **changes: object) -> Message:
    made = Message(
        f"m{number}",
        "thread",
        f"m{number - 1}" if number else None,
        role,
        Status.COMPLETE,
        1_700_000_000_000,
        number,
        (Part(f"p{number}", f"m{number}", 0, PartType.TEXT, {"text": text}),),
        model="gpt-5" if role is Role.ASSISTANT else None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class PlainRenderer:
    def request(self, text, on_done, *, is_answer: bool = True):
        on_done((Paragraph((Span(text),)),))
        return self

    def cancel(self) -> None: ...

    def open_stream(self, _on_update):
        return self


@pytest.fixture
def make_view(qtbot, qapp: QApplication):
    def make(messages: list[Message], who: SharedWith | None) -> TranscriptView:
        def fetch(thread_id, *, deliver, **_wish):
            deliver(MessagePage(thread_id, tuple(messages), False, False, len(messages)))

        view = TranscriptView(fetch, PlainRenderer(), Theme(qapp, preference="light"))
        qtbot.addWidget(view)
        view.resize(700, 500)
        view.show()
        view.conversation.set_shared(who)
        view.show_thread("thread")
        return view

    return make


def _item(entry, kind):
    return next((each for each in entry.items if isinstance(each, kind)), None)


def test_a_question_of_another_member_has_the_name_above_it_and_ones_own_has_none(make_view):
    view = make_view([message(0, Role.USER, "mine"), message(1, Role.USER, "hers", author_id=ANA)], shared())
    mine, hers = view.entries
    assert _item(mine, AuthorItem) is None
    assert _item(hers, AuthorItem).name == "Ana Ruiz"
    assert "Ana Ruiz" in _item(hers, AuthorItem).tip_at(QPointF(1, 1))
    assert message_name(hers, 2).startswith("Ana Ruiz, ")
    assert message_name(mine, 2).startswith("You, ")


def test_the_name_is_outside_the_bubble_and_no_child_of_the_message_for_a_screen_reader(make_view):
    view = make_view([message(0, Role.USER, "hers", author_id=ANA)], shared())
    entry = view.entries[0]
    author = _item(entry, AuthorItem)
    assert entry.items.index(author) < entry.body[0]
    assert author.kind == "header"
    assert entry.places.width_of(author) == entry.places.width
    assert not view.grab().isNull()


def test_an_answer_says_who_asked_for_it(make_view):
    view = make_view([message(0, Role.ASSISTANT, "so", author_id=ANA), message(1, Role.ASSISTANT, "yes")], shared())
    hers, mine = view.entries
    assert _item(hers, HeaderItem).asked_by == (ANA, "Ana Ruiz")
    assert _item(mine, HeaderItem).asked_by is None
    assert ", asked by Ana Ruiz, " in message_name(hers, 2).replace("gpt-5, asked", ", asked")
    assert "asked by" not in message_name(mine, 2)


def test_an_unknown_author_is_shown_as_another_member(make_view):
    view = make_view([message(0, Role.USER, "hers", author_id="gone")], shared())
    assert view.entries[0].facts.author == "Another member"
    private = make_view([message(0, Role.USER, "hers", author_id=ANA)], None)
    assert private.entries[0].facts.author == "Another member"


def test_versions_name_their_authors_in_shared_threads_only(make_view):
    versions = {"version_index": 2, "version_count": 3}
    messages = [message(0, Role.USER, "a", author_id=ANA, **versions), message(1, Role.ASSISTANT, "b", **versions)]
    hers, mine = make_view(messages, shared()).entries
    assert "version 2 of 3, by Ana Ruiz" in message_name(hers, 2)
    assert "version 2 of 3, by you" in message_name(mine, 2)
    footer = _item(mine, FooterItem)
    footer.ensure_layout(make_view(messages, shared()).parts.viewport_layout.style, 600)
    tips = {footer.tip_at(QPointF(x, footer.height / 2)) for x in range(600)}
    assert "Version 2 of 3, by you" in tips
    private = make_view(messages, None).entries[1]
    assert "version" not in message_name(private, 2)
    assert private.facts.version_words == ""


def test_an_answer_that_another_member_edited_names_them(make_view):
    hers = message(0, Role.ASSISTANT, "so", author_id=ANA, finish_reason=EDITED, model=None)
    (entry,) = make_view([hers], shared()).entries
    assert _item(entry, MarkItem).words == "Edited by Ana Ruiz"
    assert _item(entry, HeaderItem).asked_by is None
    assert message_name(entry, 1).startswith("Assistant, edited by Ana Ruiz, ")
    assert "edit-answer" in offered_by(entry, starts_later=False)
    (read_only,) = make_view([hers], shared(can_write=False)).entries
    assert "edit-answer" not in offered_by(read_only, starts_later=False)


def test_new_names_are_shown_at_once(make_view):
    view = make_view([message(0, Role.USER, "a", author_id=ANA)], shared())
    view.conversation.set_shared(SharedWith(lambda _id: "Ana R. Gil"))
    assert _item(view.entries[0], AuthorItem).name == "Ana R. Gil"
    entry = view.entries[0]
    items = entry.items
    view.conversation.set_shared(SharedWith(lambda _id: "Ana R. Gil"))
    assert entry.items is items  # nothing is assembled again for the same


def test_a_reader_sees_why_the_message_tools_are_off(make_view, qtbot):
    stopped = message(1, Role.ASSISTANT, "b", status=Status.STOPPED)
    view = make_view([message(0, Role.USER, "a"), stopped], shared(can_write=False))
    question, answer = view.entries
    tools = {tool.action: tool for tool in _item(answer, FooterItem).tools}
    assert not tools["regenerate"].is_enabled
    assert tools["regenerate"].label == "Regenerate: you can only read this project"
    assert tools["copy"].is_enabled
    assert _item(answer, NoticeItem).actions == ()
    assert not offered_by(question, starts_later=False) & {"edit", "delete", "branch"}
    assert {"copy", "pin"} <= offered_by(question, starts_later=False)
    menu = build_menu(
        view, answer, view.parts.viewport_layout.style, has_selection=False, starts_later=False, do=lambda _name: None
    )
    words = {each.text(): each.isEnabled() for each in menu.actions()}
    assert words["Delete: you can only read this project"] is False
    view.conversation.set_shared(shared())
    assert _item(view.entries[1], NoticeItem).actions == (("continue", "Continue"),)


def test_only_managers_delete_messages_of_others(make_view):
    messages = [message(0, Role.USER, "a", author_id=ANA), message(1, Role.USER, "b")]
    hers, mine = make_view(messages, shared()).entries
    assert hers.facts.refusal_of("delete") == "Ana Ruiz wrote this"
    assert hers.facts.refusal_of("edit") == ""  # which makes a version of one's own
    assert mine.facts.refusal_of("delete") == ""
    assert make_view(messages, shared(can_manage=True)).entries[0].facts.refusal_of("delete") == ""


def test_a_reader_at_the_end_follows_and_one_further_up_stays(make_view, qtbot):
    messages = [message(number, Role.USER, "words " * 80, author_id=ANA) for number in range(14)]
    view = make_view(messages, shared())
    qtbot.waitUntil(lambda: view.parts.layout.is_at_end)
    view.conversation.add_message(message(14, Role.USER, "more", author_id=ANA))
    qtbot.waitUntil(lambda: view.parts.layout.is_at_end and view.entries[-1].message.id == "m14")
    view.scrolling.by(-2_000)
    qtbot.waitUntil(lambda: not view.parts.layout.is_at_end)

    def place():
        """Return the line at the top; how much of its message is above is a guess until that is laid out."""
        anchor = view.scrolling.anchor()
        return anchor.message_id, anchor.line

    before = place()
    view.conversation.add_message(message(15, Role.USER, "even more", author_id=ANA))
    stays_in_window(qtbot, lambda: place() == before and not view.parts.layout.is_at_end, for_s=0.03)
    view.conversation.add_message(message(16, Role.USER, "my own"))
    qtbot.waitUntil(lambda: view.parts.layout.is_at_end)


def test_the_unread_line_stands_above_what_others_wrote(make_view, qtbot):
    view = make_view([message(number, Role.USER, "words " * 80) for number in range(14)], shared())
    view.scrolling.by(-2_000)
    qtbot.waitUntil(lambda: not view.parts.layout.is_at_end)
    view.conversation.add_message(message(14, Role.USER, "hers", author_id=ANA))
    assert view.parts.conversation.first_unread == "m14"
    view.conversation.add_message(message(15, Role.USER, "my own"))
    assert view.parts.conversation.first_unread is None


def test_a_file_says_that_it_is_on_its_way_and_offers_nothing_till_then(make_view):
    content = {"name": "plan.pdf", "mime": "application/pdf", "sha256": SUM, "size_bytes": 1_000}
    part = Part("f", "m0", 0, PartType.FILE, content)
    view = make_view([message(0, Role.USER, "", parts=(part,), author_id=ANA)], shared())
    state = {"now": "fetching"}
    view.set_file_states(lambda sha256: state["now"] if sha256 == SUM else "")
    item = _item(view.entries[0], FileItem)
    assert item.spoken.endswith("is being fetched from the team")
    assert item.buttons() == ()
    state["now"] = "missing"
    view.set_file_states(lambda _sha256: state["now"])
    assert "missing on the team's server" in item.spoken
    state["now"] = ""
    view.set_file_states(lambda _sha256: state["now"])
    assert item.spoken == "plan.pdf, PDF · 1,000 bytes"
    assert item.buttons()


def test_a_picture_comes_when_its_file_is_there(make_view):
    content = {"name": "a.png", "mime": "image/png", "sha256": SUM, "size_bytes": 10, "width": 4, "height": 4}
    view = make_view([message(0, Role.USER, "", parts=(Part("i", "m0", 0, PartType.IMAGE, content),))], shared())
    asked: list[PictureSource] = []

    class Door:
        def load(self, source, on_done):
            asked.append(source)
            on_done(Picture(None, "The file cannot be read."))

    state = {"now": "fetching"}
    view.set_file_states(lambda _sha256: state["now"])
    view.set_pictures(Door())
    item = _item(view.entries[0], PictureItem)
    view.set_file_states(lambda _sha256: state["now"])
    assert item.failure == "This picture is being fetched from the team."
    assert len(asked) == 1
    state["now"] = ""
    view.set_file_states(lambda _sha256: state["now"])
    assert len(asked) == 2


def test_mirrored_and_with_long_names_everything_is_drawn_in_its_room(make_view):
    NAMES["long"] = "A" * 300
    messages = [
        message(0, Role.USER, "a", author_id="long"),
        message(1, Role.ASSISTANT, "b", author_id="long"),
        message(2, Role.USER, "c", author_id=ANA),
    ]
    view = make_view(messages, shared())
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.resize(420, 400)
    assert not view.grab().isNull()


def test_arriving_messages_come_in_order_a_slice_at_a_time(qtbot):
    taken: list[str] = []
    arriving = IncomingMessages(lambda _each: True, lambda each: taken.append(each.id), lambda _id: None)
    for number in range(100):
        arriving.add(message(number, Role.USER, "a"))
    assert taken == []
    arriving.change(message(50, Role.USER, "newer"))
    arriving.change(message(500, Role.USER, "not waiting"))
    qtbot.waitUntil(lambda: len(taken) == 100)
    assert taken == [f"m{number}" for number in range(100)]
    arriving.add(message(0, Role.USER, "a"))
    arriving.forget()
    stays_in_window(qtbot, lambda: len(taken) == 100, for_s=0.02)


def test_an_arriving_message_waits_a_little_for_its_blocks_and_not_for_ever(qtbot, monkeypatch):
    taken: list[str] = []
    ready = {"m1"}
    arriving = IncomingMessages(lambda each: each.id in ready, lambda each: taken.append(each.id), lambda _id: None)
    arriving.add(message(0, Role.USER, "a"))
    arriving.add(message(1, Role.USER, "b"))
    with monkeypatch.context() as patched:
        patched.setattr(
            "chatdesk.ui.features.chat.message_follower._LONGEST_S", 60.0
        )  # longer than a busy machine stands still
        stays_in_window(qtbot, lambda: taken == [], for_s=0.04)
        ready.add("m0")
        qtbot.waitUntil(lambda: taken == ["m0", "m1"])
    arriving.add(message(2, Role.USER, "c"))
    qtbot.waitUntil(lambda: len(taken) == 3)
