"""The inspector's tabs alone: paging, words, and what can be done when."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.context import ContextEntry, ContextReport, ContextTotals, Reason
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.summary import StaleReason, Summary, SummaryAuthor, SummaryState, SummarySwitches
from chatdesk.core.domain.tree import TreeNode, tree_rows
from chatdesk.core.texts import Text
from chatdesk.ui.features.inspector.context_tab import ContextBar, ContextTab
from chatdesk.ui.features.inspector.rows import RowRole
from chatdesk.ui.features.inspector.summary_tab import SummaryTab
from chatdesk.ui.features.inspector.tree_tab import TreeTab
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.window.inspector import Inspector
from tests.gallery.inspector_samples import build_inspector
from tests.helpers.painted_words import ink_of

REPORT = ContextReport("t", "p", "m", ContextTotals(1_000, 100, system=10, recent=300), 250, recent_count=250)
SUMMARY = Summary(
    "s", "t", 1, "a", "b", "Words.", 2, "p", "m", "1", 0, SummaryAuthor.PERSON, from_position=0, to_position=3
)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    found = Theme(qapp)
    found.apply()  # another test may have left its own, or none
    return found


def _entry(position: int, reason: Reason = Reason.SENT, *, is_pinned: bool = False) -> ContextEntry:
    return ContextEntry(f"m{position}", position, "user", f"text {position}", 5, False, reason, is_pinned)


def test_older_entries_are_fetched_when_the_list_is_scrolled(theme: Theme, qtbot: QtBot) -> None:
    asked: list[int | None] = []
    tab = ContextTab(theme, asked.append)
    qtbot.addWidget(tab)
    model, top = tab.list.model(), QModelIndex()
    tab.show_report(REPORT)
    assert asked == [None] and not model.canFetchMore(top)
    tab.add_entries([_entry(249), _entry(248)], has_older=True)
    assert model.canFetchMore(top)
    model.fetchMore(top)
    model.fetchMore(top)
    assert asked == [None, 248]
    tab.add_entries([_entry(247)], has_older=False)
    assert model.rowCount() == 3 and not model.canFetchMore(top)


@pytest.mark.parametrize(("cost_usd", "said"), [(None, "40 tokens."), (0.0123, "40 tokens ($0.012).")])
def test_a_summary_says_what_it_cost(theme: Theme, qtbot: QtBot, cost_usd: float | None, said: str) -> None:
    tab = SummaryTab(theme, lambda _start: None)
    qtbot.addWidget(tab)
    paid = replace(SUMMARY, author=SummaryAuthor.MODEL, input_tokens=30, output_tokens=10)
    tab.show_summaries([paid], SummarySwitches(), can_be_made=True, cost_usd=cost_usd)
    assert any(label.text().endswith(f"Making it took {said}") for label in tab.findChildren(QLabel))


def test_the_row_stays_on_its_message_when_the_report_is_newer(theme: Theme, qtbot: QtBot) -> None:
    tab = ContextTab(theme, lambda _below: None)
    qtbot.addWidget(tab)
    tab.show_report(REPORT)
    tab.add_entries([_entry(2), _entry(1)], has_older=False)
    tab.list.setCurrentIndex(tab.list.model().index(1, 0))
    tab.show_report(replace(REPORT, starts_at_id="m1"))
    tab.add_entries([_entry(3), _entry(2), _entry(1, is_pinned=True)], has_older=False)
    assert tab.list.currentIndex().row() == 2
    assert (tab.pin_button.text(), tab.start_button.text()) == ("Unpin", "Start at the top")
    said: list[tuple[object, ...]] = []
    tab.markRequested.connect(lambda *values: said.append(values))
    tab.startRequested.connect(lambda *values: said.append(values))
    for button in (tab.pin_button, tab.start_button, tab.exclude_button):
        button.click()
    assert said == [("m1", ContextMark.NONE), (None,), ("m1", ContextMark.EXCLUDED)]


def test_a_message_before_the_start_can_be_excluded_but_not_included(theme: Theme, qtbot: QtBot) -> None:
    tab = ContextTab(theme, lambda _below: None)
    qtbot.addWidget(tab)
    tab.show_report(REPORT)
    before = _entry(1, Reason.EXCLUDED)
    tab.add_entries([replace(before, message_id="m2", is_excluded=True), before], has_older=False)
    index = tab.list.model().index
    said: list[object] = []
    tab.markRequested.connect(lambda _id, mark: said.append(mark))
    for place, button in ((0, "Include"), (1, "Exclude")):
        tab.list.setCurrentIndex(index(place, 0))
        assert tab.exclude_button.text() == button
        tab.exclude_button.click()
    assert said == [ContextMark.NONE, ContextMark.EXCLUDED]
    words = [index(place, 0).data(Qt.ItemDataRole.AccessibleTextRole) for place in (0, 1)]
    assert ", excluded," in words[0] and "before the start of the context" in words[1]
    assert [index(place, 0).data(RowRole.IS_STRUCK) for place in (0, 1)] == [True, False]


def test_a_request_that_cannot_be_made_says_why_and_is_not_copied(theme: Theme, qtbot: QtBot) -> None:
    tab = ContextTab(theme, lambda _below: None)
    qtbot.addWidget(tab)
    tab.show_report(replace(REPORT, problem="The prompt is too long.", counts={Reason.DID_NOT_FIT: 3}))
    assert not tab.copy_button.isEnabled()
    tab.show_report(REPORT)
    assert tab.copy_button.isEnabled()
    assert "Room for the answer: 100 tokens" in tab.bar.accessibleDescription()
    tab.show_report(None)
    assert not tab.copy_button.isEnabled() and tab.bar.isHidden()


def test_a_message_deleted_for_good_cannot_be_restored(theme: Theme, qtbot: QtBot) -> None:
    tab = TreeTab(theme)
    qtbot.addWidget(tab)
    gone = TreeNode("0", None, "user", "complete", None, "", is_shown=True, is_in_trash=True, is_gone=True)
    live = TreeNode("1", "0", "assistant", "complete", "m", "hello", is_shown=True)
    tab.show_rows(tree_rows([gone, live]))
    assert tab.list.currentIndex().row() == 1
    first = tab.list.model().index(0, 0)
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == "Question, removed for good: no text"
    assert first.data(RowRole.IS_STRUCK)
    tab.list.setCurrentIndex(first)
    assert not tab.restore_button.isHidden() and not tab.restore_button.isEnabled()


def test_an_edited_answer_is_told_from_the_model_s(theme: Theme, qtbot: QtBot) -> None:
    tab = TreeTab(theme)
    qtbot.addWidget(tab)
    question = TreeNode("0", None, "user", "complete", None, "why?", is_shown=True)
    old = TreeNode("1", "0", "assistant", "complete", "m", "so", is_shown=False)
    mine = TreeNode("2", "0", "assistant", "complete", None, "no", is_shown=True, is_edited=True)
    tab.show_rows(tree_rows([question, old, mine]))
    rows = [tab.list.model().index(place, 0) for place in range(3)]
    assert {row.data(Qt.ItemDataRole.AccessibleTextRole): row.data(RowRole.ICON) for row in rows} == {
        "Question, shown: why?": "user",
        "Answer of m, version 1 of 2: so": "sparkles",
        "Edited answer, version 2 of 2, shown: no": "pencil",
    }


def test_a_click_on_a_row_in_the_trash_restores_nothing(theme: Theme, qtbot: QtBot) -> None:
    tab = TreeTab(theme)
    qtbot.addWidget(tab)
    tab.show_rows(tree_rows([TreeNode("0", None, "user", "complete", None, "x", is_shown=True, is_in_trash=True)]))
    index = tab.list.model().index(0, 0)
    tab.list.setCurrentIndex(index)
    with qtbot.assertNotEmitted(tab.restoreRequested):
        tab.list.clicked.emit(index)
    with qtbot.waitSignal(tab.restoreRequested):
        tab.restore_button.click()


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (SUMMARY, ""),
        (replace(SUMMARY, state=SummaryState.OFF), "switched it off"),
        (replace(SUMMARY, state=SummaryState.STALE, stale_reason=StaleReason.DELETED), "was deleted"),
        (replace(SUMMARY, state=SummaryState.STALE), "out of date"),
        (replace(SUMMARY, from_position=-1), "gone for good"),
    ],
)
def test_a_summary_says_why_it_is_not_sent(theme: Theme, qtbot: QtBot, summary: Summary, words: str) -> None:
    tab = SummaryTab(theme, lambda _start: None)
    qtbot.addWidget(tab)
    tab.show_summaries([summary], SummarySwitches(), can_be_made=True)
    said = " ".join(label.text() for label in tab.findChildren(QLabel))
    assert words in said
    assert tab.first_button.isHidden() is summary.is_range_gone


def test_news_do_not_overwrite_what_is_being_edited(theme: Theme, qtbot: QtBot) -> None:
    tab = SummaryTab(theme, lambda _start: None)
    qtbot.addWidget(tab)
    tab.show_summaries([SUMMARY], SummarySwitches(), can_be_made=True)
    tab.edit_button.click()
    tab.text_field.setPlainText("mine")
    tab.show_summaries([replace(SUMMARY, id="n", text="news")], SummarySwitches(), can_be_made=True)
    assert tab.text_field.toPlainText() == "mine"
    tab.show_summaries((), SummarySwitches(), can_be_made=False)  # another thread, which has none
    assert tab.text_field.toPlainText() == "mine" and not tab.text_field.isHidden()
    with qtbot.waitSignal(tab.editSaved) as saved:
        tab.edit_button.click()
    assert saved.args == ["s", "mine", ()]
    tab.show_summaries([SUMMARY], SummarySwitches(), can_be_made=True)
    tab.edit_button.click()
    tab.show_summaries([replace(SUMMARY, id="n", text="news")], SummarySwitches(), can_be_made=True)
    tab.cancel_button.click()
    assert tab.text_field.toPlainText() == "news"
    tab.show_summaries((), SummarySwitches(is_thread_on=False), can_be_made=False)
    assert tab.text_field.isHidden() and not tab.thread_switch.isChecked()


def test_the_inspector_shows_one_tab_and_takes_the_whole_of_a_narrow_window(theme: Theme, qtbot: QtBot) -> None:
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    assert inspector.tab == ""
    inspector.add_tab("One", TreeTab(theme))
    inspector.add_tab("Two", TreeTab(theme))
    with qtbot.waitSignal(inspector.tabShown) as shown:
        inspector.show_tab("Two")
    assert shown.args == ["Two"] == [inspector.tab]
    width = inspector.maximumWidth()
    inspector.set_filling(True)
    assert inspector.maximumWidth() > width


@pytest.mark.parametrize(
    ("switches", "waits", "words"),
    [
        (SummarySwitches(), False, ""),
        (SummarySwitches(), True, "made again tomorrow"),
        (SummarySwitches(is_project_on=False), True, "No thread of this project"),
        (SummarySwitches(is_thread_on=False, is_project_on=False), True, ""),
        (SummarySwitches(is_on_everywhere=False), True, "switched off in Settings"),
    ],
)
def test_the_reason_for_a_missing_summary_is_shown(
    theme: Theme, qtbot: QtBot, switches: SummarySwitches, waits: bool, words: str
) -> None:
    tab = SummaryTab(theme, lambda _start: None)
    qtbot.addWidget(tab)
    tab.show()
    tab.show_summaries([SUMMARY], switches, can_be_made=True, waits_for_tomorrow=waits)
    pause = tab.findChild(QLabel, "summaryPause")
    assert words in pause.text()
    assert pause.isVisible() is bool(words)
    assert tab.thread_switch.isChecked() is switches.is_thread_on
    assert tab.project_switch.isChecked() is switches.is_project_on
    with qtbot.waitSignal(tab.projectSwitched) as caught:
        tab.project_switch.click()
    assert caught.args == [not switches.is_project_on]


@pytest.mark.parametrize(
    ("names", "least_px"),
    [(("Context", "Tree"), 12), (("Context", "Summary", "Usage", "Tree", "Questions", "Artifacts"), 6)],
)
def test_tabs_stand_apart_where_there_is_room(
    theme: Theme, qtbot: QtBot, names: tuple[str, ...], least_px: int
) -> None:
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    for name in names:
        inspector.add_tab(name, QWidget())
    inspector.show()
    tabs = inspector.findChild(QTabBar, "inspectorTabs")
    assert tabs is not None
    spare = [
        tabs.tabRect(place).width() - tabs.fontMetrics().horizontalAdvance(tabs.tabText(place))
        for place in range(tabs.count())
    ]
    assert min(spare) >= least_px


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("window_px", [0, 640], ids=["beside the thread", "in place of it"])
def test_every_tab_of_the_inspector_is_in_sight(theme: Theme, qtbot: QtBot, scale: float, window_px: int) -> None:
    theme.set_scale(scale)
    theme.apply()  # another test may have left its own
    inspector = Inspector(theme)
    qtbot.addWidget(inspector)
    for name in ("Context", "Summary", "Usage", "Tree", "Questions", "Artifacts"):
        inspector.add_tab(name, QWidget())
    inspector.set_filling(bool(window_px), window_px=window_px)
    inspector.resize(window_px or inspector.minimumWidth(), 400)
    inspector.show()
    QApplication.processEvents()
    bar = inspector.findChild(QTabBar)
    assert bar.width() >= bar.tabRect(5).right() - bar.tabRect(0).left()
    assert bar.rect().contains(bar.tabRect(0)) and bar.rect().contains(bar.tabRect(5))
    assert [bar.tabToolTip(place) for place in (0, 5)] == ["Context", "Artifacts"]


@pytest.mark.parametrize("tab", ["Context", "Summary", "Tree"])
@pytest.mark.parametrize("width_px", [210, 304, 400])
def test_nothing_is_cut_in_a_narrow_and_low_inspector(theme: Theme, qtbot: QtBot, tab: str, width_px: int) -> None:
    inspector = build_inspector(theme, tab)
    qtbot.addWidget(inspector)
    inspector.set_filling(is_filling=True, window_px=width_px)
    inspector.resize(width_px, 420)
    inspector.show()
    for _round in range(3):  # a layout asks for the next one
        QApplication.processEvents()
    shown = [each for each in inspector.findChildren(QWidget) if each.isVisible()]
    pills = [each for each in shown if isinstance(each, PillButton)]
    assert pills and all(each.width() >= each.sizeHint().width() for each in pills)
    labels = [each for each in shown if isinstance(each, QLabel) and each.wordWrap()]
    assert all(each.height() >= each.heightForWidth(each.width()) for each in labels)
    for above, below in itertools.combinations([*pills, *labels], 2):
        rects = [QRect(each.mapTo(inspector, QPoint()), each.size()) for each in (above, below)]
        assert not rects[0].intersects(rects[1]), (above, below)


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_name_ends_before_its_number(theme: Theme, qtbot: QtBot, direction: Qt.LayoutDirection) -> None:
    bar = ContextBar(theme)
    qtbot.addWidget(bar)
    bar.setLayoutDirection(direction)
    totals = ContextTotals(200_000_000, 100, summary=100_000_001)
    bar.show_report(ContextReport("t", "p", "m", totals, 4_000, summarised_count=3_999))
    bar.resize(190, bar.sizeHint().height())
    number_px = QFontMetrics(theme.font("table")).horizontalAdvance("100,000,001")
    is_mirrored = direction is Qt.LayoutDirection.RightToLeft
    before = QRect(number_px + 3 if is_mirrored else bar.width() - number_px - 7, 18, 4, 18)
    image = bar.grab().toImage()
    assert ink_of(image, before).isNull()
    assert not ink_of(image, QRect(30 if is_mirrored else 20, 18, 140, 18)).isNull(), "the name is in this line"


def test_what_is_left_out_and_each_sentence_about_it_stand_apart(theme: Theme, qtbot: QtBot) -> None:
    tab = ContextTab(theme, lambda _before: None)
    qtbot.addWidget(tab)
    notes = (Text("The image is not sent."), Text("The middle of “a.md” is left out."))
    tab.show_report(replace(REPORT, counts={Reason.EXCLUDED: 2}, notes=notes))
    words = [each.text() for each in tab.findChildren(QLabel)]
    assert "2 excluded\nThe image is not sent. The middle of “a.md” is left out." in words
