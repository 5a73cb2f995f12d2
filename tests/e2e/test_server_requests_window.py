"""What a tool server asks a person for, in the window: forms, pages, by keyboard and by mouse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.domain.tools import Answer
from chatdesk.core.events import UsageRecorded
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.tools.server_requests import Action, FormRequest
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.tools.request_card import RequestCard
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.tools_world import server
from tests.helpers.walks import is_unread
from tests.helpers.window import answered, click_once_read, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def _shown(application: WindowApplication, kind: type[Any]) -> Any:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


def _child(parent: QWidget, kind: type[Any], name: str) -> Any:
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def _said(message: Message) -> dict[str, Any]:
    """What the server got, which is what it returned."""
    result = next(part for part in message.parts if part.type is PartType.TOOL_RESULT)
    said: dict[str, Any] = json.loads(result.text)
    return said


async def _card(application: WindowApplication) -> RequestCard:
    await until(lambda: _shown(application, RequestCard))
    card: RequestCard = _shown(application, RequestCard)
    return card


async def _set_up(application: WindowApplication, tool: str, **arguments: Any) -> ScriptedProvider:
    """A model that calls one tool of a server that asks for something."""
    services = await application.services()
    model = ScriptedProvider()
    services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
    tools = await services.tools.load()
    await tools.save(server("asks"))
    call = ToolCallDelta(0, "c1", f"notes__{tool}", json.dumps(arguments))
    model.will(TextDelta("I ask."), call, StreamFinished(FinishReason.TOOL_CALLS))
    model.will(TextDelta("Done."), StreamFinished(FinishReason.STOP))
    return model


async def _answered(application: WindowApplication, answer: Callable[[RequestCard], Awaitable[None]]) -> Message:
    """Ask, allow the call, and answer what its server asks for."""

    async def walk() -> None:
        await until(lambda: _shown(application, ConsentCard))
        card = _shown(application, ConsentCard)
        await click_once_read(card, card.once_button)
        await answer(await _card(application))

    type_text(application, "go")
    message, _ = await asyncio.gather(answered(application, lambda: press(application, Qt.Key.Key_Return)), walk())
    return message


def test_a_form_is_filled_in_by_keyboard(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        window = application.panes.window

        async def fill(card: RequestCard) -> None:
            assert not card.isAncestorOf(window.focusWidget()), "who types goes on typing"
            assert card.title.text() == "Notes asks you for something"
            assert _child(card, QLabel, "requestMessage").text() == "Who travels?⟦U+202E⟧"
            where = _child(card, QLabel, "requestWhere").text()
            assert "“ask_form” runs" in where and "tool_server.py" in where
            assert not _child(card, QLabel, "requestWarning").text()
            application.panes.commands.trigger("message.approve")
            name = _child(card, QLineEdit, "requestField_0")
            assert name.hasFocus() and name.accessibleName() == "Your name"
            assert name.accessibleDescription() == "As it is printed"
            QTest.keyClicks(name, "A")
            seats = _child(card, QLineEdit, "requestField_2")
            assert seats.text() == "2" and _child(card, QCheckBox, "requestField_4").isChecked()
            meal = _child(card, QComboBox, "requestField_5")
            for field in (name, _child(card, QLineEdit, "requestField_1"), seats):
                assert field.hasFocus()
                QTest.keyClick(field, Qt.Key.Key_Tab)
            card.accept_button.setFocus(Qt.FocusReason.TabFocusReason)
            QTest.keyClick(card.accept_button, Qt.Key.Key_Space)
            assert card.problem.text() == "“Your name” is at least 2 characters." and name.hasFocus()
            QTest.keyClicks(name, "Ada")
            QTest.keyClick(card.accept_button, Qt.Key.Key_Space)
            assert card.problem.text() == "“meal” is missing." and meal.hasFocus()
            QTest.keyClick(meal, Qt.Key.Key_Down)
            QTest.keyClick(card.accept_button, Qt.Key.Key_Space)
            await until(lambda: not card.isVisible())

        await _set_up(application, "ask_form")
        said = _said(await _answered(application, fill))
        assert said == {"action": "accept", "content": {"name": "Ada", "seats": 2, "window": True, "meal": "veg"}}

    play(paths, script)


def test_the_keys_stay_in_their_field_and_never_go_to_another_request(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        questions = services.chat.tools.questions

        async def swap(card: RequestCard) -> None:
            first = card.request
            assert isinstance(first, FormRequest)
            _child(card, QLineEdit, "requestField_2").setFocus()
            asker = replace(first.asker, server_name="Other")
            later = asyncio.ensure_future(questions.ask(replace(first, id="later", asker=asker)))
            await until(lambda: len(questions.waiting()) == 2)
            assert _child(card, QLineEdit, "requestField_2").hasFocus(), "what else waits takes no keys"
            questions.answer(first.id, Action.CANCEL)  # as a server does that withdraws it
            await until(lambda: card.request is not first)
            assert card.title.text() == "Other asks you for something" and card.decline_button.hasFocus()
            QTest.keyClick(card.decline_button, Qt.Key.Key_Space)
            assert await later == (Action.DECLINE, None)

        await _set_up(application, "ask_form")
        assert _said(await _answered(application, swap)) == {"action": "cancel"}

    play(paths, script)


def test_a_secret_is_not_asked_for_in_silence_and_escape_gives_nothing(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async def leave(card: RequestCard) -> None:
            warning = _child(card, QLabel, "requestWarning")
            assert warning.isVisible()
            assert warning.text() == "“password” looks like a secret. Notes gets what you enter, as you enter it."
            application.panes.commands.trigger("message.approve")
            QTest.keyClick(application.panes.window.focusWidget(), Qt.Key.Key_Escape)
            await until(lambda: not card.isVisible())
            assert application.panes.composer.editor.hasFocus()

        await _set_up(application, "ask_form", form="secret")
        assert _said(await _answered(application, leave)) == {"action": "cancel"}

    play(paths, script)


def test_a_page_opens_after_a_click_alone(paths: AppPaths) -> None:
    opened: list[str] = []

    async def script(application: WindowApplication) -> None:
        async def open_it(card: RequestCard) -> None:
            assert card.whole.toPlainText() == "https://xn--py-jia.example.com/checkout?id=7"
            assert not opened
            await click_once_read(card, card.accept_button)

        await _set_up(application, "ask_page", address="https://pày.example.com/checkout?id=7")
        assert _said(await _answered(application, open_it)) == {"action": "accept"}
        assert len(opened) == 1

    with patch.object(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) is None):
        play(paths, script)


def test_a_page_is_declined(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async def decline(card: RequestCard) -> None:
            application.panes.commands.trigger("message.approve")
            assert card.decline_button.hasFocus(), "the safest answer is the one at hand"
            QTest.keyClick(card.decline_button, Qt.Key.Key_Return)

        await _set_up(application, "ask_page")
        assert _said(await _answered(application, decline)) == {"action": "decline"}

    play(paths, script)


def test_a_request_of_another_chat_leads_there(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _set_up(application, "ask_page")

        async def leave_and_come_back(card: RequestCard) -> None:
            application.panes.commands.trigger("thread.new")
            await until(lambda: not card.isVisible())
            application.panes.commands.trigger("message.approve")
            await until(card.isVisible)
            QTest.mouseClick(card.later_button, Qt.MouseButton.LeftButton)

        assert _said(await _answered(application, leave_and_come_back)) == {"action": "cancel"}

    play(paths, script)


def test_stopping_takes_the_form_away(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async def stop(card: RequestCard) -> None:
            application.panes.commands.trigger("message.stop")
            await until(lambda: not card.isVisible())

        await _set_up(application, "ask_form")
        message = await _answered(application, stop)
        assert not any(part.type is PartType.TOOL_RESULT for part in message.parts)

    play(paths, script)


def test_a_request_elsewhere_says_so(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _set_up(application, "ask_page")
        services = await application.services()
        created = await services.chat.create_thread(None, "Elsewhere", "go")
        approvals, questions = services.chat.tools.approvals, services.chat.tools.questions
        await until(approvals.waiting)
        approvals.answer(approvals.waiting()[0].id, Answer.ONCE)
        toast = application.panes.window.findChild(QPushButton, "toastAction")
        assert toast is not None
        await until(lambda: questions.waiting() and toast.isVisible())
        assert _shown(application, RequestCard) is None
        await until(lambda: not is_unread(toast))
        QTest.mouseClick(toast, Qt.MouseButton.LeftButton)
        card = await _card(application)
        QTest.mouseClick(card.decline_button, Qt.MouseButton.LeftButton)
        await until(lambda: not services.chat.is_answering(created.thread.id))

    play(paths, script)


def test_a_server_asks_the_model_once_it_is_let_and_each_time_agreed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        model = await _set_up(application, "ask_model")
        services = await application.services()
        application.panes.commands.trigger("app.tools")
        window = application.panes.window
        await until(lambda: window.findChild(QCheckBox, "toolAskModel_notes"))
        box = _child(window, QCheckBox, "toolAskModel_notes")
        await until(box.isVisible)
        assert not box.isChecked()
        QTest.mouseClick(box, Qt.MouseButton.LeftButton)
        tools = await services.tools.load()

        def may_ask() -> bool:
            found = tools.server("notes")
            return found is not None and found.may_ask_model

        await until(may_ask)
        box.window().close()

        async def agree(card: RequestCard) -> None:
            assert card.title.text().startswith("Notes wants to ask ")
            assert card.whole.toPlainText() == "System prompt:\nYou are terse.\n\nUser:\nWhat is WAL?⟦U+202E⟧"
            assert "at most 50 tokens" in _child(card, QLabel, "requestWhere").text()
            model.scripts.insert(0, (TextDelta("A log."), StreamFinished(FinishReason.STOP)))
            await click_once_read(card, card.accept_button)

        recorded: list[UsageRecorded] = []
        subscription = services.events.subscribe(UsageRecorded, recorded.append)
        said = _said(await _answered(application, agree))
        assert said["content"] == {"type": "text", "text": "A log."}
        assert UsageRecorded("") in recorded, "the ledger has a line for it"
        subscription.cancel()

    play(paths, script)
