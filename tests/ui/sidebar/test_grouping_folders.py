"""The list of threads grouped by project: folders that open and close by mouse and keys."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.thread import ThreadPage
from chatdesk.ui.sidebar.grouping import Folder
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.sidebar.row_display import ThreadRole
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from tests.gallery.sidebar_samples import (
    FOLDER_TITLES,
    FolderFetcher,
    build_folders,
    build_sidebar,
    make_thread,
    sample_threads,
)
from tests.helpers.painted_words import ink_of

_SHIFT, _CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def many(count: int, project_id: str, first: int = 1000) -> list:
    return [
        make_thread(first + number, f"{project_id} {number}", ago=timedelta(minutes=number), project_id=project_id)
        for number in range(count)
    ]


def shown(qtbot, theme, threads=None, open_ids=(), **how) -> tuple[Sidebar, FolderFetcher]:
    fetcher = FolderFetcher(sample_threads() if threads is None else threads, FOLDER_TITLES, **how)
    sidebar = build_folders(theme, fetcher, open_ids)
    qtbot.addWidget(sidebar)
    sidebar.resize(264, 600)
    sidebar.show()
    return sidebar, fetcher


def rows(sidebar: Sidebar) -> list[str]:
    model = sidebar.thread_list.model()
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def folder(sidebar: Sidebar, title: str):
    model = sidebar.thread_list.model()
    return next(
        model.index(row)
        for row in range(model.rowCount())
        if model.folder_at(model.index(row)) is not None and model.index(row).data() == title
    )


def click(sidebar: Sidebar, title: str) -> None:
    view = sidebar.thread_list
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(folder(sidebar, title)).center())


_PINNED = ["Pinned", "Postgres RLS policies for shared projects", "Weekly reading notes"]


def test_only_open_folders_read_their_threads(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme)
    assert rows(sidebar) == [*_PINNED, "Research", "Storage team", "Travel"]
    assert fetcher.asked == []
    with qtbot.waitSignal(sidebar.rows.foldersToggled):
        click(sidebar, "Storage team")
    assert fetcher.asked == [("team", None)]
    assert rows(sidebar)[-3:] == ["Storage team", "Summarise the Jepsen report", "Travel"]
    assert sidebar.rows.open_folders == {"team"}
    click(sidebar, "Storage team")
    assert rows(sidebar) == [*_PINNED, "Research", "Storage team", "Travel"]
    assert sidebar.rows.open_folders == frozenset()
    assert sidebar.known([make_thread(13, "").id]) == []


def test_a_folder_says_its_name_and_how_many_it_holds(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme)
    said = lambda title: folder(sidebar, title).data(Qt.ItemDataRole.AccessibleTextRole)  # noqa: E731
    assert said("Storage team") == "Storage team, project folder, 1 thread"
    assert said("Research") == "Research, project folder, 10 threads"
    click(sidebar, "Storage team")
    assert folder(sidebar, "Storage team").data(ThreadRole.PAINTED) == ("Storage team", "1", True)
    assert folder(sidebar, "Travel").flags() & Qt.ItemFlag.ItemIsEnabled
    assert "Travel" in folder(sidebar, "Travel").data(Qt.ItemDataRole.ToolTipRole)


def test_assistive_programs_see_a_tree_whose_folders_open_and_close(qtbot, theme, monkeypatch) -> None:
    sidebar, fetcher = shown(qtbot, theme)
    told: list[tuple[int, bool, bool]] = []

    def note(event) -> None:
        if event.type() is QAccessible.Event.StateChanged:
            told.append((event.child(), event.changedStates().expanded, event.changedStates().collapsed))

    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", note)
    tree = QAccessible.queryAccessibleInterface(sidebar.thread_list)
    assert tree.role() is QAccessible.Role.Tree
    nodes = [tree.child(row) for row in range(tree.childCount())]
    assert [node.role() for node in nodes] == [QAccessible.Role.TreeItem] * 6
    assert [tree.indexOfChild(node) for node in nodes] == list(range(6))
    pinned, first, team = nodes[0], nodes[1], nodes[4]
    assert (pinned.state().disabled, pinned.state().expandable) == (True, False)
    assert (first.state().selectable, first.state().expandable, first.state().disabled) == (True, False, False)
    assert team.text(QAccessible.Text.Name) == "Storage team, project folder, 1 thread"
    seen = lambda: (team.state().expandable, team.state().expanded, team.state().collapsed)  # noqa: E731
    assert seen() == (True, False, True)
    team.actionInterface().doAction("Press")
    assert seen() == (True, True, False)
    assert told == [(4, True, True)]
    inside = tree.child(5)
    assert "Summarise the Jepsen report" in inside.text(QAccessible.Text.Name)
    level = QAccessible.Attribute.Level
    assert [node.attributesInterface().attributeValue(level) for node in (first, team, inside)] == [1, 1, 2]
    assert tree.childAt(*inside.rect().center().toTuple()) is inside
    with qtbot.waitSignal(sidebar.thread_list.chosen) as chosen:
        inside.actionInterface().doAction("Press")
    assert chosen.args == [fetcher.of("team")[0].id]
    sidebar.activateWindow()
    inside.actionInterface().doAction("SetFocus")
    qtbot.waitUntil(lambda: tree.focusChild() is inside)
    assert inside.state().focused
    sidebar.remove_thread(sidebar.thread_list.model().thread_at(first.index).id)
    assert not first.isValid()
    assert tree.indexOfChild(inside) == 4
    team.actionInterface().doAction("Press")
    assert not inside.isValid()
    assert tree.childCount() == 5
    by_date = build_sidebar(theme)
    qtbot.addWidget(by_date)
    rows_by_date = QAccessible.queryAccessibleInterface(by_date.thread_list)
    assert rows_by_date.role() is QAccessible.Role.List
    assert {rows_by_date.child(row).role() for row in range(5)} == {QAccessible.Role.ListItem}


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_the_keys_open_close_and_walk_as_in_a_tree(qtbot, theme, is_mirrored: bool) -> None:
    sidebar, _ = shown(qtbot, theme)
    if is_mirrored:
        sidebar.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    inwards, outwards = (Qt.Key.Key_Left, Qt.Key.Key_Right) if is_mirrored else (Qt.Key.Key_Right, Qt.Key.Key_Left)
    view = sidebar.thread_list
    view.setFocus()
    view.setCurrentIndex(folder(sidebar, "Storage team"))
    here = lambda: view.currentIndex().data()  # noqa: E731
    qtbot.keyClick(view, inwards)
    assert sidebar.rows.open_folders == {"team"}
    assert here() == "Storage team"
    qtbot.keyClick(view, inwards)
    assert here() == "Summarise the Jepsen report"
    qtbot.keyClick(view, outwards)
    assert here() == "Storage team"
    assert sidebar.rows.open_folders == {"team"}
    qtbot.keyClick(view, outwards)
    assert sidebar.rows.open_folders == frozenset()
    qtbot.keyClick(view, outwards)
    assert here() == "Storage team"
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        qtbot.keyClick(view, key)
        assert sidebar.rows.open_folders == {"team"}
        qtbot.keyClick(view, key)
        assert sidebar.rows.open_folders == frozenset()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert here() == "Travel"
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert here() == "Storage team"
    with qtbot.assertNotEmitted(view.deletePressed):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClicks(view, "res")
    assert here() == "Research"


def test_keys_mark_across_folders_and_all_means_what_is_listed(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme, open_ids=("team",))
    view = sidebar.thread_list
    view.setFocus()
    with qtbot.assertNotEmitted(sidebar.thread_list.allAsked):
        qtbot.keyClick(view, Qt.Key.Key_A, _CTRL)
    assert {int(each[-12:]) for each in view.marks.ids} == {1, 2, 13}
    view.marks.set(())
    view.setCurrentIndex(folder(sidebar, "Storage team"))
    qtbot.keyClick(view, Qt.Key.Key_Down, _SHIFT)
    assert [int(each[-12:]) for each in view.marks.ids] == [13]


def test_a_long_folder_is_read_as_its_end_comes_near(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme, many(400, "project") + many(90, "team", 5000), ("project", "team"))
    read = len(fetcher.asked)
    assert fetcher.asked[0] == ("project", None)
    assert ("team", None) not in fetcher.asked  # far below what is in sight
    bar = sidebar.thread_list.verticalScrollBar()
    bar.setValue(bar.value() + 1500)
    assert len(fetcher.asked) > read
    while ("team", None) not in fetcher.asked:
        before = bar.value()
        QApplication.processEvents()  # in which the view takes in the rows that came
        bar.setValue(before + 400)
        assert bar.value() > before
    assert fetcher.asked.count(("project", "350")) == 1
    assert len([title for title in rows(sidebar) if title.startswith("project ")]) == 400


def test_a_place_deep_in_a_second_folder_is_found_again(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme, many(3000, "project") + many(300, "team", 5000), ("project", "team"))
    sought = make_thread(5120, "").id
    sidebar.thread_list.place.return_to(sought, 0)
    qtbot.waitUntil(lambda: sidebar.thread_list.place.top() == (sought, 0))


def test_the_keys_stay_on_a_folder_when_the_list_is_read_anew(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme)
    view = sidebar.thread_list
    view.setCurrentIndex(folder(sidebar, "Travel"))
    sidebar.refresh()
    assert view.currentIndex().data() == "Travel"
    del fetcher.titles["empty"]
    sidebar.refresh()
    assert not view.currentIndex().isValid()


def test_a_changed_thread_moves_into_and_out_of_a_folder(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme, open_ids=("team",))
    new = make_thread(40, "New in team", project_id="team")
    sidebar.upsert_thread(new)
    assert rows(sidebar)[-4:] == ["Storage team", "New in team", "Summarise the Jepsen report", "Travel"]
    moved = make_thread(40, "New in team", project_id="project")
    sidebar.upsert_thread(moved)  # into a closed folder
    assert sidebar.known([new.id]) == []
    sidebar.upsert_thread(make_thread(40, "New in team", project_id="team", pinned_at=1))
    assert rows(sidebar)[1] == "New in team"
    sidebar.upsert_thread(new)
    sidebar.remove_thread(new.id)
    sidebar.remove_thread(make_thread(13, "").id)
    assert rows(sidebar)[-3:] == ["Research", "Storage team", "Travel"]
    sidebar.upsert_thread(make_thread(41, "Of nowhere", project_id="unknown"))
    assert "Of nowhere" not in rows(sidebar)
    fetcher.titles["empty"] = "Journeys"
    sidebar.update_folders(fetcher.folders())
    assert rows(sidebar)[-1] == "Journeys"
    fetcher.titles["late"] = "Late"
    sidebar.update_folders(fetcher.folders())
    assert rows(sidebar)[-2:] == ["Journeys", "Late"]
    assert sidebar.rows.open_folders == {"team"}


def test_the_last_pinned_thread_takes_its_heading_along_and_folders_stay(qtbot, theme) -> None:
    pinned = make_thread(1, "One", pinned_at=1)
    sidebar, _ = shown(qtbot, theme, [pinned])
    assert rows(sidebar) == ["Pinned", "One", "Research", "Storage team", "Travel"]
    sidebar.remove_thread(pinned.id)
    assert rows(sidebar) == ["Research", "Storage team", "Travel"]
    assert not sidebar.grab().isNull()


def test_a_page_for_a_folder_that_was_closed_meanwhile_is_dropped(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme)
    fetcher.is_held = True
    click(sidebar, "Storage team")
    click(sidebar, "Storage team")
    fetcher.waiting.pop()()
    assert rows(sidebar)[-2:] == ["Storage team", "Travel"]
    click(sidebar, "Storage team")
    fetcher.waiting.pop()()
    assert rows(sidebar)[-2:] == ["Summarise the Jepsen report", "Travel"]
    assert len(fetcher.asked) == 2


def test_a_folder_that_is_closed_while_the_list_is_read_stays_closed(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme, open_ids=("team",))
    waiting = []

    def fetch(deliver) -> None:
        opened = [fetcher_folder for fetcher_folder in fetcher.folders() if fetcher_folder.project_id == "team"]
        opened[0].next_cursor = None
        waiting.append((opened, ThreadPage(tuple(fetcher.of("team")), None), deliver))

    fetcher.fetch_list = fetch
    sidebar.refresh()
    click(sidebar, "Storage team")
    folders, page, deliver = waiting.pop()
    sidebar.rows.set_folders(folders)
    deliver(page)
    assert rows(sidebar) == ["Storage team"]
    click(sidebar, "Storage team")
    assert rows(sidebar) == ["Storage team", "Summarise the Jepsen report"]


@pytest.mark.parametrize("seed", range(12))
def test_changes_in_any_order_leave_each_row_in_its_folder(qtbot, theme, seed: int) -> None:
    chance = random.Random(seed)
    sidebar, fetcher = shown(qtbot, theme, many(30, "project") + many(20, "team", 5000), page_size=7)
    model, view = sidebar.thread_list.model(), sidebar.thread_list
    projects = [*FOLDER_TITLES, "unknown"]
    for step in range(150):
        fetcher.is_held = chance.random() < 0.3
        act = chance.randrange(7)
        if act < 2:
            wanted = chance.choice(projects)
            model.set_folder_open(wanted, not model.is_folder_open(wanted))
        elif act < 4:
            thread = make_thread(
                chance.choice([1000, 1001, 1005, 1029, 5000, 5019, 9000 + step]),
                f"Changed {step}",
                ago=timedelta(minutes=chance.randrange(60)),
                project_id=chance.choice(projects),
                pinned_at=chance.choice([None, None, 1]),
            )
            fetcher.threads = [each for each in fetcher.threads if each.id != thread.id] + [thread]
            sidebar.upsert_thread(thread)
        elif act == 4:
            gone = chance.choice(fetcher.threads)
            fetcher.threads.remove(gone)
            sidebar.remove_thread(gone.id)
        elif act == 5 and fetcher.waiting:
            fetcher.waiting.pop(chance.randrange(len(fetcher.waiting)))()
        elif chance.random() < 0.3:
            sidebar.refresh()
        else:
            sidebar.update_folders(fetcher.folders())
        model.fetch_near(0, model.rowCount())
        assert model.rowCount() == len(model.listed) == len(model.listed.keys)
        assert model.listed.keys == sorted(set(model.listed.keys))
        under = None
        for row in range(model.rowCount()):
            index = model.index(row)
            found, thread = model.folder_at(index), model.thread_at(index)
            if found is not None:
                under = found.project_id
            elif thread is not None and thread.pinned_at is None:
                assert thread.project_id == under
                assert model.is_folder_open(thread.project_id)
                assert model.index_of(thread.id).row() == row
    fetcher.is_held = False
    sidebar.refresh()
    while not model.is_at_end:
        model.read_on()
    expected = [each.id for opened in FOLDER_TITLES if model.is_folder_open(opened) for each in fetcher.of(opened)]
    threads = [model.thread_at(model.index(row)) for row in range(model.rowCount())]
    assert sorted(each.id for each in threads if each is not None and each.pinned_at is None) == sorted(expected)
    assert not view.grab().isNull()


def test_a_folder_that_failed_to_load_is_reported_below_the_list(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme)
    fetcher.is_held = True
    click(sidebar, "Storage team")
    sidebar.notices.fail("The database is busy. Nothing was changed.")
    assert sidebar.notices.status.shown == ("The database is busy. Nothing was changed.", True, False)
    fetcher.is_held = False
    QTest.mouseClick(sidebar.notices.retry_button, Qt.MouseButton.LeftButton)
    assert rows(sidebar)[-3:] == ["Storage team", "Summarise the Jepsen report", "Travel"]
    assert sidebar.notices.status.shown == ("All changes saved", False, False)


def test_a_list_by_date_takes_the_folders_away(qtbot, theme) -> None:
    sidebar, fetcher = shown(qtbot, theme, open_ids=("team",))
    model = sidebar.thread_list.model()
    sidebar.rows.set_folders(None)
    fetcher.fetch_list = lambda deliver: deliver(ThreadPage(tuple(sample_threads()), None))
    sidebar.reload()
    assert "Storage team" not in rows(sidebar)
    assert "Today" in rows(sidebar)
    assert not sidebar.rows.has_folders
    sidebar.update_folders([Folder("x", "X")])
    assert "X" not in rows(sidebar)
    model.set_folder_open("team", False)
    assert sidebar.rows.open_folders == {"team"}


def test_threads_are_dropped_on_a_folder(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme, open_ids=("team",))
    view = sidebar.thread_list
    view.marks.set([make_thread(13, "").id])
    data = QMimeData()
    data.setData(THREADS_MIME, b"x")
    how = (Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(5, 5), *how)
    view.dragEnterEvent(enter)
    assert enter.isAccepted()
    on_thread = QDragMoveEvent(view.visualRect(view.model().index_of(make_thread(13, "").id)).center(), *how)
    view.dragMoveEvent(on_thread)
    assert not on_thread.isAccepted()
    place = view.visualRect(folder(sidebar, "Travel")).center()
    plain = view.grab().toImage()
    move = QDragMoveEvent(place, *how)
    view.dragMoveEvent(move)
    assert move.isAccepted()
    assert view.grab().toImage() != plain
    view.dragLeaveEvent(QDragLeaveEvent())
    assert view.grab().toImage() == plain
    with qtbot.waitSignal(sidebar.moveToRequested) as dropped:
        view.dropEvent(QDropEvent(QPointF(place), *how))
    assert dropped.args == [(make_thread(13, "").id,), "empty"]
    with qtbot.assertNotEmitted(sidebar.moveToRequested):
        view.dropEvent(QDropEvent(QPointF(5, 5000), *how))
    words = QMimeData()
    words.setText("words")
    foreign = QDragEnterEvent(QPoint(5, 5), how[0], words, *how[2:])
    view.dragEnterEvent(foreign)
    assert not foreign.isAccepted()


def test_the_menu_chooses_the_grouping(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme)
    by_text = {action.text(): action for action in sidebar.view_menu().actions()}
    assert by_text["Group by project"].isChecked()
    with qtbot.waitSignal(sidebar.groupRequested) as asked:
        by_text["Group by date"].trigger()
    assert asked.args == [False]


def test_a_folder_with_very_many_rows_closes_at_once_and_is_forgotten_later(qtbot, theme) -> None:
    sidebar, _ = shown(qtbot, theme, many(20_000, "project"), page_size=20_000)
    model = sidebar.thread_list.model()
    click(sidebar, "Research")
    assert (len(rows(sidebar)), model.thread_count) == (20_003, 20_000)
    ids = [model.thread_at(model.index(row)).id for row in (1, 20_000)]
    click(sidebar, "Research")
    assert (len(rows(sidebar)), model.thread_count) == (3, 0)
    assert not any(model.index_of(thread_id).isValid() or model.thread_by_id(thread_id) for thread_id in ids)
    freeing = model.findChild(QTimer)
    assert freeing.isActive()  # it takes longer than a frame, so it comes in pieces
    click(sidebar, "Research")
    assert [model.index_of(thread_id).row() for thread_id in ids] == [1, 20_000]
    qtbot.waitUntil(lambda: not freeing.isActive())
    assert [model.index_of(thread_id).row() for thread_id in ids] == [1, 20_000]
    assert model.thread_count == 20_000
    click(sidebar, "Research")
    qtbot.waitUntil(lambda: not freeing.isActive())
    assert model.thread_by_id(ids[0]) is None


def test_the_names_of_folders_stand_beside_their_arrows_from_right_to_left(qtbot, qapp) -> None:
    sidebar, _ = shown(qtbot, Theme(qapp, preference="light"), open_ids=())
    sidebar.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view = sidebar.thread_list
    area = view.visualRect(folder(sidebar, "Travel"))
    words = ink_of(view.viewport().grab().toImage(), QRect(60, area.top(), area.right() - 40 - 60, area.height()))
    assert words.right() > area.right() - 60 and words.left() > area.center().x()


def test_folders_hold_large_text_from_right_to_left(qtbot, qapp) -> None:
    theme = Theme(qapp, preference="dark", scale=2.0)
    sidebar, _ = shown(qtbot, theme, open_ids=("team",))
    sidebar.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view = sidebar.thread_list
    assert view.visualRect(folder(sidebar, "Travel")).height() == view.row_height_px
    picture = sidebar.grab()
    assert not picture.isNull()
    click(sidebar, "Storage team")
    assert sidebar.rows.open_folders == frozenset()
