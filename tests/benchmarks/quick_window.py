"""Rows of the quick window: how long a person waits for it who presses a key in another program."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.processes import ROOT
from tests.benchmarks.real_window import display
from tests.benchmarks.table import Row

_MOST_MS = 80.0
_GOAL = "at most 80 ms; the yardstick is a bare Qt window"
_PAUSE_S = 0.5
_CALLER_GOAL = "at most three times a Python that does nothing"
_CALL = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


def showing(folder: Path, is_quick: bool) -> list[Row]:
    """From the trigger to the first frame, for the first time in a program and afterwards, on X11 with a window
    manager. The yardstick is a bare Qt window with a text field that a bare Python program asks for."""
    starts, shows = (1, 3) if is_quick else (5, 6)
    folder.mkdir(parents=True)
    with display() as screen, _window_manager(screen):
        environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": screen, "HOME": str(folder)}
        command = [str(Path(sys.executable).with_name("chatdesk")), "quick", "--data-dir", str(folder / "data")]
        place = str(folder / "bare.sock")
        bare = _measured(["bare", place], [sys.executable, "-P", "-c", _CALL, place], environment, shows)
        program = ["app", str(folder / "data")]
        runs = [_measured(program, command, environment, shows) for _ in range(starts)]
        rows = _rows([run[0] for run in runs], [each for run in runs for each in run[1:]], bare)
        return [*rows, _caller(program, command, environment, starts * shows)]


def _caller(arguments: list[str], trigger: list[str], environment: dict[str, str], times: int) -> Row:
    """What the process costs by which another one asks: in turns with a Python that does nothing."""
    nothing = [sys.executable, "-c", "pass"]
    with _running(arguments, environment) as program:
        costs = [(_cpu_ms(trigger, environment), _cpu_ms(nothing, environment)) for _ in range(times)]
        program.stdin.close()  # type: ignore[union-attr]
    found, bare = (median(each) for each in zip(*costs, strict=True))
    return Row(
        "quick window: CPU of the process that asks", found, "ms", _CALLER_GOAL, found <= 3 * bare, bare, found / bare
    )


def _cpu_ms(command: list[str], environment: dict[str, str]) -> float:
    """Return the processor time of a process that ends by itself."""
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return (usage.ru_utime + usage.ru_stime) * 1000


def _rows(first_ms: list[float], later_ms: list[float], bare_ms: list[float]) -> list[Row]:
    measured = {"first": (median(first_ms), bare_ms[0]), "later": (median(later_ms), median(bare_ms[1:]))}
    return [
        Row(
            f"quick window by another process, {which} frame", found, "ms", _GOAL, found <= _MOST_MS, bare, found / bare
        )
        for which, (found, bare) in measured.items()
    ]


def _measured(arguments: list[str], trigger: list[str], environment: dict[str, str], shows: int) -> list[float]:
    """Return the milliseconds from each start of ``trigger`` to the first frame after it, in one run of the program."""
    found = []
    with _running(arguments, environment) as program:
        assert program.stdin is not None and program.stdout is not None
        for _ in range(shows):
            time.sleep(_PAUSE_S)
            began = time.monotonic()
            subprocess.run(trigger, env=environment, cwd=ROOT, check=True)
            found.append((float(program.stdout.readline().split()[1]) - began) * 1000)
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "hidden\n"
        program.stdin.close()
    return found


@contextlib.contextmanager
def _running(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A program that can be asked for its window; it ends with its input."""
    command = [sys.executable, "-P", "-m", "tests.benchmarks.quick_window_probe", *arguments]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        yield program


@contextlib.contextmanager
def _window_manager(screen: str) -> Iterator[None]:
    """A small window manager, where one is installed: it decides when a window appears."""
    if shutil.which("openbox") is None:
        yield
        return
    with subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": screen}, stderr=subprocess.DEVNULL) as manager:
        try:
            yield
        finally:
            manager.terminate()
