"""A person connects two servers and asks both at once, keeps one answer and goes on with it: by mouse, and by keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.models import discovery
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.compare.compare_models import CompareModelsDialog
from chatdesk.ui.features.compare.view import CompareView
from chatdesk.ui.features.providers.provider_form import ProviderDialog
from tests.helpers.fault_server import Exchange, answer, models, status
from tests.helpers.threaded_server import serving
from tests.helpers.walks import Keys, button, click, dialog, gone, popup, shown
from tests.helpers.window import FIRST_START, answered, play, until

_CONTROL, _SHIFT, _ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def _server(model: str, asked: list[tuple[str, str]]) -> Callable[[Exchange], Awaitable[None]]:
    """Answers with the name of its model; ``asked`` gets it and what the last message says, also for titles."""

    async def script(exchange: Exchange) -> None:
        path = exchange.request.path
        if path.endswith("/models"):
            await models(model)(exchange)
        elif path.endswith("/chat/completions"):
            body = exchange.request.json
            asked.append((body["model"], body["messages"][-1]["content"]))
            await answer(f"This is {model}.")(exchange)
        else:
            await status(404, {})(exchange)

    return script


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Two servers on this computer, which ChatDesk finds."""
    with serving(_server("red", asked)) as first, serving(_server("blue", asked)) as second:
        ports = tuple(urlsplit(each).port for each in (first, second))
        monkeypatch.setattr(discovery, "local_ports", lambda: ports)
        yield first, second


def _use(address: str) -> str:
    return f"Use Server at port {urlsplit(address).port}, 1 model"


def _models_of(asked: list[tuple[str, str]], question: str) -> list[str]:
    return sorted(model for model, text in asked if text == question)


def _rows(addresses: tuple[str, str]) -> list[str]:
    """What the boxes of the two models are called."""
    ports = [urlsplit(each).port for each in addresses]
    return [f"{model} of Server at port {port}" for model, port in zip(("red", "blue"), ports, strict=True)]


async def _both_answered(application: WindowApplication) -> CompareView:
    await until(lambda: application.bindings.comparison.view is not None)
    view = application.bindings.comparison.view
    assert view is not None
    await until(lambda: all(each.answer.status is Status.COMPLETE for each in view.columns))
    await until(lambda: all(each.view.entries for each in view.columns))
    said = sorted(each.view.entries[0].message.text for each in view.columns)
    assert said == ["This is blue.", "This is red."]
    return view


async def _blue_is_kept(application: WindowApplication) -> None:
    panes = application.panes
    await until(lambda: application.bindings.comparison.view is None)
    await until(lambda: panes.transcript.isVisible() and len(panes.transcript.entries) == 2)
    shown = panes.transcript.entries[1].message
    assert (shown.text, shown.version_count) == ("This is blue.", 2)
    await until(lambda: panes.header.model_picker.text() == "blue")


def test_by_mouse(tmp_path: Path, addresses: tuple[str, str], asked: list[tuple[str, str]]) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        await until(lambda: panes.empty_state.first_screen is not None and panes.empty_state.first_screen.isVisible())
        await click(panes.empty_state, _use(addresses[0]))
        await until(lambda: panes.header.model_picker.text() == "red")
        QTest.mouseClick(panes.header.model_picker, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
        await click(await popup(), "Add provider…")
        await click(await dialog(ProviderDialog), _use(addresses[1]))
        await gone(ProviderDialog)
        QTest.mouseClick(panes.header.model_picker, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
        await click(await popup(), "Compare models…")
        choosing = await dialog(CompareModelsDialog)
        await until(lambda: len(choosing.selected()) == 2)  # the second server's models may come while it is open
        assert [(await shown(choosing, row)).isChecked() for row in _rows(addresses)] == [True, True]
        await click(choosing, "Compare")
        await until(lambda: panes.header.model_picker.text() == "Comparing 2 models")
        card = next(each for each in panes.empty_state.cards if each.start.title == "Explain a stack trace")
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)
        await until(lambda: panes.composer.send_button.isEnabled())
        question = panes.composer.text()
        QTest.mouseClick(panes.composer.send_button, Qt.MouseButton.LeftButton)
        view = await _both_answered(application)
        assert _models_of(asked, question) == ["blue", "red"]
        await click(view, "Keep the answer of blue")
        await _blue_is_kept(application)

    play(AppPaths.find(tmp_path, {}), script, FIRST_START)


def test_by_keys(tmp_path: Path, addresses: tuple[str, str], asked: list[tuple[str, str]]) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        keys, editor = await Keys.of(panes.window), panes.composer.editor
        await until(lambda: panes.empty_state.first_screen is not None and keys.focused is editor)
        first_screen = panes.empty_state.first_screen
        assert first_screen is not None
        await until(lambda: button(first_screen, _use(addresses[0])) is not None)
        keys.press(Qt.Key.Key_F6, _SHIFT)
        keys.tab_to(_use(addresses[0]))
        keys.press(Qt.Key.Key_Return)
        await until(lambda: panes.header.model_picker.text() == "red" and keys.focused is editor)
        keys.press(Qt.Key.Key_M, _CONTROL | _ALT)
        await popup()
        keys.tab_to("Add provider…")
        keys.press(Qt.Key.Key_Return)
        connecting = await dialog(ProviderDialog)
        await until(lambda: button(connecting, _use(addresses[1])) is not None)
        keys.tab_to(_use(addresses[1]))
        keys.press(Qt.Key.Key_Return)
        await gone(ProviderDialog)
        keys.press(Qt.Key.Key_M, _CONTROL | _SHIFT)
        choosing = await dialog(CompareModelsDialog)
        await until(lambda: len(choosing.selected()) == 2)  # the second server's models may come while it is open
        assert [(await shown(choosing, row)).isChecked() for row in _rows(addresses)] == [True, True]
        keys.tab_to("Compare")
        keys.press(Qt.Key.Key_Return)
        await gone(CompareModelsDialog)
        await until(lambda: keys.focused is editor)
        keys.type("Which one?")
        keys.press(Qt.Key.Key_Return)
        await _both_answered(application)
        keys.tab_to("Keep the answer of blue")
        keys.press(Qt.Key.Key_Return)
        await _blue_is_kept(application)
        keys.type("And then?")
        message = await answered(application, lambda: keys.press(Qt.Key.Key_Return))
        assert (message.text, message.model) == ("This is blue.", "blue")
        assert _models_of(asked, "Which one?") == ["blue", "red"]
        assert _models_of(asked, "And then?") == ["blue"], "one model is asked from now on"

    play(AppPaths.find(tmp_path, {}), script, FIRST_START)
