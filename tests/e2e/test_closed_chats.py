"""A chat at the right or in a window of its own is closed in the middle of something: nothing is lost, nothing is said,
and no task is left."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from chatdesk.core.domain.message import Status
from chatdesk.core.events import TextStreamed
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.tools.consent_card import ConsentCard
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.tools_world import server
from tests.helpers.window import answered, ask, click_once_read, play, until

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.parametrize("place", ["beside", "window"])]


class Elsewhere:
    """Opens a second chat, and closes it as a person does."""

    def __init__(self, application: WindowApplication, place: str) -> None:
        self._application = application
        self._place = place
        self._before: set[str] = set()

    async def open(self, thread_id: str | None) -> PaneBindings:
        chats = self._application.chats
        await _until_idle()
        self._before = _tasks()
        (chats.open_beside if self._place == "beside" else chats.open_window)(thread_id)
        await until(lambda: self._application.bindings.active() is not self._application.bindings)
        await until(lambda: self._application.bindings.active().threads.has_shown)
        return self._application.bindings.active()

    async def close(self) -> None:
        chats = self._application.chats
        assert self._application.bindings.active().panes.registry.trigger("view.close_chat")
        await until(lambda: chats.beside is None and not chats.windows)
        await until(lambda: _tasks() <= self._before)
        assert not self._application.panes.pane.toast.isVisible()


def _tasks() -> set[str]:
    """Return the names of what runs for chats: turns are the program's, and go on."""
    of_program = ("read answer", "turn", "watch for sleep", "Task-")
    return {name for each in asyncio.all_tasks() if not (name := each.get_name()).startswith(of_program)}


async def _until_idle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> object:
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


def test_an_answer_goes_on_after_its_chat_was_closed(tmp_path: Path, place: str) -> None:
    async def script(application: WindowApplication) -> None:
        services, model = await application.services(), await _model(application)
        go_on = asyncio.Event()
        first, second = TextDelta("The first half, "), TextDelta("and the second.")
        model.will(first, go_on, second, StreamFinished(FinishReason.STOP))
        seen: list[str] = []
        services.events.subscribe(TextStreamed, lambda event: seen.append(event.delta))
        elsewhere = Elsewhere(application, place)
        chat = await elsewhere.open(None)
        chat.commands.ask("go on")
        await until(lambda: seen)
        thread_id = chat.threads.thread_id
        assert thread_id is not None
        await elsewhere.close()
        assert services.chat.is_answering(thread_id) and model.open_streams == 1
        go_on.set()
        await until(lambda: not services.chat.is_answering(thread_id))
        chat = await elsewhere.open(thread_id)
        await until(lambda: len(chat.panes.transcript.entries) == 2)
        answer = chat.panes.transcript.entries[-1].message
        assert (answer.status, answer.text) == (Status.COMPLETE, "The first half, and the second.")
        await elsewhere.close()

    play(AppPaths.find(tmp_path / "profile"), script)


async def _model(application: WindowApplication) -> ScriptedProvider:
    model = ScriptedProvider()
    (await application.services()).chat.use_providers(ProviderRegistry([model], "scripted", "small"))
    return model


def test_a_call_waits_on_for_approval_after_its_chat_was_closed(tmp_path: Path, place: str) -> None:
    async def script(application: WindowApplication) -> None:
        services, model = await application.services(), await _model(application)
        await (await services.tools.load()).save(server(log=tmp_path / "log"))
        call = ToolCallDelta(0, "c1", "notes__write_note", json.dumps({"name": "a.md", "text": "kept"}))
        model.will(TextDelta("I write it down."), call, StreamFinished(FinishReason.TOOL_CALLS))
        model.will(TextDelta("It is written."), StreamFinished(FinishReason.STOP))
        elsewhere = Elsewhere(application, place)
        chat = await elsewhere.open(None)
        chat.commands.ask("write that down")
        await until(lambda: _card(chat) is not None)
        thread_id = chat.threads.thread_id
        await elsewhere.close()
        assert services.chat.is_answering(thread_id or "")
        chat = await elsewhere.open(thread_id)
        await until(lambda: _card(chat) is not None)
        card = _card(chat)
        assert card is not None
        await answered(application, lambda: asyncio.ensure_future(click_once_read(card, card.once_button)))
        await until(lambda: chat.panes.transcript.entries[-1].message.text.endswith("It is written."))

    play(AppPaths.find(tmp_path / "profile"), script)


def _card(chat: PaneBindings) -> ConsentCard | None:
    return next((each for each in chat.panes.pane.findChildren(ConsentCard) if each.isVisible()), None)


def test_an_edit_is_a_draft_after_its_chat_was_closed(tmp_path: Path, place: str) -> None:
    async def script(application: WindowApplication) -> None:
        asked = await ask(application, "hello")
        await application.threads.open(None)
        elsewhere = Elsewhere(application, place)
        chat = await elsewhere.open(asked.thread_id)
        chat.messages.edit.start_last()
        await until(lambda: chat.messages.edit.edited is not None and chat.panes.composer.text() == "hello")
        QTest.keyClicks(chat.panes.composer.editor, " again")
        await elsewhere.close()
        await application.threads.open(asked.thread_id)
        assert application.panes.composer.text() == "hello again"
        assert application.messages.edit.edited is None

    play(AppPaths.find(tmp_path / "profile"), script)


def test_a_draft_and_a_picture_that_is_still_being_kept_stay_after_their_chat_was_closed(
    tmp_path: Path, place: str
) -> None:
    async def script(application: WindowApplication) -> None:
        asked = await ask(application, "hello")
        await application.threads.open(None)
        elsewhere = Elsewhere(application, place)
        chat = await elsewhere.open(asked.thread_id)
        QTest.keyClicks(chat.panes.composer.editor, "what is this?")
        picture = QImage(600, 400, QImage.Format.Format_RGB32)
        picture.fill(0x336699)
        chat.attachments.attach_image(picture)
        assert not chat.panes.composer.files.attached  # it is not kept yet
        await elsewhere.close()
        await application.threads.open(asked.thread_id)
        assert application.panes.composer.text() == "what is this?"
        await until(lambda: len(application.panes.composer.files.attached) == 1)

    play(AppPaths.find(tmp_path / "profile"), script)
