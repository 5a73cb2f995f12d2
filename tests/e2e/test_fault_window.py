"""In the window: no connection, switching and closing in mid-stream, many streams at once."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from unittest.mock import patch

import pytest
from PySide6.QtCore import Qt

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.fault_server import Exchange, Script, answer
from tests.helpers.served import Served, served
from tests.helpers.waiting import PATIENCE_S, paced, stays
from tests.helpers.window import play, press, type_text, until

WORDS = 30
WHOLE = "".join(f"word{number} " for number in range(WORDS))


def held_until(may_end: threading.Event) -> Script:
    """Answers whose last word waits for ``may_end``: however slow the machine is, they are being written until then."""

    async def script(exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            await answer()(exchange)
            return
        await exchange.start()
        async for number in paced(range(WORDS), every_s=0.02):
            if number == WORDS - 1:
                await until(may_end.is_set)
            await exchange.delta(content=f"word{number} ")
        await exchange.finish()

    return script


def settings(server: Served, **more: object) -> Settings:
    return Settings(
        provider="openai",
        openai_base_url=server.base_url,
        openai_model="m",
        model_titles=False,
        connect_timeout_s=2,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path)


def stored(paths: AppPaths) -> list[Message]:
    """The answers of all threads."""

    async def read() -> list[Message]:
        async with open_services(paths, Settings()) as services:
            found = []
            for thread in (await services.library.list_threads(ThreadQuery())).threads:
                page = await services.chat.reader.get_thread_messages(thread.id, 50)
                found += [message for message in page.messages if message.role == "assistant"]
            return found

    return asyncio.run(read())


async def begin(application: WindowApplication, text: str) -> str:
    """Ask; the id of the thread once its answer streams."""
    services = await application.services()
    type_text(application, text)
    press(application, Qt.Key.Key_Return)
    await until(lambda: application.threads.thread_id is not None)
    thread_id = application.threads.thread_id
    assert thread_id is not None
    await until(lambda: services.chat.is_answering(thread_id))
    return thread_id


async def has_text(application: WindowApplication, thread_id: str) -> None:
    services = await application.services()

    async def is_there() -> bool:
        return bool((await services.chat.reader.get_thread_messages(thread_id, 5)).messages[-1].text)

    await until(is_there)


@pytest.mark.parametrize(("choice", "status"), [("end", Status.INTERRUPTED), ("finish", Status.COMPLETE)])
def test_closing_in_mid_stream_ends_or_finishes_the_answer_as_the_setting_says(
    paths: AppPaths, choice: str, status: Status
) -> None:
    may_end = threading.Event()

    async def script(application: WindowApplication) -> None:
        await has_text(application, await begin(application, "Tell me"))
        application.panes.window.close()
        if choice == "finish":
            may_end.set()
        await application.closed()
        assert not application.panes.window.isVisible()

    with served(held_until(may_end)) as server:
        play(paths, script, settings(server, answers_on_close=choice))
    (message,) = stored(paths)
    assert message.status is status
    assert WHOLE.startswith(message.text)
    assert (message.text == WHOLE) is (status is Status.COMPLETE)
    assert message.text


def test_a_window_that_is_asked_for_while_an_answer_is_finished_comes_back(paths: AppPaths) -> None:
    may_end = threading.Event()

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await has_text(application, await begin(application, "Tell me"))
        window = application.panes.window
        with patch.object(services.chat.turns, "wait_for_all", wraps=services.chat.turns.wait_for_all) as waiting:
            window.close()
            closed = asyncio.ensure_future(application.closed())
            await until(lambda: waiting.called)
        assert not window.isVisible()
        window.show()
        may_end.set()
        await until(lambda: not services.chat.is_writing)
        await stays(lambda: not closed.done(), for_s=0.5)  # in which a window that had not come back would be gone
        window.close()
        async with asyncio.timeout(PATIENCE_S):
            await closed

    with served(held_until(may_end)) as server:
        play(paths, script, settings(server, answers_on_close="finish"))
    assert [message.text for message in stored(paths)] == [WHOLE]


def test_an_answer_goes_on_while_another_thread_is_open(paths: AppPaths) -> None:
    may_end = threading.Event()

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        first = await begin(application, "Tell me")
        await has_text(application, first)
        await application.threads.open(None)
        assert not application.panes.composer.is_streaming
        second = await begin(application, "And me")
        assert second != first
        await application.threads.open(first)
        assert application.panes.composer.is_streaming
        may_end.set()
        await until(lambda: not services.chat.is_writing)

    with served(held_until(may_end)) as server:
        play(paths, script, settings(server))
    assert [message.text for message in stored(paths)] == [WHOLE, WHOLE]


def test_without_a_connection_the_composer_says_so_until_it_is_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        composer = application.panes.composer
        notice = composer.findChild(object, "composerNotice")
        type_text(application, "Are you there?")
        press(application, Qt.Key.Key_Return)
        await until(lambda: notice.text().startswith("No connection to"))
        assert notice.text().endswith("Your question is kept, and sent when it is back.")
        assert not composer.is_streaming
        await asyncio.to_thread(server.run, server.server.come_back())
        services.network.probe_now()
        await until(lambda: notice.text() == "")
        thread_id = application.threads.thread_id
        assert thread_id is not None

        async def is_there() -> bool:
            return (await services.chat.reader.get_thread_messages(thread_id, 5)).messages[-1].text == "Here I am"

        await until(is_there)

    with served(answer("Here I am")) as server:
        server.run(server.server.go_away())
        play(paths, script, settings(server))


def test_ten_answers_in_ten_threads_are_written_side_by_side(paths: AppPaths) -> None:
    may_end = threading.Event()

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        started = []
        for number in range(10):
            created = await services.chat.create_thread(None, "", f"Question {number}")
            started.append(created.thread.id)
        await until(lambda: all(services.chat.is_answering(each) for each in started))
        async for each in paced(started, every_s=0.02):  # looking at each of them disturbs none
            await application.threads.open(each)
        may_end.set()
        await until(lambda: not services.chat.is_writing)

    with served(held_until(may_end)) as server:
        play(paths, script, settings(server))
    assert [message.text for message in stored(paths)] == [WHOLE] * 10
