"""The transcript as assistive programs see it: messages, blocks, parts, texts, actions and events."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from shiboken6 import Shiboken

from chatdesk.core.domain.message import Part, PartType, Status
from chatdesk.ui.transcript.accessible.block import BlockNode
from chatdesk.ui.transcript.accessible.message import MessageNode
from chatdesk.ui.transcript.items.line_item import UnreadItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.view import TranscriptView

from tests.ui.transcript.conftest import World, make_message, make_thread  # isort: skip

_R = QAccessible.Role
_T = QAccessible.Text
_TEXT = """# Title

Some *text* with [a **link**](https://a.example/x) and 😀 `code`. Second sentence! Third?

- one
- [x] two

> quote

| Name | Age |
|---|---|
| Ann | 31 |
| Bob | 42 |

```python
print(1)
print(2)
```

![a cat](https://img.example/cat.png)

$$x^2$$
"""


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a listening program is told."""
    told: list[Any] = []
    monkeypatch.setattr(QAccessible, "isActive", staticmethod(lambda: True))
    monkeypatch.setattr(QAccessible, "updateAccessibility", staticmethod(told.append))
    return told


def tree_of(view: TranscriptView) -> Any:
    return QAccessible.queryAccessibleInterface(view)


def all_in(node: Any) -> Iterator[Any]:
    for place in range(node.childCount()):
        child = node.child(place)
        yield child
        yield from all_in(child)


def find(node: Any, role: QAccessible.Role, name: str = "") -> Any:
    return next(each for each in all_in(node) if each.role() == role and name in each.text(_T.Name))


def read(view: TranscriptView, place: int = 0) -> list[tuple[str, str, str]]:
    message = tree_of(view).child(place)
    return [(each.role().name, each.text(_T.Name), each.text(_T.Description)) for each in all_in(message)]


def test_everything_in_a_message_is_there_in_reading_order(world: World) -> None:
    view = world.open(make_thread(2, lambda place: _TEXT), size=(900, 1400))
    assert [each for each in read(view, 1) if each[0] != "Button"] == [
        ("Heading", "Title", "Heading level 1"),
        ("Paragraph", "Some text with a link and 😀  code . Second sentence! Third?", ""),
        ("Link", "a link", "https://a.example/x"),
        ("ListItem", "bullet one", ""),
        ("ListItem", "done two", ""),
        ("Paragraph", "quote", "Quote"),
        ("Table", "Table, 2 columns, 2 rows", ""),
        ("ColumnHeader", "Name", "Column 1"),
        ("ColumnHeader", "Age", "Column 2"),
        ("Cell", "Name: Ann", "Row 1, column 1"),
        ("Cell", "Age: 31", "Row 1, column 2"),
        ("Cell", "Name: Bob", "Row 2, column 1"),
        ("Cell", "Age: 42", "Row 2, column 2"),
        ("Section", "Code, python, 2 lines", ""),
        ("Graphic", "a cat", "Not fetched, from img.example"),
        ("Equation", "Formula x^2", ""),
        ("ToolBar", "Message tools", ""),
    ]
    buttons = {name for role, name, _description in read(view, 1) if role == "Button"}
    assert {"Copy python code", "Copy", "Regenerate", "More"} <= buttons
    message = tree_of(view).child(1)
    assert message.text(_T.Description) == "1 table, 1 code block, 1 image, 1 formula"
    assert message.text(_T.Identifier) == "m1"


def test_footnotes_files_and_the_unread_line_are_named(world: World) -> None:
    file = Part("f", "m1", 0, PartType.FILE, {"name": "report.pdf"})
    answer = make_message(1, "Text[^1].\n\n[^1]: A note.")
    thread = make_thread(1)
    thread.messages.append(make_message(1, parts=(file, *answer.parts)))
    view = world.open(thread)
    names = {name: role for role, name, _description in read(view, 1)}
    assert names["Attached: report.pdf"] == "StaticText"
    assert names["Footnote 1"] == names["Back to the text"] == "Link"
    node = tree_of(view).child(1)
    line = BlockNode(view, node, node.entry, UnreadItem())
    assert (line.text(_T.Name), line.role()) == ("New messages begin here", _R.Separator)
    line.close()


def test_heading_levels_reach_programs_as_attributes(world: World) -> None:
    view = world.open(make_thread(1, lambda place: "### Three"))
    attributes = find(tree_of(view), _R.Heading).attributesInterface()
    assert attributes.attributeKeys() == [QAccessible.Attribute.Level]
    assert attributes.attributeValue(QAccessible.Attribute.Level) == 3


def test_messages_say_when_and_how_they_stand(world: World) -> None:
    thread = make_thread(0)
    thread.messages = [
        make_message(0, "q", created_at=1_000_000),
        make_message(1, "part", status=Status.STOPPED, version_index=2, version_count=3),
    ]
    view = world.open(thread)
    assert tree_of(view).child(0).text(_T.Name).startswith("You, 1970-01-01 ")
    answer = tree_of(view).child(1)
    assert answer.text(_T.Name) == "test-model, message 2 of 2, stopped"
    names = [name for _role, name, _description in read(view, 1)]
    assert names == [
        "part",
        "You stopped this answer.",
        "Continue",
        "Message tools",
        "Version 2 of 3",
        "Previous version",
        "Next version",
        "Side by side",
        "Copy",
        "Regenerate",
        "Branch into a new thread",
        "Pin into the context",
        "More",
        "Shorter",
        "Longer",
    ]


def test_texts_are_read_in_qt_s_units_with_places(world: World) -> None:
    view = world.open(make_thread(1, lambda place: "a😀b\\\nc"))
    paragraph = find(tree_of(view), _R.Paragraph)
    text = paragraph.textInterface()
    assert text.characterCount() == 6
    assert (text.text(0, 6), text.text(3, 4), text.text(0, -1)) == ("a😀b\nc", "b", "a😀b\nc")
    first, second = text.characterRect(0), text.characterRect(5)
    assert paragraph.rect().contains(first.center())
    assert second.top() > first.top()
    assert text.offsetAtPoint(QPoint(first.left(), first.center().y())) == 0
    text.setCursorPosition(99)
    assert text.cursorPosition() == 6
    text.scrollToSubstring(0, 2)
    assert text.selectionCount() == 0


def test_the_text_of_a_message_is_that_of_its_blocks(world: World) -> None:
    view = world.open(make_thread(1, lambda place: "One.\n\n```\ntwo\n```\n\nThree."))
    message = tree_of(view).child(0)
    text = message.textInterface()
    assert text.text(0, -1) == "One.\ntwo\nThree."
    code = find(message, _R.Section)
    assert code.rect().contains(text.characterRect(6).center())
    assert text.offsetAtPoint(text.characterRect(6).center()) in (6, 7)
    assert text.offsetAtPoint(QPoint(-5, -5)) == -1
    text.setSelection(0, 1, 8)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert "ne." in copied
    assert "two" in copied
    text.removeSelection(0)


def test_cells_have_texts_of_their_own(world: World) -> None:
    view = world.open(make_thread(1, lambda place: _TEXT), size=(900, 1400))
    cell = find(tree_of(view), _R.Cell, "Bob")
    text = cell.textInterface()
    assert text.text(0, -1) == cell.text(_T.Value) == "Bob"
    assert cell.rect().contains(text.characterRect(1).center())
    assert text.offsetAtPoint(text.characterRect(1).center()) in (1, 2)
    text.addSelection(0, 3)
    text.setCursorPosition(2)
    assert cell.parent().role() == _R.Table


def test_a_long_table_says_which_rows_its_pieces_hold(world: World) -> None:
    rows = "\n".join(f"| {number} |" for number in range(1, 31))
    view = world.open(make_thread(1, lambda place: f"| N |\n|---|\n{rows}"), size=(900, 1400))
    tables = [each for each in all_in(tree_of(view)) if each.role() == _R.Table]
    assert tables[0].text(_T.Name) == "Table, 1 column, rows 1 to 12 of 30"
    last = list(all_in(tables[-1]))[-1]
    assert (last.text(_T.Name), last.text(_T.Description)) == ("N: 30", "Row 30, column 1")


def test_buttons_can_be_pressed_by_programs(world: World) -> None:
    view = world.open(make_thread(2, lambda place: _TEXT), size=(900, 1400))
    tree = tree_of(view)
    requested: list[str] = []
    view.actionRequested.connect(lambda name, id_: requested.append(f"{name} {id_}"))
    opened: list[str] = []
    view.parts.actions.linkActivated.connect(opened.append)
    press(find(tree.child(1), _R.Button, "Copy python code"))
    assert QGuiApplication.clipboard().text().strip() == "print(1)\nprint(2)"
    press(find(tree.child(1), _R.Button, "Regenerate"))
    press(find(tree.child(1), _R.Link))
    assert (requested, opened) == (["regenerate m1"], ["https://a.example/x"])
    button = find(tree.child(1), _R.Button, "Regenerate")
    assert view.rect().contains(view.mapFromGlobal(button.rect().center()))
    assert button.actionInterface().keyBindingsForAction("Press") == []


def test_all_that_takes_keys_over_the_transcript_is_reached_from_its_list(world: World) -> None:
    view = world.open(make_thread(40, lambda place: _TEXT))
    view.finding.open()
    view.scrolling.to_start()
    world.settle()
    reached = {each.object() for each in all_in(tree_of(view)) if each.object() is not None}
    inside = [each for each in view.findChildren(QWidget) if each.isVisible() and each is not view.viewport()]
    keys = [each for each in inside if each.focusPolicy() is not Qt.FocusPolicy.NoFocus]
    assert view.finding.bar.field in keys
    assert [each.objectName() for each in keys if each not in reached] == []


def press(node: Any) -> None:
    action = node.actionInterface()
    action.doAction(action.actionNames()[0])
    action.doAction("no such action")


def test_folds_say_whether_they_are_open_and_can_be_opened(world: World) -> None:
    thought = Part("r", "m1", 0, PartType.REASONING, {"text": "Because."}, started_at=0, completed_at=4_000)
    answer = make_message(1, "So.")
    thread = make_thread(1)
    thread.messages.append(make_message(1, parts=(thought, *answer.parts)))
    view = world.open(thread)
    fold = find(tree_of(view).child(1), _R.Button, "Thought for 4 s")
    assert (fold.state().collapsed, fold.state().expandable, fold.childCount()) == (True, True, 0)
    press(fold)
    world.settle()
    assert fold.state().expanded
    assert "Because." in tree_of(view).child(1).textInterface().text(0, -1)


def test_the_focus_is_where_the_keyboard_is(world: World, events: list[Any]) -> None:
    view = world.open(make_thread(3))
    tree = tree_of(view)
    view.activateWindow()
    view.setFocus()
    world.settle()
    QTest.keyClick(view, Qt.Key.Key_End)
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(view, key, Qt.KeyboardModifier.ControlModifier)
    current = tree.focusChild()
    assert current.text(_T.Identifier) == view.current_message_id()
    assert current.state().focused
    assert current.state().selected
    assert events[-1].type() == QAccessible.Event.Focus
    QTest.keyClick(view, Qt.Key.Key_Tab)
    button = tree.focusChild()
    assert (button.role(), button.state().focused) == (_R.Button, True)
    assert not current.state().focused
    assert events[-1].type() == QAccessible.Event.Focus
    view.clearFocus()
    assert tree.focusChild() is None


def test_links_are_stops_of_the_keyboard_and_of_programs(world: World) -> None:
    view = world.open(make_thread(1, lambda place: "See [one](https://a.example/1) and [two](https://a.example/2)."))
    opened: list[str] = []
    view.parts.actions.linkActivated.connect(opened.append)
    view.activateWindow()
    view.jump_to("m0")
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    link = tree_of(view).focusChild()
    assert (link.role(), link.text(_T.Name), link.state().focused) == (_R.Link, "two", True)
    press(link)
    assert opened == ["https://a.example/2"]


def test_the_caret_is_followed_from_block_to_block(world: World, events: list[Any]) -> None:
    view = world.open(make_thread(1, lambda place: "One.\n\n```\ntwo\n```"))
    tree = tree_of(view)
    view.activateWindow()
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_F7)
    blocks = {}
    for _ in range(8):
        events.clear()
        QTest.keyClick(view, Qt.Key.Key_Right)
        moves = [event for event in events if event.type() == QAccessible.Event.TextCaretMoved]
        assert len(moves) == 1
        block = tree.focusChild()
        assert block.state().focused
        assert block.textInterface().cursorPosition() == moves[0].cursorPosition()
        blocks.setdefault(block.role(), []).append(moves[0].cursorPosition())
    assert blocks == {_R.Paragraph: [1, 2, 3, 4], _R.Section: [0, 1, 2, 3]}


def test_a_program_can_move_the_focus_to_a_message(world: World) -> None:
    view = world.open(make_thread(30))
    tree = tree_of(view)
    view.activateWindow()
    press(tree.child(4))
    world.settle()
    assert view.current_message_id() == tree.child(4).text(_T.Identifier)
    assert not tree.child(4).state().offscreen


@pytest.mark.parametrize("loses_all_after", [True, False])
def test_the_focus_stays_when_the_focused_message_is_deleted(world: World, loses_all_after: bool) -> None:
    thread = make_thread(6)
    view = world.open(thread)
    view.activateWindow()
    view.setFocus()
    view.jump_to("m4")
    world.settle()
    thread.messages[4:] = [] if loses_all_after else [make_message(4, "new", message_id="n4")]
    view.reload_from("m4")
    world.settle()
    assert view.hasFocus()
    assert view.current_message_id() == ("m3" if loses_all_after else "n4")
    assert tree_of(view).focusChild().text(_T.Identifier) == view.current_message_id()


def test_the_focus_is_told_again_when_a_thread_comes_late(world: World, events: list[Any]) -> None:
    view = world.open(make_thread(2))
    tree_of(view)
    view.activateWindow()
    view.setFocus()
    view.show_thread(None)
    world.settle()
    events.clear()
    view.show_thread("t")
    world.settle()
    assert QAccessible.Event.Focus in [event.type() for event in events]


def test_an_answer_is_busy_while_it_is_written_and_keeps_its_identity(world: World, events: list[Any]) -> None:
    view = world.open(make_thread(1))
    tree = tree_of(view)
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    world.settle()
    node = tree.child(1)
    assert node.state().busy
    blocks = []
    for delta in ("# Heading", "\n\nSome", " text.\n\nMore"):
        view.conversation.append_text("m1", 0, "text", delta)
        view.parts.conversation.feeds.show_frame()
        blocks.append(node.child(0))
        gc.collect()
    assert blocks[1] is blocks[2]
    view.conversation.change_message(make_message(1, "# Heading\n\nSome text.\n\nMore", status=Status.COMPLETE))
    world.settle()
    assert tree.child(1) is node
    assert not node.state().busy
    kinds = [event.type() for event in events]
    assert kinds.count(QAccessible.Event.StateChanged) == 2
    said = [event.message() for event in events if isinstance(event, QAccessibleAnnouncementEvent)]
    assert said == ["test-model is answering", "test-model has answered"]
    assert QAccessible.Event.TextInserted not in kinds


def test_floating_widgets_are_in_the_accessible_tree(world: World) -> None:
    view = world.open(make_thread(100))
    view.scrolling.by(-5_000)
    tree = tree_of(view)
    pill = tree.child(tree.childCount() - 1)
    assert pill.role() == _R.Button
    assert pill.text(_T.Name)
    assert tree.indexOfChild(pill) == tree.childCount() - 1
    assert tree.child(tree.childCount()) is None
    assert tree.child(-1) is None


def test_points_lead_to_messages_blocks_and_buttons(world: World) -> None:
    view = world.open(make_thread(2, lambda place: "Hello\n\n```\ncode\n```"))
    tree = tree_of(view)
    code = find(tree.child(1), _R.Section)
    at = code.child(0).rect().center()
    message = tree.childAt(at.x(), at.y())
    assert message is tree.child(1)
    block = message.childAt(at.x(), at.y())
    assert block is code
    assert block.childAt(at.x(), at.y()) is code.child(0)
    assert tree.childAt(-50, -50) is None
    assert tree.indexOfChild(message) == 1
    assert message.indexOfChild(block) == 1


def kept_entries(met: dict[MessageEntry, MessageNode]) -> set[MessageEntry]:
    """Of the messages whose nodes were met, those whose nodes still live."""
    return {entry for entry, node in met.items() if Shiboken.isValid(node)}


def test_nodes_of_messages_that_are_gone_are_let_go(world: World) -> None:
    view = world.open(make_thread(400))
    tree = tree_of(view)
    met = {}
    for _ in range(80):
        view.scrolling.by(-700)
        met[tree.child(0).entry] = tree.child(0)
        tree.child(0).childCount()
        world.settle()
    kept = kept_entries(met)
    assert kept < met.keys()
    assert kept <= set(view.entries)
    gone = met[tree.child(0).entry] = tree.child(0)
    view.show_thread(None)
    world.settle()
    assert tree.childCount() == 0
    assert not Shiboken.isValid(gone)
    assert kept_entries(met) == set()


def test_a_program_that_asks_for_everything_all_the_time_breaks_nothing(world: World) -> None:
    """Versions, pages and streams change under its hands; order and moments are random."""
    source = random.Random(20261121)
    thread = make_thread(120, lambda place: _TEXT if place % 3 else f"Short {place}.")
    view = world.open(thread)
    tree = tree_of(view)

    met = {}

    def ask() -> None:
        for node in source.sample(list(view.entries), min(3, len(view.entries))):
            met[node] = tree.node_of(node)
            for each in [tree.node_of(node), *all_in(tree.node_of(node))]:
                each.text(_T.Name), each.state(), each.rect(), each.role(), each.indexOfChild(each)
                if each.textInterface() is not None:
                    count = each.textInterface().characterCount()
                    each.textInterface().text(0, count)
                    each.textInterface().characterRect(source.randrange(count + 1))

    def change_version() -> None:
        place = source.randrange(1, len(thread.messages))
        kept = {message.id for message in thread.messages[:place]}
        thread.messages[place:] = [
            make_message(at, _TEXT, message_id=f"v{source.random()}") for at in range(place, place + 20)
        ]
        before = [entry.message.id for entry in view.entries if entry.message.id not in kept]
        view.reload_from(before[0] if before else None)

    def stream() -> None:
        message = make_message(len(thread.messages), "", status=Status.PENDING, message_id=f"s{source.random()}")
        thread.messages.append(message)
        view.conversation.add_message(message)
        for delta in (_TEXT[:40], _TEXT[40:200], _TEXT[200:]):
            view.conversation.append_text(message.id, 0, "text", delta)
            view.parts.conversation.feeds.show_frame()
            ask()
        final = make_message(message.position, _TEXT, message_id=message.id)
        thread.messages[-1] = final
        view.conversation.change_message(final)

    acts = [
        change_version,
        stream,
        lambda: view.scrolling.by(source.randrange(-3_000, 3_000)),
        gc.collect,
        world.settle,
    ]
    for _ in range(60):
        source.choice(acts)()
        ask()
    world.settle()
    assert kept_entries(met) <= set(view.entries)
