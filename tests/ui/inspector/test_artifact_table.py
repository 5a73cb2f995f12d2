"""A large table is shown row by row as it comes into sight, and copied as spreadsheets take it."""

from __future__ import annotations

import csv
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.artifacts.table_rows import TableRows
from chatdesk.ui.inspector.artifact_table import ArtifactTable
from chatdesk.ui.theme.theme import Theme


@pytest.fixture
def table(qapp: QApplication, qtbot: QtBot) -> ArtifactTable:
    made = ArtifactTable(Theme(qapp))
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
