"""An answer that streams from a server on loopback, shown by ChatDesk (``app``) or by a bare text field, which reads it
with the SDK (``sdk``) or line by line from the socket (``socket``).

``answer_probe app DATA URL MODEL [typing]`` or ``answer_probe sdk|socket - URL MODEL``. Prints JSON: processor seconds
of the process and its workers from the question to the end, slices of the GUI thread's processor time, and with
``typing`` the wall time from a key press to its paint in the composer, all in ms but the first.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QVBoxLayout, QWidget

from chatdesk.app import run_window
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.qt.async_tasks import run_until_done
from tests.benchmarks.loop_probe import LoopProbe

_FRAME_MS = 33
_KEY_PACE_S = 0.05


class Typist:
    """Presses keys from a thread of its own, so that they come while the window is busy; see ``latencies_ms``."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self._pressed_at: float | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._press, daemon=True)
        self._editor: TextEditor | None = None
        paint = TextEditor.paintEvent

        def timed(editor: TextEditor, event: QPaintEvent) -> None:
            paint(editor, event)
            began, self._pressed_at = self._pressed_at, None
            if began is not None:
                self.latencies_ms.append((time.perf_counter() - began) * 1000)

        TextEditor.paintEvent = timed  # type: ignore[method-assign]

    def start(self, editor: TextEditor) -> None:
        self._editor = editor
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _press(self) -> None:
        number = 0
        while not self._is_over.wait(_KEY_PACE_S):
            if self._pressed_at is not None:
                continue
            key, text = (Qt.Key.Key_Backspace, "") if number % 40 == 39 else (Qt.Key.Key_X, "x")
            number += 1
            self._pressed_at = time.perf_counter()
            event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text)
            assert self._editor is not None
            QCoreApplication.postEvent(self._editor, event)


async def in_application(application: Any, typist: Typist | None) -> int:
    services = await application.services()
    await asyncio.sleep(1.0)
    done = asyncio.Event()
    services.events.subscribe(AnswerFinished, lambda _event: done.set())
    composer = application.panes.composer
    composer.set_text("A question")
    with LoopProbe() as probe:
        began, cpu_s = time.monotonic(), _cpu_s()
        composer.send_button.click()
        if typist is not None:
            await asyncio.sleep(0.2)
            typist.start(composer.editor)
        async with asyncio.timeout(900):
            await done.wait()
        await asyncio.sleep(0.3)  # the last frame
        cpu_s, wall_s = _cpu_s() - cpu_s, time.monotonic() - began
    if typist is not None:
        typist.stop()
        composer.clear()
    page = await services.chat.reader.get_thread_messages(application.threads.thread_id, 2)
    text = "".join(part.text for part in page.messages[-1].parts)
    latencies = typist.latencies_ms if typist else []
    _report(cpu_s, wall_s, characters=len(text), slices_ms=probe.cpu_ms, keys_ms=latencies)
    return 0


async def in_text_field(kind: str, url: str, model: str) -> int:
    window = QWidget()
    field = QPlainTextEdit(readOnly=True)
    QVBoxLayout(window).addWidget(field)
    window.resize(1280, 820)
    window.show()
    await asyncio.sleep(0.5)
    waiting: list[str] = []

    def show() -> None:
        if waiting:
            cursor = field.textCursor()
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText("".join(waiting))
            waiting.clear()
            field.setTextCursor(cursor)
            field.ensureCursorVisible()

    timer = QTimer(interval=_FRAME_MS)
    timer.timeout.connect(show)
    read = _read_with_sdk if kind == "sdk" else _read_from_socket
    if kind == "sdk":
        __import__("openai")
    began, cpu_s = time.monotonic(), _cpu_s()
    timer.start()
    async for text in read(url, model):
        waiting.append(text)
    await asyncio.sleep(0.3)
    timer.stop()
    show()
    _report(_cpu_s() - cpu_s, time.monotonic() - began, characters=len(field.toPlainText()))
    return 0


async def _read_with_sdk(url: str, model: str) -> AsyncIterator[str]:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="none", base_url=url) as client:
        messages: Any = [{"role": "user", "content": "A question"}]
        async for chunk in await client.chat.completions.create(model=model, messages=messages, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


async def _read_from_socket(url: str, model: str) -> AsyncIterator[str]:
    """The least that can be done."""
    port = int(url.partition("127.0.0.1:")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"model": model, "stream": True}).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    while (line := await reader.readline()) and b"[DONE]" not in line:
        if line.startswith(b"data: "):
            choices = json.loads(line[6:])["choices"]
            if choices and choices[0]["delta"].get("content"):
                yield choices[0]["delta"]["content"]
    writer.close()


def _report(cpu_s: float, wall_s: float, **more: object) -> None:
    print(json.dumps({"cpu_s": cpu_s, "wall_s": wall_s, **more}))


def _cpu_s() -> float:
    """Of this process and of the workers that it has started and that still run."""
    total = time.process_time()
    ticks = os.sysconf("SC_CLK_TCK")
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            total += sum(map(int, fields[11:15])) / ticks
    return total


if __name__ == "__main__":
    kind, data, url, model = sys.argv[1:5]
    if kind in ("sdk", "socket"):
        app = QApplication(sys.argv[:1])
        run_until_done(app, partial(in_text_field, kind, url, model))
    else:
        settings = Settings(openai_base_url=url, openai_model=model, provider="openai")
        watcher = Typist() if sys.argv[5:] == ["typing"] else None
        run_window(AppPaths.find(data), settings, script=partial(in_application, typist=watcher))
