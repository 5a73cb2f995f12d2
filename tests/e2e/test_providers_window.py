"""Providers in the real window: added, tested, found, removed; keys in a file; nothing of it waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.chat import provider_service
from chatdesk.core.domain.provider_check import FoundServer, Step
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.confirm import ConfirmDialog
from chatdesk.ui.dialogs.passphrase import PassphraseDialog
from chatdesk.ui.dialogs.provider_form import ProviderForm
from chatdesk.ui.dialogs.settings import SettingsDialog
from tests.helpers.fault_server import Exchange, FaultServer, answer, models
from tests.helpers.window import ask, play, until

KEY = "sk-marked-0123456789"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path, {})


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> list[FoundServer]:
    """Tests do not look at the ports of the computer they run on."""
    servers: list[FoundServer] = []

    async def find() -> tuple[FoundServer, ...]:
        return tuple(servers)

    monkeypatch.setattr(provider_service, "find_local_servers", find)
    return servers


async def _chat(exchange: Exchange) -> None:
    script = models("tiny", "other") if exchange.request.path.endswith("/models") else answer("Hi from the team")
    await script(exchange)


def _press(parent: QWidget, name: str) -> None:
    button = parent.findChild(QPushButton, name)
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


async def _settings(application: WindowApplication) -> SettingsDialog:
    await application.services()
    application.panes.commands.trigger("app.settings")
    dialog = application.panes.window.findChild(SettingsDialog)
    assert dialog is not None
    dialog.show_page("Providers")
    await until(lambda: dialog.findChild(QPushButton, "providerField_openai"))
    return dialog


async def _form(dialog: SettingsDialog) -> ProviderForm:
    await until(lambda: any(each.isVisible() for each in dialog.findChildren(ProviderForm)))
    return next(each for each in dialog.findChildren(ProviderForm) if each.isVisible())


def test_a_server_is_added_tested_asked_and_removed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server:
            services = await application.services()
            dialog = await _settings(application)
            dialog.provider_page.addRequested.emit("other")
            form = await _form(dialog)
            form.name.setText("Team")
            form.address.setText(server.base_url)
            form.key.field.setText(KEY)
            _press(form, "providerTest")
            await until(lambda: "answers as a stream" in form.steps.text(Step.STREAMING))
            await until(lambda: form.test_button.text() == "Test")
            await until(lambda: form.key.place_box.count())
            _press(form, "providerSave")
            await until(lambda: dialog.findChild(QPushButton, "providerField_team"))
            await until(lambda: services.providers.default()[0] == "team")
            _press(dialog, "providerTest_team")
            await until(lambda: dialog.provider_page.row_status("team") == "works, 2 models")
            dialog.reject()
            message = await ask(application, "Hello")
            assert (message.provider, message.text) == ("team", "Hi from the team")
            assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"

            dialog = await _settings(application)
            _press(dialog, "providerField_team")
            form = await _form(dialog)
            _press(form, "providerRemove")
            confirm = form.findChild(ConfirmDialog)
            assert confirm is not None
            _press(confirm, "confirmYes")
            await until(lambda: services.providers.default()[0] == "offline")
            dialog.reject()

    play(paths, script)
    assert "Team" not in (paths.config_dir / "providers.json").read_text()


def test_a_form_says_what_failed_and_stays(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        paths.config_dir.joinpath("providers.json").mkdir()  # nothing can be written there
        dialog = await _settings(application)
        dialog.provider_page.addRequested.emit("groq")
        form = await _form(dialog)
        _press(form, "providerSave")
        await until(lambda: "could not be saved" in form._problem.text())
        assert form.isVisible()
        form.reject()
        dialog.reject()

    play(paths, script)


def test_a_server_that_was_found_is_one_press_away(paths: AppPaths, found: list[FoundServer]) -> None:
    found.append(FoundServer("ollama", "Ollama", "http://127.0.0.1:9/v1", ("a",)))

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: "Ollama was found" in application.panes.empty_state.sub_text.text())
        dialog = await _settings(application)
        await until(lambda: dialog.findChild(QPushButton, "foundAdd_ollama"))
        _press(dialog, "foundAdd_ollama")
        await until(lambda: dialog.findChild(QPushButton, "providerField_ollama"))
        assert services.providers.default()[0] == "ollama"
        dialog.provider_page.finding.click()
        await until(lambda: not services.provider_service.finds_local_servers)
        dialog.reject()

    play(paths, script)


def test_keys_in_a_file_are_asked_for_once_a_run(paths: AppPaths) -> None:
    paths.make_directories()
    file = KeyFile(paths.config_dir, work=2**10)
    file.create(PASSPHRASE)
    file.put("openai", KEY)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: application.panes.window.findChild(PassphraseDialog))
        dialog = application.panes.window.findChild(PassphraseDialog)
        assert dialog is not None
        QTest.keyClicks(dialog.field, "not it at all")
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        await until(lambda: "does not open" in dialog._problem.text())
        dialog.field.setText(PASSPHRASE)
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        await until(lambda: services.providers.default()[0] == "openai")
        assert services.accounts.get("openai").key.value == KEY
        settings = await _settings(application)
        _press(settings, "providerPassphraseChange")
        asking = settings.findChild(PassphraseDialog)
        assert asking is not None
        for field, text in (
            (asking.field, PASSPHRASE),
            (asking.new, "another passphrase"),
            (asking.again, "another passphrase"),
        ):
            field.setText(text)
        _press(asking, "passphraseYes")
        await until(lambda: settings.findChild(PassphraseDialog) is None or not asking.isVisible())
        settings.reject()

    play(paths, script)
    again = KeyFile(paths.config_dir)
    again.unlock("another passphrase")
    assert again.get("openai") == KEY


def test_a_favourite_of_the_long_list_is_kept_and_the_lists_are_fetched_again(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(models(*(f"model-{number}" for number in range(420)))) as server:
            services = await application.services()
            profile = ProviderProfile("", "other", "Team", server.base_url, aliases={"model-7": "Seven"})
            await services.provider_service.save(profile)
            picker = application.panes.header.model_picker
            await until(lambda: sum(len(choices) for _name, _label, choices in picker.models) > 400)
            picker.likeToggled.emit("team", "model-7", True)
            await until(lambda: {name: each for name, _, each in picker.models}["team"][0][1] == "Seven")
            before = len(server.requests)
            picker.refreshRequested.emit()
            await until(lambda: len(server.requests) > before)
            assert services.accounts.get("team").profile.favourites == ("model-7",)

    play(paths, script)
