"""SIGTERM and SIGHUP close as *Quit* does: nothing typed or received is lost; what ``nohup`` starts heeds no SIGHUP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.local_api.client import owner_health
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.signals import heeded_by_children, heeded_by_default
from tests.helpers.window import play, press, type_text, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
ROOT = Path(__file__).parents[2]
SLOW = Settings(offline_speed_tokens_per_s=20)
_LONGEST_S = 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_draft_and_the_answer_so_far_are_kept(tmp_path: Path, number: signal.Signals) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        type_text(application, "/demo long")
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.threads.thread_id is not None)
        thread_id = application.threads.thread_id
        assert thread_id is not None

        async def is_there() -> bool:
            return bool((await services.chat.reader.get_thread_messages(thread_id, 5)).messages[-1].text)

        await until(is_there)
        type_text(application, "precious")
        os.kill(os.getpid(), number)
        async with asyncio.timeout(_LONGEST_S):
            await application.closed()

    paths = AppPaths.find(tmp_path)
    with heeded_by_default(number):
        play(paths, script, SLOW)

    async def look() -> None:
        async with open_services(paths, SLOW) as services:
            (thread,) = (await services.library.list_threads(ThreadQuery())).threads
            answer = (await services.chat.reader.get_thread_messages(thread.id, 5)).messages[-1]
            assert answer.status is Status.INTERRUPTED
            assert answer.text

    asyncio.run(look())

    async def opened_again(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.panes.composer.editor.toPlainText() == "precious")

    play(paths, opened_again)


def test_an_answer_is_not_waited_for(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        type_text(application, "/demo long")
        press(application, Qt.Key.Key_Return)
        await until(lambda: services.chat.is_writing)
        application.panes.window.close()
        closed = asyncio.ensure_future(application.closed())
        await until(lambda: not application.panes.window.isVisible())
        assert not closed.done()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(_LONGEST_S):
            await closed
        assert services.chat.is_writing

    with heeded_by_default(signal.SIGTERM):
        play(AppPaths.find(tmp_path), script, Settings(offline_speed_tokens_per_s=5, answers_on_close="finish"))


@pytest.fixture
def window(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A window of its own over ``tmp_path``, which answers."""
    with heeded_by_children(signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process = subprocess.Popen([sys.executable, "-m", "chatdesk", "--data-dir", tmp_path], cwd=ROOT, stderr=-1)

    async def is_up() -> bool:
        assert process.poll() is None
        return await owner_health(tmp_path) is not None

    async def come_up() -> None:
        await until(is_up, within_s=_LONGEST_S)

    try:
        asyncio.run(come_up())
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_window_closes_in_order(window: subprocess.Popen[bytes], tmp_path: Path, number: signal.Signals) -> None:
    window.send_signal(number)
    _out, err = window.communicate(timeout=_LONGEST_S)
    assert (window.returncode, err) == (0, b"")
    assert not list(tmp_path.glob("chatdesk.db-wal"))
    assert not (tmp_path / "instance.sock").exists()
    assert list((tmp_path / "logs" / "crashes").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_question_of_a_script_is_stopped_and_its_text_kept(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "chatdesk", "--data-dir", str(tmp_path), "ask", "/demo long", "--json"]
    environ = {**os.environ, "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "20"}
    with heeded_by_children(number):
        process = subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True, env=environ)
    assert process.stdout is not None
    thread_id = json.loads(process.stdout.readline())["thread_id"]
    process.stdout.readline()
    process.send_signal(number)
    _out, err = process.communicate(timeout=_LONGEST_S)
    assert (process.returncode, err) == (128 + number, "")

    async def look() -> None:
        async with open_services(AppPaths.find(tmp_path), SLOW) as services:
            answer = (await services.chat.reader.get_thread_messages(thread_id, 5)).messages[-1]
            assert answer.status is Status.STOPPED
            assert answer.text

    asyncio.run(look())


def test_a_program_started_by_nohup_survives_a_hangup(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chatdesk", "--data-dir", str(tmp_path), "ask", "/demo long", "--json"]
    environ = {**os.environ, "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0"}
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True, env=environ)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    out, _err = process.communicate(timeout=_LONGEST_S)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["status"] == "complete"
