"""The quick window: a question above all other windows, answered in place, and gone on with in the large one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.drafts import Drafts
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.thread import QUICK_DRAFT, Draft
from chatdesk.core.events import AnswerFinished, MessageAdded
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.desktop import quick_keys
from chatdesk.ui.features.desktop.portal_keys import PortalKeys
from chatdesk.ui.features.quick.quick_window import QuickWindow
from tests.helpers import notification_server
from tests.helpers.portal_server import PortalServer
from tests.helpers.window import FAST, play, until

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[2]
SLOW = replace(FAST, offline_speed_tokens_per_s=20.0)


async def _shown(application: WindowApplication) -> QuickWindow:
    await application.services()
    application.panes.commands.trigger("app.quick")
    window = application.bindings.quick.window
    assert window is not None
    await until(lambda: window.isVisible() and window.focusWidget() is window.editor)
    return window


async def _asked(application: WindowApplication, window: QuickWindow, text: str) -> None:
    services = await application.services()
    done = asyncio.get_running_loop().create_future()
    subscription = services.events.subscribe(AnswerFinished, lambda _event: done.done() or done.set_result(None))
    QTest.keyClicks(window.editor, text)
    QTest.keyClick(window.editor, Qt.Key.Key_Return)
    await done
    subscription.cancel()


def _button(window: QuickWindow, name: str) -> QAbstractButton:
    found = window.findChild(QAbstractButton, name)
    assert found is not None
    return found


def test_what_is_typed_before_the_older_draft_was_read_does_not_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, read = AppPaths.find(tmp_path / "profile"), Drafts.get

    async def leave(application: WindowApplication) -> None:
        window = await _shown(application)
        QTest.keyClicks(window.editor, "an older thought")

    async def come_back(application: WindowApplication) -> None:
        drafts, may_read = (await application.services()).chat.drafts, asyncio.Event()

        async def read_late(self: Drafts, thread_id: str | None) -> Draft | None:
            if thread_id == QUICK_DRAFT:
                await may_read.wait()
            return await read(self, thread_id)

        monkeypatch.setattr(Drafts, "get", read_late)
        window = await _shown(application)
        QTest.keyClicks(window.editor, "a newer one")
        saving = asyncio.ensure_future(application.bindings.quick.save())
        await read(drafts, None)  # long enough for a storage that is idle
        stored = await read(drafts, QUICK_DRAFT)
        assert stored is not None and stored.text == "an older thought"
        may_read.set()
        await saving
        stored = await read(drafts, QUICK_DRAFT)
        assert stored is not None and stored.text == window.editor.written() == "an older thought\na newer one"

    play(paths, leave)
    play(paths, come_back)


def test_a_question_that_is_asked_before_the_older_draft_was_read_leaves_only_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, read = AppPaths.find(tmp_path / "profile"), Drafts.get

    async def leave(application: WindowApplication) -> None:
        QTest.keyClicks((await _shown(application)).editor, "an older thought")

    async def come_back(application: WindowApplication) -> None:
        services, may_read = await application.services(), asyncio.Event()

        async def read_late(self: Drafts, thread_id: str | None) -> Draft | None:
            if thread_id == QUICK_DRAFT:
                await may_read.wait()
            return await read(self, thread_id)

        monkeypatch.setattr(Drafts, "get", read_late)
        window = await _shown(application)
        subscription = services.events.subscribe(MessageAdded, lambda _event: may_read.set())
        await _asked(application, window, "What is a list?")
        subscription.cancel()
        await until(lambda: window.editor.written() == "an older thought")

    play(paths, leave)
    play(paths, come_back)


def test_what_is_written_and_added_while_a_question_is_sent_is_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window, may_go_on, create = await _shown(application), asyncio.Event(), services.chat.create_thread

        async def create_late(*arguments: Any, **named: Any) -> Any:
            await may_go_on.wait()
            return await create(*arguments, **named)

        monkeypatch.setattr(services.chat, "create_thread", create_late)
        asking = asyncio.ensure_future(_asked(application, window, "ok"))
        await until(lambda: window.editor.written() == "ok")
        QTest.keySequence(window.editor, QKeySequence(QKeySequence.StandardKey.SelectAll))
        QTest.keyClicks(window.editor, "look")
        QGuiApplication.clipboard().setText("for the next one")
        window.contextRequested.emit("clipboard")
        may_go_on.set()
        await asking
        assert window.editor.written() == "look"
        await _asked(application, window, " again")
        await until(lambda: window.editor.written() == "")
        page = await services.library.list_threads(ThreadQuery())
        messages = (await services.chat.reader.get_thread_messages(page.threads[0].id, 10)).messages
        asked = [each for each in messages if each.role is Role.USER]
        assert [(each.text, len(attachments_of(each))) for each in asked] == [("ok", 0), ("look again", 1)]

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_question_that_was_sent_before_new_was_pressed_belongs_to_the_thread_of_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = await _shown(application)
        await _asked(application, window, "The first")
        may_go_on, is_adding, add = asyncio.Event(), asyncio.Event(), services.attachments.add_bytes

        async def add_late(*arguments: Any) -> Any:
            is_adding.set()
            await may_go_on.wait()
            return await add(*arguments)

        monkeypatch.setattr(services.attachments, "add_bytes", add_late)
        QGuiApplication.clipboard().setText("what it is about")
        _button(window, "quickClipboard").click()
        asking = asyncio.ensure_future(_asked(application, window, "The second"))
        await is_adding.wait()
        _button(window, "quickNew").click()
        may_go_on.set()
        await asking
        await until(lambda: window.editor.written() == "")
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        messages = (await services.chat.reader.get_thread_messages(thread.id)).messages
        assert [each.text for each in messages if each.role is Role.USER] == ["The first", "The second"]
        assert window.view is not None and not window.view.isVisible()
        assert not _button(window, "quickStop").isVisible()

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_thread_that_is_made_after_new_was_pressed_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window, may_go_on, create = await _shown(application), asyncio.Event(), services.chat.create_thread

        async def create_late(*arguments: Any, **named: Any) -> Any:
            await may_go_on.wait()
            return await create(*arguments, **named)

        monkeypatch.setattr(services.chat, "create_thread", create_late)
        asking = asyncio.ensure_future(_asked(application, window, "The first"))
        await until(lambda: window.editor.written() == "The first")
        window.newRequested.emit()
        may_go_on.set()
        await asking
        await until(lambda: window.editor.written() == "")
        assert window.view is None
        await _asked(application, window, "The second")
        assert await services.library.count_threads(ThreadQuery()) == 2

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_question_is_answered_in_place_by_keyboard_alone(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = await _shown(application)
        assert window.view is None
        await _asked(application, window, "What is a list?")
        await until(lambda: window.view is not None and window.view.total == 2 and window.view.isVisible())
        assert window.editor.written() == ""
        assert application.threads.thread_id is None  # the large window stays where it was
        await _asked(application, window, "And a tuple?")
        await until(lambda: window.view.total == 4)
        assert await services.library.count_threads(ThreadQuery()) == 1
        QTest.keyClick(window.editor, Qt.Key.Key_Escape)
        assert not window.isVisible()
        # It is where it was when it comes again.
        await _shown(application)
        assert window.view.total == 4

    play(AppPaths.find(tmp_path / "profile"), script)


def test_enter_does_what_the_settings_say_when_it_comes_up(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        window = await _shown(application)
        QTest.keyClick(window.editor, Qt.Key.Key_Escape)
        settings = application.bindings.settings
        settings.change(replace(settings.current, send_on_enter=False))
        await _shown(application)
        QTest.keyClicks(window.editor, "one")
        QTest.keyClick(window.editor, Qt.Key.Key_Return)
        QTest.keyClicks(window.editor, "two")
        assert window.editor.written() == "one\ntwo"
        window.editor.replace_all("")

    play(AppPaths.find(tmp_path / "profile"), script)


def test_it_goes_on_in_the_large_window(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        window = await _shown(application)
        await _asked(application, window, "Begin here")
        await until(lambda: window.view is not None and window.view.total == 2)
        _button(window, "quickOpen").click()
        await until(lambda: application.panes.transcript.total == 2)
        assert not window.isVisible()
        # The next quick question begins another thread.
        again = await _shown(application)
        assert again.view is not None and not again.view.isVisible()

    play(AppPaths.find(tmp_path / "profile"), script)


def test_an_action_on_an_answer_is_carried_out_in_the_large_window(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = await _shown(application)
        await _asked(application, window, "Answer twice")
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        answer = (await services.chat.reader.get_thread_messages(thread.id)).messages[-1]
        assert window.view is not None
        window.view.actionRequested.emit("regenerate", answer.id)
        await until(lambda: application.threads.thread_id == thread.id and not window.isVisible())
        await until(lambda: [each.message.version_count for each in application.panes.transcript.entries] == [1, 2])

    play(AppPaths.find(tmp_path / "profile"), script)


def test_the_clipboard_goes_along_only_where_it_was_added(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        QGuiApplication.clipboard().setText("the secret of the clipboard")
        window = await _shown(application)
        await _asked(application, window, "Without it")
        first = (await services.library.list_threads(ThreadQuery())).threads[0]
        question = (await services.chat.reader.get_thread_messages(first.id)).messages[0]
        assert [part.type.value for part in question.parts] == ["text"]
        _button(window, "quickClipboard").click()
        await until(lambda: window.context_button.isVisible())
        assert "Clipboard, 27 characters" in window.context_button.text()
        await _asked(application, window, "With it")
        question = (await services.chat.reader.get_thread_messages(first.id)).messages[2]
        assert "file" in [part.type.value for part in question.parts]
        await until(lambda: not window.context_button.isVisible())
        QGuiApplication.clipboard().setText("x" * 200_001)
        _button(window, "quickClipboard").click()
        await until(lambda: window.context_button.text() == "Clipboard, only the first 200,000 characters")
        window.context_button.click()
        await until(lambda: not window.context_button.isVisible())
        QGuiApplication.clipboard().clear()
        _button(window, "quickClipboard").click()
        problem = window.findChild(QLabel, "problem")
        assert problem is not None
        await until(lambda: problem.isVisible() and problem.text() == "There is no text on the clipboard.")
        assert not window.context_button.isVisible()

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_picture_of_the_screen_is_seen_before_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = QImage(320, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#123456"))
    picture = tmp_path / "taken.png"
    assert image.save(str(picture))

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = await _shown(application)
        preview = window.findChild(QWidget, "picturePreview")
        assert preview is not None
        async with notification_server.session_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            async with PortalServer({"Screenshot": (0, {"uri": ("s", picture.as_uri())})}).on_bus() as server:
                _button(window, "quickScreenshot").click()
                await until(lambda: not window.isVisible())  # it would be in the picture
                await until(lambda: window.isVisible() and preview.isVisible())
                assert preview.grab().toImage().pixelColor(20, 75).name() == "#123456"
                window.context_button.click()
                await until(lambda: not preview.isVisible())  # it was left out
                _button(window, "quickScreenshot").click()
                await until(lambda: len(server.asked("Screenshot")) == 2 and preview.isVisible())
                await _asked(application, window, "What is this?")
                server.answers["Screenshot"] = (1, {})
                _button(window, "quickScreenshot").click()
                await until(lambda: len(server.asked("Screenshot")) == 3 and window.isVisible())
        assert not preview.isVisible()
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        question = (await services.chat.reader.get_thread_messages(thread.id)).messages[0]
        assert [part.type.value for part in question.parts] == ["image", "text"]
        _button(window, "quickScreenshot").click()  # the desktop and its portal are gone
        await until(lambda: "no picture of the screen" in window.problem and window.isVisible())

    play(AppPaths.find(tmp_path / "profile"), script)


def test_an_answer_can_be_stopped_there(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = await _shown(application)
        stop = _button(window, "quickStop")
        QTest.keyClicks(window.editor, "A long one, please")
        QTest.keyClick(window.editor, Qt.Key.Key_Return)
        await until(stop.isVisible)
        stop.click()
        await until(lambda: not stop.isVisible())
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        answer = (await services.chat.reader.get_thread_messages(thread.id)).messages[-1]
        assert answer.status.value == "stopped"

    play(AppPaths.find(tmp_path / "profile"), script, SLOW)


def test_a_question_that_cannot_be_sent_stays_and_says_why(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        window = await _shown(application)
        QTest.keyClicks(window.editor, "x" * 40)
        QTest.keyClick(window.editor, Qt.Key.Key_Return)
        await until(lambda: "the limit is" in window.problem)
        assert window.editor.written() == "x" * 40

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, max_message_bytes=30))


def test_what_was_typed_and_not_sent_is_there_after_a_restart(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def leave(application: WindowApplication) -> None:
        window = await _shown(application)
        QTest.keyClicks(window.editor, "half a thou")

    async def come_back(application: WindowApplication) -> None:
        window = await _shown(application)
        await until(lambda: window.editor.written() == "half a thou")
        await _asked(application, window, "ght")
        await until(lambda: window.editor.written() == "")

    async def again(application: WindowApplication) -> None:
        services = await application.services()
        await _shown(application)
        assert await services.chat.drafts.get(QUICK_DRAFT) is None

    play(paths, leave)
    play(paths, come_back)
    play(paths, again)


def test_its_keys_show_it_in_whatever_program_they_are_pressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop: list[tuple[str, Callable[[], None]]] = []

    class Desktop(PortalKeys):
        """A desktop that gives the keys, and is pressed by a call."""

        def __init__(self, pressed: Callable[[], None], lost: Callable[[bool], None], description: str) -> None:
            super().__init__(pressed, lost, description)
            self.press = pressed

        async def bind(self, trigger: str) -> str:
            desktop.append((trigger, self.press))
            return ""

    monkeypatch.setattr(quick_keys, "PortalKeys", Desktop)
    monkeypatch.setattr(quick_keys, "has_session_bus", lambda: True)

    async def script(application: WindowApplication) -> None:
        await until(lambda: desktop)
        trigger, press = desktop[-1]
        assert trigger == "CTRL+ALT+space"
        application.panes.window.showMinimized()
        press()
        await until(lambda: application.bindings.quick.window is not None)
        window = application.bindings.quick.window
        await until(lambda: window is not None and window.isVisible())

    play(AppPaths.find(tmp_path / "profile"), script, replace(FAST, quick_keys="Ctrl+Alt+Space"))


def test_another_process_shows_it_without_the_large_window(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.window.showMinimized()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chatdesk", "quick", "--data-dir", str(paths.data_dir), cwd=ROOT
        )
        assert await process.wait() == 0
        await until(lambda: application.bindings.quick.window is not None)
        assert application.bindings.quick.window is not None
        await until(application.bindings.quick.window.isVisible)
        assert application.panes.window.isMinimized()

    play(paths, script)
