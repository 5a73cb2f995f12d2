"""The whole application in one process: keys in, pixels out, the database in between."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.events import TextStreamed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.fault_server import FaultServer, Script, SeenRequest, answer
from tests.helpers.waiting import PATIENCE_S
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


class ServerThread:
    """The loopback server on a loop of its own: the window's loop does not exist yet when its address is needed."""

    def __init__(self, script: Script) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback server")
        self._thread.start()
        self._server = FaultServer(script)
        self._run(self._server.__aenter__())
        self.base_url = self._server.base_url

    @property
    def requests(self) -> list[SeenRequest]:
        return self._server.requests

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def close(self) -> None:
        self._run(self._server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


def test_a_question_typed_and_sent_is_answered_and_shown(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello, a list please")
        assert answer.status is Status.COMPLETE and answer.text
        await until(lambda: application.panes.transcript.total == 2)
        assert application.panes.composer.text() == ""
        assert application.threads.open_thread is not None
        assert application.threads.open_thread.title == "hello, a list please"
        assert application.panes.transcript.isVisible()

    play(paths, script)


def test_what_is_typed_before_storage_is_there_is_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        type_text(application, "early words")
        await application.services()
        assert application.panes.composer.text() == "early words"

    play(paths, script)

    async def look(application: WindowApplication) -> None:
        await application.services()
        assert application.panes.composer.text() == "early words"

    play(paths, look)


def test_a_question_that_is_sent_before_anything_is_there_is_asked(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        type_text(application, "an early question")
        press(application, Qt.Key.Key_Return)
        await application.services()
        await until(lambda: application.threads.open_thread is not None)
        assert application.threads.open_thread.title == "An early question"
        assert application.panes.composer.text() == ""

    play(paths, script)


def test_everything_is_where_it_was_after_closing(paths: AppPaths) -> None:
    left: dict[str, object] = {}

    async def leave(application: WindowApplication) -> None:
        await ask(application, "first thread")
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        await ask(application, "/demo long")
        transcript = application.panes.transcript
        await until(lambda: transcript.total == 2 and transcript.verticalScrollBar().maximum() > 0)
        await until(lambda: transcript.scrolling.anchor().is_at_end)
        transcript.jump_to(transcript.entries[0].message.id)
        await until(lambda: not transcript.scrolling.anchor().is_at_end)
        type_text(application, "an unsent draft")
        application.panes.window.resize(700, 600)
        left["thread"] = application.threads.thread_id
        left["anchor"] = transcript.scrolling.anchor()

    async def look(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: application.panes.transcript.total == 2)
        assert application.threads.thread_id == left["thread"]
        assert application.panes.composer.text() == "an unsent draft"
        assert (application.panes.window.width(), application.panes.window.height()) == (700, 600)
        assert len((await services.library.list_threads(ThreadQuery())).threads) == 2
        await until(lambda: application.panes.transcript.scrolling.anchor().message_id == left["anchor"].message_id)
        anchor = application.panes.transcript.scrolling.anchor()
        assert not anchor.is_at_end
        assert anchor.offset_px == pytest.approx(left["anchor"].offset_px, abs=2)

    play(paths, leave)
    play(paths, look)


def test_each_thread_keeps_its_own_draft(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "a thread")
        type_text(application, "for the thread")
        await application.threads.open(None)
        assert application.panes.composer.text() == ""
        type_text(application, "for a new one")
        await application.threads.open(answer.thread_id)
        assert application.panes.composer.text() == "for the thread"
        await application.threads.open(None)
        assert application.panes.composer.text() == "for a new one"

    play(paths, script)


def test_escape_stops_the_answer_and_keeps_its_text(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        arrived = asyncio.Event()
        services.events.subscribe(TextStreamed, lambda _event: arrived.set())
        type_text(application, "/demo slow")
        press(application, Qt.Key.Key_Return)
        async with asyncio.timeout(PATIENCE_S):
            await arrived.wait()
        assert application.panes.composer.is_streaming
        stopped = await answered(application, lambda: press(application, Qt.Key.Key_Escape))
        assert stopped.status is Status.STOPPED and stopped.text
        assert not application.panes.composer.is_streaming

    play(paths, script, Settings(offline_speed_tokens_per_s=40))


def test_closing_while_an_answer_streams_keeps_it_and_offers_to_continue(paths: AppPaths) -> None:
    shown: list[str] = []

    async def leave(application: WindowApplication) -> None:
        services = await application.services()
        services.events.subscribe(TextStreamed, lambda event: shown.append(event.delta))
        type_text(application, "/demo long")
        press(application, Qt.Key.Key_Return)
        await until(lambda: len("".join(shown)) > 50)

    async def look(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: application.panes.transcript.total == 2)
        answer = application.panes.transcript.entries[-1].message
        assert answer.status is Status.INTERRUPTED
        assert answer.text.startswith("".join(shown))
        continued = await answered(
            application, lambda: application.panes.transcript.actionRequested.emit("continue", answer.id)
        )
        assert (continued.id, continued.status) == (answer.id, Status.COMPLETE)
        assert continued.text.startswith(answer.text)
        assert (await services.chat.reader.get_message(answer.id)).text == continued.text

    play(paths, leave, Settings(offline_speed_tokens_per_s=200))
    play(paths, look)


def test_an_openai_compatible_server_answers_in_the_window(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")

    server = ServerThread(answer("Hello **there**"))
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)  # a key from the environment goes nowhere else
    try:

        async def script(application: WindowApplication) -> None:
            message = await ask(application, "hi")
            assert (message.status, message.text, message.provider) == (Status.COMPLETE, "Hello **there**", "openai")
            assert message.model == "tiny"

        play(paths, script, Settings(openai_base_url=server.base_url, openai_model="tiny"))
        sent = [request for request in server.requests if request.path.endswith("/chat/completions")]
        assert sent[0].headers["authorization"] == "Bearer sk-test-0123456789abcdef"
    finally:
        server.close()
    kept = b"".join(path.read_bytes() for path in paths.data_dir.rglob("*") if path.is_file())
    assert b"sk-test-0123456789abcdef" not in kept


def test_a_failure_is_shown_in_place_and_can_be_tried_again(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        failed = await ask(application, "/demo error")
        assert failed.status is Status.ERROR and failed.error
        again = await answered(
            application, lambda: application.panes.transcript.actionRequested.emit("retry", failed.id)
        )
        assert again.status is Status.ERROR
        assert (await (await application.services()).chat.reader.get_message(failed.id)).text == failed.text

    play(paths, script)


def test_up_in_an_empty_composer_edits_the_last_question_as_a_new_version(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        press(application, Qt.Key.Key_Up)
        await until(lambda: application.panes.composer.text() == "hello")
        type_text(application, " again")
        answer = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        question = await (await application.services()).chat.reader.get_message(answer.parent_id or "")
        assert question.text == "hello again"
        assert question.version_count == 2

    play(paths, script)


def test_a_deleted_thread_leaves_the_list_and_undo_brings_it_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "to be deleted")
        library = (await application.services()).library
        application.panes.commands.trigger("thread.delete")
        await until(lambda: application.threads.thread_id is None)
        assert (await library.list_threads(ThreadQuery())).threads == ()
        application.panes.commands.trigger("edit.undo")

        async def is_back() -> bool:
            return bool((await library.list_threads(ThreadQuery())).threads)

        await until(is_back)
        threads = (await library.list_threads(ThreadQuery())).threads
        assert threads[0].id == answer.thread_id

    play(paths, script)


def test_every_control_has_its_stable_name_and_an_accessible_one(paths: AppPaths) -> None:
    names = "threadList transcript composer sendButton stopButton newThreadButton modelPicker searchBox"

    async def script(application: WindowApplication) -> None:
        await application.services()
        for name in names.split():
            found = application.panes.window.findChildren(QWidget, name)
            assert len(found) == 1, name
            assert found[0].accessibleName(), name

    play(paths, script)


def test_nothing_is_left_of_a_closed_window(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")

    play(paths, script)
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert not (paths.data_dir / "instance.json").exists()


def test_a_window_that_was_deleted_is_freed_with_all_that_it_showed(tmp_path: Path) -> None:
    played: list[weakref.ref[object]] = []

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        played.extend(map(weakref.ref, (application, application.panes.window, application.bindings)))

    for name in ("first", "second"):  # the loop that ran last still knows its window
        play(AppPaths.find(tmp_path / name), script)
    gc.collect()
    assert [each() for each in played[:3]] == [None] * 3


def test_no_search_begins_once_the_window_has_ended(tmp_path: Path) -> None:
    """Events are handled once more after the loop: a timer that is due then would start a task without one."""
    was_waiting: list[bool] = []

    async def script(application: WindowApplication) -> None:
        await application.services()
        box, window = application.panes.sidebar.search_box, application.panes.window
        QTest.keyClicks(box, "a word")
        timers = [each for each in box.findChildren(QTimer) if each.isActive()]
        assert timers
        for timer in timers:
            timer.setInterval(60_000)
        hide = window.hide

        def hide_and_look() -> None:
            was_waiting.extend(each.isActive() for each in timers)
            hide()

        window.hide = hide_and_look  # type: ignore[method-assign]

    play(AppPaths.find(tmp_path / "data"), script)
    assert was_waiting
    assert not any(was_waiting)
