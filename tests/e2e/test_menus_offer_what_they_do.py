"""What a menu offers, it does: titles say which of two things would happen, and what cannot be done is not offered."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.command import GROUPS
from tests.helpers.window import ask, play, until


async def header_menu(application: WindowApplication) -> dict[str, QAction]:
    """By command, what the menu of the header shows; it is closed again."""
    application.panes.header.more_button.click()
    await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    shown = {each.objectName(): (each.text(), each.isEnabled()) for each in menu.actions()}
    menu.close()
    return shown


def palette_titles(application: WindowApplication, words: str) -> list[str]:
    application.panes.commands.trigger("app.palette")
    palette = application.bindings.search.palette
    QTest.keyClicks(palette.field, words)
    found = [row.text for row in palette.rows if row.is_choosable]
    palette.reject()
    return found


def test_a_menu_names_the_one_thing_that_it_would_do(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        for words in ("pin thread", "archive", "unpin"):
            found = palette_titles(application, words)
            assert not {"Pin thread", "Unpin thread", "Archive thread", "Take out of the archive"} & set(found)
        await ask(application, "hello")
        panes = application.panes
        run, open_id = panes.commands.trigger, application.threads.thread_id
        shown = await header_menu(application)
        assert shown["thread.pin"][0] == "Pin thread"
        assert shown["thread.archive"][0] == "Archive thread"
        run("thread.pin")
        await until(lambda: panes.sidebar.known([open_id])[0].pinned_at is not None)
        run("thread.archive")
        await until(lambda: application.threads.open_thread.archived_at is not None)
        shown = await header_menu(application)
        assert shown["thread.pin"][0] == "Unpin thread"
        assert shown["thread.archive"][0] == "Take out of the archive"
        assert "Unpin thread" in palette_titles(application, "pin thread")
        run("thread.archive")
        await until(lambda: application.threads.open_thread.archived_at is None)
        titles = palette_titles(application, "sidebar")
        assert "Hide the sidebar" in titles
        assert "Show or hide the sidebar" not in titles

    play(AppPaths.find(tmp_path / "data"), script)


_RARE = {"thread.erase", "thread.keep", "thread.forget"}


async def rare_entries(application: WindowApplication) -> set[str]:
    """Those of ``_RARE`` that the header's menu shows now."""
    application.panes.header.more_button.click()
    await until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    shown = {each.objectName() for each in menu.actions() if each.isVisible() and each.objectName() in _RARE}
    assert all(each.isEnabled() for each in menu.actions() if each.objectName() in shown)
    menu.close()
    return shown


def test_a_menu_shows_what_is_for_shared_or_temporary_threads_only_there(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await until(lambda: application.threads.open_thread is not None)
        panes, thread = application.panes, application.threads.open_thread
        assert thread is not None
        assert await rare_entries(application) == set()
        assert not {each.id for each in panes.commands.offered()} & _RARE
        panes.sidebar.set_shared_projects({"another": "shared"})
        assert await rare_entries(application) == set()
        panes.sidebar.set_shared_projects({thread.project_id: "shared"})
        assert await rare_entries(application) == {"thread.erase"}
        assert "thread.erase" in {each.id for each in panes.commands.offered()}
        panes.commands.trigger("thread.temporary")
        await until(lambda: application.threads.thread_id != thread.id)
        assert {"thread.keep", "thread.forget"} <= await rare_entries(application)
        assert all(panes.commands.action(each).isVisible() for each in _RARE), "the menu gives their keys back"

    play(AppPaths.find(tmp_path / "data"), script)


def test_no_title_in_a_menu_offers_two_things(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        titles = [command.title for command in application.panes.commands.offered()]
        assert len(titles) > 40
        assert [title for title in titles if " or " in title.lower() or ", or" in title] == []

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_message_command_is_offered_only_where_a_message_can_take_it(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        window, commands = application.panes.window, application.panes.commands
        window.toggle_menu_bar()
        menu = next(each.menu() for each in window.menuBar().actions() if each.text() == f"&{GROUPS[2]}")
        menu.aboutToShow.emit()
        states = {each.objectName(): each.isEnabled() for each in menu.actions()}
        assert states["message.branch"]
        assert states["message.pin"]
        assert not states["message.continue"]
        assert not states["message.previous_version"]
        assert not states["message.start_at_beginning"]
        menu.aboutToHide.emit()
        assert commands.action("message.previous_version").isEnabled(), "its keys say why it does nothing"

    play(AppPaths.find(tmp_path / "data"), script)
