"""Providers in the real window: added, tested, found, removed; keys in a file; nothing of it waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from shiboken6 import Shiboken

from chatdesk.core.chat.provider_setup import provider_service
from chatdesk.core.domain.provider_check import FoundServer, Step
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.domain.usage import Usage
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.core.settings.secrets import KeptSecret
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.providers.model_table import Column
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_form import ProviderDialog, ProviderForm
from chatdesk.ui.features.providers.provider_models import ProviderModels
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from tests.helpers.asked_team import shown
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status
from tests.helpers.settings_pages import provider_page
from tests.helpers.window import FIRST_START, ask, play, until

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
    button.click()


async def _settings(application: WindowApplication) -> SettingsDialog:
    await application.services()
    application.panes.commands.trigger("app.settings")
    dialog = await shown(SettingsDialog)
    dialog.show_page("Providers")
    await until(lambda: dialog.findChild(QPushButton, "providerEdit_openai"))
    return dialog


async def _form(dialog: SettingsDialog) -> ProviderForm:
    await until(lambda: any(each.isVisible() for each in dialog.findChildren(ProviderDialog)))
    return next(each.form for each in dialog.findChildren(ProviderDialog) if each.isVisible())


def test_a_server_is_added_tested_asked_and_removed(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server:
            services = await application.services()
            dialog = await _settings(application)
            _press(dialog, "providerAdd")
            [adding] = dialog.findChildren(ProviderDialog)
            assert adding.findChild(QPushButton, "providerManage") is None, "all providers are below it"
            fields = adding.form
            fields.vendor.setCurrentIndex(fields.vendor.findData("other"))
            fields.address.setText(server.base_url.replace("127.0.0.1", "localhost"))
            fields.key.field.setText(KEY)
            await until(lambda: fields.key.place_box.isVisible())
            _press(adding, "providerTest")
            await until(lambda: dialog.findChild(QPushButton, "providerEdit_localhost"))
            await until(lambda: services.providers.default()[0] == "localhost")
            await until(lambda: not Shiboken.isValid(adding) or not adding.isVisible())
            _press(dialog, "providerEdit_localhost")
            form = await _form(dialog)
            form.name.setText("Team")
            _press(form.window(), "providerTest")
            await until(lambda: "streams its answer" in form.steps.text(Step.STREAMING))
            await until(lambda: form.test_button.text() == "Test")
            _press(form.window(), "providerSave")
            await until(lambda: services.accounts.get("localhost").profile.label == "Team")
            _press(dialog, "providerTest_localhost")
            await until(lambda: (provider_page(dialog).row("localhost").said or ("",))[0] == "Works, 2 models")
            dialog.reject()
            message = await ask(application, "Hello")
            assert (message.provider, message.text) == ("localhost", "Hi from the team")
            assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"

            dialog = await _settings(application)
            _press(dialog, "providerEdit_localhost")
            form = await _form(dialog)
            _press(form.window(), "providerRemove")
            await until(lambda: form.window().findChild(ConfirmDialog))
            _press(_confirm(form), "confirmYes")
            await until(lambda: services.providers.default()[0] == "offline")
            dialog.reject()

    play(paths, script, FIRST_START)
    assert "Team" not in (paths.config_dir / "providers.json").read_text()


def _keep_for_one_run(paths: AppPaths) -> None:
    """There is no keyring where tests run."""
    ProvidersStore(paths.config_dir).save(StoredProviders(key_place=KeyPlace.MEMORY))


def _confirm(form: ProviderForm) -> ConfirmDialog:
    return next(each for each in form.window().findChildren(ConfirmDialog) if each.isVisible())


def test_another_address_asks_before_it_gets_the_kept_key(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server, FaultServer(_chat) as other:
            services = await application.services()
            await services.provider_service.save(
                ProviderProfile("", "other", "Team", server.base_url, model="tiny"), key=KEY
            )
            dialog = await _settings(application)
            _press(dialog, "providerEdit_team")
            form = await _form(dialog)
            form.address.setText(other.base_url)
            _press(form.window(), "providerSave")
            await until(lambda: form.window().findChildren(ConfirmDialog))
            said = _confirm(form).accessibleDescription()
            assert server.base_url.removesuffix("/v1") in said
            assert other.base_url.removesuffix("/v1") in said
            _press(_confirm(form), "confirmNo")
            await until(form.save_button.isEnabled)
            await until(lambda: not any(each.isVisible() for each in form.window().findChildren(ConfirmDialog)))
            assert services.accounts.get("team").profile.base_url == server.base_url
            _press(form.window(), "providerSave")
            await until(lambda: any(each.isVisible() for each in form.window().findChildren(ConfirmDialog)))
            _press(_confirm(form), "confirmYes")
            await until(lambda: services.accounts.get("team").profile.base_url == other.base_url)
            assert not [each for each in other.requests if KEY in str(each.headers)]
            await until(lambda: not Shiboken.isValid(form) or not form.isVisible())  # what is typed belongs to it
            dialog.reject()
            application.panes.window.activateWindow()  # as a window manager does
            await until(application.panes.window.isActiveWindow)
            await ask(application, "Hello")
            assert other.requests[-1].headers["authorization"] == f"Bearer {KEY}"

    _keep_for_one_run(paths)
    play(paths, script, FIRST_START)


def test_a_withheld_key_is_told_and_used_after_a_yes(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server:
            services = await application.services()
            file = paths.config_dir / "providers.json"
            await services.provider_service.save(
                ProviderProfile("", "other", "Team", "http://127.0.0.1:9/v1", model="tiny"), key=KEY
            )
            file.write_text(file.read_text().replace("http://127.0.0.1:9/v1", server.base_url))
            services.accounts.load()
            services.use_accounts()
            message = await ask(application, "Hello")
            assert message.error is not None
            assert "given for http://127.0.0.1:9" in str(message.error)
            assert not server.requests
            dialog = await _settings(application)
            _press(dialog, "providerEdit_team")
            form = await _form(dialog)
            assert "given for http://127.0.0.1:9" in form.key.where.text()
            _press(form, "providerKeyAgree")
            await until(lambda: form.window().findChild(ConfirmDialog))
            _press(_confirm(form), "confirmYes")
            await until(lambda: "from now on" in form.key.where.text())
            _press(form.window(), "providerCancel")
            dialog.reject()
            await ask(application, "Hello again")
            assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"

    _keep_for_one_run(paths)
    play(paths, script, FIRST_START)


def test_a_form_says_what_failed_and_stays(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        paths.config_dir.joinpath("providers.json").mkdir()  # nothing can be written there
        dialog = await _settings(application)
        _press(dialog, "providerEdit_openai")
        form = await _form(dialog)
        _press(form.window(), "providerSave")
        await until(lambda: "could not be written" in form.problem.text())
        assert form.isVisible()
        _press(form.window(), "providerCancel")
        dialog.reject()

    play(paths, script, FIRST_START)


def test_a_server_that_was_found_is_one_press_away(paths: AppPaths, found: list[FoundServer]) -> None:
    found.append(FoundServer("ollama", "Ollama", "http://127.0.0.1:9/v1", ("a",)))

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: application.panes.empty_state.findChild(QPushButton, "found_ollama"))
        dialog = await _settings(application)
        await until(lambda: dialog.findChild(QPushButton, "found_ollama"))
        _press(dialog, "found_ollama")
        await until(lambda: dialog.findChild(QPushButton, "providerEdit_ollama"))
        assert services.providers.default()[0] == "ollama"
        provider_page(dialog).finding.click()
        await until(lambda: not services.provider_service.finds_local_servers)
        dialog.reject()

    play(paths, script, FIRST_START)


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
        await until(lambda: "does not open" in dialog.problem.text())
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
            (asking.new, "maple otter thirty tides"),
            (asking.again, "maple otter thirty tides"),
        ):
            field.setText(text)
        _press(asking, "passphraseYes")
        await until(lambda: settings.findChild(PassphraseDialog) is None or not asking.isVisible())
        settings.reject()

    play(paths, script, FIRST_START)
    again = KeyFile(paths.config_dir)
    again.unlock("maple otter thirty tides")
    assert KeptSecret.decoded(again.get("openai") or "").value == KEY


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

    play(paths, script, FIRST_START)


def test_a_key_that_was_refused_is_replaced_in_the_form(paths: AppPaths) -> None:
    async def chat(exchange: Exchange) -> None:
        if exchange.request.headers.get("authorization") != f"Bearer {KEY}":
            await status(401, {"error": {"message": "no key"}})(exchange)
        else:
            await _chat(exchange)

    async def script(application: WindowApplication) -> None:
        async with FaultServer(chat) as server:
            services = await application.services()
            await services.provider_service.save(ProviderProfile("", "other", "Team", server.base_url))
            dialog = await _settings(application)
            row = provider_page(dialog).row("team")
            _press(dialog, "providerTest_team")
            await until(lambda: (row.said or ("",))[0] == "401: the key was refused")
            assert "401" in row.steps.text(Step.KEY)
            _press(dialog, "providerEdit_team")
            form = await _form(dialog)
            QTest.keyClicks(form.key.field, KEY)
            await until(lambda: form.key.has_state)
            _press(form.window(), "providerSave")
            await until(lambda: services.accounts.get("team").key.value == KEY)
            _press(dialog, "providerTest_team")
            await until(lambda: (row.said or ("",))[0] == "Works, 2 models")
            dialog.reject()

    _keep_for_one_run(paths)
    play(paths, script, FIRST_START)


def test_what_is_said_of_models_holds_for_the_menu_and_the_costs(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server:
            services = await application.services()
            await services.provider_service.save(ProviderProfile("", "other", "Team", server.base_url))
            dialog = await _settings(application)
            page = provider_page(dialog)
            await until(lambda: page.findChildren(QPushButton, "providerModels_team"))
            page.row("team").modelsRequested.emit()
            await until(lambda: dialog.findChildren(ProviderModels))
            models_dialog = dialog.findChildren(ProviderModels)[0]
            await until(lambda: len(models_dialog.rows.lines) == 2)
            rows = models_dialog.rows
            rows.setData(rows.index(0, Column.NAME), "My tiny")
            rows.setData(rows.index(0, Column.INPUT), "1")
            rows.setData(rows.index(0, Column.OUTPUT), "3")
            rows.setData(rows.index(1, Column.OFFERED), None, Qt.ItemDataRole.CheckStateRole)
            _press(models_dialog, "providerModelsSave")
            await until(lambda: not any(each.isVisible() for each in dialog.findChildren(ProviderModels)))
            dialog.reject()
            header = application.panes.header
            await until(lambda: ("team", "Team", (("tiny", "My tiny"),)) in header.models)
            cost = services.chat.context.models.cost_of(
                "team", "tiny", Usage(input_tokens=1_000_000, output_tokens=1_000_000)
            )
            assert cost == 4.0

    _keep_for_one_run(paths)
    play(paths, script, FIRST_START)


def test_the_form_asks_where_to_store_keys_if_that_is_undecided(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_chat) as server:
            services = await application.services()
            await services.provider_service.save(ProviderProfile("", "other", "Team", server.base_url))
            dialog = await _settings(application)
            _press(dialog, "providerEdit_team")
            form = await _form(dialog)
            QTest.keyClicks(form.key.field, KEY)
            await until(lambda: form.key.place_box.isVisible())
            assert services.accounts.get("team").key.value == ""
            _press(form.window(), "providerSave")
            await until(lambda: services.accounts.get("team").key.value == KEY)
            dialog.reject()

    play(paths, script, FIRST_START)
