"""Runs and controls the process that colours code and draws formulas and diagrams; the worker starts and kills it.

It kills itself too: a CPU timer with its default action ends the process even inside one regular expression, which no
Python code can interrupt. Jobs come in as ``(kind, ...)``, one at a time, and each is answered twice: by ``()`` when
its libraries are loaded, which starts its time limit, and by ``(result,)``.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

from chatdesk.core.rendering.drawing import diagram_drawing, math_drawing, svg_drawing
from chatdesk.core.rendering.highlighting import BUDGET_S, find_lexer, highlight
from chatdesk.core.rendering.wire import encode_drawing, encode_runs
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire, read_frame, write_frame

CODE, FORMULA, DIAGRAM, SVG = "code", "formula", "diagram", "svg"

# The in-process budget ends a slow lexer politely; the timer is for what does not come back.
_CPU_LIMITS_S = {CODE: BUDGET_S + 0.2, FORMULA: 0.6, DIAGRAM: 2.0, SVG: 2.0}
_WALL_LIMIT_S = 4.0
# Starting and loading take a second, and many on a machine that is busy: none of it is the text's fault.
_LOADING_LIMIT_S = 30.0
_MAX_MEMORY_BYTES = 2 * 1024**3

# The result of a job that nothing is known about: the process could not be started or did not get its time.
NOT_TRIED: Final = object()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer jobs until the input ends."""
    has_timer = hasattr(signal, "setitimer")
    if has_timer:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _limit_memory()
    while (job := read_frame(source)) is not None:
        _load_for(job)  # an import is not the text's fault
        write_frame(sink, ())
        if has_timer:
            signal.setitimer(signal.ITIMER_PROF, _CPU_LIMITS_S[job[0]])
        result = _work(job)
        if has_timer:
            signal.setitimer(signal.ITIMER_PROF, 0)
        write_frame(sink, (result,))


def _load_for(job: Wire) -> None:
    if job[0] == CODE:
        find_lexer(job[1])
    elif job[0] == FORMULA:
        math_drawing.load()
    elif job[0] == SVG:
        svg_drawing.load()
    else:
        diagram_drawing.load()


def _work(job: Wire) -> Any:
    """Return the runs of ``(CODE, language, code)``, the drawing of ``(FORMULA, tex, is_display)`` or the pictures of
    ``(DIAGRAM, source)`` or ``(SVG, source)``, encoded for the wire."""
    if job[0] == CODE:
        return encode_runs(highlight(job[1], job[2]))
    if job[0] == FORMULA:
        return encode_drawing(math_drawing.draw_formula(job[1], is_display=job[2]))
    return svg_drawing.draw_svg(job[1]) if job[0] == SVG else diagram_drawing.draw_diagram(job[1])


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > _MAX_MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, hard))


class DrawingProcess:
    """The worker's handle on the drawing process. It does one job at a time. ``on_result`` is called in a thread of
    this object with the job's key and its result, None if the process died of it, ``NOT_TRIED`` if it did not
    come to an end."""

    def __init__(self, command: Sequence[str], on_result: Callable[[Any, Any], None]) -> None:
        self._command = list(command)
        self._on_result = on_result
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.SimpleQueue[Wire | None] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[tuple[Any, Wire]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.is_busy = False

    def submit(self, key: Any, job: Wire) -> None:
        """Start ``job``; call this only when not busy."""
        self.is_busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="drawing", daemon=True)
            self._thread.start()
        self._jobs.put((key, job))

    def _run(self) -> None:
        while True:
            key, job = self._jobs.get()
            self._on_result(key, self._ask(job))

    def _ask(self, job: Wire) -> Any:
        try:
            process = self._running()
            assert process.stdin is not None
            write_frame(process.stdin, job)  # type: ignore[arg-type]
            if self._replies.get(timeout=_LOADING_LIMIT_S) is None:
                raise EOFError
            reply = self._replies.get(timeout=_WALL_LIMIT_S)
        except (OSError, ValueError, EOFError, queue.Empty):
            self.stop()
            return NOT_TRIED
        if reply is None:
            self.stop()
            return None
        return reply[0]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._replies = queue.SimpleQueue()
            self._process = child_process.start(self._command)
            threading.Thread(target=_pump, args=(self._process, self._replies), daemon=True).start()
        return self._process

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _pump(process: subprocess.Popen[bytes], replies: queue.SimpleQueue[Wire | None]) -> None:
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
