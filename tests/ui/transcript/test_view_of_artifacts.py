"""What a message offers to open as an artifact, and a view that shows nothing but the text of one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.ui.transcript.copying.clipboard import FORMS
from chatdesk.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import FakeThread, World, make_message

LONG = "".join(f"line {number}\n" for number in range(50))
ANSWER = f"First\n\n```sh\nls\n```\n\n```python\n{LONG}```\n"
FILE = Attachment("data.csv", "text/csv", "a" * 64, 10)


def opened(view: TranscriptView) -> list[tuple[str, object]]:
    said: list[tuple[str, object]] = []
    view.parts.actions.artifactRequested.connect(lambda message_id, what: said.append((message_id, what)))
    return said


def menu_of(view: TranscriptView) -> dict[str, bool]:
    """Return the names of the rows in the menu of the last message, and whether each can be pressed."""
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = next(each for each in QApplication.topLevelWidgets() if isinstance(each, QMenu) and each.isVisible())
    rows = {each.objectName(): each.isEnabled() for each in menu.actions() if each.objectName()}
    menu.close()
    return rows


def test_long_code_is_opened_by_its_button_the_menu_and_a_command(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "Write it"), make_message(1, ANSWER)]))
    said = opened(view)
    short, long = (item for item in view.entries[-1].items if item.kind == "code")
    assert "open-artifact" not in [each.action for each in short.buttons()]
    assert "open-artifact" in [each.action for each in long.buttons()]
    view.parts.actions.press_button(view.entries[-1], long, "open-artifact")
    assert view.parts.actions.act("open-artifact")
    assert menu_of(view)["message-open-artifact"]
    assert [each[0] for each in said] == ["m1", "m1"]
    assert all(isinstance(each[1], CodeBlock) and each[1].source == LONG for each in said)


def test_a_message_without_long_code_or_files_offers_nothing(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "Write it"), make_message(1, "```sh\nls\n```\n")]))
    assert not view.parts.actions.act("open-artifact")
    assert "message-open-artifact" not in menu_of(view)


def test_a_file_is_opened_too(world: World) -> None:
    part = Part("p", "m1", 0, PartType.FILE, FILE.as_content())
    view = world.open(FakeThread([make_message(0, "See"), make_message(1, parts=(part,))]))
    said = opened(view)
    assert view.parts.actions.act("open-artifact")
    assert said == [("m1", FILE)]


def test_the_code_with_the_focus_is_opened(world: World) -> None:
    first = "".join(f"first {number}\n" for number in range(20))
    text = f"```python\n{first}```\n\n```python\n{LONG}```\n"
    view = world.open(FakeThread([make_message(0, "Write it"), make_message(1, text)]))
    said = opened(view)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.parts.actions.act("open-artifact")
    assert isinstance(said[0][1], CodeBlock) and said[0][1].source == first


@pytest.fixture
def bare(world: World) -> TranscriptView:
    view = TranscriptView(FakeThread([make_message(1, ANSWER)]).fetch, world.renderer, world.theme)
    world.views.append(view)
    view.parts.show_bare()
    view.resize(600, 400)
    view.show()
    view.show_thread_at("t", "m1")
    world.settle()
    return view


def test_a_bare_view_shows_the_whole_text_and_nothing_around_it(bare: TranscriptView) -> None:
    (entry,) = bare.entries
    assert [item.kind for item in entry.items] == ["text", "code", "code", "footer"]
    assert entry.items[-1].height == 0
    assert [each.action for each in entry.items[2].buttons()] == ["copy-code", "wrap-code", "save-code"]
    assert not bare.parts.actions.act("open-artifact")


def test_a_bare_view_is_heard_by_the_name_of_its_text(world: World) -> None:
    pages = [make_message(number, f"Page {number}") for number in range(2)]
    for messages, names in ((pages, ["plan.md, part 1 of 2", "plan.md, part 2 of 2"]), (pages[:1], ["plan.md"])):
        view = TranscriptView(FakeThread(messages).fetch, world.renderer, world.theme)
        world.views.append(view)
        view.setAccessibleName("plan.md")
        view.parts.show_bare()
        view.show()
        view.show_thread_at("t", "m0")
        world.settle()
        tree = QAccessible.queryAccessibleInterface(view)
        assert [tree.child(at).text(QAccessible.Text.Name) for at in range(len(messages))] == names


def test_the_menu_of_a_bare_view_only_copies(bare: TranscriptView) -> None:
    assert set(menu_of(bare)) == {f"message-{form}" for form in FORMS}


def test_a_bare_view_has_no_button_to_the_newest_message(bare: TranscriptView, world: World) -> None:
    bare.resize(300, 100)
    bare.show_thread_at("t", "m1")
    world.settle()
    assert not bare.parts.pill.isVisible()


def test_screen_readers_find_the_button_of_the_code(world: World) -> None:
    view = world.open(FakeThread([make_message(0, "Write it"), make_message(1, ANSWER)]))
    said = opened(view)
    root = QAccessible.queryAccessibleInterface(view)

    def named(node: QAccessibleInterface | None, name: str) -> QAccessibleInterface | None:
        if node is None:
            return None
        if node.text(QAccessible.Text.Name) == name:
            return node
        return next((found for at in range(node.childCount()) if (found := named(node.child(at), name))), None)

    button = named(root, "Open python code as artifact")
    assert button is not None and button.role() is QAccessible.Role.Button
    action = button.actionInterface()
    assert action is not None
    action.doAction(action.pressAction())
    assert [each[0] for each in said] == ["m1"]
