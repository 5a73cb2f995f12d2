"""A server's model gives the thread its title in the real window, and the answer's line says what it cost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.messages.frame_items import figures
from tests.helpers.fault_server import Exchange, FaultServer
from tests.helpers.window import FAST, ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


async def _serve(exchange: Exchange) -> None:
    """A list of models, titles when asked for one, else answers."""
    if exchange.request.path.endswith("/models"):
        data = json.dumps({"data": [{"id": "gpt-4o", "context_length": 64_000}]}).encode()
        await exchange.start(content_type="application/json", length=len(data))
        await exchange.send_raw(data)
        return
    is_title = exchange.request.json["messages"][0]["content"].startswith("You name conversations")
    await exchange.start()
    await exchange.delta(role="assistant", content="")
    await exchange.delta(content='"Cranes in the Harbour"' if is_title else "There are twelve.")
    await exchange.finish()


async def _choose_server(application: WindowApplication, server: FaultServer) -> None:
    services = await application.services()
    settings = replace(
        FAST, provider="openai", openai_base_url=server.base_url, openai_model="gpt-4o", model_titles=True
    )
    await services.apply_settings(settings)
    application.bindings.models.fill()


def test_the_model_s_title_replaces_the_text_s(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_serve) as server:
            await _choose_server(application, server)
            answer = await ask(application, "how many cranes has the harbour")
            title = application.panes.header.title.label
            await until(lambda: title.text() == "Cranes in the Harbour")
            assert application.threads.open_thread.title == "Cranes in the Harbour"
            assert answer.cost_usd is not None and "$" in figures(answer)
            context = (await application.services()).chat.context
            await until(lambda: context.models.info("openai", "gpt-4o").context_window == 64_000)

    play(paths, script)


def test_a_title_that_is_being_typed_stays(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        async with FaultServer(_serve) as server:
            await _choose_server(application, server)
            await ask(application, "how many cranes has the harbour")
            header = application.panes.header
            header.start_title_edit()
            QTest.keyClicks(header.title.field, "Mine")
            await until(lambda: application.threads.open_thread.title == "Cranes in the Harbour")
            assert header.title.is_editing
            QTest.keyClick(header.title.field, Qt.Key.Key_Return)
            await until(lambda: application.threads.open_thread.title == "Mine")

    play(paths, script)
