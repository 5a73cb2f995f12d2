"""What concerns the whole program is said where a person sees it, whichever windows are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QPushButton, QSystemTrayIcon

from chatdesk.core.errors import NotPossible, StorageFull
from chatdesk.core.events import LimitNear, StorageFailed, StorageRecovered
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.widgets import toast as toast_module
from tests.helpers.window import FAST, play, until

pytestmark = [
    pytest.mark.usefixtures("qapp"),
    pytest.mark.qt_log_ignore("systemTrayWindowChanged"),  # of a platform that has no tray
]


async def _new_window(application: WindowApplication) -> PaneBindings:
    chats = application.chats
    count = len(chats.windows)
    chats.open_window(None)
    await until(lambda: len(chats.windows) == count + 1 and application.bindings.active() is chats.windows[-1])
    return chats.windows[-1]


def _banner(chat: PaneBindings) -> str:
    banner = chat.panes.pane.banner
    return banner.text if banner.isVisibleTo(chat.panes.window) else ""


def _toast(chat: PaneBindings) -> str:
    toast = chat.panes.pane.toast
    return toast.text if toast.isVisibleTo(chat.panes.window) else ""


def test_a_window_of_its_own_says_it_while_the_main_one_is_hidden(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services, main = await application.services(), application.bindings
        own = await _new_window(application)
        application.panes.window.close()
        await until(lambda: not application.panes.window.isVisible())
        services.events.publish(LimitNear("The warning at 5 $ is passed."))
        assert (_banner(own), _banner(main)) == ("The warning at 5 $ is passed.", "")
        ran: list[str] = []
        application.panes.window.show_toast("Imported", "Report", lambda: ran.append("report"))
        assert (_toast(own), _toast(main)) == ("Imported", "")
        own.panes.pane.toast.actionTriggered.emit()
        assert ran == ["report"]
        application.panes.window.show_notice("Check", "Nothing is wrong.")
        dialog = own.panes.window.findChild(NoticeDialog)
        assert dialog is not None and dialog.isVisible()
        dialog.close()

    play(paths, script)


def test_the_window_that_is_worked_in_says_it_while_others_are_shown(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        own, main = await _new_window(application), application.bindings
        application.panes.window.show_toast("Imported")
        assert (_toast(own), _toast(main)) == ("Imported", "")
        own.panes.window.showMinimized()
        application.panes.window.show_toast("Exported")
        assert _toast(main) == "Exported"

    play(paths, script)


def test_an_unseen_message_is_shown_in_the_next_window(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)

    async def script(application: WindowApplication) -> None:
        await application.services()
        window, main = application.panes.window, application.bindings
        window.close()
        await until(lambda: not window.isVisible())
        window.show_toast("Imported")
        assert _toast(main) == ""
        window.come_to_front()
        await until(lambda: _toast(main) == "Imported")
        main.panes.pane.toast.dismiss()
        window.showMinimized()
        window.show_toast("Exported")
        assert _toast(main) == ""
        window.showNormal()
        await until(lambda: _toast(main) == "Exported")

    play(paths, script, replace(FAST, tray="close"))


def test_all_that_nobody_could_see_is_said_one_after_the_other(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)

    async def script(application: WindowApplication) -> None:
        await application.services()
        window, main = application.panes.window, application.bindings
        window.close()
        await until(lambda: not window.isVisible())
        main.panes.pane.show_toast("The summary is being made")
        window.show_toast("Imported")
        window.show_toast("Exported")
        window.come_to_front()
        for words in ("The summary is being made", "Imported", "Exported"):
            await until(lambda words=words: _toast(main) == words)
            main.panes.pane.toast.dismiss()
        assert _toast(main) == ""

    play(paths, script, replace(FAST, tray="close"))


def test_what_is_said_in_a_hidden_chat_waits_for_it(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        own, main = await _new_window(application), application.bindings
        own.panes.window.showMinimized()
        ran: list[str] = []
        own.panes.pane.show_toast("Moved to the trash", "Undo", lambda: ran.append("undo"))
        own.panes.pane.show_toast("Copied")
        assert (_toast(own), _toast(main)) == ("", "")
        own.panes.window.showNormal()
        await until(lambda: _toast(own) == "Moved to the trash")
        button = own.panes.pane.toast.findChild(QPushButton, "toastAction")
        assert button is not None
        button.click()
        assert ran == ["undo"]
        await until(lambda: _toast(own) == "Copied")
        assert not button.isVisible()
        assert _toast(main) == ""

    play(paths, script)


def test_what_is_on_show_when_a_chat_is_hidden_is_there_again_and_then_goes(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        own = await _new_window(application)
        own.panes.pane.show_toast("Copied")
        own.panes.window.showMinimized()
        monkeypatch.setattr(toast_module, "TOAST_MS", 1)
        own.panes.window.showNormal()
        assert _toast(own) == "Copied"
        await until(lambda: _toast(own) == "")

    play(paths, script)


def test_unseen_messages_of_a_closed_chat_are_shown_elsewhere(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        own, main = await _new_window(application), application.bindings
        own.panes.window.showMinimized()
        own.panes.pane.show_toast("Saved to notes.txt", "Undo", lambda: None)
        own.panes.window.close()
        await until(lambda: _toast(main) == "Saved to notes.txt")
        button = main.panes.pane.toast.findChild(QPushButton, "toastAction")
        assert button is not None and not button.isVisible()  # its chat is gone

    play(paths, script)


def test_that_nothing_is_saved_is_said_in_all_windows_until_it_is(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services, main = await application.services(), application.bindings
        first = await _new_window(application)
        application.panes.window.close()
        services.events.publish(StorageFailed(StorageFull()))
        second = await _new_window(application)
        chats = (main, first, second)
        assert [_banner(each) for each in chats] == [StorageFull().sentence] * 3
        services.events.publish(LimitNear("The warning at 5 $ is passed."))  # less than that
        assert [_banner(each) for each in chats] == [StorageFull().sentence] * 3
        assert _toast(second) == "The warning at 5 $ is passed."
        first.panes.pane.show_banner(NotPossible("This chat is being erased.").sentence, is_danger=False)
        services.events.publish(StorageRecovered())
        assert [_banner(each) for each in chats] == ["", NotPossible("This chat is being erased.").sentence, ""]

    play(paths, script)


def test_what_is_said_covers_no_tool_of_the_last_answer(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.composer.set_text("/demo markdown")
        application.panes.composer.send_button.click()
        await until(lambda: application.threads.thread_id and not application.panes.composer.is_streaming)
        pane, transcript = application.panes.pane, application.panes.transcript
        bar = transcript.verticalScrollBar()
        await until(lambda: bar.maximum() > 0 and transcript.parts.layout.is_at_end)
        pane.show_toast("Moved to the trash", "Undo", lambda: None)
        await until(pane.toast.isVisible)
        tools = next(each for each in reversed(transcript.parts.layout.placed) if each.item.kind == "footer")
        foot = transcript.viewport().mapToGlobal(QPoint(0, round(tools.bottom))).y()
        words = pane.toast.findChild(QPushButton, "toastAction")
        assert foot <= words.mapToGlobal(QPoint(0, 0)).y()
        assert words.mapToGlobal(QPoint(0, words.height())).y() < application.panes.composer.mapToGlobal(QPoint()).y()

    play(paths, script)
