"""What is sent while an answer runs waits above the text: by mouse and by keys, in the real window."""

from __future__ import annotations

import asyncio
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget

from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.composer.waiting_questions import WaitingQuestions
from tests.helpers.fault_server import Exchange, answer, status
from tests.helpers.served import Served, served
from tests.helpers.walks import is_unread
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


class Vendor:
    """Its answers begin at once and end when ``go`` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()  # the server has a thread of its own
        self.asked: list[str] = []

    async def script(self, exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            await status(200, {"object": "list", "data": [{"id": "swift", "object": "model"}]})(exchange)
            return
        content = exchange.request.json["messages"][-1]["content"]
        self.asked.append(content if isinstance(content, str) else content[0]["text"])
        if self.go.is_set():
            await answer(f"About {self.asked[-1]}.")(exchange)
            return
        await exchange.start()
        await exchange.delta(role="assistant", content="The beginning")
        leaving = asyncio.ensure_future(exchange.hang())
        while not self.go.is_set() and not leaving.done():
            await asyncio.wait([leaving], timeout=0.01)
        if not leaving.done():
            leaving.cancel()
            await exchange.delta(content=" and the end.")
            await exchange.finish()


def settings(server: Served) -> Settings:
    return Settings(provider="openai", openai_base_url=server.base_url, openai_model="swift", model_titles=False)


def strip(application: WindowApplication) -> WaitingQuestions | None:
    found = application.panes.composer.findChild(WaitingQuestions)
    return found if found is not None and found.isVisible() else None


def texts(application: WindowApplication) -> tuple[str, ...]:
    shown = strip(application)
    return () if shown is None else shown.texts


def button(application: WindowApplication, name: str) -> QAbstractButton:
    """By its accessible name."""
    shown = strip(application)
    assert shown is not None
    found = (each for each in shown.findChildren(QAbstractButton) if each.isVisible())
    return next(each for each in found if each.accessibleName() == name)


async def shown(application: WindowApplication) -> tuple[Message, ...]:
    chat = (await application.services()).chat
    assert application.threads.thread_id is not None
    return (await chat.reader.get_thread_messages(application.threads.thread_id)).messages


async def begin(application: WindowApplication) -> None:
    """An answer of which the first words are there."""
    await application.services()
    type_text(application, "one")
    press(application, Qt.Key.Key_Return)
    await until(lambda: application.threads.thread_id is not None)

    async def is_there() -> bool:
        return any("beginning" in each.text for each in await shown(application))

    await until(is_there)


async def queue(application: WindowApplication, *words: str) -> None:
    for count, each in enumerate(words, start=len(texts(application)) + 1):
        type_text(application, each)
        press(application, Qt.Key.Key_Return)
        await until(lambda count=count: len(texts(application)) == count)
        await until(lambda: not application.panes.composer.text())


async def questions(application: WindowApplication) -> list[str]:
    return [each.text for each in await shown(application) if each.role is Role.USER]


async def answered_all(application: WindowApplication, count: int) -> None:
    async def is_there() -> bool:
        return not (len(await questions(application)) < count or not (await shown(application))[-1].status.is_final)

    await until(is_there)


def test_what_is_sent_meanwhile_waits_in_sight_and_goes_in_order(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await begin(application)
        await queue(application, "two", "three")
        shown = strip(application)
        assert shown is not None and texts(application) == ("two", "three")
        assert shown.words == "Sent when the answer is complete:"
        assert (
            shown.mapToGlobal(shown.rect().bottomLeft()).y()
            < application.panes.composer.editor.mapToGlobal(application.panes.composer.editor.rect().topLeft()).y()
        )
        assert await questions(application) == ["one"]
        line = application.panes.sidebar.lines.waiting
        assert line is not None and line.isVisible()
        vendor.go.set()
        await answered_all(application, 3)
        assert vendor.asked == ["one", "two", "three"] == await questions(application)
        await until(lambda: strip(application) is None)

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_waiting_question_is_sent_now_with_the_mouse(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await begin(application)
        type_text(application, "two")
        send = application.panes.composer.send_button
        await until(lambda: send.isVisible() and not is_unread(send))
        QTest.mouseClick(send, Qt.MouseButton.LeftButton)
        await until(lambda: texts(application) == ("two",))
        await until(lambda: not is_unread(button(application, "Send now: two")))
        vendor.go.set()  # for what is asked from now on; the running answer is stopped before it hears of it
        QTest.mouseClick(button(application, "Send now: two"), Qt.MouseButton.LeftButton)
        await answered_all(application, 2)
        assert await questions(application) == ["one", "two"]

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_sending_now_by_key_keeps_what_came_of_the_answer(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await begin(application)
        await queue(application, "two")
        composer = application.panes.composer.editor
        modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(composer, Qt.Key.Key_Return, modifiers)
        await until(lambda: vendor.asked == ["one", "two"])
        first = (await shown(application))[1]
        assert (first.status, first.text) == (Status.STOPPED, "The beginning")
        assert strip(application) is None
        vendor.go.set()
        await answered_all(application, 2)

    with served(vendor.script) as server:
        play(paths, script, settings(server))


@pytest.mark.parametrize("way", ["mouse", "key"])
def test_a_waiting_question_comes_back_to_be_edited(paths: AppPaths, way: str) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        composer = application.panes.composer
        await begin(application)
        await queue(application, "two", "three")
        if way == "mouse":
            type_text(application, "started")
            QTest.mouseClick(button(application, "Edit: three"), Qt.MouseButton.LeftButton)
            wanted = "three\nstarted"
        else:
            press(application, Qt.Key.Key_Up)
            wanted = "three"
        await until(lambda: composer.text() == wanted)
        await until(lambda: texts(application) == ("two",))
        assert composer.editor.hasFocus()
        type_text(application, "!")
        press(application, Qt.Key.Key_Return)
        await until(lambda: texts(application) == ("two", f"{wanted}!".replace("\n", " ")))
        vendor.go.set()
        await answered_all(application, 3)
        assert vendor.asked == ["one", "two", f"{wanted}!"]

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_the_order_is_changed_with_the_keyboard_and_the_focus_stays(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await begin(application)
        await queue(application, "a", "b", "c", "d", "e")
        shown = strip(application)
        assert shown is not None
        rest = shown.findChild(QWidget, "waitingQuestionsAll")
        assert isinstance(rest, QAbstractButton) and rest.isVisible() and "2 more" in rest.accessibleName()
        up = button(application, "Move up: c")
        up.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(up, Qt.Key.Key_Space)
        await until(lambda: texts(application) == ("a", "c", "b", "d", "e"))
        again = button(application, "Move up: c")
        await until(again.hasFocus)
        QTest.keyClick(again, Qt.Key.Key_Return)
        await until(lambda: texts(application) == ("c", "a", "b", "d", "e"))
        await until(application.panes.composer.editor.hasFocus)  # the button is gone: nothing is above it
        vendor.go.set()
        await answered_all(application, 6)

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_after_stop_and_after_a_restart_it_waits_for_the_person(paths: AppPaths) -> None:
    vendor = Vendor()

    async def first(application: WindowApplication) -> None:
        await begin(application)
        await queue(application, "two")
        press(application, Qt.Key.Key_Escape)
        shown = strip(application)
        assert shown is not None
        await until(lambda: "not completed" in shown.words)
        assert vendor.asked == ["one"]

    async def second(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: texts(application) == ("two",))
        vendor.go.set()
        QTest.mouseClick(button(application, "Send now: two"), Qt.MouseButton.LeftButton)
        await answered_all(application, 2)
        assert await questions(application) == ["one", "two"]
        await ask(application, "three")

    with served(vendor.script) as server:
        play(paths, first, settings(server))
        play(paths, second, settings(server))


def test_the_list_of_all_that_waits_has_it_and_takes_it_back(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await begin(application)
        await queue(application, "two")
        first = application.threads.thread_id
        assert application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        assert strip(application) is None
        assert application.panes.commands.trigger("app.waiting")
        await until(lambda: application.panes.window.findChild(QWidget, "waitingDialog") is not None)
        dialog = application.panes.window.findChild(QWidget, "waitingDialog")
        assert dialog is not None

        def cancel() -> QAbstractButton | None:
            names = {each.accessibleName(): each for each in dialog.findChildren(QAbstractButton)}
            return names.get("Cancel “two”")

        await until(cancel)
        found = cancel()
        assert found is not None
        await until(lambda: not is_unread(found))
        QTest.mouseClick(found, Qt.MouseButton.LeftButton)
        services = await application.services()
        await until(lambda: not services.questions.all)
        draft = await services.chat.drafts.get(first)
        assert draft is not None and draft.text == "two"
        dialog.close()

    with served(vendor.script) as server:
        play(paths, script, settings(server))
