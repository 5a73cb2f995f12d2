"""Answering, asking again, waiting and failing in the real window, against a server on loopback."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QMenu

from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.fault_server import Exchange, Script, answer, status
from tests.helpers.served import Served, served
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
SMALL, LARGE = ("openai", "swift-small"), ("openai", "swift-large")
OFFLINE = [("offline", "offline-demo"), ("offline", "offline-echo")]


class Vendor:
    """A server whose next answers a test says; it says which model it was asked for."""

    def __init__(self) -> None:
        self.next: list[Script] = []
        self.asked: list[str] = []

    async def script(self, exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            listed = [{"id": model, "object": "model"} for _provider, model in (SMALL, LARGE)]
            await status(200, {"object": "list", "data": listed})(exchange)
            return
        model = exchange.request.json["model"]
        self.asked.append(model)
        await (self.next.pop(0) if self.next else answer(f"I am {model}."))(exchange)


def settings(server: Served) -> Settings:
    return Settings(provider="openai", openai_base_url=server.base_url, openai_model="swift-small", model_titles=False)


def last(application: WindowApplication) -> MessageEntry | None:
    """None while the thread is reloaded."""
    entries = application.panes.transcript.entries
    return entries[-1] if entries else None


def notice(application: WindowApplication) -> NoticeItem | None:
    entry = last(application)
    return next((item for item in entry.items if isinstance(item, NoticeItem)), None) if entry is not None else None


def labels(application: WindowApplication) -> list[str]:
    item = notice(application)
    return [label for _action, label in item.actions] if item is not None else []


async def click(application: WindowApplication, label: str) -> None:
    """The button of the last message's notice."""
    transcript = application.panes.transcript

    def place() -> object:
        item = notice(application)
        shown = item is not None and any(button.text == label for button in item.buttons())
        is_there = shown and transcript.parts.viewport_layout.origin_of(item) is not None
        return is_there and item is not None and item.unread is not None and not item.unread.is_unread

    await until(place)
    item = notice(application)
    assert item is not None
    origin = transcript.parts.viewport_layout.origin_of(item)
    assert origin is not None
    area = next(button.area for button in item.buttons() if button.text == label)
    QTest.mouseClick(transcript.viewport(), Qt.MouseButton.LeftButton, pos=(origin + area.center()).toPoint())


async def choose(application: WindowApplication, words: str) -> None:
    """Type into the chooser that is open, and take the first that has these words."""
    found: list[ModelChooser] = []

    def is_open() -> bool:
        found[:] = [each for each in application.panes.transcript.findChildren(ModelChooser) if each.isVisible()]
        return bool(found) and found[0].rows.rowCount() > 0

    await until(is_open)
    (chooser,) = found
    QTest.keyClicks(chooser.search, words)
    QTest.keyClick(chooser.search, Qt.Key.Key_Return)
    assert not chooser.isVisible()


async def shown(application: WindowApplication) -> tuple[Message, ...]:
    chat = (await application.services()).chat
    assert application.threads.thread_id is not None
    return (await chat.reader.get_thread_messages(application.threads.thread_id)).messages


async def models_listed(application: WindowApplication) -> None:
    await application.services()
    await until(lambda: any(LARGE[1] == each for row in application.panes.header.models for each, _ in row[2]))


def test_an_answer_is_regenerated_with_another_model_and_the_thread_keeps_its_own(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        await models_listed(application)
        first = await ask(application, "Who are you?")
        transcript = application.panes.transcript
        assert transcript.parts.actions.act("regenerate-with")
        again = await answered(application, lambda: asyncio.ensure_future(choose(application, "large")))
        assert (again.model, again.text, again.version_index) == ("swift-large", "I am swift-large.", 2)
        assert again.parent_id == first.parent_id
        await ask(application, "And now?")
        assert vendor.asked == ["swift-small", "swift-large", "swift-small"]

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_question_without_an_answer_offers_one(paths: AppPaths) -> None:
    vendor = Vendor()

    async def script(application: WindowApplication) -> None:
        first = await ask(application, "Who are you?")
        application.panes.transcript.actionRequested.emit("branch", first.parent_id)
        await until(lambda: application.threads.thread_id not in (None, first.thread_id))
        await until(lambda: notice(application) is not None)
        done = await answered(application, lambda: asyncio.ensure_future(click(application, "Answer")))
        await until(lambda: last(application) is not None and last(application).message == done)
        application.panes.transcript.actionRequested.emit("delete", done.id)
        await until(lambda: labels(application) == ["Answer"])
        application.panes.composer.setFocus()
        again = await answered(
            application,
            lambda: QTest.keyClick(application.panes.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier),
        )
        assert again.role is Role.ASSISTANT and again.text == "I am swift-small."
        assert len(vendor.asked) == 3

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_failed_model_is_replaced_in_place_and_for_the_thread(paths: AppPaths) -> None:
    vendor = Vendor()
    vendor.next = [status(404, {"error": {"message": "The model swift-small does not exist"}})]

    async def script(application: WindowApplication) -> None:
        await models_listed(application)
        failed = await ask(application, "Who are you?")
        assert failed.error_type == "model_not_found"
        await click(application, "Choose another model…")
        again = await answered(application, lambda: asyncio.ensure_future(choose(application, "large")))
        assert (again.id, again.text, again.version_count) == (failed.id, "I am swift-large.", 1)
        await until(lambda: application.panes.header.model_picker.text() == "swift-large")
        assert (await ask(application, "And now?")).model == "swift-large"

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_refused_key_leads_to_the_form_of_its_provider(paths: AppPaths) -> None:
    vendor = Vendor()
    vendor.next = [status(401, {"error": {"message": "Incorrect API key provided"}})]

    async def script(application: WindowApplication) -> None:
        failed = await ask(application, "Who are you?")
        assert "It says: “Incorrect API key provided”. Your message is kept." in (failed.error or "")
        await click(application, "Change the key…")

        def forms() -> list[QDialog]:
            found = application.panes.window.findChildren(QDialog, "providerDialog")
            return [each for each in found if each.isVisible()]

        await until(forms)
        forms()[0].close()

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_retry_is_counted_down_and_had_now(paths: AppPaths) -> None:
    vendor = Vendor()
    vendor.next = [status(429, {"error": {"message": "Slow down"}}, headers=[("retry-after", "25")])]

    async def script(application: WindowApplication) -> None:
        await application.services()
        type_text(application, "Who are you?")
        press(application, Qt.Key.Key_Return)
        await until(lambda: notice(application) is not None and notice(application).ticks)
        assert " Trying again in 2" in notice(application).text
        done = await answered(application, lambda: asyncio.ensure_future(click(application, "Try now")))
        assert done.text == "I am swift-small."

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_a_limit_is_passed_by_or_waited_for(paths: AppPaths) -> None:
    vendor = Vendor()
    too_many = status(429, {"error": {"message": "Slow down"}}, headers=[("retry-after", "600")])
    vendor.next = [too_many, too_many]

    async def script(application: WindowApplication) -> None:
        failed = await ask(application, "Who are you?")
        assert failed.error_type == "rate_limited"
        await until(lambda: labels(application))
        later = labels(application)[0]
        assert later.startswith("Try at ")
        await click(application, later)
        await until(lambda: labels(application) == ["Cancel"])
        assert len(vendor.asked) == 1, "it is asked for when the time has come"
        await answered(application, lambda: asyncio.ensure_future(click(application, "Cancel")))
        await click(application, "Try again")
        await until(lambda: labels(application) == ["Cancel"])
        await answered(application, lambda: asyncio.ensure_future(click(application, "Cancel")))
        chat = (await application.services()).chat
        failed = await answered(
            application, lambda: asyncio.ensure_future(chat.retry_message(failed.id, is_urgent=True))
        )
        assert failed.error_type == "rate_limited" and len(vendor.asked) == 2
        done = await answered(application, lambda: asyncio.ensure_future(click(application, "Try now")))
        assert done.text == "I am swift-small."

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def test_it_says_for_whom_it_waits(paths: AppPaths) -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.hang()

    vendor = Vendor()
    vendor.next = [silent]

    async def script(application: WindowApplication) -> None:
        await application.services()
        type_text(application, "Who are you?")
        press(application, Qt.Key.Key_Return)

        def words() -> str:
            entries = application.panes.transcript.entries
            items = entries[-1].items if entries else ()
            return next((item.words for item in items if isinstance(item, WaitingItem)), "")

        await until(lambda: words().startswith("Waiting for swift-small, "))
        stopped = await answered(application, lambda: application.panes.commands.trigger("message.stop"))
        assert stopped.status is Status.STOPPED
        done = await answered(application, lambda: asyncio.ensure_future(click(application, "Try again")))
        assert (done.id, done.text) == (stopped.id, "I am swift-small.")

    with served(vendor.script) as server:
        play(paths, script, settings(server))


def _state(application: WindowApplication) -> tuple[str, str]:
    """What is above the text in the composer, and its button."""
    bar = application.panes.composer.above.state
    if bar is None or not bar.isVisible():
        return "", ""
    return bar.text, bar.button.text()


def _leave(application: WindowApplication) -> None:
    button = application.panes.composer.findChild(QAbstractButton, "composerStateLeave")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_an_edit_says_what_stays_behind_is_marked_and_can_be_cancelled(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        await ask(application, "two")
        await ask(application, "three")
        transcript, composer = application.panes.transcript, application.panes.composer
        type_text(application, "unsent")
        transcript.actionRequested.emit("edit", first.parent_id)
        await until(lambda: _state(application)[1] == "Cancel")
        assert _state(application)[0] == "Editing a question. 4 later messages stay in version 1."
        assert [entry.is_edited for entry in transcript.entries] == [True, *[False] * 5]
        _leave(application)
        await until(lambda: _state(application) == ("", ""))
        assert composer.text() == "unsent" and not any(entry.is_edited for entry in transcript.entries)
        transcript.actionRequested.emit("edit", first.parent_id)
        await until(lambda: _state(application)[1] == "Cancel")
        composer.set_text("one, better")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert len(await shown(application)) == 2
        assert application.panes.window.findChild(Toast).text == "4 later messages stay in version 1."
        assert _state(application) == ("", "")

    play(paths, script)


def test_comparing_belongs_to_its_thread_and_is_left_with_one_click(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        old = await ask(application, "an old question")
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        application.messages.models.compare(OFFLINE)
        assert _state(application) == ("Questions in this thread go to 2 models.", "Stop comparing")
        type_text(application, "which one?")
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.bindings.comparison.view is not None)
        chat = (await application.services()).chat
        compared_id = application.threads.thread_id
        await until(lambda: not chat.is_answering(compared_id))
        assert application.messages.models.compared == tuple(OFFLINE)
        application.threads.open_soon(old.thread_id)
        await until(lambda: application.threads.thread_id == old.thread_id)
        assert application.messages.models.compared == () and _state(application) == ("", "")
        assert (await ask(application, "one model only")).version_count == 1
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        assert application.messages.models.compared == ()
        application.threads.open_soon(compared_id)
        await until(lambda: application.threads.thread_id == compared_id)
        assert application.panes.header.model_picker.text() == "Comparing 2 models"
        _leave(application)
        assert application.messages.models.compared == () and _state(application) == ("", "")
        assert application.panes.header.model_picker.text() != "Comparing 2 models"

    play(paths, script)


def test_the_menu_of_an_answer_has_icons_and_a_way_to_another_model(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        transcript = application.panes.transcript
        transcript.setFocus()
        QTest.keyClick(transcript, Qt.Key.Key_Menu)
        menus = [menu for menu in transcript.findChildren(QMenu, "messageMenu") if menu.isVisible()]
        assert len(menus) == 1
        actions = {each.objectName(): each for each in menus[0].findChildren(QAction)}
        for name in ("message-copy", "message-edit", "message-delete"):
            assert not actions[name].icon().isNull(), name
        menus[0].close()

    play(paths, script)
