"""The list of threads in folders of projects, in the real window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.walks import found_in
from tests.helpers.window import play, until


def rows(application: WindowApplication) -> list[str]:
    """As they are read out, without the time of a thread."""
    model = application.panes.sidebar.thread_list.model()
    found = []
    for row in range(model.rowCount()):
        index = model.index(row)
        folder = model.folder_at(index)
        state = ", open" if folder is not None and model.is_folder_open(folder.project_id) else ", closed"
        said = str(index.data(Qt.ItemDataRole.AccessibleTextRole))
        found.append(said.split(", today")[0].replace(", project folder", state))
    return found


def folder(application: WindowApplication, title: str) -> QModelIndex:
    model = application.panes.sidebar.thread_list.model()
    found = [model.index(row) for row in range(model.rowCount()) if model.folder_at(model.index(row)) is not None]
    return next(index for index in found if index.data() == title)


def click(application: WindowApplication, title: str) -> None:
    view = application.panes.sidebar.thread_list
    place = view.visualRect(folder(application, title)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_threads_stand_in_folders_which_are_as_they_were_left_at_the_next_start(tmp_path: Path) -> None:
    paths = AppPaths.find(str(tmp_path))

    async def first(application: WindowApplication) -> None:
        services, commands = await application.services(), application.panes.commands
        research = await services.library.projects.create("Research", "teal")
        for number in range(3):
            await services.chat.create_thread(None, f"At home {number}")
        await services.chat.create_thread(research.id, "In research")
        application.bindings.lists.show_project(research.id)
        await until(lambda: rows(application) == ["Today", "In research"])
        assert "Group threads by project" in [command.title for command in commands.offered()]
        commands.trigger("view.group")  # which shows all projects
        await until(lambda: rows(application) == ["Personal, closed, 3 threads", "Research, closed, 1 thread"])
        assert application.bindings.lists.project is None
        click(application, "Research")
        await until(lambda: rows(application)[1:] == ["Research, open, 1 thread", "In research"])
        await services.chat.create_thread(research.id, "More research")
        await until(lambda: rows(application)[1:3] == ["Research, open, 2 threads", "More research"])
        other = (await services.chat.create_thread(None, "At home 3")).thread.id
        await until(lambda: rows(application)[0] == "Personal, closed, 4 threads")
        await services.library.pin([other], is_pinned=True)
        await until(lambda: rows(application)[:3] == ["Pinned", rows(application)[1], "Personal, closed, 3 threads"])
        assert rows(application)[1].startswith("At home 3")
        await services.library.pin([other], is_pinned=False)
        await until(lambda: rows(application)[0] == "Personal, closed, 4 threads")

    async def second(application: WindowApplication) -> None:
        services, sidebar = await application.services(), application.panes.sidebar
        await until(lambda: len(rows(application)) == 4)
        assert rows(application) == [
            "Personal, closed, 4 threads",
            "Research, open, 2 threads",
            "More research",
            "In research",
        ]
        research = next(each for each in await services.library.projects.list() if each.name == "Research")
        await services.library.projects.change(research.id, name="Reading")
        await until(lambda: rows(application)[1] == "Reading, open, 2 threads")
        travel = await services.library.projects.create("Travel", "teal")
        await until(lambda: rows(application)[-1] == "Travel, closed, 0 threads")
        view = sidebar.thread_list
        view.marks.set(view.model().listed.ids_between(2, 2))
        view.droppedOn.emit(travel.id)
        await until(lambda: rows(application)[-1] == "Travel, closed, 1 thread")
        assert rows(application)[1:3] == ["Reading, open, 1 thread", "In research"]
        application.panes.commands.trigger("edit.undo")
        await until(lambda: rows(application)[1:4] == ["Reading, open, 2 threads", "More research", "In research"])
        await services.library.delete_project(research.id)
        await until(lambda: rows(application) == ["Personal, closed, 4 threads", "Travel, closed, 0 threads"])

    play(paths, first)
    play(paths, second)


def test_a_search_looks_through_all_folders_and_all_means_the_open_ones(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services, sidebar = await application.services(), application.panes.sidebar
        research = await services.library.projects.create("Research", "teal")
        for number in range(60):
            await services.chat.create_thread(research.id, f"Paper {number}")
        await services.chat.create_thread(None, "A paper plane")
        application.bindings.lists.group(by_project=True)
        await until(lambda: rows(application) == ["Personal, closed, 1 thread", "Research, closed, 60 threads"])
        sidebar.search_box.setText("plane")
        await found_in(sidebar)
        assert sidebar.found is not None
        assert "A paper plane" in [row.text for row in sidebar.found.list.rows]
        sidebar.search_box.setText("")
        await until(lambda: rows(application) == ["Personal, closed, 1 thread", "Research, closed, 60 threads"])
        view = sidebar.thread_list
        view.setFocus()
        view.setCurrentIndex(folder(application, "Research"))
        QTest.keyClick(view, Qt.Key.Key_Right)
        await until(lambda: "Paper 59" in rows(application))
        QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: len(view.marks.ids) == 60)
        application.panes.commands.trigger("view.group")
        await until(lambda: rows(application)[0] == "Today")
        assert "A paper plane" in rows(application)
        assert not sidebar.rows.has_folders

    play(AppPaths.find(str(tmp_path)), script)
