"""The palette as a person uses it: typing, walking, choosing; and what it asks of others."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QListView, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.search import FilterName, SearchGroup, SearchHit, SearchKind
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.search.palette import Palette
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.rows import RowKind
from tests.gallery.palette_samples import sample_groups, search
from tests.helpers.painted_words import ink_of

ENTER = Qt.Key.Key_Return


class Asked:
    def __init__(self, palette: Palette) -> None:
        self.texts: list[str] = []
        self.more: list[tuple[object, str]] = []
        self.hits: list[tuple[SearchHit, str]] = []
        palette.results.wanted.connect(self.texts.append)
        palette.moreWanted.connect(lambda kind, cursor: self.more.append((kind, cursor)))
        palette.hitChosen.connect(lambda hit, text: self.hits.append((hit, text)))


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
def palette(qtbot: QtBot, qapp: QApplication, ran: list[str]) -> Palette:
    theme = Theme(qapp, preference="light")
    window = QWidget()
    window.resize(900, 640)
    qtbot.addWidget(window)
    window.show()
    registry = CommandRegistry(window, CATALOGUE)
    for name in ("thread.new", "thread.rename", "view.theme", "app.settings", "go.search"):
        registry.bind(name, lambda name=name: ran.append(name))
    registry.bind("message.stop", lambda: ran.append("message.stop"), lambda: False)
    made = Palette(theme, registry, parent=window)
    made.open()
    return made


@pytest.fixture
def asked(palette: Palette) -> Asked:
    return Asked(palette)


def titles(palette: Palette) -> list[str]:
    return [row.text for row in palette.rows if row.is_choosable]


def found(palette: Palette, text: str = "checkpoint") -> None:
    """``text`` typed and answered."""
    search(palette, text)
    for group in sample_groups():
        palette.results.show_group(text, group)
    palette.results.finish(text)


def test_an_empty_box_offers_what_can_be_done_now(palette: Palette) -> None:
    assert titles(palette) == ["New thread", "Rename thread", "Search everything…", "Switch theme", "Settings…"]


def test_typing_narrows_commands_and_beginnings_come_first(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.field, ">s")
    assert titles(palette)[:3] == ["Search everything…", "Switch theme", "Settings…"]
    palette.field.clear()
    qtbot.keyClicks(palette.field, "thread ren")
    assert titles(palette) == ["Rename thread"]
    row = palette.current
    assert row is not None and row.spoken == "Rename thread, F2" and row.aside == "F2"
    assert row.marks == ((0, 3), (7, 13))


def test_results_stand_in_groups_above_the_commands(palette: Palette) -> None:
    found(palette)
    headings = [row.text for row in palette.rows if row.kind is RowKind.HEADING]
    assert headings == ["Threads", "Messages · 1,284 found in 6 ms"]
    assert palette.current == palette.rows[1] and palette.rows[1].marks == ((16, 26),)
    row = palette.rows[3]
    assert (row.text, row.aside, row.below_marks) == ("WAL stall", "today", ((60, 70),))
    assert row.below.startswith("…the connection")
    assert row.spoken.startswith("…the connection") and "Answer, in WAL stall" in row.spoken


def test_a_search_is_asked_for_once_typing_pauses(palette: Palette, qtbot: QtBot, asked: Asked) -> None:
    qtbot.keyClicks(palette.field, "wal stall")
    qtbot.waitUntil(lambda: asked.texts[-1:] == ["wal stall"])
    assert len(asked.texts) <= len("wal stall")


def test_results_of_an_older_text_are_not_shown(palette: Palette) -> None:
    search(palette, "new")
    palette.results.show_group("old", sample_groups()[1])
    palette.results.finish("old")
    assert not any(row.kind is RowKind.HIT for row in palette.rows)


def test_old_results_stay_until_new_ones_are_there(palette: Palette) -> None:
    found(palette)
    search(palette, "checkpoints")
    assert any(row.kind is RowKind.HIT for row in palette.rows)
    palette.results.finish("checkpoints")
    assert [row.text for row in palette.rows] == ["Nothing was found."]


def test_a_chosen_row_stays_chosen_while_results_come(palette: Palette, qtbot: QtBot) -> None:
    found(palette)
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    chosen = palette.current
    hit = SearchHit(SearchKind.PROJECT, "p", "Checkpoints")
    palette.results.show_group("checkpoint", SearchGroup(SearchKind.PROJECT, (hit,), 1))
    assert palette.current == chosen
    palette.field.setText("check")
    assert palette.current == next(row for row in palette.rows if row.is_choosable)


def test_enter_opens_the_hit_and_closes_the_box(palette: Palette, qtbot: QtBot, asked: Asked) -> None:
    found(palette)
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.hitChosen):
        qtbot.keyClick(palette.field, ENTER)
    assert [(hit.id, text) for hit, text in asked.hits] == [("m1", "checkpoint")]


def test_five_threads_stand_before_the_messages_until_the_others_are_asked_for(
    palette: Palette, qtbot: QtBot, asked: Asked
) -> None:
    search(palette, "sql")
    hits = tuple(SearchHit(SearchKind.THREAD, f"t{n}", "sql", ((0, 3),), thread_id=f"t{n}") for n in range(20))
    palette.results.show_group("sql", SearchGroup(SearchKind.THREAD, hits, 24, next_cursor="20"))
    palette.results.show_group("sql", sample_groups("sql")[1])
    palette.results.finish("sql")
    kinds = [row.kind for row in palette.rows[:8]]
    assert kinds == [RowKind.HEADING, *[RowKind.HIT] * 5, RowKind.MORE, RowKind.HEADING]
    for _ in range(5):
        qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, ENTER)
    assert [row.kind for row in palette.rows[:22]] == [RowKind.HEADING, *[RowKind.HIT] * 20, RowKind.MORE]
    assert asked.more == []
    number = next(place for place, row in enumerate(palette.rows) if row.kind is RowKind.MORE)
    palette.list.clicked.emit(palette.list.model().index(number, 0))
    assert asked.more == [(SearchKind.THREAD, "20")]
    palette.field.setText("sql ")
    assert [row.kind for row in palette.rows[:7]][-1] is RowKind.MORE, "another text begins anew"


def test_the_keys_of_the_palette_work_in_the_palette(palette: Palette, qtbot: QtBot) -> None:
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClicks(palette.field, "zanzibar")
    qtbot.keyClick(palette.field, Qt.Key.Key_K, control)
    assert palette.field.selectedText() == "zanzibar"
    qtbot.keyClicks(palette.field, "atlas")
    assert palette.field.text() == "atlas"
    qtbot.keyClick(palette.field, Qt.Key.Key_P, control | shift)
    assert palette.field.text() == "> "


def test_more_of_a_group_is_asked_for_and_added(palette: Palette, qtbot: QtBot, asked: Asked) -> None:
    found(palette)
    for _ in range(3):
        qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, ENTER)
    assert asked.more == [(SearchKind.MESSAGE, "2")]
    hit = SearchHit(SearchKind.MESSAGE, "m3", "Third", thread_id="t3", message_id="m3")
    palette.results.show_group("checkpoint", SearchGroup(SearchKind.MESSAGE, (hit,), 1_284), is_next_page=True)
    hits = [row.value.id for row in palette.rows if row.kind is RowKind.HIT]  # type: ignore[attr-defined]
    assert hits == ["t1", "m1", "m2", "m3"]
    assert not any(row.kind is RowKind.MORE for row in palette.rows)


def test_keys_walk_round_by_pages_and_by_groups(palette: Palette, qtbot: QtBot) -> None:
    found(palette)
    rows = [row.key for row in palette.rows if row.is_choosable]

    def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> str:
        qtbot.keyClick(palette.field, key, modifier)
        assert palette.current is not None
        return palette.current.key

    assert press(Qt.Key.Key_Up) == rows[-1]
    assert press(Qt.Key.Key_Down) == rows[0]
    assert press(Qt.Key.Key_Tab) == "message m1"
    assert press(Qt.Key.Key_Tab) == rows[0]
    assert press(Qt.Key.Key_Backtab) == "message m1"
    assert press(Qt.Key.Key_PageUp) == rows[0]
    assert press(Qt.Key.Key_PageDown) == rows[-1]
    assert press(Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier) == rows[0]
    assert palette.field.hasFocus()


def test_a_filter_is_completed_in_its_place(palette: Palette, qtbot: QtBot) -> None:
    palette.set_names({FilterName.PROJECT: ["Research", "Home and garden"]})
    palette.field.setText("lock proj")
    assert palette.current is not None and palette.current.text == "project:"
    qtbot.keyClick(palette.field, ENTER)
    assert palette.field.text() == "lock project:"
    assert titles(palette)[:2] == ["project:Research", 'project:"Home and garden"']
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, ENTER)
    assert palette.field.text() == 'lock project:"Home and garden" '
    assert palette.isVisible()


def test_a_click_runs_a_command_after_the_box_has_closed(palette: Palette, qtbot: QtBot, ran: list[str]) -> None:
    number = next(place for place, row in enumerate(palette.rows) if row.value == "view.theme")
    index = palette.list.model().index(number, 0)
    place = palette.list.visualRect(index).center()
    with qtbot.waitSignal(palette.finished):
        qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert ran == ["view.theme"]


def test_a_box_without_a_match_says_so_and_runs_nothing(palette: Palette, qtbot: QtBot, ran: list[str]) -> None:
    qtbot.keyClicks(palette.field, "> no such thing")
    assert [row.text for row in palette.rows] == ["No command matches."]
    for key in (Qt.Key.Key_Down, ENTER):
        qtbot.keyClick(palette.field, key)
    assert ran == [] and palette.isVisible()
    assert not palette.grab().isNull()


def test_missing_index_entries_are_reported(palette: Palette) -> None:
    search(palette, "anything")
    palette.results.finish("anything", "Still being indexed: 40 % can be found.")
    assert palette.rows[-1].text == "Still being indexed: 40 % can be found."


def test_long_and_hostile_texts_stay_text(palette: Palette) -> None:
    text = "<b>bold</b> \U0001f600 " + "word " * 400
    hit = SearchHit(SearchKind.THREAD, "t", text, ((0, 3), (1_999, 2_003)), thread_id="t")
    search(palette, "bold")
    palette.results.show_group("bold", SearchGroup(SearchKind.THREAD, (hit,), 1))
    assert not palette.grab().isNull()
    index = palette.list.model().index(1, 0)
    assert index.data(int(Qt.ItemDataRole.AccessibleTextRole)).startswith("thread <b>bold</b>")
    assert palette.list.sizeHintForRow(1) < 90


def test_a_space_ends_the_last_word(palette: Palette, asked: Asked, qtbot: QtBot) -> None:
    for text, searched in (("  check", "check"), ("check", "check"), ("check  ", "check "), ("   ", "")):
        asked.texts.clear()
        palette.field.setText(text)
        qtbot.waitUntil(lambda expected=searched: asked.texts == [expected])


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_rows_begin_where_the_lines_of_the_window_begin(palette: Palette, direction: Qt.LayoutDirection) -> None:
    palette.setLayoutDirection(direction)
    view = palette.findChild(QListView)
    image = view.viewport().grab().toImage()
    middle = view.viewport().width() // 2
    for place in range(3):  # a heading, the chosen row, another row
        area = view.visualRect(view.model().index(place, 0)).adjusted(2, 2, -2, -2)
        between = QRect(middle - 60, area.top(), 120, area.height())
        is_mirrored = direction is Qt.LayoutDirection.RightToLeft
        begin = QRect(middle + 60 if is_mirrored else area.left(), area.top(), middle - 64, area.height())
        assert ink_of(image, between).isNull(), place
        assert ink_of(image, begin).width() > 30, place
