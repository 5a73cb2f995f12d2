"""The sidebar as a person and the controller use it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QApplication, QLineEdit, QStyle, QStyleOptionViewItem

from chatdesk.core.domain.thread import ThreadPage
from chatdesk.ui.sidebar.grouping import group_of, group_title, short_time
from chatdesk.ui.sidebar.row_display import ThreadRole
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.sidebar.thread_model import ThreadModel

_PATH = Path(__file__).parents[2] / "gallery" / "sidebar_samples.py"
_spec = importlib.util.spec_from_file_location("sidebar_samples", _PATH)
assert _spec is not None
assert _spec.loader is not None
samples = importlib.util.module_from_spec(_spec)
sys.modules["sidebar_samples"] = samples
_spec.loader.exec_module(samples)


def make_sidebar(qtbot, theme, threads=None, **how):
    fetcher = samples.ListFetcher(samples.sample_threads() if threads is None else threads, **how)
    clock = samples.FixedClock()
    sidebar = Sidebar(fetcher, theme, clock=clock, zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.resize(264, 600)
    sidebar.show()
    sidebar.activateWindow()
    sidebar.reload()
    return sidebar, fetcher, clock


def model_of(sidebar) -> ThreadModel:
    return sidebar.thread_list.model()


def rows(sidebar) -> list[str]:
    model = model_of(sidebar)
    return [
        f"# {model.index(row).data()}" if model.index(row).data(ThreadRole.IS_HEADING) else model.index(row).data()
        for row in range(model.rowCount())
    ]


def test_threads_stand_under_their_groups(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    assert [row for row in rows(sidebar) if row.startswith("#")] == [
        "# Pinned",
        "# Today",
        "# Yesterday",
        "# Previous 7 days",
        "# October 2026",
        "# November 2025",
    ]
    assert rows(sidebar)[:3] == ["# Pinned", "Postgres RLS policies for shared projects", "Weekly reading notes"]


def test_the_date_is_short_and_the_month_named():
    today = samples.NOW.date()
    thread = samples.make_thread(1, "x", ago=timedelta(days=400))
    assert group_title(group_of(thread, today, UTC)) == "October 2025"
    assert short_time(thread.last_activity_at, today, UTC) == "Oct 2025"
    assert short_time(thread.last_activity_at, today, UTC, names_year=False) == "17 Oct"
    assert short_time(samples.make_thread(1, "x", ago=timedelta(days=-2)).last_activity_at, today, UTC) == "14:30"


def test_a_row_is_spoken_with_time_and_pin(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    index = model_of(sidebar).index_of(samples.make_thread(1, "").id)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Postgres RLS policies for shared projects, today 13:30, pinned"


def test_an_answer_moves_its_thread_up_and_keeps_it_selected(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    old = samples.make_thread(9, "Qt model/view performance", ago=timedelta(hours=96))
    sidebar.thread_list.show_open(old.id)
    sidebar.upsert_thread(replace(old, last_activity_at=round(samples.NOW.timestamp() * 1000)))
    assert rows(sidebar)[4] == "Qt model/view performance"
    selected = sidebar.thread_list.selectedIndexes()
    assert [index.data(ThreadRole.THREAD_ID) for index in selected] == [old.id]


def test_the_last_thread_of_a_group_takes_its_heading_away(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    sidebar.remove_thread(samples.make_thread(11, "").id)
    assert "# October 2026" not in rows(sidebar)
    assert model_of(sidebar).rowCount() == len(rows(sidebar))


def test_pages_are_fetched_on_the_way_down_without_doubles(qtbot, theme):
    threads = [samples.make_thread(i, f"Thread {i}", ago=timedelta(hours=i)) for i in range(300)]
    sidebar, fetcher, _ = make_sidebar(qtbot, theme, threads)
    bar = sidebar.thread_list.verticalScrollBar()
    sidebar.upsert_thread(threads[250])  # told by an event before its page came
    for _ in range(12):
        bar.setValue(bar.maximum())
        QApplication.processEvents()
    titles = [row for row in rows(sidebar) if not row.startswith("#")]
    assert titles == [f"Thread {i}" for i in range(300)]
    assert len(fetcher.asked) == 6


def test_the_place_is_kept_when_threads_come_in_above(qtbot, theme):
    threads = [samples.make_thread(i, f"Thread {i}", ago=timedelta(hours=i)) for i in range(1, 50)]
    sidebar, _, _ = make_sidebar(qtbot, theme, threads)
    view = sidebar.thread_list
    QApplication.processEvents()
    view.verticalScrollBar().setValue(400)
    top = view.indexAt(view.viewport().rect().topLeft()).data()
    sidebar.upsert_thread(samples.make_thread(500, "New"))
    QApplication.processEvents()
    assert view.indexAt(view.viewport().rect().topLeft()).data() == top


def test_keys_skip_headings_and_enter_opens(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    view = sidebar.thread_list
    view.setFocus()
    seen = []
    for _ in range(4):
        seen.append(view.currentIndex().data())
        qtbot.keyClick(view, Qt.Key.Key_Down)
    assert not any(title in ("Pinned", "Today") for title in seen)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 1
    qtbot.keyClicks(view, "re")
    with qtbot.waitSignal(sidebar.thread_list.chosen) as chosen:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen.args == [samples.make_thread(7, "").id]


def test_a_title_is_changed_in_place(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    thread_id = samples.make_thread(3, "").id
    assert sidebar.thread_list.start_rename(thread_id)
    field = sidebar.thread_list.findChild(QLineEdit, "threadTitleField")
    field.setText("Better")
    with qtbot.waitSignal(sidebar.rows.renameEntered) as asked:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args == [thread_id, "Better"]


def test_midnight_regroups(qtbot, theme):
    sidebar, _, clock = make_sidebar(qtbot, theme)
    sidebar.thread_list.show_open(samples.make_thread(3, "").id)
    clock.now += timedelta(days=1)
    sidebar.check_calendar()
    assert "# Today" not in rows(sidebar)
    assert len(sidebar.thread_list.selectedIndexes()) == 1


def test_menus_fit_the_thread_and_the_view(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    thread = samples.make_thread(1, "x", pinned_at=1)
    texts = [action.text().split("\t")[0] for action in sidebar.thread_menu(thread).actions() if action.text()]
    assert texts[:2] == ["Open in a new window", "Open beside"]
    assert texts[2:] == ["Rename", "Unpin", "Archive", "Move to a project…", "Tags…", "Export…", "Import…", "Delete"]
    for menu in (sidebar.thread_menu(thread), sidebar.view_menu()):
        with qtbot.waitSignal(sidebar.importRequested):
            next(action for action in menu.actions() if action.text() == "Import…").trigger()
    with qtbot.waitSignal(sidebar.exportSelectedRequested) as export:
        next(action for action in sidebar.view_menu().actions() if action.text() == "Export…").trigger()
    assert export.args == [()]
    with qtbot.waitSignal(sidebar.restoreRequested):
        sidebar.thread_menu(replace(thread, deleted_at=1)).actions()[0].trigger()
    with qtbot.waitSignal(sidebar.viewChanged) as view:
        sidebar.view_menu().actions()[2].trigger()
    assert view.args == ["trash"]
    sidebar.upsert_thread(thread)
    assert model_of(sidebar).thread_by_id(thread.id) is None or thread.deleted_at is None


def test_a_list_that_cannot_be_loaded_offers_another_try(qtbot, theme):
    sidebar, fetcher, _ = make_sidebar(qtbot, theme, [], is_held=True)
    sidebar.notices.fail("The database is busy.")
    assert sidebar.thread_list.empty_text == "The database is busy."
    sidebar.reload()
    fetcher.answer(1)
    assert sidebar.thread_list.empty_text.startswith("No threads yet")


def test_delete_key_and_status(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    sidebar.thread_list.setFocus()
    with qtbot.waitSignal(sidebar.deleteRequested):
        qtbot.keyClick(sidebar.thread_list, Qt.Key.Key_Delete)
    sidebar.notices.set_status("Not saved", is_error=True)
    sidebar.rows.set_streaming(samples.make_thread(3, "").id, True)
    assert not sidebar.grab().isNull()


def test_a_change_during_the_first_page_survives_the_page(qtbot, theme):
    held = []
    sidebar = Sidebar(lambda _cursor, deliver: held.append(deliver), theme, clock=samples.FixedClock(), zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.reload()
    made, gone = samples.make_thread(1, "made meanwhile"), samples.make_thread(2, "gone meanwhile")
    sidebar.upsert_thread(made)
    sidebar.remove_thread(gone.id)
    held[-1](samples.ThreadPage((gone, samples.make_thread(3, "old")), None))
    assert sidebar.neighbour_of(None, 1) is not None
    listed = [sidebar.thread_list.model().thread_by_id(each.id) for each in (made, gone)]
    assert [each is not None for each in listed] == [True, False]


def test_a_change_during_a_further_page_survives_that_page(qtbot, theme):
    held = []
    sidebar = Sidebar(lambda _cursor, deliver: held.append(deliver), theme, clock=samples.FixedClock(), zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.reload()
    first = [samples.make_thread(number, f"Thread {number}", ago=timedelta(hours=number)) for number in range(50)]
    held[-1](samples.ThreadPage(tuple(first), "50"))
    sidebar.thread_list.model().fetchMore()
    assert len(held) == 2
    changed, gone = (
        samples.make_thread(number, f"Thread {number}", ago=timedelta(hours=number)) for number in (60, 61)
    )
    sidebar.upsert_thread(replace(changed, title="Renamed meanwhile", last_activity_at=first[0].last_activity_at + 1))
    sidebar.remove_thread(gone.id)
    held[-1](samples.ThreadPage((changed, gone), None))
    assert rows(sidebar)[1] == "Renamed meanwhile"
    listed = [sidebar.thread_list.model().thread_by_id(each.id) for each in (changed, gone)]
    assert [each and each.title for each in listed] == ["Renamed meanwhile", None]


def test_the_status_says_that_the_list_is_read_as_long_as_it_is(qtbot, theme):
    waiting = []
    sidebar = Sidebar(lambda _cursor, deliver: waiting.append(deliver), theme, zone=UTC)
    qtbot.addWidget(sidebar)
    sidebar.show()
    assert sidebar.notices.status.text == "Opening…"
    sidebar.reload()
    sidebar.notices.set_status("All changes saved")
    assert sidebar.notices.status.text == "Loading threads…"
    sidebar.notices.set_status("Not saved", is_error=True)
    assert sidebar.notices.status.text == "Not saved"
    sidebar.notices.set_status("All changes saved")
    waiting.pop()(samples.ThreadPage(tuple(samples.sample_threads()), None))
    assert sidebar.notices.status.text == "All changes saved"
    # Later only where it takes long enough to be read.
    sidebar.refresh()
    assert sidebar.notices.status.text == "All changes saved"
    qtbot.waitUntil(lambda: sidebar.notices.status.text == "Loading threads…")
    sidebar.notices.fail("The list could not be read.")
    assert sidebar.notices.status.text == "The list could not be read."


def test_another_open_thread_draws_two_rows_anew_and_no_others(qtbot, theme):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    view, model = sidebar.thread_list, model_of(sidebar)
    ids = [thread.id for row in range(8) if (thread := model.thread_at(model.index(row))) is not None]
    sidebar.thread_list.show_open(ids[0])
    with qtbot.waitExposed(sidebar):
        sidebar.show()
    QApplication.processEvents()
    painted = []

    class Watch(QObject):
        def eventFilter(self, _watched, event):
            if event.type() is QEvent.Type.Paint:
                painted.append(event.region())
            return False

    watch = Watch(view)
    view.viewport().installEventFilter(watch)
    sidebar.thread_list.show_open(ids[-1])
    qtbot.waitUntil(lambda: bool(painted))
    expected = QRegion(view.visualRect(model.index_of(ids[0]))) + view.visualRect(model.index_of(ids[-1]))
    assert painted == [expected]


def test_the_rows_of_a_replaced_list_are_given_back_a_few_at_a_time(qtbot, theme):
    threads = [replace(samples.sample_threads()[0], id=f"{number:06}", title=f"t {number}") for number in range(2_000)]
    pages = [threads[:3], threads]
    sidebar = Sidebar(lambda _cursor, deliver: deliver(ThreadPage(tuple(pages.pop()), None)), theme)
    qtbot.addWidget(sidebar)
    model = model_of(sidebar)
    sidebar.reload()
    assert model.thread_count == 2_000
    freeing, pieces = model.findChild(QTimer), []
    freeing.timeout.connect(lambda: pieces.append(None))
    sidebar.reload()
    assert model.thread_count == 3
    qtbot.waitUntil(lambda: not freeing.isActive())
    assert len(pieces) > 2
    assert model.thread_count == 3
    assert rows(sidebar)[-1].startswith("t ")


@pytest.mark.parametrize(("state", "colour"), [("State_Selected", "selected"), ("State_MouseOver", "hover")])
def test_a_row_is_lit_in_the_states_that_qt_gives_it(qtbot, theme, state, colour):
    sidebar, _, _ = make_sidebar(qtbot, theme)
    view = sidebar.thread_list
    option = QStyleOptionViewItem()
    option.rect = QRect(0, 0, 200, view.row_height_px)
    for added in ("State_None", state):
        option.state = QStyle.StateFlag.State_Enabled | QStyle.StateFlag[added]
        picture = QPixmap(option.rect.size())
        picture.fill(theme.colour("background"))
        painter = QPainter(picture)
        view.itemDelegate().paint(painter, option, view.model().index_of(samples.make_thread(1, "").id))
        painter.end()
        image = picture.toImage()
        shades = {image.pixelColor(100, y).name() for y in range(image.height())}
        assert (theme.colour(colour).name() in shades) is (added == state)


def test_a_hidden_list_does_not_wait_for_midnight(qtbot, theme):
    sidebar, _, clock = make_sidebar(qtbot, theme)

    def beats():
        return [timer for timer in sidebar.findChildren(QTimer) if timer.isActive() and not timer.isSingleShot()]

    assert len(beats()) == 1
    sidebar.window().showMinimized()
    assert not beats()
    clock.now += timedelta(days=1)
    sidebar.window().showNormal()
    assert len(beats()) == 1
    assert "# Today" not in rows(sidebar)
