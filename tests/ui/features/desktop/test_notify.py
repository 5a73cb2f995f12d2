"""Notifications of the desktop: over a real session bus, over the tray, and where there is neither."""

from __future__ import annotations

import logging
import sys
from contextlib import AsyncExitStack

import pytest
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.desktop.notify import Notifier, TrayNotices
from chatdesk.ui.qt.async_tasks import AsyncTasks
from tests.helpers.waiting import until

if not sys.platform.startswith("linux"):
    pytest.skip("the session bus is Linux'", allow_module_level=True)

from tests.helpers import notification_server

if notification_server.what_is_missing():
    pytest.skip("no dbus-daemon", allow_module_level=True)

from chatdesk.ui.features.desktop.notify_bus import open_bus


def notice(text: str, thread_id: str = "thread") -> Notice:
    return Notice(thread_id, "message", "Ana", text)


def fail(error: Exception) -> None:
    raise error


@pytest.fixture
async def desktop(tmp_path, monkeypatch):
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(notification_server.session_bus(tmp_path))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield await stack.enter_async_context(notification_server.Desktop(["body", "body-markup", "actions"]).on_bus())


@pytest.fixture
async def notifier(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    tasks = AsyncTasks(fail)
    made = Notifier(window, tasks)
    yield made
    await made.close()
    await tasks.close()


async def test_a_thread_has_one_notice_which_is_replaced(desktop, notifier):
    notifier.show(notice("first"))
    await until(lambda: notifier.running.done())
    notifier.show(notice("second"))
    notifier.show(notice("elsewhere", "other"))
    await until(lambda: len(desktop.notices) == 3)
    assert desktop.notices == [(0, "Ana", "first"), (7, "Ana", "second"), (0, "Ana", "elsewhere")]


async def test_markup_is_shown_as_plain_text(desktop, notifier):
    notifier.show(notice("<b>1 & 2</b>"))
    await until(lambda: desktop.notices)
    assert desktop.notices[0][2] == "&lt;b&gt;1 &amp; 2&lt;/b&gt;"


async def test_a_press_leads_to_the_message_and_a_read_thread_takes_its_notice_along(desktop, notifier):
    pressed: list[tuple[str, str]] = []
    notifier.pressed.connect(lambda *where: pressed.append(where))
    notifier.show(notice("a"))
    notifier.show(notice("b", "other"))
    await until(lambda: notifier.running.done())
    await desktop.press(7)
    await until(lambda: pressed)
    assert pressed == [("thread", "message")]
    notifier.withdraw_others({"third": 1})
    await until(lambda: desktop.closed)
    assert desktop.closed == [8]


async def test_a_dismissed_notice_is_not_replaced_but_shown_anew(desktop, notifier):
    notifier.show(notice("a"))
    await until(lambda: notifier.running.done())
    await desktop.dismiss(7)
    notifier.show(notice("elsewhere", "other"))  # when that is answered, the word of the dismissal has come
    await until(lambda: notifier.running.done())
    notifier.show(notice("b"))
    await until(lambda: len(desktop.notices) == 3)
    assert desktop.notices[2] == (0, "Ana", "b")


async def test_a_desktop_that_refuses_is_told_of_once_in_the_log(desktop, notifier, caplog):
    desktop.refuses = True
    with caplog.at_level(logging.INFO, logger="chatdesk.ui.features.desktop.notify"):
        notifier.show(notice("a"))
        await until(lambda: notifier.running.done())
        notifier.show(notice("b"))
        await until(lambda: notifier.running.done())
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1  # neither over the bus nor, offscreen, over a tray
    assert desktop.notices == []


@pytest.mark.parametrize("is_odd_at_once", [True, False])
async def test_a_desktop_that_answers_in_a_form_of_its_own_ends_nothing(desktop, notifier, caplog, is_odd_at_once):
    if not is_odd_at_once:
        notifier.show(notice("first"))
        await until(lambda: notifier.running.done())
    desktop.is_odd = True
    notifier.show(notice("second"))
    await until(lambda: notifier.running.done())
    assert "no notifications" in caplog.text
    desktop.is_odd = False
    notifier.show(notice("third"))
    await until(lambda: desktop.notices and desktop.notices[-1][2] == "third")


async def test_a_bus_that_goes_away_ends_nothing(tmp_path, monkeypatch, notifier, caplog):
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        async with notification_server.Desktop(["body"]).on_bus() as desktop:
            notifier.show(notice("<i>"))
            await until(lambda: notifier.running.done())
            assert desktop.notices[0][2] == "<i>"  # no markup is read, so none is escaped
    with caplog.at_level(logging.WARNING, logger="chatdesk.ui.features.desktop.notify"):
        notifier.show(notice("b"))
        await until(lambda: notifier.running.done())
    assert "no notifications" in caplog.text
    notifier.show(notice("c"))  # and nothing but the log is the worse for it
    await until(lambda: notifier.running.done())


async def test_without_a_bus_there_is_an_error_with_words(tmp_path, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    with pytest.raises(FileNotFoundError):
        await open_bus(lambda _thread_id: None)


async def test_a_bus_without_a_desktop_is_no_door(tmp_path, monkeypatch):
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with pytest.raises(OSError, match="GetCapabilities"):
            await open_bus(lambda _thread_id: None)


async def test_the_tray_is_used_where_there_is_no_bus(notifier, monkeypatch):
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "show", lambda _self: None)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _self, title, text: shown.append((title, text)))
    notifier.show(notice("a"))
    await until(lambda: shown)
    assert shown == [("Ana", "a")]
    pressed: list[str] = []
    notifier.pressed.connect(lambda thread_id, _message_id: pressed.append(thread_id))
    notifier.parent().findChild(TrayNotices).findChild(QSystemTrayIcon).messageClicked.emit()
    assert pressed == ["thread"]
    notifier.show(notice("b"))
    await until(lambda: len(shown) == 2)
    notifier.withdraw_others(())
    await until(lambda: notifier.running.done())
    assert not notifier.shown
