"""What tool servers offer, from the window: prompts after a slash, resources after an @."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton

from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.domain.tools import Answer
from chatdesk.core.paths import AppPaths
from chatdesk.core.tools.offers import Offers, ServerPrompt, UsedPrompt
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from tests.helpers.tools_world import processes_with, server
from tests.helpers.walks import is_unread
from tests.helpers.window import play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def _listed(application: WindowApplication) -> list[str]:
    menus = application.panes.window.findChildren(PromptMenu)
    menu = next((each for each in menus if each.isVisible()), None)
    return [] if menu is None else [menu.list.item(row).text() for row in range(menu.list.count())]


def _text(application: WindowApplication) -> str:
    return application.panes.composer.text()


def _words(application: WindowApplication) -> str:
    return " ".join(each.text() for each in application.panes.window.findChildren(QLabel) if each.isVisible())


async def _set_up(application: WindowApplication, how: str = "", *, log: Path) -> None:
    tools = await (await application.services()).tools.load()
    await tools.save(server(how, log=log))


def test_a_prompt_of_a_server_asks_for_its_arguments_and_is_inserted(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        await _set_up(application, log=log)
        assert not processes_with(str(log)), "nothing starts before somebody asks"
        type_text(application, "/review a t")
        await until(lambda: _listed(application) == ["Review a text"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.panes.window.findChild(PromptFieldsDialog))
        dialog = application.panes.window.findChild(PromptFieldsDialog)
        assert dialog is not None
        await until(dialog.isVisible)
        assert dialog.head.text() == "Review a text, from Notes"
        subject = dialog.field("subject")
        assert isinstance(subject, QPlainTextEdit)
        await until(subject.hasFocus)
        QTest.keyClick(subject, Qt.Key.Key_Return)
        assert dialog.isVisible() and dialog.problem.text() == "Still to fill in: subject."
        QTest.keyClicks(subject, "the plan")
        QTest.keyClick(subject, Qt.Key.Key_Return)
        await until(lambda: _text(application) == "User: Review the plan.\n\nAssistant: Gladly, plain.")
        assert "Read it before you send it" in application.panes.composer.notice.text()

    play(paths, script)
    assert not processes_with(str(log))


def test_prompts_of_a_slow_server_come_later_and_move_nothing(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        for name in ("Greet a friend", "Great news"):
            await services.prompts.create(PromptKind.TEMPLATE, name, f"{name}.")
        await _set_up(application, "slow-lists", log=tmp_path / "log")
        type_text(application, "/gre")
        await until(lambda: len(_listed(application)) >= 2)
        second = _listed(application)[1]
        press(application, Qt.Key.Key_Down)
        await until(lambda: "greeting" in _listed(application))
        menu = next(each for each in application.panes.window.findChildren(PromptMenu) if each.isVisible())
        assert menu.list.currentItem().text() == second, "what was chosen stays chosen"
        press(application, Qt.Key.Key_Return)
        await until(lambda: _text(application) == f"{second}.")

    play(paths, script)


def test_the_files_of_a_prompt_are_attached(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await _set_up(application, log=tmp_path / "log")
        type_text(application, "/greeting")
        await until(lambda: _listed(application) == ["greeting"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.panes.composer.files.attached)
        assert _text(application) == "Hello⟦U+202E⟧ there."
        assert [each.name for each in application.panes.composer.files.attached] == ["greeting.png"]

    play(paths, script)


def test_a_prompt_that_arrives_during_typing_waits_for_a_press(paths: AppPaths, tmp_path: Path) -> None:
    came = asyncio.Event()
    use = Offers.use

    async def late(offers: Offers, prompt: ServerPrompt, values: Mapping[str, str]) -> UsedPrompt:
        await came.wait()
        return await use(offers, prompt, values)

    async def script(application: WindowApplication) -> None:
        await _set_up(application, log=tmp_path / "log")
        type_text(application, "/greeting")
        await until(lambda: _listed(application) == ["greeting"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: "Asking Notes" in application.panes.composer.notice.text())
        type_text(application, " or rather not")
        came.set()
        await until(lambda: "came while you were typing" in _words(application))
        assert _text(application) == "/greeting or rather not"
        toast = application.panes.window.findChild(QPushButton, "toastAction")
        assert toast is not None and toast.text() == "Insert"
        await until(lambda: not is_unread(toast))
        QTest.mouseClick(toast, Qt.MouseButton.LeftButton)
        assert "Hello" in _text(application)

    with patch.object(Offers, "use", late):
        play(paths, script)


def test_a_resource_is_attached_by_its_content(paths: AppPaths, tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def script(application: WindowApplication) -> None:
        await _set_up(application, log=log)
        composer = application.panes.composer
        type_text(application, "compare @pass")
        await until(lambda: _listed(application) == ["../../passwd"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: composer.files.attached)
        (attached,) = composer.files.attached
        assert (attached.name, attached.mime) == ("passwd.md", "text/markdown")
        assert _text(application) == "compare "
        data = (await application.services()).attachments.blobs.path(attached.sha256).read_bytes()
        assert data == b"What the server says it is."
        type_text(application, "@folder")
        await until(lambda: _listed(application) == ["folder"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: len(composer.files.attached) == 3)
        type_text(application, "@empty")
        await until(lambda: _listed(application) == ["empty.txt"])
        press(application, Qt.Key.Key_Return)
        await until(lambda: "“empty.txt” is empty." in _words(application))
        assert composer.files.count == 3

    play(paths, script)


def test_servers_that_are_off_in_the_chat_are_not_asked(paths: AppPaths, tmp_path: Path) -> None:
    off, on = tmp_path / "off", tmp_path / "on"

    async def script(application: WindowApplication) -> None:
        await _set_up(application, log=off)
        services = await application.services()
        tools = await services.tools.load()
        await tools.save(server(server_id="other", log=on))
        await tools.choose(Answer.PROJECT, (await services.chat.projects.default()).id, ["other"])
        type_text(application, "/review a t")
        await until(lambda: _listed(application) == ["Review a text"])
        assert on.exists() and not processes_with(str(off))

    play(paths, script)
