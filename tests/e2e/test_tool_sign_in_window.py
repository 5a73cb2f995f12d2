"""Signing in to a server over HTTP from the settings, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.features.tools.server_form import ServerForm
from chatdesk.ui.features.tools.sign_in_binding import SignInCard
from chatdesk.ui.features.tools.tools_page import ToolsPage
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.check_steps import shown_steps
from tests.helpers.sign_in_server import FIXED_CLIENT, FIXED_SECRET, Browser, sign_in_server
from tests.helpers.tools_world import server
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _child(parent: QWidget, kind: type[Any], name: str) -> Any:
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def _press(widget: QWidget) -> None:
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(widget, Qt.Key.Key_Space)


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    """A profile whose keys are kept in memory."""
    found = AppPaths.find(tmp_path / "profile")
    found.make_directories()
    ProvidersStore(found.config_dir).save(StoredProviders(key_place=KeyPlace.MEMORY))
    return found


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """What opens the pages that ChatDesk sends a person to."""
    opening = Browser()
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opening.open(url.toString()) is None)
    return opening


def test_a_person_signs_in_and_out_by_keyboard(paths: AppPaths, browser: Browser) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        tools = await services.tools.load()
        await tools.save(server())
        await tools.save(ToolServer("web", "Web", ServerKind.ADDRESS, address=web.address))
        application.panes.commands.trigger("app.tools")
        await until(lambda: application.panes.window.findChild(QPushButton, "toolSignIn_web"))
        page = _child(application.panes.window, ToolsPage, "toolsPage")
        button, said = _child(page, QPushButton, "toolSignIn_web"), _child(page, CheckSteps, "toolSteps_web")
        await until(button.isVisible)
        assert not _child(page, QPushButton, "toolSignIn_notes").isVisible()
        assert (button.text(), button.accessibleName()) == ("Sign in…", "Sign in to Web") and not browser.opened
        _press(button)
        await until(lambda: shown_steps(said) == [(None, "Signed in.")] and button.text() == "Sign out")
        assert len(browser.opened) == 1 and [each.id for each in tools.servers if each.is_signed_in] == ["web"]
        _press(button)
        await until(
            lambda: shown_steps(said) == [(None, "Signed out, here and at the server.")] and button.text() == "Sign in…"
        )
        assert len(browser.opened) == 1 and not any(each.is_signed_in for each in tools.servers)

    with sign_in_server() as web:
        play(paths, script)
        browser.join()


def test_a_client_that_a_person_registered_is_entered_in_the_form(paths: AppPaths, browser: Browser) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window = application.panes.window
        application.panes.commands.trigger("app.tools")
        await until(lambda: window.findChild(QPushButton, "toolsAdd"))
        add = _child(window, QPushButton, "toolsAdd")
        await until(add.isVisible)
        _press(add)
        await until(lambda: window.findChild(ServerForm))
        form = window.findChild(ServerForm)
        assert form is not None
        await until(form.name.hasFocus)
        QTest.keyClicks(form.name, "Web")
        assert form.folder.isVisible() and not form.client_id.isVisible()
        form.command.setFocus()
        QTest.keyClicks(form.command, web.address)
        assert not form.folder.isVisible() and form.client_id.isVisible()
        form.client_id.setText(FIXED_CLIENT)
        form.client_secret.setText(FIXED_SECRET)
        assert form.client_secret.echoMode() is QLineEdit.EchoMode.Password
        closed: list[int] = []
        form.finished.connect(closed.append)
        _press(form.save_button)
        await until(lambda: closed and window.findChild(QPushButton, "toolSignIn_web"))
        _press(_child(window, QPushButton, "toolSignIn_web"))
        said = _child(window, CheckSteps, "toolSteps_web")
        await until(lambda: shown_steps(said) == [(None, "Signed in.")])
        assert web.pages[0]["client_id"] == FIXED_CLIENT and len(web.clients) == 1
        assert FIXED_SECRET not in paths.tools_file.read_text("utf-8")

    with sign_in_server() as web:
        play(paths, script)
        browser.join()


def test_a_server_that_is_missed_in_an_answer_offers_to_sign_in(paths: AppPaths, browser: Browser) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        model = ScriptedProvider()
        services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
        tools = await services.tools.load()
        await tools.save(ToolServer("web", "Web", ServerKind.ADDRESS, address=web.address))
        window = application.panes.window
        await ask(application, "go")
        await until(lambda: (card := window.findChild(SignInCard)) and card.isVisible())
        card = _child(window, SignInCard, "signInCard")
        assert card.title.text() == "Web asks you to sign in" and not browser.opened
        application.panes.commands.trigger("message.approve")
        assert card.sign_in_button.hasFocus()
        QTest.keyClick(card.sign_in_button, Qt.Key.Key_Space)
        await until(lambda: tools.servers[-1].is_signed_in and not card.isVisible())
        assert len(browser.opened) == 1 and application.panes.composer.editor.hasFocus()
        await ask(application, "again")
        assert [each["function"]["name"] for each in model.requests[-1].extra_fields["tools"]] == ["web__echo"]
        await tools.sign_ins.sign_out("web")
        await ask(application, "and now")
        await until(card.isVisible)
        QTest.mouseClick(card.later_button, Qt.MouseButton.LeftButton)
        await until(lambda: not card.isVisible())
        assert len(browser.opened) == 1

    with sign_in_server() as web:
        play(paths, script)
        browser.join()
