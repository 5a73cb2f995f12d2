"""What the sidebar shows of a team: unread threads, shared projects, how sync stands."""

from __future__ import annotations

import importlib.util
import sys
import time
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QStyleOptionViewItem

from chatdesk.core.domain.thread import Project
from chatdesk.ui.features.library.project_chooser import ChooserEntry, ProjectChooser
from chatdesk.ui.sidebar import extra_lines as team_line
from chatdesk.ui.sidebar.menus import thread_menu
from chatdesk.ui.sidebar.row_display import ThreadRole
from chatdesk.ui.sidebar.sidebar import Sidebar

_PATH = Path(__file__).parents[2] / "gallery" / "sidebar_samples.py"
_spec = importlib.util.spec_from_file_location("sidebar_samples_of_team", _PATH)
assert _spec is not None
assert _spec.loader is not None
samples = importlib.util.module_from_spec(_spec)
sys.modules["sidebar_samples_of_team"] = samples
_spec.loader.exec_module(samples)


def make_sidebar(qtbot, theme, threads=None) -> Sidebar:
    fetcher = samples.ListFetcher(samples.sample_threads() if threads is None else threads, page_size=20_000)
    sidebar = Sidebar(fetcher, theme, clock=samples.FixedClock(), zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.resize(264, 600)
    sidebar.show()
    sidebar.reload()
    return sidebar


def thread_id(number: int) -> str:
    return samples.make_thread(number, "").id


def spoken(sidebar, number: int) -> str:
    model = sidebar.thread_list.model()
    return str(model.index_of(thread_id(number)).data(Qt.ItemDataRole.AccessibleTextRole))


def test_an_unread_thread_says_how_many_and_only_changed_rows_are_drawn_again(qtbot, theme):
    sidebar = make_sidebar(qtbot, theme)
    model = sidebar.thread_list.model()
    changed: list[str] = []
    model.dataChanged.connect(lambda index, _last: changed.append(index.data(ThreadRole.THREAD_ID)))
    sidebar.rows.set_unread({thread_id(3): 3, thread_id(5): 1, "not in the list": 2})
    assert ", 3 unread" in spoken(sidebar, 3)
    assert model.index_of(thread_id(3)).data(ThreadRole.PAINTED).unread == 3
    assert sorted(changed) == [thread_id(3), thread_id(5)]
    changed.clear()
    sidebar.rows.set_unread({thread_id(3): 3})
    assert changed == [thread_id(5)]
    assert "unread" not in spoken(sidebar, 5)
    assert sidebar.unread_of(thread_id(3)) == 3


def test_ten_thousand_threads_with_marks_cost_no_frame(qtbot, theme):
    threads = [samples.make_thread(number, f"Thread {number}") for number in range(10_000)]
    sidebar = make_sidebar(qtbot, theme, threads)
    counts = {thread_id(number): 1 for number in range(0, 10_000, 50)}
    plain = _time(lambda: sidebar.thread_list.viewport().grab())
    sidebar.rows.set_unread(counts)
    QApplication.processEvents()
    marked = _time(lambda: sidebar.thread_list.viewport().grab())
    assert marked < 4 * plain


def _time(run) -> float:
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("count", [0, 3, 250])
def test_an_unread_row_has_a_dot_and_a_count_in_either_direction(qtbot, theme, count, direction):
    sidebar = make_sidebar(qtbot, theme)
    sidebar.rows.set_unread({thread_id(3): count} if count else {})
    option = QStyleOptionViewItem()
    option.rect = QRect(0, 0, 240, 34)
    option.direction = direction
    pictures = []
    for number in (3, 4):
        image = QImage(240, 34, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        sidebar.thread_list.itemDelegate().paint(
            painter, option, sidebar.thread_list.model().index_of(thread_id(number))
        )
        painter.end()
        pictures.append(image)
    accent = theme.colour("accent").rgb()
    has_dot = any(pictures[0].pixel(x, 17) == accent for x in range(240))
    assert has_dot == bool(count)
    assert not any(pictures[1].pixel(x, 17) == accent for x in range(240))


def test_the_menu_marks_unread_threads_as_read(qtbot, theme):
    sidebar = make_sidebar(qtbot, theme)
    asked: list[tuple[str, ...]] = []
    sidebar.markReadRequested.connect(asked.append)
    thread = sidebar.known([thread_id(3)])[0]
    assert "Mark as read" not in [each.text() for each in thread_menu(sidebar, [thread], (thread.id,)).actions()]
    sidebar.rows.set_unread({thread.id: 1})
    menu = thread_menu(sidebar, [thread], (thread.id,))
    next(each for each in menu.actions() if each.text() == "Mark as read").trigger()
    assert asked == [(thread.id,)]


def test_in_a_project_that_one_may_only_read_the_menu_says_so(qtbot, theme):
    sidebar = make_sidebar(qtbot, theme)
    thread = sidebar.known([thread_id(3)])[0]
    sidebar.set_shared_projects({thread.project_id: "shared, you can only read"}, read_only=frozenset({"project"}))
    states = {each.text(): each.isEnabled() for each in thread_menu(sidebar, [thread], (thread.id,)).actions()}
    assert states["You can only read this project"] is False
    assert states["Delete\tDel"] is False
    assert states["Pin"] is True  # is one's own affair


def test_a_shared_project_has_a_mark_and_words(qtbot, theme):
    sidebar = make_sidebar(qtbot, theme)
    project = Project("project", "Research", "", "", None, None, 0, None)
    sidebar.set_project(project)
    private = sidebar.badge.grab().toImage()
    sidebar.set_shared_projects({"project": "shared, you manage it"})
    assert sidebar.badge.accessibleName() == "Project Research, shared, you manage it"
    assert "shared, you manage it" in sidebar.badge.toolTip()
    assert sidebar.badge.grab().toImage() != private
    sidebar.set_shared_projects({})
    assert sidebar.badge.accessibleName() == "Project Research"
    sidebar.set_project(None)
    assert sidebar.badge.accessibleName() == "Project All projects"


def test_the_list_of_projects_says_which_are_shared(qtbot, theme):
    entries = [
        ChooserEntry("project", "Research", "a", shared="shared by you", is_current=True),
        ChooserEntry("project", "Mine", "b"),
    ]
    chooser = ProjectChooser(theme, entries)
    qtbot.addWidget(chooser)
    chooser.show()
    role = Qt.ItemDataRole.AccessibleTextRole
    assert chooser.list.item(0).data(role) == "Research, shared by you, open"
    assert chooser.list.item(1).data(role) == "Mine"
    assert not chooser.grab().isNull()


def test_the_line_of_sync_is_there_with_a_workspace_only_and_is_pressed_by_key(qtbot, theme):
    sidebar = make_sidebar(qtbot, theme)
    sidebar.lines.show_team("")
    assert sidebar.lines.team is None
    before = sidebar.focus_panes()
    sidebar.lines.show_team("Synced 14:02", tip="The team: Synced 14:02.")
    line = sidebar.lines.team
    assert line in sidebar.focus_panes()
    assert len(sidebar.focus_panes()) == len(before) + 1
    assert line.accessibleName() == "Sync: Synced 14:02"
    pressed: list[bool] = []
    sidebar.teamPressed.connect(lambda: pressed.append(True))
    line.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert pressed == [True]
    sidebar.lines.show_team("")
    assert not line.isVisible()


def test_the_line_is_said_aloud_only_when_its_kind_changes(qtbot, theme, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(team_line, "announce", lambda _widget, text: said.append(text))
    sidebar = make_sidebar(qtbot, theme)
    sidebar.lines.show_team("Synced 14:02")
    for done in range(5):
        sidebar.lines.show_team(f"Syncing {done} of 5")
    sidebar.lines.show_team("Offline: 1 change waits", tone="offline")
    sidebar.lines.show_team("Offline: 2 changes wait", tone="offline")
    sidebar.lines.show_team("Refused: 1 change", tone="refused")
    sidebar.lines.show_team("Synced 14:03")
    assert said == ["Offline: 1 change waits", "Refused: 1 change", "Synced 14:03"]
    said.clear()
    for _ in range(3):  # a server that is away is tried again and again
        sidebar.lines.show_team("Connecting", is_under_way=True)
        sidebar.lines.show_team("Offline: 2 changes wait", tone="offline")
    sidebar.lines.show_team("Connecting", is_under_way=True)
    sidebar.lines.show_team("Synced 14:09")
    assert said == ["Offline: 2 changes wait", "Synced 14:09"]


@pytest.mark.parametrize("tone", ["calm", "offline", "refused"])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_each_tone_of_the_line_looks_its_own(qtbot, theme, tone, direction):
    sidebar = make_sidebar(qtbot, theme)
    sidebar.setLayoutDirection(direction)
    sidebar.lines.show_team("Words that are longer than there is room for them in a sidebar", tone=tone)
    line = sidebar.lines.team
    line.setFocus(Qt.FocusReason.TabFocusReason)
    picture = line.grab().toImage()
    sidebar.lines.show_team(line.text(), tone="calm")
    assert (line.grab().toImage() == picture) == (tone == "calm")
