"""The Context tab shows each memory with its tokens, whether it is sent, and why none is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.context import ContextReport, ContextTotals
from chatdesk.core.domain.memory import NOT_SENT_TEXTS, Memory, MemoryOrigin, NotSent, SentMemory
from chatdesk.core.texts import shown
from chatdesk.ui.features.inspector.context_tab import ContextTab
from chatdesk.ui.theme.theme import Theme


def _entry(text: str, *, is_sent: bool) -> SentMemory:
    origin = MemoryOrigin.PERSON
    return SentMemory(Memory(text, text, None, origin, "", None, False, 1, 1), 7, is_sent)


@pytest.fixture
def tab(qtbot: QtBot) -> ContextTab:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    made = ContextTab(Theme(application), lambda _below: None)
    qtbot.addWidget(made)
    return made


def _report(*entries: SentMemory, not_sent: NotSent | None = None) -> ContextReport:
    totals = ContextTotals(window=1000, reserved=100, memory=9 if entries else 0)
    return ContextReport("t", "p", "m", totals, 1, memories=entries, memories_not_sent=not_sent)


def _about(tab: ContextTab) -> str:
    label = tab.memories.findChild(QLabel, "sentMemoriesAbout")
    assert label is not None
    return label.text()


def test_each_memory_is_listed_with_its_tokens_and_its_fate(tab: ContextTab) -> None:
    tab.show_report(_report(_entry("Ana keeps bees.", is_sent=True), _entry("Ana sings.", is_sent=False)))
    rows = [tab.memories.list.model().index(row, 0) for row in range(tab.memories.list.model().rowCount())]
    assert [each.data(Qt.ItemDataRole.AccessibleTextRole) for each in rows] == [
        "Ana keeps bees.: sent, 7 tokens",
        "Ana sings.: did not fit, 7 tokens",
    ]
    assert _about(tab) == "1 memory is sent · 1 did not fit"
    assert "Memories: 9 tokens" in tab.bar.accessibleDescription()


def test_a_row_names_its_memory(tab: ContextTab) -> None:
    tab.show_report(_report(_entry("Ana keeps bees.", is_sent=True)))
    chosen: list[str] = []
    tab.memories.chosen.connect(chosen.append)
    tab.memories.list.activated.emit(tab.memories.list.model().index(0, 0))
    assert chosen == ["Ana keeps bees."]


@pytest.mark.parametrize("reason", [*NotSent, None])
def test_it_says_why_none_is_sent_unless_memory_is_off(tab: ContextTab, reason: NotSent | None) -> None:
    tab.show_report(_report(not_sent=reason))
    is_silent = reason in (None, NotSent.OFF)
    assert tab.memories.isHidden() is is_silent
    assert is_silent or _about(tab) == shown(NOT_SENT_TEXTS[reason])  # type: ignore[index]
    assert tab.memories.list.isHidden()


def test_one_click_chooses_a_memory(tab: ContextTab, qtbot: QtBot) -> None:
    tab.show()
    tab.memories.show_report(_report(_entry("one", is_sent=True), _entry("two", is_sent=False)))
    chosen: list[str] = []
    tab.memories.chosen.connect(chosen.append)
    shown_list = tab.memories.list
    at = shown_list.visualRect(shown_list.model().index(1, 0)).center()
    qtbot.mouseClick(shown_list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert set(chosen) == {"two"}
