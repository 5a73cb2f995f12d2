"""Tools from the window: a server set up, a call read and allowed or denied, by keyboard and by mouse."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QMenu, QPushButton, QWidget

from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.events import ApprovalEnded
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.tools.server_form import ServerForm
from chatdesk.ui.features.tools.tools_page import ToolsPage
from chatdesk.ui.widgets.buttons import PillButton
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.check_steps import shown_steps
from tests.helpers.tools_world import command, processes_with, server
from tests.helpers.walks import is_unread
from tests.helpers.window import answered, click_once_read, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
_WRITE = {"name": "a.md", "text": "WAL is faster."}


def _shown(application: WindowApplication, kind: type[Any]) -> Any:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


def _child(parent: QWidget, kind: type[Any], name: str) -> Any:
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


async def _press(widget: QWidget) -> None:
    """Press a button as somebody does who walks by Tab."""
    await until(lambda: widget.isEnabled() and widget.isVisible())
    assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(widget, Qt.Key.Key_Space)


async def _model(application: WindowApplication, log: Path) -> ScriptedProvider:
    """A model that does what the test says, and a server that is set up."""
    services = await application.services()
    model = ScriptedProvider()
    services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
    tools = await services.tools.load()
    await tools.save(server(log=log))
    return model


def _will_write(model: ScriptedProvider, arguments: object = _WRITE) -> None:
    call = ToolCallDelta(0, "c1", "notes__write_note", json.dumps(arguments))
    model.will(TextDelta("I write it down."), call, StreamFinished(FinishReason.TOOL_CALLS))
    model.will(TextDelta("It is written."), StreamFinished(FinishReason.STOP))


def _status(message: Message) -> object:
    return next(part for part in message.parts if part.type is PartType.TOOL_CALL).content["status"]


def _runs(log: Path) -> list[Any]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


async def _card(application: WindowApplication) -> ConsentCard:
    await until(lambda: _shown(application, ConsentCard))
    card: ConsentCard = _shown(application, ConsentCard)
    return card


def test_a_call_is_read_and_allowed_by_keyboard(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        _will_write(await _model(application, log))
        type_text(application, "write that down")

        async def walk() -> None:
            card = await _card(application)
            assert not card.isAncestorOf(application.panes.window.focusWidget()), "who types goes on typing"
            assert _child(card, QLabel, "consentTitle").text() == "Run “write_note” of Notes?"
            assert json.loads(card.arguments.toPlainText()) == _WRITE
            assert "tool_server.py" in _child(card, QLabel, "consentWhere").text()
            application.panes.commands.trigger("message.approve")
            assert card.deny_button.hasFocus(), "the safest answer is the one at hand"
            QTest.keyClick(card.deny_button, Qt.Key.Key_Tab)
            assert card.once_button.hasFocus()
            assert not _runs(log)
            QTest.keyClick(card.once_button, Qt.Key.Key_Return)
            await until(lambda: not card.isVisible())
            assert application.panes.composer.editor.hasFocus()

        answer = answered(application, lambda: press(application, Qt.Key.Key_Return))
        message, _ = await asyncio.gather(answer, walk())
        assert _status(message) == "done" and message.text.endswith("It is written.")
        assert _runs(log) == [["write_note", _WRITE]]

    play(paths, script)
    assert not processes_with(str(log))


def test_a_call_is_denied_by_mouse(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        _will_write(await _model(application, log))
        type_text(application, "write that down")

        async def deny() -> None:
            QTest.mouseClick((await _card(application)).deny_button, Qt.MouseButton.LeftButton)

        answer = answered(application, lambda: press(application, Qt.Key.Key_Return))
        message, _ = await asyncio.gather(answer, deny())
        assert _status(message) == "denied" and not _runs(log)

    play(paths, script)


def test_changed_arguments_are_checked_and_then_used(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        _will_write(await _model(application, log))
        type_text(application, "write that down")

        async def change() -> None:
            card = await _card(application)
            problem = _child(card, QLabel, "consentProblem")
            for text, words in (("{", "not valid JSON"), ("[1]", "JSON object"), ('{"name": 3}', "“text” is missing")):
                card.arguments.setPlainText(text)
                await _press(card.once_button)
                assert words in problem.text() and card.isVisible()
            card.arguments.setPlainText('{"name": "b.md", "text": "Mine."}')
            assert not problem.text()
            card.arguments.setFocus()
            services.events.publish(ApprovalEnded("another chat", "another call"))
            assert card.arguments.hasFocus(), "what happens elsewhere takes no keys"
            await _press(card.once_button)

        answer = answered(application, lambda: press(application, Qt.Key.Key_Return))
        message, _ = await asyncio.gather(answer, change())
        assert _status(message) == "done"
        assert _runs(log) == [["write_note", {"name": "b.md", "text": "Mine."}]]

    play(paths, script)


@pytest.mark.parametrize("was_allowed", [False, True])
def test_calls_left_open_by_a_closed_window_are_decided_in_the_next_one(
    paths: AppPaths, tmp_path: Path, was_allowed: bool
) -> None:
    log = tmp_path / "log"

    async def begin(application: WindowApplication) -> None:
        model = await _model(application, log)
        call = ToolCallDelta(0, "c1", "notes__sleep", '{"seconds": 100}')
        model.will(TextDelta("I wait."), call, StreamFinished(FinishReason.TOOL_CALLS))
        type_text(application, "wait")
        press(application, Qt.Key.Key_Return)
        card = await _card(application)
        if was_allowed:
            await click_once_read(card, card.once_button)
            await until(lambda: _runs(log))

    async def go_on(application: WindowApplication) -> None:
        model = await _model(application, log)
        model.will(TextDelta("Done."), StreamFinished(FinishReason.STOP))
        window, transcript = application.panes.window, application.panes.transcript
        await until(lambda: transcript.entries and transcript.entries[-1].message.parts)
        answer_id = transcript.entries[-1].message.id
        words = "Nobody knows what it did" if was_allowed else "waited for your approval"
        await until(lambda: any(words in each.text for each in transcript.entries[-1].items))
        assert _shown(application, ConsentCard) is None, "nothing asks by itself"

        async def decide() -> None:
            application.panes.message_handlers.run("ask-calls", answer_id)
            card = await _card(application)
            reason = _child(card, QLabel, "consentReason")
            assert ("may have done its work" in reason.text()) == was_allowed
            card.arguments.setPlainText('{"seconds": 0}')
            application.panes.commands.trigger("message.approve")
            QTest.keyClick(card.deny_button, Qt.Key.Key_Tab)
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)

        message, _ = await asyncio.gather(answered(application, lambda: None), decide())
        assert message.id == answer_id and message.text == "I wait.Done."
        assert _status(message) == "done"

    play(paths, begin)
    assert len(_runs(log)) == was_allowed
    play(paths, go_on)
    assert _runs(log)[-1] == ["sleep", {"seconds": 0}]
    assert not processes_with(str(log))


def test_stopping_takes_the_card_away(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        _will_write(await _model(application, log))
        type_text(application, "write that down")

        async def stop() -> None:
            card = await _card(application)
            application.panes.commands.trigger("message.stop")
            await until(lambda: not card.isVisible())

        answer = answered(application, lambda: press(application, Qt.Key.Key_Return))
        message, _ = await asyncio.gather(answer, stop())
        assert _status(message) == "denied" and not _runs(log)

    play(paths, script)


def test_a_call_of_another_chat_says_so_and_leads_there(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        _will_write(await _model(application, log))
        services = await application.services()
        created = await services.chat.create_thread(None, "Elsewhere", "write that down")
        toast = application.panes.window.findChild(QPushButton, "toastAction")
        assert toast is not None
        await until(toast.isVisible)
        assert _shown(application, ConsentCard) is None
        await until(lambda: not is_unread(toast))
        QTest.mouseClick(toast, Qt.MouseButton.LeftButton)
        card = await _card(application)
        assert application.bindings.threads.thread_id == created.thread.id
        await _press(card.deny_button)
        await until(lambda: not services.chat.is_answering(created.thread.id))

    play(paths, script)


async def _page(application: WindowApplication) -> ToolsPage:
    await application.services()
    application.panes.commands.trigger("app.tools")
    await until(lambda: _shown(application, SettingsDialog))
    await until(lambda: _shown(application, ToolsPage))
    page: ToolsPage = _shown(application, ToolsPage)
    return page


def test_a_server_is_set_up_tested_switched_and_removed(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    paths.make_directories()
    ProvidersStore(paths.config_dir).save(StoredProviders(key_place=KeyPlace.MEMORY))

    async def script(application: WindowApplication) -> None:
        page = await _page(application)
        await until(_child(page, QLabel, "toolsNone").isVisible)
        await _press(page.add_button)
        await until(lambda: _shown(application, ServerForm))
        form: ServerForm = _shown(application, ServerForm)
        await until(form.name.hasFocus)
        await _press(form.save_button)
        assert "Give it a name" in form.problem.text() and form.name.hasFocus()
        QTest.keyClicks(form.name, "My notes")
        form.command.setFocus()
        QTest.keyClicks(form.command, shlex.join(command("--log", str(log))))
        form.values.setPlainText("LEVEL=3\nNOTES_TOKEN=hidden-value")
        await _press(form.save_button)
        await until(lambda: _shown(application, ServerForm) is None)  # the secret is kept then, too
        await until(lambda: page.findChild(QCheckBox, "toolSwitch_my-notes"))
        await _press(_child(page, QPushButton, "toolTest_my-notes"))
        steps = _child(page, CheckSteps, "toolSteps_my-notes")
        await until(lambda: (True, "Lists its tools: 5 tools") in shown_steps(steps))
        await until(lambda: _child(page, QLabel, "toolState_my-notes").text() == "Running, 5 tools")
        services = await application.services()
        assert "hidden-value" not in services.paths.tools_file.read_text("utf-8")
        switch = _child(page, QCheckBox, "toolSwitch_my-notes")
        await _press(switch)
        await until(lambda: _child(page, QLabel, "toolState_my-notes").text() == "Off")
        assert page.window().focusWidget() is switch and not switch.isChecked()
        await until(lambda: not processes_with(str(log)))
        await _press(_child(page, QPushButton, "toolRemove_my-notes"))
        await until(lambda: _shown(application, ConfirmDialog))
        await _press(_child(_shown(application, ConfirmDialog), QPushButton, "confirmYes"))
        await until(lambda: page.findChild(QCheckBox, "toolSwitch_my-notes") is None or not switch.isVisible())
        await until(_child(page, QLabel, "toolsNone").isVisible)

    play(paths, script)


def test_the_description_of_another_program_is_pasted(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        page = await _page(application)
        await _press(page.add_button)
        await until(lambda: _shown(application, ServerForm))
        form: ServerForm = _shown(application, ServerForm)
        entry = {"command": "npx", "args": ["-y", "server"], "env": {"API_KEY": "<YOUR_KEY>", "LEVEL": "3"}}
        form.command.setFocus()
        QTest.keyClicks(form.command, json.dumps({"mcpServers": {"files": entry}}))
        assert (form.name.text(), form.command.text()) == ("files", "npx -y server")
        assert "LEVEL=3" in form.values.toPlainText() and "filled in: API_KEY" in form.said.text()

    play(paths, script)


def test_what_is_allowed_is_listed_and_withdrawn(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        _will_write(await _model(application, log))
        type_text(application, "write that down")

        async def allow() -> None:
            card = await _card(application)
            menu = card.menu()
            next(each for each in menu.actions() if each.objectName() == "consent_thread").trigger()

        answer = answered(application, lambda: press(application, Qt.Key.Key_Return))
        message, _ = await asyncio.gather(answer, allow())
        assert _status(message) == "done"
        page = await _page(application)
        await until(lambda: page.findChild(QPushButton, "toolsRevoke_0"))
        await _press(_child(page, QPushButton, "toolsRevoke_0"))
        tools = await (await application.services()).tools.load()

        async def is_gone() -> bool:
            return not await tools.permissions()

        await until(is_gone)

    play(paths, script)


def test_servers_are_switched_for_a_chat_and_its_project(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        model = await _model(application, tmp_path / "log")
        services = await application.services()
        tools = await services.tools.load()
        await tools.save(server(server_id="other"))
        composer = application.panes.composer

        def chip() -> PillButton | None:
            return composer.findChild(PillButton, "toolsButton")

        def said(words: str) -> bool:
            button = chip()
            return button is not None and button.isVisible() and button.text() == words

        async def switch(name: str) -> None:
            menu = _child(composer, QMenu, "toolsMenu")
            button = chip()
            if button is not None and button.isVisible():
                await _press(button)
                await until(menu.isVisible)
                assert menu.geometry().bottom() < button.mapToGlobal(QPoint(0, 0)).y(), "above its button"
            _child(menu, QAction, name).trigger()
            menu.close()

        def is_none() -> bool:
            button = chip()
            return button is not None and button.isHidden()

        await until(lambda: said("2 tool servers"))
        await switch("toolsServer_other")  # of this chat, not of its project
        await until(lambda: said("Notes") and application.threads.thread_id is not None)
        application.panes.commands.trigger("thread.new")
        await until(lambda: said("2 tool servers"))
        type_text(application, "hi")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert len(model.requests[-1].extra_fields["tools"]) == 10
        await switch("toolsServer_other")
        await until(lambda: said("Notes"))
        type_text(application, "again")
        message = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert len(model.requests[-1].extra_fields["tools"]) == 5
        await switch("toolsForProject")
        await switch("toolsServer_notes")
        await until(is_none)
        application.panes.commands.trigger("thread.new")
        await until(lambda: said("Notes"))
        application.bindings.threads.open_soon(message.thread_id)
        await until(is_none)
        await switch("toolsAsElsewhere")
        await until(lambda: said("Notes"))
        for each in ("notes", "other"):
            await tools.remove(each)
        await until(lambda: (button := chip()) is not None and not button.isVisible())

    play(paths, script)
