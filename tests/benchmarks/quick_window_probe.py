"""A program that shows a field when another process asks for it, and prints the moment at which it was painted.

``app`` is ChatDesk with its quick window, which ``chatdesk quick`` asks for; ``bare`` is a Qt window with a
text field, asked for by a byte on a socket. A line on stdin takes the window away again.
"""

from __future__ import annotations

import asyncio
import sys
import time

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QVBoxLayout, QWidget

_REST_S = 4.0  # as when a person works elsewhere


class _FirstFrame(QObject):
    """Prints when the window of that name was painted and handed to the screen for the first time since it was shown."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.window: QWidget | None = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self.window is None and event.type() == QEvent.Type.Paint and watched.objectName() == self._name:
            assert isinstance(watched, QWidget)
            self.window = watched
            QTimer.singleShot(0, self._say)  # the frame is out when this turn of the loop ends
        return False

    def _say(self) -> None:
        print(f"painted {time.monotonic()}", flush=True)

    def hide(self) -> None:
        window, self.window = self.window, None
        assert window is not None
        window.hide()
        print("hidden", flush=True)


def bare(place: str) -> None:
    import socket

    app = QApplication(sys.argv[:1])
    window = QWidget()
    window.setObjectName("bare")
    QVBoxLayout(window).addWidget(QPlainTextEdit())
    window.resize(640, 80)
    frames = _FirstFrame("bare")
    app.installEventFilter(frames)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(place)
    listening.listen()

    def on_call() -> None:
        listening.accept()[0].close()
        window.show()
        window.activateWindow()

    calls = QSocketNotifier(listening.fileno(), QSocketNotifier.Type.Read)
    calls.activated.connect(on_call)
    lines = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    lines.activated.connect(lambda: frames.hide() if sys.stdin.readline() else app.quit())
    print("ready", flush=True)
    app.exec()


def application(data_dir: str) -> None:
    from chatdesk.app import run_window
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.settings.schema import Settings
    from chatdesk.ui.application.window_application import WindowApplication

    async def script(window: WindowApplication) -> int:
        await window.services()
        frames = _FirstFrame("quickWindow")
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(frames)
        await asyncio.sleep(_REST_S)
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            frames.hide()
        return 0

    run_window(AppPaths.find(data_dir), Settings(), script=script)


if __name__ == "__main__":
    bare(sys.argv[2]) if sys.argv[1] == "bare" else application(sys.argv[2])
