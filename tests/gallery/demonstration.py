"""Records the demonstration of README.md and docs/: ``make demonstration`` plays it in the real window, with the model
that comes with ChatDesk, and writes what is seen as moving pictures, light and dark.

    python -m tests.gallery.demonstration --out docs/pictures
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.app import run_window
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication

_SIZE: Final = (960, 620)
_LOOKS: Final = ("light", "dark")
QUESTION: Final = "Show me a table, a formula and some code"
SEARCHED: Final = "count words"
_KEY_MS, _STREAM_MS, _LOOK_MS = 70, 90, 1600
_LONGEST_S: Final = 60.0
_QUALITY: Final = 70


class Recorder:
    """The frames of a window, with everything that is open above it, and how long each is shown."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._frames: list[Image.Image] = []
        self._durations_ms: list[int] = []

    def __len__(self) -> int:
        return len(self._frames)

    def take(self, shown_ms: int) -> None:
        """Take a picture; one that shows nothing new only lengthens the one before."""
        frame = self._picture()
        if self._frames and frame.tobytes() == self._frames[-1].tobytes():
            self._durations_ms[-1] += shown_ms
            return
        self._frames.append(frame)
        self._durations_ms.append(shown_ms)

    def save(self, path: Path) -> None:
        """Write what was taken as a WebP that is repeated for ever."""
        first, *others = self._frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self._durations_ms,
            loop=0,
            quality=_QUALITY,
            method=6,
            minimize_size=True,
        )

    def _picture(self) -> Image.Image:
        drawn = self._window.grab().toImage()
        corner = self._window.mapToGlobal(QPoint(0, 0))
        painter = QPainter(drawn)
        for other in QApplication.topLevelWidgets():
            if other is not self._window and other.isVisible():
                painter.drawPixmap(other.mapToGlobal(QPoint(0, 0)) - corner, other.grab())
        painter.end()
        pixels = drawn.convertToFormat(QImage.Format.Format_RGB888)
        size = (pixels.width(), pixels.height())
        return Image.frombuffer("RGB", size, bytes(pixels.constBits()), "raw", "RGB", pixels.bytesPerLine(), 1)


async def play(application: WindowApplication, *, target: Path) -> int:
    """Play the demonstration in the window, and write it to ``target``."""
    services, panes = await application.services(), application.panes
    window = panes.window
    window.resize(*_SIZE)
    recorder = Recorder(window)
    await _settle()
    recorder.take(_LOOK_MS)
    for letter in QUESTION:
        QTest.keyClick(panes.composer.editor, letter)
        recorder.take(_KEY_MS)
    finished = asyncio.Event()
    subscription = services.events.subscribe(AnswerFinished, lambda _event: finished.set())
    QTest.keyClick(panes.composer.editor, Qt.Key.Key_Return)
    async with asyncio.timeout(_LONGEST_S):
        while not finished.is_set():
            await asyncio.sleep(_STREAM_MS / 1000)
            recorder.take(_STREAM_MS)
    subscription.cancel()
    await _settle()
    recorder.take(_LOOK_MS)
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    await _settle()
    for letter in SEARCHED:
        if (field := QApplication.focusWidget()) is not None:
            QTest.keyClick(field, letter)
        await asyncio.sleep(_STREAM_MS / 1000)
        recorder.take(_KEY_MS)
    await _settle()
    recorder.take(_LOOK_MS)
    if (field := QApplication.focusWidget()) is not None:
        QTest.keyClick(field, Qt.Key.Key_Escape)
    QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    await _settle()
    recorder.take(2 * _LOOK_MS)
    recorder.save(target)
    sys.stdout.write(f"{target}: {len(recorder)} frames, {target.stat().st_size // 1000} kB\n")
    return 0


async def _settle() -> None:
    """Let what was begun be drawn: highlighting, the search, a pane that opens."""
    await asyncio.sleep(1.0)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery.demonstration")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--look", choices=_LOOKS, help="the one to record; else each, in a process of its own")
    options = parser.parse_args(arguments)
    if options.look is None:
        return max(_recorded(options.out))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(theme=options.look, language="en", motion="none", offline_speed_tokens_per_s=45.0)
        script = partial(play, target=options.out / f"demonstration-{options.look}.webp")
        return run_window(AppPaths.find(folder), settings, script=script)


def _recorded(out: Path) -> Iterator[int]:
    import subprocess

    for look in _LOOKS:
        command = [sys.executable, "-m", "tests.gallery.demonstration", "--out", str(out), "--look", look]
        yield subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
