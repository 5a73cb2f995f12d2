"""The usage tab alone: figures, estimates, prices that nobody knows, words for screen readers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.usage import UsageReport, UsageRow, UsageSum
from chatdesk.ui.features.inspector.usage_tab import UsageTab
from chatdesk.ui.theme.theme import Theme

KNOWN = UsageRow("answer", "openai", "gpt-4o", UsageSum(12, 1_234_000, 8_204, 10_240, 0, 0.3412))
UNKNOWN = UsageRow("title", "openai", "", UsageSum(1, 3_400, 804, 0, 200, 0, 1, 1))


@pytest.fixture
def tab(qapp: QApplication, qtbot: QtBot) -> UsageTab:
    tab = UsageTab(Theme(qapp))
    qtbot.addWidget(tab)
    tab.resize(284, 400)
    tab.show()
    return tab


def _texts(tab: UsageTab, row: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> list[str]:
    model = tab.table.model()
    return [str(model.index(row, column).data(role)) for column in range(model.columnCount())]


def _label(tab: UsageTab, name: str) -> str:
    return tab.findChild(QLabel, name).text()


def test_figures_by_kind_and_model_with_a_total(tab: UsageTab) -> None:
    tab.show_report(UsageReport((KNOWN, UNKNOWN)))
    assert tab.table.model().rowCount() == 6
    assert _texts(tab, 0)[0] == "Answers · gpt-4o · 12 requests"
    assert _texts(tab, 1) == ["1.2M", "10k", "8,204", "0", "$0.34"]
    assert _texts(tab, 2)[0] == "Titles · the server's own model · 1 request"
    assert _texts(tab, 3) == ["≈3,400", "0", "≈804", "≈200", "–"]
    assert _texts(tab, 4)[0] == "Total · 13 requests"
    assert _texts(tab, 5)[4] == "$0.34+"
    assert tab.table.columnSpan(0, 0) == 5 and tab.table.columnSpan(1, 0) == 1
    assert _label(tab, "usageAbout") == "1,246,408 tokens in 13 requests, at least $0.34."
    assert "of 1 request are estimates" in _label(tab, "usageNotes")
    assert "No price is known for the server's own model" in _label(tab, "usageNotes")


def test_where_a_price_is_missing_it_can_be_typed(tab: UsageTab) -> None:
    wanted: list[bool] = []
    tab.pricesRequested.connect(lambda: wanted.append(True))
    tab.show_report(UsageReport((KNOWN,)))
    assert tab.prices_button.isHidden()
    tab.show_report(UsageReport((KNOWN, UNKNOWN)))
    assert not tab.prices_button.isHidden()
    assert tab.prices_button.text() == "Add prices…"
    tab.prices_button.click()
    assert wanted == [True]


def test_screen_readers_hear_whole_figures_with_their_column(tab: UsageTab) -> None:
    tab.show_report(UsageReport((KNOWN, UNKNOWN)))
    words = _texts(tab, 1, Qt.ItemDataRole.AccessibleTextRole)
    assert words[0] == "Answers · gpt-4o, In: 1,234,000 tokens"
    assert words[1] == "Answers · gpt-4o, Of them from the provider's cache: 10,240 tokens"
    assert _texts(tab, 3, Qt.ItemDataRole.ToolTipRole)[0].endswith("In: about 3,400 tokens")
    assert _texts(tab, 3, Qt.ItemDataRole.ToolTipRole)[4].endswith("Cost: no price is known")
    assert _texts(tab, 5, Qt.ItemDataRole.ToolTipRole)[4].endswith("at least $0.34")
    header = tab.table.model().headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole)
    assert header == "Of them for reasoning"
    assert tab.table.model().headerData(0, Qt.Orientation.Vertical) is None


def test_one_line_needs_no_total_and_news_keep_the_current_cell(tab: UsageTab) -> None:
    tab.show_report(UsageReport((KNOWN,)))
    model = tab.table.model()
    assert model.rowCount() == 2
    tab.table.setCurrentIndex(model.index(1, 2))
    tab.show_report(UsageReport((UsageRow("answer", "openai", "gpt-4o", UsageSum(13, 1, 9_000)),)))
    assert tab.table.currentIndex().column() == 2
    assert _texts(tab, 1)[2] == "9,000"
    assert _label(tab, "usageNotes") == ""


def test_without_a_thread_or_a_request_it_says_so(tab: UsageTab) -> None:
    for report in (None, UsageReport()):
        tab.show_report(report)
        assert _label(tab, "usageAbout") == "Nothing yet: ask something."
        assert not tab.table.isVisible()


def test_it_is_walked_by_keys_and_drawn(tab: UsageTab, qtbot: QtBot) -> None:
    tab.show_report(UsageReport((KNOWN, UNKNOWN)))
    tab.table.setFocus()
    tab.table.setCurrentIndex(tab.table.model().index(1, 0))
    qtbot.keyClick(tab.table, Qt.Key.Key_Right)
    assert tab.table.currentIndex().column() == 1
    assert not tab.grab().isNull()
