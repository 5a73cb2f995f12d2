"""What a mouse can do, a key can do: commands about the row, the message and the border that a mouse would point at."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from chatdesk.core.chat.trash import TrashService
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.delete_message import DeleteMessageDialog
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.waiting import running_tasks
from tests.helpers.window import answered, ask, play, until

ALT = Qt.KeyboardModifier.AltModifier


async def two_threads(application: WindowApplication) -> tuple[str, str]:
    """The older one, and the newer, which is open."""
    services = await application.services()
    ids = [(await services.chat.create_thread(None, f"Thread {number}")).thread.id for number in range(2)]
    sidebar = application.panes.sidebar
    await until(lambda: len(sidebar.known(ids)) == 2)
    application.threads.open_soon(ids[1])
    await until(lambda: application.threads.thread_id == ids[1])
    return ids[0], ids[1]


def walk_to(application: WindowApplication, thread_id: str) -> None:
    thread_list = application.panes.sidebar.thread_list
    thread_list.setFocus()
    thread_list.setCurrentIndex(thread_list.model().index_of(thread_id))


def toast(application: WindowApplication) -> str:
    return application.panes.window.findChild(Toast).text


def test_f2_in_the_list_renames_the_row_where_the_keys_are(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        older, _ = await two_threads(application)
        thread_list = application.panes.sidebar.thread_list
        walk_to(application, older)
        QTest.keyClick(thread_list, Qt.Key.Key_F2)
        await until(lambda: thread_list.is_editing)
        field = thread_list.findChild(QLineEdit)
        field.selectAll()
        QTest.keyClicks(field, "Better name")
        QTest.keyClick(field, Qt.Key.Key_Return)
        await until(lambda: application.panes.sidebar.known([older])[0].title == "Better name")
        application.panes.window.focus_composer()
        QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_F2)
        assert not thread_list.is_editing
        assert application.panes.header.isAncestorOf(application.panes.window.focusWidget())

    play(AppPaths.find(tmp_path / "data"), script)


def test_commands_are_about_the_row_of_the_keys_and_the_headers_menu_about_the_open_thread(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        older, newer = await two_threads(application)
        sidebar, commands = application.panes.sidebar, application.panes.commands

        def is_pinned(thread_id: str) -> bool:
            return sidebar.known([thread_id])[0].pinned_at is not None

        walk_to(application, older)
        commands.trigger("app.palette")
        palette = application.bindings.search.palette
        QTest.keyClicks(palette.field, "pin thread")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await until(lambda: is_pinned(older))
        assert not is_pinned(newer)
        walk_to(application, older)
        application.panes.header.more_button.click()
        await until(lambda: QApplication.activePopupWidget() is not None)
        QApplication.activePopupWidget().close()
        commands.trigger("thread.pin")
        await until(lambda: is_pinned(newer))
        assert is_pinned(older)

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_thread_in_the_trash_goes_for_good_only_when_the_command_is_about_it(tmp_path: Path, monkeypatch) -> None:
    purged: list[object] = []
    real = TrashService.delete_for_good

    async def noted(self: TrashService, ids: object) -> int:
        purged.append(ids)
        return await real(self, ids)  # type: ignore[arg-type]

    monkeypatch.setattr(TrashService, "delete_for_good", noted)

    async def script(application: WindowApplication) -> None:
        older, newer = await two_threads(application)
        sidebar, commands = application.panes.sidebar, application.panes.commands
        walk_to(application, older)
        commands.trigger("thread.delete")
        await until(lambda: not sidebar.known([older]))
        assert application.threads.thread_id == newer
        commands.trigger("view.trash")
        await until(lambda: bool(sidebar.known([older])))
        application.panes.window.focus_composer()
        commands.trigger("thread.delete")  # the open one, which is not in the trash: no question
        await until(lambda: bool(sidebar.known([newer])))
        assert purged == []

    play(AppPaths.find(tmp_path / "data"), script)


def test_every_action_of_a_message_is_a_command(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        panes = application.panes
        run = panes.commands.trigger
        assert not panes.commands.is_enabled("message.branch")
        await ask(application, "first question")
        answer = await answered(application, lambda: run("message.regenerate"))
        services = await application.services()
        transcript = panes.transcript
        await until(lambda: any(each.message.version_count == 2 for each in transcript.entries))

        def shown_version() -> int:
            return transcript.entries[-1].message.version_index

        QTest.keyClick(panes.composer.editor, Qt.Key.Key_PageUp, ALT)
        await until(lambda: shown_version() == 1)
        await until(lambda: not running_tasks("select version"))
        QTest.keyClick(panes.composer.editor, Qt.Key.Key_PageDown, ALT)
        await until(lambda: shown_version() == 2)
        await until(lambda: not running_tasks("select version"))
        run("message.next_version")
        assert toast(application) == "There is no later version of this message."

        async def mark() -> ContextMark:
            return (await services.chat.reader.get_message(answer.id)).context_mark

        for command, wanted in (
            ("message.pin", ContextMark.PINNED),
            ("message.pin", ContextMark.NONE),
            ("message.exclude", ContextMark.EXCLUDED),
            ("message.exclude", ContextMark.NONE),
        ):
            run(command)
            await until(lambda wanted=wanted: transcript.entries[-1].message.context_mark is wanted)
            assert await mark() is wanted
        run("message.continue")
        assert "could be continued" in toast(application)
        transcript.setFocus()
        QTest.keyClick(transcript, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
        run("message.delete")
        dialog = panes.window.findChild(DeleteMessageDialog)
        assert dialog is not None  # the question has an answer below it
        dialog.reject()
        run("message.branch")
        first = application.threads.thread_id
        await until(lambda: application.threads.thread_id != first)

    play(AppPaths.find(tmp_path / "data"), script)


def test_models_and_the_width_of_the_sidebar_have_commands(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        before = panes.sidebar.width()
        panes.commands.trigger("view.sidebar_wider")
        assert panes.sidebar.width() > before
        for _ in range(20):
            panes.commands.trigger("view.sidebar_narrower")
        assert panes.window.place.width < before
        assert panes.window.place.is_shown
        panes.commands.trigger("thread.model")
        await until(lambda: QApplication.activePopupWidget() is not None)
        assert QApplication.activePopupWidget().objectName() == "modelChooser"
        QApplication.activePopupWidget().close()

    play(AppPaths.find(tmp_path / "data"), script)


def test_showing_threads_ends_the_filter_by_a_tag(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        older, newer = await two_threads(application)
        services = await application.services()
        sidebar = application.panes.sidebar
        await services.library.tag([older], add=["api"])
        tag = (await services.library.list_tags())[0]
        application.bindings.lists.show_tag(tag.id)
        await until(lambda: not sidebar.known([newer]))
        application.panes.commands.trigger("view.threads")
        await until(lambda: len(sidebar.known([older, newer])) == 2)
        assert sidebar.tag_id is None

    play(AppPaths.find(tmp_path / "data"), script)


def test_keys_that_were_changed_are_the_ones_that_are_shown(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        older, _ = await two_threads(application)
        panes = application.panes
        sidebar = panes.sidebar
        button = sidebar.findChild(IconButton, "newThreadButton")
        assert "Ctrl+N" in button.toolTip()
        panes.commands.keys.set("thread.new", ("Ctrl+Alt+N",))
        panes.commands.keys.set("thread.rename", ("F4",))
        panes.commands.keys.set("go.search", ())
        assert "Ctrl+Alt+N" in button.toolTip()
        menu = sidebar.thread_menu(sidebar.known([older])[0])
        assert "Rename\tF4" in [action.text() for action in menu.actions()]
        menu.close()
        assert sidebar.search_box.hint == ""
        walk_to(application, older)
        QTest.keyClick(sidebar.thread_list, Qt.Key.Key_F4)
        await until(lambda: sidebar.thread_list.is_editing)
        panes.commands.keys.reset()
        assert sidebar.search_box.hint == "Ctrl K"

    play(AppPaths.find(tmp_path / "data"), script)
