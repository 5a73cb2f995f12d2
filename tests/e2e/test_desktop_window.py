"""A real window and the desktop around it: the icon in the tray, notices of answers, starting at login."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from chatdesk.core.domain.message import Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.desktop import autostart
from chatdesk.ui.features.desktop.autostart import autostart_file, starts_at_login
from chatdesk.ui.features.desktop.notice import Notice
from tests.helpers.window import FAST, answered, ask, play, until

pytestmark = [
    pytest.mark.usefixtures("qapp"),
    pytest.mark.qt_log_ignore("systemTrayWindowChanged"),  # of a platform that has no tray
]
IN_TRAY = replace(FAST, tray="close")


@pytest.fixture
def tray(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The platform of the tests has no tray: the icon is Qt's own, and what it says is kept."""
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _icon, _title, text, *_more: said.append(text))
    return said


class _Desktop:
    """The desktop's way to show notices, which keeps them."""

    def __init__(self) -> None:
        self.shown: dict[str, Notice] = {}

    async def show(self, notice: Notice) -> None:
        self.shown[notice.thread_id] = notice

    async def withdraw(self, thread_id: str) -> None:
        self.shown.pop(thread_id, None)

    async def close(self) -> None:
        self.shown.clear()


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> _Desktop:
    """The way that is used where there is no session bus."""
    found = _Desktop()
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr("chatdesk.ui.features.desktop.notify.TrayNotices", lambda _window, _notifier: found)
    return found


def test_a_closed_window_goes_on_in_the_tray_and_comes_back_from_there(tmp_path: Path, tray: list[str]) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "kept in the tray")
        window, binding = application.panes.window, application.bindings.desktop.tray
        icon = binding.icon
        assert icon is not None and icon.is_visible
        in_tray = icon.findChild(QSystemTrayIcon)
        icon.menu.aboutToShow.emit()
        await until(lambda: any("Kept in the tray" in each.text() for each in icon.menu.actions()))
        window.close()
        await until(lambda: not window.isVisible())
        assert ["keeps running in the tray" in each for each in tray] == [True]
        # It answers there, too.
        application.panes.composer.set_text("asked while nobody looks")
        application.panes.composer.send_button.click()
        await until(lambda: "being written" in in_tray.toolTip() or application.panes.transcript.total == 4)
        await until(lambda: in_tray.toolTip() == "ChatDesk")
        next(each for each in icon.menu.actions() if each.text() == "New thread").trigger()
        await until(lambda: window.isVisible() and application.threads.thread_id is None)
        window.close()
        await until(lambda: not window.isVisible())
        assert len(tray) == 1  # said once
        next(each for each in icon.menu.actions() if "Kept in the tray" in each.text()).trigger()
        await until(lambda: window.isVisible() and application.threads.thread_id == answer.thread_id)

    play(AppPaths.find(tmp_path / "profile"), script, IN_TRAY)


def test_quit_ends_the_program_from_the_tray(tmp_path: Path, tray: list[str]) -> None:
    ended: list[bool] = []

    async def script(application: WindowApplication) -> None:
        await application.services()
        window, icon = application.panes.window, application.bindings.desktop.tray.icon
        assert icon is not None
        window.closing.connect(lambda: ended.append(True))
        window.close()
        assert not ended
        next(each for each in icon.menu.actions() if each.text() == "Quit ChatDesk").trigger()
        assert ended == [True]

    play(AppPaths.find(tmp_path / "profile"), script, IN_TRAY)
    assert tray  # it was said that it goes on, before


@pytest.mark.parametrize("setting", ["off", "on", "close"])
def test_without_a_tray_the_window_closes(tmp_path: Path, setting: str) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        closing: list[bool] = []
        application.panes.window.closing.connect(lambda: closing.append(True))
        application.panes.window.close()
        assert closing == [True]
        assert application.bindings.desktop.tray.icon is None

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, tray=setting))


def test_a_window_is_not_hidden_in_a_tray_that_has_gone(
    tmp_path: Path, tray: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window, closing = application.panes.window, list[bool]()
        window.closing.connect(lambda: closing.append(True))
        window.close()
        assert not window.isVisible() and not closing
        window.show()
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)  # its panel has ended
        window.close()
        assert closing == [True]

    play(AppPaths.find(tmp_path / "profile"), script, IN_TRAY)
    assert len(tray) == 1


def test_the_icon_comes_and_goes_with_the_setting(tmp_path: Path, tray: list[str]) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        settings, binding = application.bindings.settings, application.bindings.desktop.tray
        assert binding.icon is None
        settings.change(replace(settings.current, tray="on"))
        assert binding.icon is not None and binding.icon.is_visible
        settings.change(replace(settings.current, tray="off"))
        assert not binding.icon.is_visible
        assert tray == []

    play(AppPaths.find(tmp_path / "profile"), script)


@pytest.mark.parametrize(("wanted", "is_told"), [("all", True), ("long", False), ("off", False)])
def test_a_quick_answer_is_told_of_where_that_is_wanted(
    tmp_path: Path, desktop: _Desktop, wanted: str, is_told: bool
) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        notices = application.bindings.desktop.notices
        application.panes.window.showMinimized()
        answer = await ask(application, "a question of few words")
        if not is_told:
            settings = application.bindings.settings
            settings.change(replace(settings.current, answer_notices="all"))
            application.panes.commands.trigger("thread.new")
            await until(lambda: application.threads.thread_id is None)
            told = await ask(application, "a question that is told of, and ends after the first")
            await until(lambda: told.thread_id in desktop.shown)
            assert list(desktop.shown) == [told.thread_id]
            return
        await until(lambda: answer.thread_id in desktop.shown)
        notice = desktop.shown[answer.thread_id]
        assert notice.title == "An answer is ready"
        assert answer.status is Status.COMPLETE
        assert answer.text[:20] not in notice.text  # others may see the screen
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        notices.notifier.press(answer.thread_id)
        await until(lambda: application.threads.thread_id == answer.thread_id)
        assert not application.panes.window.isMinimized()

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, answer_notices=wanted))


def test_notices_are_kept_from_whoever_looks_at_any_window_or_dialog(tmp_path: Path, desktop: _Desktop) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "in two windows")
        main, chats = application.panes.window, application.chats
        chats.open_window(answer.thread_id)
        await until(lambda: len(chats.windows) == 1 and chats.windows[0].panes.window.isActiveWindow())
        [own] = chats.windows
        main.showMinimized()
        own.panes.registry.trigger("app.about")
        await until(lambda: QApplication.activeWindow() not in (None, own.panes.window, main))
        await answered(application, lambda: own.commands.ask("seen behind a dialog"))
        QApplication.activeWindow().close()
        own.panes.window.showMinimized()
        await answered(application, lambda: own.commands.ask("seen by nobody"))
        await until(lambda: answer.thread_id in desktop.shown)
        own.panes.window.come_to_front()
        await until(lambda: not desktop.shown)
        assert main.isMinimized()

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, answer_notices="all"))


def test_starting_at_login_is_a_file_that_the_desktop_may_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = autostart_file()
    paths = AppPaths.find(tmp_path / "profile")

    async def switch_on(application: WindowApplication) -> None:
        await application.services()
        settings = application.bindings.settings
        settings.change(replace(settings.current, start_at_login=True))
        await until(lambda: starts_at_login(file))
        assert str(paths.data_dir) in file.read_text(encoding="utf-8")

    async def removed(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: not application.bindings.settings.current.start_at_login)
        assert not file.exists()

    play(paths, switch_on)
    file.unlink()
    play(paths, removed, replace(FAST, start_at_login=True))


def test_a_sandbox_whose_desktop_does_not_agree_starts_nothing_at_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autostart, "is_in_sandbox", lambda: True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")

    async def script(application: WindowApplication) -> None:
        await application.services()
        settings = application.bindings.settings
        settings.change(replace(settings.current, start_at_login=True))
        await until(application.panes.pane.toast.isVisible)
        assert application.panes.pane.toast.text.startswith("ChatDesk cannot be started at login from here.")
        await until(lambda: not settings.current.start_at_login)
        assert not autostart_file().exists()

    play(AppPaths.find(tmp_path / "profile"), script)


def test_settings_say_what_they_are() -> None:
    assert Settings().tray == "off"
    assert Settings().answer_notices == "long"
    assert not Settings().start_at_login
