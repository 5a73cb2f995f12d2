"""Assistants from the window: made in the library, chosen for a chat and for one question, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton

from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import AssistantSetup, PromptKind
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.features.prompts.assistant_fields import AssistantFields
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.tools_world import server
from tests.helpers.window import answered, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


async def _model(application: WindowApplication) -> ScriptedProvider:
    services = await application.services()
    model = ScriptedProvider()
    services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
    return model


async def _shown(application: WindowApplication, kind: type[Any]) -> Any:
    window = application.panes.window
    await until(lambda: any(each.isVisible() for each in window.findChildren(kind)))
    return next(each for each in window.findChildren(kind) if each.isVisible())


def _button(application: WindowApplication) -> PillButton | None:
    return application.panes.window.findChild(PillButton, "assistantButton")


def _choose(application: WindowApplication, words: str) -> None:
    menu = application.panes.composer.findChild(QMenu, "assistantsMenu")
    assert menu is not None
    action: QAction = next(each for each in menu.actions() if each.text() == words)
    action.trigger()


def test_an_assistant_is_made_in_the_library(paths: AppPaths, tmp_path: Path) -> None:
    file = tmp_path / "style.txt"
    file.write_text("Short sentences.", "utf-8")

    async def script(application: WindowApplication) -> None:
        await _model(application)
        services = await application.services()
        await (await services.tools.load()).save(server())
        assert _button(application) is None
        application.panes.commands.trigger("thread.assistant")  # there is none yet: a new one is begun
        dialog: PromptsDialog = await _shown(application, PromptsDialog)
        fields: AssistantFields = await _shown(application, AssistantFields)
        QTest.keyClicks(dialog.form.name_field, "Editor")
        QTest.keyClicks(dialog.form.text_field, "You are an editor.")
        fields.icon_box.setFocus()
        QTest.keyClicks(fields.icon_box, "Pen")
        tools = fields.tools_button
        await until(lambda: any(each.text() == "Notes" for each in tools.menu().actions()))
        next(each for each in tools.menu().actions() if each.text() == "Notes").trigger()
        fields.add_file(await services.attachments.add_file(file))
        QTest.keyClick(fields.parameters_button, Qt.Key.Key_Space)
        asking: ParametersDialog = await _shown(application, ParametersDialog)
        length = asking.findChild(QLineEdit, "parameter_answer_length")
        assert length is not None
        length.setText("500")
        asking.findChild(QPushButton, "parametersSave").click()
        dialog.done_button.click()
        await until(lambda: not application.panes.window.findChildren(PromptsDialog))
        (made,) = [each for each in await services.prompts.list() if each.kind is PromptKind.ASSISTANT]
        prompt = await services.prompts.get(made.id)
        assert prompt.setup is not None and (prompt.name, prompt.text) == ("Editor", "You are an editor.")
        assert (prompt.setup.icon, prompt.setup.tools) == ("pencil", ("notes",))
        assert prompt.setup.parameters == Parameters(answer_length=500)
        assert [each.name for each in prompt.setup.files] == ["style.txt"]
        await until(lambda: application.panes.composer.findChild(QMenu, "assistantsMenu"))
        assert _button(application) is None, "nothing is on yet"

    play(paths, script)


def _toast(application: WindowApplication) -> str:
    found = application.panes.window.findChild(Toast)
    return "" if found is None else found.text


def test_an_assistant_answers_in_a_chat_until_another_is_chosen(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        model = await _model(application)
        services = await application.services()
        await services.prompts.create(PromptKind.ASSISTANT, "Editor", "You are an editor.", AssistantSetup("pencil"))
        await until(lambda: application.panes.composer.findChild(QMenu, "assistantsMenu"))
        _choose(application, "Editor")
        await until(lambda: (chip := _button(application)) is not None and chip.isVisible() and chip.text() == "Editor")
        type_text(application, "one")
        first = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert first.assistant_name == "Editor"
        assert model.requests[-1].messages[0].text == "You are an editor."
        _choose(application, "No assistant")
        await until(lambda: _button(application).isHidden())  # type: ignore[union-attr]
        type_text(application, "two")
        second = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert second.assistant_name is None
        application.panes.commands.trigger("edit.undo")  # which names the choice, for the question stays
        await until(lambda: "cannot be undone" in _toast(application))
        application.panes.commands.trigger("edit.undo")
        await until(lambda: (chip := _button(application)) is not None and chip.isVisible() and chip.text() == "Editor")

    play(paths, script)


def test_an_at_asks_an_assistant_one_question(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        model = await _model(application)
        services = await application.services()
        await services.prompts.create(PromptKind.ASSISTANT, "Editor", "You are an editor.")
        composer = application.panes.composer
        for text in ("mail me at a@b.org", "Please @"):
            composer.clear()
            type_text(application, text)
        menu: PromptMenu = await _shown(application, PromptMenu)
        assert menu.list.item(0).text() == "Editor"
        type_text(application, "ed")
        press(application, Qt.Key.Key_Return)
        await until(lambda: composer.above.state is not None and composer.above.state.isVisible())
        assert composer.above.state is not None and composer.above.state.text == "Editor answers this question."
        assert composer.text() == "Please "
        type_text(application, "shorten this")
        answer = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert answer.assistant_name == "Editor"
        assert model.requests[-1].messages[-1].text == "Please shorten this"
        await until(lambda: not composer.above.state.isVisible())
        type_text(application, "thanks")
        plain = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert plain.assistant_name is None

    play(paths, script)


def test_an_at_offers_to_make_the_first_assistant(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _model(application)
        services = await application.services()
        type_text(application, "@")
        menu: PromptMenu = await _shown(application, PromptMenu)
        row = menu.list.item(0)
        assert (menu.list.count(), row.text()) == (1, "New assistant…")
        assert "asked with @" in row.data(Qt.ItemDataRole.AccessibleDescriptionRole)
        press(application, Qt.Key.Key_Return)
        dialog: PromptsDialog = await _shown(application, PromptsDialog)
        await until(lambda: dialog.form.written().kind is PromptKind.ASSISTANT)
        dialog.reject()
        await services.prompts.create(PromptKind.ASSISTANT, "Editor", "You are an editor.")
        application.panes.composer.clear()
        type_text(application, "@")
        await until(lambda: menu.isVisible() and menu.list.count() == 2)
        assert [menu.list.item(row).text() for row in range(2)] == ["Editor", "Edit assistants…"]

    play(paths, script)
