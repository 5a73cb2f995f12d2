"""Which model is asked is seen before, at the answer and after the next start."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from tests.helpers.fault_server import Exchange, answer, models
from tests.helpers.threaded_server import serving
from tests.helpers.window import FIRST_START, ask, play, until


async def _chat(exchange: Exchange) -> None:
    is_list = exchange.request.path.endswith("/models")
    await (models("swift-small", "slow-large") if is_list else answer("Hi"))(exchange)


def _authors(application: WindowApplication) -> list[str]:
    return [entry.facts.author for entry in application.panes.transcript.entries if not entry.facts.is_question]


def _choose(application: WindowApplication, words: str) -> None:
    """By the keyboard: open the list, type, Enter."""
    application.panes.commands.trigger("thread.model")
    chooser = QApplication.activePopupWidget()
    assert isinstance(chooser, ModelChooser)
    QTest.keyClicks(chooser.search, words)
    QTest.keyClick(chooser.search, Qt.Key.Key_Return)


def test_the_header_and_the_answer_name_the_model_that_is_asked(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        picker = application.panes.header.model_picker
        await until(lambda: picker.text() == "Offline demo")
        await services.provider_service.save(
            ProviderProfile("", "other", "Team", address, aliases={"swift-small": "Swift"})
        )
        await until(lambda: picker.text() == "Swift")
        message = await ask(application, "Hello")
        assert (message.provider, message.model) == ("team", "swift-small")
        await until(lambda: _authors(application) == ["Swift"])
        assert application.threads.open_thread is not None

    with serving(_chat) as address:
        play(AppPaths.find(tmp_path, {}), script, FIRST_START)


def test_a_model_that_only_the_server_knows_is_written_to_the_answer(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await services.provider_service.save(ProviderProfile("", "other", "Team", address))
        services.use_accounts()  # as at a start: nobody has asked the server for its models yet
        assert services.providers.default() == ("team", "")
        created = await services.chat.create_thread(None, "", "Hello")
        assert created.answer is not None
        await until(lambda: not services.chat.is_answering(created.thread.id))
        stored = await services.chat.reader.get_message(created.answer.id)
        assert (stored.model, stored.status, stored.error) == ("swift-small", Status.COMPLETE, None)

    with serving(_chat) as address:
        play(AppPaths.find(tmp_path, {}), script, FIRST_START)


def test_the_model_that_was_chosen_last_answers_after_a_restart(tmp_path: Path) -> None:
    async def choose(application: WindowApplication) -> None:
        services = await application.services()
        await services.provider_service.save(ProviderProfile("", "other", "Team", address))
        picker = application.panes.header.model_picker
        await until(lambda: picker.text() == "swift-small")
        editor = application.panes.composer.editor
        await until(editor.hasFocus)
        _choose(application, "large")
        assert picker.text() == "slow-large"
        await until(editor.hasFocus)

    async def again(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.panes.header.model_picker.text() == "slow-large")
        message = await ask(application, "Hello")
        assert (message.provider, message.model) == ("team", "slow-large")

    with serving(_chat) as address:
        play(AppPaths.find(tmp_path, {}), choose, FIRST_START)
        play(AppPaths.find(tmp_path, {}), again, FIRST_START)


def test_a_model_whose_provider_is_gone_is_not_remembered(tmp_path: Path) -> None:
    async def choose(application: WindowApplication) -> None:
        services = await application.services()
        await services.provider_service.save(ProviderProfile("", "other", "Team", address))
        await until(lambda: application.panes.header.model_picker.text() == "swift-small")
        _choose(application, "large")
        await services.provider_service.remove("team")
        await until(lambda: application.panes.header.model_picker.text() == "Offline demo")

    async def again(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.panes.header.model_picker.text() == "Offline demo")
        assert (await ask(application, "Hello")).provider == "offline"

    with serving(_chat) as address:
        play(AppPaths.find(tmp_path, {}), choose, FIRST_START)
        play(AppPaths.find(tmp_path, {}), again, FIRST_START)
