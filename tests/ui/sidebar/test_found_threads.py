"""The search field of the sidebar: what it finds stands in the place of the list, and goes with its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.search import SearchHit
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found import found_list
from chatdesk.ui.widgets.found.results import Results
from chatdesk.ui.widgets.found.rows import ListedCommand, RowKind
from tests.gallery import sidebar_samples as samples
from tests.gallery.palette_samples import sample_groups

DOWN, UP, ENTER, ESC = Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Escape


class World:
    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.qtbot = qtbot
        threads = [
            samples.make_thread(number, f"Thread {number}", ago=timedelta(hours=number)) for number in range(120)
        ]
        self.threads = threads
        self.sidebar: Sidebar = samples.build_sidebar(theme, threads)
        qtbot.addWidget(self.sidebar)
        self.sidebar.resize(264, 700)
        self.sidebar.show()
        self.asked: list[str] = []
        self.hits: list[SearchHit] = []
        self.everything: list[str] = []
        self.commands: list[str] = []
        self.is_slow = False
        self.sidebar.commandChosen.connect(self.commands.append)
        self.sidebar.resultsWanted.connect(self._answer)
        self.sidebar.hitChosen.connect(self.hits.append)
        self.sidebar.everythingWanted.connect(self.everything.append)
        self.field = self.sidebar.search_box

    def _answer(self, text: str, results: Results) -> None:
        self.asked.append(text)
        if self.is_slow:
            return
        results.offered = [ListedCommand("go.wal", "Explain WAL", "explain wal go", "", "Ctrl+W")] if text else ()
        if text:
            for group in sample_groups(text.split()[0]):
                results.show_group(text, group)
            results.finish(text)

    def type(self, text: str) -> None:
        self.field.setFocus()
        self.qtbot.keyClicks(self.field, text)
        self.qtbot.waitUntil(lambda: self.asked[-1:] == [text])

    def press(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.field, key)

    @property
    def is_found_shown(self) -> bool:
        found = self.sidebar.found
        shown = found is not None and found.list.isVisible()
        assert self.sidebar.thread_list.isVisible() is not shown, "one list, in one place"
        return shown


@pytest.fixture
def world(qtbot: QtBot, qapp: QApplication) -> World:
    return World(qtbot, Theme(qapp, preference="light"))


def test_it_searches_once_typing_pauses(world: World) -> None:
    world.type("checkpoint")
    assert world.asked == ["checkpoint"] and world.is_found_shown
    assert world.sidebar.found is not None
    rows = [(row.kind, row.text) for row in world.sidebar.found.list.rows]
    assert rows == [
        (RowKind.HEADING, "Titles"),
        (RowKind.HIT, "Explain the WAL checkpoint stall"),
        (RowKind.HEADING, "Messages"),
        (RowKind.HIT, "WAL stall"),
        (RowKind.HIT, "Jepsen"),
        (RowKind.ALL, "All results for “checkpoint”"),
    ]
    heights = [world.sidebar.found.list.sizeHintForRow(number) for number in (1, 3, 5)]
    assert heights == [34, 52, 34]


def test_the_keys_walk_the_rows_and_open_one(world: World) -> None:
    world.type("checkpoint")
    world.press(DOWN)
    assert world.field.hasFocus()
    world.press(ENTER)
    assert [hit.id for hit in world.hits] == ["m1"]
    assert world.field.text() == "" and not world.is_found_shown


@pytest.mark.parametrize("keys", [[UP, ENTER], [DOWN, DOWN, DOWN, ENTER]])
def test_the_last_row_shows_all_results(world: World, keys: list[Qt.Key]) -> None:
    world.type("checkpoint")
    for key in keys:
        world.press(key)
    assert world.everything == ["checkpoint"] and world.hits == []


def test_enter_alone_opens_the_first_row(world: World) -> None:
    world.type("checkpoint")
    world.press(ENTER)
    assert [hit.id for hit in world.hits] == ["t1"] and world.everything == []


def test_enter_and_down_at_once_do_not_wait_for_the_pause(world: World) -> None:
    world.field.setFocus()
    world.qtbot.keyClicks(world.field, "jepsen")
    world.press(ENTER)
    assert world.everything == ["jepsen"]
    world.field.setText("checkpoint")
    world.press(DOWN)
    world.press(ENTER)
    assert [hit.id for hit in world.hits] == ["m1"]


def test_enter_opens_no_row_of_an_older_text(world: World) -> None:
    world.type("checkpoint")
    world.is_slow = True
    world.qtbot.keyClicks(world.field, " q")
    world.qtbot.waitUntil(lambda: world.asked[-1] == "checkpoint q")
    assert world.sidebar.found is not None and len(world.sidebar.found.list.rows) > 1, "those of before are shown"
    world.press(ENTER)
    assert world.hits == [] and world.everything == ["checkpoint q"]


def test_a_click_opens_a_row(world: World) -> None:
    world.type("checkpoint")
    assert world.sidebar.found is not None
    view = world.sidebar.found.list
    place = view.visualRect(view.model().index(4, 0)).center()
    world.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert [hit.id for hit in world.hits] == ["m2"] and not world.is_found_shown


def test_escape_brings_the_whole_list_back_where_it_was(world: World) -> None:
    view = world.sidebar.thread_list
    QApplication.processEvents()
    view.verticalScrollBar().setValue(400)
    top = view.place.top()
    world.type("checkpoint")
    world.press(ESC)
    assert not world.is_found_shown and world.asked[-1] == ""
    QApplication.processEvents()
    assert view.place.top() == top


def test_new_threads_are_listed_behind_the_results(world: World) -> None:
    world.type("checkpoint")
    world.sidebar.upsert_thread(samples.make_thread(500, "Just begun"))
    assert world.sidebar.rows.thread_by_id(samples.make_thread(500, "").id) is not None


@pytest.mark.parametrize("is_typing", [False, True])
def test_a_search_ends_when_another_thread_is_opened_unless_a_person_types(world: World, is_typing: bool) -> None:
    world.type("checkpoint")
    if not is_typing:
        world.sidebar.thread_list.setFocus()
        world.sidebar.badge.setFocus()
    world.sidebar.thread_list.show_open(world.threads[3].id)
    assert world.is_found_shown is is_typing


@pytest.mark.parametrize("view", ["active", "archive"])
def test_a_search_ends_when_a_list_is_asked_for(world: World, view: str) -> None:
    world.type("checkpoint")
    world.sidebar.set_view(view)
    assert not world.is_found_shown and world.field.text() == ""


def test_in_the_trash_it_finds_what_is_in_the_trash(world: World) -> None:
    world.sidebar.set_view("trash")
    world.field.setFocus()
    world.qtbot.keyClicks(world.field, "checkpoint")
    world.qtbot.waitUntil(lambda: world.asked == ["checkpoint is:trashed"])
    world.press(UP)  # from the first round to the last
    world.press(ENTER)
    assert world.everything == ["checkpoint is:trashed"]


def test_a_thread_that_is_not_fetched_is_brought_into_view(world: World) -> None:
    view, last = world.sidebar.thread_list, world.threads[-1]
    assert not view.model().index_of(last.id).isValid()
    view.place.reveal(last.id)
    world.qtbot.waitUntil(lambda: view.model().index_of(last.id).isValid())
    QApplication.processEvents()
    assert view.viewport().rect().contains(view.visualRect(view.model().index_of(last.id)).center())


def test_a_command_is_listed_last_and_chosen_like_a_hit(world: World) -> None:
    world.type("explain wal")
    assert world.sidebar.found is not None
    rows = world.sidebar.found.list.rows
    assert [row.kind for row in rows][-3:] == [RowKind.HEADING, RowKind.COMMAND, RowKind.ALL]
    assert rows[-2].text == "Explain WAL" and rows[-2].spoken == "Explain WAL, Ctrl+W"
    for key in (UP, UP, ENTER):  # from the first round to the end: all results, then the command
        world.press(key)
    assert world.commands == ["go.wal"] and world.hits == [] and world.everything == []
    assert not world.is_found_shown and world.field.text() == ""


def test_the_first_result_is_heard_with_the_number_unless_a_key_has_chosen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    count = "1 thread, 1,284 messages"
    monkeypatch.setattr(found_list, "announce", lambda _widget, text: heard.append(text))
    world.type("checkpoint")
    world.qtbot.waitUntil(lambda: bool(heard))
    assert heard[0] == f"{count}. First: Titles: thread Explain the WAL checkpoint stall · today"
    world.qtbot.keyClicks(world.field, "s")
    world.qtbot.waitUntil(lambda: world.asked[-1] == "checkpoints")
    world.press(DOWN)
    world.qtbot.waitUntil(lambda: len(heard) == 3)
    assert heard[1].startswith("Messages: ") and heard[2] == count


def test_an_outside_program_opens_what_was_found(world: World) -> None:
    world.type("checkpoint")
    assert world.sidebar.found is not None
    listed = QAccessible.queryAccessibleInterface(world.sidebar.found.list)
    listed.child(1).actionInterface().doAction("Press")
    assert [hit.title for hit in world.hits] == ["Explain the WAL checkpoint stall"]
