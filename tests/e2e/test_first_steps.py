"""A person who has never seen ChatDesk connects a server from the first screen and asks it: by mouse, and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.models import discovery
from chatdesk.core.settings import presets
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.first_screen.first_screen import FirstScreen
from chatdesk.ui.features.providers.provider_form import ProviderDialog
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from tests.helpers.fault_server import Exchange, answer, models, status
from tests.helpers.threaded_server import serving
from tests.helpers.walks import Keys, texts
from tests.helpers.window import FAST, FIRST_START, answered, ask, play, until

KEY = "gsk_marked0123456789abcdef"


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path, {})


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where servers are looked for: nowhere, unless a test says so."""
    looked_at: list[int] = []
    monkeypatch.setattr(discovery, "local_ports", lambda: tuple(looked_at))
    return looked_at


async def _chat(exchange: Exchange) -> None:
    path = exchange.request.path
    if path.endswith("/models"):
        await models("tiny", "other")(exchange)
    elif path.endswith("/chat/completions"):
        await answer("Hi from the server")(exchange)
    else:
        await status(404, {})(exchange)


async def _refusing(exchange: Exchange) -> None:
    await status(401, {"error": {"message": "Incorrect API key"}})(exchange)


@pytest.fixture
def address() -> Iterator[str]:
    with serving(_chat) as found:
        yield found


async def _first_screen(application: WindowApplication) -> FirstScreen:
    await application.services()
    application.panes.window.activateWindow()
    state = application.panes.empty_state
    await until(lambda: state.first_screen is not None and state.first_screen.isVisible())
    assert isinstance(state.first_screen, FirstScreen)
    return state.first_screen


def _click(parent: QWidget, words: str) -> None:
    """Click the button that says so; *Connect* by its key, since a mouse is held off for the first moment."""
    found = [each for each in parent.findChildren(QAbstractButton) if each.isVisible() and each.text() == words]
    assert found, words
    if words == "Connect":
        QTest.keyClick(found[0], Qt.Key.Key_Space)
    else:
        QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)


def test_by_mouse_a_server_on_this_computer_is_connected_and_asked(
    paths: AppPaths, address: str, ports: list[int]
) -> None:
    port = urlsplit(address).port
    assert port is not None
    ports.append(port)

    async def script(application: WindowApplication) -> None:
        first_screen = await _first_screen(application)
        panes = application.panes
        await until(lambda: f"Use Server at port {port}, 2 models" in _buttons(first_screen))
        _click(first_screen, f"Use Server at port {port}, 2 models")
        await until(lambda: panes.empty_state.first_screen is None)
        await until(lambda: panes.header.model_picker.text() == "tiny")
        await until(lambda: "tiny of Server at port" in panes.empty_state.sub_text.text())
        card = next(card for card in panes.empty_state.cards if card.start.title == "Explain a stack trace")
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)
        send = panes.composer.send_button
        message = await answered(application, lambda: QTest.mouseClick(send, Qt.MouseButton.LeftButton))
        _is_answered(application, message)

    play(paths, script, FIRST_START)


def test_by_keys_a_server_of_ones_own_is_connected_and_asked(paths: AppPaths, address: str) -> None:
    async def script(application: WindowApplication) -> None:
        await _first_screen(application)
        panes = application.panes
        keys, editor = await Keys.of(panes.window), panes.composer.editor
        await until(lambda: keys.focused is editor)
        keys.press(Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
        keys.tab_to("Provider")
        keys.type("Own")
        keys.tab_to("Address of the server")
        keys.type(address.removeprefix("http://").removesuffix("/v1"))
        keys.press(Qt.Key.Key_Return)
        await until(lambda: panes.empty_state.first_screen is None)
        await until(lambda: panes.header.model_picker.text() == "tiny")
        await until(lambda: keys.focused is editor)
        keys.type("Hello")
        message = await answered(application, lambda: keys.press(Qt.Key.Key_Return))
        _is_answered(application, message)

    play(paths, script, FIRST_START)


def _buttons(parent: QWidget) -> list[str]:
    return [each.text() for each in parent.findChildren(QAbstractButton) if each.isVisible()]


def _is_answered(application: WindowApplication, message: Message) -> None:
    assert (message.text, message.model) == ("Hi from the server", "tiny")
    shown = [entry.facts.author for entry in application.panes.transcript.entries if not entry.facts.is_question]
    assert shown == ["tiny"]


@pytest.fixture
def groq(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A vendor whose keys can be told by their beginning, at the server of the test."""
    monkeypatch.setitem(presets.PRESETS, "groq", replace(presets.PRESETS["groq"], base_url=address))  # type: ignore[arg-type]


@pytest.mark.usefixtures("groq")
def test_a_key_that_is_pasted_finds_its_vendor_is_tested_and_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first_screen = await _first_screen(application)
        services = await application.services()
        form = first_screen.provider
        assert form.vendor.currentText() == "OpenAI"
        QGuiApplication.clipboard().setText(KEY)
        form.key.field.setFocus()
        QTest.keyClick(form.key.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        assert form.vendor.currentText() == "Groq"
        await until(lambda: form.key.has_state)
        if form.key.place() is not None:  # there is no keyring: the person has seen where the key goes
            await until(form.key.place_box.isVisible)
            _click(first_screen, "Connect")
        await until(lambda: services.providers.default()[0] == "groq")
        assert services.accounts.get("groq").key.value == KEY
        message = await ask(application, "Hello")
        _is_answered(application, message)

    play(paths, script, FIRST_START)


@pytest.mark.usefixtures("groq")
def test_a_key_of_one_vendor_is_not_left_for_another(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        form = (await _first_screen(application)).provider
        QTest.keyClicks(form.key.field, "typed for one")
        form.vendor.setCurrentIndex(form.vendor.findText("Mistral"))
        assert form.key.key() == ""

    play(paths, script, FIRST_START)


def test_what_does_not_work_is_said_and_kept_only_if_one_wants(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first_screen = await _first_screen(application)
        services = await application.services()
        form = first_screen.provider
        form.vendor.setCurrentIndex(form.vendor.findText("Own server"))
        _click(first_screen, "Connect")
        assert "Enter the address of the server." in texts(first_screen)
        form.address.setText(refusing)
        _click(first_screen, "Connect")
        await until(lambda: "Nothing was kept." in texts(first_screen))
        assert not [each for each in services.accounts.accounts if each.profile.base_url == refusing]
        _click(first_screen, "Save without a test")
        await until(lambda: [each for each in services.accounts.accounts if each.profile.base_url == refusing])

    with serving(_refusing) as refusing:
        play(paths, script, FIRST_START)


def test_trying_it_offline_shows_what_there_is_and_is_remembered(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first_screen = await _first_screen(application)
        message = await answered(application, lambda: _click(first_screen, "Take the tour"))
        assert "what ChatDesk does with the answers of a real model" in message.text

    async def again(application: WindowApplication) -> None:
        await application.services()
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        state = application.panes.empty_state
        await until(lambda: "demo model" in state.sub_text.text())
        assert state.first_screen is None
        assert [card.start.title for card in state.cards][2:] == ["Connect a provider", "Import your chats"]
        QTest.mouseClick(state.cards[2], Qt.MouseButton.LeftButton)
        assert application.panes.window.findChild(ProviderDialog).isVisible()

    play(paths, script, FIRST_START)
    play(paths, again, FIRST_START)


def test_the_first_screen_leads_to_the_export_of_each_program(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first_screen = await _first_screen(application)
        window = application.panes.window
        for program, words in (("Claude", "Settings, Privacy"), ("ChatGPT", "Data controls")):
            _click(first_screen, program)
            await until(lambda: any(each.isVisible() for each in window.findChildren(ImportDialog)))
            dialog = next(each for each in window.findChildren(ImportDialog) if each.isVisible())
            assert dialog.program.currentText() == program
            assert words in texts(dialog)
            dialog.reject()
            await until(lambda: not any(each.isVisible() for each in window.findChildren(ImportDialog)))

    play(paths, script, FIRST_START)


def test_somebody_who_has_a_provider_or_wants_none_is_not_asked(paths: AppPaths, address: str) -> None:
    async def wants_none(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: "demo model" in application.panes.empty_state.sub_text.text())
        assert application.panes.empty_state.first_screen is None

    async def has_one(application: WindowApplication) -> None:
        await _first_screen(application)
        services = await application.services()
        await services.provider_service.save(ProviderProfile("", "other", "Team", address))
        await until(lambda: application.panes.empty_state.first_screen is None)
        assert application.panes.empty_state.cards[0].start.title == "Explain a stack trace"

    play(paths, wants_none, FAST)
    play(paths, has_one, FIRST_START)


def test_a_provider_is_added_from_the_list_of_models(paths: AppPaths, address: str, ports: list[int]) -> None:
    port = urlsplit(address).port
    assert port is not None
    ports.append(port)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await ask(application, "Hello")
        picker = application.panes.header.model_picker
        QTest.mouseClick(picker, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
        chooser = QApplication.activePopupWidget()
        assert chooser is not None
        _click(chooser, "Add provider…")
        dialog = application.panes.window.findChild(ProviderDialog)
        wanted = f"Use Server at port {port}, 2 models"
        await until(lambda: wanted in _buttons(dialog))
        _click(dialog, wanted)
        await until(lambda: application.panes.window.findChild(ProviderDialog) is None)
        assert services.providers.has(f"server-at-port-{port}")
        await until(lambda: picker.text() == "tiny")

    play(paths, script, FIRST_START)
