"""The colouring process: started by the worker, killed without regret.

It kills itself too: a CPU timer with its default action ends the process even inside one regular expression, which no
Python
code can interrupt.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from chatdesk.core.rendering.blocks import CodeRun
from chatdesk.core.rendering.highlighting import BUDGET_S, find_lexer, highlight
from chatdesk.core.rendering.wire import decode_runs, encode_runs, read_frame, write_frame

# The in-process budget ends a slow lexer politely; the timer is for one that does not come back.
_KILL_AFTER_CPU_S = BUDGET_S + 0.2
_WALL_LIMIT_S = 4.0


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer ``(number, language, code)`` frames with ``(number, runs)`` until the input ends."""
    has_timer = hasattr(signal, "setitimer")
    if has_timer:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    while (frame := read_frame(source)) is not None:
        number, language, code = frame
        find_lexer(language)  # its import is not the text's fault
        if has_timer:
            signal.setitimer(signal.ITIMER_PROF, _KILL_AFTER_CPU_S)
        runs = highlight(language, code)
        if has_timer:
            signal.setitimer(signal.ITIMER_PROF, 0)
        write_frame(sink, (number, encode_runs(runs)))


class HighlightProcess:
    """The worker's hold on its colouring process. One job at a time; ``on_result`` is called in a reader thread with
    the job's
    key and its runs, ``()`` when the process died of it."""

    def __init__(self, command: Sequence[str], on_result: Callable[[Any, tuple[CodeRun, ...]], None]) -> None:
        self._command = list(command)
        self._on_result = on_result
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[Any, str, str]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.is_busy = False

    def submit(self, key: Any, language: str, code: str) -> None:
        """Colour ``code``; only when not busy."""
        self.is_busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="highlight", daemon=True)
            self._thread.start()
        self._jobs.put((key, language, code))

    def _run(self) -> None:
        while True:
            key, language, code = self._jobs.get()
            self._on_result(key, self._colour(language, code))

    def _colour(self, language: str, code: str) -> tuple[CodeRun, ...]:
        process = self._running()
        assert process.stdin is not None
        try:
            write_frame(process.stdin, (0, language, code))  # type: ignore[arg-type]
            reply = self._replies.get(timeout=_WALL_LIMIT_S)
        except (OSError, ValueError, queue.Empty):
            reply = None
        if reply is None:
            self.stop()
            return ()
        return decode_runs(reply[1])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._replies = queue.SimpleQueue()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            threading.Thread(target=_pump, args=(self._process, self._replies), daemon=True).start()
        return self._process

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _pump(process: subprocess.Popen[bytes], replies: queue.SimpleQueue[tuple[Any, ...] | None]) -> None:
    assert process.stdout is not None
    while True:
        try:
            frame = read_frame(process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError, EOFError):
            frame = None
        replies.put(frame)
        if frame is None:
            process.stdout.close()
            return
