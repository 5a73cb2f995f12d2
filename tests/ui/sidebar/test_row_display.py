"""What a row of the list tells besides its title: a branch, other people, the whole title, and where its menu is."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QStandardItem, QStandardItemModel, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QStyle, QStyleOptionViewItem, QToolTip

from chatdesk.core.domain.thread import Project
from chatdesk.ui.sidebar.row_display import PaintedRow, ThreadRole
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from tests.gallery.sidebar_samples import FixedClock, ListFetcher, make_thread
from tests.helpers.mouse import move_mouse

_LONG = "A title that is much longer than any sidebar is wide, with <b>marks</b>"


@pytest.fixture
def sidebar(qtbot, qapp: QApplication) -> Sidebar:
    threads = [
        make_thread(1, "Compare vector indexes (branch)", ago=timedelta(minutes=1)),
        make_thread(2, "Jepsen report", ago=timedelta(minutes=2), project_id="team"),
        make_thread(3, _LONG, ago=timedelta(minutes=3)),
    ]
    sidebar = Sidebar(ListFetcher(threads), Theme(qapp, preference="light"), clock=FixedClock(), zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.set_shared_projects({"team": "shared"})
    sidebar.resize(264, 600)
    sidebar.show()
    sidebar.reload()
    return sidebar


def index_of(sidebar: Sidebar, number: int):
    return sidebar.thread_list.model().index_of(make_thread(number, "").id)


def test_branches_and_shared_threads_have_their_signs(sidebar: Sidebar) -> None:
    painted = [index_of(sidebar, number).data(ThreadRole.PAINTED) for number in (1, 2, 3)]
    assert [row.icon for row in painted] == ["git-branch", "users", ""]
    assert painted[0].title == "Compare vector indexes"
    spoken = [index_of(sidebar, number).data(Qt.ItemDataRole.AccessibleTextRole) for number in (1, 2)]
    assert "(branch)" in spoken[0]
    assert "shared" in spoken[1]


def test_one_shared_project_has_the_sign_and_not_each_of_its_threads(sidebar: Sidebar) -> None:
    sidebar.set_project(Project("team", "Team", "", "", None, None, 0, None))
    assert index_of(sidebar, 2).data(ThreadRole.PAINTED).icon == ""
    sidebar.set_project(None)
    assert index_of(sidebar, 2).data(ThreadRole.PAINTED).icon == "users"


@pytest.mark.parametrize(
    ("state", "is_trash", "is_painted"),
    [
        (QStyle.StateFlag.State_None, False, False),
        (QStyle.StateFlag.State_MouseOver, False, True),
        (QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_KeyboardFocusChange, False, True),
        (QStyle.StateFlag.State_None, True, True),
    ],
)
def test_a_title_has_the_room_of_the_date_until_somebody_is_there(
    sidebar: Sidebar, state: QStyle.StateFlag, is_trash: bool, is_painted: bool
) -> None:
    """In the trash the row tells how many days are left, which nothing else tells."""
    pictures = []
    for time in ("14:28", ""):
        model = QStandardItemModel()
        model.appendRow(item := QStandardItem())
        item.setData(PaintedRow("Jepsen report", time, is_trash, False, ()), ThreadRole.PAINTED)
        picture = QImage(264, 34, QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor.white)
        option = QStyleOptionViewItem()
        option.rect, option.state = picture.rect(), state  # type: ignore[attr-defined]
        painter = QPainter(picture)
        sidebar.thread_list.itemDelegate().paint(painter, option, model.index(0, 0))
        painter.end()
        pictures.append(picture)
    assert (pictures[0] != pictures[1]) is is_painted


def test_the_tooltip_is_the_whole_title_as_it_stands(sidebar: Sidebar) -> None:
    tip = index_of(sidebar, 3).data(Qt.ItemDataRole.ToolTipRole)
    shown = QTextDocument()
    shown.setHtml(tip)
    assert " ".join(shown.toPlainText().split()) == _LONG


def test_only_a_title_that_is_cut_off_has_a_tooltip(sidebar: Sidebar) -> None:
    view = sidebar.thread_list
    view.grab()
    seen = []
    for number in (2, 3):
        place = view.visualRect(index_of(sidebar, number)).center()
        asked = QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
        QApplication.sendEvent(view.viewport(), asked)
        seen.append(QToolTip.text() if QToolTip.isVisible() else "")
    assert [bool(each) for each in seen] == [False, True]


def test_the_button_of_a_row_opens_its_menu_and_not_the_thread(sidebar: Sidebar) -> None:
    view, opened = sidebar.thread_list, []
    view.chosen.connect(opened.append)
    rect = view.visualRect(index_of(sidebar, 3))
    place = view.itemDelegate().menu_area(rect, view.layoutDirection()).center()
    move_mouse(view.viewport(), place)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Archive" in [action.text() for action in menu.actions()]
    menu.close()
    assert opened == []
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, rect.center())
    assert opened == [make_thread(3, "").id]


def test_keys_open_the_menu_of_a_row(sidebar: Sidebar) -> None:
    view = sidebar.thread_list
    view.setFocus(Qt.FocusReason.TabFocusReason)
    view.setCurrentIndex(index_of(sidebar, 2))
    QTest.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


def test_the_button_shows_under_the_pointer_and_where_the_keys_are(sidebar: Sidebar) -> None:
    view = sidebar.thread_list
    rect = view.visualRect(index_of(sidebar, 3))
    area = view.itemDelegate().menu_area(rect, view.layoutDirection())
    view.setFocus(Qt.FocusReason.TabFocusReason)
    view.setCurrentIndex(index_of(sidebar, 2))
    at_rest = view.viewport().grab(area).toImage()
    view.setCurrentIndex(index_of(sidebar, 3))
    assert view.viewport().grab(area).toImage() != at_rest
