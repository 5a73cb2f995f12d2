"""The sources of a summary alone: paging, and what jumps."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.context import ContextEntry, Reason
from chatdesk.ui.features.inspector.rows import RowRole
from chatdesk.ui.features.inspector.summary_tab import SourceList
from chatdesk.ui.theme.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp)


def _entry(position: int, role: str = "user", text: str = "words") -> ContextEntry:
    return ContextEntry(f"m{position}", position, role, text, 1_204, False, Reason.SUMMARISED, False)


def test_more_sources_are_fetched_as_the_list_is_scrolled(theme: Theme, qtbot: QtBot) -> None:
    asked: list[int] = []
    sources = SourceList(theme, asked.append)
    qtbot.addWidget(sources)
    model, top = sources.model(), QModelIndex()
    sources.show_range("first", 0)
    sources.show_range("first", 0)
    assert asked == [0] and not model.canFetchMore(top)
    sources.add([_entry(0), _entry(1)], next_position=100)
    assert model.canFetchMore(top)
    model.fetchMore(top)
    model.fetchMore(top)
    assert asked == [0, 100]
    sources.add([_entry(100)], next_position=None)
    assert model.rowCount() == 3 and not model.canFetchMore(top)
    sources.show_range("second", 7)
    assert asked == [0, 100, 7] and model.rowCount() == 0
    sources.add([], next_position=9)
    assert model.canFetchMore(top)
    sources.clear()
    assert not model.canFetchMore(top)


def test_a_source_says_who_wrote_it_and_jumps(theme: Theme, qtbot: QtBot) -> None:
    sources = SourceList(theme, lambda _start: None)
    qtbot.addWidget(sources)
    sources.resize(260, 120)
    sources.show_range("a", 0)
    sources.add([_entry(0), _entry(1, "assistant", "")], next_position=None)
    index = sources.model().index(1, 0)
    assert index.data() == "(no text)"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Answer, 1,204 tokens: (no text)"
    assert (index.data(RowRole.ICON), index.data(RowRole.NOTE)) == ("sparkles", "1,204")
    assert sources.model().index(5, 0).data() is None
    jumped: list[str] = []
    sources.jumpRequested.connect(jumped.append)
    with qtbot.waitExposed(sources):
        sources.show()
    place = sources.visualRect(sources.model().index(0, 0)).center()
    qtbot.mouseClick(sources.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert jumped == ["m0"]
    qtbot.keyClick(sources, Qt.Key.Key_Down)
    qtbot.keyClick(sources, Qt.Key.Key_Return)
    assert jumped == ["m0", "m1"]
