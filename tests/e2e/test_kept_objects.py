"""A window keeps nothing of a turn that is over but what is shown: no widgets, and no objects of Python."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from chatdesk.core.context import path_windows
from chatdesk.core.paths import AppPaths
from chatdesk.core.rendering import client
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play

pytestmark = pytest.mark.usefixtures("qapp")
_THREADS, _TURNS = 4, 4
# One message that is kept is more than a hundred, with its blocks, items and parts. Caches that fill take some thirty.
_MOST_A_TURN = 60


def _objects() -> tuple[int, int]:
    """Return the numbers of objects of Qt and of blocks of memory that Python uses."""
    gc.collect()
    roots = QApplication.topLevelWidgets()
    return sum(len(each.findChildren(QObject)) for each in roots), sys.getallocatedblocks()


def test_no_objects_stay_of_turns_that_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Caches have limits that are reached after thousands of turns; here, at once.
    monkeypatch.setattr(client, "_CACHE_BYTES", 16 * 1024)
    monkeypatch.setattr(path_windows, "_MOST_THREADS", 1)
    found: list[tuple[int, int]] = []

    async def script(application: WindowApplication) -> None:
        await application.services()
        threads: list[str] = []
        for place in range(4 * _THREADS):
            await application.threads.open(threads[place % _THREADS] if place >= _THREADS else None)
            for turn in range(_TURNS):
                answer = await ask(application, f"question {turn}, a short answer please")
            threads.append(answer.thread_id)
            if place % _THREADS == _THREADS - 1:
                await application.threads.open(None)
                found.append(_objects())

    play(AppPaths.find(tmp_path / "profile"), script)
    _first, (widgets, blocks), (more_widgets, more_blocks), (last_widgets, last_blocks) = found
    assert min(more_widgets - widgets, last_widgets - more_widgets) <= 0, found
    # What is kept comes with each round; what Python needs for something else, with one.
    kept = min(more_blocks - blocks, last_blocks - more_blocks)
    assert kept / (_THREADS * _TURNS) < _MOST_A_TURN, found
