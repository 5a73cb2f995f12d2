"""A large table is shown row by row as it comes into sight, and copied as spreadsheets take it."""

from __future__ import annotations

import csv
import time

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.artifacts.table_rows import TableRows
from chatdesk.ui.features.artifacts.artifact_table import ArtifactTable
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import LIGHT


@pytest.fixture
def table(qapp: QApplication, qtbot: QtBot) -> ArtifactTable:
    made = ArtifactTable(Theme(qapp, preference="light"))
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def test_a_hundred_thousand_rows_are_there_at_once_and_whole_soon(table: ArtifactTable, qtbot: QtBot) -> None:
    rows = TableRows("name,n\n" + "".join(f"item {number},{number}\n" for number in range(100_000)))
    began = time.thread_time()
    table.show_rows(rows)
    assert time.thread_time() - began < 1
    assert table.model().rowCount() >= 1_000
    qtbot.waitUntil(lambda: table.model().rowCount() == 100_000)
    assert table.model().index(99_999, 1).data() == "99999"
    assert table.accessibleDescription() == "100,000 rows, 2 columns"
    assert table.model().headerData(0, Qt.Orientation.Horizontal) == "name"


def test_the_first_rows_were_read_before_the_window_shows_them(
    table: ArtifactTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = TableRows("".join(",".join(["many words " * 50] * 200) + "\n" for _ in range(100)))

    def read(*_more: object, **_named: object) -> None:
        raise AssertionError("a row was read while the window waited")

    monkeypatch.setattr(csv, "reader", read)
    table.show_rows(rows)
    assert table.columnWidth(199) > 48
    assert table.model().index(98, 199).data().startswith("many words many")


def test_cells_spell_out_what_hides_and_are_one_line(table: ArtifactTable) -> None:
    table.show_rows(TableRows('a,b\n"x\ny",evil\u202etxt\n'))
    assert [table.model().index(0, column).data() for column in range(2)] == ["x y", "evil⟦U+202E⟧txt"]


def test_copied_cells_run_nothing_in_a_spreadsheet(table: ArtifactTable) -> None:
    table.show_rows(TableRows("a,b\n=1+1,2\n3,4\n"))
    table.selectAll()
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "'=1+1\t2\n3\t4"


def test_selected_cells_have_the_colour_of_a_selection(table: ArtifactTable) -> None:
    table.show_rows(TableRows("a,b\n1,2\n3,4\n"))
    table.selectionModel().select(table.model().index(1, 0), QItemSelectionModel.SelectionFlag.Select)
    painted = table.viewport().grab().toImage()
    grounds = [
        [painted.pixelColor(table.visualRect(table.model().index(row, column)).topLeft() + QPoint(2, 2)).name()
         for column in range(2)]
        for row in range(2)
    ]  # fmt: skip
    assert grounds == [[LIGHT.card.lower()] * 2, [LIGHT.selected.lower(), LIGHT.card.lower()]]


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_words_stand_in_their_cell_and_end_with_an_ellipsis(
    table: ArtifactTable, direction: Qt.LayoutDirection
) -> None:
    table.setLayoutDirection(direction)
    table.show_rows(TableRows(f"a,b,c\n,{'long ' * 100},\n,,\n"))
    painted = table.viewport().grab().toImage()
    is_written = [
        len({painted.pixel(x, y) for x in range(area.left() + 2, area.right() - 2)
             for y in range(area.top() + 2, area.bottom() - 2)}) > 1
        for area in (table.visualRect(table.model().index(0, column)) for column in range(3))
    ]  # fmt: skip
    assert is_written == [False, True, False]


def test_only_the_rows_in_view_are_read_to_be_painted(table: ArtifactTable, qtbot: QtBot) -> None:
    rows = TableRows("name\n" + "".join(f"item {number}\n" for number in range(50_000)))
    table.show_rows(rows)
    qtbot.waitUntil(lambda: table.model().rowCount() == 50_000)
    read: set[int] = set()
    row = rows.row
    rows.row = lambda index: read.add(index) or row(index)  # type: ignore[assignment, func-returns-value]
    table.verticalScrollBar().setValue(table.rowHeight(0) * 30_000)
    table.viewport().repaint()
    assert 30_000 in read and len(read) < 40


def test_the_numbers_of_rows_have_their_width_from_the_beginning(table: ArtifactTable, qtbot: QtBot) -> None:
    table.show_rows(TableRows("name\n" + "a\n" * 50_000))
    width = table.verticalHeader().width()
    assert width > table.verticalHeader().fontMetrics().horizontalAdvance("50,000")
    qtbot.waitUntil(lambda: table.model().rowCount() == 50_000)
    assert table.verticalHeader().width() == width
