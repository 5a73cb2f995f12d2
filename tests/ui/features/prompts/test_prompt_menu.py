"""The list of prompts above the composer: opened by a /, narrowed by typing, and never in the way of text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.composer.text_editor import SLASH, mark_query, select_mark_query
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from chatdesk.ui.theme.theme import Theme

HEADS = [
    PromptHead(name.lower(), PromptKind.TEMPLATE, name, beginning)
    for name, beginning in (("Explain", "Explain {{topic}}"), ("Review code", "etc"), ("My review", "x" * 400))
]


class World:
    def __init__(self, qtbot: QtBot, application: QApplication) -> None:
        self.page = QWidget()
        self.page.resize(800, 700)
        column = QVBoxLayout(self.page)
        column.addStretch(1)
        self.theme = Theme(application)
        self.composer = Composer(self.theme)
        column.addWidget(self.composer)
        self.other = QPushButton("other")
        column.addWidget(self.other)
        qtbot.addWidget(self.page)
        self.page.show()
        self.page.activateWindow()
        self.composer.setFocus()
        self.menu = PromptMenu(self.theme, self.composer)
        self.chosen: list[tuple[str, bool]] = []
        self.sent: list[str] = []
        self.managed: list[bool] = []
        self.menu.chosen.connect(lambda *what: self.chosen.append(what))
        self.menu.manageRequested.connect(lambda: self.managed.append(True))
        self.composer.sendRequested.connect(self.sent.append)
        self.composer.editor.slashTyped.connect(lambda: self.menu.open_after_mark(HEADS))

    def type(self, text: str) -> None:
        QTest.keyClicks(self.composer.editor, text)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.composer.editor, key, modifiers)

    def listed(self) -> list[str]:
        return [self.menu.list.item(row).text() for row in range(self.menu.list.count())] if self.menu.is_listed else []

    def current(self) -> str:
        return self.menu.list.currentItem().text()


@pytest.fixture
def world(qtbot: QtBot, qapp: QApplication) -> World:
    return World(qtbot, qapp)


def test_a_slash_in_an_empty_line_lists_all_and_typing_narrows(world: World) -> None:
    world.type("/")
    assert world.listed() == ["Explain", "Review code", "My review", "Edit prompts…"]
    world.type("rev")
    assert world.listed() == ["Review code", "My review"]
    world.key(Qt.Key.Key_Backspace)
    world.key(Qt.Key.Key_Backspace)
    world.key(Qt.Key.Key_Backspace)
    assert len(world.listed()) == 4
    world.key(Qt.Key.Key_Backspace)
    assert world.listed() == []


def test_enter_chooses_and_nothing_is_sent(world: World) -> None:
    world.type("/my")
    world.key(Qt.Key.Key_Return)
    assert (world.chosen, world.sent, world.listed()) == ([("my review", True)], [], [])
    assert world.composer.text() == "/my"
    assert select_mark_query(world.composer.editor, SLASH)
    world.composer.insert_text("instead")
    assert world.composer.text() == "instead"
    world.composer.editor.undo()
    assert world.composer.text() == "/my"


def test_tab_chooses_and_arrows_go_around(world: World) -> None:
    world.type("/")
    world.key(Qt.Key.Key_Up)
    assert world.current() == "Edit prompts…"
    world.key(Qt.Key.Key_Down)
    world.key(Qt.Key.Key_Down)
    assert world.current() == "Review code"
    world.key(Qt.Key.Key_PageDown)
    assert world.current() == "Edit prompts…"
    world.key(Qt.Key.Key_PageUp)
    assert world.current() == "Explain"
    world.key(Qt.Key.Key_Tab)
    assert world.chosen == [("explain", True)]
    assert world.composer.editor.hasFocus()


def test_the_last_row_opens_the_library(world: World) -> None:
    world.type("/")
    world.key(Qt.Key.Key_Up)
    world.key(Qt.Key.Key_Return)
    assert (world.managed, world.chosen) == ([True], [])


def test_escape_leaves_the_text_alone_and_the_list_away(world: World) -> None:
    stopped: list[bool] = []
    world.composer.stopRequested.connect(lambda: stopped.append(True))
    world.composer.set_streaming(True)
    world.type("/re")
    world.key(Qt.Key.Key_Escape)
    assert (world.listed(), world.composer.text(), stopped) == ([], "/re", [])
    world.type("v")
    assert world.listed() == []
    world.key(Qt.Key.Key_Escape)
    assert stopped == [True]


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "/demo code", "/ explain", "//", "and/or", "x /explain", "/" + "r" * 70]
)
def test_other_text_is_typed_and_sent_as_ever(world: World, text: str) -> None:
    world.type(text)
    assert world.listed() == []
    world.key(Qt.Key.Key_Return)
    assert (world.sent, world.chosen) == ([text], [])


def test_a_slash_does_not_search_the_texts_of_prompts(world: World) -> None:
    world.type("/etc")
    assert world.listed() == []


def test_a_slash_works_in_an_empty_line_of_a_longer_text(world: World) -> None:
    world.type("before")
    world.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    world.type("/exp")
    assert world.listed() == ["Explain"]
    world.key(Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)  # with a modifier it belongs to the editor
    assert world.listed() == []


def test_text_that_was_not_typed_opens_nothing(world: World) -> None:
    world.composer.set_text("/")
    assert world.listed() == []
    world.composer.clear()
    world.composer.insert_text("/")
    assert world.listed() == []


def test_a_slash_from_an_input_method_opens_it_too(world: World) -> None:
    event = QInputMethodEvent()
    event.setCommitString("/")
    QApplication.sendEvent(world.composer.editor, event)
    assert len(world.listed()) == 4


def test_a_list_that_comes_late_looks_at_what_stands_there_now(world: World) -> None:
    world.composer.editor.slashTyped.disconnect()
    world.type("/my")
    world.menu.open_after_mark(HEADS)
    assert world.listed() == ["My review"]
    world.menu.close_menu()
    world.composer.clear()
    world.menu.open_after_mark(HEADS)
    assert world.listed() == []


def test_the_cursor_or_the_focus_elsewhere_ends_it(world: World) -> None:
    world.type("/e")
    world.key(Qt.Key.Key_Left)
    assert world.listed() == []
    world.composer.clear()
    world.type("/")
    world.other.setFocus()
    assert world.listed() == []
    world.composer.setFocus()
    assert world.listed() == []


def test_a_click_chooses_and_leaves_the_focus(world: World) -> None:
    world.type("/")
    rect = world.menu.list.visualItemRect(world.menu.list.item(1))
    QTest.mouseClick(world.menu.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert world.chosen == [("review code", True)]
    assert world.composer.editor.hasFocus()


def test_it_is_searched_in_a_field_of_its_own(world: World) -> None:
    world.composer.set_text("half a text")
    world.menu.open_to_search(HEADS)
    assert world.menu.field.hasFocus()
    QTest.keyClicks(world.menu.field, "xxx")  # here also what a prompt says is looked for
    assert world.listed() == ["My review"]
    QTest.keyClick(world.menu.field, Qt.Key.Key_Return)
    assert world.chosen == [("my review", False)]
    assert world.composer.editor.hasFocus()
    assert world.composer.text() == "half a text"


def test_an_empty_result_is_announced_and_cannot_be_chosen(world: World) -> None:
    world.menu.open_to_search(HEADS)
    QTest.keyClicks(world.menu.field, "zebra")
    assert world.listed() == ["No prompt matches."]
    QTest.keyClick(world.menu.field, Qt.Key.Key_Return)
    assert (world.chosen, world.managed) == ([], [])
    QTest.keyClick(world.menu.field, Qt.Key.Key_Escape)
    assert world.listed() == []
    assert world.composer.editor.hasFocus()


def test_an_empty_library_leads_to_the_editor(world: World) -> None:
    world.menu.open_to_search([])
    assert world.listed() == ["Edit prompts…"]


def test_the_list_follows_the_library_and_the_window(world: World) -> None:
    world.menu.update_heads(HEADS)
    assert world.listed() == []
    world.type("/")
    world.menu.update_heads(HEADS[:1])
    assert world.listed() == ["Explain", "Edit prompts…"]
    world.page.resize(500, 240)
    QApplication.processEvents()
    top = world.composer.mapTo(world.page, world.composer.rect().topLeft()).y()
    assert world.menu.geometry().bottom() < top
    assert world.menu.geometry().top() >= 0
    assert world.menu.width() <= world.composer.width()
    assert not world.menu.grab().isNull()


def test_mirrored_it_stands_at_the_right(world: World) -> None:
    world.page.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    world.type("/")
    assert world.menu.geometry().right() == world.composer.geometry().right()


def test_everything_has_a_name_and_the_rows_say_more(world: World) -> None:
    world.type("/")
    assert world.menu.list.accessibleName() == "Prompts"
    assert world.menu.field.accessibleName() == "Find a prompt"
    item = world.menu.list.item(0)
    assert item.data(Qt.ItemDataRole.AccessibleDescriptionRole) == "Explain {{topic}}"


def test_a_screen_reader_hears_the_row_and_its_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("chatdesk.ui.features.prompts.prompt_menu.announce", lambda _widget, text: said.append(text))
    world.type("/")
    world.key(Qt.Key.Key_Down)
    assert said == ["3 prompts, arrows choose, Enter inserts, Esc closes. Explain, 1 of 4", "Review code, 2 of 4"]


def test_a_locked_composer_opens_nothing(world: World) -> None:
    world.composer.set_enabled(False)
    world.type("/")
    assert world.listed() == []
    assert not world.composer.can_write


def test_a_change_of_the_look_closes_it(world: World) -> None:
    world.type("/")
    world.theme.toggle()
    assert world.listed() == []


def test_a_selection_is_no_query(world: World) -> None:
    world.composer.set_text("/explain")
    world.composer.editor.selectAll()
    assert mark_query(world.composer.editor, SLASH) is None
    assert not select_mark_query(world.composer.editor, SLASH)


def test_late_prompts_join_and_keep_the_choice(world: World) -> None:
    world.type("/rev")
    world.key(Qt.Key.Key_Down)
    chosen = world.current()
    world.menu.update_heads([PromptHead("new", PromptKind.TEMPLATE, "Reverse", ""), *HEADS])
    assert "Reverse" in world.listed() and world.current() == chosen


def test_late_prompts_open_a_menu_that_had_no_match(world: World) -> None:
    world.type("/greet")
    assert not world.menu.is_listed
    world.menu.update_heads([*HEADS, PromptHead("new", PromptKind.TEMPLATE, "Greeting", "")])
    assert world.listed() == ["Greeting"]
