"""The process that colours and draws: its jobs one by one, and what its owner does when it dies."""

from __future__ import annotations

import queue
import signal
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from chatdesk.core.rendering.drawing import drawing_process
from chatdesk.core.rendering.drawing.drawing_process import CODE, DIAGRAM, FORMULA, NOT_TRIED, DrawingProcess, serve
from chatdesk.core.rendering.wire import decode_drawing, decode_runs
from chatdesk.core.rendering.worker import DRAWING_FLAG
from chatdesk.core.system.child_process import package_parent, read_frame, write_frame

TIMEOUT_S = 20.0
_LOADED = "import marshal, sys; out = sys.stdout.buffer; source = sys.stdin.buffer; "
_LOADED += "source.read(int.from_bytes(source.read(4), 'big')); "  # the job: who leaves before breaks its owner's pipe
_LOADED += "send = lambda frame: (out.write(len(frame).to_bytes(4, 'big') + frame), out.flush()); "
_LOADED += "send(marshal.dumps(())); "
_ANSWERED = "send(marshal.dumps(('drawn',))); sys.stdin.buffer.read()"
DYING = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(4)"]


class Owner:
    def __init__(self, command: list[str]) -> None:
        self._results: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        self.process = DrawingProcess(command, lambda key, result: self._results.put((key, result)))

    def ask(self, *job: Any) -> Any:
        self.process.submit("key", job)
        assert self.process.is_busy
        key, result = self._results.get(timeout=TIMEOUT_S)
        assert key == "key"
        return result


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    monkeypatch.setenv("PYTHONPATH", package_parent() or "")
    made = Owner([sys.executable, "-m", "chatdesk.core.rendering.worker", DRAWING_FLAG])
    yield made
    made.process.stop()


def test_code_formulas_and_diagrams_are_answered_in_turn(owner: Owner) -> None:
    runs = decode_runs(owner.ask(CODE, "python", "x = 1"))
    assert sum(run.length for run in runs) == 5
    assert decode_drawing(owner.ask(FORMULA, "x^2", False)) is not None
    assert owner.ask(FORMULA, r"\notknown", True) is None
    assert owner.ask(DIAGRAM, "no diagram") == ()


def test_after_a_job_that_kills_the_process_the_next_has_another(owner: Owner) -> None:
    slow = "(" * 30_000  # popular lexers are quadratic here
    owner.ask(CODE, "make", slow)
    assert decode_drawing(owner.ask(FORMULA, "y", False)) is not None


def test_a_process_that_dies_or_cannot_start_answers_nothing() -> None:
    dying = Owner(DYING)
    assert dying.ask(FORMULA, "x", True) is NOT_TRIED
    assert dying.ask(FORMULA, "x", True) is NOT_TRIED
    dying.process.stop()
    absent = Owner(["/nonexistent/program"])
    assert absent.ask(FORMULA, "x", True) is NOT_TRIED


def test_a_process_that_dies_of_a_job_has_answered_it() -> None:
    dying = Owner([sys.executable, "-c", _LOADED + "raise SystemExit"])
    assert dying.ask(FORMULA, "x", True) is None


def test_starting_and_loading_do_not_count_as_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_process, "_WALL_LIMIT_S", 0.5)
    late = Owner([sys.executable, "-c", "import time; time.sleep(1); " + _LOADED + _ANSWERED])
    assert late.ask(FORMULA, "x", True) == "drawn"
    late.process.stop()


def test_a_process_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_process, "_WALL_LIMIT_S", 0.05)
    hanging = Owner([sys.executable, "-c", _LOADED + "import time; time.sleep(600)"])
    assert hanging.ask(FORMULA, "x", True) is NOT_TRIED
    monkeypatch.setattr(drawing_process, "_LOADING_LIMIT_S", 0.05)
    assert hanging.ask(FORMULA, "x", True) is NOT_TRIED


def test_each_job_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[float] = []
    monkeypatch.setattr(signal, "setitimer", lambda _which, seconds: timers.append(seconds), raising=False)
    monkeypatch.setattr(signal, "signal", lambda *_arguments: None)
    monkeypatch.setattr(drawing_process, "_limit_memory", lambda: None)
    source, sink = BytesIO(), BytesIO()
    for job in ((CODE, "python", "x"), (FORMULA, "x", False), (DIAGRAM, "none")):
        write_frame(source, job)
    source.seek(0)
    serve(source, sink)
    sink.seek(0)
    answers = [read_frame(sink) for _ in range(6)]
    assert [len(answer) if answer is not None else -1 for answer in answers] == [0, 1] * 3
    assert [each > 0 for each in timers] == [True, False] * 3


def test_memory_is_bounded_where_the_system_can(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits: list[Any] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _which, pair: limits.append(pair))
    monkeypatch.setattr(signal, "signal", lambda *_arguments: None)
    serve(BytesIO(), BytesIO())
    assert not limits or limits[0][0] <= 2 * 1024**3
