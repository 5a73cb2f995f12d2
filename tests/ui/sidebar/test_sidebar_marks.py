"""Marking threads, the menus about many of them, the trash, dragging, and a list that is very long."""

from __future__ import annotations

import importlib.util
import sys
import time
from datetime import UTC, timedelta
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from chatdesk.core.domain.thread import Project, Tag
from chatdesk.ui.features.library.project_chooser import ChooserEntry, ProjectChooser
from chatdesk.ui.features.library.project_menu import ProjectMenu
from chatdesk.ui.sidebar.grouping import days_left, days_text
from chatdesk.ui.sidebar.menus import thread_menu
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.sidebar.row_display import ThreadRole
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.sidebar.thread_drag import drag_picture, drag_threads
from chatdesk.ui.theme.tokens import DARK, LIGHT, PROJECT_COLOURS, contrast, ink_on
from tests.helpers.mouse import move_mouse

_PATH = Path(__file__).parents[2] / "gallery" / "sidebar_samples.py"
_spec = importlib.util.spec_from_file_location("sidebar_samples_of_marks", _PATH)
assert _spec is not None
assert _spec.loader is not None
samples = importlib.util.module_from_spec(_spec)
sys.modules["sidebar_samples_of_marks"] = samples
_spec.loader.exec_module(samples)

_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_LEFT = Qt.MouseButton.LeftButton


def make_sidebar(qtbot, theme, threads=None, **how):
    fetcher = samples.ListFetcher(samples.sample_threads() if threads is None else threads, **how)
    sidebar = Sidebar(fetcher, theme, clock=samples.FixedClock(), zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.resize(264, 600)
    sidebar.show()
    sidebar.reload()
    return sidebar, fetcher


def thread_id(number: int) -> str:
    return samples.make_thread(number, "").id


def click(sidebar, number: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    view = sidebar.thread_list
    place = view.visualRect(view.model().index_of(thread_id(number))).center()
    QTest.mouseClick(view.viewport(), _LEFT, modifiers, place)


def marked(sidebar) -> list[int]:
    return sorted(int(each[-12:]) for each in sidebar.thread_list.marks.ids)


def test_ctrl_and_shift_with_a_click_mark_and_a_plain_click_opens(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    sidebar.thread_list.show_open(thread_id(3))
    click(sidebar, 5, _CTRL)
    assert marked(sidebar) == [3, 5]
    click(sidebar, 5, _CTRL)
    assert marked(sidebar) == [3]
    click(sidebar, 7, _CTRL)
    click(sidebar, 9, _SHIFT)
    assert marked(sidebar) == [7, 8, 9]
    selected = {index.data(ThreadRole.THREAD_ID) for index in sidebar.thread_list.selectedIndexes()}
    assert selected - {None} == {thread_id(7), thread_id(8), thread_id(9)}
    with qtbot.waitSignal(sidebar.thread_list.chosen) as chosen:
        click(sidebar, 4)
    assert chosen.args == [thread_id(4)]
    assert marked(sidebar) == []


def test_keys_mark_and_esc_marks_nothing(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    sidebar.thread_list.show_open(thread_id(3))
    view = sidebar.thread_list
    qtbot.keyClick(view, Qt.Key.Key_Down, _SHIFT)
    qtbot.keyClick(view, Qt.Key.Key_Down, _SHIFT)
    assert marked(sidebar) == [3, 4, 5]
    qtbot.keyClick(view, Qt.Key.Key_Up, _SHIFT)
    assert marked(sidebar) == [3, 4]
    qtbot.keyClick(view, Qt.Key.Key_Space, _CTRL)
    assert marked(sidebar) == [3]
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert marked(sidebar) == []
    assert [index.data(ThreadRole.THREAD_ID) for index in view.selectedIndexes()] == [thread_id(3)]
    with qtbot.assertNotEmitted(sidebar.thread_list.allAsked):
        qtbot.keyClick(view, Qt.Key.Key_A, _CTRL)
    assert len(marked(sidebar)) == len(samples.sample_threads())
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert marked(sidebar) == []
    for key in (Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_PageDown):
        qtbot.keyClick(view, key)
        assert view.currentIndex().data(ThreadRole.THREAD_ID)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_End, _SHIFT)
    assert len(marked(sidebar)) == len(samples.sample_threads())


def test_marks_stay_with_threads_that_come_later_and_leave_with_those_that_go(qtbot, theme):
    threads = [samples.make_thread(i, f"Thread {i}", ago=timedelta(hours=i)) for i in range(120)]
    sidebar, _ = make_sidebar(qtbot, theme, threads)
    with qtbot.waitSignal(sidebar.thread_list.allAsked):
        qtbot.keyClick(sidebar.thread_list, Qt.Key.Key_A, _CTRL)
    sidebar.thread_list.marks.set([thread.id for thread in threads])
    bar = sidebar.findChild(QWidget, "selectionBar")
    assert bar.findChild(QLabel, "selectionCount").text() == "120 marked"
    sidebar.thread_list.model().fetchMore()
    index = sidebar.thread_list.model().index_of(threads[70].id)
    assert sidebar.thread_list.selectionModel().isSelected(index)
    sidebar.remove_thread(threads[70].id)
    assert len(marked(sidebar)) == 119
    sidebar.thread_list.marks.set([threads[0].id])
    sidebar.remove_thread(threads[0].id)
    assert not bar.isVisible()


def test_the_bar_of_marked_threads_does_what_its_buttons_say(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    ids = (thread_id(3), thread_id(4))
    sidebar.thread_list.marks.set(ids)

    def button(name: str) -> QWidget:
        return sidebar.findChild(QWidget, f"marked-{name}")

    for name, signal, arguments in (
        ("pin", sidebar.pinRequested, [ids, True]),
        ("archive", sidebar.archiveRequested, [ids, True]),
        ("folder", sidebar.moveRequested, [ids]),
        ("tag", sidebar.tagsRequested, [ids]),
        ("trash-2", sidebar.deleteRequested, [ids]),
    ):
        with qtbot.waitSignal(signal) as asked:
            button(name).click()
        assert asked.args == arguments
        assert button(name).accessibleName()
    button("x").click()
    assert not button("x").isVisible()
    sidebar.set_view("trash")
    sidebar.thread_list.marks.set(ids)
    assert not button("pin").isVisible()
    with qtbot.waitSignal(sidebar.restoreRequested):
        button("archive-restore").click()
    with qtbot.waitSignal(sidebar.purgeRequested):
        button("trash-2").click()


def test_menus_about_many_say_how_many(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    ids = (thread_id(1), thread_id(2))
    menu = thread_menu(sidebar, sidebar.known(ids), ids)
    texts = [action.text().split("\t")[0] for action in menu.actions() if action.text()]
    assert texts == [
        "Unpin 2 threads",
        "Archive 2 threads",
        "Move 2 threads to a project…",
        "Tags…",
        "Export 2 threads…",
        "Delete 2 threads",
    ]
    for action, signal in zip(
        [action for action in menu.actions() if action.text()],
        [
            sidebar.pinRequested,
            sidebar.archiveRequested,
            sidebar.moveRequested,
            sidebar.tagsRequested,
            sidebar.exportSelectedRequested,
            sidebar.deleteRequested,
        ],
        strict=True,
    ):
        with qtbot.waitSignal(signal):
            action.trigger()
    trashed = samples.make_thread(30, "x", deleted_at=1)
    with qtbot.waitSignal(sidebar.purgeRequested):
        sidebar.thread_menu(trashed).actions()[-1].trigger()
    sidebar.thread_list.marks.set(ids)
    assert "2 threads" in sidebar.thread_menu(sidebar.known(ids)[0]).actions()[0].text()


def test_the_menu_at_the_bottom_sorts_and_filters(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    sidebar.tags = (Tag("a", "R&D", 0, 3), Tag("b", "Other", 0, 1))
    menu = sidebar.view_menu()
    by_text = {action.text(): action for action in menu.actions()}
    with qtbot.waitSignal(sidebar.sortRequested) as asked:
        by_text["Sort by name"].trigger()
    assert asked.args == [True]
    with qtbot.waitSignal(sidebar.tagListRequested):
        by_text["Tags…"].trigger()
    tags = by_text["Show one tag"].menu().actions()
    assert [action.text() for action in tags if action.text()] == ["All threads", "R&&D\t3", "Other\t1"]
    with qtbot.waitSignal(sidebar.tagFilterRequested) as filtered:
        tags[2].trigger()
    assert filtered.args == ["a"]
    sidebar.set_tag(sidebar.tags[0])
    sidebar.reload()
    bar = sidebar.findChild(QWidget, "threadViewBar")
    assert bar.accessibleName() == "Threads with “R&D” · show all"
    sidebar.upsert_thread(samples.make_thread(3, "Explain the WAL checkpoint stall"))
    assert sidebar.known([thread_id(3)]) == []
    with qtbot.waitSignal(sidebar.tagFilterRequested) as back:
        bar.click()
    assert back.args == [""]


def test_by_name_and_the_trash_are_arranged_their_own_way(qtbot, theme):
    now = round(samples.NOW.timestamp() * 1000)
    threads = [
        samples.make_thread(1, "beta", ago=timedelta(days=3), tags=("one", "two")),
        samples.make_thread(2, "Ähre", ago=timedelta(days=400)),
        samples.make_thread(3, "pinned", pinned_at=1),
    ]
    sidebar, fetcher = make_sidebar(qtbot, theme, threads)
    model = sidebar.thread_list.model()
    sidebar.set_order(by_name=True)
    sidebar.reload()
    assert [model.index(row).data() for row in range(model.rowCount())] == [
        "Pinned",
        "pinned",
        "By name",
        "Ähre",
        "beta",
    ]
    spoken = model.index_of(threads[0].id).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.endswith("tagged one, two")
    assert not sidebar.grab().isNull()
    deleted = [samples.make_thread(4, "gone", ago=timedelta(days=90), pinned_at=1, deleted_at=now - 3 * 86_400_000)]
    fetcher.threads = deleted
    sidebar.set_trash_days(30)
    sidebar.set_view("trash")
    assert [model.index(row).data() for row in range(model.rowCount())] == ["Previous 7 days", "gone"]
    assert model.index(1).data(ThreadRole.TIME) == "27 days"
    assert model.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "gone, deleted Wed, 27 days left, pinned"
    empty = sidebar.findChild(QWidget, "emptyTrashButton")
    with qtbot.waitSignal(sidebar.emptyTrashRequested):
        empty.click()
    fetcher.threads = []
    sidebar.reload()
    assert not empty.isVisible()
    assert (
        sidebar.thread_list.empty_text
        == "No thread is in the trash. Deleted threads and messages stay here for 30 days."
    )
    sidebar.set_view("archive")
    assert sidebar.thread_list.empty_text == "Nothing is archived."


def test_days_left_are_whole_days_and_never_negative():
    day = 86_400_000
    assert days_left(0, 0, 30) == 30
    assert days_left(0, 1, 30) == 30
    assert days_left(0, 29 * day + 1, 30) == 1
    assert days_left(0, 40 * day, 30) == 0
    assert (days_text(1), days_text(2)) == ("1 day", "2 days")


def test_threads_of_other_projects_stay_out(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme, [])
    sidebar.set_project(Project("project", "Research", "#0B7A75", "", None, None, 0, None))
    assert "in this project" in sidebar.thread_list.empty_text or sidebar.reload() is None
    sidebar.upsert_thread(samples.make_thread(1, "in"))
    sidebar.upsert_thread(samples.make_thread(2, "out", project_id="other"))
    assert [thread.title for thread in sidebar.known([thread_id(1), thread_id(2)])] == ["in"]
    sidebar.set_project(None)
    assert sidebar.badge.accessibleName() == "Project All projects"
    assert not sidebar.grab().isNull()


def entries() -> list[ChooserEntry]:
    return [
        ChooserEntry("command", "All projects", "all", icon_name="folder"),
        ChooserEntry("project", "Research", "r", "#0B7A75", is_current=True),
        ChooserEntry("project", "Home", "h", "#B45A1E", hint="12"),
        ChooserEntry("heading", "Archived"),
        ChooserEntry("project", "Résumé", "o", "teal"),
    ]


def test_the_chooser_narrows_and_is_used_by_keys(qtbot, theme):
    chooser = ProjectChooser(theme, entries())
    qtbot.addWidget(chooser)
    chooser.show()
    assert chooser.list.currentItem().text() == "Research"
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(chooser.field, key)
    assert chooser.list.currentItem().text() == "Résumé"
    qtbot.keyClick(chooser.field, Qt.Key.Key_Down)
    assert chooser.list.currentItem().text() == "All projects"
    qtbot.keyClick(chooser.field, Qt.Key.Key_PageDown)
    qtbot.keyClicks(chooser.field, "RÉS")
    assert [entry.text for entry in chooser.shown()] == ["Archived", "Résumé"]
    with qtbot.waitSignal(chooser.chosen) as chosen:
        qtbot.keyClick(chooser.field, Qt.Key.Key_Return)
    assert chosen.args[0].key == "o"
    chooser.field.setText("nothing of the kind")
    assert chooser.list.item(0).text() == "No project matches."
    with qtbot.assertNotEmitted(chooser.chosen):
        qtbot.keyClick(chooser.field, Qt.Key.Key_Return)
    qtbot.keyClick(chooser.field, Qt.Key.Key_Down)
    assert not chooser.grab().isNull()


def drag_data() -> QMimeData:
    data = QMimeData()
    data.setData(THREADS_MIME, b"a\nb")
    return data


def test_threads_can_be_dropped_on_a_project_and_on_nothing_else(qtbot, theme):
    chooser = ProjectChooser(theme, entries(), mime=THREADS_MIME)
    qtbot.addWidget(chooser)
    chooser.resize(260, 300)
    chooser.show()
    data, nothing, view = drag_data(), QMimeData(), chooser.list  # events do not keep what they carry
    move, none = Qt.DropAction.MoveAction, Qt.KeyboardModifier.NoModifier

    def over(row: int) -> QPoint:
        return view.visualItemRect(view.item(row)).center()

    enter = QDragEnterEvent(over(1), move, data, _LEFT, none)
    view.dragEnterEvent(enter)
    assert enter.isAccepted()
    for row, is_taken in ((0, False), (2, True), (3, False)):
        event = QDragMoveEvent(over(row), move, data, _LEFT, none)
        view.dragMoveEvent(event)
        assert event.isAccepted() is is_taken
    with qtbot.waitSignal(chooser.dropped) as dropped:
        view.dropEvent(QDropEvent(QPointF(over(2)), move, data, _LEFT, none))
    assert dropped.args == ["h"]
    with qtbot.assertNotEmitted(chooser.dropped):
        view.dropEvent(QDropEvent(QPointF(over(0)), move, data, _LEFT, none))
        view.dropEvent(QDropEvent(QPointF(over(2)), move, nothing, _LEFT, none))


def test_the_switcher_takes_a_drag_and_opens_under_it(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    sidebar.set_project(Project("project", "Research", "#0B7A75", "", None, None, 0, None))
    sidebar.thread_list.marks.set([thread_id(3)])
    badge, data = sidebar.badge, drag_data()
    move, none = Qt.DropAction.MoveAction, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(sidebar.badge.dragHeld):
        badge.dragEnterEvent(QDragEnterEvent(QPoint(5, 5), move, data, _LEFT, none))
    assert not badge.grab().isNull()
    badge.dragLeaveEvent(QDragLeaveEvent())
    with qtbot.waitSignal(sidebar.moveRequested) as asked:
        badge.dropEvent(QDropEvent(QPointF(5, 5), move, data, _LEFT, none))
    assert asked.args == [(thread_id(3),)]
    menu = ProjectMenu(theme, entries(), sidebar, is_under_drag=True)
    menu.open_below(badge)
    assert menu.isVisible()
    with qtbot.waitSignal(menu.closed):  # no button is held down, so the drag is over
        pass
    popup = ProjectMenu(theme, entries(), sidebar)
    popup.open_below(badge)
    with qtbot.waitSignal(popup.closed):
        qtbot.keyClick(popup, Qt.Key.Key_Escape)
    with qtbot.waitSignal(sidebar.badge.listAsked):
        qtbot.keyClick(badge, Qt.Key.Key_Down)


def test_the_list_of_projects_stays_inside_a_window_that_runs_from_right_to_left(qtbot, theme):
    sidebar, _ = make_sidebar(qtbot, theme)
    sidebar.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    badge = sidebar.badge
    menu = ProjectMenu(theme, entries(), sidebar)
    menu.open_below(badge)
    ends = badge.mapToGlobal(badge.rect().topRight()).x()
    assert menu.geometry().right() == ends
    menu.close()


def test_a_drag_begins_with_the_mouse_and_carries_the_marked_threads(qtbot, theme, monkeypatch):
    carried: list[bytes] = []

    def run(drag: QDrag, *_actions: object) -> Qt.DropAction:
        carried.append(bytes(drag.mimeData().data(THREADS_MIME).data()))
        return Qt.DropAction.MoveAction

    monkeypatch.setattr(QDrag, "exec", run)
    sidebar, _ = make_sidebar(qtbot, theme)
    view = sidebar.thread_list
    place = view.visualRect(view.model().index_of(thread_id(4))).center()
    with qtbot.assertNotEmitted(sidebar.thread_list.chosen):
        QTest.mousePress(view.viewport(), _LEFT, Qt.KeyboardModifier.NoModifier, place)
        move_mouse(view.viewport(), place + QPoint(0, 60))
        QTest.mouseRelease(view.viewport(), _LEFT, Qt.KeyboardModifier.NoModifier, place + QPoint(0, 60))
    assert carried == [thread_id(4).encode()]
    assert drag_threads(view, [], theme) == Qt.DropAction.IgnoreAction
    threads = sidebar.known([thread_id(3), thread_id(4)])
    assert drag_picture(threads, theme, 2.0).width() > drag_picture(threads[:1], theme, 0.5).width() > 0


def test_a_list_of_very_many_threads_is_found_its_way_about_in_at_once(qtbot, theme):
    """No slice is measured here (the benchmark does that), but nothing may go through all rows."""
    threads = [samples.make_thread(i, f"Thread {i}", ago=timedelta(minutes=i)) for i in range(20_000)]
    sidebar, fetcher = make_sidebar(qtbot, theme, threads, page_size=20_000)
    view = sidebar.thread_list
    QApplication.processEvents()
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    QApplication.processEvents()
    top = view.place.top()
    began = time.thread_time()
    for number in range(50):
        sidebar.upsert_thread(samples.make_thread(30_000 + number, "New"))
        QApplication.processEvents()
    assert time.thread_time() - began < 5
    assert view.place.top() == top
    view.scrollTo(view.model().index_of(threads[-1].id), view.ScrollHint.PositionAtCenter)
    view.scrollTo(view.model().index_of(threads[0].id), view.ScrollHint.PositionAtTop)
    view.scrollTo(view.model().index_of(threads[9_000].id), view.ScrollHint.PositionAtBottom)
    assert view.place.top() is not None
    assert not view.indexAt(QPoint(5, 10**7)).isValid()
    del fetcher


def test_a_place_further_down_is_returned_to_page_by_page_unless_a_hand_is_on_the_list(qtbot, theme):
    threads = [samples.make_thread(i, f"Thread {i}", ago=timedelta(hours=i)) for i in range(400)]
    sidebar, fetcher = make_sidebar(qtbot, theme, threads)
    view = sidebar.thread_list
    view.place.return_to(threads[200].id, -7)
    QApplication.processEvents()
    assert view.place.top() == (threads[200].id, -7)
    sidebar.refresh()
    QApplication.processEvents()
    assert view.place.top() == (threads[200].id, -7)
    other, _ = make_sidebar(qtbot, theme, threads, is_held=True)
    other.thread_list.place.return_to(threads[200].id, 0)
    qtbot.keyClick(other.thread_list, Qt.Key.Key_Down)
    view.place.return_to("gone", 0)
    assert len(fetcher.asked) <= 60


def test_colours_of_projects_are_read_on_every_ground():
    for colour in PROJECT_COLOURS.values():
        assert contrast("#FFFFFF", colour) >= 4.5
        assert ink_on(colour) == "#FFFFFF"
        for look in (LIGHT, DARK):
            for ground in (look.background, look.surface, look.card):
                assert contrast(colour, ground) >= 3
    assert ink_on("#5B7DB1") == "#000000"


def test_another_list_begins_at_its_top_and_the_first_one_comes_back_where_it_was(qtbot, theme):
    threads = [samples.make_thread(number, f"Thread {number}", ago=timedelta(hours=number)) for number in range(400)]
    sidebar, _ = make_sidebar(qtbot, theme, threads)
    view = sidebar.thread_list
    bar = view.verticalScrollBar()
    view.place.return_to(threads[200].id, -7)
    qtbot.waitUntil(lambda: view.place.top() == (threads[200].id, -7))
    sidebar.search_box.setText("Thread 1")
    sidebar.end_search()
    assert view.place.top() == (threads[200].id, -7)
    sidebar.set_view("archive")
    sidebar.set_view("active")
    qtbot.waitUntil(lambda: view.place.top() == (threads[200].id, -7))
    sidebar.reload()
    qtbot.waitUntil(lambda: bar.value() == 0)
