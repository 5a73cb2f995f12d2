"""The page of a message in the real window: opened by its command, from an address that is read once."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from functools import partial
from pathlib import Path
from urllib.error import URLError

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import answered, ask, play, press, until

pytestmark = pytest.mark.usefixtures("qapp")


def read(address: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_page_of_a_message_opens_in_the_browser_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) is None)

    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        panes.composer.editor.setPlainText("See:\n\n```html\n<h1>Plan</h1>\n```")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        panes.transcript.jump_to(panes.transcript.entries[0].message.id)
        await until(lambda: panes.transcript.parts.actions.offered("open-page"))
        panes.commands.trigger("message.open_page")
        await until(lambda: opened)
        frame = await asyncio.to_thread(read, opened[0])
        found = re.search(r'<iframe [^>]*src="([^"]+)"', frame)
        assert found is not None
        inner = opened[0].rpartition("/")[0] + found[1]
        assert (await asyncio.to_thread(read, inner)).endswith("<h1>Plan</h1>\n")
        with pytest.raises((URLError, ConnectionResetError)):
            await asyncio.to_thread(read, opened[0])

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_page_that_is_an_artifact_opens_in_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) is None)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        panes = application.panes
        rows = "\n".join(f"<p>Row {number}</p>" for number in range(20))
        message = await ask(application, "hello")
        await services.chat.manual_messages.edit_answer(message.id, f"```html\n{rows}\n```")
        await until(lambda: panes.transcript.parts.actions.offered("open-artifact"))
        panes.commands.trigger("message.open_artifact")
        found = partial(panes.window.findChild, QAbstractButton, "artifact-open")
        await until(lambda: (button := found()) is not None and button.isVisible())
        button = found()
        assert isinstance(button, QAbstractButton)
        button.click()
        await until(lambda: opened)
        assert "ChatDesk" in await asyncio.to_thread(read, opened[0])

    play(AppPaths.find(tmp_path / "profile"), script)
