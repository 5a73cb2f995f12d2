"""Projects, marks, tags, archive and trash in the real window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.thread import Thread
from chatdesk.core.paths import AppPaths
from chatdesk.services.owner import open_services
from chatdesk.services.upkeep import purge_trash
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.library.library_binding import MoveThreadsDialog
from chatdesk.ui.features.library.project import ProjectDialog
from chatdesk.ui.features.library.tags import TagListDialog, ThreadTagsDialog
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.erased_words import files_with
from tests.helpers.window import FAST, ask, play, until


async def opened(application: WindowApplication, kind: type, run: Callable[[], object]):
    """The dialog that ``run`` opens."""
    run()
    found: list[object] = []

    def look() -> bool:
        found[:] = [each for each in application.panes.window.findChildren(kind) if each.isVisible()]
        return bool(found)

    await until(look)
    return found[-1]


def titles(application: WindowApplication) -> list[str]:
    model = application.panes.sidebar.thread_list.model()
    threads = [model.thread_at(model.index(row)) for row in range(model.rowCount())]
    return [thread.title for thread in threads if isinstance(thread, Thread)]


def toast(application: WindowApplication) -> str:
    return application.panes.window.findChild(Toast).text


async def fill(application: WindowApplication, count: int = 5) -> list[str]:
    services = await application.services()
    return [(await services.chat.create_thread(None, f"Thread {number}")).thread.id for number in range(count)]


def test_marked_threads_are_archived_and_deleted_in_one_step_with_one_way_back(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await fill(application)
        sidebar, commands = application.panes.sidebar, application.panes.commands
        await until(lambda: len(titles(application)) == 5)
        sidebar.thread_list.setFocus()
        sidebar.thread_list.marks.set(ids[:3])
        assert sidebar.findChild(QPushButton) is not None
        commands.trigger("thread.archive")
        await until(lambda: titles(application) == ["Thread 4", "Thread 3"])
        assert toast(application) == "Archived: 3 threads"
        commands.trigger("view.archive")
        await until(lambda: sorted(titles(application)) == ["Thread 0", "Thread 1", "Thread 2"])
        commands.trigger("edit.undo")
        await until(lambda: titles(application) == [])
        commands.trigger("view.threads")
        await until(lambda: len(titles(application)) == 5)
        QTest.keyClick(sidebar.thread_list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(sidebar.thread_list, Qt.Key.Key_Delete)
        await until(lambda: titles(application) == [])
        commands.trigger("view.trash")
        await until(lambda: len(titles(application)) == 5)
        sidebar.thread_list.marks.set(ids[:2])
        commands.trigger("thread.restore")
        await until(lambda: len(titles(application)) == 3)
        dialog = await opened(application, ConfirmDialog, lambda: sidebar.purgeRequested.emit(ids[2:3]))
        assert "cannot be undone" in dialog.accessibleDescription()
        dialog.accept()
        await until(lambda: len(titles(application)) == 2)
        dialog = await opened(application, ConfirmDialog, lambda: commands.trigger("trash.empty"))
        dialog.accept()
        await until(lambda: titles(application) == [])
        services = await application.services()
        await until(lambda: "gone" in toast(application))
        await until(lambda: files_with(services.paths.database.parent, "Thread 4") == [])
        assert await services.library.count_threads(ThreadQuery("trash")) == 0
        commands.trigger("trash.empty")
        await until(lambda: toast(application) == "The trash is empty.")

    play(AppPaths.find(str(tmp_path)), script)


def test_new_threads_go_to_the_open_project_which_is_there_at_the_next_start(tmp_path: Path) -> None:
    paths = AppPaths.find(str(tmp_path))

    async def first(application: WindowApplication) -> None:
        await ask(application, "At home")
        projects = application.bindings.library.projects
        dialog = await opened(application, ProjectDialog, lambda: application.panes.commands.trigger("project.new"))
        dialog.name_field.setText("Research")
        dialog.save_button.click()
        await until(lambda: application.panes.sidebar.badge.accessibleName() == "Project Research")
        await until(lambda: titles(application) == [])
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        await ask(application, "In research")
        assert titles(application) == ["In research"]
        services = await application.services()
        research = application.bindings.lists.project
        assert research is not None
        assert (await services.library.projects.count(research.id)).threads == 1
        application.panes.commands.trigger("project.switch")
        await until(lambda: projects.menu is not None)
        names = [entry.text for entry in projects.menu.chooser.shown()]
        assert names == [
            *("All projects", "Personal", "Research"),
            *("New project…", "Edit Research…", "Files of the project…", "Share Research…"),
        ]
        QTest.keyClicks(projects.menu.chooser.field, "all")
        QTest.keyClick(projects.menu.chooser.field, Qt.Key.Key_Return)
        await until(lambda: titles(application) == ["In research", "At home"])
        application.bindings.lists.show_project(research.id)
        await until(lambda: titles(application) == ["In research"])
        application.panes.commands.trigger("view.sort")

    async def second(application: WindowApplication) -> None:
        await application.services()
        assert application.panes.sidebar.badge.accessibleName() == "Project Research"
        assert application.panes.sidebar.by_name
        await until(lambda: titles(application) == ["In research"])

    play(paths, first)
    play(paths, second)


def test_a_project_is_changed_archived_deleted_and_comes_back(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        commands, bindings = application.panes.commands, application.bindings
        work = await services.library.projects.create("Work", "#0B7A75")
        thread = (await services.chat.create_thread(work.id, "At work")).thread
        bindings.lists.show_project(work.id)
        await until(lambda: titles(application) == ["At work"])
        dialog = await opened(application, ProjectDialog, lambda: commands.trigger("project.edit"))
        dialog.name_field.setText("Better")
        dialog.swatches.buttons()[3].setChecked(True)
        dialog.save_button.click()
        badge = application.panes.sidebar.badge
        await until(lambda: badge.accessibleName() == "Project Better")
        commands.trigger("edit.undo")
        await until(lambda: badge.accessibleName() == "Project Work")
        commands.trigger("project.archive")
        await until(lambda: toast(application) == "Archived: Work")
        commands.trigger("edit.undo")
        await until(lambda: toast(application) == "Undone: archive project")
        dialog = await opened(application, ConfirmDialog, lambda: commands.trigger("project.delete"))
        assert dialog.accessibleDescription().startswith("1 thread goes to the trash with it")
        dialog.accept()
        await until(lambda: badge.accessibleName() == "Project All projects")
        await until(lambda: titles(application) == [])
        bindings.library.projects.restore(work.id)
        await until(lambda: titles(application) == ["At work"])
        assert (await services.chat.get_thread(thread.id)).deleted_at is None

    play(AppPaths.find(str(tmp_path)), script)


def test_threads_are_moved_by_dialog_and_by_dropping_and_tagged_and_filtered(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await fill(application, 3)
        services = await application.services()
        work = await services.library.projects.create("Work", "#0B7A75")
        sidebar, bindings = application.panes.sidebar, application.bindings
        await until(lambda: len(titles(application)) == 3)
        dialog = await opened(application, MoveThreadsDialog, lambda: sidebar.moveRequested.emit(ids[:1]))
        QTest.keyClicks(dialog.chooser.field, "wor")
        QTest.keyClick(dialog.chooser.field, Qt.Key.Key_Return)
        await until(lambda: toast(application) == "Moved to Work: Thread 0")
        await until(lambda: titles(application) == ["Thread 2", "Thread 1"])
        sidebar.thread_list.marks.set(ids[1:2])
        sidebar.badge.dragHeld.emit()
        await until(lambda: bindings.library.projects.menu is not None)
        bindings.library.projects.menu.chooser.dropped.emit(work.id)
        await until(lambda: titles(application) == ["Thread 2"])
        dialog = await opened(application, ThreadTagsDialog, lambda: sidebar.tagsRequested.emit(ids[2:]))
        QTest.keyClicks(dialog.field, "reading")
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        dialog.findChild(QPushButton, "tagsSave").click()
        await until(lambda: toast(application) == "Tags changed: Thread 2")
        bindings.lists.show_project(None)
        await until(lambda: len(titles(application)) == 3)
        await until(lambda: len(sidebar.tags) == 1)
        menu = sidebar.view_menu()
        assert "Show one tag" in [action.text() for action in menu.actions()]
        menu.close()
        sidebar.tagFilterRequested.emit(sidebar.tags[0].id)
        await until(lambda: titles(application) == ["Thread 2"])
        dialog = await opened(application, TagListDialog, lambda: application.panes.commands.trigger("tag.manage"))
        await until(dialog.list.count)
        dialog.list.item(0).setText("Books")
        await until(lambda: "Books" in toast(application))
        dialog.reject()
        dialog = await opened(application, TagListDialog, lambda: application.panes.commands.trigger("tag.manage"))
        dialog.delete_button.click()
        await until(lambda: len(titles(application)) == 3)
        assert sidebar.tag_id is None
        application.panes.commands.trigger("edit.undo")
        await until(lambda: len(sidebar.tags) == 1)

    play(AppPaths.find(str(tmp_path)), script)


def test_of_a_selection_that_is_partly_gone_nothing_changes_and_words_say_so(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await fill(application, 2)
        services = await application.services()
        await services.library.delete(ids[:1])
        await services.library.trash.delete_for_good(ids[:1])
        application.bindings.library.pin(ids, is_pinned=True)
        toast = application.panes.pane.toast
        await until(lambda: "1 of 2 threads are gone for good. Nothing was changed." in toast.accessibleName())
        assert (await services.chat.get_thread(ids[1])).pinned_at is None

    play(AppPaths.find(str(tmp_path)), script)


def test_everything_is_marked_also_what_is_not_fetched_yet_and_the_open_thread_closes_with_it(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        ids = await fill(application, 120)
        application.threads.open_soon(ids[0])
        await until(lambda: application.threads.thread_id == ids[0])
        sidebar = application.panes.sidebar
        sidebar.reload()
        await until(lambda: 0 < len(titles(application)) < 120)
        application.panes.commands.trigger("thread.select_all")
        await until(lambda: len(sidebar.selected_ids()) == 120)
        application.panes.commands.trigger("thread.delete")
        await until(lambda: titles(application) == [] and application.threads.thread_id is None)
        application.panes.commands.trigger("edit.undo")
        services = await application.services()

        async def live() -> int:
            return await services.library.count_threads(ThreadQuery())

        for _ in range(500):
            if await live() == 120:
                break
        assert await live() == 120

    play(AppPaths.find(str(tmp_path)), script)


def test_the_list_comes_back_to_its_place(tmp_path: Path) -> None:
    paths = AppPaths.find(str(tmp_path))
    place: list[tuple[str, int]] = []

    async def first(application: WindowApplication) -> None:
        await fill(application, 130)
        application.panes.sidebar.reload()
        view = application.panes.sidebar.thread_list
        await until(lambda: len(titles(application)) >= 50)
        for _ in range(4):
            view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
            seen = len(titles(application))
            await until(lambda seen=seen: len(titles(application)) > seen or len(titles(application)) == 130)
        view.verticalScrollBar().setValue(34 * 80 + 7)
        place.append(view.place.top())

    async def second(application: WindowApplication) -> None:
        await application.services()
        view = application.panes.sidebar.thread_list
        await until(lambda: view.place.top() == place[0])

    play(paths, first)
    play(paths, second)


async def test_upkeep_retires_old_archived_threads_when_a_setting_says_so(tmp_path: Path) -> None:
    for days, scope in ((0, "archive"), (7, "trash")):
        settings = replace(FAST, archive_days=days)
        async with open_services(AppPaths.find(str(tmp_path)), settings, mode="test") as services:
            thread = (await services.chat.create_thread(None, "Old")).thread
            await services.library.archive([thread.id])
            await services.database.write(
                lambda conn: conn.exec_driver_sql("UPDATE threads SET archived_at = 1 WHERE archived_at IS NOT NULL")
            )
            await purge_trash(services)
            assert thread.id in await services.library.list_ids(ThreadQuery(scope))  # type: ignore[arg-type]
