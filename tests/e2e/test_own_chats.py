"""A model that searches and reads the person's own chats: switched on, asked about, and bounded."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton

from chatdesk.core.domain.message import PartType
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.services.own_chats import own_chats
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.tools.consent_card import ConsentCard
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.tools_world import CALLER
from tests.helpers.window import answered, ask, click_once_read, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def test_they_are_switched_on_asked_about_and_searched(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        model = ScriptedProvider()
        services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
        model.will(TextDelta("Use a write-ahead log."), StreamFinished(FinishReason.STOP))
        first = await ask(application, "How do I make SQLite quicker?")
        application.panes.commands.trigger("app.tools")
        window = application.panes.window
        await until(lambda: window.findChild(QCheckBox, "toolSwitch_chatdesk-chats"))
        switch: Any = window.findChild(QCheckBox, "toolSwitch_chatdesk-chats")
        assert not switch.isChecked()
        remove: Any = window.findChild(QPushButton, "toolRemove_chatdesk-chats")
        assert not remove.isVisible()
        switch.setFocus()
        QTest.keyClick(switch, Qt.Key.Key_Space)
        service = await services.tools.load()
        await until(lambda: service.server("chatdesk-chats").is_on)
        dialog: Any = window.findChild(SettingsDialog)
        dialog.reject()
        call = ToolCallDelta(0, "c1", "chatdesk-chats__search_chats", json.dumps({"query": "SQLite quicker"}))
        model.will(call, StreamFinished(FinishReason.TOOL_CALLS))
        model.will(TextDelta("By a write-ahead log."), StreamFinished(FinishReason.STOP))
        application.panes.commands.trigger("thread.new")
        await until(lambda: not application.panes.transcript.entries)
        type_text(application, "what did I ask about databases?")

        async def allow() -> None:
            await until(lambda: any(each.isVisible() for each in window.findChildren(ConsentCard)))
            card = next(each for each in window.findChildren(ConsentCard) if each.isVisible())
            where: Any = card.findChild(QLabel, "consentWhere")
            assert "ChatDesk runs this itself" in where.text()
            assert not card.more_button.isVisible(), "it is asked about each time"
            await click_once_read(card, card.once_button)

        message, _ = await asyncio.gather(answered(application, lambda: press(application, Qt.Key.Key_Return)), allow())
        result = next(part for part in message.parts if part.type is PartType.TOOL_RESULT)
        assert first.thread_id in result.text and "SQLite" in result.text

    play(paths, script)


def test_chats_and_files_are_read_in_bounds(paths: AppPaths, tmp_path: Path) -> None:
    async def read(services: Services, tool: str, **arguments: Any) -> str:
        own = own_chats(services.chat, services.attachments, services.database)
        return (await own.call(tool, arguments, CALLER)).text

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        model = ScriptedProvider()
        services.chat.use_providers(ProviderRegistry([model], "scripted", "small"))
        (tmp_path / "long.txt").write_text("word " * 5_000)
        file = await services.attachments.add_file(tmp_path / "long.txt")
        created = await services.chat.create_thread(None, "Notes", "x" * 10_000, attachments=(file,))
        await services.chat.turns.wait_for_all()
        text = await read(services, "read_chat", thread_id=created.thread.id)
        assert text.startswith("# ") and "6,000 more characters" in text and "[file: long.txt]" in text
        question = created.question
        assert question is not None
        page = await read(services, "read_chat_file", message_id=question.id, name="long.txt", page=4)
        assert page.startswith("[long.txt, page 4 of 4]") and len(page) < 1_100
        first = await read(services, "read_chat_file", message_id=question.id, name="long.txt", page="no number")
        assert first.startswith("[long.txt, page 1 of 4]")
        with pytest.raises(InvalidInput, match=r"It has: long\.txt"):
            await read(services, "read_chat_file", message_id=question.id, name="../../etc/passwd")
        for name, bad in (
            ("read_chat", {"thread_id": "no id"}),
            ("read_chat", {"thread_id": 5}),
            ("search_chats", {"query": "y" * 2_000}),
            ("search_chats", {}),
        ):
            with pytest.raises(ChatDeskError):
                await read(services, name, **bad)
        assert "Nothing was found" in await read(services, "search_chats", query="zebra")
        for number in range(20):
            model.will(TextDelta(f"Answer {number}."), StreamFinished(FinishReason.STOP))
            await services.chat.send_message(created.thread.id, f"Question {number}?")
            await services.chat.turns.wait_for_all()
        newest = await read(services, "read_chat", thread_id=created.thread.id)
        assert "Answer 19." in newest and "call again with before=" in newest
        before = newest.rpartition("before=")[2].rstrip("]")
        older = await read(services, "read_chat", thread_id=created.thread.id, before=before)
        assert "[file: long.txt]" in older and "call again" not in older

    play(paths, script)
